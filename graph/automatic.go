package graph

import (
	"container/list"
	"sync"
)

// automatic keeps the texts of automatic persisted queries by their hash, the ones used last, up
// to a number of bytes. Whoever has a key can fill it and push out others' texts, which are then
// sent again; trusted operations are not in it.
type automatic struct {
	most int

	mu     sync.Mutex // guards all below
	bytes  int
	order  *list.List // front = used last; values are *automaticText
	byHash map[string]*list.Element
}

type automaticText struct{ hash, text string }

// weight counts a text with its hash and what the list and the map take.
func (a *automaticText) weight() int { return len(a.text) + len(a.hash) + 200 }

func newAutomatic(most int) *automatic {
	return &automatic{most: most, order: list.New(), byHash: map[string]*list.Element{}}
}

func (a *automatic) get(hash string) (text string, ok bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	e := a.byHash[hash]
	if e == nil {
		return "", false
	}
	a.order.MoveToFront(e)
	return e.Value.(*automaticText).text, true
}

// add keeps a text that is valid and whose hash was checked.
func (a *automatic) add(hash, text string) {
	t := &automaticText{hash, text}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.byHash[hash] != nil || t.weight() > a.most {
		return
	}
	a.byHash[hash] = a.order.PushFront(t)
	a.bytes += t.weight()
	for a.bytes > a.most {
		old := a.order.Remove(a.order.Back()).(*automaticText)
		delete(a.byHash, old.hash)
		a.bytes -= old.weight()
	}
}

// remove forgets a text that is not valid any more.
func (a *automatic) remove(hash string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if e := a.byHash[hash]; e != nil {
		delete(a.byHash, hash)
		a.bytes -= a.order.Remove(e).(*automaticText).weight()
	}
}
