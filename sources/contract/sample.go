package contract

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tuttihq/tutti"
)

// sample is what to ask of a kind, completed by what the system lists.
func (t *asking) sample(kind string) Kind {
	k := t.sys.Kinds[kind]
	d := t.sys.definition(kind)
	if len(k.Locales) == 0 && slices.Contains(d.Dimensions, tutti.LocaleDimension) {
		k.Locales = []string{"en"}
	}
	if k.Field == "" {
		k.Field = "title"
		if _, ok := d.Fields[k.Field]; !ok {
			k.Field = keys(d.Fields)[0]
		}
	}
	t.sys.Kinds[kind] = k
	if len(k.IDs) == 0 {
		k.IDs = t.listed(kind, 4)
	}
	if k.Missing == "" {
		k.Missing = unlike(k.IDs, d.Canonical)
	}
	t.sys.Kinds[kind] = k
	return k
}

// listed gives the ids of the first items that the system lists.
func (t *asking) listed(kind string, n int) []string {
	if t.sys.unlisted[kind] {
		t.cannot("what exists is not known: %s could not be listed", kind)
	}
	h := t.open()
	sel := h.list(kind)
	page, err := h.Select(t.ctx, sel, h.scope(kind))
	if tutti.CodeOf(err) == tutti.InvalidValue || tutti.CodeOf(err) == tutti.Forbidden {
		t.cannot("%s cannot be listed without more: say which exist (--id %s/ID, or kinds.%s.ids of a recording)", kind, kind, kind)
	}
	if err != nil {
		t.sys.unlisted[kind] = true
		t.about("kinds." + kind + ".select")
		t.stop("listing %s: %v", kind, err)
	}
	var ids []string
	for _, g := range page.Items {
		if len(ids) < n {
			ids = append(ids, g.Resource.Ref.ID)
		}
	}
	if len(ids) == 0 {
		t.cannot("the system lists no %s: there is nothing to ask for", kind)
	}
	return ids
}

// unlike makes an id of the form of others that is none of them: probably one that is not there.
func unlike(ids []string, canonical func(string) (string, bool)) string {
	id := ids[len(ids)-1]
	for n := range 50 {
		other := similar(id, 9990-n)
		if canonical != nil {
			var ok bool
			if other, ok = canonical(other); !ok {
				continue
			}
		}
		if !slices.Contains(ids, other) {
			return other
		}
	}
	return ""
}

// similar makes another id of the same form: its last characters become a number.
func similar(id string, n int) string {
	tail := fmt.Sprintf("%04d", n)
	if len(id) < 5 && strings.Trim(id, "0123456789") == "" {
		return "99" + tail
	}
	return id[:max(1, len(id)-4)] + tail[4-min(4, len(id)-1):]
}
