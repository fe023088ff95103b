package sources

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/internal/config"
)

const namedManifest = `
name: acme
kinds:
  item:
    type: Product
    id:
      pattern: "[0-9]+"
      alias:
        pattern: "[a-z][a-z-]*"
        path: /handles
        query: {h: {value: "${ids}", encode: csv}}
        records: items
        names: record.handle
        maxIds: 3
    batch:
      path: /items
      query: {ids: {value: "${ids}", encode: csv}}
      records: items
      maxIds: 8
    map: {title: record.handle}
    tags: {item: record.handle}
webhook:
  scheme: hook
  changes: [{kind: item, ids: event.ids}]
`

// shop plays a system whose items have handles.
type shop struct {
	*testHouse
	mu      sync.Mutex // guards handles
	handles map[string]string
}

func playShop(t *testing.T, manifest string, set ...func(*config.Source, *Deps)) *shop {
	s := &shop{handles: map[string]string{"shirt": "1", "shoe": "2", "hat": "3", "sock": "4"}}
	s.testHouse = play(t, manifest, public, func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		found := []map[string]string{}
		for h, id := range s.handles {
			q := r.URL.Query()
			if slices.Contains(strings.Split(q.Get("h"), ","), h) || slices.Contains(strings.Split(q.Get("ids"), ","), id) {
				found = append(found, map[string]string{"id": id, "handle": h})
			}
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"items": found})
	}, append(set, func(c *config.Source, _ *Deps) { c.Webhook.Secret = tutti.NewSecret("s3cret") })...)
	return s
}

func (s *shop) rename(from, to string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.handles[to] = s.handles[from]
	delete(s.handles, from)
}

// told gives what was asked since the last time, in the alphabet's order.
func (s *shop) told() string {
	s.testHouse.mu.Lock()
	defer s.testHouse.mu.Unlock()
	slices.Sort(s.asked)
	all := strings.Join(s.asked, " ")
	s.asked = nil
	return all
}

func (s *shop) event(t *testing.T, body string) {
	t.Helper()
	w, r := httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, "/webhooks/shop", strings.NewReader(body))
	signHook(r.Header, tutti.NewSecret("s3cret"), body, time.Now())
	if s.Webhook("shop").ServeHTTP(w, r); w.Code != http.StatusAccepted {
		t.Fatalf("it is answered %d", w.Code)
	}
}

func idsOf(got []tutti.Got) string {
	var all []string
	for _, g := range got {
		if g.Resource == nil {
			all = append(all, string(tutti.CodeOf(g.Err)))
		} else {
			all = append(all, g.Resource.Ref.String())
		}
	}
	return strings.Join(all, " ")
}

func TestNamesLeadToItems(t *testing.T) {
	s := playShop(t, namedManifest)
	ask := func(want, calls string, ids ...string) {
		t.Helper()
		if got := idsOf(s.Get(t.Context(), refs(ids...), tutti.Scope{})); got != want {
			t.Errorf("%v come to %s, want %s", ids, got, want)
		}
		if told := s.told(); told != calls {
			t.Errorf("%v take %q, want %q", ids, told, calls)
		}
	}
	ask("shop:item/1 shop:item/1 shop:item/2 shop:item/1", "/handles?h=shirt%2Cshoe /items?ids=1%2C2", "shirt", "shirt", "shoe", "shirt")
	ask("shop:item/1 shop:item/2", "", "1", "2") // kept once, under its id
	ask("shop:item/1 NOT_FOUND", "/handles?h=boot", "shirt", "boot")
	ask("NOT_FOUND", "", "boot")
	ask("shop:item/3 shop:item/3 NOT_FOUND shop:item/1", "/handles?h=hat /items?ids=3", "3", "hat", "Not A Name", "1")

	s.rename("shirt", "blouse")
	ask("shop:item/1", "", "shirt")
	s.event(t, `{"ids": ["1"]}`) // names the item
	ask("NOT_FOUND shop:item/1", "/handles?h=shirt%2Cblouse /items?ids=1", "shirt", "blouse")
	s.rename("blouse", "shirt")
	s.event(t, `{"ids": ["blouse", "shirt"]}`) // names the names
	ask("shop:item/1 NOT_FOUND", "/handles?h=shirt%2Cblouse /items?ids=1", "shirt", "blouse")
	s.rename("shoe", "boot")
	s.event(t, `{"ids": ["boot"]}`) // only the new one
	ask("shop:item/2", "/handles?h=boot", "boot")
}

