package demo

import (
	"cmp"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// root gives the fields of Query. A field with arguments is a resolver.
func (c *catalog) root(lang, currency string) record {
	v := view{c, lang, currency}
	return record{
		"__typename": "Query",
		"product":    resolver(func(a record) (any, error) { return one(a, c.products, v.product), nil }),
		"collection": resolver(func(a record) (any, error) { return one(a, c.collections, v.collection), nil }),
		"products": resolver(func(a record) (any, error) {
			return listOf("ProductList", "Product", v.all(c.products, v.product), a["options"])
		}),
		"collections": resolver(func(a record) (any, error) {
			return listOf("CollectionList", "Collection", v.all(c.collections, v.collection), a["options"])
		}),
		"facets": resolver(func(a record) (any, error) { return listOf("FacetList", "Facet", v.allFacets(), a["options"]) }),
		"search": resolver(func(a record) (any, error) { in, _ := a["input"].(record); return v.search(in) }),
		"activeChannel": record{
			"__typename": "Channel", "id": "1", "code": "__default_channel__", "defaultLanguageCode": "en", "availableLanguageCodes": []any{"en", "de"}, "defaultCurrencyCode": "EUR", "pricesIncludeTax": true,
		},
	}
}

func one(args record, t *table, show func(record) record) any {
	if id, ok := args["id"].(string); ok {
		if r, ok := t.get(id); ok {
			return show(r)
		}
		return nil
	}
	for _, r := range t.all() {
		if slug, ok := args["slug"].(string); ok && text(r, "slug") == slug {
			return show(r)
		}
	}
	return nil
}

// view shows the catalog's records in a language and currency, as the schema's types.
type view struct {
	*catalog
	lang     string
	currency string
}

// currencies are what the shop sells in, the first by default, with what a hundred of that costs.
var currencies = []struct {
	code    string
	percent int
}{{"EUR", 100}, {"GBP", 86}}

// sellsIn reports whether the shop has prices in a currency; "" is the default.
func sellsIn(currency string) bool {
	for _, c := range currencies {
		if currency == "" || c.code == currency {
			return true
		}
	}
	return false
}

// priced gives a variant with its price in the view's currency.
func (v view) priced(r record) record {
	for _, c := range currencies {
		if c.code != v.currency {
			continue
		}
		r = maps.Clone(r)
		r["currencyCode"], r["priceWithTax"] = c.code, whole(r["priceWithTax"], 0)*c.percent/100
	}
	return r
}

func (v view) all(t *table, show func(record) record) []record {
	var out []record
	for _, r := range t.all() {
		out = append(out, show(r))
	}
	return out
}

func (v view) base0(r record, typ string) record {
	out, got := localised(r, v.lang)
	out["__typename"], out["languageCode"], out["customFields"] = typ, got, nil
	return out
}

func (v view) product(r record) record {
	out := v.base0(r, "Product")
	out["featuredAsset"] = v.asset(r)
	out["assets"] = lazy(func() any { return []any{v.asset(r)} })
	out["variants"] = lazy(func() any { return anys(v.variantsOf(text(r, "id"))) })
	out["variantList"] = resolver(func(a record) (any, error) {
		return listOf("ProductVariantList", "ProductVariant", v.variantsOf(text(r, "id")), a["options"])
	})
	out["facetValues"] = lazy(func() any { return v.facetValues(r) })
	out["sku"], out["facetValueId"] = lazy(func() any { return v.skus(text(r, "id")) }), r["values"] // for filters alone
	out["collections"] = lazy(func() any {
		var in []any
		for _, col := range v.collections.all() {
			if v.holds(col, r) {
				in = append(in, v.collection(col))
			}
		}
		return in
	})
	out["translations"] = lazy(func() any { return translated(r, "ProductTranslation") })
	return out
}

// translated lists a record's wordings in all languages.
func translated(r record, typ string) []any {
	var out []any
	t, _ := r["translations"].(record)
	for i, lang := range []string{"en", "de", "es"} {
		if _, ok := t[lang]; ok || lang == "en" {
			w, _ := localised(r, lang)
			w["__typename"], w["id"], w["languageCode"] = typ, text(r, "id")+strconv.Itoa(i), lang
			out = append(out, w)
		}
	}
	return out
}

func (v view) variant(r record) record {
	r = v.priced(r)
	out := v.base0(r, "ProductVariant")
	with, _ := r["priceWithTax"].(int)
	out["price"] = (with*10 + 5) / 11 // 10 % tax
	out["product"] = lazy(func() any {
		if p, ok := v.products.get(text(r, "productId")); ok {
			return v.product(p)
		}
		return nil
	})
	out["featuredAsset"], out["assets"] = nil, []any{}
	out["facetValues"] = []any{}
	out["translations"] = lazy(func() any { return translated(r, "ProductVariantTranslation") })
	return out
}

func (v view) variantsOf(product string) []record {
	var out []record
	for _, r := range v.variants.all() {
		if text(r, "productId") == product {
			out = append(out, v.variant(r))
		}
	}
	return out
}

func (v view) skus(product string) []string {
	var out []string
	for _, r := range v.variantsOf(product) {
		out = append(out, text(r, "sku"))
	}
	return out
}

func (v view) asset(product record) record {
	slug := text(product, "slug")
	url := v.catalog.base + "/assets/preview/" + slug + "__preview.jpg"
	return record{
		"__typename": "Asset", "id": text(product, "id"), "createdAt": product["createdAt"], "updatedAt": product["createdAt"], "name": slug + ".jpg", "type": "IMAGE", "fileSize": 241000, "mimeType": "image/jpeg",
		"width": 1600, "height": 1067, "source": url, "preview": url, "focalPoint": record{"__typename": "Coordinate", "x": 0.5, "y": 0.55}, "customFields": nil,
	}
}

func (v view) facetValues(product record) []any {
	var out []any
	ids, _ := product["values"].([]string)
	for _, id := range ids {
		if r, ok := v.facets.get(id); ok {
			out = append(out, v.facetValueOf(r))
		}
	}
	return out
}

var facetIDs = map[string]string{"house": "1", "subject": "2", "tier": "3"}

func (v view) facetValueOf(r record) record {
	out := v.base0(r, "FacetValue")
	out["facetId"] = facetIDs[text(r, "facet")]
	out["facet"] = lazy(func() any { return v.facet(text(r, "facet")) })
	return out
}

func (v view) facet(code string) record {
	out := record{"__typename": "Facet", "id": facetIDs[code], "code": code, "name": capital(code), "languageCode": "en", "customFields": nil}
	var values []any
	for _, r := range v.facets.all() {
		if text(r, "facet") == code {
			out["createdAt"], out["updatedAt"] = r["createdAt"], r["updatedAt"]
			values = append(values, v.facetValueOf(r))
		}
	}
	out["values"] = values
	return out
}

func (v view) allFacets() []record {
	return []record{v.facet("house"), v.facet("subject"), v.facet("tier")}
}

func (v view) collection(r record) record {
	out := v.base0(r, "Collection")
	out["featuredAsset"], out["assets"] = nil, []any{}
	out["children"] = lazy(func() any {
		var in []any
		for _, c := range v.collections.all() {
			if text(c, "parentId") == text(r, "id") {
				in = append(in, v.collection(c))
			}
		}
		return in
	})
	out["breadcrumbs"] = lazy(func() any {
		crumbs := []any{record{"__typename": "CollectionBreadcrumb", "id": r["id"], "name": out["name"], "slug": r["slug"]}}
		for p, ok := v.collections.get(text(r, "parentId")); ok; p, ok = v.collections.get(text(p, "parentId")) {
			crumbs = slices.Insert(crumbs, 0, any(record{"__typename": "CollectionBreadcrumb", "id": p["id"], "name": v.base0(p, "")["name"], "slug": p["slug"]}))
		}
		root := record{"__typename": "CollectionBreadcrumb", "id": "1", "name": "__root_collection__", "slug": "__root_collection__"}
		return slices.Insert(crumbs, 0, any(root))
	})
	out["productVariants"] = resolver(func(a record) (any, error) {
		var rows []record
		for _, p := range v.products.all() {
			if v.holds(r, p) {
				rows = append(rows, v.variantsOf(text(p, "id"))...)
			}
		}
		return listOf("ProductVariantList", "ProductVariant", rows, a["options"])
	})
	return out
}

// mostRows is how many rows one list gives at most.
const mostRows = 100

// listOf filters, sorts and cuts a list after Vendure's list options.
func listOf(typ, _ string, rows []record, options any) (any, error) {
	o, _ := options.(record)
	filter, _ := o["filter"].(record)
	rows = slices.DeleteFunc(slices.Clone(rows), func(r record) bool {
		return !passes(r, filter, o["filterOperator"] == "OR") || o["topLevelOnly"] == true && text(r, "parentId") != "1"
	})
	slices.SortStableFunc(rows, func(a, b record) int { return cmp.Compare(whole(a["id"], 0), whole(b["id"], 0)) })
	sort, _ := o["sort"].(record)
	for field, direction := range sort {
		slices.SortStableFunc(rows, func(a, b record) int {
			c := compare(a[field], b[field])
			if direction == "DESC" {
				return -c
			}
			return c
		})
	}
	part, err := window(rows, o, mostRows)
	if err != nil {
		return nil, err
	}
	return record{"__typename": typ, "items": anys(part), "totalItems": len(rows)}, nil
}

// window cuts by skip and take.
func window[T any](rows []T, o record, otherwise int) ([]T, error) {
	take, skip := whole(o["take"], otherwise), whole(o["skip"], 0)
	if take > mostRows {
		return nil, inputError("Cannot take more than " + strconv.Itoa(mostRows) + " results from a list query")
	}
	skip = min(max(0, skip), len(rows))
	return rows[skip:min(len(rows), skip+max(0, take))], nil
}

func passes(r, filter record, anyOf bool) bool {
	if len(filter) == 0 {
		return true
	}
	for field, ops := range filter {
		ok := true
		switch field {
		case "_and", "_or":
			list, _ := ops.([]any)
			ok = field == "_and"
			for _, f := range list {
				sub, _ := f.(record)
				if passes(r, sub, false) != ok {
					ok = !ok
					break
				}
			}
		default:
			o, _ := ops.(record)
			for op, want := range o {
				ok = ok && operator(r[field], op, want)
			}
		}
		if ok == anyOf {
			return anyOf
		}
	}
	return !anyOf
}

// operator compares as the vendor does. An operator without a value says nothing; of several
// values one must fit.
func operator(got any, op string, want any) bool {
	if want == nil {
		return true
	}
	if l, ok := got.(lazy); ok {
		got = l()
	}
	if many, ok := got.([]string); ok {
		return slices.ContainsFunc(many, func(one string) bool { return operator(one, op, want) })
	}
	s, _ := got.(string)
	in := func() bool {
		list, _ := want.([]any)
		return slices.ContainsFunc(list, func(w any) bool { return compare(got, w) == 0 })
	}
	ends, _ := want.(record)
	w, _ := want.(string)
	switch op {
	case "eq":
		return compare(got, want) == 0
	case "notEq":
		return compare(got, want) != 0
	case "contains":
		return has(w, s)
	case "notContains":
		return !has(w, s)
	case "in":
		return in()
	case "notIn":
		return !in()
	case "regex":
		re, err := regexp.Compile("(?i)" + w)
		return err == nil && re.MatchString(s)
	case "isNull":
		return (got == nil) == (want == true)
	case "lt", "before":
		return compare(got, want) < 0
	case "lte":
		return compare(got, want) <= 0
	case "gt", "after":
		return compare(got, want) > 0
	case "gte":
		return compare(got, want) >= 0
	case "between":
		return compare(got, ends["start"]) >= 0 && compare(got, ends["end"]) <= 0
	}
	return false
}

// compare orders numbers as numbers and everything else as text, in any case.
func compare(a, b any) int {
	x, okX := float(a)
	y, okY := float(b)
	if okX && okY {
		return cmp.Compare(x, y)
	}
	return cmp.Compare(strings.ToLower(plainText(a)), strings.ToLower(plainText(b)))
}

func float(v any) (float64, bool) {
	switch n := v.(type) {
	case int:
		return float64(n), true
	case int64:
		return float64(n), true
	case float64:
		return n, true
	}
	return 0, false
}

func plainText(v any) string {
	switch t := v.(type) {
	case string:
		return t
	case bool:
		return strconv.FormatBool(t)
	}
	return number(v)
}

// whole reads a whole number from an argument or an id.
func whole(v any, otherwise int) int {
	if f, ok := float(v); ok {
		return int(f)
	}
	if n, err := strconv.Atoi(plainText(v)); err == nil {
		return n
	}
	return otherwise
}

func anys(rows []record) []any {
	out := make([]any, len(rows))
	for i, r := range rows {
		out[i] = r
	}
	return out
}
