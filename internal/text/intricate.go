package text

import (
	"slices"
	"strings"

	"golang.org/x/net/html"
)

// Text that strangers write may be made to be costly: a page of it that unfolds to gigabytes, or takes minutes to
// read. What no person writes is not read as HTML or Markdown, but as words.
const (
	freeCopies    = 50_000 // elements that a parser opens again because nobody closed them, besides a few for each that is written
	fewCopies     = 4
	shortHTML     = 2 << 10 // bytes in which there is no room for that
	mostLinkScans = 1 << 28 // bytes that are looked at for the ends of links
	mostPairs     = 1 << 30 // of brackets, that may belong together
	mostIndent    = 400     // columns
	mostTargets   = 10_000  // lines that may say where links lead
	mostNesting   = 100     // quotes and lists that one line of Markdown begins
	mostWithin    = 20      // lists, quotes and tables within each other: each writes all in it anew
	freeCells     = 20_000  // of tables, besides those that are written: each takes at least a byte
)

// formatting are the elements that the parser of HTML opens again in each block that follows, as long as they are not
// closed (the list of active formatting elements, HTML section 13.2.4.3).
var formatting = []string{"a", "b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong", "tt", "u"}

// within are the elements whose words are written anew for each that is around them.
var within = []string{"ul", "ol", "blockquote", "table"}

// Intricate reports whether parsing HTML as it is may take far more than its length. FromHTML looks itself.
func Intricate(s string) bool { return isIntricateHTML(s) }

// isIntricateHTML reports whether elements that were not closed would be opened again too often, or lists, quotes and
// tables stand within each other deeper than people write.
func isIntricateHTML(s string) bool {
	if len(s) < shortHTML {
		return false
	}
	var open []string // tags as they are written; no more than three alike count, as for the parser
	copies, most, depth := 0, freeCopies, 0
	for z := html.NewTokenizer(strings.NewReader(s)); ; {
		kind := z.Next()
		if kind == html.ErrorToken {
			return false
		}
		most += fewCopies
		if copies += len(open); copies > most {
			return true
		}
		if kind == html.SelfClosingTagToken {
			kind = html.StartTagToken // which HTML does not know of these
		}
		if kind != html.StartTagToken && kind != html.EndTagToken {
			continue
		}
		tag := string(z.Raw())
		raw, _ := z.TagName()
		name := string(raw)
		switch {
		case slices.Contains(within, name):
			if kind == html.EndTagToken {
				depth = max(depth-1, 0)
			} else if depth++; depth > mostWithin {
				return true
			}
		case !slices.Contains(formatting, name):
		case kind == html.EndTagToken:
			for i := len(open) - 1; i >= 0; i-- {
				if isTag(open[i], name) {
					open = slices.Delete(open, i, i+1)
					break
				}
			}
		default:
			if name == "a" { // one ends where the next begins
				open = slices.DeleteFunc(open, func(t string) bool { return isTag(t, name) })
			}
			alike := 0
			for _, t := range open {
				if t == tag {
					alike++
				}
			}
			if alike < 3 {
				open = append(open, tag)
			}
		}
	}
}

// isTag reports whether a tag is of that name.
func isTag(tag, name string) bool {
	rest := tag[min(1, len(tag)):]
	return len(rest) > len(name) && strings.EqualFold(rest[:len(name)], name) && strings.IndexByte(" \t\r\n\f/>", rest[len(name)]) >= 0
}

// wordsOf gives the text of HTML without its elements.
func wordsOf(s string) string {
	var b strings.Builder
	for z := html.NewTokenizer(strings.NewReader(s)); ; {
		switch z.Next() {
		case html.ErrorToken:
			return b.String()
		case html.TextToken:
			b.Write(z.Text())
		default:
			b.WriteByte(' ')
		}
	}
}

// isIntricateMarkdown reports whether Markdown has lines that begin with more quotes and lists than people nest, tables
// whose rows would be filled up far beyond what is written, or brackets and links that are looked for again and again.
func isIntricateMarkdown(s string) bool {
	scans, targets, pairs, brackets := 0, 0, 0, 0
	columns, rows, written := 0, 0, 0 // of what stands between empty lines; columns of the widest table
	for line := range strings.Lines(s) {
		if indent := len(line) - len(strings.TrimLeft(line, " \t")); nested(line) > mostNesting || indent+3*strings.Count(line[:indent], "\t") > mostIndent {
			return true
		}
		brackets += strings.Count(line, "[")
		pairs += brackets * strings.Count(line, "]")
		scans += strings.Count(line, "](") * len(line)
		if strings.Contains(line, "]:") {
			targets++
		}
		if scans > mostLinkScans || targets > mostTargets || pairs > mostPairs {
			return true
		}
		if strings.Trim(line, " \t\r\n>") == "" {
			columns, rows, written, brackets = 0, 0, 0, 0
			continue
		}
		if strings.Contains(line, "|") && strings.Contains(line, "-") && strings.Trim(line, "|-: \t\r\n>*+.)0123456789") == "" {
			columns = max(columns, 1+strings.Count(line, "|"))
		}
		if columns > 0 {
			rows, written = rows+1, written+len(line)
		}
		if columns*rows > freeCells+written {
			return true
		}
	}
	return false
}

// nested counts the quotes and lists that a line begins.
func nested(line string) (n int) {
	for {
		line = strings.TrimLeft(line, " \t")
		mark := 0 // its bytes
		if line != "" && strings.IndexByte(">-*+", line[0]) >= 0 {
			mark = 1
		} else if digits := len(line) - len(strings.TrimLeft(line, "0123456789")); digits > 0 && digits < len(line) && strings.IndexByte(".)", line[digits]) >= 0 {
			mark = digits + 1
		}
		if mark == 0 || mark == len(line) || line[0] != '>' && strings.IndexByte(" \t", line[mark]) < 0 {
			return n
		}
		line = line[mark:]
		n++
	}
}
