package sources

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/internal/fetch"
)

// proof adds to requests what proves who asks. A request is not changed: what it shares with others
// stays as it is. Safe for concurrent use.
type proof interface {
	do(ctx context.Context, client *fetch.Client, r fetch.Request) (*fetch.Response, error)
}

// accessToken is what a system gave to prove who asks. It is nowhere but in memory.
type accessToken struct {
	value   string
	refresh string    // of a session
	early   time.Time // when it is time for the next one; zero = it does not say
	end     time.Time // when it is no longer good; zero = it does not say

	forced bool // the system refused the one before
}

const shortestLife = 10 * time.Second

// lasting sets how long a token is good from now on: it is renewed when a fifth of the time is left, five
// minutes at most, and not used in the last tenth, ten seconds at most. One that is good for less than a moment is used as
// long as the system takes it: else each call would ask for another.
func (t *accessToken) lasting(now time.Time, d time.Duration) {
	if d <= shortestLife {
		return
	}
	t.early = now.Add(d - min(d/5, 5*time.Minute))
	t.end = now.Add(d - min(d/10, 10*time.Second))
}

// keeper keeps the token of one source and gets a new one: once for all who wait for it, before it ends, and
// when the system refuses it. While the endpoint fails it is left alone for longer and longer.
type keeper struct {
	issue   func(ctx context.Context, old *accessToken) (*accessToken, error) // asks the system; old may be nil
	expired func(*fetch.Response) bool                                        // whether an answer says that the token is no longer good
	now     func() time.Time
	limit   time.Duration // of one issue
	ctx     context.Context
	stop    context.CancelFunc
	work    sync.WaitGroup

	mu      sync.Mutex // guards what follows
	current *accessToken
	flight  *flight   // nil = nobody asks
	failed  error     // why the last one did not come
	fails   int       // how often in a row
	again   time.Time // not asked before
	inVain  time.Time // when a call was last refused with a token that was got for it
}

// flight is a token on its way.
type flight struct {
	done  chan struct{}
	token *accessToken
	err   error
}

func newKeeper(now func() time.Time, limit time.Duration, issue func(context.Context, *accessToken) (*accessToken, error)) *keeper {
	k := &keeper{issue: issue, now: now, limit: limit, expired: func(r *fetch.Response) bool { return r.Status == http.StatusUnauthorized }}
	k.ctx, k.stop = context.WithCancel(context.Background())
	return k
}

// close gives up what is on its way; nothing is asked for after it.
func (k *keeper) close() {
	k.mu.Lock()
	k.stop()
	k.mu.Unlock()
	k.work.Wait()
}

// do makes an exchange with the token. When the system says that it is no longer good, it gets a new one and
// makes the exchange once more.
func (k *keeper) do(ctx context.Context, client *fetch.Client, r fetch.Request) (*fetch.Response, error) {
	t, err := k.token(ctx, nil)
	if err != nil {
		return nil, err
	}
	res, err := client.Do(ctx, t.on(r))
	if err != nil || !k.expired(res) {
		return res, err
	}
	next, err := k.token(ctx, t)
	if err != nil {
		res.Free()
		return nil, err
	}
	if next == t {
		return res, nil
	}
	res.Free()
	if res, err = client.Do(ctx, next.on(r)); err == nil && next.forced && k.expired(res) {
		k.mu.Lock()
		k.inVain = k.now()
		k.mu.Unlock()
	}
	return res, err
}

// on adds the token to a copy of a request.
func (t *accessToken) on(r fetch.Request) fetch.Request {
	r.Header = r.Header.Clone()
	if r.Header == nil {
		r.Header = http.Header{}
	}
	r.Header.Set("Authorization", "Bearer "+t.value)
	return r
}

// settled is how long no token is got because the last was refused, once one was got in vain: a system that refuses
// for other reasons than an old token would have a new one made for each call.
const settled = time.Minute

// token gives one that is another than the refused, or the refused itself where a new one would not help.
func (k *keeper) token(ctx context.Context, refused *accessToken) (*accessToken, error) {
	k.mu.Lock()
	now, t := k.now(), k.current
	if t != nil && t != refused && (t.end.IsZero() || now.Before(t.end)) {
		if !t.early.IsZero() && !now.Before(t.early) && k.flight == nil && !now.Before(k.again) {
			k.begin(t, false)
		}
		k.mu.Unlock()
		return t, nil
	}
	if t != nil && t == refused && now.Sub(k.inVain) < settled {
		k.mu.Unlock()
		return t, nil
	}
	if k.flight == nil {
		if now.Before(k.again) {
			defer k.mu.Unlock()
			return nil, &notAsked{k.failed}
		}
		k.begin(t, t != nil && t == refused)
	}
	f := k.flight
	k.mu.Unlock()
	select {
	case <-f.done:
		return f.token, f.err
	case <-ctx.Done():
		return nil, tutti.Errorf(tutti.Timeout, "waiting for a token: %w", ctx.Err())
	}
}

