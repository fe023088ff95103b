package demo

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/parser"
	"github.com/vektah/gqlparser/v2/validator"
	"github.com/vektah/gqlparser/v2/validator/rules"
)

// lazy is a field that is made when it is asked for; resolver one that takes arguments.
type (
	lazy     func() any
	resolver func(args record) (any, error)
)

// inputError is what the vendor calls a USER_INPUT_ERROR.
type inputError string

func (e inputError) Error() string { return string(e) }

// serveGraphQL answers one operation, by POST or GET.
func (c *catalog) serveGraphQL(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Query         string         `json:"query"`
		OperationName string         `json:"operationName"`
		Variables     map[string]any `json:"variables"`
	}
	switch r.Method {
	case http.MethodGet:
		q := r.URL.Query()
		in.Query, in.OperationName = q.Get("query"), q.Get("operationName")
		if v := q.Get("variables"); v != "" && json.Unmarshal([]byte(v), &in.Variables) != nil {
			graphqlErrors(w, http.StatusBadRequest, "BAD_REQUEST", &gqlerror.Error{Message: "`variables` in a GET request must be JSON."})
			return
		}
	case http.MethodPost:
		body, _ := io.ReadAll(r.Body)
		if bytes.HasPrefix(bytes.TrimSpace(body), []byte("[")) {
			graphqlErrors(w, http.StatusBadRequest, "BAD_REQUEST", &gqlerror.Error{Message: "Operation batching disabled."})
			return
		}
		if json.Unmarshal(body, &in) != nil || in.Query == "" {
			graphqlErrors(w, http.StatusBadRequest, "BAD_REQUEST", &gqlerror.Error{Message: "POST body missing, invalid Content-Type, or JSON object has no keys."})
			return
		}
	default:
		http.Error(w, "", http.StatusMethodNotAllowed)
		return
	}
	doc, err := parser.ParseQuery(&ast.Source{Input: in.Query})
	if err != nil {
		graphqlErrors(w, http.StatusBadRequest, "GRAPHQL_PARSE_FAILED", asList(err)...)
		return
	}
	if errs := validator.ValidateWithRules(c.schema, doc, rules.NewDefaultRules()); len(errs) > 0 {
		graphqlErrors(w, http.StatusBadRequest, "GRAPHQL_VALIDATION_FAILED", errs...)
		return
	}
	op := doc.Operations.ForName(in.OperationName)
	if op == nil {
		graphqlErrors(w, http.StatusBadRequest, "OPERATION_RESOLUTION_FAILURE", &gqlerror.Error{Message: "Must provide operation name if query contains multiple operations."})
		return
	}
	vars, err := validator.VariableValues(c.schema, op, in.Variables)
	if err != nil {
		graphqlErrors(w, http.StatusOK, "BAD_USER_INPUT", asList(err)...)
		return
	}
	lang, currency := r.URL.Query().Get("languageCode"), r.URL.Query().Get("currencyCode")
	if !sellsIn(currency) {
		graphqlErrors(w, http.StatusOK, "USER_INPUT_ERROR", &gqlerror.Error{Message: fmt.Sprintf("The currency %q is not available in the current Channel", currency)})
		return
	}
	x := &execution{schema: c.schema, vars: vars}
	data, ok := x.object(c.root(lang, currency), c.schema.Query, op.SelectionSet, nil)
	answer := fields{}
	if len(x.errors) > 0 {
		answer = append(answer, field{"errors", x.errors})
	}
	if !ok {
		answer = append(answer, field{"data", nil})
	} else {
		answer = append(answer, field{"data", data})
	}
	b, _ := marshal(answer)
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("ETag", fmt.Sprintf(`W/"%x-%s"`, len(b), shaHex(string(b))[:27]))
	_, _ = w.Write(b)
}

func asList(err error) []*gqlerror.Error {
	if e, ok := err.(*gqlerror.Error); ok { // the parser gives it plain
		return []*gqlerror.Error{e}
	}
	return []*gqlerror.Error{{Message: err.Error()}}
}

func graphqlErrors(w http.ResponseWriter, status int, code string, errs ...*gqlerror.Error) {
	for _, e := range errs {
		e.Extensions = map[string]any{"code": code}
	}
	writeJSON(w, status, map[string]any{"errors": errs})
}

// field and fields are an object whose fields keep their order.
type field struct {
	name  string
	value any
}
type fields []field

