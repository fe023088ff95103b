package graph

import "sync"

// buffers lends what an answer is written into while nobody knows how long it will be. What is
// in one is copied out, or sent, before it is given back.
var buffers = sync.Pool{New: func() any { return &buffer{make([]byte, 0, 16<<10)} }}

type buffer struct{ b []byte }

// largest is the capacity up to which a buffer is worth keeping.
const largest = 1 << 20

func borrow() *buffer { return buffers.Get().(*buffer) }

// giveBack ends the use of a buffer and of everything that shares its memory.
func (b *buffer) giveBack() {
	if cap(b.b) <= largest {
		b.b = b.b[:0]
		buffers.Put(b)
	}
}
