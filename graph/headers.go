package graph

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/cache"
)

// Delivery is what an answer says about itself beside its bytes. Headers are made of it.
type Delivery struct {
	Shared     bool                 // made for everybody for whom the same was decided
	Personal   bool                 // something in it belongs to one visitor
	FreshUntil time.Time            // every part of it is fresh until then; zero = that is not known
	ValidUntil time.Time            // the next instant at which time alone changes it; zero = never
	AsOf       time.Time            // when its oldest part was read at its origin; zero = nothing was read
	State      tutti.FreshnessState // of its worst part
	Hit        bool                 // no origin was asked for it
	Marks      []uint32             // cache.Mark of what its shared parts were made of: refs, source:kind, CompositionTag
}

// CompositionTag is the tag of every answer that a composition was delivered in.
func CompositionTag(id string) string { return "composition:" + id }

// CompositionMark is the mark of CompositionTag.
func CompositionMark(id string) uint32 { return cache.Mark(CompositionTag(id)) }

// With is the delivery of an answer that holds both: the stricter of two in everything.
func (d Delivery) With(e Delivery) Delivery {
	freshness := tutti.Freshness{State: d.State, AsOf: d.AsOf}.Worst(tutti.Freshness{State: e.State, AsOf: e.AsOf})
	w := Delivery{
		Shared: d.Shared && e.Shared, Personal: d.Personal || e.Personal, Hit: d.Hit && e.Hit,
		ValidUntil: sooner(d.ValidUntil, e.ValidUntil), AsOf: freshness.AsOf, State: freshness.State,
		Marks: append(slices.Clip(d.Marks), e.Marks...),
	}
	if !d.FreshUntil.IsZero() && !e.FreshUntil.IsZero() {
		w.FreshUntil = sooner(d.FreshUntil, e.FreshUntil)
	}
	return w
}

