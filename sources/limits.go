package sources

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // a manifest may name a zone; that must not depend on the machine

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/internal/fetch"
)

// LimitSpec says how many calls a system takes, and how it tells that it is enough.
type LimitSpec struct {
	Statuses    []int          `yaml:"statuses"`    // Statuses that mean "wait". Default: 429.
	Throttled   []ThrottleSpec `yaml:"throttled"`   // Other answers that mean "wait", by what stands in them.
	Limit       string         `yaml:"limit"`       // The header that tells how many calls there are in all.
	Remaining   string         `yaml:"remaining"`   // The header that tells how many calls are left.
	Reset       string         `yaml:"reset"`       // The header that tells when there are more.
	ResetAs     string         `yaml:"resetAs"`     // What that header holds: seconds from now (default), unix seconds, or a time.
	Fields      []string       `yaml:"fields"`      // Headers that hold all three: RateLimit (with RateLimit-Policy), or others such as total=100; remaining=99; resets=41.
	Usage       []string       `yaml:"usage"`       // Headers with JSON that tells in percent how much is used.
	Points      *PointSpec     `yaml:"points"`      // Calls cost points, as the answer says.
	Hold        string         `yaml:"hold"`        // How long to wait where the system does not say, such as 5m. Default: 1s.
	Rate        float64        `yaml:"rate"`        // The most calls per second. The config may lower it.
	Burst       int            `yaml:"burst"`       // How many calls may come at once before the rate counts. Default: 1.
	Concurrency int            `yaml:"concurrency"` // The most calls at the same time. The config may lower it.
}

// ThrottleSpec is an answer that means "wait".
type ThrottleSpec struct {
	Statuses []int  `yaml:"statuses"` // Its status. Default: any of success.
	When     string `yaml:"when"`     // CEL over answer.
	Hold     string `yaml:"hold"`     // How long to wait. Default: as the answer's headers, or else hold of limits, say.
	Until    string `yaml:"until"`    // Instead: until midnight in a time zone, such as midnight America/Los_Angeles.
}

// PointSpec is a bucket of points from which calls take. Each is where the answer says it, or a number.
type PointSpec struct {
	Used string `yaml:"used"` // What the call cost.
	Left string `yaml:"left"` // How many are left.
	Most string `yaml:"most"` // How many there are at most.
	Rate string `yaml:"rate"` // How many come back each second.
}

// limits is a compiled LimitSpec.
type limits struct {
	LimitSpec
	hold      time.Duration
	throttles []throttle
	failed    *predicate // an answer of success that tells of an error
	denied    *predicate // a refusal that is about the credentials
	points    *pointPlaces
}

type throttle struct {
	statuses []int
	when     *predicate
	hold     time.Duration
	midnight *time.Location // nil = hold counts
}

// predicate is CEL over an answer, of which only what it reads is decoded.
type predicate struct {
	expr *expression
	used *tree
}

// pointPlaces are where an answer tells of points, or numbers.
type pointPlaces struct{ used, left, most, rate pointPlace }

type pointPlace struct {
	path   []string
	number float64
}

func (c *compiler) limits() *limits {
	s := c.m.Limits
	out := &limits{LimitSpec: s, hold: c.duration("limits.hold", s.Hold, 0)}
	c.errorStatuses("limits.statuses", s.Statuses)
	if !slices.Contains([]string{"", "seconds", "unix", "time"}, s.ResetAs) {
		c.wrong("limits.resetAs", unknown(s.ResetAs), "Write seconds, unix or time.")
	}
	for at, name := range map[string]string{"limit": s.Limit, "remaining": s.Remaining, "reset": s.Reset} {
		c.isHeader("limits."+at, name)
	}
	for at, all := range map[string][]string{"fields": s.Fields, "usage": s.Usage} {
		for i, name := range all {
			c.isHeader(fmt.Sprintf("limits.%s.%d", at, i), name)
		}
	}
	if s.Rate < 0 || s.Rate > 1e6 {
		c.wrong("limits.rate", "is no number of calls per second", "Write, for example:  rate: 10")
	}
	if s.Burst < 0 || s.Burst > 0 && s.Rate == 0 {
		c.wrong("limits.burst", "is for a rate, and at least 1", "Write, for example:  rate: 10")
	}
	if s.Concurrency < 0 {
		c.wrong("limits.concurrency", "is less than 1", "")
	}
	for i, t := range s.Throttled {
		out.throttles = append(out.throttles, c.throttle(fmt.Sprintf("limits.throttled.%d", i), t))
	}
	if s.Points != nil {
		out.points = c.pointPlaces(s.Points)
	}
	if c.m.Failed != "" {
		out.failed = c.predicate("failed", c.m.Failed)
	}
	if c.m.Denied != "" {
		out.denied = c.predicate("denied", c.m.Denied)
	}
	return out
}

