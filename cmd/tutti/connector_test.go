package main

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/sources"
	"github.com/tuttihq/tutti/store/storetest"
)

func TestConnectorsAreListed(t *testing.T) {
	out, _ := succeed(t, "connectors", "--json")
	var all []connectorInfo
	if err := json.Unmarshal([]byte(out), &all); err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, i := range all {
		names = append(names, i.Name)
		if i.Family == "" || len(i.Kinds) == 0 || len(i.Capabilities) == 0 || i.Docs != "docs/connectors/"+i.Name+".md" || i.Proven == "" && i.Recording == "" {
			t.Errorf("%s is told as %+v", i.Name, i)
		}
	}
	if slices.Sort(names); !slices.Equal(names, sources.Vendors()) {
		t.Errorf("it lists %v", names)
	}
	out, _ = succeed(t, "connectors")
	for _, line := range []string{`(?m)^NAME +FAMILY +KINDS`, `(?m)^vendure +catalog +.*product +Vendure \d`, `(?m)^zendesk +support .*its documentation`} {
		if !regexp.MustCompile(line).MatchString(out) {
			t.Errorf("the table lacks %s:\n%s", line, out)
		}
	}
	t.Setenv("COLUMNS", "80")
	out, _ = succeed(t, "connectors")
	wants(t, "the list for a narrow terminal", out, "vendure (catalog)\n  kinds   collection, collectionPicture, picture, product\n  proven  Vendure 3.7.3\n  can     fetch many, ")
	if !fits([]byte(out), 120) {
		t.Errorf("it is too wide:\n%s", out)
	}
}

func TestANewConnectorRuns(t *testing.T) {
	t.Chdir(t.TempDir())
	for name, args := range map[string][]string{
		"acme": {"--from", "rest", "--url", "https://acme.example/v2", "--kind", "item", "--type", "Product", "--get", "/items/{id}", "--list", "/items", "--record", "items", "--field", "title=name", "--field", "brand=maker.name"},
		"shop": {"--from", "graphql", "--url", "https://shop.example", "--kind", "product", "--type", "Product", "--get", "product", "--field", "title=name", "--field", "maker=maker.name"},
	} {
		for _, auth := range []string{"none", "basic", "bearer", "header"} {
			file := name + "-" + auth + ".yaml"
			out, _ := succeed(t, slices.Concat([]string{"connector", "new", name, "--family", "catalog", "--auth", auth, "-o", file}, args)...)
			wants(t, "connector new", out, file+" is written", "tutti connector try ./"+file)
			m, err := sources.ReadManifest("./"+file, "")
			if err != nil {
				t.Errorf("%s: %v", file, err)
			} else if m.Name != name || len(m.Capabilities("")) == 0 && name == "shop" {
				t.Errorf("%s is %+v", file, m)
			}
		}
	}
	succeed(t, "connector", "new", "far", "--from", "graphql", "--url", "https://far.example/api/graphql")
	wants(t, "the manifest of a GraphQL system", read(t, "far.yaml"), "url: https://far.example\n", "path: /api/graphql\n")
	for what, args := range map[string][]string{
		"is there already": {"acme", "--get", "/i/{id}", "-o", "acme-none.yaml"}, "comes with Tutti": {"vendure"}, "no name": {"9"}, "where the id stands": {"other", "--get", "/items"},
		"no address": {"other", "--url", "acme"}, "“Thing” is none of Asset, ": {"other", "--type", "Thing", "--get", "/i/{id}"},
		"--url: holds credentials": {"other", "--url", "https://me:word@acme.example"}, "--field: “title=a b”": {"other", "--field", "title=a b"}, "--kind: “my kind”": {"other", "--kind", "my kind"}, "--from: “soap”": {"other", "--from", "soap"},
	} {
		if code, _, errs := call(t, append([]string{"connector", "new"}, args...)...); code != failed || !strings.Contains(errs, what) {
			t.Errorf("%v ends with %d: %s", args, code, errs)
		}
	}
}

