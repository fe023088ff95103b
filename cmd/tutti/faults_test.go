package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/demo"
	"github.com/tuttihq/tutti/internal/config"
)

// reopen takes the demo's config again with cold caches; healthy sources get all the time that a
// busy machine may need, the named ones give up soon. What sources asked to wait for is over: each has an address
// of another spelling, so that it is not known to be the same.
func (p *played) reopen(change func(*config.Source), hurried ...string) {
	p.t.Helper()
	p.reopened++
	p.reconfigure(func(cfg *config.Config) {
		cfg.Sources = slices.Clone(cfg.Sources)
		for i := range cfg.Sources {
			s := &cfg.Sources[i]
			s.Limits.Timeout = 30 * time.Second
			s.URL = strings.TrimSuffix(s.URL, "/") + strings.Repeat("/", p.reopened%2)
			if slices.Contains(hurried, s.Name) {
				s.Limits.Timeout = 50 * time.Millisecond
			}
			s.Limits.SoftTimeout = s.Limits.Timeout
			if change != nil {
				change(s)
			}
		}
	})
}

// broken says, for a fault, which code its problems have.
var broken = map[string]tutti.Code{
	"error": tutti.Unavailable, "slow": tutti.Timeout, "garbage": tutti.BadAnswer, "wrong-type": tutti.BadAnswer, "oversize": tutti.TooLarge,
	"rate-limited": tutti.RateLimited, "reset": tutti.Unavailable, "black-hole": tutti.Timeout, "gone": tutti.BadAnswer,
}

// TestAFaultCostsItsPartOfThePage lets each origin fail while nothing is remembered: one of them
// in every way, the others in three.
func TestAFaultCostsItsPartOfThePage(t *testing.T) {
	t.Parallel()
	for source, lost := range map[string]struct {
		components []string // left out
		problem    string   // where it is told
	}{
		"dam":     {nil, "slots.top[0].props.image"},
		"catalog": {[]string{"offers"}, "slots.main[1].props.items"},
		"social":  {[]string{"nearby"}, "slots.main[3].props.items"},
		"support": {[]string{"request"}, "slots.main[2].props.items"},
		"stay":    {[]string{"check-in", "offers", "request", "nearby"}, "params.hotel"},
	} {
		t.Run(source, func(t *testing.T) {
			t.Parallel()
			p := play(t)
			whole := p.arrive(ana("mobile", "en"))
			slash := ""
			anew := func(s *config.Source) { // another address, so that nothing is known of how long the system wants to be left alone
				if s.Name == source && s.URL != "" {
					s.URL = strings.TrimSuffix(s.URL, "/") + slash
				}
			}
			for kind, code := range broken {
				if source != "social" && !slices.Contains([]string{"error", "black-hole", "gone"}, kind) {
					continue
				}
				var late []string
				if code == tutti.Timeout {
					late = []string{source}
				}
				slash = map[string]string{"": "/", "/": ""}[slash]
				p.reopen(anew, late...)
				if err := p.origins.Fault(source, demo.Fault{Kind: kind}); err != nil {
					t.Fatal(err)
				}
				x := p.settled(demo.Arrival, ana("mobile", "en"), late...)
				for _, c := range whole.Components {
					if is := x.has(c.Component) != nil; is == slices.Contains(lost.components, c.Component) {
						t.Errorf("%s: component %s is there: %v", kind, c.Component, is)
					}
				}
				if hero := x.component(t, "welcome"); source == "stay" && hero.Headline != "Welcome" || source == "dam" && hero.Image != nil {
					t.Errorf("%s: the hero is %+v", kind, hero)
				}
				if x.Freshness.State != "MISSING" && code != "" {
					t.Errorf("%s: the page is %s", kind, x.Freshness.State)
				}
				if i := slices.IndexFunc(x.Problems, func(f problem) bool { return f.Path == lost.problem }); (i >= 0) != (code != "") || i >= 0 && (x.Problems[i].Code != code || x.Problems[i].Stale) {
					t.Errorf("%s: the problems are %+v", kind, x.Problems)
				}
				for _, f := range x.Problems {
					if strings.Contains(f.Message, "127.0.0.1") || strings.Contains(f.Message, "http") {
						t.Errorf("%s: tells too much: %s", kind, f.Message)
					}
				}
			}
			p.origins.ClearFaults()
			slash = map[string]string{"": "/", "/": ""}[slash]
			p.reopen(anew)
			if x := p.arrive(ana("mobile", "en")); len(x.Components) != len(whole.Components) || x.Freshness.State != "FRESH" || len(x.Problems) > 0 {
				t.Errorf("healed, the page is %s with %d components: %+v", x.Freshness.State, len(x.Components), x.Problems)
			}
		})
	}
}

