package sources

import (
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