func TestANewConnectorIsAskedFor(t *testing.T) {
	t.Chdir(t.TempDir())
	var out strings.Builder
	c := connectorNewCommand{in: strings.NewReader("plants\n\nhttps://plants.example\ncatalog\nplant\nProduct\nbearer\n/v1/plants/{id}\n\n")}
	if err := c.Run(t.Context(), &out, nil); err != nil {
		t.Fatal(err)
	}
	wants(t, "connector new", out.String(), "What should the connector be called?", "[rest]", "--secret token=PLANTS_TOKEN")
	wants(t, "the manifest", read(t, "plants.yaml"), "path: \"/v1/plants/${id}\"", "path: \"/plants\"", "${secrets.token}")
}

// wrongManifest cannot be right for what the recording of TestAConnectorIsTested has.
const wrongManifest = `name: acme
url: https://acme.example
kinds:
  item:
    type: Product
    id: {pattern: "[0-9]+"}
    get: {path: "/items/${id}"}
    map:
      title: record.name
      price: record.cost
`

const acmeRecording = `connector: acme
from: documentation
kinds:
  item: {ids: ["1"], missing: "9", field: title}
exchanges:
  - request: {path: /items/1}
    response: {json: {id: 1, name: Rose, cost: many}}
`

func TestAConnectorIsTested(t *testing.T) {
	t.Chdir(t.TempDir())
	write(t, "acme.yaml", wrongManifest)
	write(t, "acme.recording.yaml", acmeRecording)
	code, out, errs := call(t, "connector", "test", "./acme.yaml", "--recording", "./acme.recording.yaml")
	if code != failed {
		t.Errorf("it ends with %d", code)
	}
	wants(t, "the report", out, "item\n", "passed  fetch one", "failed  field types, see acme.yaml:10:7\n          the field price could not be read",
		"failed  not found, see acme.yaml:7:5", "acme.recording.yaml has no answer to GET /items/9; nearest is exchanges.0 (line 6), where the path is /items/1", "cannot  draft: the manifest asks for no drafts", " failed.")
	wants(t, "the end", errs, "promises are not kept")

	write(t, "acme.recording.yaml", strings.ReplaceAll(acmeRecording, "cost: many", "cost: {amount: 1, currency: EUR}")+"  - {request: {path: /items/9}, response: {status: 404}}\n")
	out, _ = succeed(t, "connector", "test", "./acme.yaml", "--recording", "./acme.recording.yaml", "--json")
	var results []map[string]any
	if err := json.Unmarshal([]byte(out), &results); err != nil || len(results) < 20 || results[0]["outcome"] != "passed" {
		t.Errorf("as JSON: %v, %s", err, out)
	}
	out, _ = succeed(t, "connector", "try", "./acme.yaml", "item/1", "--recording", "./acme.recording.yaml")
	wants(t, "try", out, "> GET https://acme.example/items/1", "< 200 OK", `title          "Rose"  (string, from /name)`, "(money, from /cost)")
	for what, args := range map[string][]string{
		"names no item": {"try", "./acme.yaml", "thing/1"}, "it does not match id.pattern, [0-9]+": {"try", "./acme.yaml", "item/x"}, "Ask for  item/1": {"try", "./acme.yaml", "item/7", "--recording", "./acme.recording.yaml"}, "does not have it": {"try", "./acme.yaml", "item/9", "--recording", "./acme.recording.yaml"}, "is missing": {"test"},
		"environment variable NOT_THERE": {"test", "./acme.yaml", "--secret", "key=NOT_THERE"}, "of the connector acme": {"test", "vendure", "--recording", "./acme.recording.yaml"},
	} {
		if code, _, errs := call(t, append([]string{"connector"}, args...)...); code == done || !strings.Contains(errs, what) {
			t.Errorf("%v ends with %d: %s", args, code, errs)
		}
	}
}

const libraryManifest = `name: library
protocol: sql
secrets: {url: {description: The address of the database.}}
url: ${secrets.url}
kinds:
  book:
    type: Record
    id: {pattern: "[0-9]{1,9}"}
    batch: {sql: "select id, title, pages from book where id = any($ids)", maxIds: 3}
    select: [{sql: "select * from book order by id limit $first offset $offset", paging: {type: offset}}]
    map:
      title: record.title
      pages: {value: record.pages, as: int}
`

