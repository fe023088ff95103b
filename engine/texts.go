package engine

import "strings"

// texts makes texts that share memory, for those that live and die together: all of it stays as long as
// one of them is held.
type texts struct{ b strings.Builder }

// of gives the text of b. So many of about its length will come, with this one.
func (t *texts) of(b []byte, coming int) string {
	if t.b.Cap()-t.b.Len() < len(b) {
		t.b.Grow(max(len(b), min((len(b)+1)*coming, 4096)))
	}
	from := t.b.Len()
	t.b.Write(b) // behind those that were given, which never change
	return t.b.String()[from:]
}

// pieces makes slices that share memory, as texts does.
type pieces[T any] struct{ free []T }

// take gives a slice of n, the first of so many values that may come.
func (p *pieces[T]) take(n, coming int) []T {
	if n > len(p.free) {
		p.free = make([]T, max(n, coming))
	}
	taken := p.free[:n:n]
	p.free = p.free[n:]
	return taken
}
