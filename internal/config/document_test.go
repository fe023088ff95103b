package config

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tuttihq/tutti"
	"pgregory.net/rapid"
)

func TestDocumentsAreReadAndWrittenBackTheSame(t *testing.T) {
	docs, err := ReadDocuments("testdata/documents")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, d := range docs {
		names = append(names, FileOf(d.Kind, d.Name))
		written, err := WriteYAML(d.Kind, d.Body)
		if err != nil {
			t.Fatal(err)
		}
		again, err := ParseDocument(d.Kind, d.File, written)
		if err != nil {
			t.Fatalf("%v in\n%s", err, written)
		}
		if string(again.Body) != string(d.Body) {
			t.Errorf("%s was written as\n%s\nwhich reads\n%s\nwant\n%s", d.Name, written, again.Body, d.Body)
		}
		twice, err := WriteYAML(d.Kind, again.Body)
		if err != nil || string(twice) != string(written) {
			t.Errorf("%s is written differently the second time: %v\n%s", d.Name, err, twice)
		}
	}
	if got, want := strings.Join(names, " "), "audiences/gold.yaml compositions/hotel-arrival.yaml personas/ana.yaml redirects.yaml"; got != want {
		t.Errorf("read %s, want %s", got, want)
	}
	var c tutti.Composition
	if err := json.Unmarshal(docs[1].Body, &c); err != nil {
		t.Fatal(err)
	}
	if c.ID != "hotel-arrival" || string(c.Slots[0].Components[0].Props["rating"].Value) != "4.50" || c.Slots[0].Components[0].Props["headline"].Value == nil {
		t.Errorf("read %+v", c)
	}
}

func TestConsentThatIsNotGivenMeansTheSameAsNone(t *testing.T) {
	for _, body := range []string{`{"name":"x","consent":{"personalization":false,"necessary":true}}`, `{"name":"x","consent":{}}`, `{"name":"x"}`} {
		if got, err := Canonical(tutti.PersonaDocument, json.RawMessage(body)); err != nil || string(got) != `{"name":"x"}` {
			t.Errorf("%s means %s, %v", body, got, err)
		}
	}
}

