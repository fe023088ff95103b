package sources

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/internal/config"
)

// hold is what keeps items of a kind back although their origin has them: moderation, and the rights
// that their records tell. It is looked at each time that an item is asked for, for it depends on
// the moment, the market and on what was judged meanwhile.
type hold struct {
	moderation tutti.Moderation
	words      *wordList // of moderation auto
	rights     *RightsSpec
}

// RightsSpec names the mapped fields that say when and where an item may be shown. Delivery obeys them.
type RightsSpec struct {
	From    string `yaml:"from"`    // A time field: not before it (an embargo).
	Until   string `yaml:"until"`   // A time field: not from it on (the licence's end).
	Markets string `yaml:"markets"` // A strings field: only in these markets; empty = everywhere.
	Credit  string `yaml:"credit"`  // A string field that must not be empty.
}

func withheldFor(why string) error { return &tutti.Error{Code: tutti.Withheld, Message: why} }

// Why an item is kept back. Each is public.
var (
	errPending  = withheldFor("The item waits for its approval.")
	errRejected = withheldFor("The item was not approved.")
	errEmbargo  = withheldFor("The item may not be shown yet.")
	errExpired  = withheldFor("The right to show the item has ended.")
	errMarket   = withheldFor("The item may not be shown in this market.")
	errCredit   = withheldFor("The item may be shown only with a credit, and has none.")
	errRights   = withheldFor("What the origin says of the right to show the item cannot be read.")
)

// newHold gives what keeps items of a kind back, by its manifest and the config; nil when nothing
// does. It adds what is wrong in the config to problems.
func newHold(def Definition, kc config.KindConfig, at string, place func(path, what, hint string) error, problems []error) (*hold, []error) {
	h := &hold{moderation: kc.Moderation, rights: def.Rights}
	switch kc.Moderation {
	case tutti.NoModeration, tutti.Approve, tutti.Auto:
	default:
		problems = append(problems, place(at+".moderation", "is unknown", "Write  moderation: approve  (or auto)."))
	}
	if len(kc.Blocked) > 0 && kc.Moderation != tutti.Auto {
		problems = append(problems, place(at+".blocked", "counts for moderation auto alone", "Write  moderation: auto  or remove it."))
	}
	words, bad := newWordList(kc.Blocked)
	if words == nil {
		problems = append(problems, place(at+".blocked", "holds “"+bad+"”, in which there is no word", "Write words or phrases."))
	}
	h.words = words
	if h.moderation == tutti.NoModeration && h.rights == nil {
		return nil, problems
	}
	return h, problems
}

// rights checks the names of a kind's rights against its mapped fields.
func (c *compiler) rights(at string, spec *RightsSpec, d *Definition) {
	if spec == nil {
		return
	}
	d.Rights = spec
	for _, r := range []struct {
		key, name string
		kind      tutti.FieldType
	}{{"from", spec.From, tutti.FieldTime}, {"until", spec.Until, tutti.FieldTime}, {"markets", spec.Markets, tutti.FieldStrings}, {"credit", spec.Credit, tutti.FieldString}} {
		if r.name != "" && d.Fields[r.name] != r.kind {
			c.wrong(at+".rights."+r.key, "is no mapped field of type "+string(r.kind), "Map it, for example:  "+r.name+": {value: record."+r.name+", as: "+string(r.kind)+"}")
		}
	}
	if spec.Markets != "" && !slices.Contains(d.Dimensions, tutti.MarketDimension) {
		c.wrong(at+".rights.markets", "needs the dimension market", "Write  dimensions: [market]")
	}
	if *spec == (RightsSpec{}) {
		c.wrong(at+".rights", "is empty", "Write, for example:  rights: {until: licenceEnd}")
	}
}

// of says whether an item is kept back now, and when that may change by time alone; zero = never.
func (h *hold) of(r *tutti.Resource, market string, v verdicts, now time.Time) (next time.Time, why error) {
	if h.rights != nil {
		if next, why = h.rights.of(r, market, now); why != nil {
			return next, why
		}
	}
	switch h.state(r, v) {
	case tutti.StatePending, tutti.StateBlocked:
		return next, errPending
	case tutti.StateRejected:
		return next, errRejected
	}
	return next, nil
}

