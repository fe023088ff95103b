package demo

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/tuttihq/tutti"
)

type posted struct {
	header http.Header
	body   string
}

// listen takes webhooks and answers with a status.
func listen(t *testing.T, status int) (string, <-chan posted) {
	t.Helper()
	got := make(chan posted, 10)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		got <- posted{r.Header, string(b)}
		w.WriteHeader(status)
	}))
	t.Cleanup(s.Close)
	return s.URL, got
}

func mac(secret, message string) []byte {
	m := hmac.New(sha256.New, []byte(secret))
	m.Write([]byte(message))
	return m.Sum(nil)
}

// verified checks a webhook as each vendor's documentation tells to.
var verified = map[string]func(p posted, s map[string]string) bool{
	"dam": func(p posted, s map[string]string) bool {
		sum := sha256.Sum256([]byte(p.body + p.header.Get("X-Cld-Timestamp") + s["api_secret"]))
		return p.header.Get("X-Cld-Signature") == hex.EncodeToString(sum[:])
	},
	"catalog": generic, "stay": generic,
	"social": func(p posted, s map[string]string) bool {
		return p.header.Get("X-Hub-Signature") == "sha256="+hex.EncodeToString(mac(s["webhook_secret"], p.body))
	},
	"support": func(p posted, s map[string]string) bool {
		want := base64.StdEncoding.EncodeToString(mac(s["webhook_secret"], p.header.Get("X-Zendesk-Webhook-Signature-Timestamp")+p.body))
		return p.header.Get("X-Zendesk-Webhook-Signature") == want && p.header.Get("X-Zendesk-Webhook-Invocation-Id") != ""
	},
}

func generic(p posted, s map[string]string) bool {
	return p.header.Get("X-Hook-Signature") == "sha256="+hex.EncodeToString(mac(s["webhook_secret"], p.header.Get("X-Hook-Timestamp")+"."+p.body))
}

func TestChangesAreToldWithTheVendorsSignature(t *testing.T) {
	o := start(t)
	azul := assetID("hotels/azul")
	for _, c := range []struct {
		origin, kind, id string
		fields           map[string]any
		tells            []string
		method, path     string
		ask, then        string
	}{
		{"dam", "asset", azul, map[string]any{"display_name": "New"}, []string{`"resource_display_name_changed"`, `"asset_id":"` + azul + `"`}, "GET", "/v1_1/demo/resources/" + azul, "", `"display_name":"New"`},
		{"dam", "asset", azul, map[string]any{"context": map[string]any{"custom": map[string]any{"alt": "Other"}}}, []string{`"resource_context_changed"`}, "GET", "/v1_1/demo/resources/" + azul, "", `"alt":"Other"`},
		{"dam", "asset", azul, nil, []string{`"delete"`}, "GET", "/v1_1/demo/resources/" + azul, "", "Resource not found"},
		{"catalog", "variant", "1", map[string]any{"priceWithTax": 990}, []string{`"event":"ProductVariantEvent.updated"`, `"ids":["1"]`}, "POST", "/shop-api", `{"query":"{product(id:\"1\"){variants{priceWithTax}}}"}`, `"priceWithTax":990`},
		{"catalog", "product", "2", map[string]any{"name": "Peace"}, []string{`"event":"ProductEvent.updated"`}, "POST", "/shop-api", `{"query":"{product(id:\"2\"){name}}"}`, `"name":"Peace"`},
		{"catalog", "product", "3", nil, []string{`"event":"ProductEvent.deleted"`}, "POST", "/shop-api", `{"query":"{product(id:\"3\"){name}}"}`, `"product":null`},
		{"social", "post", "115300000000000000", map[string]any{"content": "<p>Edited</p>"}, []string{`"event":"status.updated"`, `"id":"115300000000000000"`}, "GET", "/api/v1/statuses/115300000000000000", "", "<p>Edited</p>"},
		{"support", "ticket", "71400", map[string]any{"status": "solved"}, []string{`"zen:event-type:ticket.status_changed"`, `"zen:ticket:71400"`, `"previous":"open"`}, "GET", "/api/v2/tickets/71400", "", `"status":"solved"`},
		{"support", "article", "360001000", map[string]any{"translations": map[string]any{"de": map[string]any{"title": "Neu"}}}, []string{`"zen:article:360001000"`}, "GET", "/api/v2/help_center/de/articles/360001000", "", `"title":"Neu"`},
		{"stay", "reservation", "R-1007", map[string]any{"room": "501"}, []string{`"event":"reservation.updated"`, `"ids":["R-1007"]`}, "GET", "/v1/reservations?ids=R-1007", "", `"room":"501"`},
	} {
		t.Run(c.origin+" "+c.kind, func(t *testing.T) {
			url, got := listen(t, http.StatusAccepted)
			o.SetHook(c.origin, url)
			if err := o.Change(t.Context(), c.origin, c.kind, c.id, c.fields); err != nil {
				t.Fatal(err)
			}
			p := <-got
			if !verified[c.origin](p, o.Secrets(c.origin)) {
				t.Errorf("the signature is wrong: %v %s", p.header, p.body)
			}
			for _, s := range c.tells {
				if !strings.Contains(p.body, s) {
					t.Errorf("%s is not in %s", s, p.body)
				}
			}
			if _, _, b := call(t, o, c.origin, c.method, c.path, c.ask); !strings.Contains(string(b), c.then) {
				t.Errorf("%s is not in %.300s", c.then, b)
			}
		})
	}
}

func TestAPriceChangeDoesNotMoveTheProduct(t *testing.T) {
	o := start(t)
	ask := func() string {
		_, _, b := call(t, o, "catalog", "POST", "/shop-api", `{"query":"{product(id:\"1\"){updatedAt}}"}`)
		return string(b)
	}
	before := ask()
	if err := o.Change(t.Context(), "catalog", "variant", "1", map[string]any{"priceWithTax": 1}); err != nil {
		t.Fatal(err)
	}
	if after := ask(); after != before {
		t.Errorf("%s became %s", before, after)
	}
}

func TestChangingTellsWhatWentWrong(t *testing.T) {
	o := start(t)
	url, _ := listen(t, http.StatusUnauthorized)
	o.SetHook("stay", url)
	for _, c := range []struct {
		origin, kind, id string
		code             tutti.Code
	}{
		{"nobody", "hotel", "azul", tutti.UnknownSource},
		{"stay", "hotel", "nowhere", tutti.NotFound},
		{"stay", "ship", "azul", tutti.InvalidValue},
		{"stay", "hotel", "azul", tutti.Unavailable},
	} {
		if err := o.Change(t.Context(), c.origin, c.kind, c.id, map[string]any{"phone": "1"}); !errors.Is(err, c.code) {
			t.Errorf("%s %s %s: %v, not %s", c.origin, c.kind, c.id, err, c.code)
		}
	}
}
