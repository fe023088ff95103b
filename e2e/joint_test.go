//go:build e2e

package e2e

import (
	"fmt"
	"maps"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// four are a shop, a library, a tracker and a network that one page is made of.
type four struct {
	shop    *shop
	library *library
	tracker *tracker
	network *network
	ways    map[string]*way // by the source's name
}

// startFour starts them. What posts webhooks posts them to listen. The shop's products have their pictures in
// the library: their descriptions show them, as editors paste them.
func startFour(t *testing.T, listen string) *four {
	t.Helper()
	hook := "http://" + listen + "/webhooks/"
	f := &four{shop: startShop(t, hook+"catalog"), library: startLibrary(t, hook+"cms"), tracker: startTracker(t, hook+"support"), network: startNetwork(t, "")}
	f.ways = map[string]*way{"catalog": startWay(t, f.shop.url), "cms": startWay(t, f.library.url), "support": startWay(t, f.tracker.url), "social": startWay(t, f.network.url)}
	f.ways["social"].poll = "filter=posts_with_replies"
	swallows(t, listen, 5, func() { // what comes of it later would count as calls
		f.shop.speaksGerman()
		for n := range 3 {
			picture := `<p>It looks so: <img src="` + f.library.url + `/assets/` + fileID(n+1) + `"></p>`
			words := []any{map[string]any{"languageCode": "en", "description": picture}}
			if n == 0 {
				words = append(words, map[string]any{"languageCode": "de", "description": picture})
			}
			f.shop.must(`mutation($p: UpdateProductInput!) { updateProduct(input: $p) { id } }`, map[string]any{"p": map[string]any{"id": fmt.Sprint(n + 1), "translations": words}}, nil)
		}
	})
	return f
}

// swallows takes what is posted to an address while something is done, and returns when so much has come.
func swallows(t *testing.T, listen string, posts int, do func()) {
	t.Helper()
	at, err := net.Listen("tcp", listen)
	if err != nil {
		t.Fatal(err)
	}
	came := make(chan struct{}, 100)
	srv := &http.Server{Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) { came <- struct{}{} })}
	go func() { _ = srv.Serve(at) }()
	defer srv.Close()
	do()
	deadline := time.After(30 * time.Second)
	for range posts {
		select {
		case <-came:
		case <-deadline:
			t.Fatal("the systems did not post what was changed")
		}
	}
}

// house is a server over the four, which knows RT by the token.
func (f *four) house(t *testing.T, listen, token string) *house {
	t.Helper()
	return startHouse(t, house{
		listen: listen,
		env: []string{
			"SHOP_URL=" + f.ways["catalog"].url, "CMS_URL=" + f.ways["cms"].url, "CMS_PUBLIC=" + f.library.url, "RT_URL=" + f.ways["support"].url, "APPVIEW_URL=" + f.ways["social"].url,
			"CMS_TOKEN=" + readersToken, "RT_TOKEN=" + token, "HOOK_SECRET=" + hookSecret,
		},
		files: map[string]string{"tutti.yaml": jointConfig, "shop.yaml": shopManifest(t), "content/compositions/joint.yaml": jointPage, "content/personas/ana.yaml": "visitor: ana@example.test\n"},
	})
}

// shopManifest is the manifest of Vendure for a shop that has its pictures elsewhere: it differs in two lines.
func shopManifest(t *testing.T) string {
	t.Helper()
	own, err := os.ReadFile("../sources/vendors/vendure.yaml")
	if err != nil {
		t.Fatal(err)
	}
	text := string(own)
	for was, is := range map[string]string{
		"settings:\n": "settings:\n  library: {description: Where visitors see the pictures., required: true, example: https://cms.example.com}\n",
		`image: {value: "path(record, 'featuredAsset.id') != null ? record.id : null", kind: picture}`: `image: {value: record.description, link: "${settings.library}/assets/", kind: cms:asset}`,
	} {
		if strings.Count(text, was) != 1 {
			t.Fatalf("the manifest of Vendure holds %d times  %s", strings.Count(text, was), was)
		}
		text = strings.Replace(text, was, is, 1)
	}
	return text
}

// calls are the calls of each source since it was asked last; sources that got none are left out.
func (f *four) calls() map[string]int {
	n := map[string]int{}
	for name, w := range f.ways {
		for _, answers := range w.take() {
			n[name] += answers
		}
	}
	return n
}

// joint is what the page shows; what is missing is empty.
type joint struct {
	realPage
	laptop, story      *item
	shelf, posts, mine []*item
}

