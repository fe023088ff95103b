package sources

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/internal/config"
)

var limitsNow = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

func TestHeadersTellWhatIsLeft(t *testing.T) {
	in := func(s int) time.Time { return limitsNow.Add(time.Duration(s) * time.Second) }
	fields := LimitSpec{Fields: []string{"RateLimit"}}
	for _, test := range []struct {
		name       string
		spec       LimitSpec
		header     http.Header
		until, low time.Time
	}{
		{"nothing is said", LimitSpec{Remaining: "R", Fields: []string{"F"}, Usage: []string{"U"}}, http.Header{}, time.Time{}, time.Time{}},
		{"enough", LimitSpec{Limit: "L", Remaining: "R", Reset: "S"}, http.Header{"L": {"100"}, "R": {"50"}, "S": {"30"}}, time.Time{}, time.Time{}},
		{"few", LimitSpec{Limit: "L", Remaining: "R", Reset: "S"}, http.Header{"L": {"100"}, "R": {"9"}, "S": {"30"}}, time.Time{}, in(30)},
		{"none, and nobody knows until when", LimitSpec{Remaining: "R"}, http.Header{"R": {"0"}}, in(1), time.Time{}},
		{"none, with a hold of ours", LimitSpec{Remaining: "R", Hold: "5m"}, http.Header{"R": {"0"}}, in(300), time.Time{}},
		{"Zendesk's index", LimitSpec{Fields: []string{"Zendesk-Ratelimit-Tickets-Index"}}, http.Header{"Zendesk-Ratelimit-Tickets-Index": {"total=100; remaining=0; resets=41"}}, in(41), time.Time{}},
		{"Zendesk's index, few", LimitSpec{Fields: []string{"zendesk-ratelimit-tickets-index"}}, http.Header{"Zendesk-Ratelimit-Tickets-Index": {"total=100; remaining=3; resets=41"}}, time.Time{}, in(41)},
		{"the draft", fields, http.Header{"Ratelimit": {`"default";r=0;t=30`}}, in(30), time.Time{}},
		{"the draft, of two policies", fields, http.Header{"Ratelimit": {`"burst";r=5;t=2, "daily";r=0;t=900`}}, in(900), time.Time{}},
		{"the draft, with the window of its policy", fields, http.Header{"Ratelimit": {`"daily";r=0`}, "Ratelimit-Policy": {`"burst";q=10;w=2`, `"daily";q=1000;w=3600`}}, in(3600), time.Time{}},
		{"the draft, few of its policy", fields, http.Header{"Ratelimit": {`"daily";r=20;t=60`}, "Ratelimit-Policy": {`"daily";q=1000;w=3600`}}, time.Time{}, in(60)},
		{"an earlier draft", fields, http.Header{"Ratelimit": {"limit=100, remaining=0, reset=5"}}, in(5), time.Time{}},
		{"unix seconds in a field", fields, http.Header{"Ratelimit": {fmt.Sprintf("limit=100, remaining=0, reset=%d", in(77).Unix())}}, in(77), time.Time{}},
		{"nonsense in a field", fields, http.Header{"Ratelimit": {`;;=,"x;r=NaN;t=Inf,,r=`}}, time.Time{}, time.Time{}},
		{"X-App-Usage", LimitSpec{Usage: []string{"X-App-Usage"}}, http.Header{"X-App-Usage": {`{"call_count":28,"total_time":25,"total_cputime":25}`}}, time.Time{}, time.Time{}},
		{"X-App-Usage, nearly all", LimitSpec{Usage: []string{"X-App-Usage"}}, http.Header{"X-App-Usage": {`{"call_count":28,"total_time":95,"total_cputime":25}`}}, time.Time{}, in(300)},
		{"X-App-Usage, all", LimitSpec{Usage: []string{"X-App-Usage"}}, http.Header{"X-App-Usage": {`{"call_count":100,"total_time":25,"total_cputime":25}`}}, in(300), time.Time{}},
		{"business use case", LimitSpec{Usage: []string{"X-Business-Use-Case-Usage"}}, http.Header{"X-Business-Use-Case-Usage": {`{"66782684":[{"type":"instagram","call_count":95,"total_cputime":20,"total_time":20,"estimated_time_to_regain_access":19}]}`}}, in(19 * 60), time.Time{}},
		{"usage that cannot be read", LimitSpec{Usage: []string{"U"}}, http.Header{"U": {"{"}}, time.Time{}, time.Time{}},
	} {
		t.Run(test.name, func(t *testing.T) {
			l := limits{LimitSpec: test.spec}
			if test.spec.Hold != "" {
				l.hold, _ = time.ParseDuration(test.spec.Hold)
			}
			got := l.left(test.header, limitsNow)
			if !got.until.Equal(test.until) || !got.low.Equal(test.low) {
				t.Errorf("it says %v and %v, want %v and %v", got.until, got.low, test.until, test.low)
			}
		})
	}
}

