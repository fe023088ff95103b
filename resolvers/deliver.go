package resolvers

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/engine"
	"github.com/tuttihq/tutti/graph"
)

// What is kept. An experience is the same for everybody with the same plan, so its answer is kept
// under the plan's signature, and each part of it under the part's own key: another plan that
// holds the part takes it over. What is for one visitor alone is kept as a part only, shortly, and
// what others share beside it inside one component as parts of their own; what has problems is not
// kept at all, nor is anything that editors see.

// deliver answers an experience: with a ready answer where there is one, else with as many ready
// parts as there are.
func (r *Resolvers) deliver(ctx context.Context, c *engine.Compiled, params tutti.Params, req *request) (*graph.Answer, error) {
	sel := graph.SelectionOf(ctx)
	if !r.keeps(ctx, sel, req) {
		x, err := r.assemble(ctx, c, params, req, sel)
		if err != nil {
			return nil, err
		}
		return graph.NewAnswer(ctx, x), nil
	}
	if err := c.CheckForced(req.Preview.Forced); err != nil {
		return nil, err
	}
	facts, problems := r.Engine.Learn(ctx, c, params, req.Context)
	deciding := c.Deciding(params, req.Context, facts)
	defer deciding.End()
	d := delivery{r: r, deciding: deciding, c: c, params: params, req: req, sel: sel, class: graph.ViewerFrom(ctx).Class, facts: facts, problems: problems, keys: keyPool.Get().(*keys)}
	defer d.end()
	if a := d.ready(ctx); a != nil {
		return a, nil
	}
	return d.assemble(ctx)
}

// keeps reports whether answers to this request may be kept, and kept ones given.
func (r *Resolvers) keeps(ctx context.Context, sel *graph.Selection, req *request) bool {
	return r.Kept != nil && !r.doubts() && sel.Keeps() && !graph.ViewerFrom(ctx).Editing() && !req.previewed && len(req.problems) == 0
}

// doubts reports whether nothing may be called fresh: this process may have missed what others
// were told.
func (r *Resolvers) doubts() bool { return r.Stale != nil && r.Stale() }

// wholeKey begins the keys of whole answers, by the part of the page that they are of.
var wholeKey = map[tutti.PagePart]byte{tutti.WholePage: 'a', tutti.SharedPart: 's', tutti.PersonalPart: 'v'}

// keys are what one delivery borrows: buffers for keys, and a map for its personal words.
type keys struct {
	signature, answer, part []byte
	parts                   []byte // keys of parts, one after the other
	ofParts                 []keyOfPart
	fills                   tutti.Fills
}

// keyOfPart says whose key ends where in the buffer for those of parts.
type keyOfPart struct {
	plan *tutti.ComponentPlan
	end  int
}

var keyPool = sync.Pool{New: func() any { return &keys{fills: tutti.Fills{}} }}

// delivery is the answering of one experience of which something may be ready.
type delivery struct {
	r        *Resolvers
	c        *engine.Compiled
	params   tutti.Params
	req      *request
	sel      *graph.Selection
	class    tutti.KeyClass
	facts    tutti.Facts
	problems []tutti.Problem // of learning
	deciding engine.Deciding
	keys     *keys
	signed   bool // keys.answer is the key of the whole answer
}

func (d *delivery) end() {
	clear(d.keys.fills)
	clear(d.keys.ofParts)
	keyPool.Put(d.keys)
}

// model is what a kept answer needs to be sent again.
type model struct {
	blanks    engine.Blanks // for personal words
	holes     []string      // the names of what goes into them
	freshness tutti.Freshness
	until     time.Time // as Basis.Until
	stale     bool      // as Basis.Stale
}

// ready sends a kept answer; nil when there is none.
func (d *delivery) ready(ctx context.Context) *graph.Answer {
	if len(d.problems) > 0 {
		return nil
	}
	s, ok := d.deciding.Sign(d.keys.signature[:0])
	d.keys.signature = s.Key
	if !ok {
		return nil
	}
	d.keys.answer = d.sel.Key(d.keys.answer[:0], wholeKey[d.req.part], d.class, s.Key)
	d.signed = true
	kept := d.r.Kept.Answer(d.keys.answer)
	if kept == nil {
		return nil
	}
	m := kept.Value.(*model)
	var fills tutti.Fills
	if len(m.holes) > 0 {
		fills = d.keys.fills
		d.c.FillsNamed(fills, m.holes, d.params, d.req.Context, d.facts)
	}
	a := kept.Ready.Answer(ctx, d.sel, d.whole(&experienceObject{until: s.Until, holds: d.holds(s.Until), blanks: m.blanks, fills: fills}))
	if a != nil && graph.WantsDelivery(ctx) {
		basis := tutti.Basis{Marks: kept.Marks(), Until: m.until, Stale: m.stale}
		d.r.say(ctx, said{c: d.c, facts: d.facts, freshness: m.freshness, basis: basis, until: s.Until, personal: naming(fills)})
	}
	return a
}

