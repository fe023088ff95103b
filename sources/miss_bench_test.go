package sources

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/internal/config"
	"github.com/tuttihq/tutti/internal/fetch"
)

// The page of these benchmarks: 40 refs in four sources, eight fields each, as in bench/page.
var benchPage = []struct {
	kind, resource string
	n              int
}{{"asset", "Asset", 10}, {"product", "Product", 15}, {"post", "SocialPost", 10}, {"article", "Article", 5}}

const benchKind = `
  %s:
    type: %s
    id: {pattern: "[0-9]+-[0-9]+"}
    batch: {path: /%s, query: {ids: {value: "${ids}", encode: csv}}, records: records, maxIds: 100}
    map:
      title: record.title
      summary: {value: record.summary, as: string}
      link: record.link
      section: {value: record.section, as: string}
      code: {value: record.code, as: string}
      rank: {value: record.rank, as: int}
      updatedAt: record.updated
`

// benchAnswer writes what the played origin says about ids: as little work as can be.
func benchAnswer(b []byte, kind, ids string) []byte {
	b = append(b, `{"records":[`...)
	for i := 0; ids != ""; i++ {
		id, rest, _ := strings.Cut(ids, ",")
		ids = rest
		if i > 0 {
			b = append(b, ',')
		}
		b = append(append(append(b, `{"code":"C-`...), id...), `","id":"`...)
		b = append(append(append(b, id...), `","link":"/`...), kind...)
		b = append(append(append(b, '/'), id...), `","rank":`...)
		b = append(strconv.AppendInt(b, int64(i), 10), `,"section":"north","summary":"`...)
		for range 8 {
			b = append(append(append(b, "Words about "...), id...), ". "...)
		}
		b = append(append(append(b, `","title":"The title of `...), id...), `","updated":"2026-11-01T09:00:00Z"}`...)
	}
	return append(b, "]}"...)
}

func benchIDs(page, n int) []string {
	ids := make([]string, n)
	for i := range ids {
		ids[i] = strconv.Itoa(page) + "-" + strconv.Itoa(i)
	}
	return ids
}

// benchHouse opens the four sources over an origin that answers at once.
func benchHouse(b testing.TB) (*Sources, string) {
	b.Helper()
	bodies := sync.Pool{New: func() any { b := make([]byte, 0, 8<<10); return &b }}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, ids, _ := strings.Cut(r.URL.RawQuery, "ids=")
		b := bodies.Get().(*[]byte)
		defer bodies.Put(b)
		body := benchAnswer((*b)[:0], strings.TrimPrefix(r.URL.Path, "/"), strings.ReplaceAll(ids, "%2C", ","))
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(body)
	}))
	b.Cleanup(srv.Close)
	var kinds strings.Builder
	for _, k := range benchPage {
		fmt.Fprintf(&kinds, benchKind, k.kind, k.resource, k.kind)
	}
	dir := b.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "plain.yaml"), []byte("name: plain\nkinds:\n"+kinds.String()), 0o600); err != nil {
		b.Fatal(err)
	}
	var all []config.Source
	for _, k := range benchPage {
		c := config.Source{Name: k.kind + "s", Connector: "./plain.yaml", URL: srv.URL, AllowPrivate: []string{"127.0.0.1"}}
		c.Kinds = map[string]config.KindConfig{k.kind: {Access: tutti.AccessPublic}}
		c.Limits.Timeout, c.Limits.Concurrency = 10*time.Second, 256
		all = append(all, c)
	}
	s, err := Open(all, Deps{Dir: dir, Cache: 32 << 20})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(s.Close)
	return s, srv.URL
}

// BenchmarkAnswer reads a whole answer of 15 records.
func BenchmarkAnswer(b *testing.B) {
	s, _ := benchHouse(b)
	c := s.byName["products"].conn.(*manifestConnector)
	k := c.kinds["product"]
	ids := benchIDs(1, 15)
	body := benchAnswer(nil, "product", strings.Join(ids, ","))
	asks := make([]Ask, len(ids))
	for i, id := range ids {
		asks[i].Ref = tutti.Ref{Source: "products", Kind: "product", ID: id}
	}
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if batch, err := c.readBatch(k, body, asks); err != nil || batch.Replies[len(asks)-1].Record.Resource == nil {
			b.Fatal(batch, err)
		}
	}
}

// cpu reports the processor time of the whole process, which is less moved by what else runs.
func cpu(b *testing.B) func() {
	spent := func() time.Duration {
		var u syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
			b.Fatal(err)
		}
		return time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	before := spent()
	return func() { b.ReportMetric(float64((spent()-before).Microseconds())/float64(b.N), "cpu-µs/op") }
}

// BenchmarkMiss asks for a page of which nothing is known, next to a fan-out that makes the same
// four calls and parses nothing: the ratio of the two is what a miss costs.
func BenchmarkMiss(b *testing.B) {
	s, url := benchHouse(b)
	var page atomic.Int64
	b.Run("get", func(b *testing.B) {
		b.ReportAllocs()
		defer cpu(b)()
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				n := int(page.Add(1))
				var wg sync.WaitGroup
				for _, k := range benchPage {
					refs := make([]tutti.Ref, k.n)
					for i, id := range benchIDs(n, k.n) {
						refs[i] = tutti.Ref{Source: k.kind + "s", Kind: k.kind, ID: id}
					}
					wg.Go(func() {
						for _, g := range s.Get(b.Context(), refs, tutti.Scope{}) {
							if g.Resource == nil {
								b.Error(g.Err)
							}
						}
					})
				}
				wg.Wait()
			}
		})
	})
	b.Run("fan-out", func(b *testing.B) {
		client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 256}}
		b.ReportAllocs()
		defer cpu(b)()
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				n := int(page.Add(1))
				var wg sync.WaitGroup
				for _, k := range benchPage {
					wg.Go(func() {
						res, err := client.Get(url + "/" + k.kind + "?ids=" + strings.Join(benchIDs(n, k.n), ","))
						if err != nil {
							b.Error(err)
							return
						}
						defer res.Body.Close()
						if _, err := io.ReadAll(res.Body); err != nil {
							b.Error(err)
						}
					})
				}
				wg.Wait()
			}
		})
	})
}

func (c *manifestConnector) readBatch(k *compiledKind, body []byte, asks []Ask) (Batch, error) {
	a, err := k.batch.status(&fetch.Response{Status: 200, Header: http.Header{"Content-Type": {"application/json"}}, Body: body}, time.Now(), nil)
	if err != nil {
		return Batch{}, err
	}
	defer a.free()
	return c.readMany(k, a, asks, tutti.Scope{})
}
