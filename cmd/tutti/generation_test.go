package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tuttihq/tutti/internal/config"
	"github.com/tuttihq/tutti/sources"
)

func TestTheGenerationIsAnotherWhenItemsAreReadInAnotherWay(t *testing.T) {
	dir := t.TempDir()
	const tuttiYAML = `sources:
  shop: {connector: ./acme.yaml, url: "https://a.example", settings: {site: eu}, kinds: {item: {access: public}}}
`
	const manifest = `name: acme
description: A shop.
settings: {site: {description: Which of the sites.}}
kinds:
  item:
    type: Record
    description: A thing.
    get: {path: "/items/${id}"}
    map: {title: record.name}
`
	id := func(tuttiYAML, manifest string) string {
		t.Helper()
		write(t, filepath.Join(dir, "tutti.yaml"), tuttiYAML)
		write(t, filepath.Join(dir, "acme.yaml"), manifest)
		cfg, err := config.Load(filepath.Join(dir, "tutti.yaml"), os.LookupEnv)
		if err != nil {
			t.Fatal(err)
		}
		origins, err := openSources(cfg, sources.Deps{Dir: dir})
		if err != nil {
			t.Fatal(err)
		}
		defer origins.Close()
		id, err := generationID(cfg, origins)
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	first := id(tuttiYAML, manifest)
	if id(tuttiYAML, strings.Replace(manifest, "record.name", "record.title", 1)) == first {
		t.Error("another mapping has the same generation")
	}
	if id(strings.Replace(tuttiYAML, "site: eu", "site: us", 1), manifest) == first {
		t.Error("another setting has the same generation")
	}
	if id(strings.Replace(tuttiYAML, "a.example", "b.example", 1), manifest) != first {
		t.Error("another address of the same system has another generation")
	}
}

func TestAConfigThatIsNotTakenHidesNoPublication(t *testing.T) {
	p := play(t)
	h := p.server.house
	broken := *h.live.Load().config
	broken.Visitors.Issuer = "" // found out only after what is published has been read
	h.mu.Lock()                 // as reload does
	defer h.mu.Unlock()
	live := h.live.Load()
	live.changed-- // somebody else has just published
	before := live.changed
	if _, _, err := h.build(t.Context(), &broken); err == nil {
		t.Fatal("a config without an issuer is taken")
	}
	if h.live.Load().changed != before {
		t.Error("what is published counts as read, but only the generation that was thrown away read it")
	}
}
