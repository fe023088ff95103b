//go:build e2e

package e2e

import (
	"context"
	"encoding/base64"
	"fmt"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"testing"
	"time"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/internal/config"
)

// tracker is a running Request Tracker with 58 tickets of three guests.
type tracker struct {
	*realSystem
	token  string // of the connector's user, who may also edit
	worked int    // the minutes that the last change told
}

// startTracker starts a Request Tracker that posts its edits to hook.
func startTracker(t *testing.T, hook string) *tracker {
	t.Helper()
	dir, port := cacheFolder(t, "rt"), freePort(t)
	data := copied(t, dir+"/data")
	token, err := os.ReadFile(data + "/token")
	if err != nil {
		t.Fatal(err)
	}
	tr := &tracker{token: string(token), realSystem: &realSystem{
		name: "Request Tracker", url: "http://127.0.0.1:" + port, ready: "http://127.0.0.1:" + port + "/NoAuth/css/base.css",
		command: func() *exec.Cmd {
			cmd := exec.Command(dir + "/serve")
			cmd.Env = append(os.Environ(), "PORT="+port, "DATA="+data, "HOOK_URL="+hook, "HOOK_SECRET="+hookSecret)
			return cmd
		},
	}}
	startReal(t, tr.realSystem)
	return tr
}

// rest makes a call of the REST API, as an agent's tool does.
func (r *tracker) rest(ctx context.Context, method, path string, body, v any) error {
	return tryCall(ctx, method, r.url+"/REST/2.0"+path, map[string]string{"Authorization": "token " + r.token}, body, v)
}

// change changes a ticket; nil deletes it. What is said already changes too: RT posts no edit that edits nothing.
func (r *tracker) change(ctx context.Context, _, id string, fields map[string]any) error {
	if fields == nil {
		return r.rest(ctx, http.MethodDelete, "/ticket/"+id, nil, nil)
	}
	r.worked++
	all := map[string]any{"TimeWorked": r.worked}
	maps.Copy(all, fields)
	return r.rest(ctx, http.MethodPut, "/ticket/"+id, all, nil)
}

// TestRealRequestTrackerKeepsTheContract asks a real Request Tracker what make test asks its recording.
func TestRealRequestTrackerKeepsTheContract(t *testing.T) {
	r := startTracker(t, "")
	keepsContract(t, config.Source{Name: "support", Connector: "rt", URL: r.url, Secrets: map[string]tutti.Secret{"token": tutti.NewSecret(r.token)}})
}

// asRoot makes a call of the REST API as the administrator that every RT begins with.
func (r *tracker) asRoot(method, path string, body any) {
	r.t.Helper()
	root := "Basic " + base64.StdEncoding.EncodeToString([]byte("root:password"))
	call(r.t, method, r.url+"/REST/2.0"+path, map[string]string{"Authorization": root}, body, nil)
}

