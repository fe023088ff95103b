package graph

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/cache"
)

const arrivalText = `query Arrival($context: ContextInput) { experience(composition: "arrival", channel: "web", context: $context) { id } }`

// delivered is an answer of shared parts, read a moment ago, fresh for 40 s.
func delivered() Delivery {
	return Delivery{
		Shared: true, FreshUntil: noon.Add(40 * time.Second), AsOf: noon.Add(-20 * time.Second), State: tutti.Fresh, Hit: true,
		Marks: marksOf("stay:hotel/azul", "stay:hotel", CompositionTag("arrival")),
	}
}

func marksOf(tags ...string) []uint32 {
	var marks []uint32
	for _, t := range tags {
		marks = append(marks, cache.Mark(t))
	}
	return marks
}

// raw sends a request with exactly these headers and gives the body as it came.
func (h *house) raw(method, path string, class tutti.KeyClass, body string, header ...string) (int, http.Header, []byte) {
	h.t.Helper()
	r, err := http.NewRequest(method, h.http.URL+path, strings.NewReader(body))
	if err != nil {
		h.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+h.keys[class])
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	resp, err := (&http.Transport{DisableCompression: true}).RoundTrip(r)
	if err != nil {
		h.t.Fatal(err)
	}
	defer resp.Body.Close()
	b := make([]byte, 0, 1<<10)
	for {
		n, err := resp.Body.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		if err != nil {
			return resp.StatusCode, resp.Header, b
		}
		b = append(b, 0)[:len(b)]
	}
}

func (h *house) arrival(class tutti.KeyClass, header ...string) (int, http.Header, []byte) {
	h.t.Helper()
	return h.raw("GET", "/graphql?query="+url.QueryEscape(arrivalText), class, "", header...)
}

func caching(c *GenerationConfig) { c.Caching = Caching{Client: 30 * time.Second, Shared: time.Hour} }

// TestCacheControl: who asks and what the answer is made of decide who may keep it.
func TestCacheControl(t *testing.T) {
	personal, unshared, unknown, timed, over, stale, missing := delivered(), delivered(), delivered(), delivered(), delivered(), delivered(), delivered()
	personal.Personal = true
	unshared.Shared = false
	unknown.FreshUntil = time.Time{}
	timed.ValidUntil = noon.Add(5 * time.Second)
	over.FreshUntil = noon.Add(500 * time.Millisecond)
	stale.State, stale.FreshUntil, stale.AsOf = tutti.StaleError, noon.Add(-time.Minute), noon.Add(-2*time.Minute)
	missing.State = tutti.Missing
	long := delivered()
	long.FreshUntil = noon.Add(24 * time.Hour)
	for _, c := range []struct {
		name     string
		delivery *Delivery
		class    tutti.KeyClass
		token    bool
		want     string
		tags     bool
	}{
		{"shared, a browser key", ptr(delivered()), tutti.BrowserKey, false, "public, max-age=30, s-maxage=40", true},
		{"shared, fresh for long", &long, tutti.BrowserKey, false, "public, max-age=30, s-maxage=3600", true},
		{"shared until a window ends", &timed, tutti.BrowserKey, false, "public, max-age=5, s-maxage=5", true},
		{"shared, a server key", ptr(delivered()), tutti.ServerKey, false, "private, max-age=30", false},
		{"shared, a visitor's token", ptr(delivered()), tutti.BrowserKey, true, "private, no-cache", false},
		{"shared, a server key with a visitor's token", ptr(delivered()), tutti.ServerKey, true, "private, no-cache", false},
		{"with a personal part", &personal, tutti.BrowserKey, true, "private, no-cache", false},
		{"personal though nobody was named", &personal, tutti.BrowserKey, false, "private, no-cache", false},
		{"not known to be shared", &unshared, tutti.BrowserKey, false, "private, no-cache", false},
		{"nobody knows how fresh", &unknown, tutti.BrowserKey, false, "public, no-cache", true},
		{"nearly over", &over, tutti.BrowserKey, false, "public, no-cache", true},
		{"nearly over, a server key", &over, tutti.ServerKey, false, "private, no-cache", false},
		{"stale", &stale, tutti.BrowserKey, false, "public, no-cache", true},
		{"something is missing", &missing, tutti.BrowserKey, false, "public, no-cache", true},
		{"previewed", ptr(delivered()), tutti.PreviewKey, false, "no-store", false},
		{"managed", ptr(delivered()), tutti.ManagementKey, false, "no-store", false},
		{"nothing is said", nil, tutti.BrowserKey, false, "no-store", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := newHouse(t, caching, func(g *GenerationConfig) { g.Visitors = sharedVerifier(t) })
			h.resolver.delivery = c.delivery
			var header []string
			if c.token {
				header = []string{VisitorHeader, sign(t, jwt.SigningMethodHS256, "", []byte(shared), claims(nil))}
			}
			status, got, _ := h.arrival(c.class, header...)
			if status != 200 || got.Get("Cache-Control") != c.want {
				t.Errorf("%d, Cache-Control %q, want %q", status, got.Get("Cache-Control"), c.want)
			}
			if tagged := got.Get("Surrogate-Key") != "" && got.Get("Cache-Tag") != ""; tagged != c.tags {
				t.Errorf("tags: %q, %q", got.Get("Surrogate-Key"), got.Get("Cache-Tag"))
			}
			if kept := got.Get("ETag") != ""; kept != (c.want != "no-store") {
				t.Errorf("ETag %q", got.Get("ETag"))
			}
			if got.Get("Vary") != varies {
				t.Errorf("Vary %q", got.Get("Vary"))
			}
		})
	}
}

