package graph

import (
	"bytes"
	"context"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/tuttihq/tutti"
)

// Piece is a delivered object that belongs to a part of a page. What is written of a part is kept
// with it, for the next page that it stands in. Pieces of one part stand together.
type Piece interface {
	Object
	// Part is what the object belongs to; nil for none.
	Part() *tutti.Part
}

// Whole is an object of which an answer can be kept, to be sent again for other requests.
type Whole interface {
	Object
	// Varies reports whether a field at its top can be different for another request that gets the
	// answer. Personal words do not count: tokens stand for them.
	Varies(field string) bool
	// Word gives this request's words for a token: HoleStart, a number from 1 on, HoleEnd.
	Word(token int) string
}

// Sparse is a text of a nullable field that is null where the text is "". It matters for one that
// may get no words: else an object gives nil.
type Sparse string

// Ready is an answer that was written once: text, and what is put into it each time. It never
// changes; safe for concurrent use.
type Ready struct {
	text   string // what stands in the answer itself
	steps  []step
	parts  []partAt     // whose text stands in it, in order
	fields []*collected // of the whole, that are written anew
}

// step says that after the text up to a place something else comes.
type step struct {
	to, n uint32
	kind  stepKind
}

type stepKind byte

const (
	ownText    stepKind = iota // the answer's own text; no step
	ofPart                     // the text of parts[n]
	anewField                  // fields[n], written anew
	anewWords                  // what the token n stands for
	sparseFrom                 // a text begins that is null if no words come
	sparseTo                   // it ends
)

// partAt is a part that is kept, at one place in the selection.
type partAt struct {
	part *KeptPart
	site *selection
}

// stretch is a piece of an answer that is being written to be kept.
type stretch struct {
	kind  stepKind
	token int
	text  keptText    // its own, or of a part
	part  *tutti.Part // and where in the selection
	site  *selection
	field *collected
}

// partText is what was written of a part, by the place in the selection where it stands. Nearly always there is one, and it
// is near: this is read for each part of each answer.
type partText struct {
	first siteText
	more  []siteText
}

// siteText is what was written of a part at one place.
type siteText struct {
	site *selection
	text keptText
}

// at gives what was written at a place; nil when nothing was.
func (p *partText) at(site *selection) *keptText {
	switch {
	case p == nil:
		return nil
	case p.first.site == site:
		return &p.first.text
	}
	for i := range p.more {
		if p.more[i].site == site {
			return &p.more[i].text
		}
	}
	return nil
}

func (p *partText) add(s siteText) {
	if p.first.site == nil {
		p.first = s
	} else {
		p.more = append(p.more, s)
	}
}

// size is how many bytes of text there are.
func (p *partText) size() int {
	n := p.first.text.size()
	for i := range p.more {
		n += p.more[i].text.size()
	}
	return n
}

// record notes what an answer is made of while it is written.
type record struct {
	whole     Whole
	stretches []stretch
	from      int  // where what is not noted yet begins
	tokens    bool // there are some
	broken    bool
}

func (r *record) add(s stretch) { r.stretches = append(r.stretches, s) }

// text notes what was written since the last note: words and tokens.
func (r *record) text(out []byte, to int) {
	if to <= r.from {
		return
	}
	text := bytes.Clone(out[r.from:to]) // which nobody changes
	words := func(end int) {
		if end > 0 {
			r.add(stretch{text: keptText{own: textOf(text[:end])}})
		}
	}
	for at := 0; ; {
		n := bytes.Index(text[at:], holeStart)
		if n < 0 {
			words(len(text))
			return
		}
		token, after, found := bytes.Cut(text[at+n+len(holeStart):], holeEnd)
		anew, ok := tokenOf(token)
		if !found || !ok {
			at += n + len(holeStart) // words after all
			continue
		}
		words(at + n)
		r.add(anew)
		text, at, r.tokens = after, 0, true
	}
}

// tokenOf reads what stands in a token; false for none.
func tokenOf(b []byte) (s stretch, ok bool) {
	switch string(b) {
	case sparseBegins:
		return stretch{kind: sparseFrom}, true
	case sparseEnds:
		return stretch{kind: sparseTo}, true
	}
	n, err := strconv.Atoi(string(b))
	return stretch{kind: anewWords, token: n}, err == nil && n > 0
}

const sparseBegins, sparseEnds = "<", ">"

var holeStart, holeEnd = []byte(tutti.HoleStart), []byte(tutti.HoleEnd)

