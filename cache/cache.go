// Package cache keeps what origins said, in memory: many keys at once, loads shared by everybody
// who asks for the same key, old answers while new ones are on their way or an origin is down, and
// tags by which everything made of a record is forgotten.
//
// It owns freshness, coalescing, forgetting and the byte budget. It does not know origins: it
// neither retries nor limits calls, and writes nothing to disk. Where the values are kept is
// nobody's business outside of this package.
package cache

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tuttihq/tutti"
)

const (
	defaultMaxBytes  = 64 << 20
	defaultHardLimit = 10 * time.Second
)

// Config says how much a cache keeps and what time it is. The zero value is a good one.
type Config struct {
	MaxBytes int64            // of values, keys and 256 bytes for each; 0 means 64 MiB
	Now      func() time.Time // nil means time.Now
}

// Policy says how long an answer serves and how long callers wait.
type Policy struct {
	Fresh        time.Duration // an answer is fresh for so long
	Stale        time.Duration // then served at once for so long, while one refresh runs
	StaleIfError time.Duration // counted like Stale: served when the load fails; 0 means never
	Negative     time.Duration // "not found" is kept for so long; 0 means not at all
	SoftLimit    time.Duration // a caller that holds a stand-in waits no longer; 0 means as long as others
	HardLimit    time.Duration // the deadline of a load itself; 0 means 10 s, less than 0 that it sees to its end itself
	// AtLeast is how much of its fresh time an answer from memory must have left. Everything else is
	// waited for, and old values stand in only where the load fails: for what is made of several
	// answers and kept as one. 0 asks for nothing.
	AtLeast time.Duration
}

// Key names one value. Key must hold every dimension on which the value depends. Tags name the records
// that it is made of, as far as they are known before the load; they are part of what the key means:
// the same key always comes with the same tags.
type Key struct {
	Key  string
	Tags []string
}

// Ask is one key that a load has to answer. Old is the last known value, and Validator (an ETag
// or a date) came with it: a load may ask the origin whether it is unchanged.
type Ask[V any] struct {
	Key       Key
	Validator string
	Old       V
	HasOld    bool

	batch *batch[V] // of which it is one
}

// Room gives memory for the answers to the asks of a load, all of them zero. The cache takes it back when
// it has read the answers.
func Room[V any](asks []Ask[V]) []Loaded[V] {
	if len(asks) == 0 || asks[0].batch == nil || len(asks) != len(asks[0].batch.asks) {
		return make([]Loaded[V], len(asks))
	}
	b := asks[0].batch
	b.answers = slices.Grow(b.answers[:0], len(asks))[:len(asks)]
	return b.answers
}

// Loaded is what a load says about one ask. Found false without Err means that the origin does not have it.
type Loaded[V any] struct {
	Value     V
	Found     bool
	Unchanged bool          // Old is still right; Value and Found are not looked at
	Tags      []string      // of records that became known only by the load; they count as if known before it
	Fresh     time.Duration // 0 means the policy's
	Age       time.Duration // how old the value was when the load began
	Validator string
	Err       error
}

// Result is what a cache says about one key.
//
//	found            Found, State FRESH, STALE_REVALIDATING or STALE_ERROR
//	not found        not Found, State MISSING, Err nil
//	nothing to give  not Found, State MISSING, Err tells why
//
// Err beside a value tells why a stale one stands in. AsOf is the instant at which the load that
// brought the value began: the value is not older. Cached means that it comes from memory, and not
// from a load that this call waited for. Until is zero when it is not fresh; else it is fresh until
// then at least, and who keeps something made of it should read it again then, so that it is renewed
// before its end. Marks are for Forgotten: where this cache notes that a tag of the value is
// forgotten.
type Result[V any] struct {
	Value  V
	Found  bool
	State  tutti.FreshnessState
	AsOf   time.Time
	Until  time.Time
	Marks  []uint32 // shared: never change them
	Cached bool
	Err    error
}

