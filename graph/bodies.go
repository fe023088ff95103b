package graph

import (
	"bytes"
	"container/list"
	"hash/maphash"
	"sync"
	"sync/atomic"
)

// bodies keeps answers that were sent more than once with their codings and ETags, so that each is
// compressed and hashed once. An answer is found by all of its bytes: nobody can get another's,
// and one that is for one person alone does not come in by being sent once. In memory only.
type bodies struct {
	most int
	seed maphash.Seed
	seen [1 << 12]atomic.Uint64 // the hashes of answers that were sent once

	mu     sync.Mutex // guards all below
	bytes  int
	order  *list.List // front = sent last; values are *keptBody
	byHash map[uint64]*list.Element
}

type keptBody struct {
	hash uint64
	cost int
	body *Body
}

func newBodies(most int) *bodies {
	return &bodies{most: most, seed: maphash.MakeSeed(), order: list.New(), byHash: map[uint64]*list.Element{}}
}

// of gives the kept body of an answer; nil for one that is sent for the first time.
func (b *bodies) of(plain []byte) *Body {
	hash := maphash.Bytes(b.seed, plain)
	if body, known := b.find(hash, plain); known {
		return body
	}
	if once := &b.seen[hash%uint64(len(b.seen))]; once.Swap(hash) != hash {
		return nil
	}
	return b.add(hash, plain)
}

// find gives the body of a hash; nil, but known, when it is another answer's.
func (b *bodies) find(hash uint64, plain []byte) (body *Body, known bool) {
	b.mu.Lock()
	e := b.byHash[hash]
	if e == nil {
		b.mu.Unlock()
		return nil, false
	}
	b.order.MoveToFront(e)
	body = e.Value.(*keptBody).body
	b.mu.Unlock()
	if !bytes.Equal(body.plain, plain) {
		return nil, true
	}
	return body, true
}

func (b *bodies) add(hash uint64, plain []byte) *Body {
	body := NewBody(bytes.Clone(plain))
	k := &keptBody{hash: hash, cost: 2*len(plain) + 512, body: body} // what is compressed takes less than the other half
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.byHash[hash] != nil || k.cost > b.most {
		return body
	}
	b.byHash[hash] = b.order.PushFront(k)
	b.bytes += k.cost
	for b.bytes > b.most {
		old := b.order.Remove(b.order.Back()).(*keptBody)
		delete(b.byHash, old.hash)
		b.bytes -= old.cost
	}
	return body
}