func FuzzRateFields(f *testing.F) {
	for _, s := range []string{`"default";r=50;t=30`, "limit=100, remaining=50, reset=5", "total=100; remaining=99; resets=41", `{"a":[{"call_count":1}]}`} {
		f.Add(s, s)
	}
	f.Fuzz(func(t *testing.T, field, policy string) {
		for _, p := range ratePolicies([]string{field}, []string{policy}, limitsNow) {
			if !p.reset.IsZero() && p.reset.Before(limitsNow.Add(-100*365*24*time.Hour)) || math.IsInf(p.remaining, 0) {
				t.Errorf("%q says %+v", field, p)
			}
		}
		if _, wait, _ := usage(field); wait < 0 || wait > 24*time.Hour {
			t.Errorf("%q says to wait for %v", field, wait)
		}
	})
}

// limitedManifest is a manifest with limits.
func limitedManifest(more string) string {
	return "name: acme\n" + more + `
kinds:
  item:
    type: Product
    get: {path: "/items/${id}"}
    select: [{path: /list, records: items}]
    map: {title: record.name}
`
}

// TestAnAnswerAsksToWait lets a system refuse in the ways that are documented, and looks until when it is
// left alone.
func TestAnAnswerAsksToWait(t *testing.T) {
	const (
		youtube = `limits: {throttled: [{statuses: [403], when: "answer.error.errors.exists(e, e.reason in ['quotaExceeded', 'dailyLimitExceeded'])", until: midnight America/Los_Angeles}, {statuses: [403], when: "answer.error.errors.exists(e, e.reason == 'rateLimitExceeded')", hold: 30s}]}`
		meta    = `limits: {usage: [X-Business-Use-Case-Usage, X-App-Usage], hold: 5m, throttled: [{statuses: [400, 403], when: "answer.error.code in [4, 17, 32, 613]"}]}`
		inside  = `limits: {throttled: [{when: "answer.status == 'slow down'", hold: 10s}]}`
		bynder  = `limits: {hold: 5m}`
		clouds  = `limits: {statuses: [420, 429], reset: X-FeatureRateLimit-Reset, resetAs: time}`
	)
	pacific, err := time.LoadLocation("America/Los_Angeles")
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name, limits string
		status       int
		header, body string
		wait         time.Duration // 0 = it is called again
	}{
		{"429 with seconds", "", 429, "Retry-After: 17", `{}`, 17 * time.Second},
		{"429 with a date", "", 429, "Retry-After: Sat, 21 Nov 2026 12:00:40 GMT", `{}`, 40 * time.Second},
		{"429 that says nothing", "", 429, "", `{}`, time.Second},
		{"429 for longer than an hour", "", 429, "Retry-After: 999999", `{}`, time.Hour},
		{"503 with seconds", "", 503, "Retry-After: 30", `{}`, 30 * time.Second},
		{"502 with seconds", "", 502, "Retry-After: 30", `{}`, 30 * time.Second},
		{"403 with seconds", "", 403, "Retry-After: 60", `{}`, time.Minute}, // as GitHub says that calls come too fast
		{"404 with seconds", "", 404, "Retry-After: 60", `{}`, 0},
		{"420 with a date in a header", clouds, 420, "X-FeatureRateLimit-Reset: Sat, 21 Nov 2026 12:10:00 GMT", `{}`, 10 * time.Minute},
		{"Bynder", bynder, 429, "", `too many`, 5 * time.Minute},
		{"YouTube's quota", youtube, 403, "", `{"error":{"code":403,"errors":[{"domain":"youtube.quota","reason":"quotaExceeded"}]}}`, time.Date(2026, 11, 22, 0, 0, 0, 0, pacific).Sub(limitsNow)},
		{"YouTube's rate", youtube, 403, "", `{"error":{"code":403,"errors":[{"domain":"usageLimits","reason":"rateLimitExceeded"}]}}`, 30 * time.Second},
		{"YouTube's other refusals", youtube, 403, "", `{"error":{"code":403,"errors":[{"reason":"forbidden"}]}}`, 0},
		{"YouTube's page of a proxy", youtube, 403, "", `<html>`, 0},
		{"Meta's code 4", meta, 400, "", `{"error":{"message":"x","type":"OAuthException","code":4}}`, 5 * time.Minute},
		{"Meta's code 32 with an estimate", meta, 403, `X-Business-Use-Case-Usage: {"1":[{"call_count":100,"estimated_time_to_regain_access":7}]}`, `{"error":{"code":32}}`, 7 * time.Minute},
		{"Meta's dead token", meta, 400, "", `{"error":{"code":190}}`, 0},
		{"inside of a 200", inside, 200, "", `{"status":"slow down"}`, 10 * time.Second},
		{"a good 200", inside, 200, "", `{"id":"a","name":"A"}`, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := &clock{limitsNow}
			h := play(t, limitedManifest(test.limits), public, func(w http.ResponseWriter, _ *http.Request) {
				if name, value, ok := strings.Cut(test.header, ": "); ok {
					w.Header().Set(name, value)
				}
				w.WriteHeader(test.status)
				_, _ = w.Write([]byte(test.body))
			}, func(_ *config.Source, d *Deps) { d.Now = c.now })
			ask := func(id string) error { return h.Get(t.Context(), refs(id), tutti.Scope{})[0].Err }
			err := ask("a")
			first := h.calls()
			if test.wait == 0 {
				ask("b")
				if h.calls() == first {
					t.Error("it is left alone")
				}
				return
			}
			if tutti.CodeOf(err) != tutti.RateLimited && test.status/100 != 5 || first != 1 {
				t.Errorf("after %d calls: %v", first, err)
			}
			c.t = limitsNow.Add(test.wait - time.Millisecond)
			if ask("c"); h.calls() != first {
				t.Errorf("it was called before %v were over", test.wait)
			}
			if _, err := h.Select(t.Context(), tutti.Selection{Source: "shop", Kind: "item"}, tutti.Scope{}); tutti.CodeOf(err) != tutti.RateLimited || h.calls() != first {
				t.Errorf("a selection: %v", err)
			}
			c.t = limitsNow.Add(test.wait)
			if ask("d"); h.calls() == first {
				t.Errorf("it is not called again after %v", test.wait)
			}
		})
	}
}

