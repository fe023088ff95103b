package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/internal/config"
)

// letter is a letter to many: a greeting by name, and offers by tier.
const letter = `{"type": "page", "title": {"en": "News for ${firstName}", "de": "Neues für ${firstName}", "es": "Novedades para ${firstName}"},
 "params": [{"name": "hotel", "type": "ref", "kinds": ["stay:hotel"], "required": true}],
 "slots": [{"id": "top", "name": "top", "components": [
   {"id": "hello", "type": "Hero", "props": {
      "headline": {"text": {"en": "Hello ${firstName}, see ${hotel.title}", "de": "Hallo ${firstName}, das ${hotel.title}", "es": "Hola ${firstName}, ${hotel.title}"}},
      "text": {"text": {"en": "Dear **${firstName}**, [come](/for/${firstName}).", "de": "Liebe Leserin ${firstName}.", "es": "Estimada ${firstName}."}}, "image": {"bind": "hotel.image"}},
    "actions": [{"label": {"en": "Book, ${firstName}", "de": "Buchen", "es": "Reservar"}, "intent": "BOOK", "href": "/book?hotel=${hotel.id}&for=${firstName}"}]}]},
  {"id": "main", "name": "main", "components": [
   {"id": "offers", "type": "Offers", "props": {"headline": {"text": "For everyone"}, "items": {"select": {"source": "catalog", "kind": "product", "filter": {"collection": "everyone"}, "sort": "price", "first": 3}}},
    "variants": [{"name": "tier", "rule": "audience.loyal", "props": {"headline": {"text": "For ${tier}"}, "items": {"select": {"source": "catalog", "kind": "product", "filter": {"collection": "='offers-' + tier"}, "sort": "price", "first": 3}}}}]}]}]}`

// writing makes the demo one that sends letters.
func writing(cfg *config.Config) {
	cfg.Attributes = append(slices.Clone(cfg.Attributes), tutti.Attribute{
		Name: "firstName", Type: tutti.StringType, Purpose: tutti.Personalization, Trust: tutti.TrustServer, Sensitivity: tutti.Personal, Description: "How letters begin",
	})
	patient(cfg)
}

// patient waits for origins however slow the machine is: calls are counted here, not timed.
func patient(cfg *config.Config) {
	cfg.Sources = slices.Clone(cfg.Sources)
	for i := range cfg.Sources {
		cfg.Sources[i].Limits.Timeout = 30 * time.Second
	}
}

// planLine is one line of POST /plans.
type planLine struct {
	Progress *struct {
		Composition                                         string
		Version, Total, Decided, Refused, Groups, Delivered int
		Done                                                bool
	}
	Group *struct {
		Key     string
		Private bool
		Members []struct {
			Index    int
			ID       string
			Fills    []string
			Problems []problem
		}
		Holes      []struct{ Token, Name, Form string }
		Experience map[string]any
	}
	Refused *struct {
		Index  int
		ID     string
		Errors []struct {
			Code                 tutti.Code
			Message, Field, Hint string
		}
	}
	Errors []answerError
}

func (p *played) plans(media string, body []byte) (answer, []planLine) {
	p.t.Helper()
	a := p.send(http.MethodPost, "/plans", http.Header{"Content-Type": {media}, "Authorization": {"Bearer " + p.key(tutti.ServerKey)}}, body)
	var lines []planLine
	d := json.NewDecoder(strings.NewReader(a.Raw))
	for d.More() {
		var l planLine
		if err := d.Decode(&l); err != nil {
			p.t.Fatalf("%v in %s", err, a.Raw)
		}
		lines = append(lines, l)
	}
	return a, lines
}

// subscribe gives the results of a subscription, which come as events. The last is the end.
func (p *played) subscribe(key, query string, vars any) []answer {
	p.t.Helper()
	body, err := json.Marshal(map[string]any{"query": query, "variables": vars})
	if err != nil {
		p.t.Fatal(err)
	}
	a := p.send(http.MethodPost, "/graphql", http.Header{"Content-Type": {"application/json"}, "Accept": {"text/event-stream"}, "Authorization": {"Bearer " + key}}, body)
	var results []answer
	for event := range strings.SplitSeq(a.Raw, "\n\n") {
		if event == "" {
			continue
		}
		data := strings.TrimPrefix(event, "event: next\ndata: ")
		if data == event && event != "event: complete\ndata:" {
			p.t.Fatalf("no event of a result: %q", event)
		}
		one := answer{Status: a.Status, Header: a.Header, Raw: event}
		if data != event {
			if err := json.Unmarshal([]byte(data), &one); err != nil {
				p.t.Fatalf("%v in %q", err, event)
			}
		}
		results = append(results, one)
	}
	if len(results) == 0 || results[len(results)-1].Raw != "event: complete\ndata:" {
		p.t.Fatalf("the events do not end: %s", a.Raw)
	}
	return results
}

