package graph

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"

	"github.com/andybalholm/brotli"

	"github.com/tuttihq/tutti"
)

// TestCodingFor keeps RFC 9110, section 12.5.3.
func TestCodingFor(t *testing.T) {
	for accept, want := range map[string]Coding{
		"gzip":                        Gzip,
		"x-gzip":                      Gzip, // section 8.4.1.3: the same
		"GZip":                        Gzip,
		"br":                          Brotli,
		"gzip, deflate, br, zstd":     Brotli,
		"gzip;q=1.0, br;q=0.5":        Gzip,
		"gzip ; q=0.5 , br ; q=0.5":   Brotli,
		"*":                           Brotli,
		"br;q=0, *":                   Gzip,
		"gzip;q=0, br;q=0":            Identity,
		"*;q=0":                       Identity,
		"deflate, zstd":               Identity,
		"identity":                    Identity,
		"identity;q=0.5, gzip;q=0.4":  Identity,
		"identity;q=0.4, gzip;q=0.5":  Gzip,
		"identity, gzip":              Gzip,
		"identity;q=0, gzip;q=0.001":  Gzip,
		"":                            Identity,
		",, ;":                        Identity,
		"gzip;q=2":                    Identity,
		"gzip;q=NaN":                  Identity,
		"gzip;level=9":                Identity,
		"gzip;q=":                     Identity,
		"br;q=0.9, gzip;q=0.8, *;q=0": Brotli,
	} {
		if got := CodingFor([]string{accept}, 5000); got != want {
			t.Errorf("%q: got %q, want %q", accept, got, want)
		}
	}
	if got := CodingFor([]string{"deflate", "br;q=0.5", "gzip"}, 5000); got != Gzip {
		t.Errorf("over several lines: %q", got)
	}
	if got := CodingFor([]string{"br"}, smallest-1); got != Identity {
		t.Errorf("a short answer is compressed: %q", got)
	}
	if got := CodingFor(nil, 5000); got != Identity {
		t.Errorf("without a wish: %q", got)
	}
	accept := []string{"gzip, deflate, br, zstd"}
	if n := testing.AllocsPerRun(100, func() { CodingFor(accept, 5000) }); n != 0 {
		t.Errorf("choosing a coding allocates %v times", n)
	}
}

func decoded(t *testing.T, b []byte, c Coding) string {
	t.Helper()
	var r io.Reader = bytes.NewReader(b)
	switch c {
	case Gzip:
		z, err := gzip.NewReader(r)
		if err != nil {
			t.Fatal(err)
		}
		r = z
	case Brotli:
		r = brotli.NewReader(r)
	}
	plain, err := io.ReadAll(r)
	if err != nil {
		t.Fatalf("reading %q: %v", c, err)
	}
	return string(plain)
}

func TestBodyKeepsItsCodings(t *testing.T) {
	plain := strings.Repeat(`{"ref":"stay:hotel/azul","title":"Hotel Azul"}`, 200)
	b := NewBody([]byte(plain))
	before := b.Size()
	tags := map[string]bool{}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for _, c := range []Coding{Identity, Gzip, Brotli} {
				_, _ = b.In(c), b.ETag(c)
			}
		})
	}
	wg.Wait()
	for _, c := range []Coding{Identity, Gzip, Brotli} {
		coded := b.In(c)
		if got := decoded(t, coded, c); got != plain {
			t.Errorf("%q: %d bytes came back as %d", c, len(plain), len(got))
		}
		if c != Identity && (len(coded) > len(plain)/4 || &coded[0] != &b.In(c)[0]) {
			t.Errorf("%q: %d bytes of %d, or not kept", c, len(coded), len(plain))
		}
		if again := appendEncoded(nil, []byte(plain), c); !bytes.Equal(again, coded) {
			t.Errorf("%q: compressed twice it is other bytes, under one ETag", c)
		}
		tags[b.ETag(c)] = true
	}
	if len(tags) != 3 {
		t.Errorf("codings share an ETag: %v", tags)
	}
	if b.Len() != len(plain) || b.Size() <= before {
		t.Errorf("length %d, size %d, before %d", b.Len(), b.Size(), before)
	}
}

func TestAnswersAreCompressed(t *testing.T) {
	h := newHouse(t)
	query := `{ a: experience(composition: "` + strings.Repeat("arrival", 300) + `", channel: "web") { composition } }`
	plain := h.ask(tutti.BrowserKey, query, nil, "Accept-Encoding", "identity")
	if plain.status != 200 || len(plain.body) < smallest || plain.header.Get("Content-Encoding") != "" {
		t.Fatalf("%d, %d bytes, %v", plain.status, len(plain.body), plain.header)
	}
	for _, c := range []Coding{Gzip, Brotli} {
		status, header, body := h.raw("POST", "/graphql", tutti.BrowserKey, fmt.Sprintf(`{"query":%q}`, query), "Accept", graphqlJSON, "Accept-Encoding", string(c))
		if status != 200 || header.Get("Content-Encoding") != string(c) || header.Get("Content-Length") != fmt.Sprint(len(body)) {
			t.Errorf("%s: %d %v", c, status, header)
		}
		if got := decoded(t, body, c); got != plain.body {
			t.Errorf("%s: other bytes than without: %s", c, got)
		}
		if !strings.Contains(header.Get("Vary"), "Accept-Encoding") {
			t.Errorf("%s: Vary %q", c, header.Get("Vary"))
		}
	}
	if last := h.seen[len(h.seen)-1]; last.Bytes != len(plain.body) {
		t.Errorf("observed %d bytes", last.Bytes)
	}
}

func BenchmarkEncode(b *testing.B) {
	plain := []byte(strings.Repeat(`{"__typename":"Product","id":"9f1c2","ref":"catalog:product/12","title":"Sea view","inStock":true},`, 170))
	for _, c := range []Coding{Gzip, Brotli} {
		b.Run(string(c), func(b *testing.B) {
			b.ReportAllocs()
			buf := make([]byte, 0, 1<<16)
			for b.Loop() {
				buf = appendEncoded(buf[:0], plain, c)
			}
		})
	}
}
