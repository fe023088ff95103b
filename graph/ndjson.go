package graph

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/tuttihq/tutti"
)

const jsonLines = "application/x-ndjson"

// plansDocument is the subscription that POST /plans stands for; a fragment Selected follows.
const plansDocument = `subscription Plans($composition: ID!, $params: JSON, $channel: ID!, $locale: Locale, $supports: [String!]) {
  plans(composition: $composition, params: $params, channel: $channel, locale: $locale, supports: $supports, contexts: []) {
    ... on PlansProgress { composition version total decided refused groups delivered done }
    ... on PlanGroup { key private members { index id fills problems { path ref code message stale } } holes { token name form } experience { ...Selected } }
    ... on PlanRefusal { index id errors { code message field hint } }
  }
}
fragment Selected on Experience `

// plansSelected is what POST /plans delivers of an experience when the request does not say.
const plansSelected = `{
  id composition version title meta { title description } channel locale validUntil freshness { state asOf }
  components { id component type version variant parent slot path props actions { label intent href deepLink expiresAt } personal }
  problems { path ref code message stale } locales { path asked got }
}`

// plansHead is the body of POST /plans, or its first line.
type plansHead struct {
	Composition string            `json:"composition"`
	Params      json.RawMessage   `json:"params"`
	Channel     string            `json:"channel"`
	Locale      *string           `json:"locale"`
	Supports    any               `json:"supports"` // [String!]
	Select      string            `json:"select"`   // a selection set on Experience
	Contexts    []json.RawMessage `json:"contexts"`
}

const wantedHead = `Send {"composition": "…", "channel": "…", "contexts": [{…}, …]}; or, as ` + jsonLines + `, a first line without contexts and then one context on each line.`

// Plans answers POST /plans: the subscription plans as lines of JSON, {"progress": …}, {"group": …}
// and {"refused": …}. Contexts come as a JSON array, or as lines after the first. Each is read when
// it is its turn, and forgotten when it is decided.
func (s *Server) Plans() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.handle(w, r, s.servePlans) })
}

func (s *Server) servePlans(ctx *call, w http.ResponseWriter, r *http.Request, g *Generation, o *Observation) {
	defer g.taking()()
	v, bad := s.authenticate(r, g, foreignOrigin(r, g))
	o.Class, o.KeyID = v.Class, v.KeyID
	var head plansHead
	if bad == nil {
		head, bad = readPlans(r, g.bodyLimit(w, v, true))
	}
	if bad != nil {
		s.fail(ctx, w, r, o, plainJSON, bad)
		return
	}
	ctx.viewer = v
	within, cancel := context.WithTimeout(ctx, plansTime)
	defer cancel()
	f := newFlow(w, o, jsonLines)
	defer f.end()
	if out := s.planLines(within, g, v, o, head, f); out != nil && f.begun {
		errs := s.presentAll(ctx, out.errors)
		f.note(errs)
		list, _ := json.Marshal(errs)
		_ = f.send(append(append([]byte(`{"errors":`), oneLine(list)...), "}\n"...))
	} else if out != nil {
		s.write(ctx, w, r, o, plainJSON, outcome{status: -max(out.status, http.StatusBadRequest), errors: out.errors})
	}
}

// planLines sends the events of plans. What it gives is an error of the whole.
func (s *Server) planLines(ctx context.Context, g *Generation, v Viewer, o *Observation, head plansHead, f *flow) *outcome {
	if head.Select == "" {
		head.Select = plansSelected
	} else if g.mode.Enforced() && !v.Editing() {
		return &outcome{status: http.StatusForbidden, errors: one(&tutti.Error{
			Code: tutti.UntrustedOperation, Field: "select", Message: "a selection is not among the trusted operations.",
			Hint: "Leave select out; or store a subscription with tutti operations push, and ask /graphql for it.",
		})}
	}
	d, cached, errs := g.document(plansDocument + head.Select)
	if errs != nil {
		return &outcome{errors: errs}
	}
	if len(d.doc.Operations) != 1 {
		return &outcome{errors: one(&tutti.Error{Code: tutti.BadRequest, Field: "select", Message: "more than a selection.", Hint: "Write a selection set on Experience, such as { id title }, and fragments after it."})}
	}
	op := d.doc.Operations[0]
	o.Operation, o.Kind, o.Cached = op.Name, string(op.Operation), cached
	p := parameters{query: d.text, operationName: op.Name, variables: map[string]any{"composition": head.Composition, "channel": head.Channel}}
	if head.Locale != nil {
		p.variables["locale"] = *head.Locale
	}
	if head.Supports != nil {
		p.variables["supports"] = head.Supports
	}
	params, bad := objectText(string(head.Params), "params")
	if bad != nil {
		return &outcome{errors: gqlerror.List{{Err: bad.err, Message: "refused"}}}
	}
	if params != nil {
		p.variables["params"] = params
	}
	vars, refused := s.allow(g, v, p, http.MethodPost, d, op)
	if refused != nil {
		return refused
	}
	ctx = s.operating(ctx, p, d, op, vars.values)
	field, err := subscribedField(ctx, op)
	var ask PlansAsk
	if err == nil {
		ask, err = plansAsk(ctx, field, vars.values)
	}
	if err == nil {
		ask.Total = len(head.Contexts)
		ask.Members = func(yield func(PlanAsker) bool) {
			for i, raw := range head.Contexts {
				if !yield(g.asker(ctx, i, raw)) {
					return
				}
			}
		}
		err = s.plans(ctx, g, ask, field, f.line)
	}
	if err == nil {
		return nil
	}
	return &outcome{status: statusOf(codeOf(err)), errors: gqlerror.List{{Err: err, Message: "refused"}}}
}

