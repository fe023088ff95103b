package contract

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"time"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/internal/config"
	"github.com/tuttihq/tutti/sources"
	"github.com/tuttihq/tutti/sources/recording"
)

// systemQuestions are asked of the system as a whole.
var systemQuestions = []struct {
	name string
	ask  func(t *asking)
}{
	{"webhooks", hooks},
	{"forged webhooks", forgedHooks},
	{"check", check},
}

// check is what "tutti sources check" does.
func check(t *asking) {
	if t.sys.recorded() {
		t.without("it asks for a page of one item, which recordings do not hold")
	}
	if err := t.open().Check(t.ctx, t.sys.Source.Name); err != nil {
		t.fail("checking the source: %v", err)
	}
}

// hookSecret signs messages where the system does not say with what.
const hookSecret = "made-up-secret-of-the-suite"

// listening opens the source with all kinds public, so that what changes is told by its ids, and gives the
// messages of the system, signed.
func (t *asking) listening() (h *house, secret tutti.Secret) {
	w := t.sys.Manifest.Webhook
	if w == nil {
		t.without("the connector takes no webhooks")
	}
	if len(t.sys.Hooks) == 0 {
		t.cannot("no message of the system is known: write one (hooks of a recording, docs/recordings.md)")
	}
	secret = t.sys.Source.Webhook.Secret
	if secret.IsZero() && w.Secret != "" {
		secret = t.sys.Source.Secrets[w.Secret]
	}
	if secret.IsZero() {
		secret = tutti.NewSecret(hookSecret)
	}
	t.about("webhook")
	return t.open(func(c *config.Source) {
		c.Webhook.Secret = secret
		for name := range c.Kinds {
			c.Kinds[name] = config.KindConfig{Access: tutti.AccessPublic}
		}
	}), secret
}

// signed is a message as the system posts it.
func (t *asking) signed(h *house, hook *recording.Hook, secret tutti.Secret) post {
	p := post{header: http.Header{"Content-Type": {"application/json"}}, body: hook.Message()}
	for name, v := range hook.Headers {
		p.header.Set(name, v)
	}
	r := p.request()
	if err := t.sys.Manifest.SignHook(r, p.body, secret, h.now()); err != nil {
		t.cannot("%v", err)
	}
	p.header = r.Header
	return p
}

// hooks posts every known message and looks at what it changes; once more has no effect.
func hooks(t *asking) {
	h, secret := t.listening()
	for i := range t.sys.Hooks {
		hook := &t.sys.Hooks[i]
		p := t.signed(h, hook, secret)
		for _, again := range []bool{false, true} {
			before := len(h.told)
			if status := p.to(h.Webhook(h.name)); status != http.StatusAccepted {
				t.fail("%s: it is answered %d, want 202", hook.Name, status)
				break
			}
			if again && len(h.told) != before && t.sys.Manifest.HookProof().Once {
				t.fail("%s: a repetition has an effect", hook.Name)
			}
		}
		if len(h.told) > 0 {
			t.changes(h, hook)
		}
	}
}

func (t *asking) changes(h *house, hook *recording.Hook) {
	told := h.told[len(h.told)-1]
	for _, want := range hook.Changes {
		if !slices.Contains(told, h.name+":"+want) {
			t.fail("%s: it changes %s, want %s", hook.Name, strings.Join(told, ", "), want)
		}
	}
	if len(hook.Changes) == 0 && len(told) > 0 {
		t.fail("%s: it changes %s, want nothing", hook.Name, strings.Join(told, ", "))
	}
}

// forgedHooks posts what the system did not send.
func forgedHooks(t *asking) {
	h, secret := t.listening()
	hook, proof := &t.sys.Hooks[0], t.sys.Manifest.HookProof()
	unproven := http.StatusUnauthorized
	if proof.Quiet {
		unproven = http.StatusAccepted
	}
	forge(t.signed(h, hook, secret), proof, func(what string, want int, p post) {
		if want == http.StatusUnauthorized {
			want = unproven
		}
		t.refused(h, what, want, p)
	})
	t.refused(h, "another secret", unproven, t.signed(h, hook, tutti.NewSecret(spoil(secret.Reveal()))))
	real := t.signed(h, hook, secret)
	if proof.Time {
		for what, ahead := range map[string]time.Duration{"an old message": 3 * time.Hour, "a message from the future": -6 * time.Hour} {
			h.advance(ahead)
			t.refused(h, what, unproven, real)
			h.advance(-ahead)
		}
	}
}

func (t *asking) refused(h *house, what string, want int, p post) {
	before := len(h.told)
	if status := p.to(h.Webhook(h.name)); status != want {
		t.fail("%s is answered %d, want %d", what, status, want)
	}
	if len(h.told) != before {
		t.fail("%s has an effect", what)
	}
}

// post is a message.
type post struct {
	header http.Header
	body   []byte
}

// request is what it comes with.
func (p post) request() *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/webhooks/x", bytes.NewReader(p.body))
	r.Header = p.header.Clone()
	return r
}

// to sends a message and gives the status of the answer.
func (p post) to(hook http.Handler) int {
	r := p.request()
	w := httptest.NewRecorder()
	hook.ServeHTTP(w, r)
	return w.Code
}

// forge gives every way in which a message can be spoilt, with the status that must answer it.
func forge(real post, proof sources.HookProof, try func(what string, want int, p post)) {
	if proof.Body {
		try("a changed body", http.StatusUnauthorized, post{header: real.header, body: append(bytes.Clone(real.body), ' ')})
		try("no body", http.StatusUnauthorized, post{header: real.header})
	}
	try("a body over 1 MB", http.StatusRequestEntityTooLarge, post{header: real.header, body: make([]byte, 1<<20+1)})
	for _, name := range proof.Headers {
		values := real.header.Values(name)
		missing, twice, other := real.header.Clone(), real.header.Clone(), real.header.Clone()
		missing.Del(name)
		twice.Add(name, values[0])
		other.Set(name, flip(values[0]))
		try("without "+name, http.StatusUnauthorized, post{header: missing, body: real.body})
		try(name+" twice", http.StatusUnauthorized, post{header: twice, body: real.body})
		try(name+" changed", http.StatusUnauthorized, post{header: other, body: real.body})
	}
}

// flip changes the last character to another of its kind.
func flip(s string) string {
	b := []byte(s)
	for i := len(b) - 1; i >= 0; i-- {
		switch {
		case b[i] >= '0' && b[i] < '9', b[i] >= 'a' && b[i] < 'f':
			b[i]++
			return string(b)
		case b[i] == '9', b[i] == 'f':
			b[i]--
			return string(b)
		}
	}
	return s + "1"
}
