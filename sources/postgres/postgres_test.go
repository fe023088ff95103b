package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/internal/config"
	"github.com/tuttihq/tutti/sources"
	"github.com/tuttihq/tutti/sources/contract"
	"github.com/tuttihq/tutti/sources/recording"
	"github.com/tuttihq/tutti/store/storetest"
)

// server gives an empty schema on a real server.
func server(t *testing.T) (address string, exec func(statement string)) {
	t.Helper()
	address = storetest.Postgres(t)
	return address, func(statement string) { t.Helper(); storetest.Exec(t, address, statement) }
}

func connect(t *testing.T, address string, set ...func(*sources.DatabaseConfig)) *Database {
	t.Helper()
	c := sources.DatabaseConfig{Source: "content", URL: tutti.NewSecret(address), AllowPrivate: []string{"localhost"}, Timeout: 10 * time.Second, Connections: 2}
	for _, s := range set {
		s(&c)
	}
	d, err := Opener(nil)(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	return d.(*Database)
}

func TestRowsBecomeJSON(t *testing.T) {
	address, _ := server(t)
	d := connect(t, address)
	for query, want := range map[string]string{
		`select 9007199254740993::int8 as i, 1.10::numeric as n, 0.5::float8 as f, 'NaN'::float8 as nan, true as b, null::text as none`:   `{"i":9007199254740993,"n":"1.10","f":0.5,"nan":"NaN","b":true,"none":null}`,
		`select '2026-11-22 10:00:00.5+01'::timestamptz as z, '2026-11-22 10:00:00'::timestamp as l, '2026-11-22'::date as d`:             `{"z":"2026-11-22T09:00:00.5Z","l":"2026-11-22T10:00:00","d":"2026-11-22"}`,
		`select '{"a": [1, 12345678901234567890]}'::jsonb as j, '7b8a3c5e-0000-4000-8000-000000000001'::uuid as u, 'ab'::char(5) as c`:    `{"j":{"a": [1, 12345678901234567890]},"u":"7b8a3c5e-0000-4000-8000-000000000001","c":"ab"}`,
		`select array['a', null, 'b "c", {d}\', 'NULL', ''] as t, array[1,2]::int[] as i, '{}'::text[] as e, array[1.50]::numeric[] as n`: `{"t":["a",null,"b \"c\", {d}\\","NULL",""],"i":[1,2],"e":[],"n":["1.50"]}`,
		`select 1 where false`:                 ``,
		`select '<p>"A" & b</p>' as h, 2 as n`: `{"h":"<p>\"A\" & b</p>","n":2}`,
	} {
		got, err := d.Query(t.Context(), query, nil, 10, 1<<20)
		if err != nil || string(got) != "["+want+"]" || !json.Valid(got) {
			t.Errorf("%s\ngives %s, %v\nwant  [%s]", query, got, err, want)
		}
	}
}

func TestArgumentsAreReadAsTheQueryWantsThem(t *testing.T) {
	address, exec := server(t)
	exec(`create table item (id int primary key, at timestamptz, price numeric)`)
	exec(`insert into item values (1, '2026-11-22 10:00Z', 1.5), (2, '2026-11-23 10:00Z', 2.5), (3, null, 3.5)`)
	d := connect(t, address)
	text := func(s string) *string { return &s }
	got, err := d.Query(t.Context(), `select id from item where id = any($1) and ($2::timestamptz is null or at > $2) and price > $3 order by id limit $4`,
		[]*string{text(`{"1","2","7"}`), text("2026-11-22T12:00:00Z"), text("1.25"), text("5")}, 10, 1<<20)
	if err != nil || string(got) != `[{"id":2}]` {
		t.Errorf("it gives %s, %v", got, err)
	}
	got, err = d.Query(t.Context(), `select id from item where id = any($1) and ($2::timestamptz is null or at > $2)`, []*string{text(`{"1","3"}`), nil}, 10, 1<<20)
	if err != nil || string(got) != `[{"id":1},{"id":3}]` {
		t.Errorf("without an instant it gives %s, %v", got, err)
	}
	_, err = d.Query(t.Context(), `select id from item where id = any($1)`, []*string{text(`{"CANARY"}`)}, 10, 1<<20)
	var refused *sources.Refused
	if !errors.As(err, &refused) || refused.Status != http.StatusBadRequest || strings.Contains(err.Error(), "CANARY") {
		t.Errorf("an id that is no number: %v", err)
	}
}

func TestQueriesOnlyRead(t *testing.T) {
	address, exec := server(t)
	exec(`create table item (id int)`)
	exec(`insert into item select generate_series(1, 100)`)
	exec(`create function grow() returns int language sql as 'insert into item values (0) returning id'`)
	exec(`create function escape() returns text language plpgsql as $$ begin
		perform set_config('default_transaction_read_only', 'off', false); perform set_config('transaction_read_only', 'off', true); return 'CANARY'; end $$`)
	d := connect(t, address, func(c *sources.DatabaseConfig) { c.Timeout, c.Connections = 500*time.Millisecond, 1 })
	for query, want := range map[string]tutti.Code{
		`with gone as (delete from item returning id) select * from gone`: tutti.BadAnswer,
		`select grow()`:                           tutti.BadAnswer,
		`select escape()`:                         tutti.BadAnswer,
		`select pg_sleep(30)`:                     tutti.Timeout,
		`select * from nowhere`:                   tutti.BadAnswer,
		`select 1/0`:                              tutti.BadAnswer,
		`select * from item, item b`:              tutti.TooLarge,
		`select repeat('x', 70000) as long`:       tutti.TooLarge,
		`select 'abc'::bytea as raw`:              tutti.BadAnswer,
		`select array[array[1], array[2]] as two`: tutti.BadAnswer,
		`selec 1`: tutti.BadAnswer,
	} {
		got, err := d.Query(t.Context(), query, nil, 1000, 1<<16)
		if tutti.CodeOf(err) != want || strings.Contains(fmt.Sprint(err), "CANARY") || strings.Contains(fmt.Sprint(err), "nowhere") {
			t.Errorf("%s gives %s, %v; want %s", query, got, err, want)
		}
	}
	if got, err := d.Query(t.Context(), `select count(*) as n from item`, nil, 10, 1<<16); err != nil || string(got) != `[{"n":100}]` {
		t.Errorf("after all that there are %s, %v", got, err)
	}
}

func TestDatabasesAreReachedAsTheOperatorAllows(t *testing.T) {
	address, _ := server(t)
	for what, c := range map[string]struct {
		url   string
		allow []string
	}{
		"a socket":               {address, nil},
		"a private address":      {"postgres://u@127.0.0.1:1/x", []string{"10.0.0.1"}},
		"the cloud's metadata":   {"postgres://u@169.254.169.254:80/x", []string{"localhost"}},
		"a name that is private": {"postgres://u@localhost:1/x", nil},
	} {
		d := connect(t, c.url, func(d *sources.DatabaseConfig) { d.AllowPrivate = c.allow })
		if _, err := d.Query(t.Context(), "select 1", nil, 1, 100); tutti.CodeOf(err) != tutti.Unavailable || strings.Contains(err.Error(), "127.0.0.1") {
			t.Errorf("%s: %v", what, err)
		}
	}
	for what, u := range map[string]string{"nobody listens": "postgres://u:CANARY@127.0.0.1:1/x", "wrong credentials": strings.Replace(address, "user=tutti", "user=nobody_here", 1)} {
		d := connect(t, u, func(d *sources.DatabaseConfig) { d.AllowPrivate = []string{"localhost", "127.0.0.1"} })
		if _, err := d.Query(t.Context(), "select 1", nil, 1, 100); tutti.CodeOf(err) != tutti.Unavailable || strings.Contains(err.Error(), "CANARY") {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, err := Opener(nil)(sources.DatabaseConfig{URL: tutti.NewSecret("postgres://CANARY@:port")}); err == nil || strings.Contains(err.Error(), "CANARY") {
		t.Errorf("an address that is none: %v", err)
	}
}

const content = `
create table article (id int primary key, title text not null, body text, excerpt text, section text, tags text[] not null default '{}',
	link text, picture text, published_at timestamptz, updated_at timestamptz not null, data jsonb);
create view tutti_article as select * from article;
insert into article (id, title, body, section, tags, updated_at, data)
	select n, 'Article ' || n, '<p>About <b>' || case when n % 2 = 0 then 'tulips' else 'ships' end || '</b></p>', 's' || n % 3, array['t' || n % 5], '2026-11-01 10:00:00.123456Z'::timestamptz + (n / 2) * interval '1 hour', jsonb_build_object('n', n)
	from generate_series(1, 25) as n;
create function tutti_tell() returns trigger language plpgsql as $$ begin
	perform pg_notify('tutti_content', json_build_object('kind', 'article', 'ids', json_build_array(coalesce(new.id, old.id)))::text); return null; end $$;
create trigger tutti_tell after insert or update or delete on article for each row execute function tutti_tell();`

// house is a source over a database, whose messages a test waits for.
type house struct {
	*sources.Sources
	heard, lost chan struct{}
}

// telling tells when a message has had its effect.
type telling struct {
	sources.Database
	h *house
}

func (l telling) Listen(ctx context.Context, channel string, heard func(string), lost func()) {
	l.Database.Listen(ctx, channel, func(m string) { heard(m); l.h.heard <- struct{}{} }, func() { lost(); l.h.lost <- struct{}{} })
}

func openHouse(t *testing.T, address string) *house {
	t.Helper()
	h := &house{heard: make(chan struct{}, 100), lost: make(chan struct{}, 100)}
	var err error
	h.Sources, err = sources.Open([]config.Source{{
		Name: "db", Connector: "postgres", Secrets: map[string]tutti.Secret{"url": tutti.NewSecret(address)}, AllowPrivate: []string{"localhost"},
		Kinds:  map[string]config.KindConfig{"article": {Access: tutti.AccessPublic}},
		Limits: config.SourceLimits{Timeout: 10 * time.Second, SoftTimeout: 10 * time.Second, Concurrency: 4, MaxBytes: 1 << 20},
	}}, sources.Deps{Database: func(c sources.DatabaseConfig) (sources.Database, error) {
		db, err := Opener(nil)(c)
		return telling{db, h}, err
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.Close)
	return h
}

func (h *house) get(t *testing.T, ids ...string) []tutti.Got {
	refs := make([]tutti.Ref, len(ids))
	for i, id := range ids {
		refs[i] = tutti.Ref{Source: "db", Kind: "article", ID: id}
	}
	return h.Get(t.Context(), refs, tutti.Scope{})
}

func TestASourceOverADatabase(t *testing.T) {
	address, exec := server(t)
	exec(content)
	h := openHouse(t, address)
	got := h.get(t, "3", "4711", "5", "no number")
	if got[0].Resource == nil || got[0].Resource.Fields.Text("title") != "Article 3" || got[2].Resource == nil {
		t.Fatalf("it came as %+v", got)
	}
	if tutti.CodeOf(got[1].Err) != tutti.NotFound || got[3].Resource != nil || got[3].Err == nil {
		t.Errorf("what is not there came as %v and %v", got[1].Err, got[3].Err)
	}
	r := got[0].Resource
	if r.Fields.Get("body").(tutti.RichText).Plain != "About ships" || r.Fields.Get("updatedAt") != time.Date(2026, 11, 1, 11, 0, 0, 123456000, time.UTC) {
		t.Errorf("the record is %s", r.Raw)
	}
	if err := h.Check(t.Context(), "db"); err != nil {
		t.Error(err)
	}
	for _, c := range []struct {
		s    tutti.Selection
		want int
	}{
		{tutti.Selection{First: 7}, 25},
		{tutti.Selection{First: 7, Sort: "title"}, 25},
		{tutti.Selection{First: 3, Filter: map[string]any{"section": "s1"}}, 9},
		{tutti.Selection{First: 3, Text: "About TULIPS", Sort: "title"}, 12},
		{tutti.Selection{First: 3, Text: "tulips", Filter: map[string]any{"tag": "t2", "section": "s0"}}, 1},
		{tutti.Selection{First: 3, Filter: map[string]any{"section": "s1' or '1'='1"}}, 0},
		{tutti.Selection{First: 3, Text: "100%"}, 0},
	} {
		c.s.Source, c.s.Kind = "db", "article"
		var ids []string
		for pages := 0; pages < 20; pages++ {
			page, err := h.Select(t.Context(), c.s, tutti.Scope{})
			if err != nil {
				t.Fatal(err)
			}
			for _, g := range page.Items {
				ids = append(ids, g.Resource.Ref.ID)
			}
			if c.s.After = page.Next; page.Next == "" {
				break
			}
		}
		slices.Sort(ids)
		if n := len(ids); n != c.want || len(slices.Compact(ids)) != n {
			t.Errorf("%+v gives %d, want %d: %v", c.s, n, c.want, ids)
		}
	}
}

// TestADatabaseKeepsTheContract asks a real database all that can be asked of one.
func TestADatabaseKeepsTheContract(t *testing.T) {
	address, exec := server(t)
	exec(content)
	sys, err := contract.New(contract.System{
		Source:   config.Source{Connector: "postgres", Secrets: map[string]tutti.Secret{"url": tutti.NewSecret(address)}, AllowPrivate: []string{"localhost"}},
		Database: Opener(nil), Patience: 2 * time.Second,
		Kinds: map[string]contract.Kind{"article": {IDs: []string{"3", "4", "5"}, Missing: "990001", Changes: &recording.Since{Since: time.Date(2026, 11, 1, 21, 30, 0, 0, time.UTC), Finds: []string{"24", "25"}}, Selections: []recording.Selection{
			{Text: "About TULIPS", Sort: "title", Finds: []string{"10", "12", "14", "16", "18"}}, {Filter: map[string]any{"section": "s1", "tag": "t2"}, Sort: "-updated", Finds: []string{"22", "7"}},
		}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	passed := 0
	for _, r := range sys.AskAll(t.Context()) {
		switch r.Outcome {
		case contract.Failed:
			t.Errorf("%s: %s: %s", r.Question, r.Place, strings.Join(r.Why, "\n\t"))
		case contract.Passed:
			passed++
		case contract.Cannot:
			t.Logf("%s: %s", r.Question, strings.Join(r.Why, "; "))
		}
	}
	if passed < 18 {
		t.Errorf("%d questions passed", passed)
	}
}

// TestIdsThatADatabaseCannotRead asks for ids that are no numbers, also beside arguments that are wrong, and for a row
// that cannot be computed.
func TestIdsThatADatabaseCannotRead(t *testing.T) {
	address, exec := server(t)
	exec(`create table thing (id int primary key, title text, divisor int)`)
	exec(`insert into thing values (1, 'One', 1), (2, 'Two', 0), (3, 'Three', 1)`)
	m, err := sources.ParseManifest("things.yaml", []byte(`
name: things
protocol: sql
settings: {least: {description: The least divisor., default: "0"}}
secrets: {url: {description: The address.}}
url: ${secrets.url}
kinds:
  thing:
    type: Record
    batch: {sql: "select id, title, 1 / divisor as part from thing where id = any($ids) and divisor >= $least", maxIds: 100}
    map: {title: record.title}
`))
	if err != nil {
		t.Fatal(err)
	}
	get := func(least string, ids ...string) (codes []tutti.Code) {
		t.Helper()
		all, err := sources.Open([]config.Source{{
			Name: "db", Settings: map[string]string{"least": least}, Secrets: map[string]tutti.Secret{"url": tutti.NewSecret(address)}, AllowPrivate: []string{"localhost"},
			Kinds: map[string]config.KindConfig{"thing": {Access: tutti.AccessPublic}},
		}}, sources.Deps{Manifest: m, Database: Opener(nil)})
		if err != nil {
			t.Fatal(err)
		}
		defer all.Close()
		refs := make([]tutti.Ref, len(ids))
		for i, id := range ids {
			refs[i] = tutti.Ref{Source: "db", Kind: "thing", ID: id}
		}
		for _, g := range all.Get(t.Context(), refs, tutti.Scope{}) {
			codes = append(codes, tutti.CodeOf(g.Err))
		}
		return codes
	}
	for _, c := range []struct {
		least string
		ids   []string
		want  []tutti.Code
	}{
		{"0", []string{"1", "x", "3", "99999999999"}, []tutti.Code{"", tutti.NotFound, "", tutti.NotFound}},
		{"0", []string{"1", "2", "3"}, []tutti.Code{"", tutti.BadAnswer, ""}},
		{"0", []string{"2"}, []tutti.Code{tutti.BadAnswer}},
		{"none", []string{"1"}, []tutti.Code{tutti.BadAnswer}},
	} {
		if got := get(c.least, c.ids...); !slices.Equal(got, c.want) {
			t.Errorf("at least %s, %v comes to %q, want %q", c.least, c.ids, got, c.want)
		}
	}
}

// TestWhatADatabaseNotifiesIsForgotten changes rows, and ends the connection on which it is told.
func TestWhatADatabaseNotifiesIsForgotten(t *testing.T) {
	address, exec := server(t)
	exec(content)
	h := openHouse(t, address)
	h.Watch()
	<-h.lost
	title := func(id string) string {
		g := h.get(t, id)[0]
		if g.Resource == nil {
			return string(tutti.CodeOf(g.Err))
		}
		return g.Resource.Fields.Text("title")
	}
	title("1")
	title("2")
	exec(`update article set title = 'Changed' where id = 1`)
	<-h.heard
	if got := title("1"); got != "Changed" {
		t.Errorf("after a change it is %q", got)
	}
	if g := h.get(t, "2")[0]; !g.Cached {
		t.Error("another row was forgotten too")
	}
	exec(`delete from article where id = 1`)
	<-h.heard
	if got := title("1"); got != "NOT_FOUND" {
		t.Errorf("after it was deleted it is %q", got)
	}
	exec(`select pg_notify('tutti_content', 'anything')`)
	<-h.heard
	if g := h.get(t, "2")[0]; g.Cached {
		t.Error("a message that cannot be read forgot nothing")
	}
	conn, err := pgx.Connect(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	if _, err := conn.Exec(t.Context(), `select pg_terminate_backend(pid) from pg_stat_activity where query = 'listen "tutti_content"'`); err != nil {
		t.Fatal(err)
	}
	exec(`alter table article disable trigger tutti_tell`)
	exec(`update article set title = 'Unheard' where id = 2`)
	<-h.lost
	if got := title("2"); got != "Unheard" {
		t.Errorf("what nobody heard is %q", got)
	}
}
