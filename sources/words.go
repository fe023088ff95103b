package sources

import (
	"strings"
	"unicode"

	"github.com/tuttihq/tutti"
	"golang.org/x/text/unicode/norm"
)

// wordList finds words and phrases in the texts of items, whole ones, however they are spelled:
// capitals, accents' forms, punctuation and invisible characters make no difference.
type wordList struct{ phrases []string }

// newWordList takes words and phrases; bad is the first that holds no letter or digit.
func newWordList(blocked []string) (list *wordList, bad string) {
	w := &wordList{}
	for _, b := range blocked {
		p := spelled(b)
		if p == " " {
			return nil, b
		}
		w.phrases = append(w.phrases, p)
	}
	return w, ""
}

// in reports whether one of them stands in a text of the item, of any field.
func (w *wordList) in(r *tutti.Resource) bool {
	if len(w.phrases) == 0 {
		return false
	}
	for _, v := range r.Fields.All() {
		switch v := v.(type) {
		case string:
			if w.stands(v) {
				return true
			}
		case tutti.RichText:
			if w.stands(v.Plain) {
				return true
			}
		case *tutti.RichText:
			if v != nil && w.stands(v.Plain) {
				return true
			}
		case []string:
			for _, s := range v {
				if w.stands(s) {
					return true
				}
			}
		}
	}
	return false
}

func (w *wordList) stands(text string) bool {
	s := spelled(text)
	for _, p := range w.phrases {
		if strings.Contains(s, p) {
			return true
		}
	}
	return false
}

// spelled writes a text as its words in small letters, each between spaces. Characters that stand for
// the same are written the same (Unicode's NFKC), and those that nobody sees are left out.
func spelled(s string) string {
	var b strings.Builder
	b.Grow(len(s) + 2)
	b.WriteByte(' ')
	between := true
	for _, r := range norm.NFKC.String(s) {
		switch {
		case unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r):
			b.WriteRune(unicode.ToLower(r))
			between = false
		case unicode.Is(unicode.Cf, r):
		case !between:
			b.WriteByte(' ')
			between = true
		}
	}
	if !between {
		b.WriteByte(' ')
	}
	return b.String()
}
