package graph

import (
	"bytes"
	"context"
	"strconv"
	"strings"

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

// Ready is an answer that was written once: bytes, and what is written anew each time. It never
// changes; safe for concurrent use.
type Ready struct {
	stretches []stretch
	parts     []*KeptPart // whose text stands in it
	size      int
}

// stretch is a piece of a ready answer: text, unless it is one of the others.
type stretch struct {
	text []byte
	kept *KeptPart // holds the text
	site *selection
	anew *anew
}

// anew is what is written anew each time.
type anew struct {
	kind  anewKind
	field *collected // of the whole
	token int
}

type anewKind byte

const (
	anewField  anewKind = iota
	anewWords           // in place of a token
	sparseFrom          // a text begins that is null if no words come
	sparseTo            // it ends
)

// partText is what was written of a part, by the place in the selection where it stands.
type partText []siteText

// siteText is what was written of a part at one place.
type siteText struct {
	site *selection
	text []byte
}

// at gives what was written at a place; false when nothing was. There are one or two places.
func (p partText) at(site *selection) ([]byte, bool) {
	for i := range p {
		if p[i].site == site {
			return p[i].text, true
		}
	}
	return nil, false
}

// record notes what an answer is made of while it is written.
type record struct {
	whole     Whole
	stretches []stretch
	parts     []*tutti.Part // whose text a stretch is, by its number; nil for none
	from      int           // where what is not noted yet begins
	tokens    bool          // there are some
	broken    bool
}

func (r *record) add(s stretch, of *tutti.Part) {
	r.stretches, r.parts = append(r.stretches, s), append(r.parts, of)
}

// text notes what was written since the last note: words and tokens.
func (r *record) text(out []byte, to int) {
	if to <= r.from {
		return
	}
	text := bytes.Clone(out[r.from:to])
	words := func(end int) {
		if end > 0 {
			r.add(stretch{text: text[:end:end]}, nil)
		}
	}
	for at := 0; ; {
		n := bytes.Index(text[at:], holeStart)
		if n < 0 {
			words(len(text))
			return
		}
		token, after, found := bytes.Cut(text[at+n+len(holeStart):], holeEnd)
		a := tokenOf(token)
		if !found || a == nil {
			at += n + len(holeStart) // words after all
			continue
		}
		words(at + n)
		r.add(stretch{anew: a}, nil)
		text, at, r.tokens = after, 0, true
	}
}

// tokenOf reads what stands in a token; nil for none.
func tokenOf(b []byte) *anew {
	switch string(b) {
	case sparseBegins:
		return &anew{kind: sparseFrom}
	case sparseEnds:
		return &anew{kind: sparseTo}
	}
	if n, err := strconv.Atoi(string(b)); err == nil && n > 0 {
		return &anew{kind: anewWords, token: n}
	}
	return nil
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
func (r *record) vary(out []byte, from, to int, s stretch, of *tutti.Part) {
	r.text(out, from)
	r.add(s, of)
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

// Answer sends a ready answer again; nil when a part of it is not kept any more. whole gives what
// varies.
func (r *Ready) Answer(ctx context.Context, sel *Selection, whole Whole) *Answer {
	w := writing(ctx, sel)
	defer w.end()
	start := len(w.p.out)
	for i := range r.stretches {
		if !w.p.stretch(&r.stretches[i], whole) {
			return nil
		}
	}
	w.p.settle(whole, start)
	return w.answer()
}

func (p *projector) stretch(s *stretch, whole Whole) bool {
	switch {
	case s.kept != nil:
		text := s.kept.text(s.site)
		p.splice(text)
		return text != nil
	case s.anew != nil:
		return p.anew(s.anew, whole)
	}
	p.out = append(p.out, s.text...)
	return true
}

// splice puts a kept text here: one that is long without copying it, where the answer may be sent in
// pieces.
func (p *projector) splice(text []byte) {
	if p.spliced && len(text) >= smallestSplice {
		p.splices = append(p.splices, splice{len(p.out), text})
		return
	}
	p.out = append(p.out, text...)
}

func (p *projector) anew(a *anew, whole Whole) bool {
	switch a.kind {
	case anewField:
		return p.field(whole, a.field)
	case anewWords:
		p.out = appendText(p.out, whole.Word(a.token))
	case sparseFrom:
		p.sparse = len(p.out)
	case sparseTo:
		if string(p.out[p.sparse:]) == `""` {
			p.out = append(p.out[:p.sparse], "null"...)
		}
	}
	return true
}

// pieces writes a list of pieces, each part from what is kept of it where there is something.
func (p *projector) pieces(l []Piece, site *selection) bool {
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
	kept, _ := part.Written.(partText)
	text, known := kept.at(site)
	if known {
		p.out = append(p.out, text...)
	} else {
		p.part = part
		p.beginPart()
		ok := p.join(l, at, site)
		p.endPart(from)
		p.part = nil
		if !ok {
			return false
		}
		text = p.out[from:]
		if !part.Holed && p.record != nil {
			text = bytes.Clone(text)
			if p.made == nil {
				p.made = map[*tutti.Part]partText{}
			}
			p.made[part] = append(p.made[part], siteText{site, text})
		}
	}
	if r := p.record; r != nil && !part.Holed {
		r.vary(p.out, from, len(p.out), stretch{text: text, site: site}, part)
	}
	return true
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

func writing(ctx context.Context, sel *Selection) *job {
	w := &job{sel: sel, p: projector{ctx: ctx, vars: sel.vars, schema: sel.schema, hashes: sel.hashes}}
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
}
