package contract

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/internal/config"
	"github.com/tuttihq/tutti/sources"
	"github.com/tuttihq/tutti/sources/recording"
)

// kindQuestion is a question about a kind.
type kindQuestion struct {
	name string
	ask  func(t *asking, kind string)
}

// kindQuestions are asked of every kind.
var kindQuestions = []kindQuestion{
	{"fetch many", fetchMany},
	{"fetch one", fetchOne},
	{"not found", notFound},
	{"malformed ids", malformed},
	{"more than one call takes", more},
	{"field types", fieldTypes},
	{"locales", locales},
	{"draft", draft},
	{"aliases", aliases},
	{"conditional", conditional},
	{"renditions", renditions},
	{"changes", changes},
	{"list to the end", list},
	{"selections", selections},
	{"selections that it does not have", refusals},
	{"items of one owner", owners},
	{"wrong credentials", wrongCredentials},
}

// asks is the place in the manifest of how items are asked for.
func (t *asking) asks(kind string) string {
	if spec := t.sys.Manifest.Kinds[kind]; spec != nil && spec.Batch == nil {
		return "kinds." + kind + ".get"
	}
	return "kinds." + kind + ".batch"
}

// introductions is how many calls it may take to make oneself known before the first real one.
func (sys *System) introductions() int {
	if a := sys.Manifest.Auth; a != nil && (a.Type == "oauth2" || a.Type == "session") {
		return 1
	}
	return 0
}

// fetchMany asks for several ids at once, one of them missing, some of them twice.
func fetchMany(t *asking, kind string) {
	k := t.sample(kind)
	t.about(t.asks(kind))
	h := t.open()
	asked := batch(k)
	distinct := len(asked)
	for _, id := range slices.Backward(k.IDs) {
		asked = append(asked, id) // in another order, again
	}
	got, calls := h.get(t.ctx, kind, asked...)
	for i, g := range got {
		switch {
		case asked[i] == k.Missing:
			t.missing(k.Missing, g)
		case g.Resource == nil:
			t.fail("%s is not found: %v", asked[i], g.Err)
		case g.Resource.Ref != h.ref(kind, asked[i]):
			t.fail("in the place of %s comes %s", asked[i], g.Resource.Ref)
		case len(g.Resource.Raw) == 0 || g.Freshness.State != tutti.Fresh || g.Cached:
			t.fail("%s comes with %d raw bytes, %s, cached %v; want its record, FRESH, from the origin", asked[i], len(g.Resource.Raw), g.Freshness.State, g.Cached)
		}
	}
	most := h.calls(kind, distinct) + t.sys.introductions()
	if spec := t.sys.Manifest.Kinds[kind]; spec != nil && spec.Batch != nil && spec.Batch.MinIDs > 1 {
		most += 2 * distinct // one id that is not there fails the call, and is found by halves
	}
	if calls > most {
		t.fail("%d items took %d calls, want %d", distinct, calls, most)
	}
	got, calls = h.get(t.ctx, kind, k.IDs...)
	if calls != 0 || !got[0].Cached {
		t.fail("the second time took %d calls, want none", calls)
	}
}

// batch are the ids that are asked for together: those that exist, and the missing one after the first.
func batch(k Kind) []string {
	if k.Missing == "" {
		return slices.Clone(k.IDs)
	}
	return slices.Insert(slices.Clone(k.IDs), 1, k.Missing)
}

// fetchOne asks for one item and looks for the field that it must have.
func fetchOne(t *asking, kind string) {
	k := t.sample(kind)
	t.about(t.asks(kind))
	r := t.found(t.open(), kind, k.IDs[0])
	t.about("kinds." + kind + ".map." + k.Field)
	if r.Fields.Get(k.Field) == nil {
		t.fail("%s has no field %s", r.Ref, k.Field)
	}
}

// found gets an item that is there.
func (t *asking) found(h *house, kind, id string) *tutti.Resource {
	got, _ := h.get(t.ctx, kind, id)
	if got[0].Resource == nil {
		t.stop("%s is not found: %v", id, got[0].Err)
	}
	return got[0].Resource
}

