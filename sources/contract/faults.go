package contract

import (
	"context"
	"strings"
	"time"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/internal/config"
)

// faultQuestions are asked of every kind of a running system, and of the first of a recording: there
// they are about the way to the system, which is the same for all.
var faultQuestions = []kindQuestion{
	{"slow", failing(Fault{Kind: "slow", Delay: 30 * time.Second})},
	{"reset", failing(Fault{Kind: "reset"})},
	{"500", failing(Fault{Kind: "error", Status: 500})},
	{"503", failing(Fault{Kind: "error", Status: 503})},
	{"garbage", failing(Fault{Kind: "garbage"})},
	{"wrong content type", failing(Fault{Kind: "wrong-type"})},
	{"too large", failing(Fault{Kind: "oversize"})},
	{"429 with Retry-After", limited},
	{"cancelled", cancelled},
}

// comesTo is the code that each fault comes to.
var comesTo = map[string]tutti.Code{
	"slow": tutti.Timeout, "reset": tutti.Unavailable, "error": tutti.Unavailable, "garbage": tutti.BadAnswer, "wrong-type": tutti.BadAnswer, "oversize": tutti.TooLarge,
}

// breaks makes every call fail, until the question ends or heal.
func (t *asking) breaks(f Fault) {
	if t.sys.Fault == nil {
		t.sys.front.fault.Store(&f)
		return
	}
	if err := t.sys.Fault(f); err != nil {
		t.stop("breaking the system: %v", err)
	}
}

// failing makes a question of a fault: a cold item fails in time and with the right code, a kept one stands in.
func failing(f Fault) func(t *asking, kind string) {
	return func(t *asking, kind string) {
		t.canFail(f.Kind)
		limits := func(c *config.Source) {
			switch f.Kind {
			case "slow":
				c.Limits.Timeout, c.Limits.SoftTimeout = t.sys.Patience, t.sys.Patience/4
			case "oversize":
				c.Limits.MaxBytes = 1 << 20
			}
		}
		id := t.sample(kind).IDs[0]
		if code := comesTo[f.Kind]; (code == tutti.BadAnswer || code == tutti.TooLarge) && t.headersOnly(kind) {
			t.cannot("nothing but the headers of its answers is read")
		}
		h, cold := t.open(limits), t.open(limits)
		r := t.found(h, kind, id)
		t.breaks(f)
		got, calls := cold.get(t.ctx, kind, id)
		if code := tutti.CodeOf(got[0].Err); got[0].Resource != nil || code != comesTo[f.Kind] {
			t.fail("a cold item comes to %v; want %s", got[0].Err, comesTo[f.Kind])
		}
		if calls > 2*(1+t.sys.introductions()) {
			t.fail("it took %d calls, want one and at most one more", calls)
		}
		h.advance(30 * time.Minute) // past fresh and stale: only a stand-in is left
		kept := tutti.StaleError
		if f.Kind == "slow" {
			kept = tutti.StaleRevalidating
		}
		got, _ = h.get(t.ctx, kind, id)
		if got[0].Resource == nil || got[0].Freshness.State != kept || got[0].Err == nil {
			t.fail("a kept item comes to %s, %v; want the kept copy, %s, and why", got[0].Freshness.State, got[0].Err, kept)
		}
		if hl := cold.Health()[0]; hl.Failures == 0 || hl.LastError != comesTo[f.Kind] {
			t.fail("health tells of %d failures, last %q; want some, %s", hl.Failures, hl.LastError, comesTo[f.Kind])
		}
		t.discreet(r, id, comesTo[f.Kind], h, cold)
		t.sys.heal()
		cold.advance(time.Minute) // past any pause of the breaker
		if got, _ := cold.get(t.ctx, kind, id); got[0].Resource == nil {
			t.fail("after the system healed: %v", got[0].Err)
		}
	}
}

// canFail ends the question when the system cannot have a fault.
func (t *asking) canFail(fault string) {
	if why := cannotFail(t.sys.Manifest.Protocol, fault); why != "" {
		t.without("%s", why)
	}
}

// headersOnly reports whether items come without a body.
func (t *asking) headersOnly(kind string) bool {
	spec := t.sys.Manifest.Kinds[kind]
	return spec != nil && spec.Batch == nil && spec.Get != nil && spec.Get.Format == "headers"
}

// discreet makes sure that logs tell the code, and no id or content.
func (t *asking) discreet(r *tutti.Resource, id string, code tutti.Code, cold ...*house) {
	title, _ := r.Fields.Get("title").(string)
	for _, h := range cold {
		if log := h.logged(); len(id) > 4 && strings.Contains(log, id) || len(title) > 4 && strings.Contains(log, title) {
			t.fail("the log tells an id or content")
		}
	}
	if !strings.Contains(cold[len(cold)-1].logged(), string(code)) {
		t.fail("the log does not tell the code %s", code)
	}
}

// limited makes sure that no call is made before Retry-After.
func limited(t *asking, kind string) {
	t.canFail("rate-limited")
	id := t.sample(kind).IDs[0]
	h := t.open()
	t.breaks(Fault{Kind: "rate-limited", RetryAfter: 20 * time.Second})
	got, calls := h.get(t.ctx, kind, id)
	if tutti.CodeOf(got[0].Err) != tutti.RateLimited || calls != 1 {
		t.about("limits.statuses")
		t.fail("it comes to %v in %d calls; want RATE_LIMITED in 1", got[0].Err, calls)
	}
	t.sys.heal()
	h.advance(18 * time.Second)
	if got, calls := h.get(t.ctx, kind, id); tutti.CodeOf(got[0].Err) != tutti.RateLimited || calls != 0 {
		t.fail("before Retry-After it comes to %v in %d calls; want RATE_LIMITED in none", got[0].Err, calls)
	}
	h.advance(3 * time.Second)
	if got, _ := h.get(t.ctx, kind, id); got[0].Resource == nil {
		t.fail("after Retry-After: %v", got[0].Err)
	}
}

// cancelled lets the caller leave while the system does not answer.
func cancelled(t *asking, kind string) {
	t.canFail("black-hole")
	id := t.sample(kind).IDs[0]
	h := t.open()
	t.breaks(Fault{Kind: "black-hole"})
	before := h.count()
	ctx, cancel := context.WithCancel(t.ctx)
	defer cancel()
	answer := make(chan tutti.Got, 1)
	go func() { answer <- h.Get(ctx, []tutti.Ref{h.ref(kind, id)}, h.scope(kind))[0] }()
	for h.count() == before { // the call is under way
		select {
		case g := <-answer:
			t.stop("it came to %v before it was cancelled", g.Err)
		case <-time.After(time.Millisecond):
		}
	}
	cancel()
	if g := <-answer; g.Resource != nil || g.Err == nil {
		t.fail("a caller that leaves gets %v, %v; want an error", g.Resource, g.Err)
	}
	t.sys.heal()
	if hl := h.Health()[0]; hl.State == "DOWN" {
		t.fail("a caller that leaves breaks the source")
	}
}
