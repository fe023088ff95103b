package demo

import (
	_ "embed"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/tuttihq/tutti"
)

//go:embed catalog.graphql
var catalogSDL string

// catalog is a Vendure server: its shop API and its asset server.
type catalog struct {
	*http.ServeMux
	base, hookSecret                        string
	now                                     func() time.Time
	schema                                  *ast.Schema
	products, variants, facets, collections *table
	pics                                    *gallery
}

func newCatalog(w *world, base string, secrets map[string]string, now func() time.Time) (player, error) {
	schema, err := gqlparser.LoadSchema(&ast.Source{Name: "catalog.graphql", Input: catalogSDL})
	if err != nil {
		return nil, tutti.Errorf(tutti.Internal, "reading the catalog's schema: %w", err)
	}
	c := &catalog{
		ServeMux: http.NewServeMux(), base: base, hookSecret: secrets["webhook_secret"], now: now, schema: schema,
		products: newTable(), variants: newTable(), facets: newTable(), collections: newTable(), pics: newGallery(w),
	}
	c.stock(w)
	c.HandleFunc("/shop-api", c.serveGraphQL)
	c.HandleFunc("GET /assets/preview/{name}", c.preview)
	c.HandleFunc("/", http.NotFound)
	return c, nil
}

// stock fills the catalog: each house sells each offer, in two variants.
func (c *catalog) stock(w *world) {
	at := w.days(90, 1).UTC().Format(vendureTime)
	for hi, h := range w.hotels {
		for oi, o := range w.offers {
			n := hi*len(w.offers) + oi + 1
			id, slug := strconv.Itoa(n), o.Code+"-"+h.ID
			values := []string{c.facetValue("house", h.ID, words{"en": h.Name}, at)}
			for _, code := range o.Facets {
				facet := "subject"
				if strings.HasPrefix(code, "tier-") {
					facet = "tier"
				}
				values = append(values, c.facetValue(facet, code, facetNames[code], at))
			}
			name, about := words{}, words{}
			for lang := range o.Name {
				put := func(s string) string {
					calm := h.Calm.in(lang)
					return fill(s, "hotel", h.Name, "town", h.Town, "dish", h.Dish.in(lang), "walk", h.Walk.in(lang), "calm", calm, "Calm", capital(calm))
				}
				name[lang], about[lang] = put(o.Name[lang])+", "+h.Name, put(o.Text[lang])
				if strings.Contains(o.Name[lang], "{hotel}") {
					name[lang] = put(o.Name[lang])
				}
			}
			scene := o.Scene
			switch scene {
			case "hotel":
				scene = "hotel-" + h.Scene
			case "view":
				scene = h.Scene
			}
			c.pics.scenes["products/"+slug] = scene
			c.products.add(id, record{
				"id": id, "createdAt": at, "updatedAt": w.days(1+n%60, n).UTC().Format(vendureTime), "name": name.in("en"), "slug": slug, "description": about.in("en"), "enabled": true,
				"values": values, "translations": translations(map[string]words{"name": name, "description": about}),
			})
			for vi, v := range o.Variants {
				vid := strconv.Itoa(2*n - 1 + vi)
				full := words{}
				for lang := range v.Name {
					full[lang] = name.in(lang) + ": " + v.Name[lang]
				}
				c.variants.add(vid, record{
					"id": vid, "productId": id, "createdAt": at, "updatedAt": w.days(1+n%60, n).UTC().Format(vendureTime), "name": full.in("en"), "currencyCode": "EUR",
					"sku": strings.ToUpper(h.ID + "-" + o.Code + "-" + v.Code), "priceWithTax": o.Price + o.Price*(hi%5)/20/50*50 + v.Extra, "stockLevel": []string{"IN_STOCK", "IN_STOCK", "LOW_STOCK", "IN_STOCK", "IN_STOCK", "OUT_OF_STOCK", "IN_STOCK"}[stockOf(n, vi)],
					"translations": translations(map[string]words{"name": full}),
				})
			}
		}
	}
	c.arrange(w, at)
}

// stockOf spreads what is sold out; the first houses have everything.
func stockOf(n, variant int) int {
	if n <= 12 {
		return 0
	}
	return (n + variant*3) % 7
}

// vendureTime is how the catalog writes an instant.
const vendureTime = "2006-01-02T15:04:05.000Z"

var facetNames = map[string]words{
	"stay": {"en": "Stay", "de": "Aufenthalt"}, "wellness": {"en": "Wellness", "de": "Wohlfühlen"}, "dining": {"en": "Dining", "de": "Essen"}, "outdoors": {"en": "Outdoors", "de": "Draußen"},
	"transport": {"en": "Transport", "de": "Unterwegs"}, "everyone": {"en": "For everyone", "de": "Für alle"},
	"tier-silver": {"en": "Silver", "de": "Silber"}, "tier-gold": {"en": "Gold", "de": "Gold"}, "tier-platinum": {"en": "Platinum", "de": "Platin"},
}

// facetValue gives the id of a facet's value; the first time it is made.
func (c *catalog) facetValue(facet, code string, name words, at string) string {
	for _, v := range c.facets.all() {
		if text(v, "code") == code {
			return text(v, "id")
		}
	}
	id := strconv.Itoa(len(c.facets.all()) + 1)
	c.facets.add(id, record{"id": id, "facet": facet, "code": code, "name": name.in("en"), "createdAt": at, "updatedAt": at, "translations": translations(map[string]words{"name": name})})
	return id
}