// TestAConnectorOverADatabaseIsTested asks a real database, without a word about it in any config.
func TestAConnectorOverADatabaseIsTested(t *testing.T) {
	address := storetest.Postgres(t)
	storetest.Exec(t, address, `create table book (id int primary key, title text, pages int)`)
	storetest.Exec(t, address, `insert into book select n, 'Volume ' || n, nullif(100 * n, 300) from generate_series(1, 9) as n`)
	t.Chdir(t.TempDir())
	t.Setenv("LIBRARY_URL", address)
	write(t, "library.yaml", libraryManifest)
	flags := []string{"--secret", "url=LIBRARY_URL", "--allow-private", "localhost"}
	out, _ := succeed(t, append([]string{"connector", "test", "./library.yaml", "--id", "book/2", "--id", "book/3", "--id", "book/4"}, flags...)...)
	wants(t, "the report", out, "passed  fetch many", "passed  malformed ids\n", "passed  list to the end", "passed  wrong credentials", "passed  503", "wrong content type, 429 with Retry-After: databases do not answer so", "passed  check", ", 0 failed.")
	out, _ = succeed(t, append([]string{"connector", "try", "./library.yaml", "book/3"}, flags...)...)
	wants(t, "try", out, "> select id, title, pages from book where id = any($1)\n> $1 = {\"3\"}\n< [\n", `title          "Volume 3"  (string, from /title)`, "pages          – absent; read from /pages")
	if strings.Contains(out, address) {
		t.Errorf("it shows the address: %s", out)
	}
	for what, args := range map[string][]string{
		"does not have it":          append([]string{"try", "./library.yaml", "book/77"}, flags...),
		"allowPrivate does not":     {"try", "./library.yaml", "book/3", "--secret", "url=LIBRARY_URL"},
		"has the protocol sql":      append([]string{"record", "./library.yaml", "-o", "library.recording.yaml"}, flags...),
		"no address of the databas": {"try", "./library.yaml", "book/3"},
	} {
		if code, _, errs := call(t, append([]string{"connector"}, args...)...); code != failed || !strings.Contains(errs, what) {
			t.Errorf("%v ends with %d: %s", args, code, errs)
		}
	}
}

// TestRecordsHoldNoSecret records a played system, and plays it.
func TestRecordsHoldNoSecret(t *testing.T) {
	origins, dir := playDemo(t)
	config := filepath.Join(dir, "tutti.yaml")
	t.Chdir(t.TempDir())
	for source, connector := range map[string]string{"support": "zendesk", "dam": "cloudinary"} {
		succeed(t, "connector", "record", "--source", source, "--config", config, "--from", "the played system", "-o", source+".yaml")
		text := read(t, source+".yaml")
		for name, secret := range origins.Secrets(source) {
			if strings.Contains(text, secret) || strings.Contains(text, base64.StdEncoding.EncodeToString([]byte(secret))) {
				t.Errorf("the recording of %s holds the %s", source, name)
			}
		}
		if strings.Contains(text, "Authorization") || strings.Contains(text, "127.0.0.1") {
			t.Errorf("the recording of %s tells too much", source)
		}
		out, _ := succeed(t, "connector", "test", connector, "--recording", "./"+source+".yaml")
		wants(t, "the report", out, "passed  fetch many", "passed  wrong credentials", " 0 failed.")
	}
	ref := regexp.MustCompile(`(?m)^  ticket:\n    ids:\n      - "(\d+)"$`).FindStringSubmatch(read(t, "support.yaml"))
	if ref == nil {
		t.Fatal("the recording names no ticket")
	}
	out, _ := succeed(t, "connector", "try", "--source", "support", "--config", config, "ticket/"+ref[1])
	wants(t, "try", out, "> Authorization: Basic ***", "SupportTicket support:ticket/"+ref[1])
	for name, secret := range origins.Secrets("support") {
		if strings.Contains(out, secret) {
			t.Errorf("try tells the %s", name)
		}
	}
}

