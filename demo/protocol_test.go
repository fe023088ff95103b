package demo

import (
	"net/http"
	"strings"
	"testing"
)

// scenario is one call and what the vendor's real system would answer.
type scenario struct {
	name, origin, method, path, body string
	status                           int
	holds, lacks                     []string
	header                           map[string]string // a part of each header; "" = it is there
}

func TestOriginsAnswerAsTheVendorsDo(t *testing.T) {
	o := start(t)
	azul, nobody := assetID("hotels/azul"), strings.Repeat("0", 32)
	ids := func(n int, s string) string { return strings.TrimSuffix(strings.Repeat(s, n), "&") }
	q := func(query, vars string) string {
		return `{"query":"` + strings.ReplaceAll(query, `"`, `\"`) + `","variables":` + vars + `}`
	}
	for _, c := range []scenario{
		{"many assets, unknown ones absent", "dam", "GET", "/v1_1/demo/resources/by_asset_ids?asset_ids[]=" + azul + "&asset_ids[]=" + nobody, "", 200, []string{`"public_id":"hotels/azul"`}, []string{nobody, `"tags"`, `"context"`}, map[string]string{"X-FeatureRateLimit-Limit": "2000", "X-FeatureRateLimit-Remaining": "", "X-FeatureRateLimit-Reset": "GMT"}},
		{"details only when asked for", "dam", "GET", "/v1_1/demo/resources/by_asset_ids?asset_ids[]=" + azul + "&context=true&tags=true", "", 200, []string{`"alt_de":"Hotel Azul, Bilbao am Wasser, dahinter Hügel"`, `"hotelazul"`}, nil, nil},
		{"over 100 ids", "dam", "GET", "/v1_1/demo/resources/by_asset_ids?" + ids(101, "asset_ids[]="+azul+"&"), "", 400, []string{`{"error":{"message":`}, nil, nil},
		{"one asset", "dam", "GET", "/v1_1/demo/resources/" + azul, "", 200, []string{`"asset_id":"` + azul + `"`, `"coordinates"`}, nil, nil},
		{"no such asset", "dam", "GET", "/v1_1/demo/resources/" + nobody, "", 404, []string{"Resource not found - " + nobody}, nil, nil},
		{"a page of assets", "dam", "GET", "/v1_1/demo/resources/image?max_results=2", "", 200, []string{`"next_cursor"`}, []string{`"tags"`}, nil},
		{"a search", "dam", "POST", "/v1_1/demo/resources/search", `{"expression":"tags=hotelazul AND NOT asset_folder=hotels","max_results":100}`, 200, []string{`"total_count":6`}, []string{`"public_id":"hotels/azul"`, "next_cursor"}, nil},
		{"an unknown field matches nothing", "dam", "POST", "/v1_1/demo/resources/search", `{"expression":"nope:1"}`, 200, []string{`"total_count":0`}, nil, nil},
		{"a broken expression", "dam", "POST", "/v1_1/demo/resources/search", `{"expression":"(tags=a"}`, 400, []string{`"message"`}, nil, nil},

		{"products by id, in the order of ids", "catalog", "POST", "/shop-api", q(`{products(options:{filter:{id:{in:["3","1","9999"]}}}){totalItems items{id}}}`, "{}"), 200, []string{`{"data":{"products":{"totalItems":2,"items":[{"id":"1"},{"id":"3"}]}}}`}, nil, map[string]string{"ETag": `W/"`, "Cache-Control": "no-store"}},
		{"over 100", "catalog", "POST", "/shop-api", q(`{products(options:{take:1000}){totalItems}}`, "{}"), 200, []string{"Cannot take more than 100 results from a list query", `"code":"USER_INPUT_ERROR"`, `"data":null`}, nil, nil},
		{"an unknown field", "catalog", "POST", "/shop-api", q(`{product(id:1){nope}}`, "{}"), 400, []string{`"code":"GRAPHQL_VALIDATION_FAILED"`}, []string{`"data"`}, nil},
		{"no such product", "catalog", "POST", "/shop-api", q(`{product(id:"9999"){id}}`, "{}"), 200, []string{`{"data":{"product":null}}`}, nil, nil},
		{"two queries at once", "catalog", "POST", "/shop-api", `[{"query":"{__typename}"}]`, 400, []string{"Operation batching disabled."}, nil, nil},
		{"another language", "catalog", "POST", "/shop-api?languageCode=de", q(`{product(id:"4"){languageCode name}}`, "{}"), 200, []string{`"languageCode":"de","name":"Frühstück in Bilbao, Hotel Azul"`}, nil, nil},
		{"a language that is missing", "catalog", "POST", "/shop-api?languageCode=es", q(`{product(id:"4"){languageCode name}}`, "{}"), 200, []string{`"languageCode":"en"`}, nil, nil},
		{"fragments, aliases, variables", "catalog", "POST", "/shop-api", q(`query P($id: ID!, $no: Boolean!) { a: product(id: $id) { ...F } } fragment F on Node { id ... on Product { s: slug name @skip(if: $no) } }`, `{"id":"2","no":true}`), 200, []string{`{"data":{"a":{"id":"2","s":"calm-azul"}}}`}, nil, nil},
		{"a search in a collection", "catalog", "POST", "/shop-api", q(`{search(input:{collectionSlug:"offers-hotelazul-gold",groupByProduct:true}){totalItems items{productId priceWithTax{... on PriceRange{min} __typename}}}}`, "{}"), 200, []string{`"totalItems":2`, `"productId":"1"`, `"min":1900`, "PriceRange"}, nil, nil},
		{"a query by GET", "catalog", "GET", "/shop-api?query=%7Bcollection(slug:%22offers%22)%7Bname%20productVariants%7BtotalItems%7D%7D%7D", "", 200, []string{`"totalItems":120`}, nil, nil},

		{"many posts, unknown ones absent", "social", "GET", "/api/v1/statuses?id[]=115300000000000000&id[]=1", "", 200, []string{`"id":"115300000000000000"`, `"visibility":"public"`}, nil, map[string]string{"X-RateLimit-Limit": "300", "X-RateLimit-Reset": "Z"}},
		{"over 20 ids", "social", "GET", "/api/v1/statuses?" + ids(21, "id[]=1&"), "", 422, []string{`"error"`}, nil, nil},
		{"no such post", "social", "GET", "/api/v1/statuses/1", "", 404, []string{`{"error":"Record not found"}`}, nil, nil},
		{"a hashtag", "social", "GET", "/api/v1/timelines/tag/HotelAzul?limit=2", "", 200, []string{"#<span>hotelazul</span>"}, []string{"hotelbrisa"}, map[string]string{"Link": `rel="next"`}},
		{"two hashtags", "social", "GET", "/api/v1/timelines/tag/hotelazul?all[]=reisen", "", 200, []string{`"language":"de"`}, []string{`"language":"en"`}, nil},
		{"no such account", "social", "GET", "/api/v1/accounts/9/statuses", "", 404, []string{"Record not found"}, nil, nil},
		{"a search", "social", "GET", "/api/v2/search?q=anchovies&type=statuses", "", 200, []string{`"hashtags":[]`, "anchovies"}, nil, nil},

		{"many tickets, unknown ones absent", "support", "GET", "/api/v2/tickets/show_many.json?ids=71400,1", "", 200, []string{`"count":1`, `"requester_id":20978392`}, nil, map[string]string{"X-Rate-Limit": "700", "ratelimit-reset": ""}},
		{"no such ticket", "support", "GET", "/api/v2/tickets/1", "", 404, []string{`"error":"RecordNotFound"`}, nil, nil},
		{"open tickets of one person", "support", "GET", "/api/v2/search?query=type:ticket%20requester:20978392%20status%3Csolved", "", 200, []string{`"count":1`, `"subject":"Late arrival"`, `"result_type":"ticket"`}, []string{"20978393"}, nil},
		{"too deep a page", "support", "GET", "/api/v2/search?query=type:ticket&page=11", "", 422, []string{`"error":"invalid"`}, nil, nil},
		{"tickets by cursor", "support", "GET", "/api/v2/tickets.json?page[size]=2", "", 200, []string{`"has_more":true`, `"after_cursor":"`}, nil, nil},
		{"an article in German", "support", "GET", "/api/v2/help_center/de/articles/360001000", "", 200, []string{`"title":"Online einchecken"`, `"locale":"de"`}, nil, nil},
		{"an article without Spanish words", "support", "GET", "/api/v2/help_center/es/articles/360001034", "", 404, []string{"RecordNotFound"}, nil, nil},
		{"a search for articles", "support", "GET", "/api/v2/help_center/articles/search?query=breakfast&locale=en-us", "", 200, []string{`"result_type":"article"`, `"page_count"`}, nil, nil},

		{"many hotels, unknown ones absent", "stay", "GET", "/v1/hotels?ids=azul,nowhere&lang=de-AT", "", 200, []string{`"total":1`, `"lang":"de"`, "Amseln"}, nil, nil},
		{"over 50 ids", "stay", "GET", "/v1/hotels?ids=" + strings.TrimSuffix(strings.Repeat("azul,", 51), ","), "", 400, []string{`"error"`}, nil, nil},
		{"a page of hotels", "stay", "GET", "/v1/hotels?limit=3", "", 200, []string{`"total":20`, `"next":"`}, nil, nil},
		{"places, nearest first", "stay", "GET", "/v1/places?near=43.2706,-2.9323&limit=1", "", 200, []string{`"id":"azul-cafe-vapor"`}, nil, nil},
		{"stays of one guest", "stay", "GET", "/v1/reservations?guest=guest-7", "", 200, []string{`"id":"R-1007"`, `"supportId":20978392`, `"room":"412"`, `"total":1`}, []string{"guest-8"}, nil},
	} {
		t.Run(c.origin+": "+c.name, func(t *testing.T) {
			status, header, body := call(t, o, c.origin, c.method, c.path, c.body)
			if status != c.status {
				t.Errorf("status %d, not %d: %.300s", status, c.status, body)
			}
			for _, s := range c.holds {
				if !strings.Contains(string(body), s) {
					t.Errorf("%s is not in %.600s", s, body)
				}
			}
			for _, s := range c.lacks {
				if strings.Contains(string(body), s) {
					t.Errorf("%s is in the answer", s)
				}
			}
			for name, part := range c.header {
				if v := header.Get(name); v == "" || !strings.Contains(v, part) {
					t.Errorf("header %s is %q", name, v)
				}
			}
		})
	}
}

func TestStrangersAreTurnedAway(t *testing.T) {
	o := start(t)
	for name, path := range map[string]string{"dam": "/v1_1/demo/resources/image", "support": "/api/v2/tickets", "stay": "/v1/reservations"} {
		r, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, o.URL(name)+path, nil)
		res, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if res.StatusCode != http.StatusUnauthorized {
			t.Errorf("%s answers %s without credentials", name, res.Status)
		}
	}
}
