package main

import (
	"strings"
	"testing"
	"time"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/demo"
)

const suppressIt = `mutation($ref: Ref!, $until: DateTime) { suppress(ref: $ref, until: $until, reason: "recalled") { suppression { ref until createdBy } touches { composition component how } } }`

const unsuppressIt = `mutation($ref: Ref!) { unsuppress(ref: $ref, reason: "it is fine") }`

// TestSuppressedIsSeenNowhere: a withdrawn item is in no answer of any kind, on any replica.
func TestSuppressedIsSeenNowhere(t *testing.T) {
	t.Parallel()
	r := playReplicas(t)
	ways := map[string]func(p *played) string{ // each shows the product 2 in some way
		"resource": func(p *played) string {
			return p.ask(p.key(tutti.ServerKey), "", `{ resource(ref: "catalog:product/2") { title } }`, nil).Raw
		},
		"resources": func(p *played) string {
			return p.ask(p.key(tutti.ServerKey), "", `{ resources(refs: ["catalog:product/2", "catalog:product/1"]) { title } }`, nil).Raw
		},
		"search": func(p *played) string {
			return p.ask(p.key(tutti.ServerKey), "", `{ search(source: "catalog", kind: "product", text: "calm", first: 50) { nodes { title } } }`, nil).Raw
		},
		"more": func(p *played) string {
			var x struct {
				Search struct{ PageInfo struct{ EndCursor string } }
			}
			p.ask(p.key(tutti.ServerKey), "", `{ search(source: "catalog", kind: "product", first: 1) { pageInfo { endCursor } } }`, nil).into(t, &x)
			return p.ask(p.key(tutti.ServerKey), "", `query($c: String!) { more(cursor: $c, first: 20) { nodes { title } } }`, map[string]any{"c": x.Search.PageInfo.EndCursor}).Raw
		},
		"experience of it": func(p *played) string {
			return p.ask(p.key(tutti.BrowserKey), "", `{ experience(composition: "offer", params: {product: "catalog:product/2"}, channel: "web") { title components { props } problems { code message } } }`, nil).Raw
		},
		"experience that selects it": func(p *played) string {
			return p.ask(p.key(tutti.BrowserKey), p.token("guest-7"), `{ experience(composition: "hotel-arrival", params: {hotel: "stay:hotel/azul"}, channel: "web", context: {location: {lat: 43.27, lon: -2.9338}, consent: {personalization: true}}) { components { items: resources(prop: "items", first: 5) { nodes { title } } } } }`, nil).Raw
		},
	}
	const words = "An hour of calm, 20 % less, Hotel Azul"
	for name, way := range ways {
		for _, p := range []*played{r.one, r.other} {
			r.until("the item is shown by "+name, func() bool { return strings.Contains(way(p), words) })
		}
	}
	a := r.one.manage(suppressIt, map[string]any{"ref": "catalog:product/2"})
	if !strings.Contains(a.Raw, `"composition":"offer"`) || !strings.Contains(a.Raw, `"how":"KIND"`) || !strings.Contains(a.Raw, `"createdBy":"key_`) {
		t.Errorf("suppressing answers %s", a.Raw)
	}
	for name, way := range ways {
		for range 3 {
			if got := way(r.one); strings.Contains(got, words) {
				t.Errorf("%s shows it: %s", name, got)
			}
		}
	}
	if got := ways["experience of it"](r.one); !strings.Contains(got, `"SUPPRESSED"`) || strings.Contains(got, "recalled") {
		t.Errorf("the page of the item says %s", got)
	}
	r.until("the other replica has heard it", func() bool { return !strings.Contains(ways["resource"](r.other), words) })
	for name, way := range ways {
		if got := way(r.other); strings.Contains(got, words) {
			t.Errorf("%s of the other replica shows it: %s", name, got)
		}
	}
	late := r.third()
	for name, way := range ways {
		if got := way(late); strings.Contains(got, words) {
			t.Errorf("%s of a replica that starts now shows it: %s", name, got)
		}
	}
	if got := r.other.manage(`{ suppressions { ref reason until } }`, nil).Raw; !strings.Contains(got, `{"ref":"catalog:product/2","reason":"recalled","until":null}`) {
		t.Errorf("the list is %s", got)
	}
	r.one.change("catalog", "product", "2", map[string]any{"description": "<p>Changed.</p>"}) // its origin goes on
	if got := ways["resource"](r.one); strings.Contains(got, words) {
		t.Errorf("a webhook brings it back: %s", got)
	}
	r.other.manage(unsuppressIt, map[string]any{"ref": "catalog:product/2"})
	for name, way := range ways {
		for _, p := range []*played{r.one, r.other, late} {
			r.until(name+" shows it again", func() bool { return strings.Contains(way(p), words) })
		}
	}
	if a := r.one.ask(r.one.key(tutti.ManagementKey), "", unsuppressIt, map[string]any{"ref": "catalog:product/2"}); a.code() != tutti.NotFound {
		t.Errorf("taking back what is not there: %s", a.Raw)
	}
	log := r.one.manage(`{ audit(first: 2) { nodes { action subject detail reason by } pageInfo { hasNextPage } } }`, nil).Raw
	if !strings.Contains(log, `{"action":"UNSUPPRESS","subject":"catalog:product/2","detail":null,"reason":"it is fine","by":"key_`) ||
		!strings.Contains(log, `{"action":"SUPPRESS","subject":"catalog:product/2","detail":"until it is taken back","reason":"recalled","by":"key_`) {
		t.Errorf("the audit log is %s", log)
	}
}

