package graph

import (
	"context"
	"net/http"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/tuttihq/tutti"
)

// outcome is what came of a well-formed request.
type outcome struct {
	status    int // 0 = as the media type says for a request error, 200 with data
	data      []byte
	written   *buffer // or the whole response, as it is without errors; data begins at from
	from      int
	errors    gqlerror.List // not presented yet
	operation *ast.OperationDefinition
	cached    bool      // the document was known
	untrusted string    // the identifier of an operation that is not trusted, where that matters
	delivery  *Delivery // of a whole answer to GET; nil = nobody may keep it
	allow     string
}

func requestError(status int, list gqlerror.List) outcome {
	return outcome{status: status, errors: list}
}

// asked is the operation that a request means.
type asked struct {
	parameters
	document  *document
	operation *ast.OperationDefinition
	cached    bool   // the document was known
	untrusted string // as of outcome
}

// asked finds the operation that a request means, valid and trusted; or what to answer instead.
func (s *Server) asked(g *Generation, v Viewer, p parameters) (asked, *outcome) {
	m, bad := s.meaning(g, v, p)
	if bad != nil {
		out := requestError(bad.status, gqlerror.List{{Err: bad.err, Message: "refused"}})
		out.untrusted = m.untrusted
		return asked{}, &out
	}
	p.query = m.text
	d, cached, errs := g.document(p.query)
	if errs != nil {
		if m.register {
			s.automatic.remove(p.hash)
		}
		out := requestError(0, errs)
		return asked{}, &out
	}
	if m.register {
		s.automatic.add(p.hash, p.query)
	}
	op := d.doc.Operations.ForName(p.operationName)
	if op == nil {
		out := requestError(0, one(noOperation(d, p.operationName)))
		return asked{}, &out
	}
	return asked{p, d, op, cached, m.untrusted}, nil
}

// execute answers one operation: limits, validation, variables, policies, and then the
// resolvers. Only the last step does I/O.
func (s *Server) execute(ctx *call, g *Generation, v Viewer, p parameters, method string) outcome {
	a, refused := s.asked(g, v, p)
	if refused != nil {
		return *refused
	}
	out := s.run(ctx, g, v, a.parameters, method, a.document, a.operation)
	out.operation, out.cached, out.untrusted = a.operation, a.cached, a.untrusted
	return out
}

func noOperation(d *document, name string) *tutti.Error {
	e := &tutti.Error{Code: tutti.BadRequest, Field: "operationName", Message: "the document holds no operation of this name."}
	if name == "" {
		e.Message = "the document holds several operations."
	}
	e.Hint = "Name one of the document's operations."
	return e
}

func (s *Server) run(ctx *call, g *Generation, v Viewer, p parameters, method string, d *document, op *ast.OperationDefinition) outcome {
	if byAddress(method) && op.Operation != ast.Query {
		out := requestError(http.StatusMethodNotAllowed, one(&tutti.Error{Code: tutti.BadRequest, Message: "GET is for queries only.", Hint: "Send mutations with POST."}))
		out.allow = http.MethodPost
		return out
	}
	vars, refused := s.allow(g, v, p, method, d, op)
	switch known := d.operations[op]; {
	case refused != nil:
		return *refused
	case op.Operation == ast.Subscription:
		return requestError(0, one(notStreamed))
	case known.direct != nil && method == http.MethodPost:
		return s.answer(ctx, known, vars, borrow())
	}
	within, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	return s.resolve(within, g, p, d, op, vars.values, byAddress(method))
}

