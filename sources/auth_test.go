package sources

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/internal/config"
	"github.com/tuttihq/tutti/sources/recording"
)

const grantManifest = `
name: acme
settings: {audience: {description: Whose tokens., default: "https://api.acme.example/"}}
secrets: {clientId: {description: The client.}, clientSecret: {description: Its secret.}}
auth: {type: oauth2, tokenUrl: /oauth/token, clientId: "${secrets.clientId}", clientSecret: "${secrets.clientSecret}", scope: "read:items view", form: {audience: "${settings.audience}"}}
kinds:
  item:
    type: Record
    id: {pattern: "[a-z0-9]+"}
    get: {path: "/items/${id}"}
    map: {title: record.name}
`

// authority is a played system that asks for tokens.
type authority struct {
	t      *testing.T
	mu     sync.Mutex // guards what follows
	good   string     // the token that is good
	grants int
	tries  []string // tokens that calls came with
	answer func(w http.ResponseWriter, r *http.Request) bool
	told   func(r *http.Request)
}

func (a *authority) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if r.URL.Path == "/oauth/token" {
		a.grants++
		if a.told != nil {
			a.told(r)
		}
		if a.answer != nil && a.answer(w, r) {
			return
		}
		a.good = fmt.Sprintf("canary-token-%d", a.grants)
		fmt.Fprintf(w, `{"access_token": %q, "token_type": "Bearer", "expires_in": 3600}`, a.good)
		return
	}
	came := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	a.tries = append(a.tries, came)
	if came == "" || came != a.good {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	id := strings.TrimPrefix(r.URL.Path, "/items/")
	_ = json.NewEncoder(w).Encode(map[string]any{"id": id, "name": "Item " + id})
}

// sharedClock is a time that the test moves while others look at it.
type sharedClock struct{ at atomic.Int64 }

func (c *sharedClock) now() time.Time          { return time.Unix(1_790_000_000, c.at.Load()) }
func (c *sharedClock) advance(d time.Duration) { c.at.Add(int64(d)) }

// withClient gives the source its credentials, and the test its clock.
func withClient(c *sharedClock) func(*config.Source, *Deps) {
	return func(s *config.Source, d *Deps) {
		s.Secrets = map[string]tutti.Secret{"clientId": tutti.NewSecret("canary id"), "clientSecret": tutti.NewSecret("canary:secret")}
		d.Now = c.now
	}
}

func numbered(n int) []string {
	ids := make([]string, n)
	for i := range ids {
		ids[i] = fmt.Sprintf("i%d", i)
	}
	return ids
}