// TestSuppressedFactsAreUnknown: a rule does not read a fact of a withdrawn record.
func TestSuppressedFactsAreUnknown(t *testing.T) {
	t.Parallel()
	p := play(t)
	arrives := func() string {
		return p.ask(p.key(tutti.BrowserKey), p.token("guest-7"), `{ experience(composition: "hotel-arrival", params: {hotel: "stay:hotel/azul"}, channel: "web", context: {location: {lat: 43.27, lon: -2.9338}, consent: {personalization: true}}) { components { component props } } }`, nil).Raw
	}
	if !strings.Contains(arrives(), "Room 412") {
		t.Fatalf("the guest is not known: %s", arrives())
	}
	p.manage(suppressIt, map[string]any{"ref": "stay:reservation/R-1007"})
	if got := arrives(); strings.Contains(got, "Room 412") || strings.Contains(got, "check-in") {
		t.Errorf("facts of a withdrawn reservation are used: %s", got)
	}
}

// TestASuppressionEndsByItself: at its end the item is delivered again.
func TestASuppressionEndsByItself(t *testing.T) {
	t.Parallel()
	p := play(t)
	const hotel = `{ resource(ref: "stay:hotel/azul") { title } }`
	for _, span := range []time.Duration{time.Hour, time.Second} { // the second stands for the first
		p.manage(suppressIt, map[string]any{"ref": "stay:hotel/azul", "until": time.Now().Add(span).Format(time.RFC3339Nano)})
	}
	for !p.says(hotel, "Hotel Azul") {
		if t.Context().Err() != nil {
			t.Fatal("it never comes back")
		}
	}
	if a := p.ask(p.key(tutti.ManagementKey), "", suppressIt, map[string]any{"ref": "stay:hotel/azul", "until": "2020-01-01T00:00:00Z"}); a.code() != tutti.Invalid {
		t.Errorf("an end that is over: %s", a.Raw)
	}
}

