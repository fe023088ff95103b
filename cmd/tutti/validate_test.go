package main

import (
	"path/filepath"
	"strings"
	"testing"
)

const smallConfig = `locales: {default: en, names: [en, de]}
sources:
  social: {connector: mastodon, url: "https://social.example", kinds: {post: {access: public}}}
channels: {web: {}}
attributes:
  tier: {type: string, values: [silver, gold], purpose: personalization, trust: client, sensitivity: segment}
  best: {type: bool, purpose: necessary, sensitivity: public, derive: "tier == 'gold'"}
componentTypes:
  Hero: {props: {headline: {type: text, required: true}, post: {type: resource}}}
compositionTypes:
  page: {slots: {main: {allowed: [Hero]}}}
`

const smallHome = `type: page
title: Home
slots:
  - id: main
    name: main
    components:
      - id: hero
        type: Hero
        props:
          headline: Hello
          post: {ref: social:post/1}
        variants:
          - {name: gold, rule: audience.best, props: {headline: Welcome}}
`

const smallRoute = `type: page
routes: [{path: /twins}]
title: Twins
slots: [{id: main, name: main, components: []}]
`

func TestGoodFilesAreWell(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "tutti.yaml"), smallConfig)
	write(t, filepath.Join(dir, "compositions/home.yaml"), smallHome)
	write(t, filepath.Join(dir, "audiences/best.yaml"), "rule: best\n")
	out, _ := succeed(t, "validate", "--config", filepath.Join(dir, "tutti.yaml"))
	wants(t, "validate", out, "All is well", "2 documents")
}

func TestAllMistakesOfAllFilesAreToldWithTheirLines(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "tutti.yaml"), smallConfig)
	write(t, filepath.Join(dir, "content/compositions/home.yaml"), strings.NewReplacer("type: Hero", "type: Her", "audience.best", "audience.bst").Replace(smallHome))
	write(t, filepath.Join(dir, "content/compositions/other.yaml"), strings.NewReplacer("audience.best", "tier == 'gold", "social:post/1", "socal:post/1").Replace(smallHome))
	write(t, filepath.Join(dir, "content/compositions/typo.yaml"), "tipe: page\n")
	write(t, filepath.Join(dir, "content/audiences/best.yaml"), "rule: best &&\n")
	write(t, filepath.Join(dir, "content/compositions/twin.yaml"), smallRoute)
	write(t, filepath.Join(dir, "content/compositions/zwilling.yaml"), smallRoute)
	write(t, filepath.Join(dir, "content/personas/ana.yaml"), "locale: en\nattributes:\n  tier: bronze\n  teir: gold\n")
	write(t, filepath.Join(dir, "content/redirects.yaml"), "redirects:\n  - {from: /a, to: /b}\n  - {from: /b, to: /a}\n  - {from: c, to: /d}\n")
	code, out, errs := call(t, "validate", "--config", filepath.Join(dir, "tutti.yaml"), filepath.Join(dir, "content"))
	if code != failed || out != "" {
		t.Errorf("ends with %d: %s", code, out)
	}
	wants(t, "validate", errs, "home.yaml:8:", "other.yaml:11:", "other.yaml:13:", "typo.yaml:1:1: tipe is not known; did you mean “type”?", "best.yaml:1:",
		"zwilling.yaml:2:", "ana.yaml:3:", "ana.yaml:4:", "redirects.yaml:2:", "redirects.yaml:4:", " problems.")
}

func TestMistakesThatOnlyTheEngineSeesHaveTheConfigsLine(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "tutti.yaml"), strings.Replace(smallConfig, "tier == 'gold'", "tir == 'gold'", 1))
	code, _, errs := call(t, "validate", "--config", filepath.Join(dir, "tutti.yaml"))
	if code != failed {
		t.Errorf("ends with %d", code)
	}
	wants(t, "validate", errs, "tutti.yaml:7: attributes.best.derive")
}

func TestBrokenConfigAndBrokenDocumentsAreToldTogether(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "tutti.yaml"), strings.Replace(smallConfig, "access: public", "access: everybody", 1))
	write(t, filepath.Join(dir, "compositions/home.yaml"), "tipe: page\n")
	code, _, errs := call(t, "validate", "--config", filepath.Join(dir, "tutti.yaml"))
	if code != failed {
		t.Errorf("ends with %d", code)
	}
	wants(t, "validate", errs, "tutti.yaml:3: sources.social.kinds.post.access", "home.yaml:1:1: tipe")
}

func TestTwoFilesOfOneNameAreTold(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "tutti.yaml"), smallConfig)
	write(t, filepath.Join(dir, "a/audiences/best.yaml"), "rule: best\n")
	write(t, filepath.Join(dir, "b/audiences/best.yaml"), "rule: best\n")
	code, _, errs := call(t, "validate", "--config", filepath.Join(dir, "tutti.yaml"), filepath.Join(dir, "a"), filepath.Join(dir, "b"))
	if code != failed {
		t.Errorf("ends with %d", code)
	}
	wants(t, "validate", errs, "has the same name as")
}

func TestSchemasArePrinted(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	out, _ := succeed(t, "schema", "config")
	wants(t, "schema config", out, `"title": "tutti.yaml"`)
	out, _ = succeed(t, "schema", "manifest")
	wants(t, "schema manifest", out, `"kinds"`)
	out, _ = succeed(t, "schema", "graphql")
	wants(t, "schema graphql", out, "type Query", "interface Component")
	if strings.Contains(out, "type Hero") {
		t.Error("without a config there is a component type")
	}
	write(t, filepath.Join(dir, "tutti.yaml"), smallConfig)
	out, _ = succeed(t, "schema", "graphql")
	wants(t, "schema graphql", out, "type Hero implements Component", "tier:")
}

func TestAManifestsMistakesAreToldOnceHoweverManySourcesUseIt(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "tutti.yaml"), `sources:
  north: {connector: ./acme.yaml, kinds: {item: {access: public}}}
  south: {connector: ./acme.yaml, kinds: {item: {access: public}}}
  east:
    connector: mastodon
    url: https://social.example
    kinds:
      toot: {access: public}
`)
	write(t, filepath.Join(dir, "acme.yaml"), `name: acme
description: A shop.
url: https://acme.example
kinds:
  item:
    type: Thing
    description: A thing.
    id: {pattern: "[0-9]+", example: a}
    get: {path: "/items/${id}"}
    map: {title: rec.title}
`)
	code, out, errs := call(t, "validate", "--config", filepath.Join(dir, "tutti.yaml"))
	if code != failed || out != "" {
		t.Errorf("ends with %d: %s", code, out)
	}
	want := strings.ReplaceAll(`DIR/acme.yaml:6:5: kinds.item.type is unknown: “Thing”. Write one of Asset, Product, SocialPost, SupportTicket, Article, Place and Record.
DIR/acme.yaml:8:29: kinds.item.id.example is “a”, which does not match id.pattern. Write an id that the system could have.
DIR/acme.yaml:10:18: kinds.item.map.title is wrong: “rec” is not declared. There is: record, id, settings, locale, locales, source.
DIR/tutti.yaml:8: sources.east.kinds.toot is no kind of the connector mastodon. It has post.
4 problems.
`, "DIR", shorten(dir))
	if errs != want {
		t.Errorf("it says:\n%s\nwant:\n%s", errs, want)
	}
}
