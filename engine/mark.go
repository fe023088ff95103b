package engine

import (
	"slices"
	"strconv"
	"strings"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/internal/text"
)

// Hole is one place for personal words in a marked experience. The same words in the same form
// have one token, however often it stands there.
type Hole struct {
	Token string // stands in the experience's strings, and in nothing that comes from an origin
	Name  string // the expression, such as stay.guestName; for a text that is cut to a length, its path
	Form  Form   // how the words that Words gives are escaped
}

// Marked is an experience that many may get: tokens stand where their personal words belong. It
// never changes; safe for concurrent use.
type Marked struct {
	Experience *tutti.Experience
	Holes      []Hole

	ids   bool           // of what is filled have tokens too
	words Blanks         // by hole
	of    map[markOf]int // which hole a name in a form has
}

type markOf struct {
	name string
	form *form
}

// Mark puts tokens into the holes of an experience. Putting what Words gives in place of the
// tokens makes what Fill makes of the same fills, but for ids: what is marked keeps the ids that it
// has with its holes. A text that may not be longer than so much is one hole as a whole, because
// where it is cut depends on the words.
func (e *Engine) Mark(x *tutti.Experience) *Marked { return e.mark(x, false) }

// MarkAll is Mark with tokens for the ids too: putting the words in place of all tokens makes what
// Fill makes.
func (e *Engine) MarkAll(x *tutti.Experience) *Marked { return e.mark(x, true) }

func (e *Engine) mark(x *tutti.Experience, ids bool) *Marked {
	m := &Marked{Holes: []Hole{}, ids: ids, of: map[markOf]int{}}
	m.Experience = (&filling{as: e.assembling, marks: m}).experience(x)
	return m
}

// Blanks are the tokens of a marked experience without the experience: for who has written it
// already. They never change; safe for concurrent use.
type Blanks []blank

// blank is what one token stands for. There are some for each answer that is kept, so they hold no closures.
type blank struct {
	form *form    // of words: those of the hole
	name string   // of that; else what the id is with its holes
	used []string // by what an id is another
	as   *assembling
	make func(tutti.Fills) string // not nil: it makes the words, which are more than those of one hole
}

func (b *blank) words(fills tutti.Fills) string {
	switch {
	case b.make != nil:
		return b.make(fills)
	case b.form != nil:
		return b.form.write(text.StripHoles(fills[b.name]))
	}
	return b.as.filledID(b.name, b.used, fills)
}

// Blanks gives what the tokens stand for; nil where there are none.
func (m *Marked) Blanks() Blanks { return slices.Clone(m.words) } // no longer than it is

// Names are the holes by which the experience has another id: all that are filled. Sorted; none where ids have no
// tokens. Do not change them.
func (b Blanks) Names() []string {
	if len(b) == 0 {
		return nil
	}
	return b[len(b)-1].used
}

// Word gives the words for the token with a number, from 1 on, escaped for the place where it
// stands; "" for a number that no token has. Never cache or log them.
func (b Blanks) Word(n int, fills tutti.Fills) string {
	if n < 1 || n > len(b) {
		return ""
	}
	return b[n-1].words(fills)
}

// Words gives the words for each of the holes, in their order, escaped for the place where the
// token stands. Never cache or log them.
func (m *Marked) Words(fills tutti.Fills) []string {
	words := make([]string, len(m.words))
	for i := range words {
		words[i] = m.words.Word(i+1, fills)
	}
	return words
}

// hole gives the token for a hole that is filled in a form.
func (m *Marked) hole(name string, form *form) string {
	key := markOf{name, form}
	if i, ok := m.of[key]; ok {
		return m.Holes[i].Token
	}
	m.of[key] = len(m.Holes)
	shown := strings.TrimPrefix(strings.TrimPrefix(name, urlHole("", false)), urlHole("", true))
	return m.add(shown, form.name, blank{form: form, name: name})
}

// id gives the token for the id of what has the id was with its holes, and another by the words in those
// that are used.
func (m *Marked) id(was string, used []string, as *assembling) string {
	if n := len(m.words); n > 0 && slices.Equal(m.words[n-1].used, used) {
		used = m.words[n-1].used
	}
	return m.add("id", asText.name, blank{name: was, used: used, as: as})
}

// whole gives the token for words that are made.
func (m *Marked) whole(name string, form *form, make func(tutti.Fills) string) string {
	return m.add(name, form.name, blank{make: make})
}

func (m *Marked) add(name string, form Form, words blank) string {
	token := tutti.HoleStart + strconv.Itoa(len(m.Holes)+1) + tutti.HoleEnd
	m.Holes = append(m.Holes, Hole{Token: token, Name: name, Form: form})
	m.words = append(m.words, words)
	return token
}

// whole makes a string that is more than its words with the holes filled: when marking, all of
// it is one hole.
func (f *filling) whole(path string, form *form, make func(*filling) string) string {
	if f.marks == nil {
		return make(f)
	}
	as := f.as
	once := &filling{as: as} // for the holes that it has
	make(once)
	f.used = append(f.used, once.used...)
	return f.marks.whole(path, form, func(fills tutti.Fills) string { return make(&filling{as: as, fills: fills}) })
}

// markSaid marks speech and message, which are cut to what the channel takes, as wholes.
func (f *filling) markSaid(out, x *tutti.Experience) {
	as, only := f.as, &tutti.Experience{Channel: x.Channel, Pieces: x.Pieces, Speech: x.Speech, Message: x.Message} // the rest is not held
	said := func(fills tutti.Fills) *tutti.Experience {
		filled := *only
		(&filling{as: as, fills: fills}).said(&filled, only)
		return &filled
	}
	once, filled := &filling{as: as}, *only // for the holes that it has
	once.said(&filled, only)
	used := append(f.used, once.used...)
	defer func() { f.used = used }()
	whole := func(name, was string, form *form, of func(*tutti.Experience) string) string {
		if !holed(was) {
			return was
		}
		return f.marks.whole(name, form, func(fills tutti.Fills) string { return of(said(fills)) })
	}
	if x.Speech != nil {
		out.Speech = &tutti.Speech{
			SSML:     whole("speech.ssml", x.Speech.SSML, asSSML, func(x *tutti.Experience) string { return x.Speech.SSML }),
			Text:     whole("speech.text", x.Speech.Text, asText, func(x *tutti.Experience) string { return x.Speech.Text }),
			Reprompt: f.plain(x.Speech.Reprompt),
		}
	}
	if x.Message != nil {
		m := *x.Message
		m.Text = whole("message.text", m.Text, asText, func(x *tutti.Experience) string { return x.Message.Text })
		m.Buttons = f.buttons(x.Message.Buttons)
		out.Message = &m
	}
}
