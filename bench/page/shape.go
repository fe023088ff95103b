package main

import (
	"fmt"
	"strings"
)

// shape is how much there is to do for one page.
type shape struct {
	name       string
	rows       int // components with items, besides the one at the top
	refs       int // items of all rows; those of a row come from one of the four sources
	rules      int // of all rows together with the top
	distances  bool
	titleWords string
}

// The pages of the promises: (a) decided by rules and audiences, (b) with personal words in holes
// and the distance, rounded, in the plan.
var (
	decided  = shape{name: "decided", rows: 4, refs: 40, rules: 20, titleWords: "Welcome"}
	personal = shape{name: "personal", rows: 4, refs: 40, rules: 20, distances: true, titleWords: "Hello ${name}, ${distance} m to go"}
)

// kinds are those of the four systems; each is delivered as a resource type.
var kinds = []struct{ name, delivered string }{{"asset", "Asset"}, {"product", "Product"}, {"post", "SocialPost"}, {"article", "Article"}}

// row gives the kind of a row, and the numbers of its items on the page.
func (s shape) row(i int) (kind string, first, after int) {
	return kinds[i%len(kinds)].name, i * s.refs / s.rows, (i + 1) * s.refs / s.rows
}

// calls is how many origin calls a page takes of which nothing is known: one for each source.
func (s shape) calls() int { return min(s.rows, s.refs, len(kinds)) }

// query asks for eight fields of each item.
func (s shape) query() string {
	return `query Page($page: Int!, $context: ContextInput) { experience(composition: "` + s.name + `", params: {page: $page}, channel: "web", context: $context) { id components { id component variant ... on Top { words } ` +
		`... on Row { items(first: 100) { nodes { id ref title link updatedAt kind fields __typename } } } } problems { path code } } }`
}

// composition writes the page as YAML.
func (s shape) composition() string {
	var b strings.Builder
	fmt.Fprintf(&b, "id: %s\ntype: page\ntitle: A page\nparams: [{name: page, type: int, required: true}]\nslots:\n  - id: main\n    name: main\n    components:\n", s.name)
	fmt.Fprintf(&b, "      - id: top\n        type: Top\n        props: {words: {text: %q}}\n", s.titleWords)
	s.variants(&b, 0, "look")
	for i := range s.rows {
		kind, first, after := s.row(i)
		fmt.Fprintf(&b, "      - id: row%d\n        type: Row\n        props:\n          items:\n            refs:\n", i)
		for n := first; n < after; n++ {
			fmt.Fprintf(&b, "              - \"='%ss:%s/' + string(params.page) + '-%d'\"\n", kind, kind, n)
		}
		s.variants(&b, i+1, "look")
	}
	return b.String()
}

// audiences are those that the rules name.
var audiences = map[string]string{
	"gold":      "tier == 'gold' || tier == 'platinum'",
	"families":  "party == 'family'",
	"frequent":  "visits >= 10",
	"spenders":  "spent > 500.0 && visits > 2",
	"newcomers": "visits < 2 && points < 100",
}

// deciding are the rules that tell the eight segments of people apart, for the components in turn.
var deciding = []string{
	"audience.gold", "audience.families", "audience.frequent", "audience.gold && audience.families", "audience.frequent && !audience.gold",
}

// passing are rules that must be looked at and are never true of the people who ask.
var passing = []string{
	"audience.spenders && points > %d", "party == 'group' && visits > 3 && points < %d", "audience.newcomers && tier == 'platinum' && points != %d",
}

// variants gives one component its share of the rules: the last one decides.
func (s shape) variants(b *strings.Builder, component int, prop string) {
	share := (component+1)*s.rules/(s.rows+1) - component*s.rules/(s.rows+1)
	if share == 0 {
		return
	}
	b.WriteString("        variants:\n")
	for i := range share {
		rule := fmt.Sprintf(passing[i%len(passing)], 1_000_000+100*component+i)
		if i == share-1 {
			rule = deciding[component%len(deciding)]
		}
		fmt.Fprintf(b, "          - {name: v%d, rule: %q, props: {%s: look%d}}\n", i, rule, prop, i)
	}
}

// config writes tutti.yaml: four systems, each with its own connections and limits.
func config(origin string) string {
	var b strings.Builder
	b.WriteString("locales: {default: en, names: [en]}\nmarkets: {eu: {currency: EUR}}\nsources:\n")
	for _, k := range kinds {
		fmt.Fprintf(&b, "  %ss:\n    connector: plain.yaml\n    url: %s\n    allowPrivate: [127.0.0.1]\n    limits: {concurrency: 256}\n    freshness: {fresh: 1h, stale: 1h}\n    webhook: {secret: \"${BENCH_HOOK_SECRET}\"}\n    kinds:\n", k.name, origin)
		for _, other := range kinds {
			fmt.Fprintf(&b, "      %s: {access: %s}\n", other.name, map[bool]string{true: "public", false: "internal"}[other == k])
		}
	}
	b.WriteString(`channels: {web: {}}
componentTypes:
  Top: {version: 1, props: {words: {type: text}, look: {type: string}}}
  Row: {version: 1, props: {items: {type: resources, first: 100}, look: {type: string}}}
compositionTypes:
  page: {version: 1, slots: {main: {}}}
attributes:
  tier: {type: string, values: [none, silver, gold, platinum], purpose: personalization, trust: server, sensitivity: segment}
  party: {type: string, values: [solo, couple, family, group], purpose: personalization, trust: client, sensitivity: segment}
  visits: {type: int, purpose: personalization, trust: server, sensitivity: segment}
  points: {type: int, purpose: personalization, trust: server, sensitivity: segment}
  spent: {type: double, purpose: personalization, trust: server, sensitivity: segment}
  name: {type: string, purpose: personalization, trust: client, sensitivity: personal}
  distance: {type: double, step: 1000, purpose: personalization, sensitivity: segment, derive: "geo.distance(location, {'lat': 43.26, 'lon': -2.93})"}
`)
	return b.String()
}

const hookSecret = "a-secret-of-the-benchmark-alone"

// manifest is the connector of all four systems.
func manifest() string {
	var b strings.Builder
	b.WriteString("name: plain\ndescription: A plain REST system, for measuring.\nwebhook:\n  scheme: hook\n  changes:\n")
	for _, k := range kinds {
		fmt.Fprintf(&b, "    - {when: event.kind == '%s', kind: %s, ids: event.ids}\n", k.name, k.name)
	}
	b.WriteString("kinds:\n")
	for _, k := range kinds {
		fmt.Fprintf(&b, `
  %s:
    type: %s
    id: {pattern: "[0-9]+-[0-9]+"}
    batch:
      path: /%s
      query: {ids: {value: "${ids}", encode: csv}}
      records: records
      maxIds: 100
    recordId: record.id
    map:
      title: record.title
      summary: {value: record.summary, as: string}
      link: record.link
      section: {value: record.section, as: string}
      code: {value: record.code, as: string}
      rank: {value: record.rank, as: int}
      updatedAt: record.updated
`, k.name, k.delivered, k.name)
	}
	return b.String()
}
