package sources

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/tuttihq/tutti"
)

const maxWebhook = 1 << 20

// Webhook answers what comes to /webhooks/{source}, and to /webhooks/{source}/{secret} where a scheme has its
// secret there. Of a POST it verifies the message over its raw bytes, notes its event id, forgets what
// changed and answers 202. When it has answered, nothing that was fetched before is served as fresh. A
// repeated message is answered the same and has no effect. It asks no origin for content; the keys of a scheme
// that publishes them are fetched when it knows none that fit. 404 for a source that takes no webhooks, 401 for a bad signature
// or time, 413 over 1 MB, 400 for what cannot be read, 503 when the event cannot be noted or the keys
// cannot be had: the sender tries again. A message that only asks whether we are there is answered 200,
// and so is a handshake by GET, with its challenge.
func (s *Sources) Webhook(source string) http.Handler {
	src := s.byName[source]
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if src == nil || !src.takesWebhooks() {
			http.Error(w, "This source takes no webhooks.", http.StatusNotFound)
			return
		}
		switch r.Method {
		case http.MethodPost:
		case http.MethodGet, http.MethodHead:
			src.greet(w, r)
			return
		default:
			methodNotAllowed(w)
			return
		}
		status, err := src.receive(r, http.MaxBytesReader(w, r.Body, maxWebhook))
		if err != nil {
			src.refused(status, err)
			if status >= http.StatusBadRequest {
				http.Error(w, http.StatusText(status), status)
				return
			}
		}
		w.WriteHeader(status)
	})
}

// refusedEvery is how often the log hears of webhooks that are refused for the same reason: anybody can post.
const refusedEvery = 10 * time.Second

func (s *Source) refused(status int, err error) {
	code, why := tutti.CodeOf(err), ""
	if code == tutti.Unauthenticated || code == tutti.BadRequest { // these reasons are a few sentences of ours
		why = err.Error()
	}
	if times := s.refusals.tell(string(code), why, s.now(), refusedEvery); times > 0 {
		s.log.Warn("webhook refused", "source", s.name, "status", status, "code", code, "err", err, "times", times)
	}
}

func (s *Source) takesWebhooks() bool {
	l, ok := s.conn.(interface{ Listens() bool })
	return ok && l.Listens()
}

func (s *Source) receive(r *http.Request, from io.Reader) (status int, err error) {
	body, err := io.ReadAll(from)
	if err != nil {
		var tooLarge *http.MaxBytesError
		if errors.As(err, &tooLarge) {
			return http.StatusRequestEntityTooLarge, tutti.Errorf(tutti.TooLarge, "reading a webhook: it is larger than 1 MB")
		}
		return http.StatusBadRequest, tutti.Errorf(tutti.BadRequest, "reading a webhook: it ended early")
	}
	event, err := s.conn.(Listener).Changed(r, body)
	switch {
	case errors.Is(err, tutti.Unauthenticated) && event.Quiet:
		return http.StatusAccepted, err
	case errors.Is(err, tutti.Unauthenticated):
		return http.StatusUnauthorized, err
	case errors.Is(err, tutti.Unavailable):
		return http.StatusServiceUnavailable, err
	case err != nil:
		return http.StatusBadRequest, err
	case event.Ping:
		return http.StatusOK, nil
	}
	return s.take(context.WithoutCancel(r.Context()), event) // many hang up once they have posted; the store has a time limit of its own
}

// take does what an event asks, once.
func (s *Source) take(ctx context.Context, event Event) (status int, err error) {
	var tags []string
	for _, c := range event.Changes {
		tags = append(tags, s.changed(c)...)
	}
	first, err := s.note(ctx, event.ID, tags, event.SameFor)
	if err == nil && !first {
		if event.SameFor > 0 { // it may be another change: then losing it would be worse than reading twice
			s.again.later(event.SameFor, event.ID, tags)
		}
		return http.StatusAccepted, nil
	}
	if event.Again > 0 {
		s.again.later(event.Again, event.ID, tags)
	}
	if err != nil { // it may have been noted all the same: then its repetition has no effect any more
		return http.StatusServiceUnavailable, tutti.Errorf(tutti.Unavailable, "noting a webhook: %w", err)
	}
	s.log.Info("webhook taken", "source", s.name, "changes", len(event.Changes), "tags", len(tags))
	return http.StatusAccepted, nil
}

// note notes an event and forgets its tags, if it is the first time or may be. One at a time, so that a
// repetition is answered only when the first has had its effect.
func (s *Source) note(ctx context.Context, id string, tags []string, sameFor time.Duration) (first bool, err error) {
	s.events.mu.Lock()
	defer s.events.mu.Unlock()
	if first, err = s.events.seen(ctx, s.name, id, s.veil.outward(tags), sameFor); first || err != nil {
		s.cache.Forget(tags...)
	}
	return first, err
}

// events remembers which messages have been taken.
type events struct {
	mu   sync.Mutex // one message of a source at a time; guards ring and have
	seen func(ctx context.Context, source, id string, tags []string, sameFor time.Duration) (bool, error)
	now  func() time.Time
	ring []string
	have map[string]time.Time // when it was first
	next int
}

const rememberedEvents = 10_000

func newEvents(seen func(ctx context.Context, source, id string, tags []string, sameFor time.Duration) (bool, error), now func() time.Time) *events {
	e := &events{seen: seen, now: now, have: map[string]time.Time{}}
	if seen == nil {
		e.seen = e.inMemory
	}
	return e
}

// inMemory stands in for the store; the caller holds mu.
func (e *events) inMemory(_ context.Context, _, id string, _ []string, sameFor time.Duration) (bool, error) {
	now := e.now()
	if at, ok := e.have[id]; ok {
		if sameFor == 0 || now.Sub(at) < sameFor {
			return false, nil
		}
		e.have[id] = now
		return true, nil
	}
	if len(e.ring) < rememberedEvents {
		e.ring = append(e.ring, id)
	} else {
		delete(e.have, e.ring[e.next])
		e.ring[e.next] = id
		e.next = (e.next + 1) % rememberedEvents
	}
	e.have[id] = now
	return true, nil
}
