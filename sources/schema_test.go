package sources

import (
	"bytes"
	"encoding/json"
	"flag"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/tuttihq/tutti/internal/expr"
	"go.yaml.in/yaml/v3"
)

var update = flag.Bool("update", false, "write manifest.schema.json and golden files anew")

// choices are the closed lists of values, by struct and key.
var choices = map[string][]string{
	"AuthSpec.type":        {"none", "basic", "bearer", "header", "query", "form", "oauth2", "sigv4", "session"},
	"SignSpec.scheme":      signatures,
	"AuthSpec.client":      {"basic", "body"},
	"LimitSpec.resetAs":    {"seconds", "unix", "time"},
	"Manifest.protocol":    protocols,
	"KindSpec.type":        resources,
	"KindSpec.languages":   {"record"},
	"KindSpec.dimensions":  dimensions,
	"CallSpec.method":      {"GET", "HEAD", "POST", "SEARCH", "QUERY"},
	"CallSpec.conditional": conditionals[1:],
	"CallSpec.format":      formatNames(),
	"CallSpec.fresh":       {"cache-control"},
	"SelectSpec.text":      {"required", "optional"},
	"PagingSpec.type":      pagings[1:],
	"ChangesSpec.by":       {"since", "cursor", "newest"},
	"QuerySpec.encode":     encodings[1:],
	"QuerySpec.quote":      sortedKeys(quotings),
	"FieldSpec.as":         fieldTypes,
	"FieldSpec.from":       expr.RichForms,
	"Filter.type":          {"string", "int", "float", "bool", "place", "time", "ref"},
	"WebhookSpec.format":   webhookFormats,
	"SchemeSpec.like":      sortedKeys(schemes),
	"SchemeSpec.algorithm": algorithms,
	"SchemeSpec.encoding":  {"hex", "base64"},
	"SchemeSpec.secretAs":  {"base64"},
	"TimeSpec.as":          timeForms,
	"HandshakeSpec.type":   handshakes,
}

var needed = map[string][]string{
	"Manifest": {"name", "kinds"}, "Declaration": {"description"}, "AuthSpec": {"type"}, "LoginSpec": {"path"}, "SignSpec": {"scheme", "key", "salt"}, "KindSpec": {"type", "map"}, "BatchSpec": {"maxIds"},
	"FieldSpec": {"value"}, "Filter": {"type"}, "WebhookSpec": {"scheme", "changes"}, "ChangeSpec": {"kind"}, "HandshakeSpec": {"type"},
}

// TestSchemaIsTrue makes the schema of the Go types and their comments and compares it with the
// file. go test ./sources -run TestSchemaIsTrue -update writes the file.
func TestSchemaIsTrue(t *testing.T) {
	said := comments(t)
	schema := schemaOf(reflect.TypeFor[Manifest](), said)
	schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	schema["title"] = "A Tutti manifest: a connector for one kind of system"
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(schema); err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile("manifest.schema.json", b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile("manifest.schema.json")
	if err != nil || !bytes.Equal(have, b.Bytes()) {
		t.Errorf("manifest.schema.json differs from the types (%v). Run: go test ./sources -run TestSchemaIsTrue -update", err)
	}
}

func schemaOf(t reflect.Type, said map[string]string) map[string]any {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch t.Kind() {
	case reflect.String:
		return map[string]any{"type": "string"}
	case reflect.Bool:
		return map[string]any{"type": "boolean"}
	case reflect.Int:
		return map[string]any{"type": "integer"}
	case reflect.Float64:
		return map[string]any{"type": "number"}
	case reflect.Interface:
		return map[string]any{}
	case reflect.Slice:
		return map[string]any{"type": "array", "items": schemaOf(t.Elem(), said)}
	case reflect.Map:
		return map[string]any{"type": "object", "additionalProperties": schemaOf(t.Elem(), said)}
	}
	properties := map[string]any{}
	required := needed[t.Name()]
	addFields(t, said, properties)
	object := map[string]any{"type": "object", "additionalProperties": false, "properties": properties}
	if len(required) > 0 {
		object["required"] = required
	}
	if t == reflect.TypeFor[SchemeSpec]() {
		return map[string]any{"anyOf": []any{map[string]any{"type": "string", "enum": sortedKeys(schemes)}, object}}
	}
	if shortForms[t] {
		return map[string]any{"anyOf": []any{map[string]any{"type": []string{"string", "number", "boolean"}}, object}}
	}
	return object
}

func addFields(t reflect.Type, said map[string]string, properties map[string]any) {
	for i := range t.NumField() {
		f := t.Field(i)
		name := f.Tag.Get("yaml")
		if f.Anonymous {
			addFields(f.Type, said, properties)
			continue
		}
		if name == "" {
			continue
		}
		p := schemaOf(f.Type, said)
		p["description"] = said[t.Name()+"."+f.Name]
		if list, ok := choices[t.Name()+"."+name]; ok {
			at := p
			if f.Type.Kind() == reflect.Slice {
				at = p["items"].(map[string]any)
			}
			if at["enum"] = list; t == reflect.TypeFor[PagingSpec]() || t == reflect.TypeFor[QuerySpec]() { // or a setting that says it
				delete(at, "enum")
				at["anyOf"] = []any{map[string]any{"enum": list}, map[string]any{"pattern": aSetting.String()}}
			}
		}
		properties[name] = p
	}
}

// comments reads what stands behind the fields of structs. A field without a comment fails.
func comments(t *testing.T) map[string]string {
	t.Helper()
	out := map[string]string{}
	files, _ := filepath.Glob("*.go")
	for _, file := range files {
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			spec, ok := n.(*ast.TypeSpec)
			if !ok {
				return true
			}
			s, ok := spec.Type.(*ast.StructType)
			if !ok {
				return false
			}
			for _, field := range s.Fields.List {
				if field.Tag == nil || len(field.Names) == 0 || !strings.Contains(field.Tag.Value, "yaml:") {
					continue
				}
				text := strings.TrimSpace(field.Comment.Text())
				if text == "" {
					t.Errorf("%s.%s has no comment", spec.Name, field.Names[0])
				}
				out[spec.Name.Name+"."+field.Names[0].Name] = text
			}
			return false
		})
	}
	return out
}

func compiledSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	s, err := jsonschema.NewCompiler().Compile("manifest.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSchemaTakesEveryManifest(t *testing.T) {
	s := compiledSchema(t)
	files, _ := filepath.Glob("vendors/*.yaml")
	for _, file := range append(files, "../demo/manifests/stay.yaml") {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Validate(yamlValue(t, b)); err != nil {
			t.Errorf("%s: %v", file, err)
		}
	}
}

func yamlValue(t *testing.T, b []byte) any {
	t.Helper()
	var v any
	if err := yaml.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	j, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	v, err = jsonschema.UnmarshalJSON(bytes.NewReader(j))
	if err != nil {
		t.Fatal(err)
	}
	return v
}
