package expr

import "strings"

// Nearest gives the name among all that is most like the given one, "" when none is near: for
// “did you mean”.
func Nearest(name string, all []string) string {
	best, at := "", 1+max(1, len(name)/3)
	lower := strings.ToLower(name)
	for _, c := range all {
		if c == name {
			continue
		}
		d := edits(lower, strings.ToLower(c), at)
		if d < at {
			best, at = c, d
		}
	}
	if best != "" || len(name) < 3 {
		return best
	}
	for _, c := range all { // the last part alone: checkIn for stay.checkIn
		if i := strings.LastIndexByte(c, '.'); i >= 0 && strings.EqualFold(c[i+1:], name) {
			return c
		}
	}
	return ""
}

// DidYouMean makes a hint of the nearest name, or of the list of names when it is short.
func DidYouMean(name string, all []string) string {
	if n := Nearest(name, all); n != "" {
		return "Did you mean “" + n + "”?"
	}
	if len(all) == 0 || len(all) > 12 {
		return ""
	}
	return "There is: " + strings.Join(all, ", ") + "."
}

// edits counts insertions, deletions, replacements and swaps of neighbours; it stops at limit.
func edits(a, b string, limit int) int {
	x, y := []rune(a), []rune(b)
	if d := len(x) - len(y); d >= limit || -d >= limit {
		return limit
	}
	before, last, row := make([]int, len(y)+1), make([]int, len(y)+1), make([]int, len(y)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(x); i++ {
		row[0] = i
		for j := 1; j <= len(y); j++ {
			cost := 1
			if x[i-1] == y[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && x[i-1] == y[j-2] && x[i-2] == y[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return min(last[len(y)], limit)
}