func TestOneTokenForAll(t *testing.T) {
	a, c := &authority{t: t}, &sharedClock{}
	a.told = func(r *http.Request) {
		user, password, _ := strings.Cut(string(must(base64.StdEncoding.DecodeString(strings.TrimPrefix(r.Header.Get("Authorization"), "Basic ")))), ":")
		want := "audience=https%3A%2F%2Fapi.acme.example%2F&grant_type=client_credentials&scope=read%3Aitems+view"
		if err := r.ParseForm(); err != nil || r.Method != http.MethodPost || r.PostForm.Encode() != want || user != "canary+id" || password != "canary%3Asecret" {
			t.Errorf("the token request is %s %v by %s:%s", r.Method, r.PostForm, user, password)
		}
	}
	h := play(t, grantManifest, public, a.ServeHTTP, withClient(c))
	for _, g := range h.Get(t.Context(), refs(numbered(40)...), tutti.Scope{}) {
		if g.Resource == nil {
			t.Fatalf("an item comes to %v", g.Err)
		}
	}
	if a.grants != 1 || len(a.tries) != 40 {
		t.Errorf("%d calls took %d tokens", len(a.tries), a.grants)
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func TestClientInTheBody(t *testing.T) {
	a, c := &authority{t: t}, &sharedClock{}
	a.told = func(r *http.Request) {
		if err := r.ParseForm(); err != nil || r.PostForm.Get("client_id") != "canary id" || r.PostForm.Get("client_secret") != "canary:secret" || r.Header.Get("Authorization") != "" {
			t.Errorf("the token request holds %v, %q", r.PostForm, r.Header.Get("Authorization"))
		}
	}
	h := play(t, strings.Replace(grantManifest, "scope:", "client: body, scope:", 1), public, a.ServeHTTP, withClient(c))
	if g := h.Get(t.Context(), refs("a"), tutti.Scope{})[0]; g.Resource == nil {
		t.Error(g.Err)
	}
}

func TestWithoutCredentialsNothingIsSent(t *testing.T) {
	h := play(t, grantManifest, public, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "" || r.URL.Path == "/oauth/token" {
			t.Errorf("%s comes with %q", r.URL.Path, r.Header.Get("Authorization"))
		}
		fmt.Fprint(w, `{"id": "a", "name": "A"}`)
	})
	if g := h.Get(t.Context(), refs("a"), tutti.Scope{})[0]; g.Resource == nil {
		t.Error(g.Err)
	}
}

// TestATokenIsRenewedBeforeItEnds: the call that finds that it is time does not wait for the new one.
func TestATokenIsRenewedBeforeItEnds(t *testing.T) {
	a, c := &authority{t: t}, &sharedClock{}
	h := play(t, grantManifest, public, a.ServeHTTP, withClient(c))
	get := func(id string) {
		t.Helper()
		if g := h.Get(t.Context(), refs(id), tutti.Scope{})[0]; g.Resource == nil {
			t.Fatalf("%s comes to %v", id, g.Err)
		}
	}
	get("a")
	c.advance(54 * time.Minute)
	get("b")
	if a.grants != 1 {
		t.Fatalf("%d tokens after 54 minutes of 60", a.grants)
	}
	c.advance(2 * time.Minute)
	keeper := h.byName["shop"].conn.(*manifestConnector).proof.(*keeper)
	released := make(chan struct{})
	a.mu.Lock()
	a.answer = func(http.ResponseWriter, *http.Request) bool { a.mu.Unlock(); <-released; a.mu.Lock(); return false }
	a.mu.Unlock()
	get("c") // with the old token, for the new one is not there yet
	keeper.mu.Lock()
	f := keeper.flight
	keeper.mu.Unlock()
	if f == nil {
		t.Fatal("nobody asks for a new token")
	}
	close(released)
	<-f.done
	get("d")
	if want := []string{"canary-token-1", "canary-token-1", "canary-token-1", "canary-token-2"}; a.grants != 2 || !equal(a.tries, want) {
		t.Errorf("%d tokens, used as %v", a.grants, a.tries)
	}
	c.advance(2 * time.Hour)
	get("e") // it has ended long ago: there is no way but to wait
	if a.grants != 3 || a.tries[4] != "canary-token-3" {
		t.Errorf("%d tokens, used as %v", a.grants, a.tries)
	}
}

func equal(a, b []string) bool { return strings.Join(a, "\n") == strings.Join(b, "\n") }

func TestARefusedTokenIsRenewedOnce(t *testing.T) {
	a, c := &authority{t: t}, &sharedClock{}
	h := play(t, grantManifest, public, a.ServeHTTP, withClient(c))
	h.Get(t.Context(), refs("a"), tutti.Scope{})
	a.mu.Lock()
	a.good = "revoked"
	a.mu.Unlock()
	got := h.Get(t.Context(), refs(numbered(10)...), tutti.Scope{})
	for _, g := range got {
		if g.Resource == nil {
			t.Fatalf("after a renewal an item comes to %v", g.Err)
		}
	}
	if a.grants != 2 {
		t.Errorf("ten calls that were refused took %d more tokens, want 1", a.grants-1)
	}

	a.mu.Lock() // now no token is good
	a.tries, a.grants = nil, 0
	a.answer = func(w http.ResponseWriter, _ *http.Request) bool {
		fmt.Fprint(w, `{"access_token": "canary-useless", "expires_in": "3600"}`)
		return true
	}
	a.good = "another"
	a.mu.Unlock()
	g := h.Get(t.Context(), refs("x"), tutti.Scope{})[0]
	if tutti.CodeOf(g.Err) != tutti.Unavailable || !strings.Contains(g.Err.Error(), "refuses the credentials") || a.grants != 1 || len(a.tries) != 2 {
		t.Errorf("%v after %d tokens and the calls %v; want one renewal and one more call", g.Err, a.grants, a.tries)
	}
	for _, id := range numbered(5) {
		h.Get(t.Context(), refs("y"+id), tutti.Scope{})
	}
	if a.grants != 1 || len(a.tries) != 7 {
		t.Errorf("a system that refuses whatever comes is asked for %d tokens in %d calls", a.grants, len(a.tries))
	}
	c.advance(2 * time.Minute)
	if h.Get(t.Context(), refs("z"), tutti.Scope{}); a.grants != 2 {
		t.Errorf("after a while it is asked for %d tokens, want 2", a.grants)
	}
}

// TestATokenThatEndsAtOnceIsUsedForAWhile: an endpoint whose tokens end as they are made is not asked with each call.
func TestATokenThatEndsAtOnceIsUsedForAWhile(t *testing.T) {
	a, c := &authority{t: t}, &sharedClock{}
	a.answer = func(w http.ResponseWriter, _ *http.Request) bool {
		a.good = "canary-brief"
		fmt.Fprint(w, `{"access_token": "canary-brief", "expires_in": 0.001}`)
		return true
	}
	h := play(t, grantManifest, public, a.ServeHTTP, withClient(c))
	for _, id := range numbered(5) {
		c.advance(time.Second)
		if g := h.Get(t.Context(), refs(id), tutti.Scope{})[0]; g.Resource == nil {
			t.Fatalf("an item comes to %v", g.Err)
		}
	}
	if a.grants != 1 {
		t.Errorf("five calls took %d tokens", a.grants)
	}
}

// TestOneForbiddenItemTakesNoTokenEachTime: a system that says 401 of some items, whatever the token is, is not asked for a
// new one with each call, although it takes the token for others in between.
func TestOneForbiddenItemTakesNoTokenEachTime(t *testing.T) {
	a, c := &authority{t: t}, &sharedClock{}
	h := play(t, grantManifest, public, func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/items/forbidden") {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		a.ServeHTTP(w, r)
	}, withClient(c))
	for _, id := range numbered(5) {
		if g := h.Get(t.Context(), refs(id), tutti.Scope{})[0]; g.Resource == nil {
			t.Fatalf("an item comes to %v", g.Err)
		}
		if g := h.Get(t.Context(), refs("forbidden"+id), tutti.Scope{})[0]; !strings.Contains(fmt.Sprint(g.Err), "refuses the credentials") {
			t.Errorf("a forbidden one comes to %v", g.Err)
		}
	}
	if a.grants != 2 {
		t.Errorf("five forbidden items took %d more tokens, want 1", a.grants-1)
	}
}