// TestInvalidate: what is kept is read anew, what it touches is told, and a dry run does nothing.
func TestInvalidate(t *testing.T) {
	t.Parallel()
	p := play(t)
	const invalidate = `mutation($refs: [Ref!], $kind: String, $source: ID, $mode: InvalidateMode, $dry: Boolean) { invalidate(refs: $refs, kind: $kind, source: $source, mode: $mode, dryRun: $dry, reason: "a test") { mode dryRun refs kinds compositions touches { composition component type how } } }`
	const hotel = `{ resource(ref: "stay:hotel/azul") { title freshness { state } } }`
	asked := func() int { p.says(hotel, "Azul"); return p.calls()["stay"] }
	asked()
	for _, c := range []struct {
		name string
		vars map[string]any
		new  int // calls
		says []string
	}{
		{"a dry run", map[string]any{"refs": []string{"stay:hotel/azul"}, "dry": true}, 0, []string{`"dryRun":true`, `"mode":"STALE"`, `"refs":["stay:hotel/azul"]`, `"kinds":["stay:hotel"]`, `"composition":"hotel-arrival","component":"welcome","type":"Hero","how":"KIND"`, `"how":"FACT"`}},
		{"another item", map[string]any{"refs": []string{"stay:hotel/brisa"}}, 0, nil},
		{"the item", map[string]any{"refs": []string{"stay:hotel/azul"}}, 1, nil},
		{"the kind", map[string]any{"kind": "stay:hotel", "mode": "PURGE"}, 1, []string{`"refs":[]`, `"kinds":["stay:hotel"]`, `"mode":"PURGE"`}},
		{"another kind", map[string]any{"kind": "stay:place"}, 0, nil},
		{"the source", map[string]any{"source": "stay"}, 1, []string{`"kinds":["stay:hotel","stay:place","stay:reservation"]`}},
		{"another source", map[string]any{"source": "dam"}, 0, nil},
	} {
		before := asked()
		a := p.manage(invalidate, c.vars)
		for _, words := range c.says {
			if !strings.Contains(a.Raw, words) {
				t.Errorf("%s: %s is not in %s", c.name, words, a.Raw)
			}
		}
		if now := asked(); now-before != c.new {
			t.Errorf("%s: %d new calls, want %d", c.name, now-before, c.new)
		}
	}
	for name, vars := range map[string]map[string]any{
		"nothing": {}, "two ways": {"kind": "stay:hotel", "source": "stay"}, "no refs": {"refs": []string{}},
	} {
		if a := p.ask(p.key(tutti.ManagementKey), "", invalidate, vars); a.code() != tutti.InvalidValue {
			t.Errorf("%s: %s", name, a.Raw)
		}
	}
	for name, vars := range map[string]map[string]any{
		"no such kind": {"kind": "stay:hotels"}, "no such source": {"source": "dams"}, "an item of no kind": {"refs": []string{"dams:asset/1"}},
	} {
		if a := p.ask(p.key(tutti.ManagementKey), "", invalidate, vars); a.code() != tutti.UnknownSource {
			t.Errorf("%s: %s", name, a.Raw)
		}
	}
	log := p.manage(`{ audit { nodes { action subject detail reason } } }`, nil).Raw
	if strings.Count(log, `"INVALIDATE"`) != 6 || !strings.Contains(log, `"subject":"stay:hotel","detail":"purge","reason":"a test"`) {
		t.Errorf("the audit log is %s", log)
	}
}

// TestTotalsLeaveOutWhatIsWithdrawn: the total of a list is that of what people can get, wherever
// a list is shown.
func TestTotalsLeaveOutWhatIsWithdrawn(t *testing.T) {
	t.Parallel()
	p := play(t)
	p.reconfigure(patient)
	ask := func() (lists [3]connection) {
		t.Helper()
		var got struct {
			Experience struct{ Components []part }
			Search     connection
			More       connection
		}
		p.ask(p.key(tutti.ServerKey), "", `query($x: ContextInput) {
			experience(composition: "hotel-arrival", params: {hotel: "stay:hotel/azul"}, channel: "web", context: $x) { components { component ... on Offers { items { nodes { ref } totalCount } } } }
			search(source: "catalog", kind: "product", text: "calm") { nodes { ref } totalCount pageInfo { endCursor } } }`,
			map[string]any{"x": map[string]any{"attributes": map[string]any{"tier": "gold"}, "consent": map[string]any{"personalization": true}}}).into(t, &got)
		page := page{Components: got.Experience.Components}
		lists[0], lists[1] = *page.component(t, "offers").Items, got.Search
		var first struct{ Search connection }
		p.ask(p.key(tutti.ServerKey), "", `{ search(source: "catalog", kind: "product", first: 1) { pageInfo { endCursor } } }`, nil).into(t, &first)
		p.ask(p.key(tutti.ServerKey), "", `query($c: String!) { more(cursor: $c, first: 20) { nodes { ref } totalCount } }`, map[string]any{"c": first.Search.PageInfo.EndCursor}).into(t, &got)
		lists[2] = got.More
		return lists
	}
	before := ask()
	p.manage(suppressIt, map[string]any{"ref": "catalog:product/2"})
	for range 2 { // from the origin, and from memory
		for i, after := range ask() {
			had, has := before[i], after
			if len(has.Nodes) != len(had.Nodes)-1 && i != 2 || has.TotalCount == nil || *has.TotalCount != *had.TotalCount-1 {
				t.Errorf("list %d had %d of %d, now %d of %v", i, len(had.Nodes), *had.TotalCount, len(has.Nodes), has.TotalCount)
			}
		}
	}
	p.manage(unsuppressIt, map[string]any{"ref": "catalog:product/2"})
	if again := ask(); *again[0].TotalCount != *before[0].TotalCount || *again[2].TotalCount != *before[2].TotalCount {
		t.Errorf("taken back, the totals are %d and %d", *again[0].TotalCount, *again[2].TotalCount)
	}
}

