package recording

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode/utf16"
)

// leastBytes of a secret are looked for: a shorter one would be found everywhere.
const leastBytes = 4

// hider removes secrets from texts, in whatever way they are written there: as they are, in addresses (escaped once or
// more often), in JSON (also as a text in JSON), in HTML, in hexadecimal, and in base64, whatever stands before and after
// them in it. Safe for concurrent use.
type hider struct {
	mu    sync.Mutex // guards the rest
	known map[string]bool
	found []*regexp.Regexp // those of long secrets first: a long one may hold a short one
	sizes []int
}

// hide removes a secret from now on. False when it is too short to be looked for.
func (h *hider) hide(secret string) bool {
	if len(secret) < leastBytes {
		return secret == ""
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.known[secret] {
		return true
	}
	if h.known == nil {
		h.known = map[string]bool{}
	}
	h.known[secret] = true
	at, _ := slices.BinarySearchFunc(h.sizes, len(secret), func(have, want int) int { return want - have })
	h.sizes = slices.Insert(h.sizes, at, len(secret))
	h.found = slices.Insert(slices.Clone(h.found), at, spellings(secret))
	return true
}

// clean writes *** in place of every secret.
func (h *hider) clean(s string) string {
	h.mu.Lock()
	all := h.found // is never written to
	h.mu.Unlock()
	for _, re := range all {
		s = re.ReplaceAllLiteralString(s, anything)
	}
	return s
}

// spellings finds every way in which a secret is written.
func spellings(secret string) *regexp.Regexp {
	var all []string
	for at := range 3 {
		if inside := inBase64(secret, at); inside != "" {
			all = append(all, inside)
		}
	}
	var b strings.Builder
	for _, r := range secret {
		b.WriteString(spelled(r))
	}
	all = append(all, b.String(), "(?i:"+hex.EncodeToString([]byte(secret))+")")
	return regexp.MustCompile(strings.Join(all, "|"))
}

// inBase64 finds a secret in base64 of a longer text, where it begins at some byte of three; "" when too
// little of it is the secret's alone.
func inBase64(secret string, at int) string {
	text := base64.RawStdEncoding.EncodeToString([]byte(strings.Repeat("\x00", at) + secret))
	text = text[(8*at+5)/6:] // what stands before it is in the first
	last := ""
	if (at+len(secret))%3 != 0 { // and what stands behind it in the last
		text, last = text[:len(text)-1], "[A-Za-z0-9+/_-]?"
	}
	if len(text) < 5 {
		return ""
	}
	first := ""
	if at > 0 {
		first = "[A-Za-z0-9+/_-]?"
	}
	var b strings.Builder
	for _, r := range text {
		switch r {
		case '+':
			b.WriteString(`(?:[+-]|%(?:25)*2[Bb])`)
		case '/':
			b.WriteString(`(?:[/_]|\\/|%(?:25)*2[Ff])`)
		default:
			b.WriteRune(r)
		}
	}
	return first + b.String() + last + `(?:=|%(?:25)*3[Dd]){0,2}`
}

// names of characters in HTML.
var entities = map[rune]string{'&': "amp", '<': "lt", '>': "gt", '"': "quot", '\'': "apos"}

// spelled finds a character however it is written. Letters and digits are written as they are.
func spelled(r rune) string {
	plain := regexp.QuoteMeta(string(r))
	if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
		return plain
	}
	escaped, units := "", ""
	for _, b := range []byte(string(r)) {
		escaped += fmt.Sprintf("%%(?:25)*%02x", b)
	}
	for _, u := range utf16.Encode([]rune{r}) {
		units += fmt.Sprintf(`\\+u%04x`, u)
	}
	all := []string{plain, `\\+` + plain, "(?i:" + escaped + ")", "(?i:" + units + ")", fmt.Sprintf("&#0*%d;", r), fmt.Sprintf("(?i:&#x0*%x;)", r)}
	if name := entities[r]; name != "" {
		all = append(all, "&"+name+";")
	}
	switch r {
	case ' ':
		all = append(all, `\+`, `%(?:25)*2[Bb]`)
	case '\n':
		all = append(all, `\\+n`)
	case '\t':
		all = append(all, `\\+t`)
	case '\r':
		all = append(all, `\\+r`)
	}
	return "(?:" + strings.Join(all, "|") + ")"
}
