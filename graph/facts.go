package graph

import (
	"bytes"
	"encoding/json"
	"errors"
	"regexp"
	"strings"

	"github.com/tuttihq/tutti"
)

var currencyShape = regexp.MustCompile(`^[A-Z]{3}$`)

// CheckContext turns the context of a request into facts that count: declared, typed, and of
// enough trust for who says them. The claims of a visitor token fill the attributes that declare
// one, unless a server key gives the attribute itself.
//
// What is wrong comes all at once, as *tutti.Error values that errors.Join joined (each becomes
// an error of the response): FORBIDDEN for what this key class may not assert, UNKNOWN_ATTRIBUTE,
// INVALID_VALUE, CONTEXT_TOO_LARGE. Fields are paths such as context.attributes.tier. A
// deprecated attribute, and a claim that does not fit, are left out with a Problem instead.
//
// Locale, Channel, At and Preview are for the caller to set; with a preview key, facts come from
// a stored persona, which the caller puts in. input may be nil.
func (g *Generation) CheckContext(v Viewer, input *ContextInput) (tutti.Context, []tutti.Problem, error) {
	limit := g.limits.ContextBytes
	if input == nil {
		input = &ContextInput{}
	}
	c := &contextCheck{viewer: v, declared: g.declared, out: tutti.Context{
		Visitor: v.Visitor, Claims: v.Claims, Attributes: map[string]any{}, Consent: tutti.Consent{},
	}}
	if n := jsonSize(input); n > limit {
		return tutti.Context{}, nil, &tutti.Error{
			Code: tutti.ContextTooLarge, Field: "context", Message: "the context is too large: " + size(n) + ".",
			Hint: "At most " + size(limit) + " are allowed.",
		}
	}
	c.visitor(input)
	c.place(input)
	c.market(input)
	c.consent(input)
	c.attributes(input.Attributes)
	c.claims(v.Claims)
	if len(c.errs) > 0 {
		return tutti.Context{}, nil, errors.Join(c.errs...)
	}
	return c.out, c.problems, nil
}

type contextCheck struct {
	viewer   Viewer
	declared []tutti.Attribute
	out      tutti.Context
	problems []tutti.Problem
	errs     []error
}

func (c *contextCheck) fail(code tutti.Code, field, message, hint string) {
	c.errs = append(c.errs, &tutti.Error{Code: code, Field: field, Message: message, Hint: hint})
}

// preview refuses a fact from a preview key and reports that it did.
func (c *contextCheck) preview(field string) bool {
	if c.viewer.Class != tutti.PreviewKey {
		return false
	}
	c.fail(tutti.Forbidden, field, "a preview key takes facts only from a stored persona.", `Leave it out and name a persona: preview: {persona: "…"}.`)
	return true
}

// asserts reports whether the viewer's key may say who a visitor is and assert any fact.
func (c *contextCheck) asserts() bool {
	return c.viewer.Class == tutti.ServerKey || c.viewer.Class == tutti.ManagementKey
}

func (c *contextCheck) visitor(input *ContextInput) {
	if input.Visitor == nil || c.preview("context.visitor") {
		return
	}
	switch {
	case !c.asserts():
		c.fail(tutti.Forbidden, "context.visitor", "this key may not say who the visitor is.",
			"Send the visitor's token in the header Tutti-Visitor, or ask from your server with a server key.")
	case !visitorShaped(*input.Visitor):
		c.fail(tutti.InvalidValue, "context.visitor", "not usable as a visitor's id.", "Write 1 to 256 bytes without control characters, or leave it out.")
	case c.viewer.Visitor != "" && c.viewer.Visitor != *input.Visitor:
		c.fail(tutti.InvalidValue, "context.visitor", "another visitor than the visitor token proves.", "Send one of the two.")
	default:
		c.out.Visitor = *input.Visitor
	}
}

