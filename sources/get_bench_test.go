package sources

import (
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/internal/config"
)

// Forty items of one source that are in memory, through everything that guards it.
func BenchmarkGetWarm(b *testing.B) {
	h := play(b, itemManifest, map[string]config.KindConfig{"item": {Access: tutti.AccessPublic}}, func(w http.ResponseWriter, r *http.Request) {
		var records []string
		for id := range strings.SplitSeq(r.URL.Query().Get("ids"), ",") {
			records = append(records, `{"id": "`+id+`", "name": "An item", "cents": 1490}`)
		}
		_, _ = w.Write([]byte(`{"items": [` + strings.Join(records, ",") + `]}`))
	})
	refs := make([]tutti.Ref, 40)
	for i := range refs {
		refs[i] = tutti.Ref{Source: "shop", Kind: "item", ID: strconv.Itoa(i)}
	}
	warm := func() {
		for _, got := range h.Get(b.Context(), refs, tutti.Scope{Locale: "en"}) {
			if got.Resource == nil {
				b.Fatal(got.Err)
			}
		}
	}
	warm()
	calls := h.calls()
	b.ReportAllocs()
	for b.Loop() {
		warm()
	}
	if h.calls() != calls {
		b.Fatal("the origin was called")
	}
}