func TestWrittenFileIsPleasantToRead(t *testing.T) {
	doc, err := ReadDocument(tutti.CompositionDocument, "testdata/documents/compositions/hotel-arrival.yaml")
	if err != nil {
		t.Fatal(err)
	}
	got, err := WriteYAML(doc.Kind, doc.Body)
	if err != nil {
		t.Fatal(err)
	}
	const golden = "testdata/documents/written.golden"
	if *update {
		if err := os.WriteFile(golden, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil || string(got) != string(want) {
		t.Errorf("%v: got\n%s", err, got)
	}
}

func TestPathsOfABodyHaveLines(t *testing.T) {
	doc, err := ReadDocument(tutti.CompositionDocument, "testdata/documents/compositions/hotel-arrival.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for path, line := range map[string]int{
		"":                                 1,
		"title":                            2,
		"params[1].default":                5,
		"params.count":                     5,
		"slots[0].components[0]":           15,
		"slots.main[0].props.image":        20,
		"slots.main[0].props.image.nope.x": 20,
		"slots.main[0].variants.gold.rule": 34,
		"slots.main[0].variants[0].windows[0].zone": 35,
		"slots.main[1].slots.inner[0]":              45,
		"slots.main.variants.quiet.rule":            48,
		"nothing":                                   1,
	} {
		if got, column := doc.Position(path); got != line || column < 1 {
			t.Errorf("%s is at %d:%d, want line %d", path, got, column, line)
		}
	}
	if p := doc.Problem("slots.main[1].type", "is unknown", "").String(); !strings.HasSuffix(p, "hotel-arrival.yaml:39:9: slots.main[1].type is unknown.") {
		t.Errorf("got %s", p)
	}
}

// TestBrokenDocuments reads the broken files in testdata: input, dashes, all problems.
func TestBrokenDocuments(t *testing.T) {
	for kind, file := range map[tutti.DocumentKind]string{tutti.CompositionDocument: "composition", tutti.PersonaDocument: "persona"} {
		path := filepath.Join("testdata/documents-broken", file+".txt")
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		input, want, _ := strings.Cut(string(content), dashes)
		_, err = ParseDocument(kind, "home.yaml", []byte(input))
		var ps Problems
		if !errors.As(err, &ps) {
			t.Fatalf("got %v, want problems", err)
		}
		if got := err.Error() + "\n"; *update {
			if err := os.WriteFile(path, []byte(input+dashes+got), 0o644); err != nil {
				t.Fatal(err)
			}
		} else if got != want {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
	}
}

func TestAllBrokenFilesOfAFolderAreTold(t *testing.T) {
	dir := t.TempDir()
	for file, content := range map[string]string{
		"compositions/a.yaml": "type: page\nslotz: []\n", "compositions/b.yaml": "type: page\nslots: {}\n", "compositions/good.yaml": "type: page\nslots: []\n",
		"audiences/x.yml": "", "audiences/x.yaml": "rule: a\n", "personas/readme.md": "not ours", "redirects.yaml": "- {from: /a, to: /b}\n",
	} {
		path := filepath.Join(dir, file)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	docs, err := ReadDocuments(dir)
	if len(docs) != 2 || docs[1].Name != "good" {
		t.Errorf("read %v", docs)
	}
	for _, want := range []string{"a.yaml:2:1: slotz is not known; did you mean “slots”?", "b.yaml:2:8: slots must be a list", "x.yml: has the same name as", "redirects.yaml:1:1: must be a mapping"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("nothing says %s in\n%v", want, err)
		}
	}
	if _, err := ReadDocuments(filepath.Join(dir, "none")); !errors.Is(err, tutti.NotFound) {
		t.Errorf("got %v for a folder that is not there", err)
	}
}

// TestAnyWordsSurviveTheFile: whatever an editor writes, a file brings it back.
func TestAnyWordsSurviveTheFile(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		words := rapid.OneOf(rapid.String(), rapid.StringMatching(`[ \t\n:#'"\-{}\[\]!&*|>%@,~0-9a-zé…]{0,20}`), rapid.SampledFrom([]string{"true", "null", "1", "1e3", "2026-01-01", "~", "", "<<", "=x", "yes", "0x1F"})).Draw(t, "words")
		value, err := encode(words)
		if err != nil {
			t.Fatal(err)
		}
		body, err := encode(map[string]any{"id": "x", "type": "page", "title": words, "slots": []any{map[string]any{"id": "s", "name": "main", "components": []any{map[string]any{
			"id": "c", "type": "T", "props": map[string]any{"a": value, "b": map[string]any{"value": map[string]any{words: words}}, "c": map[string]any{"text": map[string]any{"en": words}}},
		}}}}})
		if err != nil {
			t.Fatal(err)
		}
		want, err := Canonical(tutti.CompositionDocument, body)
		if err != nil {
			t.Fatal(err)
		}
		written, err := WriteYAML(tutti.CompositionDocument, body)
		if err != nil {
			t.Fatal(err)
		}
		doc, err := ParseDocument(tutti.CompositionDocument, "x.yaml", written)
		if err != nil || string(doc.Body) != string(want) {
			t.Fatalf("%q: %v: got\n%s\nwant\n%s\nfrom\n%s", words, err, doc.Body, want, written)
		}
	})
}

func FuzzParseDocument(f *testing.F) {
	content, err := os.ReadFile("testdata/documents/compositions/hotel-arrival.yaml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(content)
	f.Add([]byte("a: &a [*a]\n<<: *a\n"))
	f.Add([]byte("a: &a {<<: *a}"))
	f.Fuzz(func(t *testing.T, content []byte) {
		doc, err := ParseDocument(tutti.CompositionDocument, "x.yaml", content)
		if err != nil {
			return
		}
		written, err := WriteYAML(doc.Kind, doc.Body)
		if err != nil {
			t.Fatal(err)
		}
		again, err := ParseDocument(doc.Kind, "x.yaml", written)
		if err != nil || string(again.Body) != string(doc.Body) {
			t.Fatalf("%v: %s became %s through\n%s", err, doc.Body, again.Body, written)
		}
	})
}
