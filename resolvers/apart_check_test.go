package resolvers_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/tuttihq/tutti"
)

// answered is what an answer says.
type answered struct {
	Data struct {
		Experience *struct {
			Version         int
			Locale, Channel string
			Problems        []answeredProblem
			Components      []answeredComponent
			Slots           []answeredSlot
		}
	}
	Errors []struct{ Extensions struct{ Code tutti.Code } }
}

type answeredSlot struct {
	Hash       string
	Unchanged  bool
	Components []answeredComponent
}

type answeredProblem struct{ Stale bool } // something stood in

type answeredComponent struct {
	Component string
	Personal  bool
	Freshness struct{ State string }
	Title     string
	Actions   []struct{ Href string }
}

// refusedWith is the code of an answer that says nothing else; "" for others.
func (got *answered) refusedWith() tutti.Code {
	if got.Data.Experience != nil || len(got.Errors) == 0 {
		return ""
	}
	return got.Errors[0].Extensions.Code
}

// expected is who asked for what, and when.
type expected struct {
	p             persona
	page, replica int
	refused       bool // what was asked is not for this key
	motto         bool // a prop was asked for that only some generations have
	hashed        bool // what anybody had before was told
	preview       bool
	draft         bool // what is not published yet was asked for
	before, after moment
}

// What is wrong with an answer that tells of an origin that fails no more: something is missing,
// or older than it need be.
const (
	outdated = "a problem that is no more"
	standIn  = "a copy stands in for what could be had"
)

// well reports whether the origin was, and has been for long enough, all the time.
func (ex *expected) well() bool {
	b, a := &ex.before, &ex.after
	return b.broken%2 == 0 && b.broken == a.broken && b.healthy == b.broken && b.failed == a.failed
}

// check holds an answer against what may be in it; "" when that is so.
func (a *apart) check(ex *expected, got *answered) string {
	if ex.refused {
		a.seen.Store("refused", true)
		if got.refusedWith() != tutti.Forbidden {
			return "not refused"
		}
		return ""
	}
	if ex.motto {
		if told, problem := a.motto(ex, got); !told {
			return problem
		}
	}
	x := got.Data.Experience
	if len(got.Errors) > 0 || x == nil {
		return "errors"
	}
	if ex.preview {
		a.seen.Store("preview", true)
	}
	if x.Locale != ex.p.locale || x.Channel != ex.p.channel {
		return "another's language or channel"
	}
	oldest, newest := ex.before.loaded, ex.after.published
	if ex.draft && hasDraft(ex.page) {
		oldest, newest = 0, 0 // a draft is no version yet
	}
	if v := int64(x.Version); v < oldest || v > newest {
		return fmt.Sprintf("version %d, of %d to %d", v, oldest, newest)
	}
	list := x.Components
	for _, s := range x.Slots {
		if ex.hashed {
			if problem := a.hashed[ex.page].take(&s); problem != "" {
				return problem
			}
			if s.Unchanged {
				a.seen.Store("unchanged", true)
			}
		}
		list = append(list, s.Components...)
	}
	found := map[string]bool{}
	for i := range list {
		id, _, _ := strings.Cut(list[i].Component, "#")
		if found[id] {
			return "twice: " + id
		}
		found[id] = true
		if problem := a.component(ex, id, &list[i], x.Version); problem != "" {
			return problem
		}
	}
	if len(x.Problems) > 0 {
		if ex.well() {
			if slices.ContainsFunc(x.Problems, func(p answeredProblem) bool { return !p.Stale }) {
				return outdated
			}
			return standIn
		}
		a.seen.Store(map[bool]string{true: "missing", false: "stumbled"}[ex.before.failed == ex.after.failed], true)
	}
	for id, must := range map[string]bool{
		"mark": true, "place": true, "item": ex.well(), "hello": ex.page%2 == 1, "note": ex.well() && ex.page%4 == 3 && ex.p.card != "",
	} {
		if must && !found[id] {
			return "without " + id
		}
	}
	return ""
}