func (f fields) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, x := range f {
		if i > 0 {
			b.WriteByte(',')
		}
		name, _ := marshal(x.name)
		value, err := marshal(x.value)
		if err != nil {
			return nil, err
		}
		b.Write(name)
		b.WriteByte(':')
		b.Write(value)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// execution carries out one operation over maps, as the GraphQL specification tells. A null
// where none may be takes its parent along.
type execution struct {
	schema *ast.Schema
	vars   map[string]any
	errors []*gqlerror.Error
}

func (x *execution) object(source record, typ *ast.Definition, set ast.SelectionSet, path ast.Path) (fields, bool) {
	var order []string
	grouped := map[string][]*ast.Field{}
	x.collect(set, typ, func(f *ast.Field) {
		if grouped[f.Alias] == nil {
			order = append(order, f.Alias)
		}
		grouped[f.Alias] = append(grouped[f.Alias], f)
	})
	out := fields{}
	for _, key := range order {
		same := grouped[key]
		var deeper ast.SelectionSet
		for _, f := range same {
			deeper = append(deeper, f.SelectionSet...)
		}
		v, ok := x.field(source, typ, same[0], deeper, append(path[:len(path):len(path)], ast.PathName(key)))
		if !ok {
			return nil, false
		}
		out = append(out, field{key, v})
	}
	return out, true
}

func (x *execution) field(source record, typ *ast.Definition, f *ast.Field, set ast.SelectionSet, path ast.Path) (any, bool) {
	if f.Name == "__typename" {
		return typ.Name, true
	}
	value := source[f.Name]
	var err error
	switch v := value.(type) {
	case lazy:
		value = v()
	case resolver:
		value, err = v(f.ArgumentMap(x.vars))
	}
	if err != nil {
		code := "INTERNAL_SERVER_ERROR"
		if _, ok := err.(inputError); ok { // never wrapped
			code = "USER_INPUT_ERROR"
		}
		x.errors = append(x.errors, &gqlerror.Error{Message: err.Error(), Path: path, Locations: []gqlerror.Location{{Line: f.Position.Line, Column: f.Position.Column}}, Extensions: map[string]any{"code": code}})
		return nil, !f.Definition.Type.NonNull
	}
	return x.complete(value, f.Definition.Type, set, path)
}

func (x *execution) complete(value any, typ *ast.Type, set ast.SelectionSet, path ast.Path) (any, bool) {
	if r, ok := value.(record); value == nil || ok && r == nil {
		if typ.NonNull {
			if typ.Elem == nil {
				x.errors = append(x.errors, &gqlerror.Error{Message: "Cannot return null for non-nullable field " + path.String() + ".", Path: path, Extensions: map[string]any{"code": "INTERNAL_SERVER_ERROR"}})
				return nil, false
			}
			return []any{}, true // a list without items
		}
		return nil, true
	}
	if typ.Elem != nil {
		list, _ := value.([]any)
		out := make([]any, 0, len(list))
		for i, item := range list {
			v, ok := x.complete(item, typ.Elem, set, append(path[:len(path):len(path)], ast.PathIndex(i)))
			if !ok {
				return nil, !typ.NonNull
			}
			out = append(out, v)
		}
		return out, true
	}
	def := x.schema.Types[typ.NamedType]
	if !def.IsCompositeType() {
		return value, true
	}
	r, _ := value.(record)
	v, ok := x.object(r, x.schema.Types[text(r, "__typename")], set, path)
	if !ok {
		return nil, !typ.NonNull
	}
	return v, true
}

// collect walks a selection set, through the fragments that fit the type.
func (x *execution) collect(set ast.SelectionSet, typ *ast.Definition, each func(*ast.Field)) {
	fits := func(condition string) bool {
		if condition == "" || condition == typ.Name {
			return true
		}
		for _, t := range x.schema.GetPossibleTypes(x.schema.Types[condition]) {
			if t.Name == typ.Name {
				return true
			}
		}
		return false
	}
	for _, s := range set {
		switch s := s.(type) {
		case *ast.Field:
			if x.included(s.Directives) && !strings.HasPrefix(s.Name, "__schema") && !strings.HasPrefix(s.Name, "__type(") {
				each(s)
			}
		case *ast.InlineFragment:
			if x.included(s.Directives) && fits(s.TypeCondition) {
				x.collect(s.SelectionSet, typ, each)
			}
		case *ast.FragmentSpread:
			if x.included(s.Directives) && fits(s.Definition.TypeCondition) {
				x.collect(s.Definition.SelectionSet, typ, each)
			}
		}
	}
}

func (x *execution) included(ds ast.DirectiveList) bool {
	if d := ds.ForName("skip"); d != nil && d.ArgumentMap(x.vars)["if"] == true {
		return false
	}
	if d := ds.ForName("include"); d != nil && d.ArgumentMap(x.vars)["if"] == false {
		return false
	}
	return true
}
