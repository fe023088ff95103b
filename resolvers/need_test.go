package resolvers

import (
	"maps"
	"slices"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"

	"github.com/tuttihq/tutti"
)

func TestRelationsAreNeededOfTheTypesThatTheyAreSelectedOf(t *testing.T) {
	doc, err := parser.ParseQuery(&ast.Source{Input: `{ title image { alt } ... on Product { price image { title ... on Asset { url } ... on Product { image { alt } } } } ... on Resource { ... on SocialPost { text } } }`})
	if err != nil {
		t.Fatal(err)
	}
	w := needWalk{}
	n := w.resource(doc.Operations[0].SelectionSet)
	fields := func(names ...string) []string { return names }
	if !slices.Equal(n.Fields, fields("title", "image")) || !slices.Equal(n.Relations["image"].Fields, fields("alt")) {
		t.Errorf("of all types %+v is needed", n)
	}
	product, post := n.ByType[tutti.ProductType], n.ByType[tutti.SocialPostType]
	if !slices.Equal(product.Fields, fields("title", "image", "price")) || !slices.Equal(product.Relations["image"].Fields, fields("alt", "title")) {
		t.Errorf("of a product %+v is needed", product)
	}
	if !slices.Equal(post.Fields, fields("title", "image", "text")) || len(post.Relations["image"].Relations) != 0 {
		t.Errorf("of a post %+v is needed", post)
	}
	if deep := product.Relations["image"].ByType; len(deep) != 2 || len(deep[tutti.AssetType].Relations) != 0 || len(deep[tutti.ProductType].Relations) != 1 {
		t.Errorf("of the product's picture is needed %+v, by types %v", product.Relations["image"], slices.Collect(maps.Keys(deep)))
	}
}
