package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tuttihq/tutti"
)

// Manifests as the tools of their makers write them, shortened.
const (
	apolloExample = `{
  "format": "apollo-persisted-query-manifest",
  "version": 1,
  "operations": [
    {"id": "%s", "name": "Channels", "type": "query", "body": "query Channels {\n  channels {\n    name\n    __typename\n  }\n}"}
  ]
}`
	relayExample   = `{"1d6cd9b5b3b3b9b4f0f5c1a7f2f5e2a1": "query LocalesQuery {\n  locales\n}\n"}`
	codegenExample = `{"0b1f9c6e8a7d5c4b3a2f1e0d9c8b7a6f5e4d3c2b": "query Types { componentTypes { name } }", "%s": "query Kinds { compositionTypes { name } }"}`
)

const channelsText = "query Channels {\n  channels {\n    name\n    __typename\n  }\n}"

func bareHash(text string) string { return strings.TrimPrefix(tutti.OperationID(text), "sha256:") }

func TestManifestsOfAppsAreTrusted(t *testing.T) {
	a := serveSmall(t)
	dir := t.TempDir()
	manifest := func(name, content string) string {
		path := filepath.Join(dir, name)
		write(t, path, content)
		return path
	}
	apollo := manifest("apollo.json", fmt.Sprintf(apolloExample, bareHash(channelsText)))
	relay := manifest("relay.json", relayExample)
	codegen := manifest("codegen.json", fmt.Sprintf(codegenExample, bareHash("query Kinds { compositionTypes { name } }")))

	t.Run("a dry run stores nothing", func(t *testing.T) {
		out, _ := succeed(t, "operations", "push", apollo, "--dry-run")
		wants(t, "push", out, "1 operation would be stored, 0 known already.")
		if out, _ := succeed(t, "operations", "list"); strings.Contains(out, "Channels") {
			t.Errorf("it is there: %s", out)
		}
	})
	for _, step := range []struct{ file, want string }{
		{apollo, "1 operation stored, 0 known already."},
		{apollo, "0 operations stored, 1 known already."},
		{relay, "1 operation stored, 0 known already."},
		{codegen, "2 operations stored, 0 known already."},
	} {
		out, _ := succeed(t, "operations", "push", step.file)
		wants(t, "push "+filepath.Base(step.file), out, step.want)
	}
	out, _ := succeed(t, "operations", "list")
	wants(t, "list", out, tutti.OperationID(channelsText)+"  Channels", "1d6cd9b5b3b3b9b4f0f5c1a7f2f5e2a1", "LocalesQuery", "Types", "Kinds", "ok", "test")

	t.Run("requests name them at once", func(t *testing.T) {
		for _, id := range []string{tutti.OperationID(channelsText), "1d6cd9b5b3b3b9b4f0f5c1a7f2f5e2a1", bareHash("query Kinds { compositionTypes { name } }")} {
			if body := getID(t, a, id); !strings.Contains(body, `"data"`) {
				t.Errorf("%s: %s", id, body)
			}
		}
	})
	t.Run("when one cannot be answered, none is stored and each is named", func(t *testing.T) {
		bad := manifest("bad.json", `{"aa": "query Fine { locales }", "bb": "query Wrong { nothing }", "cc": "query Broken {"}`)
		errs := fails(t, "operations", "push", bad)
		wants(t, "push", errs, "Wrong: Cannot query field \"nothing\"", "operations[")
		if strings.Contains(errs, "Fine") {
			t.Errorf("a good one is complained about: %s", errs)
		}
		if out, _ := succeed(t, "operations", "list"); strings.Contains(out, "Fine") {
			t.Errorf("one of them was stored: %s", out)
		}
	})
	t.Run("an id keeps its meaning", func(t *testing.T) {
		errs := fails(t, "operations", "push", manifest("other.json", `{"1d6cd9b5b3b3b9b4f0f5c1a7f2f5e2a1": "query Other { channels { name } }"}`))
		wants(t, "push", errs, "stands for another text already")
	})
	t.Run("what is no manifest is refused with a reason", func(t *testing.T) {
		for name, content := range map[string]string{
			"a list":             `[]`,
			"no JSON":            `query {`,
			"nothing":            `{}`,
			"another version":    `{"format":"apollo-persisted-query-manifest","version":2,"operations":[]}`,
			"another format":     `{"format":"mine","version":1}`,
			"no body":            `{"format":"apollo-persisted-query-manifest","version":1,"operations":[{"id":"a","name":"A"}]}`,
			"numbers":            `{"a": 1}`,
			"an identifier that": `{"a/b c": "{ locales }"}`,
		} {
			if errs := fails(t, "operations", "push", manifest("wrong.json", content)); len(errs) < 20 {
				t.Errorf("%s: %s", name, errs)
			}
		}
	})
	t.Run("removed, they are known no more", func(t *testing.T) {
		out, _ := succeed(t, "operations", "remove", tutti.OperationID(channelsText), "nobody")
		wants(t, "remove", out, "1 operation removed.")
		if body := getID(t, a, tutti.OperationID(channelsText)); !strings.Contains(body, "PERSISTED_QUERY_NOT_FOUND") {
			t.Errorf("still answered: %s", body)
		}
		wants(t, "remove", fails(t, "operations", "remove", "nobody"), "None of these operations is trusted")
	})
	t.Run("the list can be narrowed", func(t *testing.T) {
		if out, _ := succeed(t, "operations", "list", "--broken", "--ids"); out != "" {
			t.Errorf("broken: %s", out)
		}
		if out, _ := succeed(t, "operations", "list", "--unused", "1h", "--ids"); out != "" {
			t.Errorf("unused for an hour though just stored: %s", out)
		}
		out, _ := succeed(t, "operations", "list", "--ids")
		if lines := strings.Fields(out); len(lines) != 3 {
			t.Errorf("ids: %q", out)
		}
	})
}

