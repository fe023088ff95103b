package cache_test

import (
	"context"
	"fmt"
	"time"

	"github.com/tuttihq/tutti/cache"
)

func ExampleCache_GetMany() {
	prices := cache.New(cache.Config{MaxBytes: 8 << 20}, func(v string) int { return len(v) })
	defer prices.Close()

	policy := cache.Policy{Fresh: time.Minute, Stale: 10 * time.Minute, StaleIfError: time.Hour, Negative: 10 * time.Second}
	keys := []cache.Key{
		{Key: "catalog:product/42|market=de", Tags: []string{"catalog:product/42"}},
		{Key: "catalog:product/99|market=de", Tags: []string{"catalog:product/99"}},
	}
	load := func(_ context.Context, asks []cache.Ask[string]) []cache.Loaded[string] {
		fmt.Println("asking the origin for", len(asks))
		return []cache.Loaded[string]{
			{Value: "12.00 EUR", Found: true, Tags: []string{"catalog:variant/7"}},
			{}, // not found
		}
	}
	for range 2 {
		for _, r := range prices.GetMany(context.Background(), keys, policy, load) {
			fmt.Println(r.Found, r.Value, r.State)
		}
	}
	prices.Forget("catalog:variant/7") // the next reader asks the origin again
	// Output:
	// asking the origin for 2
	// true 12.00 EUR FRESH
	// false  MISSING
	// true 12.00 EUR FRESH
	// false  MISSING
}