// TestRealRequestTracker assembles an experience with the tickets of a visitor, and follows what happens to them.
func TestRealRequestTracker(t *testing.T) {
	listen := "127.0.0.1:" + freePort(t)
	r := startTracker(t, "http://"+listen+"/webhooks/support")
	h := startHouse(t, house{
		listen: listen, env: []string{"RT_URL=" + r.url, "RT_TOKEN=" + r.token, "RT_HOOK_SECRET=" + hookSecret},
		files: map[string]string{
			"tutti.yaml": helpConfig, "content/compositions/help.yaml": helpPage,
			"content/compositions/ticket-of-support.yaml": ticketPage("support"), "content/compositions/ticket-of-desk.yaml": ticketPage("desk"),
		},
	})
	const ana, ben = "ana@example.test", "ben@example.test"
	of := func(composition, visitor string, params any) realPage {
		t.Helper()
		return h.experience(t, composition, map[string]any{"context": map[string]any{"visitor": visitor}, "p": params})
	}
	look := func(visitor, another string) realPage { return of("help", visitor, map[string]any{"another": another}) }
	one := func(x realPage) *item { return x.Components[0].Resource }
	list := func(x realPage, i int) []*item { return x.Components[i].Resources.Nodes }
	refs := func(items []*item) (all []string) {
		for _, i := range items {
			all = append(all, i.Ref)
		}
		return all
	}

	t.Run("unknown ids among many", func(t *testing.T) {
		x := look(ana, "8")
		if got := one(x); got == nil || got.Title != "Two parking places (2)" || got.Fields["queue"] != "General" || got.Fields["requester"] != ana || got.Fields["resolvedAt"] != nil {
			t.Fatalf("the ticket did not come whole: %+v, %+v", got, x.Problems)
		}
		// 46 was merged, 52 is deleted, 1 is of somebody else, 990001 there is not.
		if got := refs(list(x, 1)); !slices.Equal(got, []string{"support:ticket/4", "support:ticket/50"}) {
			t.Errorf("the tickets that there are come as %v", got)
		}
		codes := map[string]string{}
		for _, p := range x.Problems {
			codes[p.Ref] = p.Code
		}
		for _, id := range []string{"46", "52", "990001"} {
			if codes["support:ticket/"+id] != "NOT_FOUND" {
				t.Errorf("the problem of %s is %q: %+v", id, codes["support:ticket/"+id], x.Problems)
			}
		}
	})
	t.Run("whose a ticket is", func(t *testing.T) {
		x := look(ben, "8")
		if one(x) != nil || !slices.Equal(refs(list(x, 1)), []string{"support:ticket/1"}) {
			t.Errorf("of another's tickets come %+v, %v", one(x), refs(list(x, 1)))
		}
		mine, field := refs(list(look(ana, "8"), 2)), refs(list(look(ana, "8"), 3))
		if len(mine) != 5 || len(field) != 5 || slices.Contains(mine, "support:ticket/1") || slices.Contains(field, "guests:ticket/1") {
			t.Errorf("a visitor's own tickets are %v by requestor, %v by custom field", mine, field)
		}
		for _, i := range list(x, 2) {
			if i.Fields["requester"] != ben {
				t.Errorf("among the tickets of %s is %s of %v", ben, i.Ref, i.Fields["requester"])
			}
		}
	})
	t.Run("search to the end", func(t *testing.T) {
		all, total := h.all(t, "desk", "ticket", "", 20)
		if distinct(all) != 58 || len(all) != 58 || total != 58 {
			t.Errorf("there are %d tickets, %d distinct, of %d", len(all), distinct(all), total)
		}
		found, total := h.all(t, "desk", "ticket", "late arrival", 4)
		if distinct(found) != 10 || len(found) != 10 || total != 10 {
			t.Errorf("“late arrival” is found %d times of %d: %v", len(found), total, found)
		}
		if found, _ := h.all(t, "desk", "ticket", "doesn't", 4); len(found) == 0 {
			t.Error("what is written with an apostrophe is not found")
		}
	})
	t.Run("a change by webhook and by polling", func(t *testing.T) {
		of("ticket-of-support", ana, nil)
		of("ticket-of-desk", ana, nil)
		if err := r.change(t.Context(), "ticket", "2", map[string]any{"Subject": "Three parking places", "Priority": 40, "Status": "open"}); err != nil {
			t.Fatal(err)
		}
		changed := time.Now()
		within(t, 10*time.Second, "the new subject is there", func() (string, bool) {
			got := one(of("ticket-of-support", ana, nil))
			return got.Title, got.Title == "Three parking places"
		})
		within(t, pollEvery+10*time.Second-time.Since(changed), "where RT is polled, too", func() (string, bool) {
			got := one(of("ticket-of-desk", ana, nil))
			return got.Title, got.Title == "Three parking places"
		})
		if err := r.rest(t.Context(), http.MethodPut, "/ticket/4", map[string]any{"MergeInto": 8}, nil); err != nil {
			t.Fatal(err)
		}
		if got := refs(list(look(ana, "8"), 1)); !slices.Equal(got, []string{"support:ticket/50"}) {
			t.Errorf("after a merge of 4 and 8 come %v", got) // its webhook was answered before the merge was
		}
	})
	t.Run("wrong credentials", func(t *testing.T) {
		r.asRoot(http.MethodPut, "/user/connector", map[string]any{"Disabled": 1})
		h.invalidate(t, "support")
		x := look(ana, "8")
		if got := one(x); got == nil || got.Freshness.State != "STALE_ERROR" {
			t.Errorf("with a token that is no longer good comes %+v", got)
		}
		if !slices.ContainsFunc(x.Problems, func(p pageProblem) bool { return p.Ref == "support:ticket/2" && p.Code == "UNAVAILABLE" && p.Stale }) {
			t.Errorf("the problems are %+v", x.Problems)
		}
		if state, code := h.health(t, "support"); state != "DEGRADED" || code != "UNAVAILABLE" {
			t.Errorf("health says %s, %s", state, code)
		}
		r.asRoot(http.MethodPut, "/user/connector", map[string]any{"Disabled": 0})
		within(t, 5*time.Second, "with a good token again everything is fresh", func() (string, bool) {
			state := states(look(ana, "8"))
			return fmt.Sprint(state), len(state) == 1 && state["FRESH"] > 0
		})
	})
	t.Run("killed and started again", func(t *testing.T) {
		r.kill()
		h.invalidate(t, "support")
		x := look(ana, "10")
		if got := one(x); got == nil || got.Freshness.State != "STALE_ERROR" || got.Title != "Three parking places" {
			t.Errorf("while RT is down, what is kept comes as %+v", got)
		}
		if got := x.Components[4].Resource; got != nil {
			t.Errorf("while RT is down, what was never read comes as %+v", got)
		}
		if !x.tellsOfOutage() {
			t.Errorf("while RT is down, the problems are %+v", x.Problems)
		}
		t.Logf("started again in %s", r.start().Round(time.Millisecond))
		within(t, 5*time.Second, "started again, everything is fresh", func() (string, bool) {
			x := look(ana, "10")
			state := states(x)
			return fmt.Sprint(state), len(state) == 1 && state["FRESH"] > 0 && x.Components[4].Resource != nil
		})
	})
}

