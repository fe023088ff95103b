package contract

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/sources/recording"
)

// list reads a list page by page, and makes sure that what it brought is kept.
func list(t *asking, kind string) {
	k := t.sample(kind)
	h := t.open()
	sel := h.list(kind)
	d := t.sys.definition(kind)
	t.about("kinds." + kind + ".select")
	if !d.Lists && (k.Owner == "" || !d.OwnerFilter) {
		before := h.count()
		if _, err := h.Select(t.ctx, sel, h.scope(kind)); tutti.CodeOf(err) != tutti.InvalidValue || h.count() != before {
			t.fail("listing comes to %v in %d calls; want INVALID_VALUE in none", err, h.count()-before)
		}
		t.without("it cannot be listed without more")
	}
	seen := map[string]bool{}
	var total *int
	var kept tutti.Got
	pages, most := 0, k.Pages
	if most == 0 {
		most = t.sys.Pages
	}
	for more := true; more && pages < most; pages++ {
		page, err := h.Select(t.ctx, sel, h.scope(kind))
		if err != nil {
			t.stop("page %d: %v", pages+1, err)
		}
		if len(page.Items) > sel.First {
			t.fail("page %d has %d items, asked for %d", pages+1, len(page.Items), sel.First)
		}
		for _, g := range page.Items {
			id := g.Resource.Ref.ID
			if seen[id] {
				t.fail("%s comes twice", id)
			}
			if seen[id] = true; id == k.IDs[0] {
				kept = g
			}
			if k.Owner != "" && g.Resource.Owner != k.Owner {
				t.fail("%s belongs to %q, not to %q", g.Resource.Ref, g.Resource.Owner, k.Owner)
			}
		}
		total = page.Total
		sel.After = page.Next
		more = sel.After != ""
	}
	switch {
	case len(seen) == 0:
		t.fail("the list is empty")
	case sel.After != "":
		t.note("not read to the end: %d pages", pages)
	case total != nil && *total != len(seen):
		t.fail("all pages hold %d items; the system says %d", len(seen), *total)
	}
	before := h.count()
	if page, err := h.Select(t.ctx, h.list(kind), h.scope(kind)); err != nil || !page.Cached || h.count() != before {
		t.fail("the same page again took %d calls, %v", h.count()-before, err)
	}
	if kept.Resource == nil {
		return
	}
	got, calls := h.get(t.ctx, kind, k.IDs[0])
	if calls != 0 {
		t.fail("getting what a list brought took %d calls", calls)
	}
	cold, _ := t.open().get(t.ctx, kind, k.IDs[0])
	t.same(kind, got[0], cold[0])
}

// same compares an item that a selection brought with the one that comes by its id.
func (t *asking) same(kind string, a, b tutti.Got) {
	if a.Resource == nil || b.Resource == nil {
		t.fail("one of two is missing: %v, %v", a.Err, b.Err)
		return
	}
	names := map[string]bool{}
	for _, r := range []*tutti.Resource{a.Resource, b.Resource} {
		for name := range r.Fields.All() {
			names[name] = true
		}
	}
	for _, name := range keys(names) {
		x, y := a.Resource.Fields.Get(name), b.Resource.Fields.Get(name)
		if tx, ok := x.(time.Time); ok {
			if ty, ok := y.(time.Time); ok && tx.Equal(ty) {
				continue
			}
		}
		if show(x) != show(y) {
			t.about("kinds." + kind + ".map." + name)
			t.fail("the field %s of %s is %s by selection and %s by id: a selection that gives less needs  ids: record.id", name, a.Resource.Ref, show(x), show(y))
		}
	}
}

func show(v any) string {
	b, _ := json.Marshal(v)
	return string(b)
}

