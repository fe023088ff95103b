package graph

import (
	"slices"
	"unique"
	"unsafe"
)

// A list of the same items is the same text in every variant of a component and in every page that
// holds it: the ids of resources do not depend on where they stand. It is nearly all of what is
// kept, so long lists are kept once.

// keptText is what was written once. Long lists in it are shared with all other text that holds the
// same. It never changes.
type keptText struct {
	own   string
	lists []sharedList
}

// sharedList is a list that stands before own[at].
type sharedList struct {
	at   int
	text unique.Handle[string]
}

// smallestShared is the length from which a list is shared: what that takes besides is small then.
const smallestShared = 1 << 10

// longList is where a long list stands in what is being written.
type longList struct{ from, to int }

// listed notes a list that was written from a place on: in a part whose text will be kept, if no
// component stands in it. Lists inside of it need no notes of their own then.
func (p *projector) listed(from int) {
	if p.part == nil || p.record == nil || p.slots != nil || len(p.out)-from < smallestShared || p.joined >= from {
		return
	}
	p.lists = append(slices.DeleteFunc(p.lists, func(l longList) bool { return l.from >= from }), longList{from, len(p.out)})
}

// keptTextOf makes kept text of what was written from a place on, with the lists in it.
func keptTextOf(out []byte, from int, lists []longList) (w keptText) {
	n := len(out) - from
	for _, l := range lists {
		n -= l.to - l.from
	}
	own := make([]byte, 0, n)
	if len(lists) > 0 {
		w.lists = make([]sharedList, 0, len(lists))
	}
	for _, l := range lists {
		own = append(own, out[from:l.from]...)
		w.lists = append(w.lists, sharedList{len(own), unique.Make(textOf(out[l.from:l.to]))}) // which makes a copy
		from = l.to
	}
	w.own = textOf(append(own, out[from:]...))
	return w
}

func (w *keptText) size() int {
	n := len(w.own)
	for _, l := range w.lists {
		n += len(l.text.Value())
	}
	return n
}

func (w *keptText) appendTo(out []byte) []byte {
	from := 0
	for _, l := range w.lists {
		out = append(append(out, w.own[from:l.at]...), l.text.Value()...)
		from = l.at
	}
	return append(out, w.own[from:]...)
}

// splice puts kept text here: what is long in it without copying it, where the answer may be sent in
// pieces. It reports false for nil.
func (p *projector) splice(w *keptText) bool {
	if w == nil {
		return false
	}
	from := 0
	for _, l := range w.lists {
		p.spliceText(w.own[from:l.at])
		p.spliceText(l.text.Value())
		from = l.at
	}
	p.spliceText(w.own[from:])
	return true
}

func (p *projector) spliceText(text string) {
	if p.spliced && len(text) >= smallestSplice {
		p.splices = append(p.splices, splice{len(p.out), unsafe.Slice(unsafe.StringData(text), len(text))}) // nobody changes it
		return
	}
	p.out = append(p.out, text...)
}

// textOf is a text in place of bytes, as long as nobody changes them.
func textOf(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
