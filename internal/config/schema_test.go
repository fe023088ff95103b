package config

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/tuttihq/tutti"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
	"go.yaml.in/yaml/v3"
)

func compileSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(Schema()))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("tutti.schema.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("tutti.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func validate(t *testing.T, s *jsonschema.Schema, content string) error {
	t.Helper()
	var x any
	if err := yaml.Unmarshal([]byte(content), &x); err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(x)
	if err != nil {
		return err // no JSON, no match
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	return s.Validate(v)
}

// TestSchemaAndLoadAgree: what Load takes, the schema takes, and what only needs the file's own
// shape to be refused, it refuses.
func TestSchemaAndLoadAgree(t *testing.T) {
	s := compileSchema(t)
	good := []string{"testdata/good/tutti.yaml", "../../demo/tutti.yaml"}
	for _, path := range good {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := validate(t, s, string(content)); err != nil {
			t.Errorf("the schema refuses %s: %v", path, err)
		}
	}
	for _, page := range []string{"configuration.md", "channels.md"} {
		content, err := os.ReadFile("../../docs/" + page)
		if err != nil {
			t.Fatal(err)
		}
		var example strings.Builder
		for _, block := range strings.Split(string(content), "```yaml\n# tutti.yaml\n")[1:] {
			block, _, _ = strings.Cut(block, "```")
			example.WriteString(block)
		}
		if example.Len() == 0 {
			t.Errorf("%s has no examples", page)
		}
		if err := validate(t, s, example.String()); err != nil {
			t.Errorf("the schema refuses the examples of %s: %v", page, err)
		}
	}
	outside := []string{"not-yaml.txt", "aliases.txt"} // no YAML that means a value
	files, _ := filepath.Glob("testdata/broken/*.txt")
	for _, path := range files {
		if slices.Contains(outside, filepath.Base(path)) {
			continue
		}
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		input, _, _ := strings.Cut(string(content), dashes)
		if path == "testdata/broken/unknown-keys.txt" {
			input = strings.Replace(input, "  web: {}\n", "", 1) // a key written twice is no YAML for others
		}
		if validate(t, s, input) == nil {
			t.Errorf("the schema takes %s", path)
		}
	}
	for _, broken := range []string{
		"sources: {a: {connector: x}}", "sources: {a: {connector: x, kinds: {}}}", "sources: {a: {connector: x, kinds: {p: {}}}}", "sources: {a: {connector: x, kinds: {t: {access: visitor}}}}",
		"channels: {web: {widths: [small]}}", "channels: {web: {links: absolute}}", "channels: {2web: {}}", "attributes: {a: {type: string}}", "markets: {de: {currency: Euro}}",
		"cache: {bytes: many}", "limits: {depth: 0}", "visitors: {leeway: soon}", "visitors: {jwks: a, secret: b}", "componentTypes: {A: {props: {a: {}}}}", "compositionTypes: {page: {}}",
	} {
		if validate(t, s, broken) == nil {
			t.Errorf("the schema takes %s", broken)
		}
		if _, err := Parse("tutti.yaml", []byte(broken), environment); err == nil {
			t.Errorf("Load takes %s", broken)
		}
	}
}

// TestSchemaKnowsEveryKey compares the schema's properties with the Go types, both ways, and its
// closed lists with ours.
func TestSchemaKnowsEveryKey(t *testing.T) {
	var doc map[string]any
	if err := json.Unmarshal(Schema(), &doc); err != nil {
		t.Fatal(err)
	}
	seen := map[reflect.Type]bool{}
	var compare func(path string, of reflect.Type, s map[string]any)
	deref := func(s map[string]any) map[string]any {
		ref, ok := s["$ref"].(string)
		if !ok {
			return s
		}
		def := doc["$defs"].(map[string]any)[strings.TrimPrefix(ref, "#/$defs/")].(map[string]any)
		merged := map[string]any{}
		for _, m := range []map[string]any{def, s} {
			for k, v := range m {
				merged[k] = v
			}
		}
		delete(merged, "$ref")
		return merged
	}
	compare = func(path string, of reflect.Type, s map[string]any) {
		s = deref(s)
		if list := enums[of]; list != nil {
			if got, ok := s["enum"].([]any); !ok || len(got) != len(list) {
				t.Errorf("%s: the schema has %v, Load takes %v", path, got, list)
			}
			return
		}
		switch of.Kind() {
		case reflect.Pointer:
			compare(path, of.Elem(), s)
		case reflect.Map:
			if s["anyOf"] != nil {
				return // a text
			}
			compare(path+".*", of.Elem(), s["additionalProperties"].(map[string]any))
		case reflect.Slice:
			if of == rawType {
				return
			}
			if items, ok := s["items"].(map[string]any); ok {
				compare(path+"[]", of.Elem(), items)
			} else {
				compare(path+".*", of.Elem(), s["additionalProperties"].(map[string]any))
			}
		case reflect.Struct:
			if of == reflect.TypeFor[tutti.Secret]() || seen[of] {
				return
			}
			seen[of] = of != reflect.TypeFor[Freshness]()
			keys := keysOf(fieldsOf(of, true))
			properties, _ := s["properties"].(map[string]any)
			for _, k := range keys {
				p, ok := properties[k].(map[string]any)
				if !ok {
					t.Errorf("the schema does not know %s.%s", path, k)
					continue
				}
				compare(path+"."+k, of.Field(fieldsOf(of, true)[k]).Type, p)
			}
			for k := range properties {
				if !slices.Contains(keys, k) {
					t.Errorf("the schema knows %s.%s, but Load does not", path, k)
				}
			}
			if s["additionalProperties"] != false {
				t.Errorf("the schema takes any key in %s", path)
			}
		}
	}
	compare("", reflect.TypeFor[file](), doc)
}

// TestReservedNamesAreThoseOfTheAPI: no component type can take the name of a type of the API,
// nor a prop that of a field of Component.
func TestReservedNamesAreThoseOfTheAPI(t *testing.T) {
	content, err := os.ReadFile("../../schema.graphql")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := parser.ParseSchema(&ast.Source{Name: "schema.graphql", Input: string(content)})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"Boolean", "Float", "Int", "String"}
	for _, d := range doc.Definitions {
		want = append(want, d.Name)
	}
	slices.Sort(want)
	if !slices.Equal(reservedTypes, want) {
		t.Errorf("reservedTypes is\n%q\nwant\n%q", reservedTypes, want)
	}
	var fields []string
	for _, f := range doc.Definitions.ForName("Component").Fields {
		fields = append(fields, f.Name)
	}
	if !slices.Equal(reservedProps, fields) {
		t.Errorf("reservedProps is\n%q\nwant\n%q", reservedProps, fields)
	}
}
