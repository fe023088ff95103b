package engine

import (
	"strconv"
	"strings"
	"time"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/internal/text"
)

// text joins words, values and holes. Rich words are Markdown, and a value inside them marks
// nothing. When a value is absent, so is the text.
func (s *shaper) text(v *tutti.Value, rich bool) outcome {
	var b strings.Builder
	o := outcome{state: have, locale: v.Locale}
	for i := range v.Text {
		p := &v.Text[i]
		switch {
		case p.Program != nil:
			one := s.program(p.Program)
			if one.state == absent || one.state == failed {
				return one
			}
			if !o.add(one) {
				continue
			}
			words, ok := textIn(one.v, rich)
			if !ok {
				return failing(tutti.InvalidValue, tutti.Ref{})
			}
			if start, inside := markdownLink(b.String()); rich && inside {
				words, _ = plainWords(one.v)
				switch before := b.String()[start:]; {
				case before != "":
					words = inAddress(before, words)
				case !safeAddress(words, false):
					words = escapeAddress(words)
				}
			}
			b.WriteString(words)
		case p.Hole != "":
			b.WriteString(tutti.HoleStart + p.Hole + tutti.HoleEnd)
		default:
			b.WriteString(text.StripHoles(p.Words))
		}
	}
	if o.state != have {
		return o
	}
	o.v = b.String()
	if rich {
		o.v = text.FromMarkdown(b.String())
	}
	return o
}

// markdownLink reports whether what comes next stands in the address of a Markdown link, and where
// that address starts.
func markdownLink(before string) (start int, inside bool) {
	at := strings.LastIndex(before, "](")
	if at < 0 || strings.ContainsAny(before[at:], ") \n") {
		return 0, false
	}
	return at + 2, true
}

// textIn writes a value into a text, or into Markdown.
func textIn(v any, markdown bool) (string, bool) {
	if r, ok := v.(tutti.RichText); ok {
		if markdown {
			return r.Markdown, true
		}
		return r.Plain, true
	}
	words, ok := plainWords(v)
	if ok && markdown {
		words = text.OutsideHoles(words, text.EscapeMarkdown)
	}
	return words, ok
}

// plainWords writes a value as people read it; false for what has no words: resources, maps.
func plainWords(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case bool:
		return strconv.FormatBool(v), true
	case int64:
		return strconv.FormatInt(v, 10), true
	case int:
		return strconv.Itoa(v), true
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64), true
	case time.Time:
		return v.Format(time.RFC3339), true
	case tutti.Money:
		return v.Amount + " " + v.Currency, true
	case tutti.RichText:
		return v.Plain, true
	case tutti.Ref:
		return v.String(), true
	case []string:
		return strings.Join(v, ", "), true
	case []any:
		list := make([]string, len(v))
		for i := range v {
			words, ok := plainWords(v[i])
			if !ok {
				return "", false
			}
			list[i] = words
		}
		return strings.Join(list, ", "), true
	case map[string]any:
		if amount, ok := v["amount"].(string); ok && len(v) == 2 {
			if currency, ok := v["currency"].(string); ok {
				return amount + " " + currency, true
			}
		}
	}
	return "", false
}

// address joins an address of parts: what stands at its start stays as it is, everything after
// that cannot leave its place.
func (s *shaper) address(v *tutti.Value) outcome {
	switch v.Kind {
	case tutti.TextValue:
	default:
		o := s.value(v, &urlDefinition)
		if o.state == have {
			words, ok := plainWords(o.v)
			if !ok {
				return failing(tutti.InvalidValue, tutti.Ref{})
			}
			o.v = words
		}
		return o
	}
	var b strings.Builder
	o := outcome{state: have}
	for i := range v.Text {
		p := &v.Text[i]
		switch {
		case p.Program != nil:
			one := s.program(p.Program)
			if one.state == absent || one.state == failed {
				return one
			}
			if !o.add(one) {
				continue
			}
			words, ok := plainWords(one.v)
			if !ok {
				return failing(tutti.InvalidValue, tutti.Ref{})
			}
			b.WriteString(inAddress(b.String(), words))
		case p.Hole != "":
			b.WriteString(tutti.HoleStart + p.Hole + tutti.HoleEnd)
		default:
			b.WriteString(text.StripHoles(p.Words))
		}
	}
	if o.state == have {
		o.v = b.String()
	}
	return o
}

// inAddress writes a value into an address after what stands before it: as it is at the start, as
// a number after tel: and sms:, and so that it cannot leave its place anywhere else.
func inAddress(before, words string) string {
	switch {
	case before == "":
		return words
	case strings.EqualFold(before, "tel:"), strings.EqualFold(before, "sms:"):
		return strings.Map(func(r rune) rune {
			if r >= '0' && r <= '9' || r == '+' || r == '*' || r == '#' {
				return r
			}
			return -1
		}, words)
	case strings.EqualFold(before, "mailto:"):
		return text.OutsideHoles(words, func(s string) string { return strings.ReplaceAll(escapeAddress(s), "%40", "@") })
	}
	return text.OutsideHoles(words, escapeAddress)
}

var urlDefinition = tutti.PropDefinition{Type: tutti.PropURL}

// escapeAddress makes s a piece of an address: only letters, digits, '-', '.', '_' and '~' stay.
func escapeAddress(s string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("-._~", c) >= 0 {
			b.WriteByte(c)
			continue
		}
		b.Write([]byte{'%', hex[c>>4], hex[c&15]})
	}
	return b.String()
}

// safeAddress reports whether a link may lead there: relative, or with a scheme that opens a
// page, a mail or a call. app allows the schemes of apps too, but none that runs what it holds.
func safeAddress(s string, app bool) bool {
	s, _, _ = strings.Cut(s, tutti.HoleStart)
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c <= ' ' || c == 0x7f || c == '\\' && i < 2:
			return false
		case c == '/' || c == '?' || c == '#':
			return true
		case c == ':':
			switch strings.ToLower(s[:i]) {
			case "http", "https", "mailto", "tel", "sms":
				return true
			case "javascript", "data", "vbscript", "file", "blob", "about":
				return false
			}
			return app && i > 0
		}
	}
	return true
}

// link makes an address absolute on channels that want that.
func (a *assembly) link(s string) string {
	if a.channel.Links != "absolute" || a.channel.BaseURL == "" || !strings.HasPrefix(s, "/") || strings.HasPrefix(s, "//") {
		return s
	}
	return strings.TrimRight(a.channel.BaseURL, "/") + s
}
