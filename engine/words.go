package engine

import (
	"net/url"
	"slices"
	"strings"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/internal/expr"
	"github.com/tuttihq/tutti/internal/text"
)

// words is a text per locale, its ${…} compiled. A value of a public or segment attribute is
// put in when deciding; a personal one stays a hole; one of a resource is a program for Shape.
type words struct {
	byLocale map[string][]wordPart // by lower-case locale; "" = the same in every locale
	names    map[string]string     // how the locale is written
	form     wordForm
}

// wordForm says where a text goes, which decides how values in it are written.
type wordForm int

const (
	inText wordForm = iota
	inURL
)

type wordPart struct {
	words string
	plain []tutti.TextPart // the words alone
	x     *expression
}

// words compiles a text; nil when there is none or it is wrong, which is noted.
func (s *scope) words(path string, t tutti.Text, form wordForm) *words {
	if len(t) == 0 {
		return nil
	}
	w := &words{byLocale: map[string][]wordPart{}, names: map[string]string{}, form: form}
	for _, locale := range sortedKeys(t) {
		at := path
		if locale != "" {
			at += "." + locale
			s.c.checkLocale(at, locale)
		}
		w.byLocale[strings.ToLower(locale)], w.names[strings.ToLower(locale)] = s.parts(at, t[locale]), locale
	}
	_, anywhere := t[""]
	_, byDefault := t[s.c.engine.cfg.Locales.Default]
	if !anywhere && !byDefault && s.c.engine.cfg.Locales.Default != "" {
		s.c.warn(path, "There are no words for the default locale "+s.c.engine.cfg.Locales.Default+".", "Other locales fall back on it.")
	}
	return w
}

func (s *scope) parts(path, words string) []wordPart {
	parsed, err := expr.ParseTemplate(words)
	if err != nil {
		s.c.wrongError(path, err)
		return nil
	}
	parts := []wordPart{}
	for _, p := range parsed {
		if p.Expr == "" {
			words := text.StripHoles(p.Words)
			parts = append(parts, wordPart{words: words, plain: []tutti.TextPart{{Words: words}}})
			continue
		}
		x, err := s.tryExpression(p.Expr, "")
		if err != nil {
			s.c.add(shifted(problemOf(path, err), p))
			continue
		}
		s.c.read(x.reads)
		s.warnFine(path, x)
		if x.personal {
			s.c.holes = append(s.c.holes, x)
		}
		parts = append(parts, wordPart{x: x})
	}
	return parts
}

// shifted moves the place of a mistake in an expression to its place in the whole text.
func shifted(p Problem, at expr.TemplatePart) Problem {
	if p.Line == 0 {
		p.Line, p.Column = at.Line, at.Column
		return p
	}
	was := place(p.Line, p.Column)
	if p.Line == 1 {
		p.Column += at.Column - 1
	}
	p.Line += at.Line - 1
	p.Message = strings.Replace(p.Message, was, place(p.Line, p.Column), 1)
	return p
}

func place(line, column int) string {
	return "line " + formatValue(int64(line)) + ", column " + formatValue(int64(column)) + ":"
}

// useWords notes the kinds of the resources that a text reads.
func (s *scope) useWords(path string, w *words, b *body) {
	if w == nil || b == nil {
		return
	}
	for _, parts := range w.byLocale {
		for _, p := range parts {
			if p.x != nil && p.x.program != nil {
				s.c.useProgram(path, b, p.x.program, s)
			}
		}
	}
}

// decide chooses the words of the locale's chain and puts in what may be put in. false when no
// locale of the chain has words, or a value is unknown and the caller has something else.
func (w *words) decide(d *decider) (tutti.Value, bool) {
	parts, locale, ok := w.inChain(d.chain)
	if !ok {
		return tutti.Value{}, false
	}
	out := tutti.Value{Kind: tutti.TextValue, Locale: locale}
	if len(parts) == 1 && parts[0].x == nil {
		out.Text = parts[0].plain
		return out, true
	}
	r := rendering{d: d, form: w.form, parts: make([]tutti.TextPart, 0, len(parts))}
	for _, p := range parts {
		if p.x == nil {
			r.words(p.words)
		} else {
			r.expression(p.x)
		}
	}
	r.end()
	if r.missing && (d.strict || w.form == inURL) || r.failed {
		return tutti.Value{}, false
	}
	out.Text = r.parts
	return out, true
}

