package sources

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/internal/config"
)

// Poller is a connector whose system can be asked what changed.
type Poller interface {
	// Polls tells how a kind is polled; false when it has no feed of changes.
	Polls(kind string) (Polling, bool)

	// Poll asks for one page of what changed. Codes as of Fetch.
	Poll(ctx context.Context, kind string, from PollFrom) (Changed, error)
}

// Polling says how the feed of changes of a kind is read.
type Polling struct {
	Interval time.Duration // from one poll to the next, where the config says nothing
	Overlap  time.Duration // how much earlier than the last change the next poll asks
	MaxPages int           // of one poll
	Newest   bool          // it gives the newest first, and takes no instant
	Cursor   bool          // it goes by a cursor that is kept, and not by an instant
	Complete bool          // it tells of every change and deletion
	Told     bool          // the system notifies what changed: only the config has it polled besides
	Of       string        // the kind of the records that it tells of; "" = the kind itself
	Digest   string        // of what a kept place belongs to: with another one, the feed starts anew
}

// PollFrom is where a page of changes starts.
type PollFrom struct {
	Since  time.Time // in whole seconds
	Cursor string    // that is kept; "" = there is none
	Page   string    // Changed.Next of the page before; "" = the first page
}

// Changed is one page of what changed.
type Changed struct {
	Records []ChangedRecord
	Next    string    // where the next page of this poll starts; "" at the end
	Cursor  string    // where the next poll goes on, by cursor
	Until   time.Time // no call before it
}

// ChangedRecord is a change with its instant.
type ChangedRecord struct {
	Change
	At      time.Time // zero when the system does not say
	Deleted bool
}

// Polls keeps where the feeds of changes are, for all processes. See store.Store.
type Polls interface {
	TakePoll(ctx context.Context, source, kind string, now time.Time, lease time.Duration) (tutti.Poll, error)
	Polled(ctx context.Context, p tutti.Poll, stale, purged []string, now time.Time) (kept bool, err error)
}

const (
	pollLease   = 2 * time.Minute  // more than a poll takes
	pollTime    = 90 * time.Second // the most that a poll takes
	pollAnswer  = 10 * time.Second // the least that a page may take: nobody waits for it
	knownMarks  = 500
	mostStale   = 20_000                 // tags of one poll: more than that is everything
	shortestGap = 250 * time.Millisecond // between two looks at whose turn it is
)

// polling is what keeps up with the feed of one kind.
type polling struct {
	Polling
	s     *Source
	k     *kind
	polls Polls
	every time.Duration

	mu     sync.Mutex // guards all below
	last   time.Time  // of the last poll that succeeded, by any process
	behind bool       // the last one did not come to the end
	ahead  bool       // who took the last turn has another clock: the next one is later than an interval can be
	seen   int        // changes since the start
}

// place is where a feed is, as it is kept.
type place struct {
	Of     string    `json:"of"` // of Polling.Digest
	Since  time.Time `json:"since"`
	Cursor string    `json:"cursor,omitempty"`
	Known  []string  `json:"known,omitempty"` // marks of the changes from Since less the overlap on
}

// feeds gives what a source polls: each kind that has a feed, unless the config says that it is not
// polled, or the system tells by webhooks or notifications anyway.
func (s *Source) feeds(polls Polls) (all []*polling) {
	p, ok := s.conn.(Poller)
	if !ok {
		return nil
	}
	for _, name := range s.kindNames() {
		f, ok := p.Polls(name)
		every, written := f.Interval, s.cfg.Kinds[name].Poll
		if written != nil {
			every = *written
		}
		if !ok || every <= 0 || written == nil && (f.Told || s.takesWebhooks()) {
			continue
		}
		if f.Complete {
			s.tellsAll(name)
		}
		all = append(all, &polling{Polling: f, s: s, k: s.kinds[name], polls: polls, every: every})
	}
	return all
}

