package sources

import (
	"fmt"
	"math"
	"net/http"
	"runtime"
	"strings"
	"testing"

	"github.com/tuttihq/tutti"
)

// TestManyEmptyRowsTakeLittle lets a system answer with as many rows as fit into the size limit: each is two bytes, and none is a record.
func TestManyEmptyRowsTakeLittle(t *testing.T) {
	row := ""
	h := play(t, itemManifest, public, func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write([]byte(`{"items": [` + strings.Repeat(row+",", (4<<20-20)/(len(row)+1)-1) + row + `]}`))
	})
	for _, row = range []string{"0", "null", "{}", `{"id":1}`} {
		t.Run(row, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			g := h.Get(t.Context(), refs("a"), tutti.Scope{})[0]
			_, err := h.Select(t.Context(), tutti.Selection{Source: "shop", Kind: "item"}, tutti.Scope{})
			runtime.ReadMemStats(&after)
			if tutti.CodeOf(g.Err) != tutti.TooLarge || tutti.CodeOf(err) != tutti.TooLarge {
				t.Errorf("an item comes to %v, a list to %v", g.Err, err)
			}
			if took := (after.TotalAlloc - before.TotalAlloc) >> 20; took > 512 { // of both, with all that was given back meanwhile
				t.Errorf("it took %d MB", took)
			}
		})
	}
}

// TestWhatCountsTwiceIsLimited: what is compared with each other thing of an answer may not be much.
func TestWhatCountsTwiceIsLimited(t *testing.T) {
	many := make([]string, 50_000)
	for i := range many {
		many[i] = fmt.Sprintf("p%d", i)
	}
	if got := readPolicies(strings.Join(many, ","), limitsNow); len(got) > mostPolicies {
		t.Errorf("of a header %d policies are read", len(got))
	}
	tag := http.Header{"Etag": {`"` + strings.Repeat("x", 100<<10) + `"`}}
	if got := (&call{byTag: true}).validator(tag); got != "" {
		t.Errorf("a validator of %d bytes is kept", len(got))
	}
	h := play(t, aliasManifest, public, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`{"data": {"things": [{"id": "a", "name": "A"}]}, "errors": [` + strings.Repeat(`{"path": ["another"]},`, 5000) + `{"path": ["another"]}]}`))
	})
	if page, err := h.Select(t.Context(), tutti.Selection{Source: "shop", Kind: "item"}, tutti.Scope{}); tutti.CodeOf(err) != tutti.BadAnswer {
		t.Errorf("beside thousands of errors comes %+v, %v", page, err)
	}
}

// TestAPageHasAnEnd: an origin that gives all it has for a page of twenty is not taken at its word.
func TestAPageHasAnEnd(t *testing.T) {
	rows := mostOfAPage
	h := play(t, itemManifest, public, func(w http.ResponseWriter, _ *http.Request) { items(w, rows, numbered(rows)...) })
	sel := tutti.Selection{Source: "shop", Kind: "item"}
	if page, err := h.Select(t.Context(), sel, tutti.Scope{}); err != nil || len(page.Items) != rows {
		t.Errorf("of as many come %d, %v", len(page.Items), err)
	}
	rows++
	h.ForgetAll()
	if page, err := h.Select(t.Context(), tutti.Selection{Source: "shop", Kind: "item", First: 3}, tutti.Scope{}); tutti.CodeOf(err) != tutti.TooLarge {
		t.Errorf("of more come %d, %v", len(page.Items), err)
	}
}

// TestATotalIsANumberThatClientsCanRead: GraphQL's Int has 32 bits.
func TestATotalIsANumberThatClientsCanRead(t *testing.T) {
	total := math.MaxInt32
	h := play(t, itemManifest, public, func(w http.ResponseWriter, _ *http.Request) { items(w, total, "a") })
	list := func() *int {
		p, err := h.Select(t.Context(), tutti.Selection{Source: "shop", Kind: "item"}, tutti.Scope{})
		if err != nil {
			t.Fatal(err)
		}
		return p.Total
	}
	if got := list(); got == nil || *got != math.MaxInt32 {
		t.Errorf("the most is %v", got)
	}
	total++
	h.ForgetAll()
	if got := list(); got != nil {
		t.Errorf("one more is %d", *got)
	}
}