func (h *house) joint(t *testing.T, vars map[string]any) (x joint) {
	t.Helper()
	x.realPage = h.experience(t, "joint", vars)
	for _, c := range x.Components {
		list := []*item(nil)
		if c.Resources != nil {
			list = c.Resources.Nodes
		}
		switch c.Component {
		case "laptop":
			x.laptop = c.Resource
		case "story":
			x.story = c.Resource
		case "shelf":
			x.shelf = list
		case "posts":
			x.posts = list
		case "mine":
			x.mine = list
		}
	}
	return x
}

// TestOnePageOfFourSystems assembles one page of a real Vendure, Directus, Request Tracker and Bluesky by one
// query, follows a change in each of them, and lets one of them refuse, and another die.
func TestOnePageOfFourSystems(t *testing.T) {
	listen := "127.0.0.1:" + freePort(t)
	began := time.Now()
	f := startFour(t, listen)
	t.Logf("the four systems run after %s", time.Since(began).Round(100*time.Millisecond))
	h := f.house(t, listen, f.tracker.token)
	as := func(visitor string) map[string]any {
		return map[string]any{"context": map[string]any{"visitor": visitor}}
	}
	const ana, ben = "ana@example.test", "ben@example.test"
	f.calls()

	x := h.joint(t, as(ana))
	t.Run("one query", func(t *testing.T) {
		if len(x.Problems) != 0 || x.Freshness.State != "FRESH" {
			t.Errorf("it is %s, with the problems %+v", x.Freshness.State, x.Problems)
		}
		if p := x.laptop; p == nil || p.Title != "Laptop" || p.Price == nil || p.Price.Currency != "USD" || p.Image == nil || p.Image.Ref != "cms:asset/"+fileID(1) || p.Image.Alt != "What picture 1 shows" {
			t.Fatalf("the product of the shop with its picture of the library is %+v", p)
		}
		if width, height, kind := picture(t, x.laptop.Image.Crop); width != 320 || height != 180 || kind != "image/jpeg" {
			t.Errorf("%s is a %d × %d %s", x.laptop.Image.Crop, width, height, kind)
		}
		if len(x.shelf) != 2 || x.shelf[1].Price == nil || x.shelf[1].Image == nil || x.shelf[1].Image.Ref != "cms:asset/"+fileID(3) {
			t.Errorf("the other products are %+v", x.shelf)
		}
		if a := x.story; a == nil || a.Title != "Article 4" || a.Body == nil || a.Body.Plain == "" || a.Image == nil || a.Image.Title != "Picture 4" {
			t.Errorf("the article is %+v", a)
		}
		if len(x.posts) != 2 || x.posts[0].Text == nil || x.posts[0].Text.Plain != "The last of the tulips" {
			t.Errorf("the posts are %+v", x.posts)
		}
		for _, ticket := range x.mine {
			if ticket.Fields["requester"] != ana {
				t.Errorf("among the tickets of %s is %+v", ana, ticket)
			}
		}
		if len(x.mine) != 4 {
			t.Errorf("the visitor's tickets are %+v", x.mine)
		}
		// Three products at once; an article, and in the next wave four pictures at once, the products' among
		// them; a list that only knows ids, and the posts; a list that has everything.
		if n, want := f.calls(), map[string]int{"catalog": 1, "cms": 2, "social": 2, "support": 1}; !maps.Equal(n, want) {
			t.Errorf("it took the calls %v, want %v", n, want)
		}
		h.joint(t, as(ana))
		if n := f.calls(); len(n) != 0 {
			t.Errorf("asking again took the calls %v", n)
		}
	})
	t.Run("in German", func(t *testing.T) {
		vars := as(ana)
		vars["l"] = "de"
		x := h.joint(t, vars)
		if x.laptop == nil || x.laptop.Title != "Klapprechner" || x.laptop.Image == nil || x.story == nil || x.story.Title != "Artikel 4" || len(x.posts) != 2 || len(x.mine) != 4 {
			t.Errorf("it is %+v", x)
		}
		// What has no languages is not asked for again.
		if n, want := f.calls(), map[string]int{"catalog": 1, "cms": 1}; !maps.Equal(n, want) {
			t.Errorf("it took the calls %v, want %v", n, want)
		}
	})
	t.Run("whose tickets", func(t *testing.T) {
		if x := h.joint(t, as(ben)); len(x.mine) == 0 || slices.ContainsFunc(x.mine, func(i *item) bool { return i.Fields["requester"] != ben }) || x.laptop == nil {
			t.Errorf("to %s it is %+v", ben, x)
		}
		if n, want := f.calls(), map[string]int{"support": 1}; !maps.Equal(n, want) {
			t.Errorf("it took the calls %v, want %v", n, want)
		}
		if x := h.joint(t, nil); len(x.mine) != 0 || x.laptop == nil || x.story == nil || len(x.posts) != 2 {
			t.Errorf("to a guest it is %+v", x)
		}
		if n := f.calls(); len(n) != 0 {
			t.Errorf("the guest took the calls %v", n)
		}
		why := h.explains(t, "mine", nil)
		if why.shown || why.Variant != "strangers" || len(why.Rules) != 2 || why.Rules[0].Result != "UNKNOWN" || why.Rules[0].Attributes[0] != (attributeRead{"visitor", false}) {
			t.Errorf("why a guest sees none: %+v", why)
		}
		why = h.explains(t, "mine", map[string]any{"persona": "ana"})
		if !why.shown || why.Variant != "guest" || why.Reason != "TARGETING_MATCH" || !slices.Equal(why.sources, []string{"support"}) {
			t.Errorf("why %s sees some: %+v", ana, why)
		}
	})
	t.Run("a change in each", func(t *testing.T) {
		shows := func(what, want string, got func(x joint) string) {
			t.Helper()
			within(t, 10*time.Second, what, func() (string, bool) {
				is := got(h.joint(t, as(ana)))
				return is, is == want
			})
		}
		f.shop.must(`mutation { updateProduct(input: {id: "1", translations: [{languageCode: en, name: "Notebook"}]}) { id } }`, nil, nil)
		shows("Vendure: a name, by webhook", "Notebook", func(x joint) string { return x.laptop.Title })
		if err := f.library.change(t.Context(), "asset", fileID(1), map[string]any{"description": "Something else"}); err != nil {
			t.Fatal(err)
		}
		shows("Directus: a picture of a product, by webhook", "Something else", func(x joint) string { return x.laptop.Image.Alt })
		ticket := strings.TrimPrefix(x.mine[1].Ref, "support:ticket/")
		if err := f.tracker.change(t.Context(), "ticket", ticket, map[string]any{"Subject": "Asked anew"}); err != nil {
			t.Fatal(err)
		}
		shows("Request Tracker: a ticket, by webhook", "Asked anew", func(x joint) string { return x.mine[0].Title })
		call(t, http.MethodPost, f.network.pds+"/xrpc/com.atproto.repo.createRecord", f.network.as(t, "ana"), map[string]any{"repo": f.network.state.People["ana"], "collection": "app.bsky.feed.post", "record": map[string]any{
			"$type": "app.bsky.feed.post", "text": "Fresh from the canal", "createdAt": time.Now().UTC().Format(time.RFC3339),
		}}, nil)
		shows("Bluesky: a post, by polling", "Fresh from the canal", func(x joint) string { return x.posts[0].Text.Plain })
	})
	t.Run("wrong credentials of one", func(t *testing.T) {
		x := f.house(t, "", "1-14-0123456789abcdef0123456789abcdef").joint(t, as(ana))
		if len(x.mine) != 0 || len(x.Problems) != 1 || x.Problems[0].Code != "UNAVAILABLE" || !strings.HasPrefix(x.Problems[0].Path, "slots.main[4]") {
			t.Errorf("with a wrong token of RT come the tickets %+v and the problems %+v", x.mine, x.Problems)
		}
		if x.laptop == nil || x.laptop.Image == nil || x.story == nil || len(x.posts) != 2 {
			t.Errorf("with a wrong token of RT come %+v", x)
		}
	})
	t.Run("one killed and started again", func(t *testing.T) {
		f.library.kill()
		h.invalidate(t, "cms")
		x := h.joint(t, as(ana))
		if x.Freshness.State != "STALE_ERROR" || x.laptop == nil || x.laptop.Freshness.State != "FRESH" || x.laptop.Image == nil || x.laptop.Image.Freshness.State != "STALE_ERROR" ||
			x.story == nil || x.story.Freshness.State != "STALE_ERROR" || x.story.Image == nil || len(x.posts) != 2 || len(x.mine) != 4 {
			t.Errorf("while the library is down it is %+v", x)
		}
		if len(x.Problems) == 0 || slices.ContainsFunc(x.Problems, func(p pageProblem) bool {
			return !p.Stale || p.Code != "UNAVAILABLE" || !strings.HasPrefix(p.Ref, "cms:")
		}) {
			t.Errorf("while the library is down, the problems are %+v", x.Problems)
		}
		t.Logf("started again in %s", f.library.start().Round(time.Millisecond))
		within(t, 5*time.Second, "started again, everything is fresh", func() (string, bool) {
			x := h.joint(t, as(ana))
			return fmt.Sprint(x.Freshness.State, x.Problems), x.Freshness.State == "FRESH" && len(x.Problems) == 0
		})
	})
}