func ptr[T any](v T) *T { return &v }

// TestOnlyWholeAnswersToGetMayBeKept: POST stays cheap, and what failed is asked for again.
func TestOnlyWholeAnswersToGetMayBeKept(t *testing.T) {
	h := newHouse(t, caching)
	d := delivered()
	h.resolver.delivery = &d
	get := func(query string) (int, http.Header, []byte) {
		return h.raw("GET", "/graphql?query="+url.QueryEscape(query), tutti.BrowserKey, "", "Accept", graphqlJSON)
	}
	none := func(name string, header http.Header) {
		t.Helper()
		if header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: Cache-Control %q", name, header.Get("Cache-Control"))
		}
		for _, unwanted := range []string{"ETag", "Surrogate-Key", "Cache-Tag", "Age", "Cache-Status"} {
			if header.Get(unwanted) != "" {
				t.Errorf("%s: %s %q", name, unwanted, header.Get(unwanted))
			}
		}
	}
	_, header, _ := h.raw("POST", "/graphql", tutti.BrowserKey, fmt.Sprintf(`{"query":%q}`, arrivalText))
	none("POST", header)
	for name, query := range map[string]string{
		"an error of a field":           `{ experience(composition: "a", channel: "web") { id title } }`,
		"a request error":               `{ nothing }`,
		"beside what says nothing":      `{ experience(composition: "a", channel: "web") { id } locales }`,
		"two, one of which was skipped": `{ locales a: experience(composition: "a", channel: "web") @skip(if: true) { id } }`,
		"nothing but the type's name":   `{ __typename }`,
		"the schema":                    `{ __schema { queryType { name } } experience(composition: "a", channel: "web") { id } }`,
	} {
		_, header, body := get(query)
		none(name+" "+string(body), header)
	}
	_, header, _ = get(`{ __typename a: experience(composition: "a", channel: "web") { id } b: experience(composition: "b", channel: "web") { id } }`)
	if header.Get("Cache-Control") != "public, max-age=30, s-maxage=40" {
		t.Errorf("two that say the same: %v", header)
	}
}