// selections asks for the first page of everything that is known to find something.
func selections(t *asking, kind string) {
	spec := t.sys.Manifest.Kinds[kind].Select
	if len(spec) == 0 {
		t.without("it cannot be selected")
	}
	k := t.sample(kind)
	h := t.open()
	used := map[string]bool{}
	t.about("kinds." + kind + ".select")
	for _, s := range k.Selections {
		used["text"] = used["text"] || s.Text != ""
		used["sort "+strings.TrimPrefix(s.Sort, "-")] = true
		for name := range s.Filter {
			used["filter "+name] = true
		}
		t.finds(h, kind, s)
	}
	if len(k.Selections) == 0 && t.sys.player == nil {
		t.guess(h, kind, used)
	}
	d := t.sys.definition(kind)
	var never []string
	if d.Search && !used["text"] {
		never = append(never, "text")
	}
	for _, name := range keys(d.Filters) {
		if !used["filter "+name] {
			never = append(never, "filter "+name)
		}
	}
	for _, name := range d.Sorts {
		if name = strings.TrimPrefix(name, "-"); !used["sort "+name] && !slices.Contains(never, "sort "+name) {
			never = append(never, "sort "+name)
		}
	}
	if len(never) > 0 {
		t.note("not asked for: %s (say what finds something under kinds.%s.selections of a recording)", strings.Join(never, ", "), kind)
	}
	if len(used) == 0 && len(never) > 0 {
		t.unable = !t.failed
	}
}

// finds asks for one selection.
func (t *asking) finds(h *house, kind string, s recording.Selection) {
	sel := h.list(kind)
	sel.Text, sel.Filter, sel.Sort = s.Text, s.Filter, s.Sort
	page, err := h.Select(t.ctx, sel, h.scope(kind))
	if err != nil {
		t.fail("the selection %s comes to %v", says(s), err)
		return
	}
	var ids []string
	for _, g := range page.Items {
		ids = append(ids, g.Resource.Ref.ID)
	}
	switch {
	case len(ids) == 0:
		t.fail("the selection %s finds nothing", says(s))
	case len(s.Finds) > 0 && !slices.Equal(ids, s.Finds):
		t.fail("the selection %s finds %s, want %s", says(s), strings.Join(ids, ", "), strings.Join(s.Finds, ", "))
	}
}

// guess asks a system of which nothing is known by each sort, and for a word of a title. What the kind
// cannot combine is left out.
func (t *asking) guess(h *house, kind string, used map[string]bool) {
	d := t.sys.definition(kind)
	var guesses []recording.Selection
	for _, name := range d.Sorts {
		guesses = append(guesses, recording.Selection{Sort: name})
	}
	if d.Search {
		if word := t.word(kind); word != "" {
			guesses = append(guesses, recording.Selection{Text: word})
		}
	}
	for _, s := range guesses {
		sel := h.list(kind)
		sel.Text, sel.Sort = s.Text, s.Sort
		switch _, err := h.Select(t.ctx, sel, h.scope(kind)); {
		case tutti.CodeOf(err) == tutti.InvalidValue:
			continue
		case err != nil:
			t.fail("the selection %s comes to %v", says(s), err)
			continue
		}
		used["text"] = used["text"] || s.Text != ""
		used["sort "+strings.TrimPrefix(s.Sort, "-")] = true
		k := t.sys.Kinds[kind]
		k.Selections = append(k.Selections, s)
		t.sys.Kinds[kind] = k
	}
}

// word gives the longest word of an item's title. It asks for the item where nothing is kept, so that selections
// that read items by their ids ask for the same of a recording.
func (t *asking) word(kind string) string {
	got, _ := t.open().get(t.ctx, kind, t.sys.Kinds[kind].IDs[0])
	if got[0].Resource == nil {
		return ""
	}
	title, _ := got[0].Resource.Fields.Get("title").(string)
	longest := ""
	for _, w := range strings.FieldsFunc(title, func(r rune) bool { return !unicode.IsLetter(r) }) {
		if len(w) > len(longest) {
			longest = w
		}
	}
	return longest
}

