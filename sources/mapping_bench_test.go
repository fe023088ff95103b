package sources

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/internal/config"
)

// A product of twelve fields as shops write them: money, HTML, times, lists, truth values, refs.
const productManifest = `name: products
kinds:
  product:
    type: Product
    id: {pattern: "[0-9]+"}
    batch: {path: /products, query: {ids: {value: "${ids}", encode: csv}}, records: items, total: total, maxIds: 100}
    map:
      title: record.name
      slug: record.slug
      description: record.description
      sku: record.variants[0].sku
      price: money(record.variants[0].price, record.variants[0].currency)
      compareAtPrice: money.major(record.before.amount, record.before.currency)
      inStock: record.available
      image: {value: record.image.id, kind: "dam:asset"}
      tags: record.facets.map(f, f.code)
      link: record.url
      updatedAt: record.updatedAt
      weight: {value: record.weight, as: float}
`

func benchProduct(b []byte, id string) []byte {
	return fmt.Appendf(b, `{"id":%q,"name":"Folding bicycle %s","slug":"folding-bicycle-%s","description":"<p>Folds in <b>ten</b> seconds, weighs eleven kilograms.</p><p>Fits under a seat.</p>",`+
		`"variants":[{"id":"%s1","sku":"FB-%s","price":129900,"currency":"EUR","stock":"IN_STOCK"},{"id":"%s2","sku":"FB-%s-R","price":134900,"currency":"EUR","stock":"LOW"}],`+
		`"before":{"amount":"1399.00","currency":"EUR"},"available":true,"image":{"id":"a-%s","w":1600,"h":1200},"facets":[{"code":"bicycles","id":3},{"code":"folding","id":9}],`+
		`"url":"/bikes/%s","updatedAt":"2026-11-01T09:00:00.000Z","weight":11.2,"seo":{"title":"x","description":"y"}}`, id, id, id, id, id, id, id, id, id)
}

func benchProducts(b []byte, ids []string) []byte {
	b = append(b, `{"items":[`...)
	for i, id := range ids {
		if i > 0 {
			b = append(b, ',')
		}
		b = benchProduct(b, id)
	}
	return fmt.Appendf(b, `],"total":%d}`, len(ids))
}

// openProducts opens a source of products over a system that answers at once.
func openProducts(b testing.TB) (s *Sources, url string) {
	b.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(benchProducts(make([]byte, 0, 64<<10), strings.Split(r.URL.Query().Get("ids"), ",")))
	}))
	b.Cleanup(srv.Close)
	dir := b.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "products.yaml"), []byte(productManifest), 0o600); err != nil {
		b.Fatal(err)
	}
	c := config.Source{Name: "shop", Connector: "./products.yaml", URL: srv.URL, AllowPrivate: []string{"127.0.0.1"}, Kinds: map[string]config.KindConfig{"product": {Access: tutti.AccessPublic}}}
	c.Limits.Timeout = 10 * time.Second
	s, err := Open([]config.Source{c}, Deps{Dir: dir, Cache: 32 << 20})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(s.Close)
	return s, srv.URL
}

func productIDs(from, n int) []string {
	ids := make([]string, n)
	for i := range ids {
		ids[i] = strconv.Itoa(from + i)
	}
	return ids
}

// BenchmarkMapping reads 1,000 products of twelve fields, in ten answers. The limit is 6 ms of
// processor time.
func BenchmarkMapping(b *testing.B) {
	s, _ := openProducts(b)
	c := s.byName["shop"].conn.(*manifestConnector)
	k := c.kinds["product"]
	var bodies [][]byte
	var asks [][]Ask
	for page := range 10 {
		ids := productIDs(1000+100*page, 100)
		bodies = append(bodies, benchProducts(nil, ids))
		some := make([]Ask, len(ids))
		for i, id := range ids {
			some[i].Ref = tutti.Ref{Source: "shop", Kind: "product", ID: id}
		}
		asks = append(asks, some)
	}
	b.ReportAllocs()
	defer cpu(b)()
	for b.Loop() {
		for page := range bodies {
			batch, err := c.readBatch(k, bodies[page], asks[page])
			if err != nil || batch.Replies[99].Record.Resource.Fields.Len() != 12 {
				b.Fatal(batch, err)
			}
			batch.free()
		}
	}
}

// BenchmarkBatch asks for 40 products of which nothing is known, in turn with a bare client that makes
// the same call and parses nothing. over-µs is what the median takes longer; the limit is 500.
func BenchmarkBatch(b *testing.B) {
	s, url := openProducts(b)
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 8}}
	var ours, bare []time.Duration
	from := 0
	for b.Loop() {
		from += 40
		ids := productIDs(from, 40)
		refs := make([]tutti.Ref, len(ids))
		for i, id := range ids {
			refs[i] = tutti.Ref{Source: "shop", Kind: "product", ID: id}
		}
		start := time.Now()
		for _, g := range s.Get(b.Context(), refs, tutti.Scope{}) {
			if g.Resource == nil {
				b.Fatal(g.Err)
			}
		}
		ours = append(ours, time.Since(start))
		start = time.Now()
		res, err := client.Get(url + "/products?ids=" + strings.Join(ids, ","))
		if err != nil {
			b.Fatal(err)
		}
		if _, err := io.ReadAll(res.Body); err != nil {
			b.Fatal(err)
		}
		_ = res.Body.Close()
		bare = append(bare, time.Since(start))
	}
	median := func(all []time.Duration) float64 {
		slices.Sort(all)
		return float64(all[len(all)/2].Nanoseconds()) / 1000
	}
	b.ReportMetric(median(ours), "ours-µs")
	b.ReportMetric(median(bare), "bare-µs")
	b.ReportMetric(median(ours)-median(bare), "over-µs")
}