// Cache holds values of one type. They are shared by all callers: nobody may change one. Safe
// for concurrent use, Close included.
type Cache[V any] struct {
	now    func() time.Time
	placed bool // values may have a Place
	memory *memory[V]
	epochs *epochs
	counts counts

	life    sync.RWMutex // held for reading around each use of memory and each start of a flight
	closed  bool         // under life
	closing sync.Once
	stop    context.Context
	halt    context.CancelFunc
	running sync.WaitGroup // loads
	crew    sync.WaitGroup // the goroutines in which they run
	work    chan *batch[V] // for those of the crew who wait
	waiting atomic.Int32   // how many do

	mu       sync.Mutex // taken after life
	flights  map[string]*flight[V]
	landings atomic.Uint64 // how many batches left flights; changed under mu

	handles, batches sync.Pool // of *Handle[V] and *batch[V], for one after the other
}

// New makes a cache. size gives the bytes of a value, that of its Place included; nil counts none. Close it.
func New[V any](cfg Config, size func(V) int) *Cache[V] {
	if cfg.MaxBytes <= 0 {
		cfg.MaxBytes = defaultMaxBytes
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if size == nil {
		size = func(V) int { return 0 }
	}
	c := &Cache[V]{now: cfg.Now, placed: placed[V](), memory: newMemory(cfg.MaxBytes, size), epochs: newEpochs(), flights: map[string]*flight[V]{}, work: make(chan *batch[V])}
	c.stop, c.halt = context.WithCancel(context.Background())
	return c
}

// GetMany answers keys in their order; a key may come more than once. What is fresh comes from memory.
// What is stale comes at once and is renewed behind the caller's back; so is what is fresh and near
// its end, once, so that what is read often never grows old. A key whose load has just failed comes at
// once with its stand-in, while it is tried again behind, once a second. For the rest the caller
// waits: for loads of others where they began after the last Forget of the key's tags, and else for
// one call of load, which gets all keys that nobody is loading, those to be renewed included.
//
// load answers asks in their order; they are its own only until it returns. It runs in a goroutine of the
// cache, with the values of ctx but with the hard limit as its deadline, and must return soon after its context ends. A panic becomes an
// error with code Internal. The caller leaves when ctx ends, or at the soft limit when it holds an old
// value for every key it waits for; the load goes on and fills the cache.
//
// Err carries the load's own error, Timeout when the time is over, Unavailable when the caller
// cancelled or the cache is closed, Internal for a panic or a wrong number of answers. Errors are not kept.
func (c *Cache[V]) GetMany(ctx context.Context, keys []Key, p Policy, load func(ctx context.Context, asks []Ask[V]) []Loaded[V]) []Result[V] {
	landings := c.landings.Load()
	results := make([]Result[V], len(keys))
	left, known := c.recall(keys, p, results, nil)
	if len(left) == 0 {
		return results
	}
	landed := make(chan struct{})
	h := c.begin(&Handle[V]{c: c, ctx: ctx, keys: keys, policy: p, load: load, landed: func() { close(landed) }, results: results, known: known, landings: landings}, left)
	select {
	case <-landed:
		return results
	case <-ctx.Done():
		return h.Take(ended(ctx))
	}
}

// recall answers from memory what needs no load and adds the positions of the rest to left; known reports
// whether memory holds something of the rest. Where a value is due for renewal, one caller gets its
// position, and begins the load that nobody waits for.
func (c *Cache[V]) recall(keys []Key, p Policy, results []Result[V], left []int) (rest []int, known bool) {
	now := c.now()
	var hits, negative int64
	c.life.RLock()
	defer c.life.RUnlock()
	for i := range keys {
		var e *entry[V]
		if !c.closed {
			e = c.memory.get(keys[i].Key)
		}
		good := isUseless
		if e != nil {
			good = c.judge(e, now)
		}
		if good == isUseless || e.claim(now) || !c.serve(e, good, p, now, &results[i]) {
			if left == nil {
				left = make([]int, 0, len(keys)-i)
			}
			left, known = append(left, i), known || e != nil
			continue
		}
		if good == isFresh && e.found {
			hits++
		} else if good == isFresh {
			negative++
		}
	}
	c.counts.hits.Add(hits)
	c.counts.negative.Add(negative)
	return left, known
}

// Epochs is the moment before a load: what is forgotten after it makes the load's values old.
type Epochs struct {
	seq uint64
	at  instant
}

// Epochs gives this moment. Take it before asking an origin for what will be Put. It holds for
// all tags, those included that only the answer tells.
func (c *Cache[V]) Epochs([]string) Epochs {
	return Epochs{seq: c.epochs.now(), at: instantOf(c.now())}
}

// Moment is the number of the last Forget that is complete, for Forgotten.
func (c *Cache[V]) Moment() uint64 { return c.epochs.now() }

// Forgotten says whether one of the tags behind these marks was forgotten after a moment. What is
// made of values that were fresh at that moment is right as long as it was not.
func (c *Cache[V]) Forgotten(marks []uint32, after uint64) bool {
	return c.epochs.now() != after && c.epochs.forgottenSince(marks, after)
}

// Put keeps a value that came by another way than GetMany, like a record in a selection's answer.
// taken must come from before the origin was asked: when a tag was forgotten since, the value serves
// as a stand-in at most. Nothing happens when l holds an error or Unchanged, or when memory holds what
// was loaded after a later Forget.
func (c *Cache[V]) Put(key Key, taken Epochs, l Loaded[V], p Policy) {
	if l.Err != nil || l.Unchanged {
		return
	}
	c.life.RLock()
	defer c.life.RUnlock()
	if !c.closed {
		now := c.now()
		var some [4]slot
		e := c.entryFor(&l)
		e.fill(key.Key, slotsOf(some[:0], key.Tags), taken, &l, &p, instantOf(now))
		c.memory.set(e, now)
	}
}

// Forget makes everything old that was made of these records: when Forget has returned, nothing whose
// load began before is served as fresh or as stale-while-revalidating, whether it is kept already or
// still on its way. It serves as a stand-in (STALE_ERROR) when its reload fails or is slow.
func (c *Cache[V]) Forget(tags ...string) { c.epochs.forget(tags, false) }

// Purge is Forget for what must not be seen again: it does not even stand in.
func (c *Cache[V]) Purge(tags ...string) { c.epochs.forget(tags, true) }

// ForgetAll is Forget for every tag.
func (c *Cache[V]) ForgetAll() { c.epochs.forgetAll() }

// Close ends the contexts of running loads, waits for the loads, and lets go of everything. Later calls
// answer Unavailable for every key. It may be called again.
func (c *Cache[V]) Close() {
	c.closing.Do(func() {
		c.life.Lock()
		c.closed = true
		c.life.Unlock()
		c.halt()
		c.running.Wait()
		c.crew.Wait()
		c.memory.close() // nobody uses memory now: closed is set and the flights have landed
	})
}

// counts are totals since the start.
type counts struct {
	hits, stale, misses, negative, loads, coalesced, early atomic.Int64
}

func (c *counts) hit(found bool) {
	if found {
		c.hits.Add(1)
	} else {
		c.negative.Add(1)
	}
}

// Stats tells how a cache does: totals of keys since the start, and what it holds now. Bytes and
// Items lag a little behind.
type Stats struct {
	Hits      int64 // answered fresh from memory
	Negative  int64 // answered "not found" from memory
	Stale     int64 // answered with an old value
	Misses    int64 // waited for a load
	Coalesced int64 // of the misses: waited for a load that another call had begun
	Loads     int64 // calls of load
	Early     int64 // keys renewed before their end
	Evicted   int64 // values dropped for want of room
	Bytes     int64
	Items     int64
}

// Stats gives the present numbers.
func (c *Cache[V]) Stats() Stats {
	s := Stats{
		Hits: c.counts.hits.Load(), Negative: c.counts.negative.Load(), Stale: c.counts.stale.Load(), Misses: c.counts.misses.Load(),
		Coalesced: c.counts.coalesced.Load(), Loads: c.counts.loads.Load(), Early: c.counts.early.Load(), Evicted: c.memory.evicted.Load(),
	}
	c.life.RLock()
	defer c.life.RUnlock()
	if !c.closed {
		s.Bytes, s.Items = c.memory.bytes(), max(0, c.memory.items.Load())
	}
	return s
}