// assemble makes the answer, of ready parts where there are some, and keeps what may be kept.
func (d *delivery) assemble(ctx context.Context) (*graph.Answer, error) {
	r, need := d.r, needOf(d.sel)
	plan, why := d.deciding.Decide()
	engine.Only(&plan, d.req.part)
	moment := r.Kept.Moment()
	again := d.signed && r.Kept.Again(d.keys.answer) // what is asked for once is not kept
	kept, asked := d.takeOver(&plan, &need)
	keeps := again || asked
	var room *engine.Room
	if !keeps {
		room = engine.BorrowRoom()
	}
	x, err := r.Engine.AssembleIn(ctx, room, plan, need)
	if err == nil && x.Basis.Asked > engine.MaxAsked && len(kept) > 0 { // what is too much for one page must not depend on what is ready
		clear(kept)
		for _, of := range d.keys.ofParts {
			of.plan.Ready = nil
		}
		x, err = r.Engine.AssembleIn(ctx, room, plan, need)
	}
	if err != nil {
		return nil, err
	}
	fills := d.keys.fills
	clear(fills)
	d.c.FillsInto(fills, &plan, d.facts)
	problems := append(d.problems, x.Problems...)
	r.say(ctx, said{c: d.c, facts: d.facts, freshness: x.Freshness, basis: x.Basis, until: plan.Until, personal: private(x) || naming(fills), lacking: len(problems) > 0})
	o := &experienceObject{why: why, channel: plan.Channel, locale: plan.Locale, until: plan.Until, holds: d.holds(plan.Until), props: r.props}
	if len(problems) > 0 || !keeps {
		o.x = r.Engine.FillMade(x, fills)
		o.x.Problems = problems
		a := graph.NewAnswer(ctx, d.whole(o))
		if room != nil { // it is written: nobody looks at it, or at the plan, any more
			room.GiveBack()
			d.deciding.Forget()
		}
		return a, nil
	}
	marked := r.Engine.MarkAll(x)
	o.x, o.blanks, o.fills = marked.Experience, marked.Blanks(), fills
	a, ready := graph.NewReadyAnswer(ctx, d.sel, d.whole(o))
	d.keepParts(x.Made, kept, moment)
	if ready != nil && again && !private(x) {
		r.Kept.KeepAnswer(d.keys.answer, ready, kept, newModel(x, marked.Blanks(), fills), x.Basis, moment)
	}
	return a, nil
}

// takeOver puts the parts of a plan that are ready into it, and notes the keys of all. asked reports whether
// one that is not ready was asked for before.
func (d *delivery) takeOver(plan *tutti.Plan, need *engine.Need) (kept map[*tutti.Part]*graph.KeptPart, asked bool) {
	kept = map[*tutti.Part]*graph.KeptPart{}
	b := d.keys
	b.parts, b.ofParts = b.parts[:0], b.ofParts[:0]
	if !d.r.Engine.Divisible(plan.Channel, need) {
		return kept, false
	}
	b.part = engine.EachPart(b.part, plan, !d.sel.Hashes(), func(of []byte, cp *tutti.ComponentPlan) {
		from := len(b.parts)
		b.parts = d.sel.Key(b.parts, 'p', d.class, of)
		b.ofParts = append(b.ofParts, keyOfPart{cp, len(b.parts)})
		if k, p := d.r.Kept.Part(b.parts[from:]); p != nil {
			kept[p], cp.Ready = k, p
		} else if d.r.Kept.Again(b.parts[from:]) {
			asked = true
		}
	})
	return kept, asked
}

// keepParts keeps those of the parts that were made now of which takeOver noted the keys.
func (d *delivery) keepParts(made []*tutti.Part, kept map[*tutti.Part]*graph.KeptPart, moment uint64) {
	keys := make(map[*tutti.ComponentPlan][]byte, len(d.keys.ofParts))
	from := 0
	for _, of := range d.keys.ofParts {
		keys[of.plan] = d.keys.parts[from:of.end]
		from = of.end
	}
	for _, p := range made {
		if key, ok := keys[p.Of]; ok {
			if k := d.r.Kept.KeepPart(key, p, moment); k != nil {
				kept[p] = k
			}
		}
	}
}

// whole is an experience as the operation asks for it.
func (d *delivery) whole(o *experienceObject) graph.Whole { return d.r.whole(o, d.sel, d.req) }

// holds tells until when and where the decisions hold; nil where nobody asks.
func (d *delivery) holds(until time.Time) *tutti.Holds {
	return holds(needOf(d.sel), d.c, until, d.params, d.req.Context, d.facts)
}

func private(x *tutti.Experience) bool {
	for _, p := range x.Parts {
		if p.Private {
			return true
		}
	}
	return false
}

func newModel(x *tutti.Experience, blanks engine.Blanks, fills tutti.Fills) *model {
	m := &model{blanks: blanks, holes: blanks.Names(), freshness: x.Freshness, until: x.Basis.Until, stale: x.Basis.Stale}
	if names := slices.Sorted(maps.Keys(fills)); !slices.Equal(names, m.holes) { // mostly they are all that there are
		m.holes = names
	}
	return m
}

// Varies reports whether a field can be different for another request with the same plan.
func (o *experienceObject) Varies(field string) bool {
	return field == "validUntil" || field == "holds"
}

// Word gives the personal words for a token.
func (o *experienceObject) Word(token int) string { return o.blanks.Word(token, o.fills) }
