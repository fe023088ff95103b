package graph

import (
	"context"
	"errors"
	"iter"
	"net/http"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/tuttihq/tutti"
)

const (
	maxContexts = 10_000
	plansBytes  = 16 << 20         // of a request that asks for plans
	uploadTime  = 2 * time.Minute  // for sending it
	plansTime   = 15 * time.Minute // for one request, slow readers included
	plansAtOnce = 2                // requests; others wait: visitors need the processors too
)

// Planner decides for many and delivers once for each plan.
type Planner interface {
	// Plans tells what comes of it by emit, one PlansEvent after the other, never two at once, and
	// stops with the first error of emit. What it returns is an error of the whole: a wrong
	// composition, param or channel comes before any event. A context that is not right is an event.
	Plans(ctx context.Context, ask PlansAsk, emit func(Object) error) error
}

// PlansAsk is what plans are asked for.
type PlansAsk struct {
	Composition string
	Params      any // as JSON has it; nil for none
	Channel     string
	Locale      *string  // of those who do not say another
	Supports    []string // what the app of all of them can draw; nil for everything
	Total       int      // how many members come
	Members     iter.Seq[PlanAsker]
}

// PlanAsker is one of the many.
type PlanAsker struct {
	Index   int
	ID      string // as the client calls it; "" for nothing
	Locale  *string
	Context *ContextInput
	Err     error // what is wrong with it; then Context is nil
}

func askerOf(index int, in *MemberContextInput) PlanAsker {
	a := PlanAsker{Index: index, Locale: in.Locale, Context: &ContextInput{
		Visitor: in.Visitor, Location: in.Location, Market: in.Market, Currency: in.Currency, Attributes: in.Attributes, Consent: in.Consent,
	}}
	if in.ID != nil {
		a.ID = *in.ID
	}
	return a
}

// tooMany refuses more contexts than one request may have.
func tooMany(n int) *tutti.Error {
	if n <= maxContexts {
		return nil
	}
	return &tutti.Error{Code: tutti.TooLarge, Field: "contexts", Message: "more contexts than one request may have: " + number(n) + ".", Hint: "Send " + number(maxContexts) + " at most, and the others in requests of their own."}
}

// plansAsk reads the arguments of a validated subscription's field.
func plansAsk(ctx context.Context, field *ast.Field, vars map[string]any) (PlansAsk, error) {
	args := field.ArgumentMap(vars)
	ask := PlansAsk{Params: args["params"], Supports: texts(args["supports"])}
	ask.Composition, _ = args["composition"].(string)
	ask.Channel, _ = args["channel"].(string)
	if locale, ok := args["locale"].(string); ok {
		ask.Locale = &locale
	}
	list, err := (&executionContext{}).unmarshalNMemberContextInput2ᚕᚖgithubᚗcomᚋtuttihqᚋtuttiᚋgraphᚐMemberContextInputᚄ(ctx, args["contexts"])
	if err != nil {
		return ask, err
	}
	if bad := tooMany(len(list)); bad != nil {
		return ask, bad
	}
	ask.Total = len(list)
	ask.Members = func(yield func(PlanAsker) bool) {
		for i, in := range list {
			if !yield(askerOf(i, in)) {
				return
			}
		}
	}
	return ask, nil
}

// event is one PlansEvent, written with the selection of its field.
type event struct {
	kind   string // its type's name
	data   []byte // nil when a null in it reached the top
	errors gqlerror.List
}

// plans answers the field of a subscription. It waits while as many as allowed are under way. The
// context is that of an operation.
func (s *Server) plans(ctx context.Context, g *Generation, ask PlansAsk, field *ast.Field, emit func(event) error) error {
	if g.planner == nil {
		return &tutti.Error{Code: tutti.Unavailable, Message: "plans are not made here."}
	}
	select {
	case s.planning <- struct{}{}:
		defer func() { <-s.planning }()
	case <-ctx.Done():
		return tutti.Errorf(tutti.Timeout, "waiting for other plans: %w", ctx.Err())
	}
	ctx = graphql.WithFieldContext(ctx, &graphql.FieldContext{Object: "Subscription", Field: graphql.CollectedField{Field: field, Selections: field.SelectionSet}})
	return g.planner.Plans(ctx, ask, func(obj Object) error {
		ctx := graphql.WithResponseContext(ctx, keep, s.recovered)
		e := event{kind: obj.TypeName()}
		if a := NewAnswer(ctx, obj); a != nil {
			e.data = a.data
		}
		e.errors = s.presentAll(ctx, graphql.GetErrors(ctx))
		return emit(e)
	})
}

// PublicErrors takes an error apart into what a client may be told of it, as answers tell it.
func PublicErrors(err error) []tutti.Error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var list []tutti.Error
		for _, e := range joined.Unwrap() {
			list = append(list, PublicErrors(e)...)
		}
		return list
	}
	code := codeOf(err)
	var own *tutti.Error
	if errors.As(err, &own) && own.Code == code && code != tutti.Internal {
		return []tutti.Error{{Code: code, Field: own.Field, Message: sentence(own.Message), Hint: own.Hint}}
	}
	return []tutti.Error{{Code: code, Message: public[code]}}
}

// bodyLimit is how long a request's body may be. What asks for plans brings its contexts along,
// and gets the time to do so.
func (g *Generation) bodyLimit(w http.ResponseWriter, v Viewer, plans bool) int64 {
	if !plans || v.Class != tutti.ServerKey {
		return g.limits.BodyBytes
	}
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(uploadTime)) // where the connection knows none, it has none
	return max(plansBytes, g.limits.BodyBytes)
}
