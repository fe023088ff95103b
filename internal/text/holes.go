package text

import (
	"strconv"
	"strings"

	"github.com/tuttihq/tutti"
)

var (
	holeMarks  = strings.NewReplacer(tutti.HoleStart, "", tutti.HoleEnd, "")
	takenMarks = strings.NewReplacer(string(takenStart), "", string(takenEnd), "")
)

// StripHoles removes the marks of holes, so that text of an origin cannot pass for one. Call it
// on every string that comes from outside.
func StripHoles(s string) string {
	if !strings.Contains(s, "\xee\x80") { // what both marks start with
		return s
	}
	return holeMarks.Replace(s)
}

// OutsideHoles applies f to the words between holes and leaves the holes, marks included, as
// they are.
func OutsideHoles(s string, f func(string) string) string {
	var b strings.Builder
	for {
		words, rest, found := strings.Cut(s, tutti.HoleStart)
		hole, after, closed := strings.Cut(rest, tutti.HoleEnd)
		if !found || !closed {
			b.WriteString(f(StripHoles(s)))
			return b.String()
		}
		if words != "" {
			b.WriteString(f(StripHoles(words)))
		}
		b.WriteString(tutti.HoleStart + hole + tutti.HoleEnd)
		if s = after; s == "" {
			return b.String()
		}
	}
}

// A taken hole stands as its number between these marks while text is converted: characters
// that no form escapes, and that are removed from what comes in.
const (
	takenStart = '\uE002'
	takenEnd   = '\uE003'
)

type holes []string

func takeHoles(s string) (string, holes) {
	if !strings.Contains(s, tutti.HoleStart) {
		return StripHoles(s), nil
	}
	s = takenMarks.Replace(s)
	var taken holes
	var b strings.Builder
	for {
		words, rest, found := strings.Cut(s, tutti.HoleStart)
		hole, after, closed := strings.Cut(rest, tutti.HoleEnd)
		if !found || !closed {
			b.WriteString(StripHoles(s))
			return b.String(), taken
		}
		b.WriteString(StripHoles(words))
		b.WriteString(string(takenStart) + strconv.Itoa(len(taken)) + string(takenEnd))
		taken = append(taken, hole)
		s = after
	}
}

// back puts taken holes where they were.
func (h holes) back(s string) string {
	if len(h) == 0 {
		return s
	}
	var pairs []string
	for i, hole := range h {
		n, in := strconv.Itoa(i), tutti.HoleStart+hole+tutti.HoleEnd
		pairs = append(pairs, string(takenStart)+n+string(takenEnd), in, "%EE%80%82"+n+"%EE%80%83", in) // the second inside addresses
	}
	return strings.NewReplacer(pairs...).Replace(s)
}

func (h holes) backAll(r tutti.RichText) tutti.RichText {
	if len(h) == 0 {
		return r
	}
	return tutti.RichText{HTML: h.back(r.HTML), Markdown: h.back(r.Markdown), Plain: h.back(r.Plain), SSML: h.back(r.SSML)}
}
