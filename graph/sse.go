package graph

import (
	"context"
	"net/http"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/tuttihq/tutti"
)

const eventStream = "text/event-stream"

// takesEvents reports whether a request may be answered with Server-Sent Events.
func takesEvents(r *http.Request) bool {
	if r.Method != http.MethodPost {
		return false // a context in an address would stand in logs
	}
	for _, accepted := range r.Header.Values("Accept") {
		for part := range strings.SplitSeq(accepted, ",") {
			media, _, _ := strings.Cut(part, ";")
			if strings.EqualFold(strings.TrimSpace(media), eventStream) {
				return true
			}
		}
	}
	return false
}

// notStreamed refuses a subscription that was asked for in any other way.
var notStreamed = &tutti.Error{Code: tutti.BadRequest, Message: "a subscription comes piece by piece.", Hint: "Send it with POST and Accept: " + eventStream + ". See also: POST /plans."}

// events answers one operation over Server-Sent Events, by the distinct connections mode of
// “GraphQL over Server-Sent Events”: each result is an event “next”, the end is an event
// “complete”, and what is wrong with the operation is a result too. It reports false, with nothing
// written, where the operation is no subscription and the client takes plain answers too (media).
func (s *Server) events(ctx *call, w http.ResponseWriter, o *Observation, media string, g *Generation, v Viewer, p parameters) bool {
	a, refused := s.asked(g, v, p)
	subscribed := refused == nil && a.operation.Operation == ast.Subscription
	if !subscribed && media != "" {
		return false
	}
	f := newFlow(w, o, eventStream)
	defer f.end()
	out := outcome{}
	if subscribed {
		o.Operation, o.Kind, o.Cached, o.Untrusted = a.operation.Name, string(a.operation.Operation), a.cached, a.untrusted
		within, cancel := context.WithTimeout(ctx, plansTime)
		defer cancel()
		out.errors = s.subscribe(within, g, v, a, f)
	} else {
		if out = s.execute(ctx, g, v, p, http.MethodPost); out.operation != nil {
			o.Operation, o.Kind, o.Cached = out.operation.Name, string(out.operation.Operation), out.cached
		}
		if o.Untrusted = out.untrusted; out.written != nil {
			defer out.written.giveBack()
			out.data = out.written.data(out.from)
		}
	}
	if !subscribed || len(out.errors) > 0 {
		_ = f.result(out.data, s.presentAll(ctx, out.errors))
	}
	_ = f.send([]byte("event: complete\ndata:\n\n"))
	return true
}

// subscribe sends the results of a subscription. What it gives is an error of the whole.
func (s *Server) subscribe(ctx context.Context, g *Generation, v Viewer, a asked, f *flow) gqlerror.List {
	vars, refused := s.allow(g, v, a.parameters, http.MethodPost, a.document, a.operation)
	if refused != nil {
		return refused.errors
	}
	ctx = s.operating(ctx, a.parameters, a.document, a.operation, vars.values)
	if a.document.operations[a.operation].mayBeNull {
		_, n := withoutNulls(a.operation, vars.values)
		for field, err := range n.refused {
			return gqlerror.List{{Err: err, Message: err.Message, Path: ast.Path{ast.PathName(field.Alias)}}}
		}
		if n.whole != nil {
			return one(n.whole)
		}
	}
	field, err := subscribedField(ctx, a.operation)
	if field == nil {
		if err == nil {
			return nil
		}
		return gqlerror.List{{Err: err, Message: "refused"}}
	}
	ask, err := plansAsk(ctx, field, vars.values)
	if err == nil {
		err = s.plans(ctx, g, ask, field, func(e event) error {
			if e.data == nil {
				return f.result([]byte("null"), e.errors)
			}
			data := append(append(AppendString([]byte{'{'}, field.Alias), ':'), e.data...)
			return f.result(append(data, '}'), e.errors)
		})
	}
	if err == nil {
		return nil
	}
	return gqlerror.List{{Err: err, Message: "refused", Path: ast.Path{ast.PathName(field.Alias)}}}
}

// result sends one result of an operation.
func (f *flow) result(data []byte, errs gqlerror.List) error {
	f.note(errs)
	buf := borrow()
	defer buf.giveBack()
	buf.b = append(buf.b, "event: next\ndata: "...)
	at := len(buf.b)
	buf.b = appendBody(buf.b, data, errs)
	buf.b = append(append(buf.b[:at], oneLine(buf.b[at:])...), '\n', '\n')
	return f.send(buf.b)
}

// subscribedField gives the one field of a subscription, with all that is selected of it; nil when
// none is included. The context is that of an operation.
func subscribedField(ctx context.Context, op *ast.OperationDefinition) (*ast.Field, error) {
	fields := graphql.CollectFields(graphql.GetOperationContext(ctx), op.SelectionSet, []string{"Subscription"})
	switch {
	case len(fields) == 0:
		return nil, nil
	case len(fields) > 1: // gqlparser lets two of one name pass
		return nil, &tutti.Error{Code: tutti.BadRequest, Message: "a subscription has one field at the top.", Hint: "Send each as its own request."}
	}
	field := fields[0].Field
	if len(fields[0].Selections) != len(field.SelectionSet) {
		merged := *field
		merged.SelectionSet = fields[0].Selections
		field = &merged
	}
	return field, nil
}