// sparse writes a text so that text notes whether it is null.
func (r *record) sparse(b []byte, s string) []byte {
	for rest := s; rest != ""; { // words between the tokens: it is never null
		if !strings.HasPrefix(rest, tutti.HoleStart) {
			return AppendString(b, s)
		}
		_, rest, _ = strings.Cut(rest, tutti.HoleEnd)
	}
	b = append(b, tutti.HoleStart+sparseBegins+tutti.HoleEnd...)
	b = AppendString(b, s)
	return append(b, tutti.HoleStart+sparseEnds+tutti.HoleEnd...)
}

// vary notes that out[from:to] is s.
func (r *record) vary(out []byte, from, to int, s stretch) {
	r.text(out, from)
	r.add(s)
	r.from = to
}

// NewReadyAnswer is NewAnswer for an object of which the answer is kept, and what is written of its
// parts with them. Tokens for personal words may stand in its texts. Nothing is kept (ready is nil)
// where a part of the answer is missing.
func NewReadyAnswer(ctx context.Context, sel *Selection, obj Whole) (a *Answer, ready *Written) {
	w := writing(ctx, sel)
	defer w.end()
	start := len(w.p.out)
	r := &record{whole: obj, from: start}
	w.p.record = r
	if !w.object(obj) {
		return &Answer{}, nil
	}
	if r.broken { // what was noted may have been taken back
		*r = record{whole: obj, from: start, broken: true}
	}
	r.text(w.p.out, len(w.p.out))
	w.p.record = nil
	if r.tokens {
		w.p.out = w.p.out[:start]
		for i := range r.stretches {
			w.p.stretch(&r.stretches[i], obj)
		}
	}
	w.p.settle(obj, start)
	if r.broken {
		return w.answer(), nil
	}
	return w.answer(), &Written{r}
}

// Written is an answer with whose parts it is made of.
type Written struct{ r *record }

// on gives the answer as it is kept: with what is kept of its parts instead of their text.
func (w *Written) on(parts map[*tutti.Part]*KeptPart) Ready {
	var r Ready
	var text []byte
	step := func(kind stepKind, n int) { r.steps = append(r.steps, step{uint32(len(text)), uint32(n), kind}) }
	for i := range w.r.stretches {
		switch s := &w.r.stretches[i]; {
		case s.kind == ofPart && parts[s.part] != nil:
			step(ofPart, len(r.parts))
			r.parts = append(r.parts, partAt{parts[s.part], s.site})
		case s.kind == ofPart, s.kind == ownText:
			text = s.text.appendTo(text)
		case s.kind == anewField:
			step(anewField, len(r.fields))
			r.fields = append(r.fields, s.field)
		default:
			step(s.kind, s.token)
		}
	}
	r.text, r.steps, r.parts = string(text), slices.Clone(r.steps), slices.Clone(r.parts) // no longer than they are
	return r
}

// size is about how many bytes it takes.
func (r *Ready) size() int { return len(r.text) + 12*len(r.steps) + 16*len(r.parts) }

// Answer sends a ready answer again; nil when a part of it is not kept any more. whole gives what
// varies.
func (r *Ready) Answer(ctx context.Context, sel *Selection, whole Whole) *Answer {
	w := writing(ctx, sel)
	defer w.end()
	start := len(w.p.out)
	from := uint32(0)
	for _, s := range r.steps {
		w.p.out = append(w.p.out, r.text[from:s.to]...)
		from = s.to
		ok := true
		switch s.kind {
		case ofPart:
			ok = w.p.splice(r.parts[s.n].text())
		case anewField:
			ok = w.p.field(whole, r.fields[s.n])
		default:
			w.p.word(whole, s.kind, int(s.n))
		}
		if !ok {
			return nil
		}
	}
	w.p.out = append(w.p.out, r.text[from:]...)
	w.p.settle(whole, start)
	return w.answer()
}

func (p *projector) stretch(s *stretch, whole Whole) {
	switch s.kind {
	case ownText, ofPart:
		p.out = s.text.appendTo(p.out)
	case anewField:
		p.field(whole, s.field)
	default:
		p.word(whole, s.kind, s.token)
	}
}

// word writes what a token stands for.
func (p *projector) word(whole Whole, kind stepKind, token int) {
	switch kind {
	case anewWords:
		p.out = appendText(p.out, whole.Word(token))
	case sparseFrom:
		p.sparse = len(p.out)
	case sparseTo:
		if string(p.out[p.sparse:]) == `""` {
			p.out = append(p.out[:p.sparse], "null"...)
		}
	}
}

