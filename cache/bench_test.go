package cache

import (
	"context"
	"fmt"
	"testing"
	"time"
)

func page(n int) (keys []Key) {
	for i := range n {
		ref := fmt.Sprintf("catalog:product/%d|locale=en", i)
		keys = append(keys, Key{Key: ref, Tags: []string{ref, "catalog:product"}})
	}
	return keys
}

func echo(_ context.Context, asks []Ask[string]) []Loaded[string] {
	answers := make([]Loaded[string], len(asks))
	for i, a := range asks {
		answers[i] = Loaded[string]{Value: a.Key.Key, Found: true}
	}
	return answers
}

// A page of 40 refs whose values are all fresh in memory.
func BenchmarkGetManyWarm(b *testing.B) {
	c := open(b)
	keys, p := page(40), Policy{Fresh: time.Hour}
	c.GetMany(b.Context(), keys, p, echo)
	c.running.Wait()
	b.ReportAllocs()
	for b.Loop() {
		c.GetMany(b.Context(), keys, p, echo)
	}
	if s := c.Stats(); s.Loads != 1 {
		b.Fatalf("%d loads", s.Loads)
	}
}

func BenchmarkGetManyWarmParallel(b *testing.B) {
	c := open(b)
	keys, p := page(40), Policy{Fresh: time.Hour}
	c.GetMany(b.Context(), keys, p, echo)
	c.running.Wait()
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			c.GetMany(b.Context(), keys, p, echo)
		}
	})
}

// The same page with an origin that answers at once: what the cache itself adds to a cold page.
func BenchmarkGetManyCold(b *testing.B) {
	c := open(b)
	keys, p := page(40), Policy{Fresh: time.Hour}
	b.ReportAllocs()
	for b.Loop() {
		c.ForgetAll()
		c.GetMany(b.Context(), keys, p, echo)
	}
}

func BenchmarkForget(b *testing.B) {
	c := open(b)
	b.ReportAllocs()
	for b.Loop() {
		c.Forget("catalog:product/7", "catalog:product")
	}
}
