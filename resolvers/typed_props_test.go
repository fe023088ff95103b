package resolvers

import (
	"os"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
)

// TestFieldsOfEveryComponentAreThoseOfTheSchema: what is no such field is a prop.
func TestFieldsOfEveryComponentAreThoseOfTheSchema(t *testing.T) {
	sdl, err := os.ReadFile("../schema.graphql")
	if err != nil {
		t.Fatal(err)
	}
	schema, err := gqlparser.LoadSchema(&ast.Source{Name: "schema.graphql", Input: string(sdl)})
	if err != nil {
		t.Fatal(err)
	}
	of := map[string]bool{"__typename": true}
	for _, f := range schema.Types["Component"].Fields {
		of[f.Name] = true
		if !everyComponent[f.Name] {
			t.Errorf("%s would be taken for a prop", f.Name)
		}
	}
	for name := range everyComponent {
		if !of[name] {
			t.Errorf("no component has %s", name)
		}
	}
}