// TestNoTokenIsTheSourcesFailure: the error says what to mend, quotes nothing, and the endpoint is left alone.
func TestNoTokenIsTheSourcesFailure(t *testing.T) {
	const canary = "canary-words"
	for name, tt := range map[string]struct {
		status int
		body   string
		code   tutti.Code
		says   string
	}{
		"wrong client":  {401, `{"error": "invalid_client", "error_description": "` + canary + `"}`, tutti.Unavailable, "it refuses the credentials, with status 401 Unauthorized and the error invalid_client"},
		"wrong scope":   {400, `{"error": "invalid_scope"}`, tutti.Unavailable, "the error invalid_scope"},
		"own error":     {400, `{"error": "` + canary + `"}`, tutti.Unavailable, "it refuses the credentials, with status 400 Bad Request"},
		"broken":        {500, canary, tutti.Unavailable, "it answers with status 500"},
		"busy":          {429, canary, tutti.RateLimited, "it asks to wait"},
		"no JSON":       {200, "<html>" + canary, tutti.BadAnswer, "the answer is no JSON object"},
		"no token":      {200, `{"token": "` + canary + `"}`, tutti.BadAnswer, "the answer holds no access_token"},
		"a list":        {200, `["` + canary + `"]`, tutti.BadAnswer, "the answer is no JSON object"},
		"other type":    {200, `{"access_token": "` + canary + `", "token_type": "mac"}`, tutti.BadAnswer, "another type than bearer"},
		"not printable": {200, `{"access_token": "` + canary + `\r\nX-Evil: 1"}`, tutti.BadAnswer, "no access_token"},
		"too large":     {200, `{"access_token": "` + strings.Repeat("x", 300<<10) + `"}`, tutti.TooLarge, "size limit"},
	} {
		t.Run(name, func(t *testing.T) {
			a, c := &authority{t: t}, &sharedClock{}
			a.answer = func(w http.ResponseWriter, _ *http.Request) bool {
				w.WriteHeader(tt.status)
				fmt.Fprint(w, tt.body)
				return true
			}
			h := play(t, grantManifest, public, a.ServeHTTP, withClient(c))
			g := h.Get(t.Context(), refs("a"), tutti.Scope{})[0]
			if tutti.CodeOf(g.Err) != tt.code || !strings.Contains(g.Err.Error(), tt.says) || !strings.Contains(g.Err.Error(), "token endpoint") {
				t.Errorf("it comes to %s: %v; want %s: %s", tutti.CodeOf(g.Err), g.Err, tt.code, tt.says)
			}
			if a.grants != 1 || len(a.tries) != 0 {
				t.Errorf("%d token requests and %d calls, want 1 and 0", a.grants, len(a.tries))
			}
			told := g.Err.Error() + fmt.Sprintf("%+v %#v", g.Err, g.Err) + fmt.Sprint(h.Get(t.Context(), refs("b"), tutti.Scope{})[0].Err) + h.said()
			if strings.Contains(told, "canary") {
				t.Errorf("it is quoted: %s", told)
			}
			for i := range 40 {
				h.Get(t.Context(), refs(fmt.Sprintf("x%d", i)), tutti.Scope{})
			}
			if a.grants != 1 || h.byName["shop"].breaker.current() != closed {
				t.Errorf("the endpoint is asked again at once, or what was not asked opens the breaker")
			}
			a.mu.Lock()
			a.answer = nil
			a.mu.Unlock()
			c.advance(time.Minute)
			if g := h.Get(t.Context(), refs("c"), tutti.Scope{})[0]; g.Resource == nil {
				t.Errorf("after it healed: %v", g.Err)
			}
		})
	}
}

