package graph

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/tuttihq/tutti"
)

func TestBodiesAreKeptFromTheSecondTime(t *testing.T) {
	b := newBodies(1 << 20)
	plain := []byte(strings.Repeat("answer ", 300))
	if b.of(plain) != nil {
		t.Error("what was sent once is kept")
	}
	second := b.of(plain)
	if second == nil || second != b.of(plain) {
		t.Fatal("what is sent again and again is not kept")
	}
	plain[0] = 'A' // the buffer is used for another answer
	if b.of(plain) == second || second.In(Identity)[0] != 'a' {
		t.Error("what is kept is not a copy")
	}
	if n := testing.AllocsPerRun(100, func() { b.of(second.plain) }); n != 0 {
		t.Errorf("finding a kept body allocates %v times", n)
	}
}

func TestABodyIsFoundByAllOfItsBytes(t *testing.T) {
	b := newBodies(1 << 20)
	one, other := []byte("one"), []byte("other")
	b.add(7, one)
	if body, known := b.find(7, other); body != nil || !known {
		t.Error("two answers of one hash are taken for each other")
	}
	if body, _ := b.find(7, one); body == nil || !bytes.Equal(body.plain, one) {
		t.Error("the answer itself is not found")
	}
}

func TestBodiesHaveABound(t *testing.T) {
	b := newBodies(50_000)
	body := func(i int) []byte { return []byte(fmt.Sprintf("%d", i) + strings.Repeat(" ", 1000)) }
	for i := range 200 {
		b.of(body(i))
		b.of(body(i))
		if b.bytes > b.most || b.order.Len() != len(b.byHash) {
			t.Fatalf("after %d: %d bytes, %d in order, %d by hash", i, b.bytes, b.order.Len(), len(b.byHash))
		}
	}
	if n := b.order.Len(); n < 10 || n > 25 {
		t.Errorf("%d are kept", n)
	}
	if b.of(bytes.Repeat([]byte("x"), 50_000)); b.of(bytes.Repeat([]byte("x"), 50_000)) == nil || b.order.Len() < 10 {
		t.Error("one that is too large pushed others out, or is not answered")
	}
}

// TestKeptCodingsAreTheSameBytes: under one ETag, the first answer and a kept one are the same.
func TestKeptCodingsAreTheSameBytes(t *testing.T) {
	h := newHouse(t, caching)
	d := delivered()
	h.resolver.delivery = &d
	query := fmt.Sprintf(`{"query":%q}`, `{ experience(composition: "`+strings.Repeat("arrival", 300)+`", channel: "web") { composition } }`)
	for _, coding := range []Coding{Gzip, Brotli} {
		var first []byte
		for i := range 4 {
			_, header, body := h.raw("POST", "/graphql", tutti.BrowserKey, query, "Accept-Encoding", string(coding))
			if i == 0 {
				first = body
			}
			if !bytes.Equal(body, first) || header.Get("Content-Encoding") != string(coding) {
				t.Errorf("%s: answer %d is other bytes", coding, i)
			}
		}
	}
	if h.server.bodies.order.Len() != 1 {
		t.Errorf("%d bodies are kept", h.server.bodies.order.Len())
	}
	before := h.server.bodies.order.Len()
	h.ask(tutti.BrowserKey, `{ nothing }`, nil, "Accept-Encoding", "gzip")
	h.ask(tutti.BrowserKey, `{ nothing }`, nil, "Accept-Encoding", "gzip")
	if h.server.bodies.order.Len() != before {
		t.Error("errors are kept")
	}
}

func BenchmarkKeptBody(b *testing.B) {
	s := newBodies(1 << 20)
	plain := []byte(strings.Repeat(`{"__typename":"Product","id":"9f1c2","ref":"catalog:product/12","title":"Sea view","inStock":true},`, 170))
	s.of(plain)
	b.ReportAllocs()
	for b.Loop() {
		s.of(plain).In(Brotli)
	}
}