// motto reports whether the prop was answered, and what is wrong when it was not, or should not
// have been.
func (a *apart) motto(ex *expected, got *answered) (told bool, problem string) {
	may, need := false, true
	for g := ex.before.reloaded; g <= ex.after.generation; g++ {
		may, need = may || hasMotto(g), need && hasMotto(g)
	}
	switch refused := got.refusedWith() == tutti.BadRequest; {
	case refused && need:
		return false, "a prop of this generation is refused"
	case refused:
		return false, ""
	case !may:
		return false, "a prop of another generation"
	}
	a.seen.Store("motto", true)
	return true, ""
}

// component holds a component against what may be in it, in a version of the page.
func (a *apart) component(ex *expected, id string, c *answeredComponent, version int) string {
	p, want := &ex.p, ""
	switch id {
	case "mark":
		who := "all"
		if p.tier != "" {
			who = p.tier
		}
		a.seen.Store(who, true)
		state := fmt.Sprintf("V%d", version)
		if version == 0 {
			state = ex.draftIn(c.Title)
			a.seen.Store("draft", true)
		}
		want = fmt.Sprintf("P%d %s %s %s", ex.page, state, who, p.locale)
		if problem := ex.leads(c); problem != "" {
			return problem
		}
	case "item":
		return a.item(ex, c)
	case "place":
		if want = "[" + p.city + "][" + p.area + "]"; p.city == "" {
			want = "nowhere"
		}
	case "hello":
		want = "Hello"
		if p.card != "" && c.Title != want {
			a.seen.Store("hello", true)
			want = "Hello Name of " + p.card
		} else if p.card != "" && ex.well() {
			return outdated
		}
	case "note":
		if p.card == "" {
			return "a note without consent"
		}
		a.seen.Store("note", true)
		want = "note of " + p.card
	default:
		return "unknown: " + id
	}
	if c.Title != want {
		return fmt.Sprintf("%s says %q, not %q", id, c.Title, want)
	}
	return ""
}

// draftIn gives the revision of the draft that a title is of, when it is one of this time.
func (ex *expected) draftIn(title string) string {
	var page int
	var revision int64
	if _, err := fmt.Sscanf(title, "P%d D%d", &page, &revision); err != nil || revision < ex.before.drafted || revision > ex.after.drafted {
		return fmt.Sprintf("D%d", ex.after.drafted)
	}
	return fmt.Sprintf("D%d", revision)
}

// leads holds the action of a component against where it may lead.
func (ex *expected) leads(c *answeredComponent) string {
	if len(c.Actions) != 1 {
		return "without its action"
	}
	var g int64 = 1
	if _, err := fmt.Sscanf(c.Actions[0].Href, "https://g%d.example/go", &g); err != nil && c.Actions[0].Href != "https://one.example/go" {
		return "leads to " + c.Actions[0].Href
	}
	if g < ex.before.reloaded || g > ex.after.generation {
		return fmt.Sprintf("of generation %d, not %d to %d", g, ex.before.reloaded, ex.after.generation)
	}
	return ""
}

// item holds the item of a page against what it may say: nothing older than what was forgotten,
// unless it is told.
func (a *apart) item(ex *expected, c *answeredComponent) string {
	_, revision, _ := strings.Cut(c.Title, " r")
	rev, err := strconv.ParseInt(revision, 10, 64)
	if err != nil || c.Title != itemTitle(ex.page, ex.p.locale, ex.p.market, ex.draft, rev) {
		return "another's item: " + c.Title
	}
	if ex.draft {
		a.seen.Store("unpublished", true)
	}
	if c.Freshness.State != "FRESH" {
		a.seen.Store("stale", true)
	}
	switch {
	case rev > ex.after.revised:
		return "a revision to come: " + c.Title
	case rev < ex.before.purged:
		return "a purged revision: " + c.Title
	case rev < ex.before.forgotten && c.Freshness.State == "FRESH":
		return "a forgotten revision as fresh: " + c.Title
	}
	return ""
}
