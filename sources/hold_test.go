package sources

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/internal/config"
)

// held are the ids that Get gives of a, b and c; the others must be missing with code Withheld.
func held(t *testing.T, h *testHouse, s tutti.Scope) (given []string, got []tutti.Got) {
	t.Helper()
	given = []string{}
	got = h.Get(t.Context(), refs("a", "b", "c"), s)
	for i, g := range got {
		if g.Resource != nil {
			given = append(given, g.Resource.Ref.ID)
		} else if !errors.Is(g.Err, tutti.Withheld) || g.Freshness.State != tutti.Missing {
			t.Errorf("item %d is %v, %s", i, g.Err, g.Freshness.State)
		}
	}
	return given, got
}

func alike(t *testing.T, what string, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

const rightsManifest = `
name: acme
kinds:
  item:
    type: Asset
    dimensions: [market]
    batch: {path: /batch, query: {ids: {value: "${ids}", encode: csv}}, records: items, maxIds: 40}
    select: [{path: /list, records: items, total: total}]
    rights: {from: embargo, until: expiresAt, markets: markets, credit: credit}
    map:
      title: record.name
      credit: record.credit
      expiresAt: record.end
      embargo: {value: record.from, as: time}
      markets: {value: record.markets, as: strings}
`

func TestRightsAreObeyed(t *testing.T) {
	clock := newClock()
	soon := clock.t.Add(time.Hour).UTC().Format(time.RFC3339)
	h := play(t, rightsManifest, public, func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write([]byte(`{"total": 3, "items": [
			{"id": "a", "name": "A", "credit": "Somebody", "end": "` + soon + `"},
			{"id": "b", "name": "B", "credit": "Somebody", "from": "` + soon + `", "markets": ["de", "AT"]},
			{"id": "c", "name": "C", "credit": " "}]}`))
	}, func(c *config.Source, d *Deps) {
		d.Now = clock.now
		c.Freshness = config.Freshness{Fresh: 24 * time.Hour, StaleIfError: 24 * time.Hour}
	})
	given, got := held(t, h, tutti.Scope{Market: "DE"})
	alike(t, "at first", given, []string{"a"})
	if end := clock.t.Add(time.Hour).Truncate(time.Second); !got[0].Until.Equal(end) || !got[1].Until.Equal(end) {
		t.Errorf("they count until %v and %v, not until %v", got[0].Until, got[1].Until, end)
	}
	page, err := h.Select(t.Context(), tutti.Selection{Source: "shop", Kind: "item"}, tutti.Scope{Market: "DE"})
	if err != nil || !page.Until.Equal(got[0].Until) || len(page.Items) != 1 || *page.Total != 1 {
		t.Errorf("the list is %+v, %v", page, err)
	}
	calls := h.calls()
	clock.t = clock.t.Add(time.Hour)
	given, _ = held(t, h, tutti.Scope{Market: "DE"})
	alike(t, "an hour later", given, []string{"b"})
	alike(t, "an hour later, the list", listedIn(t, h, tutti.Scope{Market: "DE"}), []string{"b"})
	if h.calls() != calls {
		t.Error("the origin is asked again for what the clock decides")
	}
	given, _ = held(t, h, tutti.Scope{Market: "FR"})
	alike(t, "in another market", given, []string{})
	given, _ = held(t, h, tutti.Scope{})
	alike(t, "in no market", given, []string{})
}

// TestWhatCannotBeReadIsNoRight: an item is kept back when its origin writes a right of it as nobody expects, and an
// approval does not outlive a change whose time nobody can read.
func TestWhatCannotBeReadIsNoRight(t *testing.T) {
	rows := `{"items": [
		{"id": "a", "name": "A", "credit": "Somebody", "end": "31/12/2020"},
		{"id": "b", "name": "B", "credit": "Somebody", "markets": {"allowed": "de"}},
		{"id": "c", "name": "C", "credit": "Somebody", "from": {"date": "2999-01-01"}}]}`
	manifest := strings.Replace(rightsManifest, "expiresAt: record.end", "expiresAt: {value: record.end, as: time}", 1)
	h := play(t, manifest, public, func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write([]byte(rows)) })
	given, _ := held(t, h, tutti.Scope{Market: "FR"})
	alike(t, "with rights of another form", given, []string{})

	m, changed, clock := moderating(t, tutti.Approve)
	m.Judge(judgeOf(clock, tutti.Approved, "a", "b"))
	clock.t = clock.t.Add(time.Minute)
	changed["a"] = `, "changed": {"at": "` + clock.t.UTC().Format(time.RFC3339) + `"}`
	m.Forget("shop:item")
	given, _ = held(t, m, tutti.Scope{})
	alike(t, "with a time of change of another form", given, []string{"b"})
}

func listedIn(t *testing.T, h *testHouse, s tutti.Scope) []string {
	t.Helper()
	p, err := h.Select(t.Context(), tutti.Selection{Source: "shop", Kind: "item"}, s)
	if err != nil {
		t.Fatal(err)
	}
	ids := []string{}
	for _, g := range p.Items {
		ids = append(ids, g.Resource.Ref.ID)
	}
	return ids
}

