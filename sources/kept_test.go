package sources

import (
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/cache"
)

// kept reads answers of 15 records, page after page, and keeps what is in them as loads do. It gives
// how to keep one page more.
func (s *Sources) kept(tb testing.TB) (keep func()) {
	src := s.byName["products"]
	c, k := src.conn.(*manifestConnector), src.kinds["product"]
	var body []byte
	page := 0
	return func() {
		page++
		ids := benchIDs(1_000_000+page, 15)
		body = benchAnswer(body[:0], "product", strings.Join(ids, ","))
		asks, keys := make([]Ask, len(ids)), make([]cache.Key, len(ids))
		for i, id := range ids {
			asks[i].Ref = tutti.Ref{Source: "products", Kind: "product", ID: id}
			keys[i] = k.itemKey(asks[i].Ref, tutti.Scope{})
			asks[i].key = keys[i].Key
		}
		taken := s.cache.Epochs(nil)
		batch, err := c.readBatch(c.kinds["product"], body, asks)
		if err != nil {
			tb.Fatal(err)
		}
		for i := range batch.Replies {
			s.cache.Put(keys[i], taken, k.loaded(batch.Replies[i].Record), k.policy)
		}
	}
}

// live gives what the heap holds after collecting garbage.
func live() (bytes, objects int64) {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc), int64(m.HeapObjects)
}

// BenchmarkKept keeps items in a full memory, so that each drops another, and tells what each of
// those that are kept takes, next to what it counts for.
func BenchmarkKept(b *testing.B) {
	s, _ := benchHouse(b)
	keep := s.kept(b)
	bytes, objects := live()
	for s.cache.Stats().Evicted == 0 {
		keep()
	}
	kept := s.cache.Stats()
	bytes2, objects2 := live()
	b.ReportAllocs()
	done := cpu(b)
	for b.Loop() {
		keep()
	}
	done()
	b.ReportMetric(float64(kept.Bytes)/float64(kept.Items), "counted-B/item")
	b.ReportMetric(float64(bytes2-bytes)/float64(kept.Items), "real-B/item")
	b.ReportMetric(float64(objects2-objects)/float64(kept.Items), "objects/item")
}

// TestWhatItemsTakeIsCounted holds the budget of memory to what the heap really holds.
func TestWhatItemsTakeIsCounted(t *testing.T) {
	s, _ := benchHouse(t)
	keep := s.kept(t)
	before, _ := live()
	for s.cache.Stats().Evicted == 0 {
		keep()
	}
	after, _ := live()
	if counted, real := s.cache.Stats().Bytes, after-before; real > counted*11/10 || real < counted*8/10 {
		t.Errorf("what counts for %d bytes takes %d", counted, real)
	}
}

// TestKeptItemsAreWhole reads items long after the answer that they were in is gone.
func TestKeptItemsAreWhole(t *testing.T) {
	s, _ := benchHouse(t)
	keep := s.kept(t)
	for range 10 {
		keep()
	}
	for page := 1; page <= 10; page++ {
		for n := range 15 {
			id := strconv.Itoa(1_000_000+page) + "-" + strconv.Itoa(n)
			ref := tutti.Ref{Source: "products", Kind: "product", ID: id}
			got := s.Get(t.Context(), []tutti.Ref{ref}, tutti.Scope{})[0]
			r := got.Resource
			switch {
			case r == nil || !got.Cached:
				t.Fatalf("%s is not kept: %v", ref, got.Err)
			case r.Ref != ref || r.Tags[0] != ref.Tag() || r.Fields.Text("title") != "The title of "+id || r.Fields.Int("rank") != int64(n):
				t.Fatalf("%s is kept as %+v", ref, r)
			case !strings.HasPrefix(r.Raw, `{"code":"C-`+id) || !strings.HasSuffix(r.Raw, "}"):
				t.Fatalf("the record of %s is kept as %s", ref, r.Raw)
			}
		}
	}
}
