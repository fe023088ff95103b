package graph

import (
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/tuttihq/tutti"
)

func inMode(m tutti.OperationMode) func(*GenerationConfig) {
	return func(c *GenerationConfig) { c.Operations = m }
}

func hashOf(text string) string { return strings.TrimPrefix(tutti.OperationID(text), "sha256:") }

// persisted is the body of a request as clients with persisted queries send it.
func persisted(hash, query string) string {
	m := map[string]any{"extensions": map[string]any{"persistedQuery": map[string]any{"version": 1, "sha256Hash": hash}}}
	if query != "" {
		m["query"] = query
	}
	b, _ := json.Marshal(m)
	return string(b)
}

const localesText, localesAnswer = "query Locales { locales }", `{"data":{"locales":["en","de"]}}`

func TestTrustedOperationsAreNamed(t *testing.T) {
	h := newHouse(t)
	own := tutti.Operation{ID: "5f4dcc3b5aa765d61d8327deb882cf99", Text: localesText}
	h.server.Trust([]tutti.Operation{own, {ID: tutti.OperationID("{ __typename }"), Text: "{ __typename }"}})
	key := h.keys[tutti.BrowserKey]
	for name, body := range map[string]string{
		"by an identifier of the app":         `{"documentId":"5f4dcc3b5aa765d61d8327deb882cf99"}`,
		"by the text's hash":                  `{"documentId":"` + tutti.OperationID(localesText) + `"}`,
		"by the hash without its prefix":      `{"documentId":"` + hashOf(localesText) + `"}`,
		"as Apollo Client does":               persisted(hashOf(localesText), ""),
		"as Apollo Client does with own ids":  persisted("5f4dcc3b5aa765d61d8327deb882cf99", ""),
		"with the operation's name":           `{"documentId":"` + tutti.OperationID(localesText) + `","operationName":"Locales"}`,
		"with empty variables and extensions": `{"documentId":"` + tutti.OperationID(localesText) + `","variables":{},"extensions":{}}`,
	} {
		if a := h.send("POST", "/graphql", key, body); a.status != 200 || a.body != localesAnswer {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
	}
	t.Run("also by GET", func(t *testing.T) {
		for name, query := range map[string]string{
			"documentId": "documentId=" + tutti.OperationID(localesText),
			"extension":  "extensions=" + url.QueryEscape(`{"persistedQuery":{"version":1,"sha256Hash":"`+hashOf(localesText)+`"}}`),
		} {
			if a := h.send("GET", "/graphql?"+query, key, ""); a.status != 200 || a.body != localesAnswer {
				t.Errorf("%s: %d %s", name, a.status, a.body)
			}
		}
		h.wantCode(h.send("GET", "/graphql?documentId=a&documentId=b", key, ""), 400, tutti.BadRequest)
	})
	t.Run("a mutation stays refused by GET", func(t *testing.T) {
		mutation := `mutation { deletePersona(name: "ana") }`
		h.server.Trust([]tutti.Operation{{ID: "delete", Text: mutation}})
		a := h.send("GET", "/graphql?documentId=delete", h.keys[tutti.ManagementKey], "")
		h.wantCode(a, 405, tutti.BadRequest)
		if a.header.Get("Allow") != "POST" {
			t.Errorf("Allow: %q", a.header.Get("Allow"))
		}
	})
	t.Run("what is not trusted any more is not known", func(t *testing.T) {
		h.server.Trust(nil)
		a := h.send("POST", "/graphql", key, `{"documentId":"`+tutti.OperationID(localesText)+`"}`, "Accept", graphqlJSON)
		h.wantCode(a, 400, tutti.PersistedNotFound)
		if len(a.json.Errors) != 1 || a.json.Errors[0].Message != "PersistedQueryNotFound" {
			t.Errorf("clients look for another message than %s", a.body)
		}
	})
}

// TestModes asks the same four things under each mode, with each class of key.
func TestModes(t *testing.T) {
	const other = "query Other { locales }"
	asks := []struct{ name, body string }{
		{"trusted by identifier", `{"documentId":"` + tutti.OperationID(localesText) + `"}`},
		{"trusted by text", `{"query":"` + localesText + `"}`},
		{"another text", `{"query":"` + other + `"}`},
		{"another with its hash", persisted(hashOf(other), other)},
		{"another by its hash", persisted(hashOf(other), "")},
	}
	const ok, untrusted, unsupported = tutti.Code(""), tutti.UntrustedOperation, tutti.PersistedNotSupported
	delivery := map[tutti.OperationMode][]tutti.Code{
		"":                      {ok, ok, ok, ok, ok},
		tutti.OperationsOff:     {ok, ok, ok, ok, ok},
		tutti.OperationsLog:     {ok, ok, ok, ok, ok},
		tutti.OperationsEnforce: {ok, ok, untrusted, untrusted, untrusted},
		tutti.OperationsIDs:     {ok, untrusted, untrusted, untrusted, untrusted},
	}
	editing := map[tutti.OperationMode][]tutti.Code{
		tutti.OperationsOff:     {ok, ok, ok, ok, ok},
		tutti.OperationsLog:     {ok, ok, ok, ok, ok},
		tutti.OperationsEnforce: {ok, ok, ok, ok, unsupported},
		tutti.OperationsIDs:     {ok, ok, ok, ok, unsupported},
	}
	check := func(mode tutti.OperationMode, class tutti.KeyClass, want []tutti.Code) {
		t.Run(fmt.Sprintf("%s/%s", mode, class), func(t *testing.T) {
			h := newHouse(t, inMode(mode))
			h.server.Trust([]tutti.Operation{{ID: tutti.OperationID(localesText), Text: localesText}})
			for i, ask := range asks {
				a := h.send("POST", "/graphql", h.keys[class], ask.body, "Accept", graphqlJSON)
				if a.code() != string(want[i]) {
					t.Errorf("%s: got %q, want %q: %s", ask.name, a.code(), want[i], a.body)
				}
				if want[i] == untrusted && (a.status != 403 || a.json.Errors[0].Extensions.Hint == "") {
					t.Errorf("%s: %d %s", ask.name, a.status, a.body)
				}
			}
			refused := 0
			for _, code := range want {
				if code != ok {
					refused++
				}
			}
			if h.resolver.calls != len(asks)-refused {
				t.Errorf("%d resolvers were called for %d operations", h.resolver.calls, len(asks)-refused)
			}
		})
	}
	for mode, want := range delivery {
		check(mode, tutti.BrowserKey, want)
		check(mode, tutti.ServerKey, want)
	}
	for mode, want := range editing {
		check(mode, tutti.PreviewKey, want)
		check(mode, tutti.ManagementKey, want)
	}
}

func TestWhatIsNotTrustedIsLogged(t *testing.T) {
	const other = `query Other { locales } # "secret"`
	id := tutti.OperationID(other)
	for mode, logged := range map[tutti.OperationMode]bool{tutti.OperationsOff: false, tutti.OperationsLog: true, tutti.OperationsEnforce: true, tutti.OperationsIDs: true} {
		h := newHouse(t, inMode(mode))
		h.server.Trust([]tutti.Operation{{ID: tutti.OperationID(localesText), Text: localesText}})
		h.ask(tutti.BrowserKey, other, nil)
		if got := h.seen[0].Untrusted == id && regexp.MustCompile("level=INFO msg=request .* untrusted="+id).MatchString(h.log.String()); got != logged {
			t.Errorf("%s: logged %t: %s", mode, got, h.log)
		}
		h.send("POST", "/graphql", h.keys[tutti.BrowserKey], `{"documentId":"`+tutti.OperationID(localesText)+`"}`)
		h.ask(tutti.ManagementKey, other, nil)
		if h.seen[1].Untrusted != "" || h.seen[2].Untrusted != "" {
			t.Errorf("%s: what is trusted, or asked by a person, is logged as untrusted: %+v", mode, h.seen[1:])
		}
		if strings.Contains(h.log.String(), "secret") {
			t.Errorf("the log holds a text: %s", h.log)
		}
	}
}

// TestAutomaticPersistedQueries goes the way of a client: the hash, the text with it, the hash.
func TestAutomaticPersistedQueries(t *testing.T) {
	h := newHouse(t)
	key := h.keys[tutti.BrowserKey]
	ask := func(hash, query string) answer { return h.send("POST", "/graphql", key, persisted(hash, query)) }
	hash := hashOf(localesText)

	first := ask(hash, "")
	h.wantCode(first, 200, tutti.PersistedNotFound)
	if first.json.Errors[0].Message != "PersistedQueryNotFound" || strings.Contains(first.body, `"data"`) {
		t.Errorf("clients would not send the text after %s", first.body)
	}
	if a := ask(hash, localesText); a.body != localesAnswer {
		t.Fatalf("with the text: %s", a.body)
	}
	if a := ask(hash, ""); a.body != localesAnswer {
		t.Errorf("by the hash: %s", a.body)
	}
	if a := h.send("GET", "/graphql?extensions="+url.QueryEscape(`{"persistedQuery":{"version":1,"sha256Hash":"`+hash+`"}}`), key, ""); a.body != localesAnswer {
		t.Errorf("by the hash with GET: %s", a.body)
	}
	t.Run("another text's hash is refused, and nothing is kept", func(t *testing.T) {
		wrong := hashOf("{ sources { name } }")
		h.wantCode(h.send("POST", "/graphql", key, persisted(wrong, localesText), "Accept", graphqlJSON), 400, tutti.BadRequest)
		h.wantCode(ask(wrong, ""), 200, tutti.PersistedNotFound)
	})
	t.Run("what is not valid is not kept", func(t *testing.T) {
		for _, text := range []string{"{ nothing }", "{", "{ locales locales { x } }", strings.Repeat("{ a ", 5000)} {
			if a := ask(hashOf(text), text); a.code() == "" {
				t.Fatalf("%q is valid", text)
			}
			h.wantCode(ask(hashOf(text), ""), 200, tutti.PersistedNotFound)
		}
	})
	t.Run("what another config makes invalid is forgotten", func(t *testing.T) {
		const text = `{ experience(composition: "a", channel: "web") { components { ... on Card { id } } } }`
		if a := ask(hashOf(text), text); a.code() != "" {
			t.Fatal(a.body)
		}
		g, err := NewGeneration(GenerationConfig{ID: "two", ComponentTypes: testComponents[:1], Resolvers: testRoot{q: h.resolver}})
		if err != nil {
			t.Fatal(err)
		}
		h.server.Swap(g)
		h.wantCode(ask(hashOf(text), ""), 200, tutti.BadRequest)
		h.wantCode(ask(hashOf(text), ""), 200, tutti.PersistedNotFound)
		if a := ask(hash, ""); a.body != localesAnswer {
			t.Errorf("another text was forgotten too: %s", a.body)
		}
	})
}

func TestAutomaticTextsHaveABound(t *testing.T) {
	a := newAutomatic(10_000)
	text := func(i int) string { return fmt.Sprintf("{ a%d }", i) + strings.Repeat(" ", 500) }
	for i := range 100 {
		a.add(hashOf(text(i)), text(i))
		if got, ok := a.get(hashOf(text(0))); !ok || got != text(0) {
			t.Fatalf("after %d: the text that is used most is gone", i)
		}
		if a.bytes > a.most || a.order.Len() != len(a.byHash) {
			t.Fatalf("after %d: %d bytes, %d in order, %d by hash", i, a.bytes, a.order.Len(), len(a.byHash))
		}
	}
	if _, ok := a.get(hashOf(text(1))); ok {
		t.Error("what was used least is still there")
	}
	if _, ok := a.get(hashOf(text(99))); !ok {
		t.Error("what came last is gone")
	}
	a.add(hashOf("large"), strings.Repeat("x", 10_000))
	if _, ok := a.get(hashOf("large")); ok || a.order.Len() < 10 {
		t.Error("one text that is too large pushed others out")
	}
	for hash := range a.byHash {
		a.remove(hash)
		a.remove(hash)
	}
	if a.bytes != 0 || a.order.Len() != 0 {
		t.Errorf("empty, it counts %d bytes and %d texts", a.bytes, a.order.Len())
	}
}

func TestUseOfTrustedOperationsIsNotedOnceADay(t *testing.T) {
	h := newHouse(t)
	const second = "query Second { locales }"
	trust := func(used time.Time) {
		h.server.Trust([]tutti.Operation{{ID: "first", Text: localesText, UsedAt: used}, {ID: tutti.OperationID(second), Text: second}})
	}
	trust(noon)
	ask := func() { h.send("POST", "/graphql", h.keys[tutti.BrowserKey], `{"documentId":"first"}`) }
	want := func(ids ...string) {
		t.Helper()
		if got := h.server.Used(); strings.Join(got, " ") != strings.Join(ids, " ") {
			t.Errorf("got %v, want %v", got, ids)
		}
	}
	ask()
	want()
	h.clock = noon.Add(24 * time.Hour)
	ask()
	ask()
	h.ask(tutti.BrowserKey, second, nil)
	want("first", tutti.OperationID(second))
	want()
	h.clock = noon.Add(23 * time.Hour) // another replica's clock is behind
	ask()
	want()
}
