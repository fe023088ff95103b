//go:build e2e

package e2e

import (
	"testing"
	"time"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/internal/config"
	"github.com/tuttihq/tutti/sources/contract"
	"github.com/tuttihq/tutti/sources/recording"
)

// TestRealRESTKeepsTheContract asks a real Directus all questions through the connector rest, by settings alone.
func TestRealRESTKeepsTheContract(t *testing.T) {
	l := startLibrary(t, "http://127.0.0.1:9/")
	askAll(t, contract.System{
		Source: config.Source{
			Name: "cms", Connector: "rest", URL: l.url, Secrets: map[string]tutti.Secret{"token": tutti.NewSecret(readersToken)},
			Settings: map[string]string{
				"list": "/items/articles?meta=filter_count", "item": "/items/articles", "record": "data", "records": "data", "total": "meta.filter_count",
				"ids": "filter[id][_in]", "size": "limit", "paging": "page", "position": "page", "search": "search", "since": "filter[date_updated][_gt]",
				"excerpt": "summary", "updated": "date_updated", "link": "slug", "base": "https://www.example.com/articles/",
			},
		},
		Kinds: map[string]contract.Kind{
			"article": {
				IDs: []string{articleID(1), articleID(2)}, Missing: articleID(0), First: 50, Field: "updatedAt",
				Selections: []recording.Selection{{Text: "article 11"}},
				Changes:    &recording.Since{Since: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)},
			},
			"product": {Without: "it is asked the same as an article"},
		},
	})
}

// TestRealGraphQLKeepsTheContract asks a real Vendure all questions through the connector graphql, by settings alone.
func TestRealGraphQLKeepsTheContract(t *testing.T) {
	const fields = "{ id name description slug updatedAt featuredAsset { preview } variants { priceWithTax } }"
	s := startShop(t, "")
	askAll(t, contract.System{
		Source: config.Source{
			Name: "catalog", Connector: "graphql", URL: s.url,
			Settings: map[string]string{
				"path": "/shop-api", "item": "product(id: $id) " + fields,
				"list":    "query($first: Int!, $offset: Int) { products(options: {take: $first, skip: $offset}) { totalItems items " + fields + " } }",
				"search":  "query($first: Int!, $offset: Int, $text: String!) { products(options: {take: $first, skip: $offset, filter: {name: {contains: $text}}}) { totalItems items " + fields + " } }",
				"records": "data.products.items", "total": "data.products.totalItems", "paging": "offset",
				"title": "name", "body": "description", "link": "slug", "base": "https://www.example.com/products/", "image": "featuredAsset.preview", "updated": "updatedAt",
				"price": "variants.0.priceWithTax", "priceIn": "minor", "currency": "USD",
			},
		},
		Kinds: map[string]contract.Kind{
			"article": {Without: "it is asked the same as a product"},
			"product": {IDs: []string{"1", "2"}, Missing: "990001", First: 10, Field: "description", Selections: []recording.Selection{{Text: "camera"}}},
		},
	})
}