const pollEvery = time.Second

// helpConfig has the same RT three times: with webhooks, with a custom field that says whose a ticket is, and
// polled, for everybody to see.
var helpConfig = `
budgets: {page: 20s, wave: 20s, learn: 20s}
locales: {default: en, names: [en]}
markets:
  eu: {currency: EUR}
sources:
  support:
    connector: rt
    url: ${RT_URL}
    secrets: {token: "${RT_TOKEN}"}
    allowPrivate: [127.0.0.1]
    webhook: {secret: "${RT_HOOK_SECRET}"}
    visitor: lower(visitor)
    freshness: {fresh: 1h, stale: 1h, staleIfError: 24h, negative: 1s}
    limits: {timeout: 15s, softTimeout: 15s}
    kinds:
      ticket: {access: visitor, owner: requester}
  guests:
    connector: rt
    url: ${RT_URL}
    settings: {ownerField: Guest}
    secrets: {token: "${RT_TOKEN}"}
    allowPrivate: [127.0.0.1]
    visitor: "visitor == 'ana@example.test' ? 'guest-8' : 'guest-7'"
    limits: {timeout: 15s, softTimeout: 15s}
    kinds:
      ticket: {access: visitor, owner: requester, poll: 0s}
  desk:
    connector: rt
    url: ${RT_URL}
    secrets: {token: "${RT_TOKEN}"}
    allowPrivate: [127.0.0.1]
    freshness: {fresh: 1h, stale: 1h, staleIfError: 24h, negative: 1s}
    limits: {timeout: 15s, softTimeout: 15s}
    kinds:
      ticket: {access: public, poll: ` + pollEvery.String() + `}
channels:
  web: {widths: [320], formats: [jpeg]}
componentTypes:
  Ticket:
    version: 1
    props:
      item: {type: resource, accepts: [SupportTicket]}
  Tickets:
    version: 1
    props:
      items: {type: resources, accepts: [SupportTicket], first: 20}
compositionTypes:
  page:
    version: 1
    slots:
      main: {}
`

const helpPage = `
id: help
type: page
title: What I asked
params: [{name: another, type: string}]
slots:
  - id: main
    name: main
    components:
      - {id: one, type: Ticket, props: {item: {ref: "support:ticket/2"}}}
      - id: many
        type: Tickets
        props:
          items: {refs: ["support:ticket/4", "support:ticket/990001", "support:ticket/46", "support:ticket/52", "support:ticket/1", "support:ticket/50"]}
      - {id: mine, type: Tickets, props: {items: {select: {source: support, kind: ticket, sort: -updated, first: 5}}}}
      - {id: guests, type: Tickets, props: {items: {select: {source: guests, kind: ticket, sort: created, first: 5}}}}
      - {id: another, type: Ticket, props: {item: {ref: "='support:ticket/' + params.another"}}}
`

func ticketPage(source string) string {
	return `
id: ticket-of-` + source + `
type: page
title: One ticket
slots:
  - id: main
    name: main
    components:
      - {id: one, type: Ticket, props: {item: {ref: "` + source + `:ticket/2"}}}
`
}