func (t *asking) missing(id string, g tutti.Got) {
	if g.Resource != nil || tutti.CodeOf(g.Err) != tutti.NotFound || g.Freshness.State != tutti.Missing {
		t.fail("%s, which does not exist, comes to %s, %v; want MISSING, NOT_FOUND", id, g.Freshness.State, g.Err)
		if tutti.CodeOf(g.Err) == tutti.BadAnswer {
			t.note("say under notFound what an answer looks like that tells that there is none")
		}
	}
}

// notFound asks for what does not exist, again at once, and much later.
func notFound(t *asking, kind string) {
	k := t.sample(kind)
	if k.Missing == "" {
		t.cannot("no id is known that does not exist: say one (--missing %s/ID, or kinds.%s.missing of a recording)", kind, kind)
	}
	t.about(t.asks(kind) + ".notFound")
	h := t.open()
	got, _ := h.get(t.ctx, kind, k.Missing)
	t.missing(k.Missing, got[0])
	if _, calls := h.get(t.ctx, kind, k.Missing); calls != 0 {
		t.fail("asking again for what is not there took %s, want none for a short time", counted(calls, "call"))
	}
	if t.sys.Manifest.Protocol == "files" {
		return // nobody is called
	}
	h.advance(time.Hour)
	if _, calls := h.get(t.ctx, kind, k.Missing); calls < 1 || calls > 1+t.sys.introductions() {
		t.fail("asking much later for what was not there took %d calls, want 1", calls)
	}
}

// Strange are ids that try to leave their place in a URL, a list, a query or a header.
var Strange = []string{
	"..", ".", "../admin", "a/../../b", "%2e%2e%2f", "a?x=1", "a#b", "a&ids=1", "1,2", "1|2", "a b", "a\"b", "'; drop table x; --", "é", "日本", "{id}", "${id}", "a\\b",
	"//evil.example/x", "@evil.example", "a;b", "[1]", "\u202e1", strings.Repeat("9", 600), "null", "*", "\x00", "1\r\nX: y",
}

// malformed asks for ids that cannot be: those that the manifest's syntax forbids take no call. A
// recording is asked for no others.
func malformed(t *asking, kind string) {
	d := t.sys.definition(kind)
	t.about("kinds." + kind + ".id")
	var refused, taken []string
	for _, id := range Strange {
		ok := id != "." && id != ".." && len(id) <= 512 && !strings.ContainsFunc(id, func(r rune) bool { return r < ' ' })
		if ok && d.Canonical != nil {
			_, ok = d.Canonical(id)
		}
		if !ok && d.Alias != nil {
			_, ok = d.Alias.Name(id)
		}
		if ok {
			taken = append(taken, id)
		} else {
			refused = append(refused, id)
		}
	}
	h := t.open()
	got, calls := h.get(t.ctx, kind, refused...)
	for i, g := range got {
		if g.Resource != nil || tutti.CodeOf(g.Err) != tutti.NotFound {
			t.fail("the id %q comes to %v; want NOT_FOUND", refused[i], g.Err)
		}
	}
	if calls != 0 {
		t.fail("ids that cannot be took %d calls, want none", calls)
	}
	if d.Canonical == nil || len(taken) > len(Strange)/2 {
		t.note("nearly every id is asked for: id.pattern would keep calls away that cannot succeed")
	}
	if t.sys.recorded() || len(taken) == 0 {
		return
	}
	k := t.sample(kind)
	got, _ = h.get(t.ctx, kind, append(slices.Clone(taken), k.IDs[0])...)
	for i, g := range got[:len(taken)] {
		if g.Resource != nil || tutti.CodeOf(g.Err) != tutti.NotFound {
			t.fail("the id %q comes to %v; want NOT_FOUND", taken[i], g.Err)
		}
	}
	if g := got[len(taken)]; g.Resource == nil || g.Resource.Ref.ID != k.IDs[0] {
		t.fail("%s beside strange ids is not found: %v", k.IDs[0], g.Err)
	}
}