// TestAHoldHasNoCallInIt plays a system that extends its block with every call that it refuses: each
// refusal is followed by so long without any.
func TestAHoldHasNoCallInIt(t *testing.T) {
	c := &clock{limitsNow}
	var asked []time.Time
	h := play(t, limitedManifest("limits: {hold: 5m}"), public, func(w http.ResponseWriter, _ *http.Request) {
		asked = append(asked, c.t)
		http.Error(w, "too many", http.StatusTooManyRequests)
	}, func(_ *config.Source, d *Deps) { d.Now = c.now })
	for i := range 3600 { // an hour, with a visitor each second
		h.Get(t.Context(), refs(fmt.Sprint(i)), tutti.Scope{})
		c.t = c.t.Add(time.Second)
	}
	if len(asked) != 12 {
		t.Errorf("in an hour it was called %d times", len(asked))
	}
	for i := 1; i < len(asked); i++ {
		if d := asked[i].Sub(asked[i-1]); d < 5*time.Minute {
			t.Errorf("two calls are %v apart", d)
		}
	}
}

func TestAnErrorInsideOfA200IsOne(t *testing.T) {
	h := play(t, limitedManifest("failed: answer.ok == false"), public, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/items/bad" {
			_, _ = w.Write([]byte(`{"ok": false, "error": "canary", "id": "bad"}`))
			return
		}
		_, _ = w.Write([]byte(`{"ok": true, "id": "good", "name": "Good"}`))
	})
	if g := h.Get(t.Context(), refs("bad"), tutti.Scope{})[0]; tutti.CodeOf(g.Err) != tutti.BadAnswer || strings.Contains(g.Err.Error(), "canary") {
		t.Errorf("an error inside of a 200: %v, %v", g.Resource, g.Err)
	}
	if g := h.Get(t.Context(), refs("good"), tutti.Scope{})[0]; g.Resource == nil {
		t.Errorf("a good answer: %v", g.Err)
	}
}