// explained is why a component is there, or not.
type explained struct {
	shown   bool
	sources []string // that it was made of
	decision
}

type decision struct {
	Variant, Reason string
	Rules           []struct {
		Variant, Result string
		Attributes      []attributeRead
	}
}

type attributeRead struct {
	Name  string
	Known bool
}

// explains asks for the page as a preview, and gives why a component is there or not.
func (h *house) explains(t *testing.T, component string, preview map[string]any) (why explained) {
	t.Helper()
	const query = `query($p: PreviewInput) { experience(composition: "joint", channel: "web", preview: $p) { slots {
		leftOut { component why { ...Why } } components { component why { ...Why } origins { source } resources(prop: "items") { nodes { ref } } } } } }
		fragment Why on Decision { variant reason rules { variant result attributes { name known } } }`
	type part struct {
		Component string
		Why       decision
		Origins   []struct{ Source string }
	}
	var x struct {
		Experience struct {
			Slots []struct{ LeftOut, Components []part }
		}
	}
	ask(t, h.url, h.management, query, map[string]any{"p": preview}, &x)
	main := x.Experience.Slots[0]
	for i, p := range slices.Concat(main.Components, main.LeftOut) {
		if p.Component != component {
			continue
		}
		why.shown, why.decision = i < len(main.Components), p.Why
		for _, o := range p.Origins {
			why.sources = append(why.sources, o.Source)
		}
	}
	why.sources = slices.Compact(why.sources)
	return why
}

