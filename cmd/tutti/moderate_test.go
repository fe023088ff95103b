package main

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/internal/config"
)

// moderated makes the posts of the demo a kind of which nothing is delivered that nobody approved.
func (p *played) moderated(m tutti.Moderation, blocked ...string) {
	p.reconfigure(func(cfg *config.Config) {
		cfg.Sources = slices.Clone(cfg.Sources)
		for i := range cfg.Sources {
			s := &cfg.Sources[i]
			if s.Name != "social" {
				continue
			}
			k := s.Kinds["post"]
			k.Moderation, k.Blocked = m, blocked
			s.Kinds = map[string]config.KindConfig{"post": k}
		}
	})
}

const judgeThem = `mutation($items: [ModerateInput!]!, $reason: String) { moderate(items: $items, reason: $reason) { ref judgement reason createdBy } }`

const queue = `query($states: [ModerationState!], $after: String) { moderation(source: "social", kind: "post", states: $states, first: 5, after: $after) {
	nodes { ref state title link updatedAt fields verdict { judgement reason } } pageInfo { hasNextPage endCursor } } }`

type queued struct {
	Moderation struct {
		Nodes []struct {
			Ref, State string
			Fields     map[string]any
			Verdict    *struct{ Judgement string }
		}
		PageInfo struct {
			HasNextPage bool
			EndCursor   string
		}
	}
}

// TestOnlyWhatIsApprovedIsDelivered: on every replica, in every way, from the moment that it is judged.
func TestOnlyWhatIsApprovedIsDelivered(t *testing.T) {
	t.Parallel()
	r := playReplicas(t)
	for _, p := range []*played{r.one, r.other} {
		p.moderated(tutti.Approve)
	}
	posts := func(p *played) []string {
		a := p.ask(p.key(tutti.BrowserKey), p.token("guest-7"), `{ experience(composition: "hotel-arrival", params: {hotel: "stay:hotel/azul"}, channel: "web") { components { items: resources(prop: "items", first: 20) { nodes { ref } } } } }`, nil)
		var x struct {
			Experience struct {
				Components []struct {
					Items *struct{ Nodes []struct{ Ref string } }
				}
			}
		}
		a.into(t, &x)
		var refs []string
		for _, c := range x.Experience.Components {
			if c.Items != nil {
				for _, n := range c.Items.Nodes {
					if strings.HasPrefix(n.Ref, "social:") {
						refs = append(refs, n.Ref)
					}
				}
			}
		}
		return refs
	}
	for _, p := range []*played{r.one, r.other} {
		if got := posts(p); len(got) > 0 {
			t.Fatalf("before anybody judged it shows %v", got)
		}
	}
	// A moderator goes through what waits, page by page, and approves it all.
	var waiting []map[string]any
	for after, more := any(nil), true; more && len(waiting) < 1000; {
		var x queued
		r.one.manageInto(t, queue, map[string]any{"after": after}, &x)
		for _, n := range x.Moderation.Nodes {
			if n.State != "PENDING" || n.Verdict != nil || n.Fields["text"] == nil {
				t.Errorf("it waits as %+v", n)
			}
			waiting = append(waiting, map[string]any{"ref": n.Ref, "judgement": "APPROVED"})
		}
		after, more = x.Moderation.PageInfo.EndCursor, x.Moderation.PageInfo.HasNextPage
	}
	if len(waiting) < 200 {
		t.Fatalf("%d items wait", len(waiting))
	}
	for items := range slices.Chunk(waiting, 100) {
		if a := r.one.manage(judgeThem, map[string]any{"items": items}); len(a.Errors) > 0 {
			t.Fatalf("approving: %s", a.Raw)
		}
	}
	shown := posts(r.one)
	if len(shown) == 0 {
		t.Fatal("what is approved is not shown")
	}
	r.until("the other replica shows it", func() bool { return slices.Equal(posts(r.other), shown) })

	a := r.other.manage(judgeThem, map[string]any{"items": []any{map[string]any{"ref": shown[0], "judgement": "REJECTED"}}, "reason": "an advertisement"})
	if !strings.Contains(a.Raw, `"judgement":"REJECTED","reason":"an advertisement","createdBy":"key_`) {
		t.Errorf("rejecting answers %s", a.Raw)
	}
	if got := posts(r.other); slices.Contains(got, shown[0]) {
		t.Errorf("it is rejected and shown: %v", got)
	}
	r.until("this replica has heard it", func() bool { return !slices.Contains(posts(r.one), shown[0]) })
	one := r.one.ask(r.one.key(tutti.ServerKey), "", `query($r: Ref!) { resource(ref: $r) { title } }`, map[string]any{"r": shown[0]})
	if strings.Contains(one.Raw, "title") || strings.Contains(one.Raw, "advertisement") {
		t.Errorf("the rejected item comes by its ref: %s", one.Raw)
	}
	var rejected queued
	r.one.manageInto(t, queue, map[string]any{"states": []string{"REJECTED"}}, &rejected)
	for _, n := range rejected.Moderation.Nodes {
		if n.Ref != shown[0] || n.Verdict == nil || n.Verdict.Judgement != "REJECTED" {
			t.Errorf("listed as rejected: %+v", n)
		}
	}
	if log := r.one.manage(`{ audit(first: 1) { nodes { action subject detail reason } } }`, nil); !strings.Contains(log.Raw, `"action":"MODERATE","subject":"`+shown[0]+`","detail":"rejected","reason":"an advertisement"`) {
		t.Errorf("the audit log says %s", log.Raw)
	}
	r.one.manage(judgeThem, map[string]any{"items": []any{map[string]any{"ref": shown[0], "judgement": "NONE"}}})
	if got := posts(r.one); slices.Contains(got, shown[0]) {
		t.Errorf("its verdict is taken back, and it is shown: %v", got)
	}
}

func TestVerdictsThatCannotBe(t *testing.T) {
	p := play(t)
	p.moderated(tutti.Auto, "spa")
	for ref, code := range map[string]tutti.Code{"catalog:product/2": tutti.InvalidValue, "social:nothing/2": tutti.UnknownSource, "social:post/with space": tutti.InvalidValue} {
		a := p.manage(judgeThem, map[string]any{"items": []any{map[string]any{"ref": ref, "judgement": "APPROVED"}}})
		if a.code() != code {
			t.Errorf("%s: %s", ref, a.Raw)
		}
	}
	if a := p.manage(judgeThem, map[string]any{"items": []any{}}); a.code() != tutti.InvalidValue {
		t.Errorf("nothing: %s", a.Raw)
	}
	if a := p.manage(queue, map[string]any{"after": "nonsense"}); a.code() != tutti.InvalidValue {
		t.Errorf("a cursor: %s", a.Raw)
	}
	if a := p.ask(p.key(tutti.ServerKey), "", queue, nil); a.code() != tutti.Forbidden {
		t.Errorf("a server key sees what waits: %s", a.Raw)
	}
	var x queued
	p.manageInto(t, queue, map[string]any{"states": []string{"PASSED", "BLOCKED"}}, &x)
	if len(x.Moderation.Nodes) != 5 {
		t.Errorf("listed are %+v", x.Moderation.Nodes)
	}
}

// manageInto asks with a management key and reads the data.
func (p *played) manageInto(t *testing.T, query string, vars map[string]any, to any) {
	t.Helper()
	a := p.manage(query, vars)
	if len(a.Errors) > 0 {
		t.Fatalf("it answers %s", a.Raw)
	}
	var whole struct{ Data json.RawMessage }
	if err := json.Unmarshal([]byte(a.Raw), &whole); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(whole.Data, to); err != nil {
		t.Fatal(err)
	}
}
