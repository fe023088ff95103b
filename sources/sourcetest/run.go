package sourcetest

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/internal/config"
)

// Run tries the whole contract on a system. Subtests do not run at the same time: they count calls
// and make the system fail.
func Run(t *testing.T, sys *System) {
	used := map[string]bool{}
	run := func(name string, f func(t *testing.T)) {
		t.Run(name, func(t *testing.T) {
			if why, ok := sys.Skip[name]; ok {
				used[name] = true
				t.Skip(why)
			}
			sys.Heal()
			t.Cleanup(sys.Heal)
			f(t)
		})
	}
	for _, kind := range keys(sys.Kinds) {
		k := sys.Kinds[kind]
		run(kind+": found, in order, one for duplicates", func(t *testing.T) { found(t, sys, kind) })
		run(kind+": not found", func(t *testing.T) { notFound(t, sys, kind, k) })
		run(kind+": more than one call takes", func(t *testing.T) { many(t, sys, kind) })
		run(kind+": strange characters in an id", func(t *testing.T) { strange(t, sys, kind) })
		run(kind+": selections", func(t *testing.T) { selections(t, sys, kind, k) })
		for _, f := range faults {
			run(kind+": "+f.name, func(t *testing.T) { failing(t, sys, kind, f) })
		}
		run(kind+": 429 with Retry-After", func(t *testing.T) { limited(t, sys, kind) })
		run(kind+": cancelled", func(t *testing.T) { cancelled(t, sys, kind) })
	}
	run("webhooks", func(t *testing.T) { webhooks(t, sys) })
	run("old webhooks", func(t *testing.T) { oldWebhooks(t, sys) })
	run("check", func(t *testing.T) {
		if err := sys.open(t).Check(t.Context(), sys.Source.Name); err != nil {
			t.Errorf("checking the source: %v", err)
		}
	})
	for _, kind := range keys(sys.Kinds) { // last, for it deletes items
		run(kind+": forgotten means gone", func(t *testing.T) { forgotten(t, sys, kind, sys.Kinds[kind]) })
	}
	for name := range sys.Skip {
		if !used[name] {
			t.Errorf("the exception %q is for no test", name)
		}
	}
}

func found(t *testing.T, sys *System, kind string) {
	h := sys.open(t)
	ids := sys.open(t).ids(t, kind, 4)
	want := append([]string{}, ids...)
	for i := len(ids) - 1; i >= 0; i-- {
		want = append(want, ids[i]) // in another order, each twice
	}
	got, calls := h.get(t.Context(), kind, want...)
	for i, g := range got {
		if g.Resource == nil {
			t.Fatalf("%s is not found: %v", want[i], g.Err)
		}
		if g.Resource.Ref != h.ref(kind, want[i]) {
			t.Errorf("place %d holds %s, want %s", i, g.Resource.Ref, want[i])
		}
		if f := sys.Kinds[kind].Field; g.Resource.Fields.Get(f) == nil {
			t.Errorf("%s has no field %s", g.Resource.Ref, f)
		}
		if len(g.Resource.Raw) == 0 || g.Freshness.State != tutti.Fresh || g.Cached {
			t.Errorf("%s comes with %d raw bytes, %+v, cached %v; want its record, fresh, from the origin", g.Resource.Ref, len(g.Resource.Raw), g.Freshness, g.Cached)
		}
	}
	if most := h.calls(kind, len(ids)); calls != most {
		t.Errorf("%d items took %d calls, want %d", len(ids), calls, most)
	}
	got, calls = h.get(t.Context(), kind, want...)
	if calls != 0 || !got[0].Cached {
		t.Errorf("the second time took %d calls, cached %v; want none", calls, got[0].Cached)
	}
	checkTypes(t, h, kind, got)
}

