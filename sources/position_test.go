package sources

import (
	"errors"
	"strings"
	"testing"

	"github.com/tuttihq/tutti"
)

// TestMistakesInsideOfTextsHaveTheirPlace plants one unknown name in every way in which YAML writes a
// text. The mark ^ stands before it.
func TestMistakesInsideOfTextsHaveTheirPlace(t *testing.T) {
	for name, value := range map[string]string{
		"plain":                "title: record.a + ^rec",
		"single quotes":        "title: 'record.a + \"''\" + ^rec'",
		"double quotes":        `title: "record.a + '\"' + ^rec"`,
		"folded":               "title: >-\n        record.a +\n        record.b +\n        ^rec",
		"literal":              "title: |\n        record.a +\n          ^rec",
		"plain, two lines":     "title: record.a +\n        record.b + ^rec",
		"letters beyond ASCII": "title: \"'é日' + ^rec\"",
		"long form":            "title: {value: \"record.a + ^rec\"}",
		"flow":                 "{title: record.name, sku: \"'x' + ^rec\"}",
	} {
		text := "name: acme\nkinds:\n  item:\n    type: Product\n    get: {path: \"/i/${id}\"}\n    map:\n      " + value + "\n"
		before, after, _ := strings.Cut(text, "^")
		_, err := ParseManifest("acme.yaml", []byte(before+after))
		var e *tutti.Error
		if !errors.As(err, &e) {
			t.Errorf("%s: it is taken", name)
			continue
		}
		line, column := 1+strings.Count(before, "\n"), 1+len([]rune(before[strings.LastIndex(before, "\n")+1:]))
		if e.Line != line || e.Column != column {
			t.Errorf("%s: told at %d:%d, want %d:%d: %v", name, e.Line, e.Column, line, column, err)
		}
	}
}

func TestMistakesInTemplatesHaveTheirPlace(t *testing.T) {
	text := "name: acme\nkinds:\n  item:\n    type: Product\n    get:\n      path: /i/${id}\n      query: {q: \"a ${id} b ${^idd}\"}\n      body: {x: {y: \"${^idd}\"}}\n    map: {title: record.name}\n"
	var want [][2]int
	plain := ""
	for i, part := range strings.Split(text, "^") {
		if i > 0 {
			want = append(want, [2]int{1 + strings.Count(plain, "\n"), 1 + len([]rune(plain[strings.LastIndex(plain, "\n")+1:]))})
		}
		plain += part
	}
	_, err := ParseManifest("acme.yaml", []byte(plain))
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok || len(joined.Unwrap()) != len(want) {
		t.Fatalf("it comes to %v", err)
	}
	for i, err := range joined.Unwrap() {
		var e *tutti.Error
		if !errors.As(err, &e) || [2]int{e.Line, e.Column} != want[i] {
			t.Errorf("mistake %d: %v, want it at %v", i, err, want[i])
		}
	}
}
