package engine

import (
	"encoding/xml"
	"errors"
	"io"
	"regexp"
	"strings"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/internal/expr"
	"github.com/tuttihq/tutti/internal/text"
)

// templates are the compiled templates of all component types, by type and channel.
type templates map[string]map[string]*template

// template is how one component type speaks and writes on one channel.
type template struct {
	speech, reprompt, text said
	image                  string
	buttons                bool
}

// said is one text of a template, by locale.
type said map[string][]saidPart

// saidPart is a piece of it: words as SSML and without marks, or a program over props.
type saidPart struct {
	ssml, plain string
	program     tutti.Program
}

func (t templates) of(componentType, channel string) *template { return t[componentType][channel] }

// compileTemplates compiles all texts of all templates. The error joins all mistakes.
func compileTemplates(types []tutti.ComponentType) (templates, error) {
	env, err := expr.NewDynamic("props")
	if err != nil {
		return nil, err
	}
	all := templates{}
	var mistakes []error
	for i := range types {
		t := &types[i]
		for _, channel := range sortedKeys(t.Templates) {
			stored := t.Templates[channel]
			compiled := &template{image: stored.Image, buttons: stored.Buttons}
			for _, one := range []struct {
				name string
				from tutti.Text
				to   *said
			}{{"speech", stored.Speech, &compiled.speech}, {"reprompt", stored.Reprompt, &compiled.reprompt}, {"text", stored.Text, &compiled.text}} {
				*one.to, err = compileSaid(env, one.from)
				mistakes = append(mistakes, inField("componentTypes."+t.Name+".templates."+channel+"."+one.name, err))
			}
			if _, ok := t.Prop(stored.Image); stored.Image != "" && !ok {
				mistakes = append(mistakes, &tutti.Error{
					Code: tutti.Invalid, Field: "componentTypes." + t.Name + ".templates." + channel + ".image",
					Message: "the component type has no prop “" + stored.Image + "”.", Hint: "Name the prop that holds the picture.",
				})
			}
			if all[t.Name] == nil {
				all[t.Name] = map[string]*template{}
			}
			all[t.Name][channel] = compiled
		}
	}
	return all, errors.Join(mistakes...)
}

// inField puts the field in front of a mistake; nil stays nil.
func inField(field string, err error) error {
	if err == nil {
		return nil
	}
	var e *tutti.Error
	if errors.As(err, &e) {
		copied := *e
		copied.Field = field
		return &copied
	}
	return tutti.Errorf(tutti.Invalid, "%s: %w", field, err)
}

func compileSaid(env *expr.Dynamic, t tutti.Text) (said, error) {
	if len(t) == 0 {
		return nil, nil
	}
	s := said{}
	for locale, words := range t {
		parts, err := expr.ParseTemplate(words)
		if err != nil {
			return nil, err
		}
		var all strings.Builder
		for _, p := range parts {
			all.WriteString(p.Words)
			if p.Expr != "" {
				all.WriteString("x")
			}
		}
		marks := wellFormed(all.String())
		if !marks && looksMarked.MatchString(all.String()) {
			return nil, &tutti.Error{Code: tutti.Invalid, Message: "the text holds marks, but is no well-formed SSML.", Hint: "Close every element, and write &amp; for & and &lt; for <."}
		}
		var compiled []saidPart
		for _, p := range parts {
			if p.Expr == "" {
				compiled = append(compiled, saidWords(p.Words, marks))
				continue
			}
			program, err := env.Compile(p.Expr)
			if err != nil {
				return nil, err
			}
			compiled = append(compiled, saidPart{program: program})
		}
		s[locale] = compiled
	}
	return s, nil
}

var looksMarked = regexp.MustCompile(`</?[a-zA-Z][^<>]*>`)

// saidWords takes words as SSML where the whole text is well-formed XML, and else as they are.
func saidWords(words string, marks bool) saidPart {
	words = text.StripHoles(words)
	if !marks {
		return saidPart{ssml: text.EscapeSSML(words), plain: words}
	}
	return saidPart{ssml: words, plain: withoutMarks(words)}
}

// wellFormed reports whether s may stand inside one XML element and holds marks at all.
func wellFormed(s string) bool {
	if !strings.ContainsAny(s, "<&") {
		return false
	}
	d := xml.NewDecoder(strings.NewReader("<speak>" + s + "</speak>"))
	for depth, started := 0, false; ; started = true {
		t, err := d.Token()
		if err == io.EOF {
			return true
		}
		if err != nil || started && depth == 0 {
			return false
		}
		switch t.(type) {
		case xml.StartElement:
			depth++
		case xml.EndElement:
			depth--
		case xml.Comment, xml.ProcInst, xml.Directive:
			return false
		}
	}
}

// withoutMarks takes marks out of words that belong to well-formed XML. Pieces of it need not be
// well-formed themselves: <emphasis> may open here and close after a value.
func withoutMarks(s string) string {
	var b strings.Builder
	for {
		words, rest, found := strings.Cut(s, "<")
		b.WriteString(words)
		if !found {
			break
		}
		if _, s, found = strings.Cut(rest, ">"); !found {
			break
		}
	}
	return strings.NewReplacer("&lt;", "<", "&gt;", ">", "&quot;", `"`, "&apos;", "'", "&amp;", "&").Replace(b.String())
}

// in gives the text in the first locale of the chain that has it, or the one for all.
func (s said) in(chain []string) []saidPart {
	for _, locale := range chain {
		if parts, ok := s[locale]; ok {
			return parts
		}
	}
	return s[""]
}