// TestOldCopiesStandInForABrokenSource lets everything grow old at once: nothing counts as fresh
// for longer than a nanosecond.
func TestOldCopiesStandInForABrokenSource(t *testing.T) {
	t.Parallel()
	p := play(t)
	p.reopen(func(s *config.Source) {
		s.Freshness = config.Freshness{Fresh: time.Nanosecond, StaleIfError: time.Hour}
		s.Kinds = maps.Clone(s.Kinds)
		for name, k := range s.Kinds {
			k.Freshness = nil
			s.Kinds[name] = k
		}
	})
	whole := p.arrive(ana("mobile", "en"))
	if whole.Freshness.State != "FRESH" || len(whole.Problems) > 0 {
		t.Fatalf("%+v %+v", whole.Freshness, whole.Problems)
	}
	for source, at := range map[string]string{
		"dam": "slots.top[0].props.image", "catalog": "slots.main[1].props.items", "social": "slots.main[3].props.items", "support": "slots.main[2].props.items", "stay": "slots.top[0].props.text",
	} {
		t.Run(source, func(t *testing.T) {
			if err := p.origins.Fault(source, demo.Fault{Kind: "error"}); err != nil {
				t.Fatal(err)
			}
			x := p.arrive(ana("mobile", "en"))
			if len(x.Components) != len(whole.Components) || x.Title != whole.Title {
				t.Errorf("there are %d components", len(x.Components))
			}
			if x.Freshness.State != "STALE_ERROR" || x.Freshness.AsOf == nil || !x.Freshness.AsOf.Before(time.Now()) {
				t.Errorf("the page is %+v", x.Freshness)
			}
			told := false
			for _, f := range x.Problems {
				told = told || f.Path == at || strings.HasPrefix(f.Path, at)
				if !f.Stale || f.Code != tutti.Unavailable {
					t.Errorf("%+v", f)
				}
			}
			if !told {
				t.Errorf("%s is not told: %+v", at, x.Problems)
			}
			p.origins.ClearFaults()
			if source != "social" {
				p.server.house.live.Load().sources.Forget(source) // what is forgotten is asked for at once, failure or not
			}
			for x = p.arrive(ana("mobile", "en")); source == "social" && x.Freshness.State == "STALE_ERROR"; {
				x = p.arrive(ana("mobile", "en")) // within a second or so it is tried again by itself
			}
			if x.Freshness.State != "FRESH" || len(x.Problems) > 0 {
				t.Errorf("healed, the page is %+v: %+v", x.Freshness, x.Problems)
			}
		})
	}
	t.Run("a source that asks to wait is not asked meanwhile", func(t *testing.T) {
		if err := p.origins.Fault("social", demo.Fault{Kind: "rate-limited", RetryAfter: time.Hour}); err != nil {
			t.Fatal(err)
		}
		p.arrive(ana("mobile", "en"))
		p.origins.ResetCalls()
		x := p.arrive(ana("mobile", "en"))
		if got := p.calls()["social"]; got != 0 {
			t.Errorf("it was asked %d times", got)
		}
		if len(x.Components) != len(whole.Components) || x.Freshness.State != "STALE_ERROR" || len(x.Problems) == 0 || x.Problems[0].Code != tutti.RateLimited || !x.Problems[0].Stale {
			t.Errorf("%+v %+v", x.Freshness, x.Problems)
		}
	})
}

