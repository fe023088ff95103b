package engine_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/engine"
)

func TestTouchesTellWhatMayShowAnItem(t *testing.T) {
	d := newDesk(t)
	l := engine.NewLibrary(d.engine)
	problems := l.Load([]engine.Doc{
		d.doc("composition", "fixed", `
type: page
slots:
  - name: top
    components: [{id: hero, type: Hero, props: {headline: {value: Hi}, image: {ref: "dam:asset/sun"}}}]
  - name: main
    components:
      - id: words
        type: Hero
        props: {headline: {value: Hi}}
        variants: [{name: moon, rule: tier == 'gold', props: {image: {ref: "dam:asset/moon"}}}]
      - {id: nothing, type: List, props: {size: small}}`),
		d.doc("composition", "hotel", `
type: page
title: "At ${hotel.title}"
params: [{name: hotel, type: ref, kinds: [stay:hotel], required: true}]
slots:
  - name: main
    components:
      - {id: title, type: Hero, props: {headline: {bind: hotel.title}}}
      - {id: said, type: Hero, props: {headline: {text: "At ${hotel.title}"}}}
      - {id: offers, type: List, props: {items: {select: {source: catalog, kind: product}}}, variants: [{name: v, rule: distance < 1000, hide: true}]}
      - {id: pictured, type: Hero, props: {headline: {text: "See ${hotel.image.alt}"}}}
      - {id: shown, type: Hero, props: {headline: {value: Hi}, image: {bind: hotel.image}}}
      - {id: eachPlace, type: Hero, each: {select: {source: social, kind: post}}, props: {headline: {bind: item.place.title}}}
      - {id: each, type: Hero, each: {select: {source: social, kind: post}}, props: {headline: {bind: item.title}}}
      - {id: box, type: Box, slots: [{name: inner, components: [{id: inside, type: Hero, props: {headline: {value: Hi}, image: {ref: "dam:asset/sun"}}}]}]}`),
		d.doc("composition", "guest", `
type: page
slots: [{name: main, components: [{id: welcome, type: Hero, props: {headline: {value: Hi}}, variants: [{name: in, rule: stay.status == 'confirmed', props: {headline: {value: Welcome}}}]}]}]`),
	}, time.Time{})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	for name, c := range map[string]struct {
		target engine.Target
		want   []string
	}{
		"an item that is named": {engine.Target{Refs: []tutti.Ref{ref("dam:asset/sun")}}, []string{
			"fixed hero Hero REF", "hotel eachPlace Hero LINKED", "hotel inside Hero REF", "hotel pictured Hero LINKED", "hotel shown Hero LINKED",
		}},
		"one that a variant names": {engine.Target{Refs: []tutti.Ref{ref("dam:asset/moon")}}, []string{
			"fixed words Hero REF", "hotel eachPlace Hero LINKED", "hotel pictured Hero LINKED", "hotel shown Hero LINKED",
		}},
		"one that a selection can find": {engine.Target{Refs: []tutti.Ref{ref("catalog:product/9")}}, []string{
			"hotel eachPlace Hero LINKED", "hotel offers List KIND", "hotel pictured Hero LINKED", "hotel shown Hero LINKED",
		}},
		"a kind": {engine.Target{Kind: "stay:hotel"}, []string{
			"hotel   FACT", "hotel   KIND", "hotel eachPlace Hero LINKED", "hotel pictured Hero KIND", "hotel said Hero KIND", "hotel shown Hero KIND", "hotel title Hero KIND",
		}},
		"a kind that is repeated for": {engine.Target{Kind: "social:post"}, []string{
			"hotel each Hero KIND", "hotel eachPlace Hero KIND", "hotel pictured Hero LINKED", "hotel shown Hero LINKED",
		}},
		"a kind that only rules read": {engine.Target{Kind: "stay:reservation"}, []string{
			"guest   FACT", "hotel eachPlace Hero LINKED", "hotel pictured Hero LINKED", "hotel shown Hero LINKED",
		}},
		"a source": {engine.Target{Source: "dam"}, []string{
			"fixed hero Hero REF", "fixed words Hero REF", "hotel eachPlace Hero LINKED", "hotel inside Hero REF", "hotel pictured Hero LINKED", "hotel shown Hero LINKED",
		}},
	} {
		var got []string
		for _, x := range l.Touches(c.target) {
			got = append(got, fmt.Sprintf("%s %s %s %s", x.Composition, x.Component, x.Type, x.How))
		}
		slices.Sort(got)
		if !slices.Equal(got, c.want) {
			t.Errorf("%s:\n got %q\nwant %q", name, got, c.want)
		}
	}
}
