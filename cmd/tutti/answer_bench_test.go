package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/graph"
	"github.com/tuttihq/tutti/internal/config"
	"github.com/tuttihq/tutti/store"
	"github.com/tuttihq/tutti/store/open"
)

// BenchmarkAnswer measures one request of a whole server, from the handler's first line to its
// last: a page of 40 refs that 20 rules over 5 audiences decide, with words for the visitor in it.
func BenchmarkAnswer(b *testing.B) {
	h, key, _ := benchHouse(b)
	handler := h.handler()
	ask := func(body string, w http.ResponseWriter) {
		r := httptest.NewRequestWithContext(context.Background(), http.MethodPost, "/graphql", strings.NewReader(body))
		r.Header.Set("Authorization", "Bearer "+key)
		r.Header.Set("Content-Type", "application/json")
		handler.ServeHTTP(w, r)
	}
	first := httptest.NewRecorder()
	ask(benchBody(1, 1), first)
	if got := first.Body.String(); first.Code != http.StatusOK || strings.Count(got, `"ref":`) != 40 || !strings.Contains(got, "Guest 1") || !strings.Contains(got, `"problems":[]`) {
		b.Fatalf("%d %.900s", first.Code, got)
	}
	var bodies []string
	for person := range 1000 {
		bodies = append(bodies, benchBody(person%10, person))
	}
	for _, one := range bodies {
		ask(one, &nowhere{header: http.Header{}})
	}
	b.Run("hit", func(b *testing.B) {
		b.ReportAllocs()
		w := &nowhere{header: http.Header{}}
		var before, after syscall.Rusage
		_ = syscall.Getrusage(syscall.RUSAGE_SELF, &before)
		for i := 0; b.Loop(); i++ {
			clear(w.header)
			ask(bodies[i%len(bodies)], w)
		}
		_ = syscall.Getrusage(syscall.RUSAGE_SELF, &after)
		spent := after.Utime.Nano() + after.Stime.Nano() - before.Utime.Nano() - before.Stime.Nano()
		b.ReportMetric(float64(spent)/float64(b.N), "cpu-ns/op") // on a busy machine the time says little
	})
}

// benchBody is the request for a page of one of many people.
func benchBody(page, person int) string {
	query, _ := json.Marshal(`query Page($page: Int!, $context: ContextInput) { experience(composition: "page", params: {page: $page}, channel: "web", context: $context) { id components { id component variant ... on Top { words } ... on Row { items(first: 100) { nodes { id ref title link updatedAt kind fields __typename } } } } problems { path code } } }`)
	return fmt.Sprintf(`{"query":%s,"variables":{"page":%d,"context":{"location":{"lat":43.%d,"lon":-2.93},"consent":{"personalization":true},"attributes":{"name":"Guest %d","tier":%q,"visits":%d,"points":%d}}}}`,
		query, page, 100+person%800, person, []string{"none", "gold"}[person%2], person%40, person)
}

// nowhere is a response that nobody reads.
type nowhere struct{ header http.Header }

func (w *nowhere) Header() http.Header         { return w.header }
func (w *nowhere) Write(b []byte) (int, error) { return len(b), nil }
func (w *nowhere) WriteHeader(int)             {}

