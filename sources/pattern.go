package sources

import (
	"regexp"
	"regexp/syntax"
)

// row is a pattern of ids that is one class of ASCII characters after the other, such as
// [a-z]{2}-[0-9]+, each of which ends where a character comes that is none of it. Every id of every
// request is matched, and this takes a tenth of what regexp does.
type row []run

// run is a class, and how many of it stand in a row.
type run struct {
	class    [2]uint64 // a bit for each character
	min, max int       // max < 0: any number
}

// MatchString reports whether the whole text is such a row.
func (r row) MatchString(s string) bool {
	for i := range r {
		n := 0
		for n < len(s) && n != r[i].max && s[n] < 0x80 && r[i].has(s[n]) {
			n++
		}
		if n < r[i].min {
			return false
		}
		s = s[n:]
	}
	return s == ""
}

func (r *run) has(c byte) bool { return r.class[c>>6]&(1<<(c&63)) != 0 }

// matcherOf gives what matches whole texts as re does, which was compiled from src with both ends fixed.
func matcherOf(re *regexp.Regexp, src string) matcher {
	if parsed, err := syntax.Parse(src, syntax.Perl); err == nil {
		if r, ok := row(nil).add(parsed); ok && r.isPlain() {
			return r
		}
	}
	return re
}

// add continues a row with what a pattern matches; false when that is no row.
func (r row) add(re *syntax.Regexp) (longer row, ok bool) {
	one := run{min: 1, max: 1}
	switch re.Op {
	case syntax.OpEmptyMatch:
		return r, true
	case syntax.OpLiteral:
		for _, c := range re.Rune {
			if c >= 0x80 || re.Flags&syntax.FoldCase != 0 {
				return nil, false
			}
			one.class = [2]uint64{}
			one.class[c>>6] |= 1 << (c & 63)
			r = append(r, one)
		}
		return r, true
	case syntax.OpCharClass:
		for i := 0; i < len(re.Rune); i += 2 {
			if re.Rune[i+1] >= 0x80 {
				return nil, false
			}
			for c := re.Rune[i]; c <= re.Rune[i+1]; c++ {
				one.class[c>>6] |= 1 << (c & 63)
			}
		}
		return append(r, one), true
	case syntax.OpConcat:
		for _, part := range re.Sub {
			if r, ok = r.add(part); !ok {
				return nil, false
			}
		}
		return r, true
	case syntax.OpStar:
		return r.repeat(re.Sub[0], 0, -1)
	case syntax.OpPlus:
		return r.repeat(re.Sub[0], 1, -1)
	case syntax.OpQuest:
		return r.repeat(re.Sub[0], 0, 1)
	case syntax.OpRepeat:
		return r.repeat(re.Sub[0], re.Min, re.Max)
	}
	return nil, false
}

// repeat continues a row with one class so many times.
func (r row) repeat(re *syntax.Regexp, min, max int) (longer row, ok bool) {
	one, ok := row(nil).add(re)
	if !ok || len(one) != 1 || one[0].min != 1 || one[0].max != 1 {
		return nil, false
	}
	one[0].min, one[0].max = min, max
	return append(r, one[0]), true
}

// isPlain reports whether a run that may be longer or shorter always ends where it is seen to: none of
// those that may follow it begins with one of its characters.
func (r row) isPlain() bool {
	for i := range r {
		if r[i].min == r[i].max {
			continue
		}
		for _, next := range r[i+1:] {
			if next.class[0]&r[i].class[0] != 0 || next.class[1]&r[i].class[1] != 0 {
				return false
			}
			if next.min > 0 {
				break
			}
		}
	}
	return true
}
