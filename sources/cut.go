package sources

import (
	"encoding/binary"
	"math/bits"
	"slices"
	"strconv"
)

// tree is a set of paths into JSON: what one walk over an answer finds. A step is the name of a
// member and, where it is a number, a place in a list.
type tree struct {
	name  string
	index int // the name as a place in a list; -1 = it is none
	slot  int // of the value's span; -1 = only parts of it are wanted
	from  int // the slots of the value and all below it are from … until-1
	until int
	below []*tree

	row  *tree // the value is a record, of which these paths are wanted; its slots are its own
	each bool  // with row: the value is a list of records

	keyed bool // with each: it is an object instead, of records by their ids
}

func newTree() *tree { return &tree{index: -1, slot: -1} }

// add wants the value at a path, and gives the part of the tree that stands for it.
func (t *tree) add(path ...string) *tree {
	at := t.reach(path)
	at.slot = 0
	return at
}

func (t *tree) reach(path []string) *tree {
	for _, step := range path {
		i := slices.IndexFunc(t.below, func(b *tree) bool { return b.name == step })
		if i < 0 {
			b := &tree{name: step, index: -1, slot: -1}
			if n, err := strconv.Atoi(step); err == nil {
				b.index = n
			}
			i, t.below = len(t.below), append(t.below, b)
		}
		t = t.below[i]
	}
	return t
}

// number gives every wanted value its slot, once all are added, and tells how many there are. The
// slots of a part of the tree follow one another.
func (t *tree) number(first int) int {
	t.from = first
	if t.slot >= 0 {
		t.slot, first = first, first+1
	}
	for _, b := range t.below {
		first = b.number(first)
	}
	t.until = first
	return first
}

// span is where a value stands in an answer; zero = nowhere.
type span struct {
	from, to int
	plain    bool // a text of ASCII without escapes: what stands between its quotes is what it says
}

// maxNesting is encoding/json's.
const maxNesting = 10_000

// cut is one walk over an answer: it makes sure that the whole of it is JSON, as strictly as
// encoding/json does, and notes where the wanted values stand. FuzzCut holds it to that.
type cut struct {
	b     []byte
	spans []span
	first int // of the slots in spans that the walk is at
	rows  int // how many records it met
	start int // of the first record's slots
	depth int
	left  int  // spans that records may still take
	full  bool // they took more
}

// Records may take so many spans, for their slots and one for each, and one more for so many bytes of the answer: a
// list of nothing but commas would take two hundred times its own memory.
const (
	freeSpans    = 1 << 16
	bytesOfASpan = 4
)

// walk reads a whole answer; false when it is not JSON, or when full is set. The slots of t stand first in spans, then
// those of each record.
func (c *cut) walk(b []byte, t *tree) bool {
	c.b, c.first, c.rows, c.depth = b, 0, 0, 0
	c.left, c.full = freeSpans+len(b)/bytesOfASpan, false
	c.spans = c.grown(c.spans[:0], t.until)
	c.start = t.until
	end := c.value(c.space(0), t)
	return end >= 0 && c.space(end) == len(b)
}

func (c *cut) grown(s []span, n int) []span {
	s = slices.Grow(s, n)
	clear(s[len(s) : len(s)+n])
	return s[:len(s)+n]
}

// row gives the spans of the record at a position.
func (c *cut) row(i, slots int) []span {
	at := c.start + i*slots
	return c.spans[at : at+slots]
}

// value reads the value at i and gives where it ends; -1 when it is none.
func (c *cut) value(i int, t *tree) (end int) {
	if t != nil && t.row != nil && !t.each {
		if end = c.record(i, t.row); end < 0 || len(t.below) == 0 && t.slot < 0 {
			return end
		}
	}
	if i >= len(c.b) {
		return -1
	}
	plain := false
	switch b := c.b[i]; b {
	case '"':
		end, plain = c.text(i)
	case '{':
		end = c.object(i, t)
	case '[':
		end = c.list(i, t)
	case 't':
		end = c.word(i, "true")
	case 'f':
		end = c.word(i, "false")
	case 'n':
		end = c.word(i, "null")
	default:
		end = c.digits(i)
	}
	if t != nil && t.slot >= 0 {
		c.spans[c.first+t.slot] = span{from: i, to: end, plain: plain}
	}
	return end
}

// record reads the value at i as the next record.
func (c *cut) record(i int, t *tree) int {
	if c.left -= 1 + t.until; c.left < 0 {
		c.full = true
		return -1
	}
	outer := c.first
	c.first = len(c.spans)
	c.spans = c.grown(c.spans, t.until)
	end := c.value(i, t)
	c.first = outer
	c.rows++
	return end
}