// TestTryShowsNoSecret asks a system that writes back, in every answer, all that it was sent.
func TestTryShowsNoSecret(t *testing.T) {
	const id, secret = "app-of-acme", "hunter+2/secret=="
	issued := "made-at-run-time"
	var api *httptest.Server
	api = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if r.URL.Path == "/token" {
			_ = json.NewEncoder(w).Encode(map[string]any{"access_token": issued, "token_type": "Bearer", "expires_in": 60})
			return
		}
		w.Header().Set("X-Key", secret)
		_ = json.NewEncoder(w).Encode(map[string]any{
			"id": 1, "title": "\x1b[31mred\x1b]0;mine\a and " + secret, "note": base64.StdEncoding.EncodeToString([]byte(id + ":" + secret)), "long": strings.Repeat("x", 90) + secret,
			"token": r.Header.Get("Authorization"), "next": api.URL + "/?key=" + url.QueryEscape(secret),
		})
	}))
	defer api.Close()
	t.Chdir(t.TempDir())
	t.Setenv("ACME_ID", id)
	t.Setenv("ACME_SECRET", secret)
	write(t, "acme.yaml", `name: acme
secrets: {id: {description: The id.}, secret: {description: The secret.}}
auth: {type: oauth2, tokenUrl: /token, clientId: "${secrets.id}", clientSecret: "${secrets.secret}", scope: read}
kinds:
  item:
    type: Record
    get: {path: "/items/${id}"}
    map: {title: record.title, note: record.note, long: record.long, token: record.token, next: record.next}
`)
	for _, more := range []string{"", "--whole"} {
		args := []string{"connector", "try", "./acme.yaml", "item/1", "--url", api.URL, "--secret", "id=ACME_ID", "--secret", "secret=ACME_SECRET"}
		if more != "" {
			args = append(args, more)
		}
		out, _ := succeed(t, args...)
		for _, no := range []string{"hunter", issued, "aHVudGVy", "h1bnRlc", "odW50ZXI", "\x1b", "\a", "%2Fsecret"} {
			if strings.Contains(out, no) {
				t.Errorf("it shows %q:\n%s", no, out)
			}
		}
		wants(t, "try", out, "grant_type=client_credentials&scope=read", `"access_token": "***"`, `title          "\u001b[31mred\u001b]0;mine\u0007 and ***"`, `token          "Bearer ***"`, "X-Key: ***")
	}
}

// TestWhatIsRecordedIsPlayed records a system whose lists tell ids alone, which is asked with a key in a header of its own, and
// whose manifest names an address that no recording has; then one that is gone.
func TestWhatIsRecordedIsPlayed(t *testing.T) {
	const secret = "key-of-acme-77"
	item := func(id string) map[string]string { return map[string]string{"id": id, "title": "Rose " + id} }
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Page-At", "2")
		q := r.URL.Query()
		var all []map[string]string
		switch {
		case r.Header.Get("X-Acme") != secret:
			w.WriteHeader(http.StatusUnauthorized)
		case r.URL.Path != "/v2/items":
			w.WriteHeader(http.StatusNotFound)
		case q.Has("ids"):
			for _, id := range strings.Split(q.Get("ids"), ",") {
				if id < "7" {
					all = append(all, item(id))
				}
			}
		case q.Get("at") == "":
			for _, id := range []string{"1", "2", "3", "4", "5"} {
				all = append(all, map[string]string{"id": id})
			}
		default:
			w.Header().Del("Page-At")
			all = append(all, map[string]string{"id": "6"})
		}
		_ = json.NewEncoder(w).Encode(all)
	}))
	defer api.Close()
	t.Chdir(t.TempDir())
	t.Setenv("ACME_KEY", secret)
	write(t, "acme.yaml", `name: acme
url: http://127.0.0.1:9
secrets: {key: {description: The key.}}
auth: {type: header, name: X-Acme, value: "${secrets.key}"}
kinds:
  item:
    type: Record
    id: {pattern: "[0-9]"}
    batch: {path: /items, query: {ids: {value: "${ids}", encode: csv}}, records: ., maxIds: 10}
    select:
      - {text: optional, path: /items, query: {q: "${text}", at: "${cursor}"}, sorts: {title: title}, records: ., ids: record.id, paging: {type: header, header: Page-At}}
    map: {title: record.title}
`)
	args := []string{"connector", "record", "./acme.yaml", "--url", api.URL + "/v2", "--secret", "key=ACME_KEY", "-o", "acme.recording.yaml"}
	succeed(t, args...)
	text := read(t, "acme.recording.yaml")
	wants(t, "the recording", text, "url: https://recorded.example/v2", `Page-At: "2"`, "when: wrong credentials", "- text: Rose")
	for _, no := range []string{"X-Acme", "127.0.0.1", "lfz-pg-bdnf-88"} { // the last is what each letter of the key leads to
		if strings.Contains(text, no) {
			t.Errorf("it holds %s:\n%s", no, text)
		}
	}
	out, _ := succeed(t, "connector", "test", "./acme.yaml", "--recording", "./acme.recording.yaml")
	wants(t, "the report", out, "passed  list to the end", "passed  selections", "passed  wrong credentials", " 0 failed.")

	out, _ = succeed(t, "connector", "try", "./acme.yaml", "item", "--first", "5", "--recording", "./acme.recording.yaml")
	wants(t, "the list", out, "> GET https://recorded.example/v2/items\n", "> GET https://recorded.example/v2/items?ids=1", "\n5 items, and more follow\n  acme:item/1  Rose 1\n", "Record acme:item/1\n  title          \"Rose 1\"")
	for what, more := range map[string][]string{"filter.shelf": {"--filter", "shelf=x"}, "sort:": {"--sort", "size"}, "has no answer to that": {"--text", "fern"}} {
		if code, _, errs := call(t, append([]string{"connector", "try", "./acme.yaml", "item", "--recording", "./acme.recording.yaml"}, more...)...); code != failed || !strings.Contains(errs, what) {
			t.Errorf("a list by %v ends with %d: %s", more, code, errs)
		}
	}

	api.Close()
	if code, _, errs := call(t, args...); code != failed || !strings.Contains(errs, "nothing is written") || read(t, "acme.recording.yaml") != text {
		t.Errorf("when the system is gone, it ends with %d: %s", code, errs)
	}
	write(t, "other.yaml", strings.Replace(text, "ids: 1,9990,2,3,4", "ids: \"1\"", 1))
	write(t, "acme.yaml", strings.Replace(read(t, "acme.yaml"), "auth: {type: header, name: X-Acme", "auth: {type: query, name: key", 1))
	_, out, _ = call(t, "connector", "test", "./acme.yaml", "--recording", "./other.yaml", "--secret", "key=ACME_KEY")
	if !strings.Contains(out, "key=***") || strings.Contains(out, secret) {
		t.Errorf("what a recording has no answer to is told as:\n%s", out)
	}
}

