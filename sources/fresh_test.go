package sources

import (
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/internal/config"
)

func TestFreshForReadsCacheControl(t *testing.T) {
	for _, c := range []struct {
		control, age string
		want         time.Duration
	}{
		{"", "", 0},
		{"public", "", 0},
		{"max-age=60", "", time.Minute},
		{"Max-Age = 60 , public", "20", 40 * time.Second},
		{"max-age=600, s-maxage=60", "", time.Minute},
		{`max-age="60"`, "soon", time.Minute},
		{"max-age=60", "61", shortest},
		{"max-age=0", "", shortest},
		{"max-age=60, no-cache", "", shortest},
		{"no-store", "", shortest},
		{"max-age=x", "", 0},
		{"max-age=-1", "", 0},
		{"max-age=99999999999999999999", "", 365 * 24 * time.Hour},
	} {
		h := http.Header{}
		h.Set("Cache-Control", c.control)
		h.Set("Age", c.age)
		if got := freshFor(h); got != c.want {
			t.Errorf("%q at the age %q is fresh for %v, want %v", c.control, c.age, got, c.want)
		}
	}
}

const freshManifest = `
name: acme
kinds:
  item:
    type: Product
    get: {path: "/items/${id}", conditional: etag, fresh: cache-control}
    select:
      - {path: /items, records: items, fresh: cache-control}
    map: {title: record.name}
`

// TestTheOriginSaysHowLongAndWhetherAnew: what an answer says of how long it is fresh is kept to,
// within what the config says, and after that the record is asked for with its validator. An answer
// that it is unchanged keeps what is there and says anew how long.
func TestTheOriginSaysHowLongAndWhetherAnew(t *testing.T) {
	var mu sync.Mutex
	ahead, control, tag, name := time.Duration(0), "max-age=10", `"1"`, "first"
	var wanted []string // If-None-Match of each call
	set := func(f func()) {
		mu.Lock()
		defer mu.Unlock()
		f()
	}
	h := play(t, freshManifest, public, func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		wanted = append(wanted, r.Header.Get("If-None-Match"))
		w.Header().Set("Cache-Control", control)
		w.Header().Set("ETag", tag)
		switch {
		case r.URL.Path == "/items":
			_, _ = w.Write([]byte(`{"items": [{"id": "b", "name": "listed"}]}`))
		case r.Header.Get("If-None-Match") == tag:
			w.WriteHeader(http.StatusNotModified)
		default:
			_, _ = w.Write([]byte(`{"id": "a", "name": "` + name + `"}`))
		}
	}, func(c *config.Source, d *Deps) {
		c.Freshness = config.Freshness{Fresh: time.Minute}
		begun := time.Now()
		d.Now = func() time.Time { mu.Lock(); defer mu.Unlock(); return begun.Add(ahead) }
	})
	get := func(title string, calls int) {
		t.Helper()
		got := h.Get(t.Context(), refs("a"), tutti.Scope{})[0]
		if got.Resource == nil || got.Resource.Fields.Text("title") != title || h.calls() != calls {
			t.Fatalf("after %d calls it is %v, %v; want %s after %d: %q", h.calls(), got.Resource, got.Err, title, calls, wanted)
		}
	}
	get("first", 1)
	set(func() { ahead += 8 * time.Second })
	get("first", 1)
	set(func() { ahead, control = ahead+3*time.Second, "max-age=3600" }) // over: asked with the validator, and unchanged
	get("first", 2)
	set(func() { ahead += 50 * time.Second })
	get("first", 2)
	set(func() { ahead, tag, name = ahead+11*time.Second, `"2"`, "second" }) // the config's minute is over
	get("second", 3)
	set(func() { ahead += 61 * time.Second })
	get("second", 4)
	mu.Lock()
	if want := []string{"", `"1"`, `"1"`, `"2"`}; len(wanted) != 4 || wanted[0] != want[0] || wanted[1] != want[1] || wanted[2] != want[2] || wanted[3] != want[3] {
		t.Errorf("the calls name the copies %q, want %q", wanted, want)
	}
	control = "max-age=5"
	mu.Unlock()
	sel := tutti.Selection{Source: "shop", Kind: "item"}
	for i, later := range []time.Duration{0, 4 * time.Second, 2 * time.Second} {
		set(func() { ahead += later })
		if _, err := h.Select(t.Context(), sel, tutti.Scope{}); err != nil {
			t.Fatal(err)
		}
		if want := []int{5, 5, 6}[i]; h.calls() != want {
			t.Errorf("a list that is fresh for five seconds takes %d calls in all, want %d", h.calls(), want)
		}
	}
}