// tellsAll keeps items of a kind fresh for longer, because every change of them is told, unless the config
// says how long.
func (s *Source) tellsAll(kind string) {
	k := s.kinds[kind]
	if s.cfg.FreshAssumed && s.cfg.Kinds[kind].Freshness == nil && (k.def.MaxAge == 0 || k.def.MaxAge > config.DefaultToldFresh) {
		k.policy.Fresh = max(k.policy.Fresh, config.DefaultToldFresh)
	}
}

// webhooksTellAll keeps what webhooks tell all of fresh for longer, where the config says that they are set up: by
// their secret.
func (s *Source) webhooksTellAll() {
	l, ok := s.conn.(interface{ TellsAll(kind string) bool })
	if !ok || s.cfg.Webhook.Secret.IsZero() {
		return
	}
	for _, name := range s.kindNames() {
		if l.TellsAll(name) {
			s.tellsAll(name)
		}
	}
}

// StartPolling begins to ask the systems that can tell what changed, each at its interval, until
// StopPolling or Close. Of all processes one asks; the others hear of it. A feed that is new starts now.
func (s *Sources) StartPolling() {
	s.polling.Lock()
	defer s.polling.Unlock()
	if s.stopPolling != nil {
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	s.stopPolling = cancel
	for _, src := range s.order {
		for _, f := range src.polled {
			s.polls.Go(func() { f.run(ctx) })
		}
	}
}

// StopPolling ends what StartPolling began, and waits for it.
func (s *Sources) StopPolling() {
	s.polling.Lock()
	defer s.polling.Unlock()
	if s.stopPolling == nil {
		return
	}
	s.stopPolling()
	s.polls.Wait()
	s.stopPolling = nil
}

func (f *polling) run(ctx context.Context) {
	for wait := time.Duration(0); pause(ctx, wait) == nil; {
		wait = max(f.once(ctx), shortestGap)
	}
}

// once polls when it is this process's turn, and tells how long to wait until the next look.
func (f *polling) once(ctx context.Context) time.Duration {
	now := f.s.now()
	turn, err := f.polls.TakePoll(ctx, f.s.name, f.k.Name, now, pollLease)
	if err != nil {
		if ctx.Err() == nil {
			f.s.log.Warn("polling: whose turn it is could not be asked", "source", f.s.name, "kind", f.k.Name, "err", err)
		}
		return f.jitter()
	}
	longest := max(2*f.every, pollLease)
	f.mu.Lock()
	f.last, f.ahead = turn.Last, turn.Due.Sub(now) > longest
	f.mu.Unlock()
	if !turn.Mine {
		return min(turn.Due.Sub(now), longest) + f.every/20
	}
	at, stale, purged, err := f.read(ctx, f.placeOf(turn.Cursor, now), turn.Cursor == "")
	if ctx.Err() != nil { // it is being ended: another one may go on at once
		turn.Due = now
		_, _ = f.polls.Polled(context.WithoutCancel(ctx), turn, nil, nil, now)
		return 0
	}
	now, turn.Due = f.s.now(), now.Add(f.jitter())
	if err == nil {
		f.s.cache.Forget(stale...)
		f.s.cache.Purge(purged...)
		b, _ := json.Marshal(at) // it has nothing that has no JSON form
		turn.Cursor, turn.Last = string(b), now
	}
	behind := err == nil && f.Cursor && f.isBehind()
	if behind {
		turn.Due = now
	}
	kept, noted := f.polls.Polled(ctx, turn, f.s.veil.outward(stale), f.s.veil.outward(purged), now)
	f.note(kept && err == nil, now)
	switch {
	case noted != nil && ctx.Err() == nil:
		f.s.log.Warn("polling: what was read could not be noted, and is read again", "source", f.s.name, "kind", f.k.Name, "err", noted)
	case err == nil && len(stale)+len(purged) > 0:
		f.s.log.Info("polled", "source", f.s.name, "kind", f.k.Name, "tags", len(stale)+len(purged))
	}
	return turn.Due.Sub(now)
}

func (f *polling) isBehind() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.behind
}

func (f *polling) note(kept bool, now time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if kept {
		f.last = now
	}
}

// jitter is the interval, a tenth more or less: not all processes and kinds ask at the same time.
func (f *polling) jitter() time.Duration {
	return f.every + time.Duration((rand.Float64()-0.5)*0.2*float64(f.every))
}

