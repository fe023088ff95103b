//go:build e2e

package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tuttihq/tutti/internal/config"
)

const hookSecret = "a-secret-that-only-this-test-knows"

// shop is a running Vendure with its own sample products: 54 products, of 88 variants.
type shop struct {
	*realSystem
	token string // of its administrator
}

// startShop starts a shop that posts its events to hook.
func startShop(t *testing.T, hook string) *shop {
	t.Helper()
	dir, port := cacheFolder(t, "vendure"), freePort(t)
	data := copied(t, dir+"/data")
	s := &shop{realSystem: startReal(t, &realSystem{
		name: "Vendure", url: "http://127.0.0.1:" + port, ready: "http://127.0.0.1:" + port + "/health",
		command: func() *exec.Cmd {
			cmd := exec.Command("node", "serve.js")
			cmd.Dir = dir
			cmd.Env = append(os.Environ(), "PORT="+port, "DATA="+data, "HOOK_URL="+hook, "HOOK_SECRET="+hookSecret)
			return cmd
		},
	})}
	s.token = adminToken(t, s.url)
	return s
}

func adminToken(t *testing.T, shop string) string {
	t.Helper()
	body := `{"query":"mutation { login(username: \"superadmin\", password: \"superadmin\") { __typename } }"}`
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, shop+"/admin-api", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	token := res.Header.Get("vendure-auth-token")
	if token == "" {
		b, _ := io.ReadAll(res.Body)
		t.Fatalf("no token from the shop: %s", b)
	}
	return token
}

// admin does an operation of the admin API.
func (s *shop) admin(ctx context.Context, document string, variables map[string]any, v any) error {
	var answer struct {
		Data   json.RawMessage
		Errors json.RawMessage
	}
	err := tryCall(ctx, http.MethodPost, s.url+"/admin-api", map[string]string{"Authorization": "Bearer " + s.token}, map[string]any{"query": document, "variables": variables}, &answer)
	switch {
	case err != nil:
		return err
	case len(answer.Errors) > 0:
		return fmt.Errorf("the admin API answers: %s", answer.Errors)
	case v == nil:
		return nil
	}
	return json.Unmarshal(answer.Data, v)
}

// must is admin for what must work.
func (s *shop) must(document string, variables map[string]any, v any) {
	s.t.Helper()
	if err := s.admin(s.t.Context(), document, variables, v); err != nil {
		s.t.Fatal(err)
	}
}

// speaksGerman adds German to the shop's channel, with a name for the product 1 and the collection 7.
func (s *shop) speaksGerman() {
	s.t.Helper()
	s.must(`mutation { updateGlobalSettings(input: {availableLanguages: [en, de]}) { __typename ... on ErrorResult { message } } }`, nil, nil)
	s.must(`mutation { updateChannel(input: {id: "1", availableLanguageCodes: [en, de]}) { __typename ... on ErrorResult { message } } }`, nil, nil)
	s.must(`mutation { updateProduct(input: {id: "1", translations: [{languageCode: de, name: "Klapprechner", slug: "klapprechner", description: "Ein Rechner zum Zuklappen"}]}) { id } }`, nil, nil)
	s.must(`mutation { updateCollection(input: {id: "7", translations: [{languageCode: de, name: "Pflanzen", slug: "pflanzen", description: ""}]}) { id } }`, nil, nil)
}

// TestRealVendureKeepsTheContract asks a real shop what make test asks its recording.
func TestRealVendureKeepsTheContract(t *testing.T) {
	s := startShop(t, "")
	s.speaksGerman()
	keepsContract(t, config.Source{Name: "catalog", Connector: "vendure", URL: s.url})
}