func TestWebhooksForgetAtOnce(t *testing.T) {
	t.Parallel()
	p := play(t)
	p.reopen(nil)
	one := func(ref, fields, token string) string {
		t.Helper()
		var got struct{ Resource map[string]any }
		p.ask(p.key(tutti.ManagementKey), token, `query($ref: Ref!) { resource(ref: $ref) { title `+fields+` } }`, map[string]any{"ref": ref}).into(t, &got)
		b, err := json.Marshal(got.Resource)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	page := func() string {
		x := p.settled(cards, ana("mobile", "en"))
		return p.readable(x)
	}
	before := page()
	hotel := "stay:hotel/azul"
	post := regexp.MustCompile(`social:post/(\d+)`).FindStringSubmatch(p.ask(p.key(tutti.ServerKey), "", demo.Arrival, ana("mobile", "en")).Raw)[1]
	for _, c := range []struct {
		source, kind, id string
		fields           map[string]any
		old, now         string // on the page
	}{
		{"stay", "hotel", "azul", map[string]any{"name": "Hotel Nuevo"}, "Arriving at Hotel Azul", "Arriving at Hotel Nuevo"},
		{"stay", "reservation", "R-1007", map[string]any{"room": "7"}, "Room 412", "Room 7"},
		{"dam", "asset", "6423460cf463fc4a582ad0494543824d", map[string]any{"context": map[string]any{"custom": map[string]any{"alt": "A blue door"}}}, "hills behind", "A blue door"},
		{"catalog", "variant", "1", map[string]any{"priceWithTax": 1234}, "19.00 EUR", "12.34 EUR"},
		{"catalog", "product", "2", map[string]any{"name": "A nap"}, "An hour of calm", "A nap"},
		{"social", "post", post, map[string]any{"content": "<p>Closed for good.</p>"}, "Order the anchovies", "Closed for good."},
		{"support", "ticket", "71400", map[string]any{"subject": "Early arrival"}, "Late arrival", "Early arrival"},
	} {
		t.Run(c.source+" "+c.kind, func(t *testing.T) {
			if !strings.Contains(before, c.old) {
				t.Fatalf("the page does not say %q:\n%s", c.old, before)
			}
			p.change(c.source, c.kind, c.id, c.fields)
			if got := page(); strings.Contains(got, c.old) || !strings.Contains(got, c.now) {
				t.Errorf("after the change the page says:\n%s", got)
			}
		})
	}
	t.Run("what nobody will see again is gone", func(t *testing.T) {
		p.change("support", "ticket", "71400", map[string]any{"status": "solved"})
		p.change("social", "post", post, nil)
		x := p.arrive(ana("mobile", "en"))
		if x.has("request") != nil || len(x.Problems) > 0 {
			t.Errorf("the request is still there, or it is a problem: %+v", x.Problems)
		}
		for _, n := range x.component(t, "nearby").Items.Nodes {
			if n.Ref == "social:post/"+post {
				t.Error("the post is still there")
			}
		}
	})

	hook := func(body, secret string, at time.Time) answer {
		ts := strconv.FormatInt(at.Unix(), 10)
		mac := hmac.New(sha256.New, []byte(secret))
		mac.Write([]byte(ts + "." + body))
		return p.send(http.MethodPost, "/webhooks/stay", http.Header{
			"Content-Type": {"application/json"}, "X-Hook-Timestamp": {ts}, "X-Hook-Signature": {"sha256=" + hex.EncodeToString(mac.Sum(nil))},
		}, []byte(body))
	}
	secret := p.origins.Secrets("stay")["webhook_secret"]
	changed := func(at string) string { return `{"event":"hotel.updated","ids":["azul"],"at":"` + at + `"}` }
	asked := func() bool { // whether the hotel had to be read again
		p.origins.ResetCalls()
		one(hotel, "", "")
		return p.calls()["stay"] > 0
	}
	one(hotel, "", "")
	t.Run("a good one", func(t *testing.T) {
		if got := hook(changed("1"), secret, time.Now()); got.Status != http.StatusAccepted || !asked() {
			t.Errorf("%d %s", got.Status, got.Raw)
		}
	})
	t.Run("the same again", func(t *testing.T) {
		now := time.Now()
		hook(changed("2"), secret, now)
		one(hotel, "", "")
		if got := hook(changed("2"), secret, now); got.Status != http.StatusAccepted || asked() {
			t.Errorf("%d, or it was forgotten twice", got.Status)
		}
	})
	for name, got := range map[string]func() answer{
		"a wrong secret": func() answer { return hook(changed("3"), "guessed", time.Now()) },
		"an old one":     func() answer { return hook(changed("4"), secret, time.Now().Add(-time.Hour)) },
		"one to come":    func() answer { return hook(changed("5"), secret, time.Now().Add(time.Hour)) },
		"no signature": func() answer {
			return p.send(http.MethodPost, "/webhooks/stay", http.Header{}, []byte(changed("6")))
		},
	} {
		t.Run(name, func(t *testing.T) {
			if a := got(); a.Status != http.StatusUnauthorized || asked() {
				t.Errorf("%d %s, or something was forgotten", a.Status, a.Raw)
			}
		})
	}
	t.Run("other sources and methods", func(t *testing.T) {
		if a := p.send(http.MethodPost, "/webhooks/none", http.Header{}, []byte(`{}`)); a.Status != http.StatusNotFound {
			t.Errorf("%d", a.Status)
		}
		if a := p.send(http.MethodGet, "/webhooks/stay", http.Header{}, nil); a.Status != http.StatusMethodNotAllowed {
			t.Errorf("%d", a.Status)
		}
		if a := hook("not JSON", secret, time.Now()); a.Status != http.StatusBadRequest {
			t.Errorf("%d", a.Status)
		}
	})
	if strings.Contains(p.log.String(), secret) {
		t.Error("the log holds a secret")
	}
}

// TestWarmPagesOutliveEveryFault asks for a page that was read before while one source fails in all of
// its calls: it comes whole and marked stale, and fresh again when the source is well. e2e holds the
// same against the clock, for a minute.
func TestWarmPagesOutliveEveryFault(t *testing.T) {
	t.Parallel()
	p := play(t)
	p.reopen(func(s *config.Source) {
		if s.Name == "social" {
			s.Freshness = config.Freshness{Fresh: time.Nanosecond, Stale: time.Nanosecond, StaleIfError: time.Hour}
		}
	}, "social")
	look := func() page { return p.settled(demo.Arrival, ana("mobile", "en"), "social") }
	fresh := func() (x page) {
		for x = look(); x.Freshness.State != "FRESH"; x = look() {
			p.server.house.live.Load().sources.Forget("social") // is asked for at once
		}
		return x
	}
	whole := fresh()
	for name, f := range map[string]demo.Fault{
		"503": {Kind: "error", Status: http.StatusServiceUnavailable}, "reset": {Kind: "reset"}, "black hole": {Kind: "black-hole"},
		"garbage": {Kind: "garbage"}, "too slow": {Kind: "slow", Delay: time.Minute},
	} {
		if err := p.origins.Fault("social", f); err != nil {
			t.Fatal(err)
		}
		for range 5 {
			x := look()
			if len(x.Components) != len(whole.Components) || x.Title != whole.Title || len(x.component(t, "nearby").Items.Nodes) != len(whole.component(t, "nearby").Items.Nodes) {
				t.Errorf("%s: there are %d components", name, len(x.Components))
			}
			if !strings.HasPrefix(x.Freshness.State, "STALE_") {
				t.Errorf("%s: the page is %s", name, x.Freshness.State)
			}
			for _, lack := range x.Problems {
				if !lack.Stale {
					t.Errorf("%s: %+v", name, lack)
				}
			}
		}
		p.origins.ClearFaults()
		if x := fresh(); len(x.Problems) > 0 {
			t.Errorf("%s: healed, its problems are %+v", name, x.Problems)
		}
	}
}
