package graph

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/tuttihq/tutti"
)

// named gives words for tokens.
type named []string

func (named) TypeName() string                { return "Experience" }
func (named) Field(string, Args) (any, error) { return nil, nil }
func (named) Varies(string) bool              { return false }
func (n named) Word(token int) string         { return n[token-1] }

// TestWordsAreWrittenInPlaceOfTokens: escaped for JSON, and as null where a text that may be null
// gets none. What only looks like a token stays.
func TestWordsAreWrittenInPlaceOfTokens(t *testing.T) {
	token := func(s string) string { return tutti.HoleStart + s + tutti.HoleEnd }
	for name, c := range map[string]struct {
		text   string
		sparse bool
		words  named
		want   string
	}{
		"none":                        {"Hi", false, nil, `"Hi"`},
		"one":                         {"Hi " + token("1") + "!", false, named{"Ana"}, `"Hi Ana!"`},
		"twice and another":           {token("2") + token("1") + token("2"), false, named{"a", "b"}, `"bab"`},
		"escaped":                     {token("1"), false, named{`"</script>\`}, `"\"\u003c/script\u003e\\"`},
		"a token in the words":        {token("1"), false, named{token("2")}, `"` + token("2") + `"`},
		"empty":                       {token("1"), false, named{""}, `""`},
		"empty, and may be null":      {token("1") + token("2"), true, named{"", ""}, `null`},
		"not empty, and may be null":  {token("1") + token("2"), true, named{"", "b"}, `"b"`},
		"words around, may be null":   {token("1") + "!", true, named{""}, `"!"`},
		"what looks like a token":     {token("name") + token("0") + tutti.HoleStart, false, nil, `"` + token("name") + token("0") + tutti.HoleStart + `"`},
		"what looks like one, before": {token("name") + token("1"), false, named{"Ana"}, `"` + token("name") + `Ana"`},
	} {
		t.Run(name, func(t *testing.T) {
			r := &record{}
			out := AppendString(nil, c.text)
			if c.sparse {
				out = r.sparse(nil, c.text)
			}
			out = append(append([]byte("["), out...), ']')
			r.text(out, len(out))
			p := &projector{}
			for i := range r.stretches {
				p.stretch(&r.stretches[i], c.words)
			}
			if got := string(p.out); got != "["+c.want+"]" {
				t.Errorf("got %s, want [%s]", got, c.want)
			}
			if r.tokens != (len(c.words) > 0) {
				t.Errorf("it notes %t that there are tokens in %q", r.tokens, strings.ToValidUTF8(c.text, "?"))
			}
		})
	}
}

// TestTextsAreEscapedAlike: personal words are put into ready answers by AppendString, and made
// anew some of them are written by encoding/json.
func TestTextsAreEscapedAlike(t *testing.T) {
	for r := range rune(0x3000) {
		s := "a" + string(r) + "b"
		want, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		if got := AppendString(nil, s); !bytes.Equal(got, want) {
			t.Errorf("%U is written as %s, and as %s", r, got, want)
		}
	}
}
