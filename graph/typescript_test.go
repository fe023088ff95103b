package graph

import (
	"strings"
	"testing"

	"github.com/tuttihq/tutti"
)

func TestTypeScriptOfComponentTypes(t *testing.T) {
	every := everyProp
	every.Version = 2
	every.Downlevel = []tutti.Downlevel{{Version: 1, Props: []tutti.PropDefinition{{Name: "title", Type: tutti.PropText}}, From: map[string]string{"title": "headline"}}}
	b, err := TypeScript([]tutti.ComponentType{every, {Name: "Card", Description: "Nothing */ more"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	got := string(b)
	for _, want := range []string{
		`export const supports: string[] = ["Every@2", "Card@1"];`, "export type Component = Every | Card;", "  Every: EveryProps;\n  Card: CardProps;\n",
		"export interface Every {\n  __typename?: \"Every\";\n", `  type?: "Every";`, "  version?: number;", "  props?: EveryProps;", "  id?: string;",
		"  headline?: string | null;", "  body?: RichText | null;", `  tone?: "calm" | "loud" | null;`, "  count?: number | null;", "  wide?: boolean | null;", "  price?: Money | null;",
		"  at?: Location | null;", "  more?: unknown | null;", "  image?: Asset | null;", "  any?: Resource | null;", "  items?: ResourceConnection | null;",
		"Words. @deprecated Only Every@1 has it. */\n  title?: string | null;", "  slots?: Slot[];", "  components?: Component[];",
		"export interface EveryProps {\n", "  body?: string;", "  image?: ShortResource;", "  items?: ShortList;", "  price?: { amount: string; currency: string };",
		"/** Nothing *\u2215 more */", `export type FreshnessState = "FRESH" | `,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("without %q", want)
		}
	}
	if !strings.Contains(got, "export type Resource = ") || strings.Count(got, "export interface Asset {") != 1 {
		t.Error("resources are not there, or twice")
	}
	for _, not := range []string{"why?:", "origins?:", "leftOut?:", "raw?:", "export interface Decision", "export interface Composition"} {
		if strings.Contains(got, not) {
			t.Errorf("with %q, which browser keys may not ask for", not)
		}
	}
	again, err := TypeScript([]tutti.ComponentType{every, {Name: "Card", Description: "Nothing */ more"}}, nil)
	if err != nil || string(again) != got {
		t.Errorf("it is not the same each time: %v", err)
	}
}