// recipients are n contexts: of four tiers, three languages and as many names.
func recipients(from, n int) []map[string]any {
	list := make([]map[string]any, n)
	for i := range list {
		k := from + i
		attributes := map[string]any{"firstName": fmt.Sprintf("Ana <%d> & Co", k)}
		if tier := []string{"", "silver", "gold", "platinum"}[k%4]; tier != "" {
			attributes["tier"] = tier
		}
		list[i] = map[string]any{
			"id": fmt.Sprint("r", k), "locale": []string{"en", "de", "es"}[k/4%3], "attributes": attributes,
			"consent": map[string]any{"personalization": true}, "location": map[string]any{"lat": float64(k%90) / 2, "lon": float64(k%180) / 3},
		}
	}
	return list
}

func ndjson(t *testing.T, head map[string]any, contexts []map[string]any) []byte {
	t.Helper()
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	for _, line := range append([]map[string]any{head}, contexts...) {
		if err := e.Encode(line); err != nil {
			t.Fatal(err)
		}
	}
	return b.Bytes()
}

// merged puts a member's words in place of tokens, and leaves out what marking leaves out: ids.
func merged(v any, put *strings.Replacer) any {
	switch v := v.(type) {
	case string:
		return put.Replace(v)
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = merged(v[i], put)
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for name := range v {
			if name != "id" && name != "parent" {
				out[name] = merged(v[name], put)
			}
		}
		return out
	}
	return v
}

const letterSelection = `{ id title meta { title description } slots { name components { id component variant personal props actions { label href } ... on Hero { image: resource(prop: "image") { ref } } } } problems { code path } validUntil locale }`

// TestTenThousandLettersAreADozenRenders sends 10,000 contexts, and compares what some of them get
// with what each would get alone: also what the origins are asked for.
func TestTenThousandLettersAreADozenRenders(t *testing.T) {
	p := play(t)
	p.reconfigure(writing)
	p.publish("letter", object(t, letter))
	head := map[string]any{"composition": "letter", "channel": "email", "params": map[string]any{"hotel": "stay:hotel/azul"}, "select": letterSelection}
	const many = 10_000
	all := recipients(0, many)
	p.origins.ResetCalls()
	a, lines := p.plans("application/x-ndjson", ndjson(t, head, all))
	calls := p.calls()
	if a.Status != http.StatusOK || len(lines) < 3 {
		t.Fatalf("%d: %.2000s", a.Status, a.Raw)
	}
	first, last := lines[0].Progress, lines[len(lines)-1].Progress
	if first == nil || first.Total != many || first.Decided != 0 || first.Version != 1 || last == nil || !last.Done || last.Decided != many || last.Refused != 0 || last.Groups != 12 || last.Delivered != 12 {
		t.Fatalf("from %+v to %+v", first, last)
	}
	seen, byIndex := map[int]int{}, map[int]map[string]any{}
	for n, l := range lines {
		if l.Group == nil {
			continue
		}
		for _, m := range l.Group.Members {
			seen[m.Index]++
			if m.ID != fmt.Sprint("r", m.Index) || len(m.Fills) != len(l.Group.Holes) || len(m.Problems) > 0 {
				t.Fatalf("member %+v of %d holes", m, len(l.Group.Holes))
			}
			if m.Index%997 > 11 {
				continue
			}
			var pairs []string
			for i, h := range l.Group.Holes {
				pairs = append(pairs, h.Token, m.Fills[i])
			}
			byIndex[m.Index] = merged(lines[n].Group.Experience, strings.NewReplacer(pairs...)).(map[string]any)
		}
	}
	if len(seen) != many || slices.Max(slices.Collect(maps.Values(seen))) != 1 {
		t.Errorf("%d of %d came, one of them %d times", len(seen), many, slices.Max(slices.Collect(maps.Values(seen))))
	}
	p.reconfigure(patient) // a cold house
	p.origins.ResetCalls()
	for i := range 12 {
		p.alone(all[i], byIndex[i])
	}
	one := p.calls()
	for source, n := range one {
		if calls[source] > n || calls[source] == 0 || len(calls) != len(one) { // fewer where loads of several pages went together
			t.Errorf("10,000 letters cost the calls %v, a dozen pages %v", calls, one)
			break
		}
	}
	for i, x := range byIndex {
		p.alone(all[i], x)
	}
}