// said is everything that the house wrote: its log, its metrics and its health.
func (h *testHouse) said() string {
	families, err := h.reg.Gather()
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.log.String() + fmt.Sprint(families, err, h.Health())
}

func TestTokensAndSecretsAreInNoOutput(t *testing.T) {
	a, c := &authority{t: t}, &sharedClock{}
	h := play(t, grantManifest, public, a.ServeHTTP, withClient(c))
	h.Get(t.Context(), refs("a"), tutti.Scope{})
	a.mu.Lock()
	a.good = "another"
	a.answer = func(w http.ResponseWriter, _ *http.Request) bool {
		w.WriteHeader(http.StatusServiceUnavailable)
		return true
	}
	a.mu.Unlock()
	var told strings.Builder
	for _, g := range h.Get(t.Context(), refs(numbered(3)...), tutti.Scope{}) {
		fmt.Fprintf(&told, "%v %+v %#v\n", g.Err, g.Err, g.Resource)
	}
	src := h.byName["shop"]
	fmt.Fprint(&told, h.said(), src.cfg.Secrets)
	if strings.Contains(told.String(), "canary") {
		t.Errorf("a token or a secret is told:\n%s", told.String())
	}
}

// TestASecretGoesToItsEndpointOnly: a token endpoint that leads elsewhere gets nothing there.
func TestASecretGoesToItsEndpointOnly(t *testing.T) {
	var elsewhere atomic.Int64
	other := play(t, grantManifest, public, func(http.ResponseWriter, *http.Request) { elsewhere.Add(1) })
	address := other.byName["shop"].conn.(*manifestConnector).at
	for _, status := range []int{301, 302, 303, 307, 308} {
		a, c := &authority{t: t}, &sharedClock{}
		a.answer = func(w http.ResponseWriter, r *http.Request) bool {
			http.Redirect(w, r, strings.Replace(address, "127.0.0.1", "localhost", 1)+"/oauth/token", status)
			return true
		}
		h := play(t, grantManifest, public, a.ServeHTTP, withClient(c))
		if g := h.Get(t.Context(), refs("a"), tutti.Scope{})[0]; g.Resource != nil || tutti.CodeOf(g.Err) != tutti.Unavailable {
			t.Errorf("%d: it comes to %v", status, g.Err)
		}
	}
	if elsewhere.Load() != 0 {
		t.Errorf("%d requests went elsewhere", elsewhere.Load())
	}
}