// TestAReportTellsOnce tests a connector whose list is not where the manifest says, and one whose items nobody knows.
func TestAReportTellsOnce(t *testing.T) {
	t.Chdir(t.TempDir())
	write(t, "acme.yaml", `name: acme
kinds:
  item:
    type: Record
    get: {path: "/items/${id}"}
    select:
      - {path: /items, records: data.list.node}
    map: {title: record.name}
  thing:
    type: Record
    get: {path: "/things/${id}"}
    map: {title: record.name}
`)
	write(t, "acme.recording.yaml", "connector: acme\nfrom: a test\nkinds: {}\nexchanges:\n  - {request: {path: /items}, response: {json: {data: {list: [{node: {id: 1}}]}}}}\n")
	code, out, _ := call(t, "connector", "test", "./acme.yaml", "--recording", "./acme.recording.yaml")
	const why = "there is no list at data.list.node: data.list is a list"
	if n := strings.Count(out, why); code != failed || n != 1 {
		t.Errorf("it ends with %d and tells %d times why:\n%s", code, n, out)
	}
	wants(t, "the report", out, "failed  fetch many, see acme.yaml:6:5\n          listing item: reading the answer: "+why, "cannot  fetch one, not found, ", ": what exists is not known: item could not be listed",
		"thing\n  cannot  fetch many, fetch one, ", "cannot be listed without more: say which exist (--id thing/ID")
}

