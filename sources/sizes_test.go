package sources

import (
	"net/http"
	"testing"

	"github.com/tuttihq/tutti"
)

func TestSizesThatAreReady(t *testing.T) {
	h := play(t, `
name: acme
kinds:
  item:
    type: Asset
    get: {path: "/${id}"}
    map: {title: record.name}
    renditions: {sizes: {"1024": record.large, "256": record.small, "64": record.tiny}, crop: "https://img.example/${record.id}?w=${width}&h=${height}"}
`, public, func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write([]byte(`{"id": "a", "small": "https://img.example/s", "large": "https://img.example/l", "tiny": "javascript:x"}`))
	})
	pictures := h.Get(t.Context(), refs("a"), tutti.Scope{})[0].Resource.Assets
	for width, want := range map[int]string{1: "https://img.example/s", 256: "https://img.example/s", 257: "https://img.example/l", 4000: "https://img.example/l", 0: ""} {
		if got := pictures.URL(width, 0, ""); got != want {
			t.Errorf("%d wide it is at %q, want %q", width, got, want)
		}
	}
	if got := pictures.URL(10, 20, ""); got != "https://img.example/a?w=10&h=20" {
		t.Errorf("cut it is at %q", got)
	}
}
