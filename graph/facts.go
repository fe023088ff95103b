package graph

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"regexp"
	"strings"

	"github.com/tuttihq/tutti"
)

var currencyShape = regexp.MustCompile(`^[A-Z]{3}$`)

// ContextInput is what a request says about the visitor and the moment.
type ContextInput struct {
	Visitor    *string       `json:"visitor,omitempty"`
	Location   *PlaceInput   `json:"location,omitempty"`
	Market     *string       `json:"market,omitempty"`
	Currency   *string       `json:"currency,omitempty"`
	Attributes Attributes    `json:"attributes,omitempty"`
	Consent    *ConsentInput `json:"consent,omitempty"`

	read bool // the attributes are as readAttribute gives them, none of them null, and it is not too large
}

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
	c := &contextCheck{generation: g, viewer: v, declared: g.declared, out: tutti.Context{
		Visitor: v.Visitor, Claims: v.Claims, Consent: consents[0],
	}}
	if n := contextSize(input, limit); n > limit {
		return tutti.Context{}, nil, &tutti.Error{
			Code: tutti.ContextTooLarge, Field: "context", Message: "the context is too large: " + size(n) + ".",
			Hint: "At most " + size(limit) + " are allowed.",
		}
	}
	c.visitor(input)
	c.place(input)
	c.market(input)
	c.consent(input)
	c.attributes(input)
	c.claims(v.Claims)
	if len(c.errs) > 0 {
		return tutti.Context{}, nil, errors.Join(c.errs...)
	}
	return c.out, c.problems, nil
}

type contextCheck struct {
	generation *Generation
	viewer     Viewer
	declared   []tutti.Attribute
	out        tutti.Context
	lent       bool // the attributes of out are the request's own, which may be checked again
	problems   []tutti.Problem
	errs       []error
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
	p := (*tutti.Place)(input.Location)
	if !p.Valid() {
		c.fail(tutti.InvalidValue, "context.location", "not a place on the earth.", "lat goes from -90 to 90, lon from -180 to 180.")
		return
	}
	c.out.Location = p
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
	given := 0
	for i, allowed := range []*bool{input.Consent.Personalization, input.Consent.Analytics, input.Consent.Marketing} {
		if allowed != nil && *allowed {
			given |= 1 << i
		}
	}
	c.out.Consent = consents[given]
}

// consents are all that a visitor can agree to: a bit for each of three purposes. Nobody changes them.
var consents = func() (all [8]tutti.Consent) {
	for given := range all {
		all[given] = tutti.Consent{}
		for i, purpose := range []tutti.Purpose{tutti.Personalization, tutti.Analytics, tutti.Marketing} {
			if given&(1<<i) != 0 {
				all[given][purpose] = true
			}
		}
	}
	return all
}()

func (c *contextCheck) attributes(input *ContextInput) {
	given := input.Attributes
	if len(given) == 0 || c.preview("context.attributes") {
		return
	}
	if c.plain(input) {
		return
	}
	names := c.generation.attributeNames
	for _, name := range sortedKeys(given) {
		field, value := join("context.attributes", name), given[name]
		a, ok := c.generation.attributes[name]
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
		case value == nil || input.read: // absent; or right, as others are not
		default:
			v, err := readAttribute(a, value)
			if err != nil {
				c.fail(err.Code, field, err.Message, err.Hint)
				continue
			}
			c.set(name, v)
		}
	}
}

// set notes a fact.
func (c *contextCheck) set(name string, v any) {
	if c.lent {
		c.out.Attributes, c.lent = maps.Clone(c.out.Attributes), false
	}
	if c.out.Attributes == nil {
		c.out.Attributes = map[string]any{}
	}
	c.out.Attributes[name] = v
}

// plain takes the attributes where nothing is to be told of them, which is nearly always. It
// reports whether that was so; else it took nothing.
func (c *contextCheck) plain(input *ContextInput) bool {
	if input.read && c.asserts() {
		c.out.Attributes, c.lent = input.Attributes, true
		return true
	}
	facts := input.Attributes
	if !input.read {
		facts = make(Attributes, len(facts))
	}
	for name, value := range input.Attributes {
		a := c.generation.givable[name]
		if a == nil || a.Trust > tutti.TrustClient && !c.asserts() {
			return false
		}
		if input.read || value == nil {
			continue
		}
		v, err := readAttribute(*a, value)
		if err != nil {
			return false
		}
		facts[name] = v
	}
	c.out.Attributes, c.lent = facts, input.read
	return true
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
	if len(claims) == 0 {
		return
	}
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
		c.set(a.Name, got)
	}
}

// contextMost is how many bytes a context has as JSON at most, besides its texts and attributes.
const contextMost = 512

// contextSize is how many bytes a context has as JSON. Where even the most that it could have is
// not over the limit, that is enough to know.
func contextSize(in *ContextInput, limit int) int {
	if in.read {
		return 0
	}
	most := contextMost
	for _, s := range []*string{in.Visitor, in.Market, in.Currency} {
		if s != nil {
			most += 6 * len(*s)
		}
	}
	if most += mostJSON(map[string]any(in.Attributes)); most <= limit {
		return most
	}
	return jsonSize(in)
}

// mostJSON is how many bytes a value that came as JSON has at most, when written as JSON.
func mostJSON(v any) int {
	switch v := v.(type) {
	case string:
		return 6*len(v) + 3
	case json.Number:
		return len(v) + 1
	case map[string]any:
		n := 3
		for name, e := range v {
			n += 6*len(name) + 4 + mostJSON(e)
		}
		return n
	case []any:
		n := 3
		for _, e := range v {
			n += mostJSON(e)
		}
		return n
	case nil, bool, int, int64, float64:
		return 32
	}
	return 1 << 30 // it did not come as JSON: count exactly
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
