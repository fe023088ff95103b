package graph

import (
	"net"
	"sync"
)

// buffers lends what an answer is written into while nobody knows how long it will be. What is
// in one is copied out, or sent, before it is given back.
var buffers = sync.Pool{New: func() any { return &buffer{b: make([]byte, 0, 16<<10)} }}

// buffer is bytes, and texts that are kept elsewhere and stand between them: they are sent from
// where they are.
type buffer struct {
	b       []byte
	splices []splice
	pieces  [][]byte // of sent
	sending net.Buffers
}

// splice is a text that stands before b[at]. Nobody changes it.
type splice struct {
	at   int
	text []byte
}

// smallestSplice is the length from which a text is not copied.
const smallestSplice = 1 << 10

// largest is the capacity up to which a buffer is worth keeping.
const largest = 1 << 20

func borrow() *buffer { return buffers.Get().(*buffer) }

// giveBack ends the use of a buffer and of everything that shares its memory.
func (b *buffer) giveBack() {
	if cap(b.b) <= largest {
		clear(b.splices)
		clear(b.pieces[:cap(b.pieces)])
		b.b, b.splices, b.pieces, b.sending = b.b[:0], b.splices[:0], b.pieces[:0], nil
		buffers.Put(b)
	}
}

func (b *buffer) len() int {
	n := len(b.b)
	for _, s := range b.splices {
		n += len(s.text)
	}
	return n
}

// whole gives everything as one text, which lives as long as the buffer's use.
func (b *buffer) whole() []byte {
	if len(b.splices) > 0 {
		all := make([]byte, 0, b.len())
		from := 0
		for _, s := range b.splices {
			all = append(append(all, b.b[from:s.at]...), s.text...)
			from = s.at
		}
		b.b = append(all, b.b[from:]...)
		clear(b.splices)
		b.splices = b.splices[:0]
	}
	return b.b
}

// inPieces gives everything in its order, to be sent once, before the buffer is used again.
func (b *buffer) inPieces() *net.Buffers {
	from := 0
	for _, s := range b.splices {
		if s.at > from {
			b.pieces = append(b.pieces, b.b[from:s.at])
		}
		b.pieces = append(b.pieces, s.text)
		from = s.at
	}
	b.pieces = append(b.pieces, b.b[from:])
	b.sending = b.pieces
	return &b.sending
}

// data is what stands in a whole response from a place on, without the brace that ends it.
func (b *buffer) data(from int) []byte {
	all := b.whole()
	return all[from : len(all)-1]
}