func TestWhoWaitsForATokenMayLeave(t *testing.T) {
	started, c := make(chan struct{}), &sharedClock{}
	var once sync.Once
	end := make(chan struct{})
	h := play(t, grantManifest, public, func(http.ResponseWriter, *http.Request) { once.Do(func() { close(started) }); <-end }, withClient(c))
	defer close(end)
	k := h.byName["shop"].conn.(*manifestConnector).proof.(*keeper)
	ctx, cancel := context.WithCancel(t.Context())
	left := make(chan error, 1)
	go func() { _, err := k.token(ctx, nil); left <- err }()
	<-started
	cancel()
	if err := <-left; tutti.CodeOf(err) != tutti.Timeout {
		t.Errorf("leaving comes to %v", err)
	}
	k.close() // and with the source the request ends
	if _, err := k.token(t.Context(), nil); err == nil || k.current != nil {
		t.Errorf("a token of a request that was given up: %v", err)
	}
}

const sessionManifest = `
name: acme
secrets: {user: {description: Who.}, password: {description: An app password.}}
auth:
  type: session
  login: {path: /xrpc/login, body: {identifier: "${secrets.user}", password: "${secrets.password}"}, access: accessJwt, refresh: refreshJwt}
  refresh: {path: /xrpc/refresh, headers: {Authorization: "Bearer ${token}"}}
  expired: {statuses: [401], when: answer.error == 'ExpiredToken'}
kinds:
  item:
    type: Record
    id: {pattern: "[a-z0-9]+"}
    get: {path: "/items/${id}"}
    map: {title: record.name}
`

func jwt(exp int64, n int) string {
	part := func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }
	return part(`{"alg":"ES256K"}`) + "." + part(fmt.Sprintf(`{"exp":%d,"n":%d}`, exp, n)) + ".canary-signature"
}