// benchHouse is a house with one page, a server key for it, and the address of its origin.
func benchHouse(b *testing.B) (h *house, key, origin string) {
	origin = playOrigin(b)
	dir := b.TempDir()
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			b.Fatal(err)
		}
	}
	write("plain.yaml", `
name: plain
description: A plain system.
kinds:
  item:
    type: Article
    id: {pattern: "[0-9]+-[0-9]+"}
    batch: {path: /items, query: {ids: {value: "${ids}", encode: csv}}, records: records, maxIds: 100}
    recordId: record.id
    map:
      title: record.title
      summary: {value: record.summary, as: string}
      link: record.link
      section: {value: record.section, as: string}
      code: {value: record.code, as: string}
      rank: {value: record.rank, as: int}
      updatedAt: record.updated
`)
	var sources strings.Builder
	for row := range 4 {
		fmt.Fprintf(&sources, "  items%d: {connector: plain.yaml, url: %s, allowPrivate: [127.0.0.1], limits: {concurrency: 256}, freshness: {fresh: 24h, stale: 1h}, kinds: {item: {access: public}}}\n", row, origin)
	}
	write("tutti.yaml", fmt.Sprintf(`
locales: {default: en, names: [en]}
channels: {web: {}}
sources:
%scomponentTypes:
  Top: {version: 1, props: {words: {type: text}, look: {type: string}}}
  Row: {version: 1, props: {items: {type: resources, first: 100}, look: {type: string}}}
compositionTypes:
  page: {version: 1, slots: {main: {}}}
attributes:
  tier: {type: string, values: [none, gold], purpose: personalization, trust: server, sensitivity: segment}
  visits: {type: int, purpose: personalization, trust: server, sensitivity: segment}
  points: {type: int, purpose: personalization, trust: server, sensitivity: segment}
  name: {type: string, purpose: personalization, trust: client, sensitivity: personal}
  distance: {type: double, step: 10000, purpose: personalization, sensitivity: segment, derive: "geo.distance(location, {'lat': 43.26, 'lon': -2.93})"}
`, sources.String()))
	cfg, err := config.Load(filepath.Join(dir, "tutti.yaml"), func(string) (string, bool) { return "", false })
	if err != nil {
		b.Fatal(err)
	}
	st, err := open.Store(context.Background(), "sqlite:"+filepath.Join(dir, "tutti.db"))
	if err != nil {
		b.Fatal(err)
	}
	plain, record := graph.NewKey(tutti.ServerKey, "bench", nil, time.Now(), time.Time{})
	if err := st.AddKey(context.Background(), record); err != nil {
		b.Fatal(err)
	}
	var doc strings.Builder
	doc.WriteString(`{"type": "page", "title": "A page", "params": [{"name": "page", "type": "int", "required": true}], "slots": [{"id": "s", "name": "main", "components": [
		{"id": "top", "type": "Top", "props": {"words": {"text": "Hello ${name}, ${distance} m to go"}}, "variants": [` + benchRules(0) + `]}`)
	for row := range 4 {
		fmt.Fprintf(&doc, `, {"id": "row%d", "type": "Row", "props": {"items": {"refs": [`, row)
		for n := range 10 {
			if n > 0 {
				doc.WriteString(", ")
			}
			fmt.Fprintf(&doc, `"='items%d:item/' + string(params.page) + '-%d'"`, row, row*10+n)
		}
		fmt.Fprintf(&doc, `]}}, "variants": [%s]}`, benchRules(row+1))
	}
	doc.WriteString("]}]}")
	benchPublish(b, st, tutti.AudienceDocument, map[string]string{
		"gold": `{"rule": "tier == 'gold'"}`, "frequent": `{"rule": "visits >= 10"}`, "rich": `{"rule": "points > 500 && visits > 2"}`,
		"new": `{"rule": "visits < 2 && points < 100"}`, "best": `{"rule": "audience.gold && audience.frequent"}`,
	})
	benchPublish(b, st, tutti.CompositionDocument, map[string]string{"page": doc.String()})
	h, err = openHouse(context.Background(), cfg, st, dir, slog.New(slog.NewTextHandler(io.Discard, nil)))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { h.close(); _ = st.Close() })
	return h, plain, origin
}

func benchPublish(b *testing.B, st store.Store, kind tutti.DocumentKind, docs map[string]string) {
	for name, body := range docs {
		d, err := st.SaveDraft(context.Background(), tutti.Draft{Kind: kind, Name: name, Body: json.RawMessage(body)}, "bench", time.Now())
		if err == nil {
			_, err = st.Publish(context.Background(), kind, name, d.Revision, time.Time{}, "", "bench", time.Now())
		}
		if err != nil {
			b.Fatal(err)
		}
	}
}

// benchRules are four rules: three that are never true, and one that tells people apart.
func benchRules(component int) string {
	var list []string
	for i, rule := range []string{"audience.rich && points > 100000", "audience.new && tier == 'gold' && points != 7", "audience.best && visits > 1000", []string{"audience.gold", "audience.frequent", "audience.best"}[component%3]} {
		list = append(list, fmt.Sprintf(`{"name": "v%d", "rule": %q, "props": {"look": {"value": "look%d"}}}`, i, rule, i))
	}
	return strings.Join(list, ", ")
}
