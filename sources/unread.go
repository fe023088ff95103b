package sources

import (
	"slices"
	"strings"
	"sync"
	"time"
)

// Fields that could not be read stand in the resource (tutti.Unread), so that whoever asks for one is
// told, from memory too. The log is told here.

// pointerOf is the JSON pointer (RFC 6901) of what an expression reads of a record: of several places
// what they have in common. "" is the whole record.
func pointerOf(paths [][]string) string {
	var common []string
	first := true
	for _, p := range paths {
		if p[0] != "record" {
			continue
		}
		if p = p[1:]; first {
			common, first = p, false
		}
		n := 0
		for n < min(len(common), len(p)) && common[n] == p[n] {
			n++
		}
		common = common[:n]
	}
	return pointer(common)
}

var (
	pointerSigns = strings.NewReplacer("~", "~0", "/", "~1")
	pointerNames = strings.NewReplacer("~1", "/", "~0", "~") // the other way
)

// pointer writes steps as a JSON pointer.
func pointer(steps []string) string {
	var b strings.Builder
	for _, s := range steps {
		b.WriteByte('/')
		b.WriteString(pointerSigns.Replace(s))
	}
	return b.String()
}

// complaintEvery is how often the log hears of the same field.
const complaintEvery = 10 * time.Minute

// complaints count what the log is told of, for each pair of names. The zero value is ready.
type complaints struct {
	mu sync.Mutex // guards all below
	by []complaint
}

type complaint struct {
	what, of string
	told     time.Time
	times    int // since then
}

// tell notes one more, and gives how many the log is to hear of now; 0 = it heard lately.
func (c *complaints) tell(what, of string, now time.Time, every time.Duration) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	i := slices.IndexFunc(c.by, func(x complaint) bool { return x.what == what && x.of == of })
	if i < 0 {
		i, c.by = len(c.by), append(c.by, complaint{what: what, of: of})
	}
	x := &c.by[i]
	x.times++
	if !x.told.IsZero() && now.Sub(x.told) < every {
		return 0
	}
	times := x.times
	x.told, x.times = now, 0
	return times
}