func TestASessionIsRenewedAndBegunAnew(t *testing.T) {
	c := &sharedClock{}
	var mu sync.Mutex
	logins, renewals, number := 0, 0, 0
	access, refresh, expire, refuse := "", "", false, false
	h := play(t, sessionManifest, public, func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		came := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
		switch r.URL.Path {
		case "/xrpc/login":
			var in struct{ Identifier, Password string }
			if err := json.NewDecoder(r.Body).Decode(&in); err != nil || in.Identifier != "canary-user" || in.Password != "canary-password" || came != "" {
				t.Errorf("a login with %+v, %q", in, came)
			}
			logins++
		case "/xrpc/refresh":
			if r.ContentLength != 0 || r.Method != http.MethodPost {
				t.Errorf("a renewal with %d bytes", r.ContentLength)
			}
			renewals++
			if refuse || came != refresh {
				w.WriteHeader(http.StatusBadRequest)
				fmt.Fprint(w, `{"error": "ExpiredToken", "message": "canary"}`)
				return
			}
		default:
			if came != access || expire {
				expire = false
				w.WriteHeader(http.StatusBadRequest)
				fmt.Fprint(w, `{"error": "ExpiredToken", "message": "canary"}`)
				return
			}
			fmt.Fprintf(w, `{"id": %q, "name": "A"}`, strings.TrimPrefix(r.URL.Path, "/items/"))
			return
		}
		number++
		access, refresh = jwt(c.now().Unix()+7200, number), fmt.Sprintf("canary-refresh-%d", number)
		fmt.Fprintf(w, `{"accessJwt": %q, "refreshJwt": %q}`, access, refresh)
	}, func(s *config.Source, d *Deps) {
		s.Secrets = map[string]tutti.Secret{"user": tutti.NewSecret("canary-user"), "password": tutti.NewSecret("canary-password")}
		d.Now = c.now
	})
	get := func(ids ...string) {
		t.Helper()
		for _, g := range h.Get(t.Context(), refs(ids...), tutti.Scope{}) {
			if g.Resource == nil {
				t.Fatalf("an item comes to %v", g.Err)
			}
		}
	}
	count := func(when string, l, r int) {
		t.Helper()
		mu.Lock()
		defer mu.Unlock()
		if logins != l || renewals != r {
			t.Errorf("%s: %d logins and %d renewals, want %d and %d", when, logins, renewals, l, r)
		}
	}
	get(numbered(20)...)
	count("at first", 1, 0)
	set := func(f func()) { mu.Lock(); f(); mu.Unlock() }
	set(func() { expire = true })
	get("a")
	count("when the system says that the token has ended", 1, 1)
	c.advance(2 * time.Hour)
	get("b")
	count("when its own time is over", 1, 2)
	set(func() { expire, refuse = true, true })
	get("d")
	count("when the renewal is refused", 2, 3)
	if told := h.said(); strings.Contains(told, "canary") {
		t.Errorf("it is told: %s", told)
	}
}

// TestARecordingHoldsNoToken records calls and the request for their token, and plays them.
func TestARecordingHoldsNoToken(t *testing.T) {
	a, c := &authority{t: t}, &sharedClock{}
	var recorder *recording.Recorder
	h := play(t, strings.Replace(grantManifest, "scope:", "client: body, scope:", 1), public, a.ServeHTTP, withClient(c), func(s *config.Source, d *Deps) {
		recorder = recording.Record(s.URL, []string{"canary id", "canary:secret"})
		d.Through = func(_ string, network http.RoundTripper) http.RoundTripper { return recorder.Through(network) }
	})
	if g := h.Get(t.Context(), refs("a"), tutti.Scope{})[0]; g.Resource == nil {
		t.Fatal(g.Err)
	}
	r := &recording.Recording{Connector: "acme", From: "a test", Kinds: map[string]recording.Kind{"item": {}}}
	r.Exchanges, _ = recorder.Exchanges()
	b, err := r.Write()
	if err != nil || len(r.Exchanges) != 2 || strings.Contains(string(b), "canary") {
		t.Fatalf("it holds %s, %v", b, err)
	}
	again, err := recording.Parse("acme.yaml", b)
	if err != nil {
		t.Fatal(err)
	}
	player := again.Play()
	h = play(t, strings.Replace(grantManifest, "scope:", "client: body, scope:", 1), public, a.ServeHTTP, withClient(c), func(_ *config.Source, d *Deps) {
		d.Through = func(_ string, network http.RoundTripper) http.RoundTripper { return player.Through(network) }
	})
	if g := h.Get(t.Context(), refs("a"), tutti.Scope{})[0]; g.Resource == nil || a.grants != 1 {
		t.Errorf("played, an item comes to %v: %v", g.Err, player.Misses())
	}
}