// TestConditionalRequests keeps RFC 9110, sections 8.8.3, 13.1.2 and 15.4.5.
func TestConditionalRequests(t *testing.T) {
	h := newHouse(t, caching)
	d := delivered()
	h.resolver.delivery = &d
	_, header, _ := h.arrival(tutti.BrowserKey)
	tag := header.Get("ETag")
	if !strings.HasPrefix(tag, `"`) || len(tag) != 22 {
		t.Fatalf("no strong ETag: %q", tag)
	}
	for name, c := range map[string]struct {
		value  string
		status int
	}{
		"the same":           {tag, 304},
		"weakly the same":    {"W/" + tag, 304}, // 13.1.2: the weak comparison
		"any":                {"*", 304},
		"one of several":     {`"a", W/"b" ,` + tag, 304},
		"others":             {`"a", W/"b"`, 200},
		"of another coding":  {strings.TrimSuffix(tag, `"`) + `-br"`, 200},
		"without its quotes": {strings.Trim(tag, `"`), 200},
	} {
		status, got, body := h.arrival(tutti.BrowserKey, "If-None-Match", c.value)
		if status != c.status {
			t.Errorf("%s: %d", name, status)
			continue
		}
		// 15.4.5: a 304 says what the 200 would have said to caches, and has no content.
		for _, name := range []string{"Cache-Control", "ETag", "Vary", "Surrogate-Key"} {
			if got.Get(name) == "" || got.Get(name) != header.Get(name) {
				t.Errorf("%s: %q, in the 200 %q", name, got.Get(name), header.Get(name))
			}
		}
		if c.status == 304 && (len(body) > 0 || got.Get("Content-Type") != "") {
			t.Errorf("%s: a 304 with content: %v %s", name, got, body)
		}
	}
	if last := h.seen[len(h.seen)-1]; last.Status != 304 && last.Status != 200 {
		t.Errorf("observed %+v", last)
	}
	t.Run("POST knows no condition", func(t *testing.T) { // and must not say 412 either: an answer is no resource's state
		status, _, body := h.raw("POST", "/graphql", tutti.BrowserKey, fmt.Sprintf(`{"query":%q}`, arrivalText), "If-None-Match", "*")
		if status != 200 || len(body) == 0 {
			t.Errorf("%d %s", status, body)
		}
	})
	t.Run("another answer has another ETag", func(t *testing.T) {
		_, other, _ := h.raw("GET", "/graphql?query="+url.QueryEscape(strings.ReplaceAll(arrivalText, "{ id }", "{ composition }")), tutti.BrowserKey, "")
		if other.Get("ETag") == tag {
			t.Error("two answers have one ETag")
		}
	})
	t.Run("each coding has its own", func(t *testing.T) { // 8.8.3.3
		query := url.QueryEscape(`{ experience(composition: "` + strings.Repeat("arrival", 300) + `", channel: "web") { composition } }`)
		tags := map[string]bool{}
		for _, coding := range []string{"identity", "gzip", "br"} {
			_, got, _ := h.raw("GET", "/graphql?query="+query, tutti.BrowserKey, "", "Accept-Encoding", coding)
			tags[got.Get("ETag")] = true
			status, again, _ := h.raw("GET", "/graphql?query="+query, tutti.BrowserKey, "", "Accept-Encoding", coding, "If-None-Match", got.Get("ETag"))
			if status != 304 || again.Get("Content-Encoding") != "" {
				t.Errorf("%s: %d %v", coding, status, again)
			}
		}
		if len(tags) != 3 {
			t.Errorf("%v", tags)
		}
	})
}