// placeOf reads a kept place. One of another system, or that cannot be read, is now.
func (f *polling) placeOf(kept string, now time.Time) place {
	var at place
	if json.Unmarshal([]byte(kept), &at) != nil || at.Of != f.digest() {
		at = place{Of: f.digest(), Since: now}
	}
	return at
}

func (f *polling) digest() string {
	sum := sha256.Sum256([]byte(f.Digest))
	return base64.RawURLEncoding.EncodeToString(sum[:9])
}

// read reads what changed after a place, and gives the place after that and the tags of what is old.
// A feed that is new begins at its place, without a call: nothing was kept before. Where more changed than maxPages
// hold, all of the kind is old.
func (f *polling) read(ctx context.Context, from place, isNew bool) (to place, stale, purged []string, err error) {
	if isNew {
		return from, nil, nil, nil
	}
	ctx, cancel := context.WithTimeout(ctx, pollTime)
	defer cancel()
	began := f.s.now()
	r := pollReading{f: f, began: began, from: from, to: place{Of: from.Of, Since: from.Since, Cursor: from.Cursor}, edge: from.Since, known: map[string]bool{}}
	if began.Before(r.edge) {
		r.edge = began // its clock is ahead of ours
	}
	r.edge = r.edge.Add(-f.Overlap).Truncate(time.Second)
	for _, mark := range from.Known {
		r.known[mark] = true
	}
	ask, patience := PollFrom{Since: r.edge, Cursor: from.Cursor}, min(f.every, pollTime/3)
	for page := 1; ; page++ {
		got, err := f.page(ctx, ask, &patience)
		if err != nil {
			return f.lost(from, began, err)
		}
		fresh := r.take(got.Records)
		if got.Cursor != "" {
			r.to.Cursor = got.Cursor
		}
		ended := got.Next == "" || f.Newest && fresh == 0
		if ended || page >= f.MaxPages {
			f.setBehind(!ended)
			if !ended && !f.Cursor {
				r.stale, r.to.Since = f.everything(), began
			}
			break
		}
		ask.Page = got.Next
	}
	to = r.kept()
	f.mu.Lock()
	f.seen += r.count
	f.mu.Unlock()
	slices.Sort(r.stale)
	if r.stale = slices.Compact(r.stale); len(r.stale) > mostStale {
		r.stale = f.everything()
	}
	return to, r.stale, r.purged, nil
}

// lost starts anew where the system no longer knows the kept cursor: whatever changed, all is old.
func (f *polling) lost(from place, now time.Time, err error) (place, []string, []string, error) {
	var refused *Refused
	if from.Cursor == "" || !errors.As(err, &refused) || refused.Limit || !slices.Contains([]int{400, 404, 410, 422}, refused.Status) {
		return from, nil, nil, err
	}
	f.s.log.Warn("polling: the system does not know the cursor any more; everything of the kind is read again", "source", f.s.name, "kind", f.k.Name)
	return place{Of: from.Of, Since: now}, f.everything(), nil, nil
}

// everything are the tags of all that the feed may tell of.
func (f *polling) everything() []string {
	tags := f.s.forgets(f.k.kindTag())
	if f.Of != "" && f.Of != f.k.Name {
		tags = append(tags, f.s.forgets(tutti.KindTag(f.s.name, f.Of))...)
	}
	return tags
}

func (f *polling) setBehind(b bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.behind = b
}

// page asks for one page, when no visitor's call is in its way: it waits for that as long as it has patience, which all pages
// of a poll share, or the last would never come.
func (f *polling) page(ctx context.Context, from PollFrom, patience *time.Duration) (page Changed, err error) {
	for ; !f.s.gate.quiet() && *patience > 0; *patience -= shortestGap {
		if pause(ctx, shortestGap) != nil {
			break
		}
	}
	limit := max(f.s.cfg.Limits.Timeout, pollAnswer)
	err = f.s.callFor(ctx, f.k.Name, allowance{turn: limit, answer: limit}, func(ctx context.Context) (time.Time, error) {
		var err error
		page, err = f.s.conn.(Poller).Poll(ctx, f.k.Name, from)
		return page.Until, err
	})
	return page, err
}

