package engine

import (
	"strings"

	"github.com/rivo/uniseg"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/internal/text"
)

// maxButtons is the most that any chat shows under one message.
const maxButtons = 3

// spoken is what one component gives to speech and message.
type spoken struct {
	piece    tutti.Piece
	reprompt string
	image    *tutti.Delivered
	buttons  []tutti.Button
}

// speak makes what the component says and writes. A text that needs an absent value is left out.
func (s *shaper) speak(t *template, c *tutti.Component) *spoken {
	speech := s.a.need.Speech && s.a.channel.Speech
	message := s.a.need.Message && s.a.channel.Message
	if t == nil || !speech && !message {
		return nil
	}
	out := &spoken{}
	if speech {
		out.piece.SSML, out.piece.Speech = s.say(t.speech)
		_, out.reprompt = s.say(t.reprompt)
	}
	if !message {
		return out
	}
	_, out.piece.Text = s.say(t.text)
	if t.image != "" {
		if o, ok := s.propNamed(t.image); ok && o.state == have {
			if e, ok := o.v.(*entry); ok {
				s.prop, s.at = t.image, s.a.as.place(t.image)
				s.use(e, s.at)
				out.image = s.delivered(e, ResourceNeed{}, s.at)
				s.prop, s.at = "", ""
			}
		}
	}
	if t.buttons {
		for _, a := range c.Actions {
			href := a.Href
			if href == "" {
				href = a.DeepLink
			}
			if href != "" {
				out.buttons = append(out.buttons, tutti.Button{Label: a.Label, Href: href})
			}
		}
	}
	return out
}

// say joins one text of a template, as SSML and as plain text.
func (s *shaper) say(t said) (ssml, plain string) {
	parts := t.in(s.a.g.chain)
	if len(parts) == 0 {
		return "", ""
	}
	var marked, words strings.Builder
	s.at = "template"
	defer func() { s.at = "" }()
	for _, p := range parts {
		if p.program == nil {
			marked.WriteString(p.ssml)
			words.WriteString(p.plain)
			continue
		}
		o := s.program(p.program)
		if o.state == pending {
			s.state = pending
		}
		if o.state != have {
			return "", ""
		}
		if r, ok := o.v.(tutti.RichText); ok {
			marked.WriteString(r.SSML)
			words.WriteString(r.Plain)
			continue
		}
		v, ok := plainWords(o.v)
		if !ok {
			return "", ""
		}
		marked.WriteString(text.OutsideHoles(v, text.EscapeSSML))
		words.WriteString(v)
	}
	return strings.TrimSpace(marked.String()), strings.TrimSpace(words.String())
}

// speak gives the experience its speech and message.
func (d *delivery) speak() {
	x, ch := d.x, d.a.channel
	if d.a.need.Speech && ch.Speech {
		x.Speech = &tutti.Speech{}
	}
	if d.a.need.Message && ch.Message {
		x.Message = &tutti.Message{Buttons: []tutti.Button{}}
	}
	for _, s := range d.spoken {
		if s.piece != (tutti.Piece{}) {
			x.Pieces = append(x.Pieces, s.piece)
		}
		if x.Speech != nil && s.reprompt != "" {
			x.Speech.Reprompt = s.reprompt
		}
		if x.Message == nil {
			continue
		}
		if x.Message.Image == nil {
			x.Message.Image = s.image
		}
		for _, b := range s.buttons {
			if len(x.Message.Buttons) < min(ch.Buttons, maxButtons) {
				x.Message.Buttons = append(x.Message.Buttons, b)
			}
		}
	}
	joinPieces(x)
}

// joinPieces writes speech and message out of the experience's pieces, no longer than the
// channel takes. Pieces with holes are measured as they stand: Fill joins them again.
func joinPieces(x *tutti.Experience) {
	if x.Speech != nil {
		words, ssml := join(x.Pieces, x.Channel.MaxText, " ", func(p tutti.Piece) (string, string) { return p.Speech, p.SSML })
		x.Speech.Text, x.Speech.SSML = words, "<speak>"+ssml+"</speak>"
	}
	if x.Message != nil {
		x.Message.Text, _ = join(x.Pieces, x.Channel.MaxText, "\n\n", func(p tutti.Piece) (string, string) { return p.Text, "" })
	}
}

// join puts pieces one after the other while they fit. The first that does not is cut after a
// sentence, or inside its first sentence when nothing else would be said.
func join(pieces []tutti.Piece, most int, between string, of func(tutti.Piece) (words, marked string)) (string, string) {
	var words, marked strings.Builder
	length := 0
	for _, p := range pieces {
		w, m := of(p)
		if w == "" {
			continue
		}
		gap := 0
		if words.Len() > 0 {
			gap = len(between)
		}
		n := text.Length(w)
		cut := most > 0 && !strings.Contains(w, tutti.HoleStart) && length+gap+n > most
		if cut {
			w = sentences(w, most-length-gap, length == 0)
			m = text.EscapeSSML(w)
			n = text.Length(w)
		}
		if w != "" {
			if gap > 0 {
				words.WriteString(between)
				marked.WriteString(between)
			}
			words.WriteString(w)
			marked.WriteString(m)
			length += gap + n
		}
		if cut {
			break
		}
	}
	return words.String(), marked.String()
}

// sentences gives as many whole sentences as fit; when not even one does, nothing, or with must
// the cut first one.
func sentences(s string, room int, must bool) string {
	kept, rest, state := "", s, -1
	for rest != "" {
		var one string
		one, rest, state = uniseg.FirstSentenceInString(rest, state)
		if text.Length(strings.TrimSpace(kept+one)) > room {
			break
		}
		kept += one
	}
	if kept = strings.TrimSpace(kept); kept == "" && must {
		kept, _ = text.Cut(s, room)
	}
	return kept
}