// TestAgeAndCacheStatus keeps RFC 9111, section 5.1, and RFC 9211.
func TestAgeAndCacheStatus(t *testing.T) {
	fetched, revalidating := delivered(), delivered()
	fetched.Hit = false
	revalidating.State, revalidating.FreshUntil, revalidating.AsOf = tutti.StaleRevalidating, noon.Add(-7*time.Second), noon.Add(-67*time.Second)
	failed := revalidating
	failed.Hit, failed.State = false, tutti.StaleError
	unknown := Delivery{Shared: true, State: tutti.Fresh}
	ending := delivered()
	ending.ValidUntil = noon.Add(3 * time.Second)
	for name, c := range map[string]struct {
		d           Delivery
		status, age string
	}{
		"kept":                         {delivered(), "tutti; hit; ttl=40", ""},
		"asked for":                    {fetched, "tutti; fwd=miss; ttl=40", ""},
		"old, a new one is on its way": {revalidating, "tutti; hit; ttl=-7", "67"},
		"old, the origin is down":      {failed, "tutti; fwd=miss; ttl=-7", "67"},
		"of unknown freshness":         {unknown, "tutti; fwd=miss", ""},
		"until a window ends":          {ending, "tutti; hit; ttl=3", ""},
	} {
		h := newHouse(t, caching)
		h.resolver.delivery = &c.d
		_, got, _ := h.arrival(tutti.BrowserKey)
		if got.Get("Cache-Status") != c.status || got.Get("Age") != c.age {
			t.Errorf("%s: Cache-Status %q, Age %q", name, got.Get("Cache-Status"), got.Get("Age"))
		}
	}
}

func TestSurrogateKeysAreShortAndBounded(t *testing.T) {
	if got := SurrogateKey("stay:hotel/azul"); got != "02535985" {
		t.Errorf("the key of a tag has changed: caches outside hold the old one: %s", got)
	}
	refs := func(n int) []uint32 {
		var marks []uint32
		for i := range n {
			marks = append(marks, cache.Mark(fmt.Sprintf("dam:asset/%d, with a comma", i)), cache.Mark("dam:asset"))
		}
		return marks
	}
	if keys, ok := surrogateKeys(refs(3)); !ok || len(keys) != 4 || !slices.IsSorted(keys) {
		t.Errorf("got %v", keys)
	}
	h := newHouse(t, caching)
	d := delivered()
	d.Marks = refs(maxKeys - 1)
	h.resolver.delivery = &d
	_, header, _ := h.arrival(tutti.BrowserKey)
	for _, name := range []string{"Surrogate-Key", "Cache-Tag"} {
		if n := len(header.Get(name)); n < 8*maxKeys || n > 4<<10 {
			t.Errorf("%s has %d bytes", name, n)
		}
	}
	d.Marks = refs(maxKeys)
	_, header, _ = h.arrival(tutti.BrowserKey)
	if header.Get("Cache-Control") != "public, no-cache" || header.Get("Surrogate-Key") != "" {
		t.Errorf("what cannot be purged may be kept: %v", header)
	}
}

func TestDeliveriesJoinStrictly(t *testing.T) {
	d, e := delivered(), delivered()
	e.FreshUntil, e.ValidUntil, e.AsOf = noon.Add(time.Minute), noon.Add(time.Hour), noon.Add(-time.Hour)
	e.State, e.Hit, e.Personal, e.Shared, e.Marks = tutti.StaleError, false, true, false, marksOf("dam:asset/1")
	for i, w := range []Delivery{d.With(e), e.With(d)} {
		if w.Shared || !w.Personal || w.Hit || w.State != tutti.StaleError || !w.FreshUntil.Equal(d.FreshUntil) || !w.ValidUntil.Equal(e.ValidUntil) || !w.AsOf.Equal(e.AsOf) || len(w.Marks) != 4 {
			t.Errorf("%d: %+v", i, w)
		}
	}
	e.FreshUntil = time.Time{}
	if w := d.With(e); !w.FreshUntil.IsZero() {
		t.Error("what is unknown of a part is known of the whole")
	}
}