// TestCallsCostPoints plays a bucket of 100 points to which 10 come back each second; a call costs 30.
func TestCallsCostPoints(t *testing.T) {
	for name, points := range map[string]string{
		"the answer says all":         "{used: extensions.cost.actual, left: extensions.cost.left, most: extensions.cost.most, rate: extensions.cost.rate}",
		"the answer says only a cost": "{used: extensions.cost.actual, most: 100, rate: 10}",
	} {
		t.Run(name, func(t *testing.T) {
			manifest := `
name: acme
graphql: /graphql
limits: {points: ` + points + `}
kinds:
  item:
    type: Product
    get: {graphql: {document: "query($id: ID!) { item(id: $id) { id name } }", variables: {id: "${id}"}}, record: data.item}
    map: {title: record.name}
`
			c, left, last, throttled := &clock{limitsNow}, 100.0, limitsNow, 0
			h := play(t, manifest, public, func(w http.ResponseWriter, r *http.Request) {
				var in struct{ Variables struct{ ID string } }
				_ = json.NewDecoder(r.Body).Decode(&in)
				left, last = min(100, left+10*c.t.Sub(last).Seconds()), c.t
				cost := map[string]any{"actual": 30, "most": 100, "rate": 10.0}
				if left < 30 {
					throttled++
					cost["left"] = left
					write(w, map[string]any{"data": nil, "errors": []any{map[string]any{"extensions": map[string]any{"code": "THROTTLED"}}}, "extensions": map[string]any{"cost": cost}})
					return
				}
				left -= 30
				cost["left"] = left
				write(w, map[string]any{"data": map[string]any{"item": map[string]any{"id": in.Variables.ID, "name": "x"}}, "extensions": map[string]any{"cost": cost}})
			}, func(s *config.Source, d *Deps) { d.Now, s.Limits.Timeout = c.now, 100*time.Millisecond })
			got := 0
			for i := range 600 { // a minute of visitors
				if h.Get(t.Context(), refs(fmt.Sprint(i)), tutti.Scope{})[0].Resource != nil {
					got++
				}
				c.t = c.t.Add(100 * time.Millisecond)
			}
			if throttled > 0 {
				t.Errorf("the system had to refuse %d times", throttled)
			}
			if got < 20 || got > 23 { // (100 + 600) / 30
				t.Errorf("%d calls of 23 that the points allow", got)
			}
		})
	}
}

func TestTheConfigLowersTheManifestsLimits(t *testing.T) {
	for _, test := range []struct {
		name        string
		manifest    LimitSpec
		config      config.SourceLimits
		rate        float64
		ahead       time.Duration
		concurrency int
	}{
		{"only the config", LimitSpec{}, config.SourceLimits{Concurrency: 16, Rate: 5}, 5, 0, 16},
		{"only the manifest", LimitSpec{Rate: 10, Burst: 21, Concurrency: 4}, config.SourceLimits{Concurrency: 16}, 10, 2 * time.Second, 4},
		{"the config is lower", LimitSpec{Rate: 10, Burst: 21, Concurrency: 4}, config.SourceLimits{Concurrency: 2, Rate: 1}, 1, 0, 2},
		{"the config is higher", LimitSpec{Rate: 10, Burst: 21, Concurrency: 4}, config.SourceLimits{Concurrency: 40, Rate: 100}, 10, 2 * time.Second, 4},
	} {
		t.Run(test.name, func(t *testing.T) {
			g := test.manifest.gate(time.Now, test.config)
			if g.rate != test.rate || g.ahead != test.ahead || cap(g.slots) != test.concurrency {
				t.Errorf("it is %v a second, %v ahead, %d at once", g.rate, g.ahead, cap(g.slots))
			}
		})
	}
}

func TestABurstComesAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := (&LimitSpec{Rate: 10, Burst: 5}).gate(time.Now, config.SourceLimits{Concurrency: 16})
		began := time.Now()
		for i := range 8 {
			if err := g.enter(t.Context()); err != nil {
				t.Fatal(err)
			}
			g.leave()
			if want := time.Duration(max(0, i-4)) * 100 * time.Millisecond; time.Since(began) != want {
				t.Errorf("call %d came after %v, want %v", i, time.Since(began), want)
			}
		}
		time.Sleep(10 * time.Second) // it fills up, but to no more than a burst
		began = time.Now()
		for range 6 {
			if err := g.enter(t.Context()); err != nil {
				t.Fatal(err)
			}
			g.leave()
		}
		if time.Since(began) != 100*time.Millisecond {
			t.Errorf("six calls after a rest took %v", time.Since(began))
		}
	})
}

func TestFewCallsLeftAreForVisitors(t *testing.T) {
	c := &clock{limitsNow}
	h := play(t, limitedManifest("limits: {limit: X-Limit, remaining: X-Left, reset: X-Reset}"), public, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Limit", "100")
		w.Header().Set("X-Left", "5")
		w.Header().Set("X-Reset", "30")
		_, _ = w.Write([]byte(`{"id": "a"}`))
	}, func(_ *config.Source, d *Deps) { d.Now = c.now })
	g := h.byName["shop"].gate
	if !g.quiet() {
		t.Error("before any call it is not quiet")
	}
	h.Get(t.Context(), refs("a"), tutti.Scope{})
	if g.quiet() || g.closed() {
		t.Error("with few calls left, what nobody waits for may go on, or visitors may not")
	}
	c.t = c.t.Add(30 * time.Second)
	if !g.quiet() {
		t.Error("it does not become quiet again")
	}
}

// TestNoAnswerClosesTheGateForGood: whatever a system says of its points, a call may go in an hour at the latest.
func TestNoAnswerClosesTheGateForGood(t *testing.T) {
	for what, said := range map[string]spent{
		"far less than nothing is left":   {used: 1, left: -1e7, most: 1000, rate: 50},
		"a call costs more than there is": {used: 1e7, left: math.NaN(), most: 1000, rate: 50},
		"next to nothing comes back":      {used: 10, left: 0, most: 1000, rate: 1e-4},
		"nothing but the largest numbers": {used: math.MaxFloat64, left: -math.MaxFloat64, most: math.MaxFloat64, rate: math.SmallestNonzeroFloat64},
	} {
		t.Run(what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newGate(time.Now, 4, 0)
				g.spend(said)
				time.Sleep(longestWait)
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				if err := g.enter(ctx); err != nil {
					t.Fatal(err)
				}
				g.leave()
				g.spend(spent{used: 1, left: 1000, most: 1000, rate: 50}) // it is well again
				if err := g.enter(ctx); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// TestWhatASystemSaysOfTimeIsBounded: few calls left are few for an hour at most, and a gate that an instant on the wall closed
// opens by the clock that nobody sets.
func TestWhatASystemSaysOfTimeIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(time.Now, 4, 0)
		g.learn(left{low: time.Now().AddDate(100, 0, 0)})
		if g.quiet() {
			t.Error("few calls are left, and it is quiet")
		}
		time.Sleep(longestWait)
		if !g.quiet() {
			t.Error("an hour later it is not quiet")
		}
	})
	g := newGate(time.Now, 4, 0)
	g.close(time.Now().Add(time.Minute).Round(0)) // as it is read from a header
	if wait := g.until.String(); !strings.Contains(wait, " m=") {
		t.Errorf("it is closed until %s", wait)
	}
}