// more asks for more ids than one call takes.
func more(t *asking, kind string) {
	if t.sys.recorded() {
		t.without("a recording holds no call for so many ids")
	}
	if t.sys.definition(kind).Whole != "" {
		t.without("one call gives everything")
	}
	k := t.sample(kind)
	t.about(t.asks(kind) + ".maxIds")
	h := t.open()
	ids := slices.Clone(k.IDs)
	if k.Missing == "" {
		t.cannot("no id is known that does not exist: say one (--missing %s/ID, or kinds.%s.missing of a recording)", kind, kind)
	}
	for i := 0; len(ids) < h.MaxIDs(h.name, kind)+1; i++ { // unknown ids fill the call up
		if id := similar(k.Missing, i); !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	got, calls := h.get(t.ctx, kind, ids...)
	for i, g := range got {
		known := i < len(k.IDs)
		if known && (g.Resource == nil || g.Resource.Ref.ID != ids[i]) || !known && g.Resource == nil && tutti.CodeOf(g.Err) != tutti.NotFound {
			t.fail("%s comes to %v", ids[i], g.Err)
		}
	}
	if want := h.calls(kind, len(ids)); calls > want+t.sys.introductions() {
		t.fail("%d ids took %d calls, want %d", len(ids), calls, want)
	}
}

// fieldTypes compares the Go types of fields with what the kind promises, and finds fields that could not be read, or
// that no item has.
func fieldTypes(t *asking, kind string) {
	k := t.sample(kind)
	h := t.open()
	d := t.sys.definition(kind)
	got, _ := h.get(t.ctx, kind, batch(k)...)
	have := map[string]bool{}
	for _, g := range got {
		if g.Resource == nil {
			continue
		}
		for name, v := range g.Resource.Fields.All() {
			have[name] = true
			if is := typeOf(v); is != d.Fields[name] && d.Fields[name] != tutti.FieldJSON {
				t.about("kinds." + kind + ".map." + name)
				t.fail("the field %s of %s is a %s, want %s", name, g.Resource.Ref, is, d.Fields[name])
			}
		}
	}
	for _, name := range h.lost() {
		t.about("kinds." + kind + ".map." + name)
		t.fail("the field %s could not be read", name)
	}
	var never []string
	for _, name := range keys(d.Fields) {
		if !have[name] {
			never = append(never, name)
		}
	}
	if len(never) > 0 {
		t.note("none of %d items has %s", len(k.IDs), strings.Join(never, ", "))
	}
}

func typeOf(v any) tutti.FieldType {
	switch v.(type) {
	case string:
		return tutti.FieldString
	case int64:
		return tutti.FieldInt
	case float64:
		return tutti.FieldFloat
	case bool:
		return tutti.FieldBool
	case time.Time:
		return tutti.FieldTime
	case tutti.Money:
		return tutti.FieldMoney
	case tutti.Place:
		return tutti.FieldPlace
	case tutti.Focal:
		return tutti.FieldFocal
	case tutti.RichText:
		return tutti.FieldRichText
	case tutti.Ref:
		return tutti.FieldRef
	case []tutti.Ref:
		return tutti.FieldRefs
	case []string:
		return tutti.FieldStrings
	}
	return tutti.FieldType(fmt.Sprintf("%T", v))
}

// locales asks for an item in every locale.
func locales(t *asking, kind string) {
	if !slices.Contains(t.sys.definition(kind).Dimensions, tutti.LocaleDimension) {
		t.without("its items do not depend on the locale")
	}
	k := t.sample(kind)
	if len(k.Locales) < 2 {
		t.cannot("only one locale is known (--locale en,de, or kinds.%s.locales of a recording)", kind)
	}
	t.about(t.asks(kind))
	h := t.open()
	together := t.sys.definition(kind).Languages // in one record, which is asked for once
	for i, locale := range k.Locales {
		s := h.scope(kind)
		s.Locale = locale
		got, calls := h.getIn(t.ctx, s, kind, k.IDs[0])
		switch {
		case got[0].Resource == nil:
			t.fail("%s in %s is not found: %v", k.IDs[0], locale, got[0].Err)
		case calls == 0 && (!together || i == 0):
			t.fail("%s in %s takes the copy of another locale", k.IDs[0], locale)
		case calls > 0 && together && i > 0:
			t.fail("%s in %s is asked for again, though its record holds all languages", k.IDs[0], locale)
		case got[0].Resource.Locale == "":
			t.fail("%s in %s does not say its locale", k.IDs[0], locale)
		}
	}
}

// draft asks for an item as its editors see it.
func draft(t *asking, kind string) {
	if !slices.Contains(t.sys.definition(kind).Dimensions, tutti.PerspectiveDimension) {
		t.without("the manifest asks for no drafts")
	}
	k := t.sample(kind)
	t.about(t.asks(kind))
	h := t.open()
	t.found(h, kind, k.IDs[0])
	s := h.scope(kind)
	s.Draft = true
	if got, calls := h.getIn(t.ctx, s, kind, k.IDs[0]); got[0].Resource == nil || calls == 0 {
		t.fail("the draft of %s comes to %v in %d calls", k.IDs[0], got[0].Err, calls)
	}
}

// aliases asks for items by other spellings of their ids.
func aliases(t *asking, kind string) {
	k := t.sample(kind)
	if id := t.sys.Manifest.Kinds[kind].ID; len(k.Aliases) == 0 && id.Alias == nil && id.Canonical == "" {
		t.without("the manifest knows no other spelling of an id")
	}
	if len(k.Aliases) == 0 {
		t.without("no other spelling of an id is known (kinds.%s.aliases of a recording)", kind)
	}
	t.about("kinds." + kind + ".id")
	h := t.open()
	for _, alias := range keys(k.Aliases) {
		if r := t.found(h, kind, alias); r.Ref != h.ref(kind, k.Aliases[alias]) {
			t.fail("%s leads to %s, want %s", alias, r.Ref, k.Aliases[alias])
		}
	}
}

// conditional asks again for what is kept but not fresh any more.
func conditional(t *asking, kind string) {
	spec := t.sys.Manifest.Kinds[kind]
	switch {
	case spec.Get != nil && spec.Get.Conditional != "":
		t.about("kinds." + kind + ".get.conditional")
	case spec.Whole != nil && spec.Whole.Conditional != "":
		t.about("kinds." + kind + ".whole.conditional")
	default:
		t.without("the manifest asks for nothing on the condition that it has changed")
	}
	k := t.sample(kind)
	h := t.open()
	before := t.found(h, kind, k.IDs[0])
	h.advance(30 * time.Minute) // past fresh and stale
	got, _ := h.get(t.ctx, kind, k.IDs[0])
	switch status := t.sys.front.last.Load(); {
	case got[0].Resource == nil || got[0].Freshness.State != tutti.Fresh:
		t.fail("asking again comes to %s, %v", got[0].Freshness.State, got[0].Err)
	case status == http.StatusOK:
		t.cannot("the system answers with the whole item again, not with 304")
	case status != http.StatusNotModified || got[0].Resource.Raw != before.Raw:
		t.fail("asking again is answered %d; want 304, and the same item", status)
	}
}

// changes asks what has changed.
func changes(t *asking, kind string) {
	if t.sys.Manifest.Kinds[kind].Changes == nil {
		t.without("the manifest has no feed of changes")
	}
	k, from := t.sys.Kinds[kind], sources.PollFrom{Since: time.Now().Add(-30 * 24 * time.Hour).Truncate(time.Second)}
	switch {
	case k.Changes != nil:
		from.Since = k.Changes.Since
	case t.sys.recorded():
		t.cannot("no instant is known since when something changed (kinds.%s.changes of a recording)", kind)
	}
	t.about("kinds." + kind + ".changes")
	h := t.open()
	page, err := h.Changes(t.ctx, h.name, kind, from)
	if tutti.CodeOf(err) == tutti.UnknownSource {
		t.cannot("this source has no feed of changes: %s", strings.Join(t.sys.Manifest.Kinds[kind].Changes.Needs, ", ")+" is not set")
	}
	if err != nil {
		t.stop("asking what changed comes to %v", err)
	}
	var ids []string
	for _, r := range page.Records {
		if ids = append(ids, r.IDs...); len(r.IDs) == 0 {
			t.fail("a change names no item")
		}
	}
	if k.Changes == nil {
		if len(ids) == 0 {
			t.note("nothing has changed for 30 days")
		}
		return
	}
	slices.Sort(ids)
	want := slices.Sorted(slices.Values(k.Changes.Finds))
	if len(ids) == 0 || len(want) > 0 && !slices.Equal(ids, want) {
		t.fail("since %s changed %s, want %s", from.Since.Format(time.RFC3339), strings.Join(ids, ", "), strings.Join(want, ", "))
	}
}

// renditions looks at the addresses of pictures in other sizes.
func renditions(t *asking, kind string) {
	path := "kinds." + kind + ".renditions"
	if t.sys.Manifest.Kinds[kind].Renditions == nil {
		t.without("the manifest has no renditions")
	}
	k := t.sample(kind)
	t.about(path)
	got, _ := t.open().get(t.ctx, kind, batch(k)...)
	with := 0
	for _, g := range got {
		if g.Resource == nil || g.Resource.Assets == nil {
			continue
		}
		with++
		scale, crop := g.Resource.Assets.URL(320, 0, ""), g.Resource.Assets.URL(320, 180, "")
		if scale == "" {
			scale = g.Resource.Assets.URL(320, 0, "jpeg")
		}
		for what, address := range map[string]string{"scale": scale, "crop": crop} {
			if address == "" {
				continue
			}
			sized := what != "scale" || strings.Contains(t.sys.Manifest.Kinds[kind].Renditions.Scale, "${width}") // some systems have one size
			if err := wellFormed(address); err != nil || sized && !strings.Contains(address, "320") {
				t.about(path + "." + what)
				t.fail("the %s of %s is %q: %v", what, g.Resource.Ref, address, err)
			}
		}
		if scale == crop {
			t.fail("%s is the same in its own shape and cropped: %q", g.Resource.Ref, scale)
		}
	}
	if with == 0 {
		t.fail("none of %d items has renditions", len(k.IDs))
	}
}

// wrongCredentials asks with credentials that are not right.
func wrongCredentials(t *asking, kind string) {
	m, spoiled := t.sys.Manifest, spoil
	switch {
	case m.Protocol == "sql":
		spoiled = anotherUser
	case m.Auth == nil || m.Auth.Type == "none" || len(m.Secrets) == 0:
		t.without("the system knows no credentials")
	}
	if t.sys.player != nil && !t.sys.player.Has(recording.WrongCredentials) {
		t.cannot("the recording does not tell what the system says to wrong credentials")
	}
	k := t.sample(kind)
	t.sys.at(recording.WrongCredentials)
	h := t.open(func(c *config.Source) {
		wrong := map[string]tutti.Secret{}
		for name, s := range c.Secrets {
			w := spoiled(s.Reveal())
			if t.sys.Recorder != nil {
				t.sys.Recorder.Hide(w) // so that the request is found again with every other wrong one
			}
			wrong[name] = tutti.NewSecret(w)
		}
		c.Secrets = wrong
	})
	t.about("auth")
	got, calls := h.get(t.ctx, kind, k.IDs[0])
	if calls == 0 {
		t.cannot("without right credentials it cannot even be asked")
	}
	if got[0].Resource != nil {
		t.cannot("the system answers without right credentials too")
	}
	if code := tutti.CodeOf(got[0].Err); code != tutti.Unavailable {
		t.fail("it comes to %s, %v; want UNAVAILABLE", code, got[0].Err)
	}
	for _, s := range t.sys.Source.Secrets {
		if v := s.Reveal(); len(v) > 3 && strings.Contains(h.logged()+errText(got[0].Err), v) {
			t.fail("the log or the error tells a secret")
		}
	}
}

// spoil puts others by chance in place of the letters and digits of a secret, so that its form stays and nothing of
// it can be told.
func spoil(s string) string {
	letters := int64(26)
	if _, err := hex.DecodeString(s); err == nil {
		letters = 6
	}
	for range 100 {
		wrong := strings.Map(func(r rune) rune {
			switch {
			case r >= 'a' && r <= 'z':
				return 'a' + chance(letters)
			case r >= 'A' && r <= 'Z':
				return 'A' + chance(letters)
			case r >= '0' && r <= '9':
				return '0' + chance(10)
			}
			return r
		}, s)
		if wrong != s {
			return wrong
		}
	}
	return s + "x"
}

// chance gives a number below n.
func chance(n int64) rune {
	v, _ := rand.Int(rand.Reader, big.NewInt(n)) // the reader never fails
	return rune(v.Int64())
}

func errText(err error) string {
	if err == nil {
		return ""
	}
	var all strings.Builder
	for ; err != nil; err = errors.Unwrap(err) {
		all.WriteString(err.Error() + "\n")
	}
	return all.String()
}
