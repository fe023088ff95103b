//go:build e2e

package e2e

import (
	"fmt"
	"net"
	"path/filepath"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// exec runs a statement on the cluster.
func (c *cluster) exec(statement string) {
	c.t.Helper()
	conn, err := pgx.Connect(c.t.Context(), c.address())
	if err != nil {
		c.t.Fatal(err)
	}
	defer conn.Close(c.t.Context())
	if _, err := conn.Exec(c.t.Context(), statement); err != nil {
		c.t.Fatal(err)
	}
}

// knocks stands in for a server that is gone, and returns when so many connections were begun, and ended at once.
func (c *cluster) knocks(n int) {
	c.t.Helper()
	door, err := net.Listen("unix", filepath.Join(c.dir, ".s.PGSQL.5432"))
	if err != nil {
		c.t.Fatal(err)
	}
	defer door.Close()
	_ = door.(*net.UnixListener).SetDeadline(time.Now().Add(time.Minute))
	for range n {
		conn, err := door.Accept()
		if err != nil {
			c.t.Fatal(err)
		}
		conn.Close()
	}
}

// TestRealPostgres assembles a page of the rows of a database, whose server is killed and started again, and then does nothing
// for a while.
func TestRealPostgres(t *testing.T) {
	c := startCluster(t)
	c.exec(articles)
	h := startHouse(t, house{
		env:   []string{"CONTENT_URL=" + c.address()},
		files: map[string]string{"tutti.yaml": libraryConfig, "content/compositions/articles.yaml": libraryPage},
	})
	look := func() (x realPage, one, two *item) {
		t.Helper()
		x = h.experience(t, "articles", nil)
		return x, x.Components[0].Resource, x.Components[1].Resource
	}
	shows := func(what string, limit time.Duration, title string) {
		t.Helper()
		within(t, limit, what, func() (string, bool) {
			_, one, _ := look()
			return fmt.Sprint(one), one != nil && one.Title == title && one.Freshness.State == "FRESH"
		})
	}

	forget := func() {
		t.Helper()
		ask(t, h.url, h.management, `mutation { invalidate(refs: ["content:article/1"], reason: "a test") { mode } }`, nil, nil)
	}

	x, one, two := look()
	if one == nil || one.Title != "Article 1" || two == nil || len(x.Components[2].Resources.Nodes) != 5 || len(x.Problems) != 0 {
		t.Fatalf("the page is %+v", x)
	}
	c.exec(`update article set title = 'Heard' where id = 1`)
	shows("what the database tells of is there", 2*time.Second, "Heard")

	c.exec(`alter table article disable trigger tutti_tell`)
	c.exec(`update article set title = 'Unheard' where id = 2`)
	if _, _, two := look(); two.Title != "Article 2" {
		t.Errorf("what nobody told of is there: %+v", two)
	}
	c.kill()
	forget()
	x, one, two = look()
	if one == nil || one.Title != "Heard" || one.Freshness.State != "STALE_ERROR" || two == nil || two.Title != "Article 2" || len(x.Components[2].Resources.Nodes) != 5 {
		t.Errorf("while the server is down, what is kept comes as %+v, %+v", one, two)
	}
	if len(x.Problems) == 0 || x.Problems[0].Code != "UNAVAILABLE" || !x.Problems[0].Stale {
		t.Errorf("while the server is down, the problems are %+v", x.Problems)
	}
	c.knocks(5) // it has waited longer from one time to the next
	c.start()
	within(t, 5*time.Second, "started again, everything is fresh, also what changed without being told", func() (string, bool) {
		x, one, two := look()
		return fmt.Sprint(one, two, x.Problems), one.Freshness.State == "FRESH" && two.Title == "Unheard" && x.Freshness.State == "FRESH"
	})
	c.exec(`alter table article enable trigger tutti_tell`)
	c.exec(`update article set title = 'Heard again' where id = 1`)
	shows("the database is heard again", 2*time.Second, "Heard again")

	c.freeze() // nobody refuses, nobody answers
	forget()
	began := time.Now()
	if x, one, _ := look(); one == nil || one.Title != "Heard again" || one.Freshness.State == "FRESH" || len(x.Components[2].Resources.Nodes) != 5 {
		t.Errorf("while the server does nothing, it is %+v, with %+v", one, x.Problems)
	}
	t.Logf("a page over a frozen server took %s", time.Since(began).Round(time.Millisecond))
	c.thaw()
	shows("the server goes on", 10*time.Second, "Heard again")
}

// articles is what docs/manifests.md says of the connector postgres.
const articles = `
create table article (id int primary key, title text not null, body text, excerpt text, section text, tags text[] not null default '{}',
	link text, picture text, published_at timestamptz, updated_at timestamptz not null default now(), data jsonb);
create view tutti_article as select * from article;
insert into article (id, title, body) select n, 'Article ' || n, '<p>About it</p>' from generate_series(1, 25) as n;
create function tutti_tell() returns trigger language plpgsql as $$ begin
	perform pg_notify('tutti_content', json_build_object('kind', 'article', 'ids', json_build_array(coalesce(new.id, old.id)))::text); return null; end $$;
create trigger tutti_tell after insert or update or delete on article for each row execute function tutti_tell();`

const libraryConfig = `
budgets: {page: 20s, wave: 20s, learn: 20s}
locales: {default: en, names: [en]}
markets:
  eu: {currency: EUR}
sources:
  content:
    connector: postgres
    secrets: {url: "${CONTENT_URL}"}
    allowPrivate: [localhost]
    freshness: {fresh: 1h, stale: 1h, staleIfError: 24h, negative: 1s}
    limits: {timeout: 5s, softTimeout: 1s}
    kinds:
      article: {access: public}
` + storyTypes

// storyTypes are what pages of articles are made of.
const storyTypes = `
channels:
  web: {widths: [320], formats: [jpeg]}
componentTypes:
  Story:
    version: 1
    props:
      item: {type: resource, accepts: [Article]}
  Stories:
    version: 1
    props:
      items: {type: resources, accepts: [Article], first: 20}
compositionTypes:
  page:
    version: 1
    slots:
      main: {}
`

const libraryPage = `
id: articles
type: page
title: From the database
slots:
  - id: main
    name: main
    components:
      - {id: one, type: Story, props: {item: {ref: "content:article/1"}}}
      - {id: two, type: Story, props: {item: {ref: "content:article/2"}}}
      - {id: latest, type: Stories, props: {items: {select: {source: content, kind: article, sort: title, first: 5}}}}
`
