package graph

import (
	"bytes"
	"context"

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

// EveryPiece are the pieces of a page at every depth, each before those inside it. A []Piece is
// what stands at the top of something.
type EveryPiece []Piece

// Whole is an object of which an answer can be kept, to be sent again for other requests.
type Whole interface {
	Object
	// Varies reports whether a field can be different for another request that gets the answer.
	Varies(field string) bool
	// Pieces are those of a part, by its place in the page, as they are for this request: at its
	// top, or at every depth.
	Pieces(part int, every bool) []Piece
	// Place is where a part stands in the page.
	Place(part *tutti.Part) int
}

// Ready is an answer that was written once: bytes, and what is written anew each time. It never
// changes; safe for concurrent use.
type Ready struct {
	stretches []stretch
	size      int
}

// stretch is a piece of a ready answer: text, or what is kept of a part, or a field of the whole
// or the pieces of a part that are written anew.
type stretch struct {
	text  []byte
	of    *tutti.Part // whose text it is; nil for none
	kept  *KeptPart   // holds the text
	field *collected
	site  *selection // where the part stands
	part  int        // which; -1 where its text is ready
	every bool       // its pieces at every depth stand there
}

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
	size      int
	from      int // where what is not noted yet begins
	broken    bool
}

func (r *record) text(out []byte, to int) {
	if to > r.from {
		r.stretches = append(r.stretches, stretch{text: bytes.Clone(out[r.from:to]), part: -1})
		r.size += to - r.from
	}
}

// vary notes that out[from:to] is written anew each time, as s says.
func (r *record) vary(out []byte, from, to int, s stretch) {
	r.text(out, from)
	r.stretches = append(r.stretches, s)
	r.size += 64
	r.from = to
}

// ready ends the record; nil when the answer cannot be sent again.
func (r *record) ready(out []byte) *Ready {
	if r.broken {
		return nil
	}
	r.text(out, len(out))
	return &Ready{stretches: r.stretches, size: r.size}
}

// NewReadyAnswer is NewAnswer for an object of which the answer is kept, and what is written of its
// parts with them. Nothing is kept (ready is nil) where a part of the answer is missing.
func NewReadyAnswer(ctx context.Context, sel *Selection, obj Whole) (a *Answer, ready *Ready) {
	w := writing(ctx, sel)
	defer w.end()
	w.p.record = &record{whole: obj, from: len(w.p.out)}
	if !w.object(obj) {
		return &Answer{}, nil
	}
	return w.answer(), w.p.record.ready(w.p.out)
}

// Answer sends a ready answer again; nil when a part of it is not kept any more. whole gives what
// varies.
func (r *Ready) Answer(ctx context.Context, sel *Selection, whole Whole) *Answer {
	w := writing(ctx, sel)
	defer w.end()
	for i := range r.stretches {
		if !w.p.stretch(&r.stretches[i], whole) {
			return nil
		}
	}
	return w.answer()
}

func (p *projector) stretch(s *stretch, whole Whole) bool {
	switch {
	case s.field != nil:
		return p.field(whole, s.field)
	case s.kept != nil:
		text := s.kept.text(s.site)
		p.out = append(p.out, text...)
		return text != nil
	case s.part >= 0:
		return p.join(whole.Pieces(s.part, s.every), 0, s.site)
	}
	p.out = append(p.out, s.text...)
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
	if part == nil || p.part != nil {
		return p.join(l, at, site)
	}
	from := len(p.out)
	kept, _ := part.Written.(partText)
	text, known := kept.at(site)
	if known {
		p.out = append(p.out, text...)
	} else {
		p.part = part
		ok := p.join(l, at, site)
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
	if r := p.record; r != nil {
		s := stretch{text: text, of: part, site: site, part: -1}
		if part.Holed {
			s = stretch{site: site, part: r.whole.Place(part), every: p.every}
		}
		r.vary(p.out, from, len(p.out), s)
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

// keepParts leaves with each new part what was written of it.
func (p *projector) keepParts() {
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
	w := &job{sel: sel, p: projector{ctx: ctx, vars: sel.vars, schema: sel.schema}}
	if w.into = directFrom(ctx); w.into != nil {
		w.p.path = append(w.p.path, ast.PathName(w.into.field.Alias))
		w.p.out = w.into.out
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
		w.into.out = w.p.out
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
