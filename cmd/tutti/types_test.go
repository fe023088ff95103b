package main

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
)

func TestTypesForApps(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "tutti.yaml")
	write(t, path, smallConfig)
	out, _ := succeed(t, "types", "--config", path)
	wants(t, "types", out, "Written by: tutti types", "export interface Hero {", "headline?: string | null;", `supports: string[] = ["Hero@1"]`)
	told, _ := succeed(t, "types", "--config", path, "--out", filepath.Join(dir, "app/tutti"))
	wants(t, "types --out", told, "components.ts written.", "schema.graphql written.")
	if read(t, filepath.Join(dir, "app/tutti/components.ts")) != out {
		t.Error("what is written is not what is printed")
	}
	schema, _ := succeed(t, "schema", "graphql", "--config", path)
	if read(t, filepath.Join(dir, "app/tutti/schema.graphql")) != schema {
		t.Error("schema.graphql is not the schema")
	}
}

func TestSchemaCheckTellsWhatAChangeBreaks(t *testing.T) {
	dir := t.TempDir()
	path, manifest, file := filepath.Join(dir, "tutti.yaml"), filepath.Join(dir, "manifest.json"), filepath.Join(dir, "good.graphql")
	write(t, path, smallConfig)
	page := func(selection string) string {
		return `query Q { experience(composition: "home", channel: "web") { components { ` + selection + ` } } }`
	}
	texts := map[string]string{"good": page("... on Hero { headline }"), "gone": page("... on Promo { label } ... on Hero { lead }"), "bad": page("... on Hero { post { nonsense } }")}
	all, err := json.Marshal(texts)
	if err != nil {
		t.Fatal(err)
	}
	write(t, manifest, string(all))
	write(t, file, texts["good"])
	out, _ := succeed(t, "schema", "check", "--config", path, file)
	wants(t, "schema check", out, "All is well: 1 operation.")

	code, out, errs := call(t, "schema", "check", "--config", path, manifest, file)
	if code != failed {
		t.Errorf("ends with %d", code)
	}
	wants(t, "schema check", out, "Q (bad) would be refused:\n", `nonsense`, "Q (gone) would be answered without what is gone", `Promo`, `lead`)
	wants(t, "schema check", errs, "2 of 4 operations would not get what they ask for.")

	code, out, _ = call(t, "schema", "check", "--config", path, "--json", manifest)
	var told struct {
		Operations int
		Broken     []struct {
			ID       string
			Gone     bool
			Problems []string
		}
	}
	if err := json.Unmarshal([]byte(out), &told); err != nil || code != failed || told.Operations != 3 || len(told.Broken) != 2 {
		t.Errorf("ends with %d and says %s: %v", code, out, err)
	}
	for _, b := range told.Broken {
		if b.Gone != (b.ID == "gone") || len(b.Problems) == 0 {
			t.Errorf("%+v", b)
		}
	}
	delete(texts, "bad")
	if all, err = json.Marshal(texts); err != nil {
		t.Fatal(err)
	}
	write(t, manifest, string(all))
	out, _ = succeed(t, "schema", "check", "--config", path, "--allow-gone", manifest)
	wants(t, "schema check --allow-gone", out, "All is well: 2 operations.")
}

func TestSchemaCheckAsksTheServerForItsOperations(t *testing.T) {
	serveSmall(t)
	dir := t.TempDir()
	manifest, next := filepath.Join(dir, "manifest.json"), filepath.Join(dir, "tutti.yaml")
	write(t, manifest, `{"one": "query One { experience(composition: \"home\", channel: \"web\") { components { ... on Hero { headline } } } }"}`)
	succeed(t, "operations", "push", manifest)
	write(t, next, smallConfig)
	out, _ := succeed(t, "schema", "check", "--config", next)
	wants(t, "schema check", out, "All is well: 1 operation.")
	write(t, next, strings.Replace(smallConfig, "headline: {type: text, required: true}", "title: {type: text, required: true}", 1))
	code, out, _ := call(t, "schema", "check", "--config", next)
	if code != failed || !strings.Contains(out, "One (one)") {
		t.Errorf("ends with %d: %s", code, out)
	}
}