// allow checks an operation against access and limits, and gives its variables, coerced; or what
// to answer instead of executing it.
func (s *Server) allow(g *Generation, v Viewer, p parameters, method string, d *document, op *ast.OperationDefinition) (givenVariables, *outcome) {
	refuse := func(status int, list gqlerror.List) (givenVariables, *outcome) {
		out := requestError(status, list)
		return givenVariables{}, &out
	}
	known := d.operations[op]
	if list := g.forbidden(known.restrictions, v.Class); list != nil {
		return refuse(http.StatusForbidden, list)
	}
	vars, plain := g.plain(known, p, method)
	if !plain {
		values, bad := coerceVariables(g, op, p.values())
		if len(bad) > 0 {
			var list gqlerror.List
			for _, e := range bad {
				list = append(list, one(e)...)
			}
			return refuse(0, list)
		}
		if byAddress(method) {
			if list := g.inAddress(op, values); list != nil {
				return refuse(0, list)
			}
		}
		if list := g.forbidden(g.policies.variables(op, values), v.Class); list != nil {
			return refuse(http.StatusForbidden, list)
		}
		vars.values = values
	}
	costErr := known.costErr
	if !known.costFixed {
		_, costErr = cost(op, vars.values, g.limits)
	}
	if costErr != nil {
		return refuse(0, one(costErr))
	}
	return vars, nil
}

// forbidden gives the refusals of what a class may not ask for; nil when it may ask for all.
func (g *Generation) forbidden(found []restriction, class tutti.KeyClass) gqlerror.List {
	var list gqlerror.List
	for _, r := range found {
		if r.to&classBit(class) != 0 {
			continue
		}
		if len(list) == g.limits.Errors {
			break
		}
		e := r.refusal(class)
		list = append(list, &gqlerror.Error{Err: e, Message: e.Message, Locations: []gqlerror.Location{location(r.at)}})
	}
	return list
}

// operating puts what resolvers read of an operation into a context.
func (s *Server) operating(ctx context.Context, p parameters, d *document, op *ast.OperationDefinition, vars map[string]any) context.Context {
	return graphql.WithOperationContext(withOperation(ctx, d.operations[op]), &graphql.OperationContext{
		RawQuery: p.query, Variables: vars, OperationName: p.operationName, Doc: d.doc, Extensions: p.extensions, Operation: op,
		RecoverFunc:            s.recovered,
		ResolverMiddleware:     nullAsNull,
		RootResolverMiddleware: func(ctx context.Context, next graphql.RootResolver) graphql.Marshaler { return next(ctx) },
	})
}

func (s *Server) resolve(ctx context.Context, g *Generation, p parameters, d *document, op *ast.OperationDefinition, vars map[string]any, kept bool) outcome {
	var said *deliveries
	if kept {
		said = new(deliveries)
		ctx = context.WithValue(ctx, deliveriesKey{}, said)
	}
	ctx = s.operating(ctx, p, d, op, vars)
	if d.operations[op].mayBeNull {
		clean, n := withoutNulls(op, vars)
		if n.whole != nil {
			return outcome{data: []byte("null"), errors: one(n.whole)}
		}
		oc := graphql.GetOperationContext(ctx)
		oc.Operation, oc.ResolverMiddleware = clean, n.resolver
		op = clean
	}
	ctx = graphql.WithResponseContext(ctx, keep, s.recovered)
	resp := g.executable.Exec(ctx)(ctx)
	errs := graphql.GetErrors(ctx)
	if resp == nil {
		return requestError(http.StatusServiceUnavailable, one(&tutti.Error{Code: tutti.Unavailable, Message: "nothing was answered."}))
	}
	errs = append(errs, resp.Errors...)
	data := []byte(resp.Data)
	if len(data) == 0 {
		data = []byte("null")
	}
	out := outcome{data: data, errors: errs}
	if said != nil && len(errs) == 0 {
		out.delivery = said.of(rootFields(ctx, op))
	}
	return out
}

// rootFields counts the fields of an operation that somebody resolves.
func rootFields(ctx context.Context, op *ast.OperationDefinition) int {
	n := 0
	for _, f := range graphql.CollectFields(graphql.GetOperationContext(ctx), op.SelectionSet, []string{"Query"}) {
		if f.Name != "__typename" {
			n++
		}
	}
	return n
}
