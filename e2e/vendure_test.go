//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

const hookSecret = "a-secret-that-only-this-test-knows"

// TestRealVendure assembles an experience with the products of a real Vendure shop, through the
// same manifest as the demo, changes a price in its admin API, and sees the new price within two
// seconds of the signed hook.
func TestRealVendure(t *testing.T) {
	shopPort, apiPort := freePort(t), freePort(t)
	shop := "http://127.0.0.1:" + shopPort
	api := "http://127.0.0.1:" + apiPort
	startShop(t, shopPort, api+"/webhooks/catalog")
	key := startServer(t, shop, "127.0.0.1:"+apiPort)

	const page = `query($channel: ID!) { experience(composition: "shelf", channel: $channel) {
		problems { path code message }
		components { component resource(prop: "product") { ref title ... on Product { price { amount currency } image { ... on Asset { url(width: 320) } } } }
			resources(prop: "items") { nodes { ref title ... on Product { price { amount currency } } } } } } }`
	type money struct{ Amount, Currency string }
	type product struct {
		Ref, Title string
		Price      *money
	}
	type experience struct {
		Experience struct {
			Problems   []struct{ Path, Code, Message string }
			Components []struct {
				Component string
				Resource  *product
				Resources *struct{ Nodes []product }
			}
		}
	}
	look := func() experience {
		var x experience
		ask(t, api+"/graphql", key, page, map[string]any{"channel": "web"}, &x)
		return x
	}
	x := look()
	if len(x.Experience.Problems) > 0 {
		t.Fatalf("problems: %+v", x.Experience.Problems)
	}
	var one *product
	var shelf []product
	for _, c := range x.Experience.Components {
		if c.Resource != nil {
			one = c.Resource
		}
		if c.Resources != nil {
			shelf = c.Resources.Nodes
		}
	}
	if one == nil || one.Price == nil || one.Title == "" {
		t.Fatalf("the product did not come: %+v", x)
	}
	if len(shelf) != 6 || shelf[0].Title == "" || shelf[0].Price == nil {
		t.Fatalf("the selection did not come: %+v", shelf)
	}

	token := adminToken(t, shop)
	var variants struct {
		Product struct{ Variants []struct{ ID string } }
	}
	ask(t, shop+"/admin-api", token, `{ product(id: "3") { variants { id } } }`, nil, &variants)
	price := 51000 + int(time.Now().Unix()%900)
	for _, v := range variants.Product.Variants {
		ask(t, shop+"/admin-api", token, `mutation($input: [UpdateProductVariantInput!]!) { updateProductVariants(input: $input) { id priceWithTax } }`,
			map[string]any{"input": []any{map[string]any{"id": v.ID, "price": price}}}, nil)
	}
	changed := time.Now()
	var want struct {
		Product struct{ Variants []struct{ PriceWithTax int } }
	}
	ask(t, shop+"/shop-api", "", `{ product(id: "3") { variants { priceWithTax } } }`, nil, &want)
	low := want.Product.Variants[0].PriceWithTax
	for _, v := range want.Product.Variants {
		low = min(low, v.PriceWithTax)
	}
	wanted := fmt.Sprintf("%d.%02d", low/100, low%100)
	for {
		got := ""
		for _, c := range look().Experience.Components {
			if c.Resource != nil && c.Resource.Price != nil {
				got = c.Resource.Price.Amount
			}
		}
		if got == wanted {
			t.Logf("the new price was there %s after the change", time.Since(changed).Round(time.Millisecond))
			return
		}
		if time.Since(changed) > 2*time.Second {
			t.Fatalf("two seconds after the change the price is still %s, not %s", got, wanted)
		}
	}
}

func startShop(t *testing.T, port, hook string) {
	t.Helper()
	dir := cacheFolder(t, "vendure")
	data := t.TempDir()
	if out, err := exec.CommandContext(t.Context(), "cp", "-r", filepath.Join(dir, "data")+"/.", data).CombinedOutput(); err != nil {
		t.Fatalf("copying the shop's data: %s", out)
	}
	cmd := exec.Command("node", "serve.js")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "PORT="+port, "VENDURE_DATA="+data, "HOOK_URL="+hook, "HOOK_SECRET="+hookSecret)
	line := run(t, cmd)
	for string(line()) != "ready" {
	}
}

// startServer runs `tutti serve` with a config whose catalog is the real shop, publishes the
// composition, and gives a server key.
func startServer(t *testing.T, shop, listen string) string {
	t.Helper()
	dir := t.TempDir()
	write := func(name, content string) {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("tutti.yaml", shelfConfig)
	write("compositions/shelf.yaml", shelf)
	env := append(os.Environ(), "SHOP_URL="+shop, "SHOP_HOOK_SECRET="+hookSecret, "TUTTI_DATABASE_URL=sqlite:"+filepath.Join(dir, "tutti.db"))
	tutti := func(args ...string) string {
		cmd := exec.CommandContext(t.Context(), binary(t), args...)
		cmd.Dir, cmd.Env = dir, env
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("tutti %v: %v\n%s", args, err, out)
		}
		return string(out)
	}
	tutti("validate", "--config", "tutti.yaml", ".")
	management, server := keyIn(t, tutti("keys", "create", "deploy", "--class", "management")), keyIn(t, tutti("keys", "create", "app", "--class", "server"))

	cmd := exec.Command(binary(t), "serve", "--config", "tutti.yaml", "--listen", listen)
	cmd.Dir, cmd.Env = dir, env
	run(t, cmd)()
	await(t, "http://"+listen+"/readyz")
	env = append(env, "TUTTI_MANAGEMENT_KEY="+management)
	tutti("apply", "--url", "http://"+listen+"/graphql", "--dir", ".", "--publish")
	return server
}

func adminToken(t *testing.T, shop string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	body := `{"query":"mutation { login(username: \"superadmin\", password: \"superadmin\") { __typename } }"}`
	req, _ := http.NewRequestWithContext(ctx, http.MethodPost, shop+"/admin-api", newReader(body))
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

func await(t *testing.T, url string) {
	t.Helper()
	for deadline := time.Now().Add(15 * time.Second); time.Now().Before(deadline); {
		if res, err := http.Get(url); err == nil {
			res.Body.Close()
			if res.StatusCode == http.StatusOK {
				return
			}
		}
	}
	t.Fatalf("%s was not ready within 15 s", url)
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
}