// TestExamplesOfHelpAreRight reads the examples that the help of each command gives, and runs those that need no network.
func TestExamplesOfHelpAreRight(t *testing.T) {
	parser := func() *kong.Kong {
		p, err := kong.New(new(cli), kong.Name("tutti"), kong.Exit(func(int) {}))
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	examples := 0
	for _, leaf := range parser().Model.Leaves(false) {
		for line := range strings.Lines(leaf.Detail) {
			line, _, _ = strings.Cut(strings.TrimSpace(line), " | ")
			line, _, _ = strings.Cut(line, "  (") // what it is for
			rest, ok := strings.CutPrefix(line, "tutti ")
			if !ok {
				continue
			}
			examples++
			args := regexp.MustCompile(`"[^"]*"|'[^']*'|\S+`).FindAllString(rest, -1)
			for i := range args {
				args[i] = strings.Trim(args[i], `"'`)
			}
			if at := slices.Index(args, ">"); at >= 0 {
				args = args[:at]
			}
			if _, err := parser().Parse(args); err != nil && !strings.Contains(err.Error(), "no such file") {
				t.Errorf("%s: %v", line, err)
			}
			if i := slices.Index(args, "--recording"); i > 0 && tutti.IsName(args[i+1]) {
				succeed(t, args...)
			}
		}
	}
	if examples < 30 {
		t.Errorf("there are %d examples", examples)
	}
}

// TestARecordingPlaysInTheConfig reads items of a source that has a recording in place of an address.
func TestARecordingPlaysInTheConfig(t *testing.T) {
	dir := t.TempDir()
	config := func(more string) string {
		path := filepath.Join(dir, "tutti.yaml")
		write(t, path, "locales: {default: en, names: [en]}\nsources:\n  shop:\n    connector: ./acme.yaml\n    "+more+"\n    kinds: {item: {access: public}}\n")
		return path
	}
	write(t, filepath.Join(dir, "acme.yaml"), strings.ReplaceAll(wrongManifest, "url: https://acme.example\n", ""))
	write(t, filepath.Join(dir, "acme.recording.yaml"), acmeRecording)
	path := config("recording: ./acme.recording.yaml")
	succeed(t, "validate", "--config", path)
	out, _ := succeed(t, "sources", "check", "--config", path)
	wants(t, "a check", out, "shop: ok")
	code, out, _ := call(t, "connector", "try", "--source", "shop", "--config", path, "item/1")
	wants(t, "try", out, "> GET https://recorded.example/items/1", "Product shop:item/1", "price          cannot be read from /cost")
	if code != failed {
		t.Errorf("a field that cannot be read ends with %d", code)
	}
	code, out, _ = call(t, "connector", "test", "--source", "shop", "--config", path)
	if code != failed || !strings.Contains(out, "passed  fetch one") {
		t.Errorf("testing it ends with %d: %s", code, out)
	}
	for what, line := range map[string]string{"there is no recording": "recording: nothing", "is not there": "recording: ./nothing.yaml", "is of the connector zendesk": "recording: zendesk", "stands beside url": "recording: ./acme.recording.yaml\n    url: https://shop.example"} {
		if code, _, errs := call(t, "validate", "--config", config(line)); code != failed || !strings.Contains(errs, what) || !strings.Contains(errs, "sources.shop.recording") {
			t.Errorf("%s ends with %d: %s", line, code, errs)
		}
	}
}

// TestConnectorPagesAreTrue compares docs/connectors with what tutti connectors --docs writes, and opens
// every example.
func TestConnectorPagesAreTrue(t *testing.T) {
	pages, err := connectorPages()
	if err != nil {
		t.Fatal(err)
	}
	kept, _ := filepath.Glob(docs + "connectors/*.md")
	if len(kept) != len(pages) {
		t.Errorf("there are %d pages, want %d", len(kept), len(pages))
	}
	for name, want := range pages {
		if got, err := os.ReadFile(docs + "connectors/" + name); err != nil || string(got) != string(want) {
			t.Errorf("docs/connectors/%s is another (%v). Run: go run ./cmd/tutti connectors --docs docs/connectors", name, err)
		}
		for _, m := range regexp.MustCompile(`\]\(([^)#]+)`).FindAllStringSubmatch(string(want), -1) {
			if _, err := os.Stat(docs + "connectors/" + m[1]); err != nil && !strings.Contains(m[1], "://") {
				t.Errorf("%s leads to %s, which is not there", name, m[1])
			}
		}
	}
	for _, name := range sources.Vendors() {
		dir := t.TempDir()
		example := "locales: {default: en, names: [en]}\n" + blocks(t, docs+"connectors/"+name+".md", "yaml")[0]
		write(t, filepath.Join(dir, "tutti.yaml"), example)
		for _, m := range regexp.MustCompile(`\$\{([A-Z0-9_]+)\}`).FindAllStringSubmatch(example, -1) {
			value := strings.Repeat("x", 32)
			if strings.HasSuffix(m[1], "_URL") {
				value = "postgres://reader:password@db.example/content?sslmode=verify-full"
			}
			t.Setenv(m[1], value)
		}
		if code, _, errs := call(t, "validate", "--config", filepath.Join(dir, "tutti.yaml")); code != done {
			t.Errorf("the example of %s: %s\n%s", name, errs, example)
		}
	}
}
