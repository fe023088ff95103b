package cache

import (
	"sync"
	"time"
	"unsafe"
)

// Shelf keeps what was made of cached values, within a byte budget. It judges nothing: whoever
// takes something from it asks whether that still holds. Safe for concurrent use, Close included.
type Shelf[V any] struct {
	memory *memory[shelved[V]]

	life   sync.RWMutex // held for reading around each use of memory
	closed bool
}

type shelved[V any] struct {
	value V
	bytes int
}

// NewShelf makes a shelf for so many bytes. gone, which may be nil, is called with each value that
// leaves it; it must not call the shelf. Close it.
func NewShelf[V any](maxBytes int64, gone func(V)) *Shelf[V] {
	m := newMemory(maxBytes, func(s shelved[V]) int { return s.bytes })
	if gone != nil {
		m.gone = func(s shelved[V]) { gone(s.value) }
	}
	return &Shelf[V]{memory: m}
}

// Get gives what was put under exactly this key.
func (s *Shelf[V]) Get(key []byte) (v V, ok bool) {
	s.life.RLock()
	defer s.life.RUnlock()
	if s.closed {
		return v, false
	}
	if e := s.memory.get(unsafe.String(unsafe.SliceData(key), len(key))); e != nil { // the text is used only while this call lasts
		return e.value.value, true
	}
	return v, false
}

// Put keeps a value of so many bytes for a time, 0 for as long as there is room.
func (s *Shelf[V]) Put(key []byte, v V, bytes int, ttl time.Duration) {
	s.life.RLock()
	defer s.life.RUnlock()
	if s.closed {
		return
	}
	now := time.Now()
	if ttl <= 0 {
		ttl = 100 * 365 * 24 * time.Hour
	}
	s.memory.set(&entry[shelved[V]]{key: string(key), value: shelved[V]{v, bytes}, found: true, freshUntil: instantOf(now).add(ttl)}, now)
}

// Close lets go of everything. Later calls find and keep nothing. It may be called again.
func (s *Shelf[V]) Close() {
	s.life.Lock()
	defer s.life.Unlock()
	if !s.closed {
		s.closed = true
		s.memory.close()
	}
}