// checkTypes compares the Go types of fields with what the kind promises.
func checkTypes(t *testing.T, h *house, kind string, got []tutti.Got) {
	k, _ := h.Kind(h.name, kind)
	for _, g := range got {
		for name, v := range g.Resource.Fields.All() {
			if have := typeOf(v); have != k.Fields[name] && k.Fields[name] != tutti.FieldJSON {
				t.Errorf("field %s of %s is a %s, want %s", name, g.Resource.Ref, have, k.Fields[name])
			}
		}
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

// calls is how many calls n cold items take at best.
func (h *house) calls(kind string, n int) int {
	most := max(1, h.MaxIDs(h.name, kind))
	return (n + most - 1) / most
}

func notFound(t *testing.T, sys *System, kind string, k Kind) {
	h := sys.open(t)
	ids := sys.open(t).ids(t, kind, 1)
	got, _ := h.get(t.Context(), kind, k.Missing, ids[0])
	if got[0].Resource != nil || tutti.CodeOf(got[0].Err) != tutti.NotFound || got[0].Freshness.State != tutti.Missing {
		t.Errorf("%s comes to %v, state %s; want NOT_FOUND, MISSING", k.Missing, got[0].Err, got[0].Freshness.State)
	}
	if got[1].Resource == nil {
		t.Errorf("%s is not found beside one that is missing: %v", ids[0], got[1].Err)
	}
	if _, calls := h.get(t.Context(), kind, k.Missing); calls != 0 {
		t.Errorf("asking again for what is not there took %d calls, want none for a short time", calls)
	}
	h.advance(time.Hour)
	if _, calls := h.get(t.Context(), kind, k.Missing); calls != 1 {
		t.Errorf("asking much later for what was not there took %d calls, want 1", calls)
	}
}

func many(t *testing.T, sys *System, kind string) {
	h := sys.open(t)
	most := h.MaxIDs(h.name, kind)
	ids := sys.open(t).ids(t, kind, most+most/2+1)
	if pad := most + 1 - len(ids); pad > 0 { // the system holds fewer: unknown ids fill the call up
		for i := range pad {
			ids = append(ids, similar(sys.Kinds[kind].Missing, i))
		}
	}
	got, calls := h.get(t.Context(), kind, ids...)
	there := 0
	for i, g := range got {
		switch {
		case g.Resource != nil && g.Resource.Ref.ID == ids[i]:
			there++
		case tutti.CodeOf(g.Err) != tutti.NotFound:
			t.Errorf("%s comes to %v", ids[i], g.Err)
		}
	}
	if want := h.calls(kind, len(ids)); calls != want || want < 2 {
		t.Errorf("%d ids took %d calls, want %d", len(ids), calls, want)
	}
	if there == 0 {
		t.Error("none of many is found")
	}
}

// similar makes another id of the same form: its last characters become a number.
func similar(id string, n int) string {
	tail := fmt.Sprintf("%04d", n)
	return id[:max(1, len(id)-4)] + tail[4-min(4, len(id)-1):]
}

// Strange are ids that try to leave their place in a URL, a list, a query or a header.
var Strange = []string{
	"..", ".", "../admin", "a/../../b", "%2e%2e%2f", "a?x=1", "a#b", "a&ids=1", "1,2", "1|2", "a b", "a\"b", "'; drop table x; --", "é", "日本", "{id}", "${id}", "a\\b",
	"//evil.example/x", "@evil.example", "a;b", "[1]", "\u202e1", strings.Repeat("9", 600), "null", "*", "\x00", "1\r\nX: y",
}

func strange(t *testing.T, sys *System, kind string) {
	h := sys.open(t)
	id := sys.open(t).ids(t, kind, 1)[0]
	ids := append(append([]string{}, Strange...), id)
	got, _ := h.get(t.Context(), kind, ids...)
	for i, g := range got[:len(Strange)] {
		if g.Resource != nil || tutti.CodeOf(g.Err) != tutti.NotFound {
			t.Errorf("the id %q comes to %v, %v; want NOT_FOUND", ids[i], g.Resource, g.Err)
		}
	}
	if g := got[len(Strange)]; g.Resource == nil || g.Resource.Ref.ID != id {
		t.Errorf("%s beside strange ids is not found: %v", id, g.Err)
	}
}

// fault is a way to fail and what comes of it.
type fault struct {
	name string
	Fault
	code tutti.Code
	kept tutti.FreshnessState // of a stand-in
	set  func(*config.Source)
}

var faults = []fault{
	{name: "slow", Fault: Fault{Kind: "slow", Delay: 30 * time.Second}, code: tutti.Timeout, kept: tutti.StaleRevalidating, set: func(c *config.Source) {
		c.Limits.Timeout, c.Limits.SoftTimeout = 200*time.Millisecond, 100*time.Millisecond
	}},
	{name: "500", Fault: Fault{Kind: "error", Status: 500}, code: tutti.Unavailable},
	{name: "503", Fault: Fault{Kind: "error", Status: 503}, code: tutti.Unavailable},
	{name: "garbage", Fault: Fault{Kind: "garbage"}, code: tutti.BadAnswer},
	{name: "wrong content type", Fault: Fault{Kind: "wrong-type"}, code: tutti.BadAnswer},
	{name: "too large", Fault: Fault{Kind: "oversize"}, code: tutti.TooLarge, set: func(c *config.Source) { c.Limits.MaxBytes = 1 << 20 }},
}

func failing(t *testing.T, sys *System, kind string, f fault) {
	var set []func(*config.Source)
	if f.set != nil {
		set = append(set, f.set)
	}
	h := sys.open(t, set...)
	id := sys.open(t).ids(t, kind, 1)[0]
	if got, _ := h.get(t.Context(), kind, id); got[0].Resource == nil {
		t.Fatalf("%s is not found: %v", id, got[0].Err)
	}
	cold := sys.open(t, set...)
	if err := sys.Fault(f.Fault); err != nil {
		t.Fatal(err)
	}
	got, calls := cold.get(t.Context(), kind, id)
	if got[0].Resource != nil || tutti.CodeOf(got[0].Err) != f.code {
		t.Errorf("a cold item comes to %v, %v; want %s", got[0].Resource, got[0].Err, f.code)
	}
	if calls > 2 {
		t.Errorf("it took %d calls, want one and at most one more", calls)
	}
	h.advance(30 * time.Minute) // past fresh and stale: only a stand-in is left
	got, _ = h.get(t.Context(), kind, id)
	if f.kept == "" {
		f.kept = tutti.StaleError
	}
	if got[0].Resource == nil || got[0].Freshness.State != f.kept || got[0].Err == nil {
		t.Fatalf("a kept item comes to %v, %s, %v; want the kept copy, %s, and why", got[0].Resource, got[0].Freshness.State, got[0].Err, f.kept)
	}
	title, _ := got[0].Resource.Fields.Get("title").(string)
	if hl := cold.Health()[0]; hl.Failures == 0 || hl.LastError != f.code {
		t.Errorf("health tells of %d failures, last %q; want some, %s", hl.Failures, hl.LastError, f.code)
	}
	for _, log := range []string{cold.logged(), h.logged()} {
		if len(id) > 4 && strings.Contains(log, id) || title != "" && strings.Contains(log, title) {
			t.Errorf("the log tells an id or content:\n%s", log)
		}
	}
	if !strings.Contains(cold.logged(), string(f.code)) {
		t.Errorf("the log does not tell the code:\n%s", cold.logged())
	}
	sys.Heal()
	cold.advance(time.Minute) // past any pause of the breaker
	if got, _ := cold.get(t.Context(), kind, id); got[0].Resource == nil {
		t.Errorf("after the system healed: %v", got[0].Err)
	}
}

func limited(t *testing.T, sys *System, kind string) {
	h := sys.open(t)
	id := sys.open(t).ids(t, kind, 1)[0]
	if err := sys.Fault(Fault{Kind: "rate-limited", RetryAfter: 20 * time.Second}); err != nil {
		t.Fatal(err)
	}
	got, calls := h.get(t.Context(), kind, id)
	if tutti.CodeOf(got[0].Err) != tutti.RateLimited || calls != 1 {
		t.Errorf("it comes to %v in %d calls; want RATE_LIMITED in 1", got[0].Err, calls)
	}
	sys.Heal()
	h.advance(18 * time.Second)
	if got, calls := h.get(t.Context(), kind, id); tutti.CodeOf(got[0].Err) != tutti.RateLimited || calls != 0 {
		t.Errorf("before Retry-After it comes to %v in %d calls; want RATE_LIMITED in none", got[0].Err, calls)
	}
	h.advance(3 * time.Second)
	if got, _ := h.get(t.Context(), kind, id); got[0].Resource == nil {
		t.Errorf("after Retry-After: %v", got[0].Err)
	}
}

func cancelled(t *testing.T, sys *System, kind string) {
	h := sys.open(t)
	id := sys.open(t).ids(t, kind, 1)[0]
	if err := sys.Fault(Fault{Kind: "black-hole"}); err != nil {
		t.Fatal(err)
	}
	before := sys.Calls()
	ctx, cancel := context.WithCancel(t.Context())
	answer := make(chan tutti.Got, 1)
	go func() { answer <- h.Get(ctx, []tutti.Ref{h.ref(kind, id)}, h.scope(kind))[0] }()
	for sys.Calls() == before { // the call is under way
		select {
		case g := <-answer:
			t.Fatalf("it came to %v before it was cancelled", g.Err)
		case <-time.After(time.Millisecond):
		}
	}
	cancel()
	if g := <-answer; g.Resource != nil || g.Err == nil {
		t.Errorf("a cancelled caller gets %v, %v; want an error", g.Resource, g.Err)
	}
	sys.Heal()
	if hl := h.Health()[0]; hl.State == "DOWN" {
		t.Error("a caller that leaves must not break the source")
	}
}

func keys[V any](m map[string]V) []string {
	var out []string
	for k := range m {
		out = append(out, k)
	}
	for i := range out {
		for j := i; j > 0 && out[j] < out[j-1]; j-- {
			out[j], out[j-1] = out[j-1], out[j]
		}
	}
	return out
}
