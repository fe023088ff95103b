package resolvers

import (
	"os"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/tuttihq/tutti"
)

// schemaType is what a mapped field's type looks like in the schema.
var schemaType = map[tutti.FieldType]string{
	tutti.FieldString: "String", tutti.FieldInt: "Int", tutti.FieldFloat: "Float", tutti.FieldBool: "Boolean", tutti.FieldTime: "DateTime",
	tutti.FieldMoney: "Money", tutti.FieldPlace: "Location", tutti.FieldFocal: "Focal", tutti.FieldRichText: "RichText",
	tutti.FieldRef: "Resource", tutti.FieldRefs: "[Resource!]", tutti.FieldStrings: "[String!]!", tutti.FieldJSON: "JSON",
}

// addresses are texts that the schema calls URL.
var addresses = map[string]bool{"link": true, "picture": true}

// internalFields are mapped for our own use, not delivered under their name.
var internalFields = map[string]string{"original": "the address that renditions are made from; delivered as url"}

// TestCanonicalFieldsAreThoseOfTheSchema keeps the mapped fields and the schema's fields of every
// resource type the same, with the same types.
func TestCanonicalFieldsAreThoseOfTheSchema(t *testing.T) {
	sdl, err := os.ReadFile("../schema.graphql")
	if err != nil {
		t.Fatal(err)
	}
	schema, err := gqlparser.LoadSchema(&ast.Source{Name: "schema.graphql", Input: string(sdl)})
	if err != nil {
		t.Fatal(err)
	}
	own := map[string]bool{"id": true, "ref": true, "source": true, "kind": true, "locale": true, "freshness": true, "fields": true, "problems": true, "raw": true, "url": true, "srcset": true}
	for typeName, mapped := range tutti.CanonicalFields {
		def := schema.Types[string(typeName)]
		if def == nil {
			t.Errorf("the schema has no type %s", typeName)
			continue
		}
		for name, kind := range mapped {
			if internalFields[name] != "" {
				continue
			}
			want := schemaType[kind]
			if addresses[name] {
				want = "URL"
			}
			if f := def.Fields.ForName(name); f == nil {
				t.Errorf("%s.%s is mapped but not in the schema", typeName, name)
			} else if f.Type.String() != want {
				t.Errorf("%s.%s is %s in the schema and %s as it is mapped", typeName, name, f.Type, want)
			}
		}
		for _, f := range def.Fields {
			if _, ok := mapped[f.Name]; !ok && !own[f.Name] && f.Name != "__typename" {
				t.Errorf("%s.%s is in the schema but not mapped", typeName, f.Name)
			}
		}
	}
	for name := range internalFields {
		if _, ok := tutti.CanonicalFields[tutti.AssetType][name]; !ok {
			t.Errorf("the exception %s is no longer needed", name)
		}
	}
}

// TestSameNamedFieldsOfResourcesAgree: fragments on different resource types can be selected
// together (OverlappingFieldsCanBeMerged) only where same-named fields have the same type.
func TestSameNamedFieldsOfResourcesAgree(t *testing.T) {
	sdl, err := os.ReadFile("../schema.graphql")
	if err != nil {
		t.Fatal(err)
	}
	schema, err := gqlparser.LoadSchema(&ast.Source{Name: "schema.graphql", Input: string(sdl)})
	if err != nil {
		t.Fatal(err)
	}
	types := map[string]string{}
	for _, def := range schema.PossibleTypes["Resource"] {
		for _, f := range def.Fields {
			if was, ok := types[f.Name]; ok && was != f.Type.String() {
				t.Errorf("%s.%s is %s, and %s elsewhere", def.Name, f.Name, f.Type, was)
			}
			types[f.Name] = f.Type.String()
		}
	}
	if len(types) < 30 {
		t.Errorf("only %d fields were compared", len(types))
	}
}
