package engine_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/engine"
)

// manyRules is a page of 20 components with a rule each, over five audiences.
func manyRules(b *testing.B) (*desk, *engine.Compiled) {
	d := newDesk(b)
	var problems []engine.Problem
	d.set, problems = d.engine.CompileAudiences([]tutti.Audience{
		{Name: "gold", Rule: "tier == 'gold'"},
		{Name: "nearby", Rule: "distance < 1000"},
		{Name: "arriving", Rule: "audience.nearby && stay.status == 'confirmed'"},
		{Name: "regular", Rule: "visits > 10 && member"},
		{Name: "best", Rule: "audience.gold && audience.regular"},
	})
	if len(problems) > 0 {
		b.Fatal(problems)
	}
	rules := []string{"audience.gold", "audience.arriving && stay.hotel == params.hotel", "audience.best || score > 5.0", "tier in ['silver', 'platinum'] && visits >= 3", "channel == 'web' && !audience.regular"}
	var doc strings.Builder
	for i := range 20 {
		fmt.Fprintf(&doc, "- id: c%d\n  type: List\n  props: {headline: {text: {en: \"Offers for ${tier}\", de: Angebote}}, items: {refs: ['catalog:product/%d', 'catalog:product/x']}}\n  variants: [{name: v, rule: %q, props: {size: large}}]\n", i, i, rules[i%len(rules)])
	}
	return d, d.compile(page(doc.String()))
}

func BenchmarkLearn(b *testing.B) {
	d, c := manyRules(b)
	d.sources.Keep = true
	b.Run("with two records from memory", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			d.engine.Learn(context.Background(), c, atAzul(), ana())
		}
	})
	plain := d.compile(page(offersWithout))
	b.Run("without I/O", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			d.engine.Learn(context.Background(), plain, atAzul(), ana())
		}
	})
}

func BenchmarkDecide(b *testing.B) {
	d, c := manyRules(b)
	v, params := ana(), atAzul()
	facts, _ := d.engine.Learn(context.Background(), c, params, v)
	for _, why := range []bool{false, true} {
		v.Preview.Why = why
		b.Run(fmt.Sprintf("20 rules, 5 audiences, why %v", why), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				c.Decide(params, v, facts)
			}
		})
	}
	v.Preview.Why = false
	b.Run("20 rules, 5 audiences, signed and forgotten", func(b *testing.B) {
		var into []byte
		b.ReportAllocs()
		for b.Loop() {
			deciding := c.Deciding(params, v, facts)
			s, _ := deciding.Sign(into[:0])
			into = s.Key
			deciding.Decide()
			deciding.Forget()
			deciding.End()
		}
	})
	b.Run("everything unknown", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			c.Decide(nil, anonymous(), tutti.Facts{})
		}
	})
}

func BenchmarkHolds(b *testing.B) {
	d, c := manyRules(b)
	v, params := ana(), atAzul()
	facts, _ := d.engine.Learn(context.Background(), c, params, v)
	if h := c.Holds(noon, params, v, facts); len(h.Within) != 1 {
		b.Fatalf("told %+v", h)
	}
	b.Run("20 rules, 5 audiences", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			c.Holds(noon, params, v, facts)
		}
	})
	v.Consent = nil
	b.Run("nothing depends on a place", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			c.Holds(noon, params, v, facts)
		}
	})
}

func BenchmarkCompile(b *testing.B) {
	d := newDesk(b)
	body := yamlJSON(b, page(offers))
	b.ReportAllocs()
	for b.Loop() {
		if _, problems, _ := d.engine.Compile("", body, 1, d.set); len(problems) > 0 {
			b.Fatal(problems)
		}
	}
}

func BenchmarkSign(b *testing.B) {
	d, c := manyRules(b)
	params, v := atAzul(), ana()
	f, _ := d.engine.Learn(context.Background(), c, params, v)
	into := make([]byte, 0, 4096)
	b.ReportAllocs()
	for b.Loop() {
		if s, _ := c.Sign(into, params, v, f); len(s.Key) == 0 {
			b.Fatal("no key")
		}
	}
}
