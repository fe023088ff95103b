//go:build e2e

package e2e

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestRealClients opens a page with Apollo Client and one with urql in Chromium, both written over
// the types that graphql-codegen makes of the printed schema: two variants of one component and two
// languages of one resource stay apart in their normalised caches.
func TestRealClients(t *testing.T) {
	dir := clientsFolder(t)
	house := startDemo(t)
	pages := httptest.NewServer(http.FileServer(http.Dir(filepath.Join(dir, "pages"))))
	t.Cleanup(pages.Close)
	out, err := exec.CommandContext(t.Context(), binary(t), "keys", "create", "clients", "--class", "browser", "--origin", pages.URL,
		"--database", "sqlite:"+filepath.Join(house.Data, "tutti.db")).CombinedOutput()
	if err != nil {
		t.Fatalf("making a key: %s", out)
	}
	cmd := exec.CommandContext(t.Context(), "node", "clients.mjs", pages.URL, house.GraphQL, keyIn(t, string(out)))
	cmd.Dir = cacheFolder(t, "browser")
	out, err = cmd.CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Errorf("a client's cache mixes something up: %v", err)
	}
}

// TestGeneratedTypesCompile holds what graphql-codegen makes of the printed schema to the strictest
// reading of tsc, which must also find what is wrong on purpose.
func TestGeneratedTypesCompile(t *testing.T) {
	dir := clientsFolder(t)
	found := tsc(t, dir, "wrong.ts")
	var lines []string
	for _, m := range regexp.MustCompile(`(?m)^wrong\.ts\((\d+),`).FindAllStringSubmatch(found, -1) {
		lines = append(lines, m[1])
	}
	if got := strings.Join(lines, " "); got != "5 6 7" {
		t.Errorf("of wrong.ts tsc refuses the lines %s, not 5 6 7:\n%s", got, found)
	}
}

// TestTypesOfTheConfigCompile holds what tutti types prints to the strictest reading of tsc, with
// an app that tells components apart by __typename.
func TestTypesOfTheConfigCompile(t *testing.T) {
	dir := clientsFolder(t)
	const app = `import { supports, type Component, type HeroProps, type PropsOf } from "./components";
export const sent: readonly string[] = supports;
export function words(c: Component): string {
  switch (c.__typename) {
    case "Hero": return (c.headline ?? "") + (c.text?.html ?? "") + (c.image?.alt ?? "");
    case "Offers": return (c.items?.nodes ?? []).map((n) => n.title ?? "").join(", ");
    default: return c.type ?? "";
  }
}
export const hero: HeroProps = { headline: "a", text: "b", image: { id: "i", ref: "dam:asset/x", type: "Asset", url: "/x" } };
export const facts: PropsOf["Facts"] = { at: { lat: 1, lon: 2 }, rating: 4.5 };
`
	for name, content := range map[string][]byte{"components.ts": ofDemoConfig(t, "types"), "app.ts": []byte(app), "app_wrong.ts": []byte("import type { HeroProps } from \"./components\";\nexport const hero: HeroProps = { headline: 7 };\n")} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if found := tsc(t, dir, "components.ts", "app.ts"); found != "" {
		t.Errorf("what tutti types prints does not compile:\n%s", found)
	}
	if found := tsc(t, dir, "app_wrong.ts"); !strings.Contains(found, "app_wrong.ts(2,") {
		t.Errorf("tsc takes a number for words:\n%s", found)
	}
}

var clientsMade bool // tests run one after the other

// clientsFolder prints the demo's schema, makes the types and the two pages of it, and gives the
// folder. Everything must compile.
func clientsFolder(t *testing.T) string {
	t.Helper()
	dir := cacheFolder(t, "clients")
	if clientsMade {
		return dir
	}
	schema := ofDemoConfig(t, "schema", "graphql")
	write := func(name string, content []byte) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("schema.graphql", schema)
	node(t, dir, "graphql-codegen", "--config", "codegen.json")
	if found := tsc(t, dir, "apollo.ts", "urql.ts", "types.ts"); found != "" {
		t.Fatalf("what graphql-codegen makes does not compile:\n%s", found)
	}
	page, err := os.ReadFile(filepath.Join(dir, "page.html"))
	if err != nil {
		t.Fatal(err)
	}
	for _, client := range []string{"apollo", "urql"} {
		node(t, dir, "esbuild", client+".ts", "--bundle", "--format=esm", "--outfile=pages/"+client+".js", "--log-level=warning")
		write("pages/"+client+".html", []byte(strings.Replace(string(page), "client.js", client+".js", 1)))
	}
	clientsMade = true
	return dir
}

// ofDemoConfig gives what a command prints for the demo's config.
func ofDemoConfig(t *testing.T, args ...string) []byte {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), binary(t), append(args, "--config", "../demo/tutti.yaml")...)
	config, err := os.ReadFile("../demo/tutti.yaml")
	if err != nil {
		t.Fatal(err)
	}
	cmd.Env = os.Environ()
	for _, m := range regexp.MustCompile(`\$\{([A-Z_]+)\}`).FindAllStringSubmatch(string(config), -1) {
		cmd.Env = append(cmd.Env, m[1]+"=https://nobody.example/long-enough-for-a-secret")
	}
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("tutti %s: %v", strings.Join(args, " "), err)
	}
	return out
}

// tsc gives what the compiler has to say about these files.
func tsc(t *testing.T, dir string, files ...string) string {
	t.Helper()
	config, err := json.Marshal(map[string]any{"extends": "./tsconfig.json", "files": files})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "tsconfig.now.json"), config, 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), filepath.Join("node_modules", ".bin", "tsc"), "--project", "tsconfig.now.json")
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil && len(out) == 0 {
		t.Fatalf("running tsc: %v", err)
	}
	return string(out)
}

// node runs a program of the folder's packages.
func node(t *testing.T, dir, program string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), filepath.Join("node_modules", ".bin", program), args...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("running %s: %v\n%s", program, err, out)
	}
}
