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