func (c *compiler) isHeader(at, name string) {
	if name != "" && !headerName.MatchString(name) {
		c.wrong(at, "is no name of a header", "Write, for example:  X-RateLimit-Remaining")
	}
}

func (c *compiler) errorStatuses(at string, statuses []int) {
	for i, s := range statuses {
		if s < 400 || s > 599 {
			c.wrong(fmt.Sprintf("%s.%d", at, i), "is no status of an error", "")
		}
	}
}

func (c *compiler) throttle(at string, s ThrottleSpec) throttle {
	c.errorStatuses(at+".statuses", s.Statuses)
	if s.When == "" {
		c.wrong(at+".when", "is missing", "Write what stands in the answer, for example:  when: answer.error.code == 17  (for a status alone: limits.statuses)")
		return throttle{}
	}
	t := throttle{statuses: s.Statuses, when: c.predicate(at+".when", s.When), hold: c.duration(at+".hold", s.Hold, 0)}
	if s.Until == "" {
		return t
	}
	zone, ok := strings.CutPrefix(s.Until, "midnight ")
	var err error
	if t.midnight, err = time.LoadLocation(zone); !ok || err != nil || zone == "Local" {
		c.wrong(at+".until", "is no midnight in a time zone", "Write, for example:  until: midnight America/Los_Angeles")
	}
	if s.Hold != "" {
		c.wrong(at+".hold", "stands beside until", "Write one of them.")
	}
	return t
}

func (c *compiler) predicate(at, src string) *predicate {
	e := c.expression(at, src, answerNames)
	if e == nil {
		return &predicate{}
	}
	p := &predicate{expr: e, used: newTree()}
	for _, path := range e.prog.Paths() {
		p.used.add(path[1:]...)
	}
	return p
}

// holds reports whether a valid JSON text is what the predicate looks for.
func (p *predicate) holds(body raw) bool {
	if len(body) == 0 {
		return false
	}
	return p.expr.truth(map[string]any{"answer": decodePart(string(body), p.used)})
}

func (c *compiler) pointPlaces(s *PointSpec) *pointPlaces {
	place := func(key, src string) pointPlace {
		if n, err := strconv.ParseFloat(src, 64); err == nil && n > 0 {
			return pointPlace{number: n}
		}
		return pointPlace{path: c.path("limits.points."+key, src)}
	}
	p := &pointPlaces{used: place("used", s.Used), left: place("left", s.Left), most: place("most", s.Most), rate: place("rate", s.Rate)}
	if p.used.path == nil {
		c.wrong("limits.points.used", "is missing", "Write where the answer says what the call cost, for example:  used: extensions.cost.requestedQueryCost")
	}
	for _, one := range [][2]string{{"most", s.Most}, {"rate", s.Rate}} {
		if one[1] == "" {
			c.wrong("limits.points."+one[0], "is missing", "Write where the answer says it, or a number, for example:  "+one[0]+": 1000")
		}
	}
	return p
}

// throttled is the first of the answers that mean "wait" that this one is.
func (l *limits) throttled(status int, body raw) (t throttle, ok bool) {
	for _, t := range l.throttles {
		if (slices.Contains(t.statuses, status) || len(t.statuses) == 0 && status/100 == 2) && t.when.holds(body) {
			return t, true
		}
	}
	return t, false
}

// maxReason is how much of a refusal is looked into for its reason.
const maxReason = 64 << 10

// waits reports whether an answer that is no success asks to wait, or says that the credentials are not good.
func (l *limits) waits(res *fetch.Response, now time.Time) *Refused {
	if slices.Contains(l.Statuses, res.Status) || len(l.Statuses) == 0 && res.Status == http.StatusTooManyRequests {
		return l.refused(res.Status, res.Header, throttle{}, now)
	}
	if len(l.throttles) == 0 && l.denied == nil || res.Status/100 == 2 || len(res.Body) > maxReason || !json.Valid(res.Body) {
		return nil
	}
	if t, ok := l.throttled(res.Status, res.Body); ok {
		return l.refused(res.Status, res.Header, t, now)
	}
	if l.denied != nil && res.Status/100 == 4 && l.denied.holds(res.Body) {
		return &Refused{Status: res.Status, Denied: true}
	}
	return nil
}