func (c *contextCheck) place(input *ContextInput) {
	if input.Location == nil || c.preview("context.location") {
		return
	}
	p := tutti.Place{Lat: input.Location.Lat, Lon: input.Location.Lon}
	if !p.Valid() {
		c.fail(tutti.InvalidValue, "context.location", "not a place on the earth.", "lat goes from -90 to 90, lon from -180 to 180.")
		return
	}
	c.out.Location = &p
}

func (c *contextCheck) market(input *ContextInput) {
	if m := input.Market; m != nil {
		if !tutti.IsName(*m) {
			c.fail(tutti.InvalidValue, "context.market", "not the name of a market.", "Write a configured market's name, for example eu.")
		}
		c.out.Market = *m
	}
	if m := input.Currency; m != nil {
		if !currencyShape.MatchString(*m) {
			c.fail(tutti.InvalidValue, "context.currency", "not a currency.", "Write ISO 4217, for example EUR.")
		}
		c.out.Currency = *m
	}
}

func (c *contextCheck) consent(input *ContextInput) {
	if input.Consent == nil || c.preview("context.consent") {
		return
	}
	for purpose, given := range map[tutti.Purpose]*bool{
		tutti.Personalization: input.Consent.Personalization, tutti.Analytics: input.Consent.Analytics, tutti.Marketing: input.Consent.Marketing,
	} {
		if given != nil && *given {
			c.out.Consent[purpose] = true
		}
	}
}

func (c *contextCheck) attributes(given Attributes) {
	if len(given) == 0 || c.preview("context.attributes") {
		return
	}
	byName := make(map[string]tutti.Attribute, len(c.declared))
	var names []string
	for _, a := range c.declared {
		byName[a.Name] = a
		if givable(a) && a.Deprecated == "" {
			names = append(names, a.Name)
		}
	}
	for _, name := range sortedKeys(given) {
		field, value := join("context.attributes", name), given[name]
		a, ok := byName[name]
		switch {
		case !ok:
			e := unknownAttribute(name, names)
			c.fail(e.Code, field, e.Message, e.Hint)
		case !givable(a):
			e := notGivable(a)
			c.fail(e.Code, field, e.Message, e.Hint)
		case a.Deprecated != "":
			c.problems = append(c.problems, tutti.Problem{Path: field, Code: tutti.DeprecatedAttr, Message: "The attribute " + name + " was removed and is ignored: " + a.Deprecated})
		case a.Trust > tutti.TrustClient && !c.asserts():
			c.fail(tutti.Forbidden, field, "this key may not assert the attribute "+name+": it needs trust "+a.Trust.String()+".", proveInstead(a))
		case value == nil: // absent
		default:
			v, err := readAttribute(a, value)
			if err != nil {
				c.fail(err.Code, field, err.Message, err.Hint)
				continue
			}
			c.out.Attributes[name] = v
		}
	}
}

func proveInstead(a tutti.Attribute) string {
	const server = "ask from your server with a server key."
	if a.Claim != "" && a.Trust <= tutti.TrustSigned {
		return "Send a visitor token with the claim " + a.Claim + " in the header Tutti-Visitor, or " + server
	}
	return strings.ToUpper(server[:1]) + server[1:]
}

// claims fills attributes from a verified token, which proves as much as trust signed.
func (c *contextCheck) claims(claims map[string]any) {
	for _, a := range c.declared {
		v, ok := claims[a.Claim]
		if a.Claim == "" || !ok || v == nil || a.Deprecated != "" || a.Trust > tutti.TrustSigned {
			continue
		}
		if _, given := c.out.Attributes[a.Name]; given && c.asserts() {
			continue
		}
		got, err := readAttribute(a, v)
		if err != nil {
			c.problems = append(c.problems, tutti.Problem{
				Path: "context.attributes." + a.Name, Code: err.Code,
				Message: "The visitor token's claim " + a.Claim + " does not fit the attribute " + a.Name + ", which stays unknown. " + err.Hint,
			})
			continue
		}
		c.out.Attributes[a.Name] = got
	}
}

// jsonSize is how many bytes v has as JSON.
func jsonSize(v any) int {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if e.Encode(v) != nil {
		return 0
	}
	return b.Len() - len("\n")
}
