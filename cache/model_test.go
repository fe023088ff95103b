package cache

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tuttihq/tutti"
)

// model is what a reader may expect: for each key and tag when things happened, in steps and in
// played time.
type model struct {
	t     *rapid.T
	c     *Cache[string]
	clock time.Time
	step  int
	down  bool
	lost  map[string]bool // keys that the origin does not have
	last  map[string]int  // step of the last Forget by tag
	gone  map[string]int  // step of the last Purge by tag
	loads map[string]bool // keys asked for in this step
	fails map[string]time.Time
	calls int
}

var modelPolicy = Policy{Fresh: 10 * time.Second, Stale: 20 * time.Second, StaleIfError: 60 * time.Second, Negative: 5 * time.Second}

func (m *model) load(_ context.Context, asks []Ask[string]) []Loaded[string] {
	m.calls++
	answers := make([]Loaded[string], len(asks))
	for i, a := range asks {
		if m.loads[a.Key.Key] {
			m.t.Errorf("%s is loaded twice in one step", a.Key.Key)
		}
		m.loads[a.Key.Key] = true
		switch {
		case m.down:
			answers[i].Err = tutti.Unavailable
			m.fails[a.Key.Key] = m.clock
		case m.lost[a.Key.Key]:
		case a.HasOld && m.step%3 == 0 && !strings.HasSuffix(a.Old, "/x"):
			answers[i].Unchanged = true
		default:
			answers[i] = Loaded[string]{Value: fmt.Sprintf("%s/%d", a.Key.Key, m.step), Found: true, Tags: []string{"late:" + a.Key.Key}}
		}
	}
	return answers
}

// since gives the later of two steps at which a key's own or late tag, or everything, was touched.
func since(steps map[string]int, key string) int {
	return max(steps["tag:"+key], steps["late:"+key], steps["*"])
}

// failing reports whether the last load of a key may have failed, and nothing was heard since that makes it
// worth waiting for another.
func (m *model) failing(key string) bool {
	if m.down {
		return true // a load behind the reader may be noting it
	}
	at, ok := m.fails[key]
	return ok && m.clock.Before(at.Add(patience)) && int(at.Sub(time.Unix(0, 0))%time.Second/time.Millisecond) >= since(m.last, key)
}

// read asks for keys and waits, or leaves at once.
func (m *model) read(names []string, leaving bool) {
	m.loads = map[string]bool{}
	before := m.calls
	var results []Result[string]
	if leaving {
		results = m.c.Begin(context.Background(), keyed(names...), modelPolicy, m.load, func() {}).Take(tutti.Timeout)
	} else {
		results = m.c.GetMany(context.Background(), keyed(names...), modelPolicy, m.load)
	}
	left := func(r Result[string]) bool { return leaving && r.Err == tutti.Timeout }
	for i, r := range results {
		key, age := names[i], m.clock.Sub(r.AsOf)
		born := int(r.AsOf.Sub(time.Unix(0, 0)) % time.Second / time.Millisecond)
		if r.Found && !strings.HasPrefix(r.Value, key+"/") {
			m.t.Fatalf("%s got the value %q", key, r.Value)
		}
		switch {
		case r.State == tutti.Fresh && (age >= modelPolicy.Fresh || born < since(m.last, key) || r.Err != nil):
			m.t.Fatalf("%s is fresh: born in step %d, %v old, forgotten in %d, %v", key, born, age, since(m.last, key), r.Err)
		case r.State == tutti.StaleRevalidating && (age < modelPolicy.Fresh || age >= modelPolicy.Fresh+modelPolicy.Stale || born < since(m.last, key)):
			m.t.Fatalf("%s is stale: born in step %d, %v old, forgotten in %d", key, born, age, since(m.last, key))
		case r.State == tutti.StaleError && (r.Err == nil || !m.failing(key) && !left(r) || age >= modelPolicy.Fresh+modelPolicy.StaleIfError || born < since(m.gone, key)):
			m.t.Fatalf("%s stands in: born in step %d, %v old, purged in %d, %v", key, born, age, since(m.gone, key), r.Err)
		case r.State == tutti.Missing && r.Err != nil && !m.down && !left(r):
			m.t.Fatalf("%s is missing, though the origin is up: %v", key, r.Err)
		case r.State == tutti.Missing && r.Err == nil && !m.lost[key] && (age >= modelPolicy.Negative || born < max(m.last["tag:"+key], m.last["*"])): // nothing told its late tag
			m.t.Fatalf("%s is not found: born in step %d, %v old", key, born, age)
		case r.Found != (r.State != tutti.Missing):
			m.t.Fatalf("%s: found %v, %s", key, r.Found, r.State)
		}
	}
	m.c.running.Wait() // the refresh of this step ends in it
	if m.calls > before+1 {
		m.t.Fatalf("one read made %d loads", m.calls-before)
	}
}

func TestWhatAReaderGetsFollowsTheModel(t *testing.T) {
	names := []string{"a", "b", "c", "d"}
	states := map[string]int{}
	rapid.Check(t, func(t *rapid.T) {
		m := &model{t: t, lost: map[string]bool{}, last: map[string]int{}, gone: map[string]int{}, fails: map[string]time.Time{}, clock: time.Unix(1000, 0)}
		m.c = New(Config{MaxBytes: 1 << 20, Now: func() time.Time { return m.clock }}, func(v string) int { return len(v) })
		defer m.c.Close()
		tag := rapid.SampledFrom([]string{"tag:a", "late:a", "tag:b", "late:b", "tag:c", "tag:d"})
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			m.step++ // written into the milliseconds of the clock, so that AsOf tells the step of a load
			m.clock = m.clock.Truncate(time.Second).Add(time.Duration(m.step) * time.Millisecond)
			switch do := rapid.SampledFrom([]string{"read", "read", "read", "leave", "wait", "forget", "purge", "all", "down", "up", "lose", "find"}).Draw(t, "do"); do {
			case "wait":
				m.clock = m.clock.Add(time.Duration(rapid.IntRange(1, 40).Draw(t, "seconds")) * time.Second)
			case "forget":
				name := tag.Draw(t, "tag")
				m.c.Forget(name)
				m.last[name] = m.step
			case "purge":
				name := tag.Draw(t, "tag")
				m.c.Purge(name)
				m.last[name], m.gone[name] = m.step, m.step
			case "all":
				m.c.ForgetAll()
				m.last["*"] = m.step
			case "down", "up":
				m.down = do == "down"
			case "lose", "find":
				m.lost[rapid.SampledFrom(names).Draw(t, "name")] = do == "lose"
			default:
				m.read(rapid.SliceOfN(rapid.SampledFrom(names), 1, 6).Draw(t, "keys"), do == "leave")
			}
		}
		s := m.c.Stats()
		states["hits"] += int(s.Hits)
		states["stale"] += int(s.Stale)
		states["negative"] += int(s.Negative)
	})
	for _, name := range []string{"hits", "stale", "negative"} {
		if states[name] == 0 {
			t.Errorf("the model never saw %s", name)
		}
	}
}