// alone asks for what one recipient gets alone, and compares.
func (p *played) alone(context, want map[string]any) {
	p.t.Helper()
	in := maps.Clone(context)
	delete(in, "id")
	delete(in, "locale")
	ask := func() answer {
		return p.ask(p.key(tutti.ServerKey), "", `query($l: Locale, $c: ContextInput) { experience(composition: "letter", channel: "email", params: {hotel: "stay:hotel/azul"}, locale: $l, context: $c) `+letterSelection+` }`,
			map[string]any{"l": context["locale"], "c": in})
	}
	a := ask()
	for range 20 { // on a busy machine a page may be over before its origins answer
		if !strings.Contains(a.Raw, `"code":"TIMEOUT"`) {
			break
		}
		a = ask()
	}
	var got struct{ Experience map[string]any }
	a.into(p.t, &got)
	if x := merged(got.Experience, strings.NewReplacer()); !reflect.DeepEqual(x, any(want)) {
		p.t.Fatalf("%v gets in bulk\n%v\nalone\n%v", context["id"], want, x)
	}
}

// TestPlansKeepPeopleApart sends guests with stays of their own, strangers, and contexts that are
// not right, in one request.
func TestPlansKeepPeopleApart(t *testing.T) {
	p := play(t)
	p.reconfigure(patient)
	consent := map[string]any{"personalization": true}
	guest := func(visitor, reservation string) map[string]any {
		return map[string]any{"visitor": visitor, "consent": consent, "location": map[string]any{"lat": 43.2631, "lon": -2.9251}, "attributes": map[string]any{"reservation": reservation}}
	}
	contexts := []map[string]any{
		guest("guest-7", "R-1007"),
		{},
		guest("guest-8", "R-1007"),
		{"id": "wrong", "market": "mars"},
		guest("guest-7", "R-1007"),
		{"locale": "de"},
		{"visitor": "guest-9"},
		{"attributes": map[string]any{"tier": "copper"}, "location": map[string]any{"lat": 100, "lon": 0}},
	}
	const selection = `{ title slots { name components { component variant personal props actions { label href expiresAt } } } problems { code path } validUntil }`
	a, lines := p.plans("application/x-ndjson", ndjson(t, map[string]any{"composition": "hotel-arrival", "channel": "email", "params": map[string]any{"hotel": "stay:hotel/azul"}, "select": selection}, contexts))
	if a.Status != http.StatusOK {
		t.Fatal(a.Raw)
	}
	groupOf, keys, refused := map[int]string{}, map[string]bool{}, map[int][]tutti.Code{}
	for _, l := range lines {
		switch {
		case l.Refused != nil:
			for _, e := range l.Refused.Errors {
				refused[l.Refused.Index] = append(refused[l.Refused.Index], e.Code)
			}
		case l.Group != nil:
			keys[l.Group.Key] = true
			whole, _ := json.Marshal(l.Group.Experience)
			mine := l.Group.Members[0].Index == 0 || l.Group.Members[0].Index == 4
			if l.Group.Private != mine || mine && len(l.Group.Members) != 1 {
				t.Errorf("the group of %+v is private: %v", l.Group.Members, l.Group.Private)
			}
			if !mine {
				hides(t, "a shared group", string(whole)+fmt.Sprint(l.Group.Members), "Welcome, Ana", "Room 412", "guest-7", "R-1007")
			}
			for _, m := range l.Group.Members {
				groupOf[m.Index] = l.Group.Key
				var pairs []string
				for i, h := range l.Group.Holes {
					pairs = append(pairs, h.Token, m.Fills[i])
				}
				got := merged(l.Group.Experience, strings.NewReplacer(pairs...))
				in := maps.Clone(contexts[m.Index])
				delete(in, "locale")
				var want struct{ Experience map[string]any }
				p.ask(p.key(tutti.ServerKey), "", `query($l: Locale, $c: ContextInput) { experience(composition: "hotel-arrival", channel: "email", params: {hotel: "stay:hotel/azul"}, locale: $l, context: $c) `+selection+` }`,
					map[string]any{"l": contexts[m.Index]["locale"], "c": in}).into(t, &want)
				alone, _ := merged(want.Experience, strings.NewReplacer()).(map[string]any)
				lacks, _ := alone["problems"].([]any)
				if _, told := got.(map[string]any)["problems"].([]any); !told || len(lacks) != len(m.Problems)+len(got.(map[string]any)["problems"].([]any)) {
					t.Errorf("%d: problems %v, alone %v", m.Index, m.Problems, lacks)
				}
				delete(alone, "problems")
				delete(got.(map[string]any), "problems")
				if !reflect.DeepEqual(got, any(alone)) {
					t.Errorf("%d gets\n%v\nalone\n%v", m.Index, got, alone)
				}
			}
		}
	}
	if !reflect.DeepEqual(refused, map[int][]tutti.Code{3: {tutti.InvalidValue}, 7: {tutti.InvalidValue}}) {
		t.Errorf("refused %v", refused)
	}
	if groupOf[1] != groupOf[6] || groupOf[1] == groupOf[5] || groupOf[0] == groupOf[2] || groupOf[0] == groupOf[1] || len(groupOf) != 6 {
		t.Errorf("groups %v", groupOf)
	}
	for key := range keys {
		if len(key) != 22 {
			t.Errorf("the key %q", key)
		}
	}
}

