package text

import (
	"strings"

	"github.com/rivo/uniseg"
)

// Ellipsis ends a text that was cut.
const Ellipsis = "…"

// Length counts what people call characters: grapheme clusters.
func Length(s string) int {
	if simple(s) {
		return len(s)
	}
	return uniseg.GraphemeClusterCount(s)
}

// Cut gives s where it has at most max grapheme clusters, and else its start with an ellipsis,
// max clusters in all, and true. It cuts between clusters only and leaves no space before the
// ellipsis. A max of 0 or less leaves nothing.
func Cut(s string, max int) (string, bool) {
	switch {
	case s == "":
		return "", false
	case max <= 0:
		return "", true
	case len(s) <= max:
		return s, false
	}
	end, rest, state := 0, s, -1
	for n := 0; rest != ""; n++ {
		if n == max {
			return strings.TrimRight(s[:end], " \t\r\n\u00a0") + Ellipsis, true
		}
		var cluster string
		cluster, rest, _, state = uniseg.FirstGraphemeClusterInString(rest, state)
		if n < max-1 {
			end += len(cluster)
		}
	}
	return s, false
}

// simple reports whether every byte is a cluster: ASCII without carriage returns.
func simple(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] >= 0x80 || s[i] == '\r' {
			return false
		}
	}
	return true
}
