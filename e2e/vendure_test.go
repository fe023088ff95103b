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
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/internal/config"
	"github.com/tuttihq/tutti/sources/sourcetest"
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
	res, err := impatient.Do(req)
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

// change changes a record in the shop; nil deletes it.
func (s *shop) change(ctx context.Context, record, id string, fields map[string]any) error {
	switch {
	case record == "variant" && fields == nil:
		return s.admin(ctx, `mutation($id: ID!) { deleteProductVariant(id: $id) { result } }`, map[string]any{"id": id}, nil)
	case record == "variant":
		return s.admin(ctx, `mutation($input: [UpdateProductVariantInput!]!) { updateProductVariants(input: $input) { id } }`,
			map[string]any{"input": []any{map[string]any{"id": id, "price": fields["price"]}}}, nil)
	case record == "product" && fields == nil:
		return s.admin(ctx, `mutation($id: ID!) { deleteProduct(id: $id) { result } }`, map[string]any{"id": id}, nil)
	case record == "product":
		return s.admin(ctx, `mutation($input: UpdateProductInput!) { updateProduct(input: $input) { id } }`,
			map[string]any{"input": map[string]any{"id": id, "translations": []any{map[string]any{"languageCode": "en", "name": fields["name"]}}}}, nil)
	}
	return fmt.Errorf("there is no record %s to change", record)
}

// TestRealVendureKeepsTheContract runs the contract suite against a real shop.
func TestRealVendureKeepsTheContract(t *testing.T) {
	hooks := startPosts(t)
	s := startShop(t, hooks.url)
	ids := make([]string, 54)
	for i := range ids {
		ids[i] = strconv.Itoa(i + 1)
	}
	suite(t, &sourcetest.System{
		Source: config.Source{Name: "catalog", Connector: "vendure", Webhook: config.Webhook{Secret: tutti.NewSecret(hookSecret)}},
		Kinds: map[string]sourcetest.Kind{
			"product": {
				Missing: "990001", Field: "price", Locale: "en", Record: "variant", Of: firstVariant, Change: map[string]any{"price": 1000},
				Reads: field("price"), Want: tutti.Money{Amount: "12.00", Currency: "USD"}, // 20 % of tax on it
			},
			"picture": {
				IDs: ids[20:], Missing: "990001", Field: "mediaType", Locale: "en", Record: "product", Change: map[string]any{"name": "Renamed"},
				Reads: field("alt"), Want: "Renamed",
			},
		},
		Change: s.change,
	}, s.url, hooks)
}

func field(name string) func(*tutti.Resource) any {
	return func(r *tutti.Resource) any { return r.Fields.Get(name) }
}

func firstVariant(r *tutti.Resource) string {
	var rec struct{ Variants []struct{ ID string } }
	_ = json.Unmarshal([]byte(r.Raw), &rec)
	return rec.Variants[0].ID
}

// TestRealVendure assembles an experience with the products of a real shop, through the same manifest
// as the demo, and follows what happens to it.
func TestRealVendure(t *testing.T) {
	listen := "127.0.0.1:" + freePort(t)
	s := startShop(t, "http://"+listen+"/webhooks/catalog")
	h := startHouse(t, house{
		listen: listen, env: []string{"SHOP_URL=" + s.url, "SHOP_HOOK_SECRET=" + hookSecret},
		files: map[string]string{"tutti.yaml": shelfConfig, "content/compositions/shelf.yaml": shelf},
	})
	x := h.experience(t, "shelf", nil)
	if len(x.Problems) > 0 {
		t.Fatalf("problems: %+v", x.Problems)
	}
	one, shelf := x.Components[0].Resource, x.Components[1].Resources.Nodes
	if one == nil || one.Price == nil || one.Title == "" {
		t.Fatalf("the product did not come: %+v", x)
	}
	if len(shelf) != 6 || shelf[0].Title == "" || shelf[0].Price == nil {
		t.Fatalf("the selection did not come: %+v", shelf)
	}

	var of struct {
		Product struct{ Variants []struct{ ID string } }
	}
	s.must(`{ product(id: "3") { variants { id } } }`, nil, &of)
	price := 51000 + 5*int(time.Now().Unix()%180) // with 20 % of tax it is a whole number of cents
	for _, v := range of.Product.Variants {
		if err := s.change(t.Context(), "variant", v.ID, map[string]any{"price": price}); err != nil {
			t.Fatal(err)
		}
	}
	within(t, 2*time.Second, "the new price is there", func() (string, bool) {
		p := h.experience(t, "shelf", nil).Components[0].Resource.Price
		return fmt.Sprint(p), *p == money{Amount: fmt.Sprintf("%d.%02d", price*12/10/100, price*12/10%100), Currency: "USD"}
	})
}