// TestPurgedDoesNotStandIn: while the origin is down, what is stale stands in, and what was
// purged does not.
func TestPurgedDoesNotStandIn(t *testing.T) {
	t.Parallel()
	p := play(t)
	const hotel = `{ resource(ref: "stay:hotel/azul") { title freshness { state } } }`
	p.says(hotel, "Hotel Azul")
	if err := p.origins.Fault("stay", demo.Fault{Kind: "error", Status: 503}); err != nil {
		t.Fatal(err)
	}
	p.manage(`mutation { invalidate(refs: ["stay:hotel/azul"]) { mode } }`, nil)
	if !p.says(hotel, `"STALE_ERROR"`) {
		t.Error("a stale item does not stand in")
	}
	p.manage(`mutation { invalidate(refs: ["stay:hotel/azul"], mode: PURGE) { mode } }`, nil)
	for range 3 {
		if p.says(hotel, "Hotel Azul") {
			t.Error("a purged item is shown")
		}
	}
}

// TestSuppressingFromTheCommandLine is the operator's way.
func TestSuppressingFromTheCommandLine(t *testing.T) {
	p := play(t)
	t.Setenv("TUTTI_URL", p.server.address())
	t.Setenv("TUTTI_MANAGEMENT_KEY", p.key(tutti.ManagementKey))
	out, errs := succeed(t, "suppress", "catalog:product/2", "--for", "1h", "--reason", "recalled")
	wants(t, "suppress", out+errs, "catalog:product/2 is withdrawn until 20", "offer", "ProductDetail", "KIND")
	out, _ = succeed(t, "suppressions")
	wants(t, "suppressions", out, "catalog:product/2", "recalled", "key_")
	out, errs = succeed(t, "invalidate", "--kind", "stay:hotel", "--dry-run")
	wants(t, "invalidate", out+errs, "Nothing was done", "hotel-arrival", "FACT")
	succeed(t, "invalidate", "stay:hotel/azul", "stay:hotel/brisa", "--purge", "--reason", "wrong address")
	out, _ = succeed(t, "unsuppress", "catalog:product/2", "--reason", "replaced")
	wants(t, "unsuppress", out, "is delivered again")
	out, _ = succeed(t, "audit", "--first", "3")
	wants(t, "audit", out, "UNSUPPRESS", "INVALIDATE  stay:hotel/azul stay:hotel/brisa  purge", "wrong address", "SUPPRESS", "until 20")
	for _, args := range [][]string{{"invalidate"}, {"invalidate", "dam:asset/1", "--source", "dam"}, {"suppress", "catalog:nothing/2", "--reason", "x"}, {"unsuppress", "catalog:product/2", "--reason", "x"}} {
		if code := run(t.Context(), args, new(strings.Builder), new(strings.Builder)); code != failed {
			t.Errorf("%v ends with %d", args, code)
		}
	}
}