func (g *RightsSpec) of(r *tutti.Resource, market string, now time.Time) (next time.Time, why error) {
	for _, u := range r.Fields.Unread() { // it says something, and nobody knows what
		if u.Field == g.From || u.Field == g.Until || u.Field == g.Markets {
			return next, errRights
		}
	}
	if until, ok := r.Fields.Get(g.Until).(time.Time); ok {
		if !now.Before(until) {
			return next, errExpired
		}
		next = until
	}
	if from, ok := r.Fields.Get(g.From).(time.Time); ok && now.Before(from) {
		return from, errEmbargo
	}
	if markets, ok := r.Fields.Get(g.Markets).([]string); ok && len(markets) > 0 &&
		!slices.ContainsFunc(markets, func(m string) bool { return strings.EqualFold(m, market) }) {
		return next, errMarket
	}
	if credit, _ := r.Fields.Get(g.Credit).(string); g.Credit != "" && strings.TrimSpace(credit) == "" {
		return next, errCredit
	}
	return next, nil
}

// state says how an item stands to its kind's moderation.
func (h *hold) state(r *tutti.Resource, v verdicts) tutti.ModerationState {
	if h.moderation == tutti.NoModeration {
		return tutti.StatePassed
	}
	if judged, ok := v[r.Ref]; ok {
		changed, _ := r.Fields.Get("updatedAt").(time.Time)
		switch {
		case judged.Judgement == tutti.Rejected:
			return tutti.StateRejected
		case !changed.After(judged.Seen) && r.Fields.UnreadField("updatedAt") == nil:
			return tutti.StateApproved
		}
	}
	switch {
	case h.moderation == tutti.Approve:
		return tutti.StatePending
	case h.words.in(r):
		return tutti.StateBlocked
	}
	return tutti.StatePassed
}

// verdicts are those in force, by ref. A map is never changed once others can see it.
type verdicts map[tutti.Ref]*tutti.Verdict

// Judge makes these the verdicts that count, for every call that begins after it returns. What was
// made of an item that is approved now is old, with the lists of its kind; of one that is no longer, it is purged.
func (s *Sources) Judge(list []tutti.Verdict) {
	s.suppressing.Lock()
	defer s.suppressing.Unlock()
	next := make(verdicts, len(list))
	for i := range list {
		if ref, err := s.Canonical(list[i].Ref); err == nil && s.moderated(ref) {
			next[ref] = &list[i]
		}
	}
	before := s.doubts.judged()
	s.doubts.verdicts.Store(&next)
	var old, gone []string
	for ref, v := range next {
		if was := before[ref]; was != nil && was.Judgement == v.Judgement && was.Seen.Equal(v.Seen) {
			continue
		}
		if v.Judgement == tutti.Approved {
			old = append(old, ref.Tag())
		} else {
			gone = append(gone, ref.Tag())
		}
	}
	for ref := range before {
		if next[ref] == nil {
			gone = append(gone, ref.Tag())
		}
	}
	if before == nil {
		return // nothing was told before, so nothing follows from what was
	}
	s.cache.Forget(s.tagsOf(old...)...)
	s.cache.Purge(s.tagsOf(gone...)...)
}

func (s *Sources) moderated(ref tutti.Ref) bool {
	_, k, err := s.find(ref.Source, ref.Kind)
	return err == nil && k.hold != nil && k.hold.moderation != tutti.NoModeration
}

// Moderation is Select as a moderator sees it: with the items that moderation or rights keep back,
// and how each stands. The items of a kind that is not moderated have all passed.
func (s *Sources) Moderation(ctx context.Context, sel tutti.Selection, scope tutti.Scope) (tutti.ModerationPage, error) {
	src, k, err := s.find(sel.Source, sel.Kind)
	if err != nil {
		return tutti.ModerationPage{}, err
	}
	landed := make(chan struct{})
	w := src.beginPage(ctx, k, sel, scope, func() { close(landed) })
	page, err := w.told(wait(ctx, landed))
	if err != nil {
		return tutti.ModerationPage{}, err
	}
	out, judged := tutti.ModerationPage{Next: page.Next}, s.doubts.judged()
	s.doubts.suppress(page.Items)
	for _, g := range page.Items {
		if g.Resource == nil {
			continue
		}
		m := tutti.Moderated{Resource: g.Resource, State: tutti.StatePassed, Verdict: judged[g.Resource.Ref]}
		if k.hold != nil {
			m.State = k.hold.state(g.Resource, judged)
		}
		out.Items = append(out.Items, m)
	}
	return out, nil
}