// getID asks for an operation by GET and its identifier, with the management key.
func getID(t *testing.T, a *api, id string) string {
	t.Helper()
	r, err := http.NewRequest("GET", a.url+"?documentId="+url.QueryEscape(id), nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+a.key.Reveal())
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var body map[string]json.RawMessage
	if err := json.NewDecoder(resp.Body).Decode(&body); err != nil {
		t.Fatal(err)
	}
	b, _ := json.Marshal(body)
	return string(b)
}

// TestLargeManifestsGoInParts pushes more than one request may hold, in number and in bytes.
func TestLargeManifestsGoInParts(t *testing.T) {
	serveSmall(t)
	entries := map[string]string{}
	for i := range 450 {
		text := fmt.Sprintf("query Q%d { locales } #%s", i, strings.Repeat("x", i%3*2000))
		entries[bareHash(text)] = text
	}
	content, err := json.Marshal(entries)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "manifest.json")
	write(t, file, string(content))
	out, _ := succeed(t, "operations", "push", file)
	wants(t, "push", out, "450 operations stored")
	ids, _ := succeed(t, "operations", "list", "--ids")
	if n := len(strings.Fields(ids)); n != 450 {
		t.Errorf("%d are listed", n)
	}
	out, _ = succeed(t, append([]string{"operations", "remove"}, strings.Fields(ids)...)...)
	wants(t, "remove", out, "450 operations removed")
}

// TestUseOfOperationsIsStored: the day on which an app asked comes into the database.
func TestUseOfOperationsIsStored(t *testing.T) {
	p := play(t)
	ctx := t.Context()
	const text = "query Channels { channels { name } }"
	if a := p.ask(p.key(tutti.ManagementKey), "", `mutation($t: String!) { pushOperations(operations: [{text: $t}]) { added known } }`, map[string]any{"t": text}); a.code() != "" {
		t.Fatal(a.Raw)
	}
	if a := p.ask(p.key(tutti.BrowserKey), "", text, nil); a.code() != "" {
		t.Fatal(a.Raw)
	}
	if err := p.server.house.noteUses(ctx); err != nil {
		t.Fatal(err)
	}
	all, err := p.server.house.store.Operations(ctx)
	if err != nil || len(all) != 1 || !all[0].UsedAt.Equal(time.Now().UTC().Truncate(24*time.Hour)) {
		t.Errorf("got %+v, %v", all, err)
	}
}

// fails runs a command that must not work, and gives what it says.
func fails(t *testing.T, args ...string) string {
	t.Helper()
	code, out, errs := call(t, args...)
	if code != failed || out != "" {
		t.Errorf("tutti %s: code %d, printed %q", strings.Join(args, " "), code, out)
	}
	return errs
}
