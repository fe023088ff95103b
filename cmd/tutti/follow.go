package main

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/tuttihq/tutti/sources"
	"github.com/tuttihq/tutti/store"
)

// maxSilence is how long a process may have heard nothing from the database and still call
// something fresh: another one may have acknowledged a change meanwhile.
const maxSilence = 10 * time.Second

// contact is when this process last knew everything that others told. Safe for concurrent use.
type contact struct {
	began time.Time
	last  atomic.Int64 // nanoseconds since began, by a clock that is never set back
}

func newContact(now time.Time) *contact { return &contact{began: now} }

// made notes that everything told before an instant is known.
func (c *contact) made(at time.Time) { c.last.Store(int64(at.Sub(c.began))) }

// age is how long ago that was.
func (c *contact) age(now time.Time) time.Duration {
	return now.Sub(c.began) - time.Duration(c.last.Load())
}

// stale reports whether nothing may be called fresh now.
func (c *contact) stale() bool { return c.age(time.Now()) > maxSilence }

// watchStore follows planned publications and what other processes tell, and lets the store
// forget old webhooks every hour.
func (h *house) watchStore() {
	tick, hour, shapes := time.NewTicker(time.Second), time.NewTicker(time.Hour), time.NewTicker(shapesEvery)
	defer tick.Stop()
	defer shapes.Stop()
	defer hour.Stop()
	for failing := false; ; {
		work := h.follow
		select {
		case <-h.closed:
			h.noteLastUses()
			ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
			if err := h.keepShapes(ctx); err != nil {
				h.log.Warn("storing what was learned of origins' records", "error", err)
			}
			cancel()
			return
		case <-hour.C:
			work = h.prune
		case <-shapes.C:
			work = h.keepShapes
		case <-h.feed.Wake():
		case <-tick.C:
		}
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		err := work(ctx)
		cancel()
		switch {
		case err != nil && !failing:
			h.log.Error("keeping up with the store; said once until it works again", "error", err)
		case err == nil && failing:
			h.log.Info("keeping up with the store again")
		}
		failing = err != nil
	}
}

// prune lets the store forget webhooks that no sender repeats any more.
func (h *house) prune(ctx context.Context) error {
	_, err := h.store.PruneEvents(ctx, time.Now())
	return err
}

// follow does what others told, and reads again what they changed.
func (h *house) follow(ctx context.Context) error {
	now := time.Now()
	notices, err := h.feed.Read(ctx, now)
	if err != nil {
		return err
	}
	for _, n := range notices {
		h.hear(n)
	}
	changed, err := h.store.Changed(ctx)
	if err != nil {
		return err
	}
	h.mu.Lock()
	live := h.live.Load()
	old := changed != live.changed || !live.next.IsZero() && !now.Before(live.next)
	h.mu.Unlock()
	if old {
		h.server.Invalidate()
		if err := h.refresh(ctx); err != nil {
			return err
		}
	}
	h.contact.made(now)
	return h.noteUses(ctx)
}

// hear does what one notice asks of what is kept. What else changed, the number of Changed tells.
func (h *house) hear(n store.Notice) {
	switch n.Topic {
	case store.StaleTopic:
		h.told(false, n.Tags)
	case store.PurgeTopic:
		h.told(true, n.Tags)
	case store.EverythingTopic:
		h.everywhere((*sources.Sources).ForgetAll)
	}
}

// told makes old what was kept with some tags, or purges it, in every generation that still
// answers: a request under way, or one that comes while another config is being taken, may have
// any of them.
func (h *house) told(purge bool, tags []string) {
	h.everywhere(func(s *sources.Sources) { s.Heard(purge, tags) })
}

// everywhere does something to the sources of every generation that still answers.
func (h *house) everywhere(do func(*sources.Sources)) {
	h.opening.Lock()
	defer h.opening.Unlock()
	for _, g := range h.open {
		do(g.sources)
	}
}

// meterContact registers what tells how well this process keeps up with the others.
func (h *house) meterContact() {
	gauge := func(name, help string, value func() float64) {
		h.meters.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, value))
	}
	gauge("tutti_store_contact_age_seconds", "How long ago this process last knew everything that other processes told.",
		func() float64 { return h.contact.age(time.Now()).Seconds() })
	gauge("tutti_store_behind_seconds", "How long one transaction in the database has been running, so that notices are looked at again and again.",
		func() float64 { return h.feed.Behind().Seconds() })
	gauge("tutti_stale", "1 while nothing is called fresh, because the database does not answer.", func() float64 {
		if h.contact.stale() {
			return 1
		}
		return 0
	})
}
