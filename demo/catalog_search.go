package demo

import (
	"slices"
	"strings"
)

// search answers Vendure's search: products, or variants when they are not grouped.
func (v view) search(in record) (any, error) {
	var collection record
	slug, bySlug := in["collectionSlug"].(string)
	id, byID := in["collectionId"].(string)
	for _, c := range v.collections.all() {
		if bySlug && text(c, "slug") == slug || byID && text(c, "id") == id {
			collection = c
		}
	}
	var items []record
	for _, p := range v.products.all() {
		if (bySlug || byID) && (collection == nil || !v.holds(collection, p)) || !wanted(p, in) {
			continue
		}
		shown := v.product(p)
		found := v.variantsOf(text(p, "id"))
		found = slices.DeleteFunc(found, func(r record) bool { return in["inStock"] == true && text(r, "stockLevel") == "OUT_OF_STOCK" })
		term, _ := in["term"].(string)
		for word := range strings.FieldsSeq(term) {
			if !has(word, text(shown, "name"), plain(text(shown, "description"))) {
				found = slices.DeleteFunc(found, func(r record) bool { return !has(word, text(r, "sku"), text(r, "name")) })
			}
		}
		if len(found) > 0 && in["groupByProduct"] == true {
			items = append(items, v.result(shown, found[0], v.variantsOf(text(p, "id"))))
			continue
		}
		for _, one := range found {
			items = append(items, v.result(shown, one, []record{one}))
		}
	}
	sort, _ := in["sort"].(record)
	for field, direction := range sort {
		key := map[string]string{"name": "productName", "price": "lowest"}[field]
		slices.SortStableFunc(items, func(a, b record) int {
			if direction == "DESC" {
				a, b = b, a
			}
			return compare(a[key], b[key])
		})
	}
	part, err := window(items, in, 10)
	if err != nil {
		return nil, err
	}
	return record{"__typename": "SearchResponse", "items": anys(part), "totalItems": len(items), "facetValues": lazy(func() any { return v.counts(items) })}, nil
}

// wanted reports whether a product has the facet values that a search asks for.
func wanted(p, in record) bool {
	have, _ := p["values"].([]string)
	held := func(id any) bool { s, _ := id.(string); return slices.Contains(have, s) }
	filters, _ := in["facetValueFilters"].([]any)
	for _, f := range filters {
		one, _ := f.(record)
		or, _ := one["or"].([]any)
		if one["and"] != nil && !held(one["and"]) || len(or) > 0 && !slices.ContainsFunc(or, held) {
			return false
		}
	}
	ids, _ := in["facetValueIds"].([]any)
	if len(ids) == 0 {
		return true
	}
	if in["facetValueOperator"] == "OR" {
		return slices.ContainsFunc(ids, held)
	}
	return !slices.ContainsFunc(ids, func(id any) bool { return !held(id) })
}

// result is one hit: of a product with all its prices, or of one variant.
func (v view) result(p, first record, variants []record) record {
	priced := make([]record, len(variants))
	for i, r := range variants {
		priced[i] = v.priced(r)
	}
	price := func(field string) record {
		low, high := whole(priced[0][field], 0), whole(priced[0][field], 0)
		for _, r := range priced {
			low, high = min(low, whole(r[field], 0)), max(high, whole(r[field], 0))
		}
		if len(priced) == 1 || low == high {
			return record{"__typename": "SinglePrice", "value": low}
		}
		return record{"__typename": "PriceRange", "min": low, "max": high}
	}
	asset, _ := p["featuredAsset"].(record)
	small := record{"__typename": "SearchResultAsset", "id": asset["id"], "preview": asset["preview"], "focalPoint": asset["focalPoint"]}
	values, _ := p["values"].([]string)
	var valueIDs, facets, in []any
	for _, id := range values {
		r, _ := v.facets.get(id)
		valueIDs = append(valueIDs, id)
		if f := facetIDs[text(r, "facet")]; !slices.Contains(facets, any(f)) {
			facets = append(facets, f)
		}
	}
	for _, c := range v.collections.all() {
		if v.holds(c, p) {
			in = append(in, text(c, "id"))
		}
	}
	return record{
		"__typename": "SearchResult", "sku": first["sku"], "slug": p["slug"], "productId": p["id"], "productName": p["name"], "productAsset": small, "productVariantId": first["id"], "productVariantName": first["name"], "productVariantAsset": nil,
		"price": price("price"), "priceWithTax": price("priceWithTax"), "currencyCode": priced[0]["currencyCode"], "description": p["description"], "facetIds": facets, "facetValueIds": valueIDs, "collectionIds": in, "score": 1.0,
		"inStock": slices.ContainsFunc(priced, func(r record) bool { return text(r, "stockLevel") != "OUT_OF_STOCK" }), "lowest": whole(priced[0]["priceWithTax"], 0),
	}
}

// counts tells how many hits have each facet value.
func (v view) counts(items []record) []any {
	n := map[string]int{}
	for _, item := range items {
		ids, _ := item["facetValueIds"].([]any)
		for _, id := range ids {
			n[plainText(id)]++
		}
	}
	var out []any
	for _, f := range v.facets.all() {
		if n[text(f, "id")] > 0 {
			out = append(out, record{"__typename": "FacetValueResult", "facetValue": v.facetValueOf(f), "count": n[text(f, "id")]})
		}
	}
	return out
}
