package graph

import (
	"strings"
	"testing"
	"unsafe"

	"github.com/tuttihq/tutti"
)

// keptAfter is what is kept of a part after it was written: a part begins at from, lists end one by one, and
// components were written last at joined.
func keptAfter(out string, from, joined int, lists ...longList) keptText {
	p := &projector{part: &tutti.Part{}, record: &record{}, joined: joined}
	for _, l := range lists {
		p.out = []byte(out[:l.to])
		p.listed(l.from)
	}
	return keptTextOf([]byte(out), from, p.lists)
}

// TestLongListsAreKeptOnce: text comes out as it was written, and two texts with the same list in them hold it
// once.
func TestLongListsAreKeptOnce(t *testing.T) {
	long := "[" + strings.Repeat(`"item",`, 400) + `"last"]`
	head := "before "
	for name, c := range map[string]struct {
		out    string
		joined int
		lists  []longList // as they end
		shared string
	}{
		"none":                     {`{"id":"a"}`, 0, nil, ""},
		"one":                      {`{"id":"a","nodes":` + long + `}`, 0, []longList{{25, 25 + len(long)}}, long},
		"a short one":              {`{"id":"a","nodes":["b"]}`, 0, []longList{{25, 30}}, ""},
		"one inside of another":    {`[` + long + `,` + long + `]`, 0, []longList{{8, 8 + len(long)}, {9 + len(long), 9 + 2*len(long)}, {7, 10 + 2*len(long)}}, `[` + long + `,` + long + `]`},
		"one with components":      {`{"slots":` + long + `}`, 20, []longList{{16, 16 + len(long)}}, ""},
		"one beside of components": {`{"slots":[],"nodes":` + long + `}`, 16, []longList{{27, 27 + len(long)}}, long},
	} {
		t.Run(name, func(t *testing.T) {
			a, b := keptAfter(head+c.out, len(head), c.joined, c.lists...), keptAfter(head+c.out, len(head), c.joined, c.lists...)
			if got := string(a.appendTo(nil)); got != c.out || a.size() != len(c.out) {
				t.Errorf("of %.60s comes %.60s, of %d bytes", c.out, got, a.size())
			}
			for _, spliced := range []bool{false, true} {
				p := &projector{spliced: spliced}
				p.splice(&a)
				if got := string((&buffer{b: p.out, splices: p.splices}).whole()); got != c.out {
					t.Errorf("of %.60s is sent %.60s", c.out, got)
				}
			}
			if c.shared == "" {
				if len(a.lists) > 0 {
					t.Errorf("it shares %.60s", a.lists[0].text.Value())
				}
				return
			}
			if len(a.lists) != 1 || a.lists[0].text.Value() != c.shared {
				t.Fatalf("it shares %d lists", len(a.lists))
			}
			if unsafe.StringData(a.lists[0].text.Value()) != unsafe.StringData(b.lists[0].text.Value()) {
				t.Error("the same list is kept twice")
			}
		})
	}
}