// TestSecretsGoNowhereWithoutTLS: what sends a secret by http is a mistake of the config, unless the operator trusts the
// host.
func TestSecretsGoNowhereWithoutTLS(t *testing.T) {
	plain := func(auth string) string {
		return "name: acme\nsecrets: {key: {description: A key.}}\n" + auth + "\nkinds: {item: {type: Record, get: {path: \"/items/${id}\"}, map: {title: record.name}}}\n"
	}
	for name, manifest := range map[string]string{
		"oauth2": grantManifest, "session": sessionManifest, "bearer": plain("auth: {type: bearer, token: \"${secrets.key}\"}"),
		"basic": plain("auth: {type: basic, user: me, password: \"${secrets.key}\"}"), "query": plain("auth: {type: query, name: k, value: \"${secrets.key}\"}"),
		"a header": plain("headers: {X-Key: \"${secrets.key}\"}"),
	} {
		dir := t.TempDir()
		if err := os.WriteFile(dir+"/acme.yaml", []byte(manifest), 0o600); err != nil {
			t.Fatal(err)
		}
		open := func(allow ...string) error {
			c := config.Source{Name: "shop", Connector: "./acme.yaml", URL: "http://acme.example", Kinds: public, AllowPrivate: allow, Secrets: map[string]tutti.Secret{}}
			m, err := ReadManifest(c.Connector, dir)
			if err != nil {
				t.Fatal(err)
			}
			for secret := range m.Secrets {
				c.Secrets[secret] = tutti.NewSecret("canary")
			}
			all, err := Open([]config.Source{c}, Deps{Dir: dir})
			if err == nil {
				all.Close()
			}
			return err
		}
		if err := open(); err == nil || !strings.Contains(err.Error(), "without TLS") || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s by http comes to %v", name, err)
		}
		if err := open("acme.example"); err != nil {
			t.Errorf("%s by http to a host that is trusted comes to %v", name, err)
		}
	}
	m, err := ParseManifest("acme.yaml", []byte(plain("auth: {type: bearer, token: \"${secrets.key}\"}")))
	if err != nil {
		t.Fatal(err)
	}
	all, err := Open([]config.Source{{Name: "shop", URL: "http://acme.example", Kinds: public}}, Deps{Manifest: m})
	if err != nil {
		t.Fatalf("without a secret it comes to %v", err)
	}
	all.Close()
}

// TestCredentialsInAForm asks a system that wants its key as a field of the form, in every call.
func TestCredentialsInAForm(t *testing.T) {
	const manifest = `
name: acme
secrets: {token: {description: The key.}}
auth: {type: form, name: api key, value: "${secrets.token}"}
kinds:
  item:
    type: Record
    get: {path: /api, form: {no: "${id}"}, record: item}
    map: {title: record.name}
`
	var asked []string
	h := play(t, manifest, public, func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		asked = append(asked, r.Method+" "+r.URL.RawQuery+" "+r.PostForm.Encode())
		write(w, map[string]any{"item": map[string]any{"id": r.PostForm.Get("no"), "name": "Rose"}})
	}, func(s *config.Source, _ *Deps) {
		s.Secrets = map[string]tutti.Secret{"token": tutti.NewSecret("a&b=c")}
	})
	if got := h.Get(t.Context(), refs("7"), tutti.Scope{})[0]; got.Resource == nil || len(asked) != 1 || asked[0] != "POST  api+key=a%26b%3Dc&no=7" {
		t.Errorf("it was asked for %q, and %v comes", asked, got.Err)
	}
}