// lastPoll is when any process last asked what changed, and whether that is longer ago than three intervals, or the next
// time is in a future that only another clock knows.
func (f *polling) lastPoll() (last time.Time, late bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.last, f.ahead || !f.last.IsZero() && f.s.now().Sub(f.last) > 3*f.every
}

// told is of how many changes it was told.
func (f *polling) told() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.seen
}

// pollReading is one poll.
type pollReading struct {
	f             *polling
	began         time.Time
	from, to      place
	edge          time.Time // what is older is known
	known         map[string]bool
	marks         []pollMark
	stale, purged []string
	count         int
}

type pollMark struct {
	at   time.Time
	mark string
}

// take adds the changes that are not known yet, and tells how many they are.
func (r *pollReading) take(records []ChangedRecord) (fresh int) {
	for _, one := range records {
		if r.f.Newest && !one.At.IsZero() && one.At.Before(r.edge) {
			continue
		}
		mark := r.mark(one)
		if !r.f.Cursor {
			r.marks = append(r.marks, pollMark{one.At, mark})
		}
		if r.known[mark] {
			continue
		}
		r.known[mark] = true
		fresh, r.count = fresh+1, r.count+1
		if one.At.After(r.to.Since) {
			r.to.Since = one.At.UTC()
		}
		tags := r.f.s.changed(one.Change)
		if one.Deleted {
			r.purged = append(r.purged, tags...)
		} else {
			r.stale = append(r.stale, tags...)
		}
	}
	return fresh
}

// mark tells a change from every other, and nothing of it: it goes into the database.
func (r *pollReading) mark(one ChangedRecord) string {
	mac := hmac.New(sha256.New, r.f.s.veil.secret)
	mac.Write([]byte(key(append([]string{"poll", r.f.s.name, one.Kind, one.At.UTC().Format(time.RFC3339Nano)}, one.IDs...)...)))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil)[:8])
}

// kept gives the place after the poll, with the marks of what the next one will be told again.
func (r *pollReading) kept() place {
	if r.began.Before(r.to.Since) { // a record from the future says nothing of when others change
		r.to.Since = r.began.UTC()
	}
	edge := r.to.Since.Add(-r.f.Overlap).Truncate(time.Second)
	slices.SortStableFunc(r.marks, func(a, b pollMark) int { return b.at.Compare(a.at) })
	for _, m := range r.marks {
		if (m.at.IsZero() || !m.at.Before(edge)) && len(r.to.Known) < knownMarks && !slices.Contains(r.to.Known, m.mark) {
			r.to.Known = append(r.to.Known, m.mark)
		}
	}
	return r.to
}

// changed gives the tags of what a change makes old: those of its records, or of the whole kind.
func (s *Source) changed(c Change) (tags []string) {
	if len(c.IDs) == 0 {
		return s.forgets(tutti.KindTag(s.name, c.Kind))
	}
	for _, id := range c.IDs {
		tags = append(tags, s.forgets(tutti.Ref{Source: s.name, Kind: c.Kind, ID: id}.Tag())...)
	}
	return tags
}

// ownPolls stands in for the store: one process is all there is.
type ownPolls struct {
	mu sync.Mutex
	by map[[2]string]tutti.Poll
}

func (o *ownPolls) TakePoll(_ context.Context, source, kind string, now time.Time, lease time.Duration) (tutti.Poll, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	p := o.by[[2]string{source, kind}]
	p.Source, p.Kind = source, kind
	if p.Mine = !now.Before(p.Due); p.Mine {
		p.Lease = now.Add(lease)
		p.Due = p.Lease
		o.by[[2]string{source, kind}] = p
	}
	return p, nil
}

func (o *ownPolls) Polled(_ context.Context, p tutti.Poll, _, _ []string, _ time.Time) (bool, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	at := [2]string{p.Source, p.Kind}
	if !o.by[at].Lease.Equal(p.Lease) {
		return false, nil
	}
	o.by[at] = p
	return true, nil
}