// says writes a selection for a person.
func says(s recording.Selection) string {
	var all []string
	if s.Text != "" {
		all = append(all, fmt.Sprintf("text %q", s.Text))
	}
	for _, name := range keys(s.Filter) {
		all = append(all, fmt.Sprintf("%s %v", name, s.Filter[name]))
	}
	if s.Sort != "" {
		all = append(all, "sort "+s.Sort)
	}
	if len(all) == 0 {
		return "of everything"
	}
	return "by " + strings.Join(all, ", ")
}

// refusals are selections that the kind does not have: told without a call.
func refusals(t *asking, kind string) {
	h := t.open()
	d := t.sys.definition(kind)
	before := h.count()
	wrong := map[string]tutti.Selection{"an unknown filter": h.list(kind), "an unknown sort": h.list(kind)}
	for what, sel := range wrong {
		switch what {
		case "an unknown filter":
			sel.Filter = map[string]any{"noSuchFilter": "x"}
		case "an unknown sort":
			sel.Sort = "noSuchSort"
		}
		if _, err := h.Select(t.ctx, sel, h.scope(kind)); tutti.CodeOf(err) != tutti.InvalidValue {
			t.fail("%s comes to %v; want INVALID_VALUE", what, err)
		}
	}
	if sel := h.list(kind); !d.Search {
		sel.Text = "words"
		if _, err := h.Select(t.ctx, sel, h.scope(kind)); tutti.CodeOf(err) != tutti.InvalidValue {
			t.fail("text where there is no search comes to %v; want INVALID_VALUE", err)
		}
	}
	if h.count() != before {
		t.fail("refusing took %d calls, want none", h.count()-before)
	}
}

// owners makes sure that nobody sees another's items.
func owners(t *asking, kind string) {
	k := t.sys.Kinds[kind]
	if !t.sys.definition(kind).OwnerFilter {
		t.without("it cannot be selected by its owner")
	}
	if k.Owner == "" {
		t.cannot("nobody is known who owns some (kinds.%s.owner of a recording)", kind)
	}
	t.about("kinds." + kind + ".owner")
	h := t.open()
	sel := h.list(kind)
	for _, owner := range []string{k.Owner, k.Other} {
		if sel.Owner = owner; owner == "" {
			continue
		}
		page, err := h.Select(t.ctx, sel, h.scope(kind))
		if err != nil || page.Cached || len(page.Items) == 0 {
			t.fail("the selection of %s comes to %d items, cached %v, %v", owner, len(page.Items), page.Cached, err)
		}
		for _, g := range page.Items {
			if g.Resource.Owner != owner {
				t.fail("%s belongs to %q, not to %q", g.Resource.Ref, g.Resource.Owner, owner)
			}
		}
	}
	before := h.count()
	sel.Owner = ""
	if _, err := h.Select(t.ctx, sel, h.scope(kind)); tutti.CodeOf(err) != tutti.Forbidden || h.count() != before {
		t.fail("a selection without owner comes to %v in %d calls; want FORBIDDEN in none", err, h.count()-before)
	}
	for _, trick := range []string{k.Owner + " requester:" + k.Other, k.Owner + "&owner=" + k.Other, "*", "../" + k.Other} {
		sel.Owner = trick
		page, err := h.Select(t.ctx, sel, h.scope(kind))
		if len(page.Items) > 0 {
			t.fail("an owner that is a trick gets %d items, %v", len(page.Items), err)
		}
		if h.count() != before && t.sys.recorded() {
			t.fail("an owner that is a trick is asked for: write ownerPattern")
			return
		}
	}
}

// wellFormed checks the address of a picture.
func wellFormed(address string) error {
	u, err := url.Parse(address)
	if err == nil && (u.Host == "" || u.Scheme != "http" && u.Scheme != "https") {
		err = fmt.Errorf("it is no address on the web")
	}
	return err
}
