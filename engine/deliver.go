package engine

import (
	"context"
	"strconv"

	"github.com/tuttihq/tutti"
)

// View says how resources are looked at outside of an experience.
type View struct {
	Scope   tutti.Scope
	Chain   []string // the locales to try; none = the scope's
	Channel string   // pictures are fitted to it; "" = left as they are
	Owner   tutti.Owner

	composition string
	version     int
}

func (v View) plan() *tutti.Plan {
	return &tutti.Plan{Composition: v.composition, Version: v.version, Channel: v.Channel, Locale: v.Scope.Locale, Chain: v.Chain, Scope: v.Scope}
}

// Resources gives the items of refs in the order asked, nil for one that is not there or not for
// the view's owner, and tells why in problems (their paths are [0], [1], …). It does not ask
// whether a kind is exposed: the caller does. Safe for concurrent use.
func (e *Engine) Resources(ctx context.Context, refs []tutti.Ref, v View, need ResourceNeed) ([]*tutti.Delivered, []tutti.Problem, error) {
	a, err := e.assembling.assembly(v.plan(), &Need{})
	if err != nil {
		return nil, nil, err
	}
	defer a.end()
	cp := &tutti.ComponentPlan{Private: true, Owner: v.Owner}
	out := make([]*tutti.Delivered, len(refs))
	var s *shaper
	a.g.run(ctx, func() {
		s = a.shaper(cp, nil, "")
		for i, ref := range refs {
			at := "[" + strconv.Itoa(i) + "]"
			switch o := s.follow(ref, 1, true); o.state {
			case have:
				out[i] = s.delivered(o.v.(*entry), need, at)
			case failed:
				s.lack(at, o, false)
			}
		}
	})
	return out, s.problems, ctx.Err()
}

// searched stands in cursors for the component that a search has not.
const searched = "search/"

// Search gives one page of what a selection finds: sel.First items, 20 for 0, 100 at most. Its
// After is the cursor of the page before, "" for the first. Items of kinds with access visitor
// come only to the view's owner. It does not ask whether a kind is exposed. A cursor that is none
// is a *tutti.Error with code InvalidValue. Safe for concurrent use.
func (e *Engine) Search(ctx context.Context, sel tutti.Selection, v View, need ResourceNeed) (*tutti.List, error) {
	first := sel.First
	if first == 0 {
		first = 20
	}
	if first < 1 || first > 100 {
		return nil, &tutti.Error{Code: tutti.InvalidValue, Field: "first", Message: "first must be 1 to 100.", Hint: "Ask for the next page with after."}
	}
	if _, known := e.assembling.sources.Kind(sel.Source, sel.Kind); !known {
		return nil, &tutti.Error{Code: tutti.UnknownSource, Message: "no source " + sel.Source + " with a kind " + sel.Kind + " is configured."}
	}
	cp := &tutti.ComponentPlan{Component: searched, Private: true, Owner: v.Owner}
	if after := sel.After; after != "" {
		p, err := e.assembling.cursors.read(after)
		if err != nil {
			return nil, err
		}
		same := func(s tutti.Selection) string {
			s.After, s.Owner = "", ""
			return selectionKey(s)
		}
		if p.Component != cp.Component || p.Selection == nil || same(*p.Selection) != same(sel) || string(p.Owner) != string(e.assembling.cursors.owner(v.Owner, sel.Source)) {
			return nil, &tutti.Error{Code: tutti.InvalidValue, Field: "after", Message: "this is no cursor of this search.", Hint: "Send the endCursor of the page before, unchanged."}
		}
		sel.After = p.Selection.After
		return e.assembling.list(ctx, v, cp, tutti.Value{Kind: tutti.SelectValue, Select: &sel}, "", first, p.Skip, nil, need)
	}
	return e.assembling.list(ctx, v, cp, tutti.Value{Kind: tutti.SelectValue, Select: &sel}, "", first, 0, nil, need)
}