// TestRealVendure assembles an experience with the products of a real shop and follows what happens to it.
func TestRealVendure(t *testing.T) {
	listen := "127.0.0.1:" + freePort(t)
	s := startShop(t, "http://"+listen+"/webhooks/catalog")
	s.speaksGerman()
	s.must(`mutation { updateAsset(input: {id: "1", focalPoint: {x: 0.2, y: 0.7}}) { id } }`, nil, nil)
	h := startHouse(t, house{
		listen: listen, env: []string{"SHOP_URL=" + s.url, "SHOP_HOOK_SECRET=" + hookSecret, "SHOP_CHANNEL="},
		files: map[string]string{"tutti.yaml": shelfConfig, "content/compositions/shelf.yaml": shelf},
	})
	first := func(x realPage) *item { return x.Components[0].Resource }

	x := h.experience(t, "shelf", nil)
	laptop := first(x)
	t.Run("unknown ids among many", func(t *testing.T) {
		if laptop == nil || laptop.Title != "Laptop" || laptop.Price == nil || laptop.Image == nil || len(laptop.Tags) == 0 {
			t.Fatalf("the product did not come whole: %+v, %+v", laptop, x.Problems)
		}
		if few := x.Components[1].Resources.Nodes; len(few) != 3 || few[2].Fields["slug"] != "plants" {
			t.Errorf("what is there did not come: %+v", few)
		}
		if len(x.Problems) != 1 || x.Problems[0].Code != "NOT_FOUND" || x.Problems[0].Ref != "catalog:product/990001" {
			t.Errorf("the problems are %+v", x.Problems)
		}
	})
	t.Run("selections and search to the end", func(t *testing.T) {
		var dearest struct { // a shop sorts a product by the price of one of its variants, and does not say of which
			Search struct {
				TotalItems int
				Items      []struct{ ProductID string }
			}
		}
		ask(t, s.url+"/shop-api", "", `{ search(input: {collectionSlug: "computers", groupByProduct: true, sort: {price: DESC}, take: 4}) { totalItems items { productId } } }`, nil, &dearest)
		shown := x.Components[2].Resources
		if len(shown.Nodes) < 2 || shown.TotalCount == nil || *shown.TotalCount != dearest.Search.TotalItems || !slices.EqualFunc(shown.Nodes, dearest.Search.Items, func(n *item, own struct{ ProductID string }) bool { return n.Ref == "catalog:product/"+own.ProductID }) {
			t.Errorf("the dearest of a collection are %+v, and in the shop %+v", shown, dearest)
		}
		refs, total := h.all(t, "catalog", "product", "", 20)
		if distinct(refs) != 54 || total != 54 || len(refs) != 54 {
			t.Errorf("there are %d products, %d distinct, of %d", len(refs), distinct(refs), total)
		}
		refs, total = h.all(t, "catalog", "product", "camera", 3)
		if distinct(refs) < 5 || total != len(refs) || distinct(refs) != total {
			t.Errorf("“camera” is found %d times of %d: %v", len(refs), total, refs)
		}
		if refs, total = h.all(t, "catalog", "collection", "", 4); distinct(refs) != 9 || total != 9 {
			t.Errorf("there are %d collections of %d", distinct(refs), total)
		}
	})
	t.Run("renditions", func(t *testing.T) {
		p := laptop.Image
		if p.MediaType != "image/jpeg" || p.Width != 1600 || p.Focal == nil || p.Focal.X != 0.2 || p.Alt != "Laptop" {
			t.Errorf("the picture is %+v", p)
		}
		if width, height, kind := picture(t, p.URL); width != 320 || height != 240 || kind != "image/jpeg" {
			t.Errorf("%s is a %d × %d %s", p.URL, width, height, kind)
		}
		if width, height, _ := picture(t, p.Crop); width != 320 || height != 180 || !strings.Contains(p.Crop, "fpx=0.2&fpy=0.7") {
			t.Errorf("%s is %d × %d", p.Crop, width, height)
		}
	})
	t.Run("the price of a variant by webhook", func(t *testing.T) {
		var before, after struct {
			Product struct {
				UpdatedAt string
				Variants  []struct{ ID string }
			}
		}
		s.must(`{ product(id: "1") { updatedAt variants { id } } }`, nil, &before)
		price := 1000 + 5*int(time.Now().Unix()%180) // with 20 % of tax it is a whole number of cents
		var all []any
		for _, v := range before.Product.Variants {
			all = append(all, map[string]any{"id": v.ID, "price": price})
		}
		s.must(`mutation($all: [UpdateProductVariantInput!]!) { updateProductVariants(input: $all) { id } }`, map[string]any{"all": all}, nil)
		within(t, 10*time.Second, "the new price is there", func() (string, bool) {
			p := first(h.experience(t, "shelf", nil)).Price
			return fmt.Sprint(p), cents(p) == price*12/10 && p.Currency == "USD"
		})
		within(t, 15*time.Second, "the list by price has the new order, though the search index lags behind", func() (string, bool) {
			list := h.experience(t, "shelf", nil).Components[2].Resources.Nodes
			return refsOf(list), !slices.ContainsFunc(list, func(i *item) bool { return i.Ref == "catalog:product/1" })
		})
		s.must(`{ product(id: "1") { updatedAt variants { id } } }`, nil, &after)
		if after.Product.UpdatedAt != before.Product.UpdatedAt {
			t.Errorf("Vendure now tells at the product that a variant changed: the manifest may say so")
		}
	})
	t.Run("a name by webhook, in two languages", func(t *testing.T) {
		if got := first(h.experience(t, "shelf", map[string]any{"l": "de"})); got.Title != "Klapprechner" || got.Locale != "de" {
			t.Errorf("in German comes %+v", got)
		}
		if got := x.Components[1].Resources.Nodes[0]; got.Locale != "en" {
			t.Errorf("what has no German comes %+v", got)
		}
		s.must(`mutation { updateProduct(input: {id: "1", translations: [{languageCode: de, name: "Mappe"}]}) { id } }`, nil, nil)
		s.must(`mutation { updateCollection(input: {id: "7", translations: [{languageCode: en, name: "Green things"}]}) { id } }`, nil, nil)
		within(t, 10*time.Second, "the new names are there", func() (string, bool) {
			german, english := first(h.experience(t, "shelf", map[string]any{"l": "de"})), h.experience(t, "shelf", nil)
			got := []string{german.Title, first(english).Title, english.Components[1].Resources.Nodes[2].Title}
			return fmt.Sprint(got), slices.Equal(got, []string{"Mappe", "Laptop", "Green things"})
		})
	})
	t.Run("a slug", func(t *testing.T) {
		by := func(slug string) string {
			var got struct{ Resource *item }
			ask(t, h.url, h.management, `query($ref: Ref!) { resource(ref: $ref) { ref } }`, map[string]any{"ref": "catalog:product/" + slug}, &got)
			if got.Resource == nil {
				return ""
			}
			return got.Resource.Ref
		}
		if laptop, german := by("laptop"), by("klapprechner"); laptop != "catalog:product/1" || german != laptop {
			t.Errorf("the slugs lead to %q and %q", laptop, german)
		}
		s.must(`mutation { updateProduct(input: {id: "1", translations: [{languageCode: en, slug: "notebook"}]}) { id } }`, nil, nil)
		within(t, 10*time.Second, "the new slug leads there, the old one nowhere", func() (string, bool) {
			got := []string{by("notebook"), by("laptop")}
			return fmt.Sprint(got), slices.Equal(got, []string{"catalog:product/1", ""})
		})
	})
	t.Run("disabled", func(t *testing.T) {
		s.must(`mutation { updateProduct(input: {id: "1", enabled: false}) { id } }`, nil, nil)
		within(t, 10*time.Second, "what is disabled is gone", func() (string, bool) {
			got := first(h.experience(t, "shelf", nil))
			return fmt.Sprint(got), got == nil
		})
		s.must(`mutation { updateProduct(input: {id: "1", enabled: true}) { id } }`, nil, nil)
		within(t, 10*time.Second, "what is enabled again is there", func() (string, bool) {
			got := first(h.experience(t, "shelf", nil))
			return fmt.Sprint(got), got != nil
		})
		s.must(`mutation { updateProductVariants(input: [{id: "1", enabled: false}, {id: "2", enabled: false}, {id: "3", enabled: false}, {id: "4", enabled: false}]) { id } }`, nil, nil)
		within(t, 10*time.Second, "without a variant to sell, it is there without a price", func() (string, bool) {
			got := first(h.experience(t, "shelf", nil))
			return fmt.Sprint(got), got != nil && got.Price == nil && got.Title == "Laptop"
		})
	})
	t.Run("a currency that the channel does not have", func(t *testing.T) {
		var got struct{ Resource *item }
		ask(t, h.url, h.management, `query($c: ContextInput) { resource(ref: "catalog:product/3", context: $c) { ref title ... on Product { price { amount currency } } } }`, map[string]any{"c": map[string]any{"market": "eu"}}, &got)
		if got.Resource == nil || got.Resource.Price == nil || got.Resource.Price.Currency != "USD" {
			t.Errorf("in a market with euros comes %+v", got.Resource)
		}
	})
	t.Run("wrong credentials", func(t *testing.T) {
		// A shop with one channel alone takes every token for that one's.
		s.must(`mutation { createChannel(input: {code: "second", token: "token-of-the-second", defaultLanguageCode: en, pricesIncludeTax: true, defaultCurrencyCode: USD, defaultTaxZoneId: "1", defaultShippingZoneId: "1"}) { __typename } }`, nil, nil)
		wrong := startHouse(t, house{
			env:   []string{"SHOP_URL=" + s.url, "SHOP_HOOK_SECRET=" + hookSecret, "SHOP_CHANNEL=token-of-none"},
			files: map[string]string{"tutti.yaml": shelfConfig, "content/compositions/shelf.yaml": shelf},
		})
		x := wrong.experience(t, "shelf", nil)
		for _, p := range x.Problems {
			if p.Code != "BAD_ANSWER" {
				t.Errorf("with the token of no channel, a problem is %+v", p)
			}
		}
		if first(x) != nil || len(x.Problems) == 0 {
			t.Errorf("with the token of no channel comes %+v", x)
		}
		if state, code := wrong.health(t, "catalog"); state != "DEGRADED" || code != "BAD_ANSWER" {
			t.Errorf("health says %s, %s", state, code)
		}
	})
	t.Run("killed and started again", func(t *testing.T) {
		s.kill()
		h.invalidate(t, "catalog")
		x := h.experience(t, "shelf", map[string]any{"p": map[string]any{"another": "3"}})
		if got := first(x); got == nil || got.Freshness.State != "STALE_ERROR" || len(x.Components[2].Resources.Nodes) != 4 {
			t.Errorf("while the shop is down, what is kept comes as %+v", got)
		}
		if !x.tellsOfOutage() || x.Components[3].Resource != nil {
			t.Errorf("while the shop is down, the problems are %+v", x.Problems)
		}
		t.Logf("started again in %s", s.start().Round(time.Millisecond))
		within(t, 5*time.Second, "started again, everything is fresh", func() (string, bool) {
			x := h.experience(t, "shelf", map[string]any{"p": map[string]any{"another": "3"}})
			state := states(x)
			return fmt.Sprint(state, x.Problems), len(state) == 1 && state["FRESH"] == 9
		})
	})
}

func refsOf(items []*item) string {
	refs := make([]string, len(items))
	for i := range items {
		refs[i] = items[i].Ref
	}
	return strings.Join(refs, " ")
}

func cents(m *money) (n int) {
	n, _ = strconv.Atoi(strings.Replace(m.Amount, ".", "", 1))
	return n
}
