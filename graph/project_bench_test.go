package graph

import (
	"strconv"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator/rules"

	"github.com/tuttihq/tutti"
)

// page and item play a delivered list of resources.
type page []Object

func (page) TypeName() string                      { return "ResourceConnection" }
func (p page) Field(_ string, _ Args) (any, error) { return []Object(p), nil }

type item struct{ r *tutti.Resource }

func (item) TypeName() string { return "Article" }

func (i item) Field(name string, _ Args) (any, error) {
	switch name {
	case "id", "kind":
		return &i.r.Ref.Kind, nil
	case "ref":
		return &i.r.Ref, nil
	}
	return i.r.Fields.Get(name), nil
}

// directItem writes its plain fields itself, as delivered resources do.
type directItem struct{ item }

func (i directItem) AppendField(b []byte, name string) ([]byte, bool) {
	switch name {
	case "__typename":
		return AppendString(b, i.TypeName()), true
	case "id", "kind":
		return AppendString(b, i.r.Ref.Kind), true
	case "ref":
		return AppendRef(b, &i.r.Ref), true
	}
	v := i.r.Fields.Field(name)
	if s, ok := v.Text(); ok {
		return AppendString(b, s), true
	}
	t, ok := v.Time()
	return AppendTime(b, t), ok
}

// BenchmarkProject writes 40 resources with 8 fields each: those that write plain fields themselves,
// and those that are asked for each value.
func BenchmarkProject(b *testing.B) {
	g := newHouse(b).server.Generation()
	doc, err := gqlparser.LoadQueryWithRules(g.Schema(), `{ resources(refs: []) { id } search(source: "a", kind: "b") {
		nodes { id ref kind title link updatedAt __typename ... on Article { section } } } }`, rules.NewDefaultRules())
	if err != nil {
		b.Fatal(err)
	}
	search := doc.Operations[0].SelectionSet[1].(*ast.Field)
	ctx := graphql.WithOperationContext(WithSchema(b.Context(), g.Schema()), &graphql.OperationContext{Doc: doc, Operation: doc.Operations[0]})
	ctx = graphql.WithResponseContext(ctx, keep, graphql.DefaultRecover)
	ctx = graphql.WithFieldContext(ctx, &graphql.FieldContext{Object: "Query", Field: graphql.CollectedField{Field: search, Selections: search.SelectionSet}})
	var written, read page
	for n := range 40 {
		id := strconv.Itoa(n)
		one := item{&tutti.Resource{
			Ref:    tutti.Ref{Source: "blog", Kind: "article", ID: id},
			Fields: tutti.FieldsOf(map[string]any{"title": "The title of " + id, "link": "/article/" + id, "section": "north", "updatedAt": time.Unix(1_795_000_000, 0)}),
		}}
		written, read = append(written, directItem{one}), append(read, one)
	}
	for name, items := range map[string]page{"written": written, "read": read} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if a := NewAnswer(ctx, items); a == nil || len(a.data) < 5000 {
					b.Fatalf("%s", a.data)
				}
			}
		})
	}
}
