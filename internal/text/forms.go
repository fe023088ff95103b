package text

import "strings"

// plain writes blocks as plain text: an empty line between paragraphs, list items on lines of
// their own.
func plain(blocks []block) string {
	var b strings.Builder
	wasItem := false
	for _, bl := range blocks {
		if bl.rule {
			wasItem = false
			continue
		}
		isItem := bl.marker != ""
		switch {
		case b.Len() == 0:
		case isItem && wasItem:
			b.WriteByte('\n')
		default:
			b.WriteString("\n\n")
		}
		b.WriteString(bl.marker)
		for _, s := range bl.spans {
			if s.lineEnd {
				b.WriteByte('\n')
			}
			b.WriteString(s.words())
		}
		wasItem = isItem
	}
	return strings.TrimSpace(b.String())
}

const (
	ssmlBreak = `<break strength="medium"/>`
	ssmlRule  = `<break strength="strong"/>`
)

// ssml writes blocks as inner SSML: a <p> for each paragraph, one for a whole list with an <s>
// for each item. A single run of words without a block element stays without <p>.
func ssml(blocks []block) string {
	var b strings.Builder
	for i := 0; i < len(blocks); i++ {
		bl := blocks[i]
		switch {
		case bl.rule:
			if b.Len() > 0 && i < len(blocks)-1 {
				b.WriteString(ssmlRule)
			}
		case bl.marker != "":
			b.WriteString("<p>")
			for ; i < len(blocks) && blocks[i].marker != ""; i++ {
				b.WriteString("<s>")
				ssmlSpans(&b, blocks[i].spans)
				b.WriteString("</s>")
			}
			i--
			b.WriteString("</p>")
		case bl.bare && len(blocks) == 1:
			ssmlSpans(&b, bl.spans)
		default:
			b.WriteString("<p>")
			ssmlSpans(&b, bl.spans)
			b.WriteString("</p>")
		}
	}
	return b.String()
}

func ssmlSpans(b *strings.Builder, spans []span) {
	for _, s := range spans {
		if s.lineEnd {
			b.WriteString(ssmlBreak)
			continue
		}
		switch s.emphasis {
		case moderate:
			b.WriteString(`<emphasis level="moderate">` + EscapeSSML(s.words()) + "</emphasis>")
		case strong:
			b.WriteString(`<emphasis level="strong">` + EscapeSSML(s.words()) + "</emphasis>")
		default:
			b.WriteString(EscapeSSML(s.words()))
		}
	}
}