// pieces writes a list of pieces, each part from what is kept of it where there is something.
func (p *projector) pieces(l []Piece, site *selection) bool {
	p.joined = len(p.out)
	p.out = append(p.out, '[')
	for i := 0; i < len(l); {
		if i > 0 {
			p.out = append(p.out, ',')
		}
		part, end := l[i].Part(), i+1
		for end < len(l) && part != nil && l[end].Part() == part {
			end++
		}
		if !p.run(part, l[i:end], i, site) {
			return false
		}
		i = end
	}
	p.out = append(p.out, ']')
	return true
}

// run writes neighbours that belong to one part.
func (p *projector) run(part *tutti.Part, l []Piece, at int, site *selection) bool {
	if part == nil || part.Mixed || p.part != nil {
		return p.join(l, at, site)
	}
	from := len(p.out)
	before, _ := part.Written.(*partText)
	text := before.at(site)
	if text != nil {
		p.out = text.appendTo(p.out)
	} else if !p.make(part, l, at, site) {
		return false
	}
	if r := p.record; r != nil && !part.Holed {
		if text == nil {
			text = p.keep(part, from, site)
		}
		r.vary(p.out, from, len(p.out), stretch{kind: ofPart, text: *text, part: part, site: site})
	}
	return true
}

// make writes a part that was not written before.
func (p *projector) make(part *tutti.Part, l []Piece, at int, site *selection) bool {
	from := len(p.out)
	p.part, p.lists = part, p.lists[:0]
	p.beginPart()
	ok := p.join(l, at, site)
	p.endPart(from)
	p.part = nil
	return ok
}

// keep notes what was written of a part.
func (p *projector) keep(part *tutti.Part, from int, site *selection) *keptText {
	if p.made == nil {
		p.made = map[*tutti.Part]*partText{}
	}
	if p.made[part] == nil {
		p.made[part] = &partText{}
	}
	lists := p.lists
	if p.record.broken { // what was noted may have been taken back
		lists = nil
	}
	p.made[part].add(siteText{site, keptTextOf(p.out, from, lists)})
	return p.made[part].at(site)
}

// join writes pieces with commas between them.
func (p *projector) join(l []Piece, at int, site *selection) bool {
	for i, o := range l {
		if i > 0 {
			p.out = append(p.out, ',')
		}
		p.push(pathIndex(at + i))
		ok := p.object(o, site)
		p.pop()
		if !ok {
			return false
		}
	}
	return true
}

// keepParts leaves with each new part what was written of it. Where something has an error nothing
// is left: the next answer must tell it too.
func (p *projector) keepParts() {
	if p.record != nil && p.record.broken {
		return
	}
	for part, w := range p.made {
		if part.Written == nil {
			part.Written = w
		}
	}
}

// job is the writing of one answer.
type job struct {
	p    projector
	sel  *Selection
	into *direct // where the whole response is written; nil for a buffer of its own
	buf  *buffer
}

// jobs are lent to one after the other.
var jobs = sync.Pool{New: func() any { return &job{p: projector{path: make(ast.Path, 0, 16)}} }}

func writing(ctx context.Context, sel *Selection) *job {
	w := jobs.Get().(*job)
	w.sel, w.p = sel, projector{ctx: ctx, vars: sel.vars, schema: sel.schema, hashes: sel.hashes, path: w.p.path}
	if w.into = directFrom(ctx); w.into != nil {
		w.p.path = append(w.p.path, ast.PathName(w.into.field.Alias))
		w.p.out, w.p.splices, w.p.spliced = w.into.out, w.into.splices, !sel.hashes
		return w
	}
	w.p.path = append(w.p.path, graphql.GetFieldContext(ctx).Path()...)
	w.buf = borrow()
	w.p.out = w.buf.b
	return w
}

func (w *job) object(obj Object) bool {
	w.p.top = w.sel.root
	if !w.p.object(obj, w.sel.root) {
		return false
	}
	w.p.keepParts()
	return true
}

func (w *job) answer() *Answer {
	if w.into != nil {
		w.into.out, w.into.splices = w.p.out, w.p.splices
		return &Answer{sent: true}
	}
	return &Answer{data: bytes.Clone(w.p.out)}
}

func (w *job) end() {
	if w.buf != nil {
		w.buf.b = w.p.out // it may have grown
		w.buf.giveBack()
	}
	path := w.p.path[:0]
	clear(path[:cap(path)])
	*w = job{p: projector{path: path}}
	jobs.Put(w)
}