func TestNamesAreLookedUpForManyAtOnce(t *testing.T) {
	s := playShop(t, namedManifest)
	if got := idsOf(s.Get(t.Context(), refs("shirt", "shoe", "hat", "sock"), tutti.Scope{})); got != "shop:item/1 shop:item/2 shop:item/3 shop:item/4" {
		t.Errorf("they come to %s", got)
	}
	if told := s.told(); strings.Count(told, "/handles") != 2 || strings.Count(told, "/items") != 1 { // three names a call
		t.Errorf("they take %s", told)
	}
	landed := make(chan struct{})
	take := s.Begin(t.Context(), refs("shirt", "7", "boot", "hat"), tutti.Scope{}, func() { close(landed) })
	<-landed
	if got := idsOf(take(nil)); got != "shop:item/1 NOT_FOUND NOT_FOUND shop:item/3" {
		t.Errorf("begun they come to %s", got)
	}
	if got := take(nil); got != nil {
		t.Errorf("taken again they come to %v", got)
	}
	mixed := append(refs("boot", "sock"), tutti.Ref{Source: "shop", Kind: "none", ID: "1"})
	if got := idsOf(s.Get(t.Context(), mixed, tutti.Scope{})); got != "NOT_FOUND shop:item/4 UNKNOWN_SOURCE" {
		t.Errorf("among others they come to %s", got)
	}
	s.Suppress([]tutti.Suppression{{Ref: refs("1")[0]}, {Ref: refs("shoe")[0]}})
	if got := idsOf(s.Get(t.Context(), refs("shirt", "shoe"), tutti.Scope{})); got != "SUPPRESSED shop:item/2" {
		t.Errorf("suppressed they come to %s", got)
	}
	if _, err := s.Canonical(refs("shoe")[0]); tutti.CodeOf(err) != tutti.InvalidValue || !strings.Contains(err.Error(), "another name") {
		t.Errorf("a name has a spelling: %v", err)
	}
}

// TestALostNameCostsNothingElse: while names cannot be looked up, items by their ids come, and names that
// are kept lead to them.
func TestALostNameCostsNothingElse(t *testing.T) {
	goOn := make(chan struct{})
	var once sync.Once
	release := func() { once.Do(func() { close(goOn) }) }
	s := &shop{handles: map[string]string{"shirt": "1", "shoe": "2"}}
	s.testHouse = play(t, namedManifest, public, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("h") == "shoe" {
			<-goOn
			http.Error(w, "{}", http.StatusBadGateway)
			return
		}
		_, _ = w.Write([]byte(`{"items": [{"id": "1", "handle": "shirt"}, {"id": "2", "handle": "shoe"}]}`))
	})
	defer release()
	s.Get(t.Context(), refs("shirt"), tutti.Scope{})
	take := s.Begin(t.Context(), refs("shirt", "2", "shoe"), tutti.Scope{}, func() { t.Error("it is told that all has landed") })
	for i := 0; !s.Get(t.Context(), refs("2"), tutti.Scope{})[0].Cached; i++ { // its own call is over
		if i > 1000 {
			t.Fatal("it is never kept")
		}
	}
	got := take(nil)
	if said := idsOf(got); said != "shop:item/1 shop:item/2 TIMEOUT" {
		t.Errorf("who leaves has %s", said)
	}
	release()
	if said := idsOf(s.Get(t.Context(), refs("shirt", "2", "shoe"), tutti.Scope{})); said != "shop:item/1 shop:item/2 UNAVAILABLE" {
		t.Errorf("who waits has %s", said)
	}
}