// refused says until when to wait: as the manifest says of this answer, else as the system says, else as
// the manifest says in general.
func (l *limits) refused(status int, h http.Header, t throttle, now time.Time) *Refused {
	r := &Refused{Status: status, Limit: true}
	switch {
	case t.midnight != nil:
		y, m, d := now.In(t.midnight).Date()
		r.Until, r.Long = time.Date(y, m, d+1, 0, 0, 0, 0, t.midnight), true
		return r
	case t.hold > 0:
		r.Until, r.Long = now.Add(t.hold), true
		return r
	}
	for _, until := range []time.Time{retryAfter(h, now), l.resetAt(h, now), l.left(h, now).until} {
		if !until.IsZero() {
			r.Until = until
			return r
		}
	}
	if l.hold > 0 {
		r.Until, r.Long = now.Add(l.hold), true
	}
	return r
}

// left is what a system says of the calls that are left.
type left struct {
	until time.Time // there are none before
	low   time.Time // there are few before: what nobody waits for should wait; zero = there are enough
}

// left reads the headers of an answer.
func (l *limits) left(h http.Header, now time.Time) (all left) {
	if l.Remaining != "" {
		all.add(number(h.Get(l.Remaining)), number(h.Get(l.Limit)), l.resetAt(h, now), l.hold, now)
	}
	for _, name := range l.Fields {
		for _, p := range ratePolicies(h.Values(name), h.Values(name+"-Policy"), now) {
			all.add(p.remaining, p.limit, p.reset, l.hold, now)
		}
	}
	for _, name := range l.Usage {
		for _, v := range h.Values(name) {
			if used, wait, ok := usage(v); ok {
				until := time.Time{}
				if wait > 0 {
					until = now.Add(wait)
				}
				all.add(100-used, 100, until, max(l.hold, usageHold), now)
			}
		}
	}
	return all
}

// usageHold is how long to wait where all is used up and the system does not say until when: it counts by
// the hour, and shows how much of that is over by itself.
const usageHold = 5 * time.Minute