// sooner gives the earlier of two instants, of which zero is never.
func sooner(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// Caching says how long answers to GET may be kept by others.
type Caching struct {
	Client time.Duration // by the app or browser that asked; it cannot be told to forget
	Shared time.Duration // by caches between, such as a CDN; by their tags they can
}

// until is how long an answer stays right without anybody telling: zero when it is not fresh.
func (d *Delivery) until(now time.Time) time.Duration {
	if d.State != tutti.Fresh || d.FreshUntil.IsZero() {
		return 0
	}
	return max(0, sooner(d.FreshUntil, d.ValidUntil).Sub(now))
}

// noStore is the Cache-Control of everything but whole answers to GET.
const noStore = "no-store"

// varies names what answers depend on besides the address. Origin decides whether a page may read
// one, the rest what is in it and in which form.
const varies = "Accept, Accept-Encoding, Authorization, Origin, Tutti-Visitor"

// write sets the headers of a whole answer to GET, for one viewer at one moment.
//
//   - To editors: nothing may be kept.
//   - To anybody with a visitor token, and whatever is personal: private, and asked for again each
//     time (the ETag saves the bytes).
//   - To a browser key, when everything in it is shared: public, though the request had an
//     Authorization (RFC 9111, section 3.5). Every app and page has that key, so it keeps nothing
//     from anybody. Only such answers have tags: private caches cannot be purged.
//   - To a server key: private. It is secret, and what it gets stays with who has it.
func (d *Delivery) write(h http.Header, v Viewer, c Caching, now time.Time) {
	if v.Editing() {
		h.Set("Cache-Control", noStore)
		return
	}
	h.Set("Cache-Status", d.status(now))
	if d.State != tutti.Fresh && !d.AsOf.IsZero() {
		h.Set("Age", seconds(now.Sub(d.AsOf)))
	}
	left := d.until(now)
	switch {
	case v.Visitor != "" || v.Claims != nil || d.Personal || !d.Shared:
		h.Set("Cache-Control", "private, no-cache")
	case v.Class != tutti.BrowserKey:
		h.Set("Cache-Control", "private, "+maxAge(min(left, c.Client)))
	default:
		keys, ok := surrogateKeys(d.Marks)
		if !ok || left < time.Second {
			h.Set("Cache-Control", "public, no-cache")
		} else {
			h.Set("Cache-Control", "public, "+maxAge(min(left, c.Client))+", s-maxage="+seconds(min(left, c.Shared)))
		}
		if ok && len(keys) > 0 {
			h.Set("Surrogate-Key", strings.Join(keys, " "))
			h.Set("Cache-Tag", strings.Join(keys, ","))
		}
	}
}

// maxAge says how long a cache may answer by itself.
func maxAge(d time.Duration) string {
	if d < time.Second {
		return "no-cache"
	}
	return "max-age=" + seconds(d)
}

// status is Cache-Status (RFC 9211): whether an origin was asked, and how long the answer is
// fresh still; below zero, how long it is not.
func (d *Delivery) status(now time.Time) string {
	s := "tutti; hit"
	if !d.Hit {
		s = "tutti; fwd=miss"
	}
	switch {
	case d.FreshUntil.IsZero():
		return s
	case d.State == tutti.Fresh:
		return s + "; ttl=" + seconds(d.until(now))
	}
	if over := now.Sub(d.FreshUntil); over > 0 {
		return s + "; ttl=-" + seconds(over)
	}
	return s
}

// seconds writes a duration in whole seconds, as HTTP counts; never below zero.
func seconds(d time.Duration) string { return strconv.FormatInt(max(0, int64(d/time.Second)), 10) }

// SurrogateKey is how a tag is called outside: 8 hexadecimal digits, so that it is short, has
// neither spaces nor commas, and means the same in caches that do not tell upper from lower case.
// Two tags may share one: then both are purged.
func SurrogateKey(tag string) string { return surrogateKey(cache.Mark(tag)) }

func surrogateKey(mark uint32) string { return fmt.Sprintf("%08x", mark) }

// maxKeys bounds the headers of tags: 9 bytes each, and 4 KB are half of what Varnish takes for
// one line.
const maxKeys = 450

// surrogateKeys gives the outside names of marks, sorted, each once; false when there are too
// many: what cannot be purged whole must not be kept.
func surrogateKeys(marks []uint32) (keys []string, ok bool) {
	marks = slices.Clone(marks)
	slices.Sort(marks)
	marks = slices.Compact(marks)
	if len(marks) > maxKeys {
		return nil, false
	}
	keys = make([]string, len(marks))
	for i, m := range marks {
		keys[i] = surrogateKey(m)
	}
	return keys, true
}

// digestOf names a body by its content, the same on every replica.
func digestOf(body []byte) string {
	sum := sha256.Sum256(body)
	return base64.RawURLEncoding.EncodeToString(sum[:15])
}

// etag is the strong validator of a body in a coding: each coding has its own (RFC 9110, section
// 8.8.3.3).
func etag(digest string, c Coding) string {
	if c == Identity {
		return `"` + digest + `"`
	}
	return `"` + digest + "-" + string(c) + `"`
}

// matches reports whether If-None-Match names a representation, by the weak comparison (RFC
// 9110, section 13.1.2).
func matches(ifNoneMatch []string, etag string) bool {
	for _, line := range ifNoneMatch {
		for _, part := range strings.Split(line, ",") { // no ETag of ours holds a comma
			part = strings.Trim(part, " \t")
			if part == "*" || strings.TrimPrefix(part, "W/") == etag {
				return true
			}
		}
	}
	return false
}

// deliveries collects what the root fields of one operation say about their answers.
type deliveries struct {
	mu    sync.Mutex // guards all below
	count int
	all   Delivery
}

type deliveriesKey struct{}

// WantsDelivery reports whether the answer's headers need a Delivery: only then is it worth
// making one.
func WantsDelivery(ctx context.Context) bool { return ctx.Value(deliveriesKey{}) != nil }

// Deliver says what a root field's answer is, once for each field. An answer of which a root
// field says nothing is kept by nobody.
func Deliver(ctx context.Context, d Delivery) {
	all, ok := ctx.Value(deliveriesKey{}).(*deliveries)
	if !ok {
		return
	}
	all.mu.Lock()
	defer all.mu.Unlock()
	if all.count++; all.count == 1 {
		all.all = d
		return
	}
	all.all = all.all.With(d)
}

// of gives the delivery of an answer with so many root fields; nil when one said nothing.
func (all *deliveries) of(fields int) *Delivery {
	all.mu.Lock()
	defer all.mu.Unlock()
	if fields == 0 || all.count != fields {
		return nil
	}
	return &all.all
}
