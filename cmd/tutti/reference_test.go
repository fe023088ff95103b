package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"io/fs"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/demo"
)

// textsIn gives all texts of a YAML or JSON value that are long enough to stand nowhere by chance.
func textsIn(v any) []string {
	switch v := v.(type) {
	case string:
		if len(v) >= 14 && strings.Contains(v, " ") {
			return []string{strings.TrimSpace(v)}
		}
	case []any:
		var all []string
		for _, e := range v {
			all = append(all, textsIn(e)...)
		}
		return all
	case map[string]any:
		var all []string
		for _, e := range v {
			all = append(all, textsIn(e)...)
		}
		return all
	}
	return nil
}

// contentOfOrigins gives the words of the played systems that no file of the demo holds.
func contentOfOrigins(t *testing.T) []string {
	t.Helper()
	var own strings.Builder
	err := fs.WalkDir(demo.Files(), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := fs.ReadFile(demo.Files(), path)
		own.Write(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("../../demo/data/*.yaml")
	if err != nil || len(files) < 5 {
		t.Fatalf("the data of the demo: %v %v", files, err)
	}
	var all []string
	for _, file := range files {
		var v any
		if err := yaml.Unmarshal([]byte(read(t, file)), &v); err != nil {
			t.Fatal(err)
		}
		for _, s := range textsIn(v) {
			if first, _, _ := strings.Cut(s, "{"); len(first) >= 14 && !strings.Contains(own.String(), first) {
				all = append(all, first)
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// everything asks for all compositions on all channels as everybody, for items, lists and pages.
func (p *played) everything() (answers []string) {
	params := map[string]map[string]any{
		"hotel-arrival": {"hotel": "stay:hotel/azul"}, "hotel": {"hotel": "stay:hotel/brisa"}, "home": nil, "help": {"article": "support:article/360001000"}, "offer": {"product": "catalog:product/1"},
	}
	people := []seer{p.ana(), {key: p.key(tutti.BrowserKey)}, {key: p.key(tutti.ServerKey), context: nearAzul(map[string]any{"visitor": "guest-8", "attributes": map[string]any{"tier": "silver", "reservation": "R-1008"}})}}
	for _, persona := range []string{"ana-arriving", "ben-arriving", "german-family", "gold-far-away", "niemand", "nobody", "spanish-guest", "without-consent"} {
		people = append(people, seer{key: p.key(tutti.PreviewKey), preview: map[string]any{"persona": persona}})
	}
	people = append(people, seer{key: p.key(tutti.ManagementKey), preview: map[string]any{"persona": "ana-arriving", "perspective": map[string]any{"state": "DRAFT"}}})
	for id, params := range params {
		for i, s := range people {
			for j, channel := range everyChannel {
				if id != "hotel-arrival" && (i+j)%len(everyChannel) > 0 { // each once, all in turn
					continue
				}
				a := p.experience(s, id, channel, []string{"en", "de", "es", "de-AT"}[(i+j)%4], params)
				if len(a.Errors) > 0 {
					p.t.Errorf("%s on %s: %s", id, channel, a.Raw)
				}
				answers = append(answers, a.Raw)
			}
		}
	}
	for _, q := range []string{
		`{ search(source: "dam", kind: "asset", first: 100) { nodes { title fields raw } } }`, `{ search(source: "catalog", kind: "product", first: 100) { nodes { title fields raw } } }`,
		`{ search(source: "support", kind: "article", text: "room", first: 20) { nodes { title fields raw } } }`, `{ resource(ref: "stay:place/market") { title raw } }`,
		`{ sources { name health { state lastError } kinds { name fields } } routes(channel: "web", first: 100) { nodes { path params } } publications { nodes { name } } personas { name visitor } }`,
	} {
		answers = append(answers, p.manage(q, nil).Raw)
	}
	return answers
}

// edits saves, publishes, restores and takes back what editors write.
func (p *played) edits() {
	p.t.Helper()
	for _, id := range []string{"home", "hotel-arrival"} {
		body, revision := p.draft(id)
		if a := p.manage(saveIt, map[string]any{"id": id, "body": body, "revision": revision}); len(a.Errors) > 0 {
			p.t.Fatal(a.Raw)
		}
		_, revision = p.draft(id)
		if a := p.manage(publishIt, map[string]any{"id": id, "revision": revision, "note": "again"}); len(a.Errors) > 0 {
			p.t.Fatal(a.Raw)
		}
	}
}

// faults lets every origin go wrong in every way while guest-7 asks.
func (p *played) faults() {
	p.t.Helper()
	for _, kind := range []string{"error", "garbage", "gone", "wrong-type", "reset", "rate-limited"} {
		for _, name := range p.origins.Names() {
			if err := p.origins.Fault(name, demo.Fault{Kind: kind, Times: 4}); err != nil {
				p.t.Fatal(err)
			}
		}
		p.server.house.live.Load().sources.Forget("stay:reservation", "stay:hotel", "support:ticket", "social:post", "catalog:product", "dam:asset", "stay:reservation/R-1007")
		p.experience(p.ana(), "hotel-arrival", "mobile", "en", map[string]any{"hotel": "stay:hotel/azul"})
		p.ask(p.key(tutti.ManagementKey), p.token("guest-7"), `{ a: search(source: "support", kind: "ticket", text: "secretive words") { totalCount } b: search(source: "stay", kind: "reservation") { totalCount } c: resource(ref: "stay:reservation/R-1007") { title } }`, nil)
	}
	p.origins.ClearFaults()
}

// secrets gives everything that must stay unsaid, by name.
func (p *played) secrets() map[string]string {
	all := map[string]string{"the visitor secret": p.server.house.live.Load().config.Visitors.Secret.Reveal(), "the deployment secret": string(p.server.house.secret)}
	for class, plain := range p.told.Keys {
		all["the "+string(class)+" key"] = plain
	}
	for visitor, token := range p.told.VisitorToken {
		all["the token of "+visitor] = token
		all["the signature of "+visitor] = token[strings.LastIndex(token, ".")+1:]
	}
	for _, name := range p.origins.Names() {
		for key, value := range p.origins.Secrets(name) {
			if key != "email" { // a name, not a secret
				all[name+" "+key] = value
			}
		}
	}
	return all
}

func TestContentSecretsAndPeopleStayWhereTheyBelong(t *testing.T) {
	t.Parallel()
	p := play(t)
	p.mark()
	answers := p.everything()
	p.edits()
	answers = append(answers, p.everything()...)
	p.faults()
	bad := p.ask("tutti_server_"+strings.Repeat("B", 43), p.token("guest-7"), "{ x }", nil).Raw + p.ask(p.key(tutti.BrowserKey), p.token("guest-7")+"x", "{ x }", nil).Raw +
		p.ask(p.key(tutti.BrowserKey), "", `query Arrival { experience(composition: "guest-7", channel: "R-1007") { id } }`, nil).Raw
	page := func(path string) string { return p.send(http.MethodGet, path, nil, nil).Raw }
	metrics, graphiql, preview := page("/metrics"), page("/graphiql/"), page("/preview/")
	wants(t, "the metrics", metrics, "tutti_request_duration_seconds")
	log := p.logged("calling a source", "request")

	content := contentOfOrigins(t)
	seen := 0
	joined := strings.Join(answers, "\n")
	for _, words := range content {
		if quoted, _ := json.Marshal(words); strings.Contains(joined, strings.Trim(string(quoted), `"`)) {
			seen++
		}
	}
	if len(content) < 150 || seen < 60 {
		t.Fatalf("only %d of %d texts of the origins were delivered", seen, len(content))
	}
	secrets := p.secrets()
	database := 0
	for name, held := range files(t, p.told.Data) {
		if strings.HasPrefix(name, "demo/") || name == "keys.env" { // what was laid there, and the keys for the person who started it
			continue
		}
		database += len(held)
		hides(t, "the file "+name, held, content...)
		hides(t, "the file "+name, held, anasName, anasRoom, "Zticket", "secretive words")
		for what, secret := range secrets {
			if what != "the deployment secret" { // which the store keeps
				hides(t, "the file "+name+", with "+what+",", held, secret)
			}
		}
	}
	if database < 10_000 {
		t.Errorf("the database was not looked at: %d bytes", database)
	}
	told := map[string]string{"the log": log, "/metrics": metrics, "an error": bad, "GraphiQL": graphiql, "the preview page": preview}
	for what, text := range told {
		hides(t, what, text, content...)
		for name, secret := range secrets {
			hides(t, what+", with "+name+",", text, secret)
		}
	}
	for what, text := range map[string]string{"the log": log, "/metrics": metrics} {
		hides(t, what, text, "guest-7", "guest-8", anasName, anasRoom, "Zticket", anasNumber, "R-1007", "R-1008", "ticket/71400", "43.26307151", "2.93507151", "secretive")
	}
	for name, secret := range secrets {
		hides(t, "an answer, with "+name+",", joined, secret)
	}
}

func TestEachRequestIsOneLineInTheLog(t *testing.T) {
	p := play(t)
	a := p.ask(p.key(tutti.BrowserKey), "", `query Channels { channels { name } }`, nil)
	id := a.Header.Get("X-Request-Id")
	log := p.logged(id, "operation=Channels", "class=browser", "status=200")
	if n := strings.Count(log, id); id == "" || n != 1 {
		t.Errorf("the request %s has %d lines in the log:\n%s", id, n, log)
	}
}

// TestTheDemosOutputIsOneLine runs the command itself, through a busy life to its end.
func TestTheDemosOutputIsOneLine(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	out, printed := io.Pipe()
	var errs bytes.Buffer
	ended := make(chan int, 1)
	var rest bytes.Buffer
	var reading sync.WaitGroup
	go func() {
		code := run(ctx, []string{"demo", "--listen", "127.0.0.1:0", "--json"}, printed, &errs)
		_ = printed.Close()
		ended <- code
	}()
	r := bufio.NewReader(out)
	line, err := r.ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	reading.Go(func() { _, _ = io.Copy(&rest, r) })
	var told demoTold
	if err := json.Unmarshal([]byte(line), &told); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{told.Keys[tutti.BrowserKey], "wrong", told.Keys[tutti.ManagementKey]} {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, told.GraphQL, strings.NewReader(`{"query":"{ experience(composition: \"hotel-arrival\", params: {hotel: \"stay:hotel/azul\"}, channel: \"web\") { id } }"}`))
		if err != nil {
			t.Fatal(err)
		}
		req.Header = http.Header{"Content-Type": {"application/json"}, "Authorization": {"Bearer " + key}, "Tutti-Visitor": {told.VisitorToken["guest-7"]}}
		client := &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
		res, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
	}
	cancel()
	if code := <-ended; code != done {
		t.Errorf("ends with %d", code)
	}
	reading.Wait()
	if rest.Len() > 0 || errs.Len() > 0 {
		t.Errorf("prints more: %q %q", rest.String(), errs.String())
	}
	if left, _ := filepath.Glob(told.Data); len(left) > 0 {
		t.Errorf("leaves %v", left)
	}
}
