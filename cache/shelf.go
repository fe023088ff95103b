package cache

import (
	"hash/maphash"
	"sync"
	"time"
	"unsafe"

	"github.com/dgraph-io/ristretto/v2"
)

// Shelf keeps what was made of cached values, within a byte budget. It judges nothing: whoever
// takes something from it asks whether that still holds. What was put may be absent a moment
// later. Safe for concurrent use, Close included.
type Shelf[V any] struct {
	kept *ristretto.Cache[string, *shelved[V]]

	life   sync.RWMutex // held for reading around each use of kept
	closed bool
}

type shelved[V any] struct {
	key   string
	value V
}

// NewShelf makes a shelf for so many bytes. gone, which may be nil, is called with each value that
// leaves it; it must not call the shelf. Close it.
func NewShelf[V any](maxBytes int64, gone func(V)) *Shelf[V] {
	seed := maphash.MakeSeed()
	kept, err := ristretto.NewCache(&ristretto.Config[string, *shelved[V]]{
		NumCounters:        min(max(maxBytes/1024*10, 10_000), 10_000_000), // ten for each value of 1 KiB
		MaxCost:            max(maxBytes, 1),
		BufferItems:        64,
		IgnoreInternalCost: true,                                                                      // overhead counts it
		KeyToHash:          func(key string) (uint64, uint64) { return maphash.String(seed, key), 0 }, // the full key is compared in Get
		OnExit: func(s *shelved[V]) {
			if s != nil && gone != nil {
				gone(s.value)
			}
		},
	})
	if err != nil {
		panic(err) // only for a budget that is not positive
	}
	return &Shelf[V]{kept: kept}
}

// Get gives what was put under exactly this key.
func (s *Shelf[V]) Get(key []byte) (v V, ok bool) {
	s.life.RLock()
	defer s.life.RUnlock()
	if s.closed {
		return v, false
	}
	asked := unsafe.String(unsafe.SliceData(key), len(key)) // only while this call lasts
	if kept, found := s.kept.Get(asked); found && kept.key == asked {
		return kept.value, true
	}
	return v, false
}

// Put keeps a value of so many bytes for a time, 0 for as long as there is room.
func (s *Shelf[V]) Put(key []byte, v V, bytes int, ttl time.Duration) {
	s.life.RLock()
	defer s.life.RUnlock()
	if !s.closed {
		kept := &shelved[V]{string(key), v}
		s.kept.SetWithTTL(kept.key, kept, int64(len(key)+bytes+overhead), ttl)
	}
}

// Flush waits until what was put before is seen, as far as it is kept at all.
func (s *Shelf[V]) Flush() {
	s.life.RLock()
	defer s.life.RUnlock()
	if !s.closed {
		s.kept.Wait()
	}
}

// Close lets go of everything. Later calls find and keep nothing. It may be called again.
func (s *Shelf[V]) Close() {
	s.life.Lock()
	defer s.life.Unlock()
	if !s.closed {
		s.closed = true
		s.kept.Close()
	}
}