// begin asks for a token, for all who want one. The lock is held.
func (k *keeper) begin(old *accessToken, forced bool) {
	f := &flight{done: make(chan struct{})}
	k.flight = f
	if k.ctx.Err() != nil {
		f.err = tutti.Errorf(tutti.Unavailable, "getting a token: the source is closed")
		close(f.done)
		return
	}
	k.work.Go(func() {
		ctx, cancel := context.WithTimeout(k.ctx, k.limit)
		f.err = tutti.Errorf(tutti.Internal, "getting a token: the connector panicked")
		defer func() {
			_ = recover() // the value may hold a secret
			cancel()
			k.land(f, forced)
			close(f.done)
		}()
		f.token, f.err = k.issue(ctx, old)
	})
}

// land keeps what came. An old token that is still good stays when no new one came.
func (k *keeper) land(f *flight, forced bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	now := k.now()
	k.flight = nil
	if f.err == nil {
		f.token.forced = forced
		k.current, k.failed, k.fails, k.again = f.token, nil, 0, time.Time{}
		return
	}
	k.failed = f.err
	k.fails++
	longest := 30 * time.Second
	var why *noToken
	if errors.As(f.err, &why) && why.refused {
		longest = 5 * time.Minute // systems lock accounts that try too often
	}
	k.again = now.Add(min(time.Second<<min(k.fails-1, 20), longest))
	if why != nil && why.until.After(k.again) {
		k.again = why.until
		if most := now.Add(longestWait); k.again.After(most) {
			k.again = most
		}
	}
}

// noToken says why a system gave no token. It quotes nothing of its answer.
type noToken struct {
	error
	refused bool      // it does not want these credentials
	until   time.Time // it wants no call before this
}

func (n *noToken) Unwrap() error { return n.error }

// notAsked is why there was no token a moment ago, of a call that was not made: it says nothing new about the system.
type notAsked struct{ error }

func (n *notAsked) Unwrap() error { return n.error }

// maxToken is the most of an answer with a token.
const maxToken = 256 << 10

// ask makes a call for a token, and gives the answer when it is a success and a JSON object. Of an answer that is
// none, only its status is told, and of a code of RFC 6749 section 5.2 which.
func (k *keeper) ask(ctx context.Context, client *fetch.Client, what string, r fetch.Request) (map[string]any, error) {
	r.MaxBytes = maxToken
	res, err := client.Do(fetch.Confidential(ctx), r)
	if err != nil {
		return nil, tutti.Errorf(tutti.CodeOf(err), "%s: %w", what, err)
	}
	defer res.Free()
	said, bad := decodeObject(jsonOrNothing(res.Body))
	if res.Status/100 == 2 {
		if bad != nil {
			return nil, tutti.Errorf(tutti.BadAnswer, "%s: the answer is no JSON object", what)
		}
		return said, nil
	}
	why := &noToken{until: retryAfter(res.Header, k.now())}
	code, words := tutti.Unavailable, "it answers with status "+statusText(res.Status)
	switch {
	case res.Status == http.StatusTooManyRequests:
		code, words = tutti.RateLimited, "it asks to wait"
	case res.Status/100 == 4:
		why.refused = true
		words = "it refuses the credentials, with status " + statusText(res.Status)
	}
	if e, ok := said["error"].(string); ok && grantErrors[e] {
		words += " and the error " + e
	}
	why.error = tutti.Errorf(code, "%s: %s", what, words)
	return nil, why
}

func jsonOrNothing(b []byte) raw {
	if !json.Valid(b) {
		return nil
	}
	return b
}

// grantErrors are the codes of RFC 6749 section 5.2: they say what to mend and hold nothing else.
var grantErrors = map[string]bool{
	"invalid_request": true, "invalid_client": true, "invalid_grant": true,
	"unauthorized_client": true, "unsupported_grant_type": true, "invalid_scope": true,
}

// usable reports whether a token can stand in a header.
func usable(v string) bool {
	return v != "" && len(v) <= 64<<10 && !strings.ContainsFunc(v, func(r rune) bool { return r <= ' ' || r >= 0x7f })
}

// jwtEnd gives when a JWT says that it ends (RFC 7519 section 4.1.4); zero when it is none or does not say. It is
// not verified: whoever reads it was given it by its maker.
func jwtEnd(v string) time.Time {
	parts := strings.Split(v, ".")
	if len(parts) != 3 {
		return time.Time{}
	}
	b, err := base64.RawURLEncoding.DecodeString(parts[1])
	var claims struct {
		Exp json.Number `json:"exp"`
	}
	if err != nil || json.Unmarshal(b, &claims) != nil {
		return time.Time{}
	}
	at, err := claims.Exp.Float64()
	if err != nil || at <= 0 || at > 1e11 {
		return time.Time{}
	}
	return time.Unix(int64(at), 0)
}