func statusOf(code tutti.Code) int {
	switch code {
	case tutti.Internal:
		return http.StatusInternalServerError
	case tutti.Unavailable, tutti.Timeout:
		return http.StatusServiceUnavailable
	}
	return http.StatusBadRequest
}

// asker reads one context as the schema has it. What is wrong with it is told of it alone.
func (g *Generation) asker(ctx context.Context, index int, raw json.RawMessage) PlanAsker {
	m, bad := objectText(string(raw), "context")
	if bad != nil || m == nil {
		return PlanAsker{Index: index, Err: &tutti.Error{Code: tutti.BadRequest, Field: "context", Message: "the context is not a JSON object.", Hint: `Write, for example, {"id": "r1", "visitor": "guest-7"}.`}}
	}
	c := &coercer{generation: g, telling: true}
	v := c.value("context", ast.NonNullNamedType("MemberContextInput", nil), m)
	var errs []error
	for _, e := range c.errs {
		errs = append(errs, e)
	}
	err := errors.Join(errs...)
	in := MemberContextInput{}
	if err == nil {
		in, err = (&executionContext{}).unmarshalInputMemberContextInput(ctx, v)
	}
	a := askerOf(index, &in)
	if err != nil {
		a.ID, _ = m["id"].(string)
		a.Context, a.Err = nil, err
	}
	return a
}

// line sends one event.
func (f *flow) line(e event) error {
	f.note(e.errors)
	buf := borrow()
	defer buf.giveBack()
	b := append(buf.b, `{"`...)
	b = append(append(b, map[string]string{"PlansProgress": "progress", "PlanGroup": "group", "PlanRefusal": "refused"}[e.kind]...), `":`...)
	if e.data == nil {
		b = append(b, "null"...)
	} else {
		b = append(b, e.data...)
	}
	if len(e.errors) > 0 {
		list, _ := json.Marshal(e.errors)
		b = append(append(b, `,"errors":`...), list...)
	}
	buf.b = b
	return f.send(append(oneLine(append(b, '}')), '\n'))
}

// readPlans reads the body of POST /plans.
func readPlans(r *http.Request, limit int64) (plansHead, *refused) {
	media, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	lines := media == jsonLines
	if !lines && media != plainJSON {
		return plansHead{}, refuse(http.StatusUnsupportedMediaType, tutti.BadRequest, "the body's content type is not supported.", "Send Content-Type: "+plainJSON+" or "+jsonLines+".")
	}
	body, bad := bodyOf(r, limit)
	if bad != nil {
		return plansHead{}, bad
	}
	first := body
	if lines {
		first, body, _ = bytes.Cut(bytes.TrimLeft(body, "\r\n"), []byte{'\n'})
	}
	var head plansHead
	d := json.NewDecoder(bytes.NewReader(first))
	d.DisallowUnknownFields()
	err := d.Decode(&head)
	if err == nil {
		if _, more := d.Token(); !errors.Is(more, io.EOF) {
			err = errors.New("more than one value")
		}
	}
	if err != nil || lines && head.Contexts != nil {
		return plansHead{}, refuse(http.StatusBadRequest, tutti.BadRequest, "the request for plans is not an object with the right fields.", wantedHead)
	}
	if lines {
		head.Contexts = make([]json.RawMessage, 0, bytes.Count(body, []byte{'\n'})+1)
		for line := range bytes.SplitSeq(body, []byte{'\n'}) {
			if line = bytes.TrimSpace(line); len(line) > 0 {
				head.Contexts = append(head.Contexts, line)
			}
		}
	}
	if bad := tooMany(len(head.Contexts)); bad != nil {
		return plansHead{}, &refused{http.StatusRequestEntityTooLarge, bad}
	}
	return head, nil
}