// jointConfig has the four systems; everybody sees three of them, and of the tracker people see their own.
var jointConfig = `
budgets: {page: 20s, wave: 20s, learn: 20s}
locales: {default: en, names: [en, de]}
markets:
  us: {currency: USD}
sources:
  catalog:
    connector: ./shop.yaml
    url: ${SHOP_URL}
    settings: {currencies: USD, library: "${CMS_PUBLIC}"}
    allowPrivate: [127.0.0.1]
    webhook: {secret: "${HOOK_SECRET}"}
    freshness: {fresh: 1h, stale: 1h, staleIfError: 24h, negative: 1s}
    limits: {timeout: 15s, softTimeout: 15s}
    kinds:
      product: {access: public}
  cms:
    connector: directus
    url: ${CMS_URL}
    settings: {public: "${CMS_PUBLIC}", image: hero}
    secrets: {token: "${CMS_TOKEN}"}
    allowPrivate: [127.0.0.1]
    webhook: {secret: "${HOOK_SECRET}"}
    freshness: {fresh: 1h, stale: 1h, staleIfError: 24h, negative: 1s}
    limits: {timeout: 15s, softTimeout: 15s}
    kinds:
      asset: {access: public}
      article: {access: public}
  social:
    connector: bluesky
    url: ${APPVIEW_URL}
    settings: {watch: ana.test}
    allowPrivate: [127.0.0.1]
    freshness: {fresh: 1h, stale: 1h, staleIfError: 24h, negative: 1s}
    limits: {timeout: 15s, softTimeout: 15s}
    kinds:
      post: {access: public, poll: ` + pollEvery.String() + `}
  support:
    connector: rt
    url: ${RT_URL}
    secrets: {token: "${RT_TOKEN}"}
    visitor: lower(visitor)
    allowPrivate: [127.0.0.1]
    webhook: {secret: "${HOOK_SECRET}"}
    freshness: {fresh: 1h, stale: 1h, staleIfError: 24h, negative: 1s}
    limits: {timeout: 15s, softTimeout: 15s}
    kinds:
      ticket: {access: visitor, owner: requester}
channels:
  web: {widths: [320], formats: [jpeg]}
componentTypes:
  One:
    version: 1
    props:
      item: {type: resource, accepts: [Product, Article]}
  Many:
    version: 1
    props:
      items: {type: resources, accepts: [Product, SocialPost, SupportTicket], first: 10}
compositionTypes:
  page:
    version: 1
    slots:
      main: {}
`

const jointPage = `
id: joint
type: page
title: All together
slots:
  - id: main
    name: main
    components:
      - {id: laptop, type: One, props: {item: {ref: "catalog:product/1"}}}
      - {id: shelf, type: Many, props: {items: {refs: ["catalog:product/2", "catalog:product/3"]}}}
      - {id: story, type: One, props: {item: {ref: "cms:article/11111111-0000-4000-8000-000000000004"}}}
      - {id: posts, type: Many, props: {items: {select: {source: social, kind: post, filter: {author: ana.test}, first: 3}}}} # one of them is a repetition, which is no post
      - id: mine
        type: Many
        props: {items: {select: {source: support, kind: ticket, sort: -updated, first: 4}}}
        variants:
          - {name: guest, rule: "visitor != ''"}
          - {name: strangers, hide: true}
`