// arrange makes the collections: offers, offers-gold, offers-hotelazul, offers-hotelazul-gold,
// everyone, everyone-hotelazul, and house-azul. A product stands in a collection when it has all its values.
func (c *catalog) arrange(w *world, at string) {
	byCode := map[string]string{}
	for _, v := range c.facets.all() {
		byCode[text(v, "code")] = text(v, "id")
	}
	put := func(slug string, name words, parent string, codes ...string) string {
		id := strconv.Itoa(len(c.collections.all()) + 2) // 1 is the root, which no list shows
		var ids []string
		for _, code := range codes {
			ids = append(ids, byCode[code])
		}
		c.collections.add(id, record{
			"id": id, "slug": slug, "name": name.in("en"), "description": "", "parentId": parent, "position": len(c.collections.all()), "createdAt": at, "updatedAt": at, "values": ids,
			"offers": strings.HasPrefix(slug, "offers"), "translations": translations(map[string]words{"name": name}),
		})
		return id
	}
	tiers := []string{"silver", "gold", "platinum"}
	offers := put("offers", words{"en": "Offers", "de": "Angebote"}, "1")
	everyone := put("everyone", words{"en": "For everyone", "de": "Für alle"}, "1", "everyone")
	for _, t := range tiers {
		put("offers-"+t, words{"en": "Offers for " + t, "de": "Angebote für " + facetNames["tier-"+t].in("de")}, offers, "tier-"+t)
	}
	for _, h := range w.hotels {
		put("house-"+h.ID, words{"en": h.Name}, "1", h.ID)
		put("everyone-"+h.tag(), words{"en": h.Name + ", for everyone", "de": h.Name + ", für alle"}, everyone, h.ID, "everyone")
		of := put("offers-"+h.tag(), words{"en": "Offers at " + h.Name, "de": "Angebote im " + h.Name}, offers, h.ID)
		for _, t := range tiers {
			put("offers-"+h.tag()+"-"+t, words{"en": "Offers at " + h.Name + " for " + t, "de": "Angebote im " + h.Name + " für " + facetNames["tier-"+t].in("de")}, of, h.ID, "tier-"+t)
		}
	}
}

// holds reports whether a product stands in a collection.
func (c *catalog) holds(collection, product record) bool {
	have, _ := product["values"].([]string)
	want, _ := collection["values"].([]string)
	for _, id := range want {
		if !slices.Contains(have, id) {
			return false
		}
	}
	if offers, _ := collection["offers"].(bool); offers {
		return slices.ContainsFunc(have, func(id string) bool { v, _ := c.facets.get(id); return text(v, "facet") == "tier" })
	}
	return true
}

func capital(s string) string {
	r := []rune(s)
	return strings.ToUpper(string(r[:1])) + string(r[1:])
}

func (c *catalog) counted(path string) bool { return path == "/shop-api" }

func (c *catalog) fail(w http.ResponseWriter, status int) {
	code := map[int]string{404: "ENTITY_NOT_FOUND", 410: "ENTITY_NOT_FOUND", 429: "TOO_MANY_REQUESTS", 500: "INTERNAL_SERVER_ERROR"}[status]
	if code == "" {
		code = strings.ToUpper(strings.ReplaceAll(http.StatusText(status), " ", "_"))
	}
	writeJSON(w, status, map[string]any{"errors": []any{map[string]any{"message": http.StatusText(status), "extensions": map[string]any{"code": code}}}})
}

// preview is the asset server: ?w=&h=&mode=crop|resize&format=jpg|png and the presets. Formats
// that cannot be encoded here come as JPEG.
func (c *catalog) preview(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	name := "products/" + strings.TrimSuffix(r.PathValue("name"), "__preview.jpg")
	width, _ := strconv.Atoi(q.Get("w"))
	height, _ := strconv.Atoi(q.Get("h"))
	mode := q.Get("mode")
	if p, ok := map[string][2]int{"tiny": {50, 50}, "thumb": {150, 150}, "small": {300, 300}, "medium": {500, 500}, "large": {800, 800}}[q.Get("preset")]; ok {
		width, height, mode = p[0], p[1], map[bool]string{true: "crop", false: "resize"}[p[0] < 300]
	}
	if width > 10000 || height > 10000 || width < 0 || height < 0 {
		http.Error(w, "<h1>Internal server error</h1>", http.StatusInternalServerError)
		return
	}
	t := transformation{width: width, height: height, crop: map[bool]string{true: "fill", false: "fit"}[mode == "crop" || mode == ""]}
	width, height = t.size(1600, 1067)
	format := q.Get("format")
	if format != "png" {
		format = "jpg"
	}
	c.pics.serve(w, r, name, min(width, 4000), min(height, 4000), format)
}

func (c *catalog) change(kind, id string, fields record) ([]byte, error) {
	t, event := c.products, "ProductEvent"
	switch kind {
	case "product":
	case "variant":
		t, event = c.variants, "ProductVariantEvent" // the product's updatedAt does not move
	default:
		return nil, noKind(kind, "product", "variant")
	}
	what := ".deleted"
	if fields != nil {
		what = ".updated"
		fields = with(fields, "updatedAt", c.now().UTC().Format(vendureTime))
		if p, ok := fields["priceWithTax"]; ok {
			n, err := strconv.Atoi(number(p))
			if err != nil {
				return nil, tutti.Errorf(tutti.InvalidValue, "changing a price: %v is no whole number of minor units", p)
			}
			fields["priceWithTax"] = n
		}
	}
	if _, _, ok := t.change(id, fields); !ok {
		return nil, notFound(kind, id)
	}
	return marshal(hookBody{Event: event + what, IDs: []string{id}, At: c.now().UTC().Format(vendureTime)})
}

func (c *catalog) sign(h http.Header, body []byte) { signHook(h, c.hookSecret, body, c.now()) }