// TestPlansOverEventsAreThoseOfLines asks the same in both ways.
func TestPlansOverEventsAreThoseOfLines(t *testing.T) {
	p := play(t)
	p.reconfigure(writing)
	p.publish("letter", object(t, letter))
	contexts := recipients(0, 24)
	contexts = append(contexts, map[string]any{"id": "wrong", "market": "mars"})
	_, lines := p.plans("application/json", must(json.Marshal(map[string]any{
		"composition": "letter", "channel": "email", "params": map[string]any{"hotel": "stay:hotel/azul"}, "contexts": contexts, "select": "{ id title components { id props } }",
	})))
	results := p.subscribe(p.key(tutti.ServerKey), `subscription($c: [MemberContextInput!]!) { plans(composition: "letter", channel: "email", params: {hotel: "stay:hotel/azul"}, contexts: $c) { __typename
		... on PlansProgress { composition version total decided refused groups delivered done }
		... on PlanGroup { key private members { index id fills problems { path code } } holes { token name form } experience { id title components { id props } } }
		... on PlanRefusal { index id errors { code message field hint } } } }`, map[string]any{"c": contexts})
	if len(results) != len(lines)+1 {
		t.Fatalf("%d events, %d lines", len(results), len(lines))
	}
	for i, l := range lines {
		var got struct{ Plans json.RawMessage }
		results[i].into(t, &got)
		var as planLine
		switch {
		case l.Progress != nil:
			_ = json.Unmarshal(got.Plans, &as.Progress)
		case l.Group != nil:
			_ = json.Unmarshal(got.Plans, &as.Group)
		case l.Refused != nil:
			_ = json.Unmarshal(got.Plans, &as.Refused)
		}
		if !reflect.DeepEqual(as, l) {
			t.Errorf("event %d: %s\nas a line: %+v", i, got.Plans, l)
		}
	}
	for _, l := range lines { // a marked letter holds the words of nobody, and its keys none either
		if l.Group != nil {
			whole, _ := json.Marshal(l.Group.Experience)
			hides(t, "a group", string(whole), "Ana <", "Ana \\u003c")
		}
	}
}