func (w *words) inChain(chain []string) (parts []wordPart, locale string, ok bool) {
	for _, l := range chain {
		if parts, ok := w.byLocale[strings.ToLower(l)]; ok {
			return parts, w.names[strings.ToLower(l)], true
		}
	}
	parts, ok = w.byLocale[""]
	return parts, "", ok
}

// rendering builds the parts of a text. Where a value is unknown it falls away together with
// the space or comma that led to it: “Hello, ${name}!” becomes “Hello!”.
type rendering struct {
	d       *decider
	form    wordForm
	parts   []tutti.TextPart
	missing bool // a value is unknown
	failed  bool // a value cannot stand in this form
	fell    bool // the value before the words that come now fell away
	query   bool // a URL's '?' is behind us
}

func (r *rendering) words(s string) {
	if r.fell {
		s = r.closeGap(s)
		r.fell = false
	}
	r.query = r.query || strings.ContainsRune(s, '?')
	r.put(s)
}

func (r *rendering) put(s string) {
	if s == "" {
		return
	}
	if n := len(r.parts); n > 0 && r.parts[n-1].Hole == "" && r.parts[n-1].Program == nil {
		r.parts[n-1].Words += s
		return
	}
	r.parts = append(r.parts, tutti.TextPart{Words: s})
}

func (r *rendering) expression(x *expression) {
	if x.program != nil {
		p, ok := r.d.bound(x)
		if !ok {
			r.missing, r.fell = true, true
			return
		}
		r.fell = false
		r.parts = append(r.parts, tutti.TextPart{Program: p})
		return
	}
	v, ok := r.d.evalText(x)
	words := ""
	if ok {
		words = formatValue(v)
	}
	if words == "" {
		r.missing, r.fell = true, true
		return
	}
	r.fell = false
	if x.personal {
		hole := x.source
		if r.form == inURL {
			hole = urlHole(x.source, r.query)
		}
		r.parts = append(r.parts, tutti.TextPart{Hole: hole})
		return
	}
	if r.form == inURL {
		words = r.urlWords(words)
	}
	r.put(words)
}

// urlWords writes a value into a URL: as part of its path or query, or as the whole beginning.
func (r *rendering) urlWords(words string) string {
	if len(r.parts) == 0 && (strings.HasPrefix(words, "/") && !strings.HasPrefix(words, "//") || strings.HasPrefix(words, "https://") || strings.HasPrefix(words, "http://")) {
		r.query = strings.ContainsRune(words, '?')
		return words
	}
	return escapeURL(words, r.query)
}

func escapeURL(words string, query bool) string {
	if query {
		return url.QueryEscape(words)
	}
	return url.PathEscape(words)
}

// urlHole names a hole in a URL: its fill is escaped for there.
func urlHole(source string, query bool) string {
	if query {
		return "url?" + source
	}
	return "url/" + source
}

// closeGap takes away what led to a value that fell away.
func (r *rendering) closeGap(next string) string {
	atStart := len(r.parts) == 0
	if atStart {
		return strings.TrimLeft(next, " ,;:")
	}
	last := &r.parts[len(r.parts)-1]
	if last.Hole != "" || last.Program != nil {
		return next
	}
	if next == "" || strings.ContainsAny(next[:1], ".,;:!?)") {
		last.Words = strings.TrimRight(last.Words, " ,;:")
	} else if strings.HasSuffix(last.Words, " ") {
		next = strings.TrimLeft(next, " ")
	}
	return next
}

func (r *rendering) end() {
	if r.fell {
		r.closeGap("")
	}
	r.parts = slices.DeleteFunc(r.parts, func(p tutti.TextPart) bool { return p.Words == "" && p.Hole == "" && p.Program == nil })
}