func TestPersonalFactsAreRefusedInAddresses(t *testing.T) {
	attributes := append([]tutti.Attribute{
		{Name: "city", Type: tutti.StringType, Sensitivity: tutti.Segment},
		{Name: "season", Type: tutti.StringType, Sensitivity: tutti.Public},
		{Name: "email", Type: tutti.StringType, Sensitivity: tutti.Personal},
	}, testAttributes...)
	h := newHouse(t, func(c *GenerationConfig) { c.Attributes = attributes })
	const variable = `query Q($c: ContextInput, $v: ID, $p: PlaceInput, $a: AttributesInput) { experience(composition: "a", channel: "web", context: $c) { id } b: experience(composition: "a", channel: "web", context: {visitor: $v, location: $p, attributes: $a}) { id } }`
	for name, c := range map[string]struct {
		query, variables string
		fields           []string
	}{
		"a visitor in a variable":     {variable, `{"c":{"visitor":"guest-7"}}`, []string{"context.visitor"}},
		"a place in a variable":       {variable, `{"c":{"location":{"lat":1,"lon":2}}}`, []string{"context.location"}},
		"a personal attribute":        {variable, `{"c":{"attributes":{"email":"sesame","city":"Lisbon"}}}`, []string{"context.attributes.email"}},
		"one that nobody classified":  {variable, `{"c":{"attributes":{"visits":3}}}`, []string{"context.attributes.visits"}},
		"several":                     {variable, `{"c":{"visitor":"guest-7","attributes":{"email":"sesame"}}}`, []string{"context.attributes.email", "context.visitor"}},
		"a visitor's variable":        {variable, `{"v":"guest-7"}`, []string{"context.visitor"}},
		"a place's variable":          {variable, `{"p":{"lat":1,"lon":2}}`, []string{"context.location"}},
		"an attribute's variable":     {variable, `{"a":{"email":"sesame"}}`, []string{"context.attributes.email"}},
		"written in the text":         {`{ experience(composition: "a", channel: "web", context: {visitor: "guest-7", attributes: {email: "sesame"}}) { id } }`, `{}`, []string{"context.attributes.email", "context.visitor"}},
		"written in a fragment":       {`{ ...F } fragment F on Query { experience(composition: "a", channel: "web", context: {location: {lat: 1, lon: 2}}) { id } }`, `{}`, []string{"context.location"}},
		"in a default":                {`query($c: ContextInput = {visitor: "guest-7"}) { experience(composition: "a", channel: "web", context: $c) { id } }`, `{}`, []string{"context.visitor"}},
		"what many share":             {variable, `{"c":{"market":"pt","attributes":{"city":"Lisbon","season":"spring"},"consent":{"personalization":true}}}`, nil},
		"personal facts that are not": {variable, `{"c":{"visitor":null,"attributes":{"email":null}},"v":null,"p":null}`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			a := h.send("GET", "/graphql?query="+url.QueryEscape(c.query)+"&variables="+url.QueryEscape(c.variables), h.keys[tutti.ServerKey], "", "Accept", graphqlJSON)
			if len(c.fields) == 0 {
				if a.status != 200 || a.code() != "" {
					t.Errorf("%d %s", a.status, a.body)
				}
				return
			}
			h.wantCode(a, 400, tutti.BadRequest)
			var fields []string
			for _, e := range a.json.Errors {
				fields = append(fields, e.Extensions.Field)
				if !strings.Contains(e.Extensions.Hint, "POST") {
					t.Errorf("the hint does not say what to do: %s", a.body)
				}
			}
			if strings.Join(fields, " ") != strings.Join(c.fields, " ") {
				t.Errorf("got %v, want %v", fields, c.fields)
			}
			if all := a.body + h.log.String(); strings.Contains(all, "guest-7") || strings.Contains(all, "sesame") {
				t.Error("the refusal, or the log, repeats what it refuses")
			}
			body := fmt.Sprintf(`{"query":%q,"variables":%s}`, c.query, c.variables)
			if a := h.send("POST", "/graphql", h.keys[tutti.ServerKey], body); a.status != 200 || a.code() == string(tutti.BadRequest) {
				t.Errorf("POST: %d %s", a.status, a.body)
			}
		})
	}
}
