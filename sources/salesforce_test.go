package sources

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/internal/config"
)

// salesforce opens the connector over an organisation that the test plays.
func salesforce(t *testing.T, origin func(w http.ResponseWriter, r *http.Request, soql string)) *testHouse {
	t.Helper()
	return play(t, itemManifest, nil, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/services/oauth2/token" {
			fmt.Fprint(w, `{"access_token": "canary-token", "token_type": "Bearer", "instance_url": "https://elsewhere.example"}`)
			return
		}
		if r.Header.Get("Authorization") != "Bearer canary-token" {
			t.Errorf("%s comes with %q", r.URL, r.Header.Get("Authorization"))
		}
		origin(w, r, r.URL.Query().Get("q"))
	}, func(c *config.Source, _ *Deps) {
		c.Connector, c.Kinds = "salesforce", map[string]config.KindConfig{"ticket": {Access: tutti.AccessPublic}, "article": {Access: tutti.AccessPublic}}
		c.Secrets = map[string]tutti.Secret{"clientId": tutti.NewSecret("canary-id"), "clientSecret": tutti.NewSecret("canary-secret")}
	})
}

// TestNothingLeavesItsPlaceInSOQL: whatever a filter or a search says, it is one text of the query.
func TestNothingLeavesItsPlaceInSOQL(t *testing.T) {
	var asked string
	h := salesforce(t, func(w http.ResponseWriter, _ *http.Request, soql string) {
		asked = soql
		fmt.Fprint(w, `{"totalSize": 0, "done": true, "records": []}`)
	})
	for status, want := range map[string]string{
		"Working":                         `Status = 'Working'`,
		`O'Brien`:                         `Status = 'O\'Brien'`,
		`x' OR Id != null OR Status='`:    `Status = 'x\' OR Id != null OR Status=\''`,
		`back\`:                           `Status = 'back\\'`,
		`\' OR ContactId != null --`:      `Status = '\\\' OR ContactId != null --'`,
		"} LIMIT 50000 {":                 `Status = '} LIMIT 50000 {'`,
		"${secrets.clientSecret}":         `Status = '${secrets.clientSecret}'`,
		"über 'alles' \u2028 und mehr 日本": "Status = 'über \\'alles\\' \u2028 und mehr 日本'",
	} {
		asked = ""
		_, err := h.Select(t.Context(), tutti.Selection{Source: "shop", Kind: "ticket", Filter: map[string]any{"status": status}}, tutti.Scope{})
		if err != nil || !strings.Contains(asked, " AND "+want+" ORDER BY Id LIMIT 20") {
			t.Errorf("%q is asked as %s, %v", status, asked, err)
		}
	}
	if _, err := h.Select(t.Context(), tutti.Selection{Source: "shop", Kind: "ticket", Text: `50% off'; "late" OR Id`}, tutti.Scope{}); err != nil ||
		!strings.Contains(asked, "Subject LIKE '%50%' AND Subject LIKE '%off%' AND Subject LIKE '%late%' AND Subject LIKE '%or%' AND Subject LIKE '%id%' ORDER BY") {
		t.Errorf("a text is asked as %s, %v", asked, err)
	}
}

// TestChangedCasesAreReadPageByPage: nextRecordsUrl is a path of the organisation.
func TestChangedCasesAreReadPageByPage(t *testing.T) {
	var asked []string
	h := salesforce(t, func(w http.ResponseWriter, r *http.Request, soql string) {
		asked = append(asked, r.URL.Path+"|"+soql)
		if strings.HasSuffix(r.URL.Path, "-2000") {
			fmt.Fprint(w, `{"totalSize": 2, "done": true, "records": [{"Id": "5005g00000XhA1cAAF", "SystemModstamp": "2026-05-21T14:00:00.000+0000"}]}`)
			return
		}
		fmt.Fprint(w, `{"totalSize": 2, "done": false, "nextRecordsUrl": "/services/data/v64.0/query/01g5g00000AbCdE-2000", "records": [{"Id": "5005g00000XhA1bAAF", "SystemModstamp": "2026-05-20T14:00:00.000+0000"}]}`)
	})
	since := time.Date(2026, 5, 20, 12, 0, 0, 0, time.UTC)
	one, err := h.Changes(t.Context(), "shop", "ticket", PollFrom{Since: since})
	if err != nil || one.Next == "" {
		t.Fatalf("the first page is %+v, %v", one, err)
	}
	two, err := h.Changes(t.Context(), "shop", "ticket", PollFrom{Since: since, Page: one.Next})
	if err != nil || two.Next != "" || len(asked) != 2 || !strings.HasSuffix(asked[0], "SystemModstamp > 2026-05-20T12:00:00Z ORDER BY SystemModstamp") || asked[1] != "/services/data/v64.0/query/01g5g00000AbCdE-2000|" {
		t.Fatalf("it asked %v, %v", asked, err)
	}
	if one.Records[0].IDs[0] != "5005g00000XhA1bAAF" || two.Records[0].IDs[0] != "5005g00000XhA1cAAF" {
		t.Errorf("it tells of %+v and %+v", one, two)
	}
}