// moderating opens the house with a kind that is moderated, of items with a text and a time of change.
func moderating(t *testing.T, m tutti.Moderation, blocked ...string) (*testHouse, map[string]string, *clock) {
	t.Helper()
	clock := newClock()
	texts := map[string]string{"a": "Good day", "b": "The CASINO\u200b-night", "c": "Casinos"}
	changed := map[string]string{}
	manifest := strings.Replace(itemManifest, "    map:\n", "    map:\n      updatedAt: record.changed\n", 1)
	h := play(t, manifest, public, func(w http.ResponseWriter, r *http.Request) {
		var rows []string
		for _, id := range []string{"a", "b", "c"} {
			rows = append(rows, `{"id": "`+id+`", "name": "`+texts[id]+`"`+changed[id]+`}`)
		}
		_, _ = w.Write([]byte(`{"total": 3, "items": [` + strings.Join(rows, ",") + `]}`))
	}, func(c *config.Source, d *Deps) {
		d.Now = clock.now
		k := c.Kinds["item"]
		k.Moderation, k.Blocked = m, blocked
		c.Kinds = map[string]config.KindConfig{"item": k}
	})
	return h, changed, clock
}

func judgeOf(clock *clock, j tutti.Judgement, ids ...string) []tutti.Verdict {
	var list []tutti.Verdict
	for _, r := range refs(ids...) {
		list = append(list, tutti.Verdict{Ref: r, Judgement: j, Seen: clock.t})
	}
	return list
}

func TestNothingIsGivenThatNobodyApproved(t *testing.T) {
	h, changed, clock := moderating(t, tutti.Approve)
	wants := func(what string, want ...string) {
		t.Helper()
		given, _ := held(t, h, tutti.Scope{})
		alike(t, what, given, append([]string{}, want...))
		alike(t, what+", listed", listed(t, h), append([]string{}, want...))
	}
	wants("before anybody said what counts")
	h.Judge(nil)
	wants("at first")
	h.Judge(append(judgeOf(clock, tutti.Approved, "a", "b"), judgeOf(clock, tutti.Rejected, "c")...))
	wants("two are approved", "a", "b")
	clock.t = clock.t.Add(time.Minute)
	changed["a"] = `, "changed": "` + clock.t.UTC().Format(time.RFC3339) + `"`
	h.Forget("shop:item")
	wants("one changed after it was seen", "b")
	h.Judge(judgeOf(clock, tutti.Approved, "a"))
	wants("it is approved again, the other taken back", "a")
	h.Suppress(suppress("a"))
	if g := h.Get(t.Context(), refs("a"), tutti.Scope{})[0]; !errors.Is(g.Err, tutti.Suppressed) {
		t.Errorf("what is approved and suppressed comes as %v", g.Err)
	}
}

func TestBlockedWordsKeepItemsBack(t *testing.T) {
	h, _, clock := moderating(t, tutti.Auto, "casino", "free money")
	wants := func(what string, want ...string) {
		t.Helper()
		given, _ := held(t, h, tutti.Scope{})
		alike(t, what, given, want)
		alike(t, what+", listed", listed(t, h), want)
	}
	wants("at first", "a", "c") // whole words alone
	h.Judge(append(judgeOf(clock, tutti.Approved, "b"), judgeOf(clock, tutti.Rejected, "c")...))
	wants("one is approved all the same, one rejected", "a", "b")
	states := map[string]tutti.ModerationState{}
	h.Judge(judgeOf(clock, tutti.Rejected, "c"))
	page, err := h.Moderation(t.Context(), tutti.Selection{Source: "shop", Kind: "item"}, tutti.Scope{})
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range page.Items {
		states[m.Resource.Ref.ID] = m.State
		if (m.Verdict != nil) != (m.State == tutti.StateRejected) {
			t.Errorf("%s has the verdict %v", m.Resource.Ref, m.Verdict)
		}
	}
	if states["a"] != tutti.StatePassed || states["b"] != tutti.StateBlocked || states["c"] != tutti.StateRejected {
		t.Errorf("a moderator sees %v", states)
	}
	if _, err := h.Moderation(t.Context(), tutti.Selection{Source: "shop", Kind: "thing"}, tutti.Scope{}); !errors.Is(err, tutti.UnknownSource) {
		t.Errorf("an unknown kind: %v", err)
	}
}

func TestWordsAreFoundHoweverTheyAreSpelled(t *testing.T) {
	list, _ := newWordList([]string{"Free  Money", "straße", "ｃａｓｉｎｏ"})
	for text, want := range map[string]bool{
		"get FREE, money!": true, "freemoney": false, "free moneys": false, "Strasse": false, "STRAßE": true,
		"c\u00adasi\u200bno": true, "casino's": true, "": false, "カジノ": false,
	} {
		if list.stands(text) != want {
			t.Errorf("%q: %v", text, !want)
		}
	}
	if _, bad := newWordList([]string{"fine", "..."}); bad != "..." {
		t.Errorf("a phrase without a word passes: %q", bad)
	}
}