// add counts one limit in: none left, or less than a tenth.
func (all *left) add(remaining, limit float64, reset time.Time, hold time.Duration, now time.Time) {
	switch {
	case math.IsNaN(remaining):
		return
	case remaining <= 0:
		if reset.IsZero() {
			reset = now.Add(max(hold, defaultWait))
		}
		all.until = later(all.until, reset)
	case limit > 0 && remaining < limit/10:
		if reset.IsZero() {
			reset = now.Add(max(hold, time.Minute))
		}
		all.low = later(all.low, reset)
	}
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// number reads the number of a header; NaN when there is none.
func number(s string) float64 {
	n, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
	if err != nil || math.IsInf(n, 0) {
		return math.NaN()
	}
	return n
}

// resetAt reads the header that tells when there are more calls; zero when it says nothing.
func (l *limits) resetAt(h http.Header, now time.Time) time.Time {
	v := strings.TrimSpace(h.Get(l.Reset))
	if l.Reset == "" || v == "" {
		return time.Time{}
	}
	if l.ResetAs == "time" {
		if t, err := http.ParseTime(v); err == nil {
			return t
		}
		t, _ := toTime(v)
		return t
	}
	s := number(v)
	if math.IsNaN(s) || s < 0 || s > 1e11 {
		return time.Time{}
	}
	if l.ResetAs == "unix" {
		return time.Unix(int64(s), 0)
	}
	return after(s, now)
}

// after is so many seconds from now; zero for what is no such number.
func after(s float64, now time.Time) time.Time {
	if !(s >= 0 && s <= 1e7) {
		return time.Time{}
	}
	return now.Add(time.Duration(s * float64(time.Second)))
}

// ratePolicy is what one policy of a RateLimit field says. NaN = nothing.
type ratePolicy struct {
	name             string
	remaining, limit float64
	reset            time.Time
	window           float64 // seconds
}

// ratePolicies reads fields that hold limit, what is left, and until when: "default";r=50;t=30 of the
// IETF's draft with its policies, limit=100, remaining=50, reset=5 of its earlier forms, and total=100;
// remaining=99; resets=41.
func ratePolicies(fields, policies []string, now time.Time) []ratePolicy {
	all := readPolicies(strings.Join(fields, ","), now)
	said := readPolicies(strings.Join(policies, ","), now)
	for i := range all {
		at := slices.IndexFunc(said, func(p ratePolicy) bool { return p.name == all[i].name })
		if at < 0 {
			continue
		}
		if math.IsNaN(all[i].limit) {
			all[i].limit = said[at].limit
		}
		if all[i].reset.IsZero() {
			all[i].reset = after(said[at].window, now)
		}
	}
	return all
}

// mostPolicies is how many of a header are read: each is looked for among all.
const mostPolicies = 32

func readPolicies(s string, now time.Time) (all []ratePolicy) {
	nan := math.NaN()
	for item := range strings.SplitSeq(s, ",") {
		for i, part := range strings.Split(item, ";") {
			name, value, given := strings.Cut(strings.TrimSpace(part), "=")
			name = strings.ToLower(strings.TrimSpace(name))
			if name == "" {
				continue
			}
			if i == 0 && !given || len(all) == 0 {
				if len(all) == mostPolicies {
					return all
				}
				all = append(all, ratePolicy{remaining: nan, limit: nan, window: nan})
			}
			p := &all[len(all)-1]
			if !given {
				if p.name = strings.Trim(name, `"`); !math.IsNaN(number(name)) {
					p.name, p.limit = "", number(name) // 100;w=60
				}
				continue
			}
			n := number(strings.Trim(strings.TrimSpace(value), `"`))
			switch name {
			case "r", "remaining":
				p.remaining = n
			case "q", "limit", "total":
				p.limit = n
			case "w", "window":
				p.window = n
			case "t", "reset", "resets":
				if p.reset = after(n, now); n > 1e9 && n < 1e11 { // some write unix seconds
					p.reset = time.Unix(int64(n), 0)
				}
			}
		}
	}
	return all
}

// usage reads JSON that tells in percent how much is used: the most of all its counts, and how long to
// wait, where it says so in minutes. It may be nested by account.
func usage(s string) (used float64, wait time.Duration, ok bool) {
	if len(s) > 16<<10 || !json.Valid([]byte(s)) {
		return 0, 0, false
	}
	var walk func(v any, depth int)
	walk = func(v any, depth int) {
		switch v := v.(type) {
		case []any:
			for _, one := range v {
				if depth < 5 {
					walk(one, depth+1)
				}
			}
		case map[string]any:
			for name, one := range v {
				n, isNumber := toFloat(one)
				switch {
				case !isNumber && depth < 5:
					walk(one, depth+1)
				case name == "estimated_time_to_regain_access" && n > 0 && n <= 24*60:
					wait = max(wait, time.Duration(n*float64(time.Minute)))
				case strings.HasSuffix(name, "call_count") || strings.HasSuffix(name, "time") || strings.HasSuffix(name, "util_pct"):
					if name != "estimated_time_to_regain_access" {
						used, ok = max(used, n), true
					}
				}
			}
		}
	}
	walk(decode(s), 0)
	if wait > 0 {
		return 100, wait, true
	}
	return used, wait, ok
}

// spent is what an answer says of points. NaN = nothing.
type spent struct{ used, left, most, rate float64 }

// spent reads what a call cost; false when the answer does not say.
func (a *answer) spent() (s spent, ok bool) {
	l := a.call.limits
	if l == nil || l.points == nil || a.cut == nil {
		return s, false
	}
	at := func(p pointPlace, t *tree) float64 {
		if p.path == nil && p.number > 0 {
			return p.number
		}
		if v, ok := a.at(t); ok {
			return number(string(v))
		}
		return math.NaN()
	}
	p := a.call.places.points
	s = spent{used: at(l.points.used, p[0]), left: at(l.points.left, p[1]), most: at(l.points.most, p[2]), rate: at(l.points.rate, p[3])}
	return s, s.used >= 0 && s.most > 0 && s.rate > 0
}

// wrong tells what is wrong with an answer of success: it asks to wait all the same, or it tells of an error.
func (a *answer) wrong(status int, now time.Time) error {
	l := a.call.limits
	if l == nil || status/100 != 2 {
		return nil
	}
	if t, ok := l.throttled(status, a.body); ok {
		return l.refused(status, a.header, t, now)
	}
	if l.failed != nil && l.failed.holds(a.body) {
		if l.denied != nil && l.denied.holds(a.body) {
			return &Refused{Status: status, Denied: true}
		}
		return tutti.Errorf(tutti.BadAnswer, "reading the answer: the system tells of an error in it")
	}
	return nil
}