// TestANameInAnID: the alias is a part of what is asked for, and stands for a part of the id.
func TestANameInAnID(t *testing.T) {
	h := play(t, `
name: acme
kinds:
  item:
    type: SocialPost
    id:
      pattern: "at://did:plc:[a-z0-9]+/post/[a-z0-9]+"
      alias:
        pattern: "at://[a-z0-9.-]+/post/[a-z0-9]+"
        name: id.split('/')[2]
        path: /resolve
        query: {handle: "${id}"}
        found: record.did
        id: id.replace(name, found)
        notFound: {statuses: [400]}
    batch:
      path: /posts
      query: {ids: {value: "${ids}", encode: repeat}}
      records: posts
      maxIds: 25
    recordId: record.uri
    map: {text: record.text}
`, public, func(w http.ResponseWriter, r *http.Request) {
		if handle := r.URL.Query().Get("handle"); handle == "alice.test" {
			_, _ = w.Write([]byte(`{"did": "did:plc:b4zx"}`))
			return
		} else if handle == "odd.test" {
			_, _ = w.Write([]byte(`{"did": "did:web:odd.test"}`))
			return
		} else if handle != "" {
			http.Error(w, `{"error": "InvalidRequest"}`, http.StatusBadRequest)
			return
		}
		var posts []map[string]string
		for _, uri := range r.URL.Query()["ids"] {
			posts = append(posts, map[string]string{"uri": uri, "text": "Hello"})
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"posts": posts})
	})
	got := h.Get(t.Context(), refs("at://alice.test/post/1", "at://alice.test/post/2", "at://did:plc:b4zx/post/1", "at://bob.test/post/1", "at://odd.test/post/1"), tutti.Scope{})
	if said := idsOf(got); said != "shop:item/at://did:plc:b4zx/post/1 shop:item/at://did:plc:b4zx/post/2 shop:item/at://did:plc:b4zx/post/1 NOT_FOUND BAD_ANSWER" {
		t.Errorf("they come to %s", said)
	}
	lookups := 0
	for _, uri := range h.asked {
		if strings.HasPrefix(uri, "/resolve") {
			lookups++
		}
	}
	if lookups != 3 { // one for each handle
		t.Errorf("they take %v", h.asked)
	}
}

// TestNamesEach: a GraphQL field for each name, one after the other in the answer.
func TestNamesEach(t *testing.T) {
	h := play(t, `
name: acme
graphql: /graphql
kinds:
  item:
    type: Product
    id:
      pattern: "gid://[0-9]+"
      alias: {pattern: "[a-z-]+", graphql: {each: "product(handle: $id) { id }", idType: "String!"}, maxIds: 20}
    batch:
      graphql: {document: "query($ids: [ID!]!) { nodes(ids: $ids) { id title } }", variables: {ids: "${ids}"}}
      records: data.nodes
      maxIds: 250
    map: {title: record.title}
`, public, func(w http.ResponseWriter, r *http.Request) {
		var q struct {
			Query     string
			Variables map[string]any
		}
		_ = json.NewDecoder(r.Body).Decode(&q)
		if strings.Contains(q.Query, "nodes") {
			_, _ = w.Write([]byte(`{"data": {"nodes": [{"id": "gid://1", "title": "Shirt"}]}}`))
			return
		}
		if q.Variables["i0"] != "shirt" || !strings.Contains(q.Query, "a1: product(handle: $i1)") {
			t.Errorf("it is asked %+v", q)
		}
		_, _ = w.Write([]byte(`{"data": {"a0": {"id": "gid://1"}, "a1": null, "a2": null}, "errors": [{"message": "x", "path": ["a2"]}]}`))
	})
	if said := idsOf(h.Get(t.Context(), refs("shirt", "boot", "odd"), tutti.Scope{})); said != "shop:item/gid://1 NOT_FOUND BAD_ANSWER" || h.calls() != 2 {
		t.Errorf("they come to %s, by %d calls", said, h.calls())
	}
}