// TestPlansAreOfWhatTheAppDraws asks in bulk as two apps, over lines and over events. Each member
// gets what it would get alone; what both apps draw alike is one plan for both.
func TestPlansAreOfWhatTheAppDraws(t *testing.T) {
	t.Parallel()
	p := play(t)
	p.reconfigure(patient)
	contexts := []map[string]any{{}, {"attributes": map[string]any{"tier": "gold"}, "consent": map[string]any{"personalization": true}}}
	const selection = `{ components { component __typename type version ... on PostCard { author } ... on Card { title } } problems { code path } }`
	ask := func(composition string, supports any) []planLine {
		t.Helper()
		head := map[string]any{"composition": composition, "channel": "web", "params": map[string]any{"hotel": "stay:hotel/azul"}, "select": selection, "supports": supports}
		a, lines := p.plans("application/x-ndjson", ndjson(t, head, contexts))
		events := p.subscribe(p.key(tutti.ServerKey), `subscription($id: ID!, $c: [MemberContextInput!]!, $s: [String!]) { plans(composition: $id, channel: "web", params: {hotel: "stay:hotel/azul"}, supports: $s, contexts: $c) {
			... on PlanGroup { key members { index } experience `+selection+` } } }`, map[string]any{"id": composition, "c": contexts, "s": supports})
		for i, l := range lines {
			if l.Group == nil {
				continue
			}
			var e struct {
				Plans struct {
					Key        string
					Experience map[string]any
				}
			}
			events[i].into(t, &e)
			if e.Plans.Key != l.Group.Key || !reflect.DeepEqual(e.Plans.Experience, l.Group.Experience) {
				t.Errorf("as an event %v, as a line %v", e, *l.Group)
			}
			for _, m := range l.Group.Members {
				var alone struct{ Experience map[string]any }
				p.ask(p.key(tutti.ServerKey), "", `query($id: ID!, $c: ContextInput, $s: [String!]) { experience(composition: $id, channel: "web", params: {hotel: "stay:hotel/azul"}, supports: $s, context: $c) `+selection+` }`,
					map[string]any{"id": composition, "c": contexts[m.Index], "s": supports}).into(t, &alone)
				if !reflect.DeepEqual(alone.Experience, l.Group.Experience) {
					t.Errorf("%v draws: %d gets\n%v\nalone\n%v", supports, m.Index, l.Group.Experience, alone.Experience)
				}
			}
		}
		if last := lines[len(lines)-1]; last.Progress == nil || !last.Progress.Done {
			t.Fatalf("%d: %.2000s", a.Status, a.Raw)
		}
		return lines
	}
	drawn := func(lines []planLine) (keys []string, types map[string]int) {
		types = map[string]int{}
		for _, l := range lines {
			if l.Group == nil {
				continue
			}
			keys = append(keys, l.Group.Key)
			for _, c := range l.Group.Experience["components"].([]any) {
				types[c.(map[string]any)["type"].(string)]++
			}
		}
		return keys, types
	}
	newer := []string{"Hero", "Facts", "Cards", "Card@1", "PostCard@1", "Offers"}
	all, whole := drawn(ask("hotel", nil))
	same, _ := drawn(ask("hotel", newer))
	older, plain := drawn(ask("hotel", newer[:4]))
	if len(all) != 2 || !slices.Equal(all, same) {
		t.Errorf("one app draws everything, but its plans are %v, not %v", same, all)
	}
	if whole["PostCard"] == 0 || plain["PostCard"] > 0 || plain["Card"] < whole["Card"]/2+whole["PostCard"]/2 || plain["Offers"] > 0 {
		t.Errorf("an older app gets %v of %v", plain, whole)
	}
	if len(older) != 1 || slices.Contains(all, older[0]) { // what made two plans of it, the offers, it cannot draw
		t.Errorf("an older app's plans are %v, a newer one's %v", older, all)
	}
	for _, list := range [][]string{{}, {"Hero@x"}} {
		a, _ := p.plans("application/json", must(json.Marshal(map[string]any{"composition": "hotel", "channel": "web", "params": map[string]any{"hotel": "stay:hotel/azul"}, "supports": list, "contexts": contexts})))
		if a.Status != http.StatusBadRequest || a.code() != tutti.InvalidValue {
			t.Errorf("%q answers %d %s", list, a.Status, a.Raw)
		}
	}
}

func must(b []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return b
}

// TestTheExamplesOfBulkRun runs what docs/bulk.md shows, as a shell does.
func TestTheExamplesOfBulkRun(t *testing.T) {
	p := play(t)
	p.reconfigure(patient)
	env := map[string]string{"TUTTI_SERVER_KEY": p.key(tutti.ServerKey), "TUTTI_URL": p.server.address()}
	examples := blocks(t, docs+"bulk.md", "sh")
	says := [][]string{
		{`{"progress":{"composition":"home"`, `"id":"r1"`, `"id":"r2"`, `"id":"r3"`, `{"refused":{"index":3,"id":"r4"`, `"done":true`},
		{`"private":true`, `"private":false`, `"id":"r2"`, `"done":true`},
		{"event: next", `"decided":2,"done":true`, "event: complete"},
	}
	if len(examples) != len(says) {
		t.Fatalf("%d examples", len(examples))
	}
	for i, example := range examples {
		a := p.curl(strings.TrimSpace(example), env)
		wants(t, "example "+fmt.Sprint(i+1), a.Raw, says[i]...)
	}
}