func (c *cut) object(i int, t *tree) int {
	if c.depth++; c.depth > maxNesting {
		return -1
	}
	i = c.space(i + 1)
	if i < len(c.b) && c.b[i] == '}' {
		c.depth--
		return i + 1
	}
	for i < len(c.b) && c.b[i] == '"' {
		end, plain := c.text(i)
		if end < 0 {
			return -1
		}
		var part *tree
		if t != nil {
			part = c.part(t, i, end, plain)
		}
		if i = c.space(end); i >= len(c.b) || c.b[i] != ':' {
			return -1
		}
		if i = c.space(i + 1); t != nil && t.keyed {
			i = c.record(i, t.row)
		} else {
			i = c.value(i, part)
		}
		if i < 0 {
			return -1
		}
		if i = c.space(i); i >= len(c.b) {
			return -1
		}
		if c.b[i] == '}' {
			c.depth--
			return i + 1
		}
		if c.b[i] != ',' {
			return -1
		}
		i = c.space(i + 1)
	}
	return -1
}

// part finds what is wanted of the member whose name stands at i. Of members of one name the last
// one counts, so what an earlier one had is let go.
func (c *cut) part(t *tree, i, end int, plain bool) *tree {
	name := c.b[i+1 : end-1]
	if !plain {
		name = []byte(unquote(string(c.b[i:end])))
	}
	for _, p := range t.below {
		if p.name == string(name) {
			c.forget(p)
			return p
		}
	}
	return nil
}

func (c *cut) forget(t *tree) {
	if t.row != nil {
		c.spans, c.rows = c.spans[:c.start], 0
	}
	if len(t.below) == 0 {
		return // its own span is written anew
	}
	clear(c.spans[c.first+t.from : c.first+t.until])
	for _, b := range t.below {
		c.forget(b)
	}
}

func (c *cut) list(i int, t *tree) int {
	if c.depth++; c.depth > maxNesting {
		return -1
	}
	i = c.space(i + 1)
	if i < len(c.b) && c.b[i] == ']' {
		c.depth--
		return i + 1
	}
	for n := 0; i < len(c.b); n++ {
		if i = c.element(i, n, t); i < 0 {
			return -1
		}
		if i = c.space(i); i >= len(c.b) {
			return -1
		}
		if c.b[i] == ']' {
			c.depth--
			return i + 1
		}
		if c.b[i] != ',' {
			return -1
		}
		i = c.space(i + 1)
	}
	return -1
}

func (c *cut) element(i, n int, t *tree) (end int) {
	if t == nil {
		return c.value(i, nil)
	}
	read := false
	if t.row != nil && t.each {
		if end, read = c.record(i, t.row), true; end < 0 {
			return -1
		}
	}
	for _, p := range t.below { // [1] and [01] are the same place
		if p.index == n {
			if end, read = c.value(i, p), true; end < 0 {
				return -1
			}
		}
	}
	if !read {
		end = c.value(i, nil)
	}
	return end
}

func (c *cut) space(i int) int {
	for i < len(c.b) && (c.b[i] == ' ' || c.b[i] == '\n' || c.b[i] == '\r' || c.b[i] == '\t') {
		i++
	}
	return i
}

func (c *cut) word(i int, w string) int {
	if len(c.b)-i < len(w) || string(c.b[i:i+len(w)]) != w {
		return -1
	}
	return i + len(w)
}

func (c *cut) digits(i int) int {
	b := c.b
	some := func() bool { // at least one digit
		from := i
		for i < len(b) && b[i] >= '0' && b[i] <= '9' {
			i++
		}
		return i > from
	}
	if i < len(b) && b[i] == '-' {
		i++
	}
	if i < len(b) && b[i] == '0' {
		i++
	} else if !some() {
		return -1
	}
	if i < len(b) && b[i] == '.' {
		if i++; !some() {
			return -1
		}
	}
	if i < len(b) && (b[i] == 'e' || b[i] == 'E') {
		if i++; i < len(b) && (b[i] == '+' || b[i] == '-') {
			i++
		}
		if !some() {
			return -1
		}
	}
	return i
}

// text reads the text whose opening quote is at i, eight bytes at a time where nothing is special.
func (c *cut) text(i int) (end int, plain bool) {
	const ones, high = 0x0101010101010101, 0x8080808080808080
	b := c.b
	plain = true
	for i++; i < len(b); {
		if len(b)-i >= 8 {
			x := binary.LittleEndian.Uint64(b[i:])
			quote, slash := x^(ones*'"'), x^(ones*'\\')
			// the lowest set bit is right; those above may be borrowed
			special := (x | (x - ones*' ') | (quote - ones) | (slash - ones)) & high
			if special == 0 {
				i += 8
				continue
			}
			i += bits.TrailingZeros64(special) / 8
		}
		switch d := b[i]; {
		case d == '"':
			return i + 1, plain
		case d == '\\':
			plain = false
			if i = c.escape(i); i < 0 {
				return -1, false
			}
			continue
		case d < ' ':
			return -1, false
		case d >= 0x80:
			plain = false
		}
		i++
	}
	return -1, false
}

func (c *cut) escape(i int) int {
	if i+1 >= len(c.b) {
		return -1
	}
	switch c.b[i+1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return i + 2
	case 'u':
		if i+6 > len(c.b) {
			return -1
		}
		for _, d := range c.b[i+2 : i+6] {
			if !(d >= '0' && d <= '9' || d >= 'a' && d <= 'f' || d >= 'A' && d <= 'F') {
				return -1
			}
		}
		return i + 6
	}
	return -1
}
