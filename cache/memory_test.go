package cache

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

func kept(key string, cost int, at time.Time) *entry[int] {
	e := &entry[int]{}
	e.fill(key, nil, Epochs{}, &Loaded[int]{Value: cost, Found: true}, &Policy{Fresh: time.Minute}, instantOf(at))
	return e
}

func ofSize(n int) int { return n }

// TestWhatIsReadStays: a long list of what is asked for once does not push out what is asked for
// again and again.
func TestWhatIsReadStays(t *testing.T) {
	now := time.Now()
	m := newMemory(1<<20, ofSize) // about 870 of these
	for i := range 6_000 {
		for j := range 5 {
			hot := fmt.Sprintf("hot %d", (5*i+j)%100)
			if m.get(hot) == nil {
				if i >= 100 {
					t.Fatalf("%s was pushed out by %d others", hot, i)
				}
				m.set(kept(hot, 1000, now), now)
			}
		}
		m.set(kept(fmt.Sprintf("once %d", i), 1000, now), now)
	}
	if m.bytes() > 1<<20 || m.items.Load() < 800 || m.evicted.Load() == 0 {
		t.Errorf("it holds %d bytes of %d items and evicted %d", m.bytes(), m.items.Load(), m.evicted.Load())
	}
}

// TestWhatIsOfNoUseMakesRoom: nothing that can be served goes while something is there that cannot.
func TestWhatIsOfNoUseMakesRoom(t *testing.T) {
	now := time.Now()
	m := newMemory(1<<20, ofSize)
	for i := range 500 {
		m.set(kept(fmt.Sprintf("old %d", i), 1000, now), now)
	}
	later := now.Add(2 * time.Minute)
	for i := range 800 {
		m.set(kept(fmt.Sprintf("new %d", i), 1000, later), later)
	}
	for i := range 800 {
		if m.get(fmt.Sprintf("new %d", i)) == nil {
			t.Fatalf("new %d is gone", i)
		}
	}
	if m.evicted.Load() != 0 {
		t.Errorf("%d were evicted", m.evicted.Load())
	}
}

// TestMemoryCountsWhatItHolds holds its numbers to a count of what is there, after anything.
func TestMemoryCountsWhatItHolds(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	now := time.Now()
	m := newMemory(1<<18, ofSize)
	for range 20_000 {
		now = now.Add(time.Duration(r.IntN(100)) * time.Millisecond)
		key := fmt.Sprint(r.IntN(400))
		if r.IntN(3) == 0 {
			m.get(key)
			continue
		}
		m.set(kept(key, r.IntN(4000), now), now)
		if got := m.get(key); got == nil || got.key != key {
			t.Fatalf("%s is not there right after it was set", key)
		}
	}
	items, bytes := int64(0), int64(0)
	for i := range m.parts {
		p := &m.parts[i]
		n := 0
		for i := p.oldest; i != 0; i = p.seats[i].newer {
			if p.find(p.seats[i].hash) != i {
				t.Fatalf("%s sits where it cannot be found", p.entries[i].key)
			}
			bytes += p.seats[i].cost
			n++
		}
		free := 0
		for i := p.free.seat(); i != 0; i = p.seats[i].next.seat() {
			if p.entries[i] != nil {
				t.Fatalf("%s sits on a free seat", p.entries[i].key)
			}
			free++
		}
		if n != p.taken || n+free+1 != len(p.seats) {
			t.Errorf("%d sit, %d are taken; %d seats are free of %d", n, p.taken, free, len(p.seats))
		}
		items += int64(n)
	}
	if items != m.items.Load() || bytes != m.bytes() || bytes > m.max {
		t.Errorf("it holds %d items of %d bytes, and says %d and %d", items, bytes, m.items.Load(), m.bytes())
	}
	m.close()
	if m.items.Load() != 0 || m.bytes() != 0 {
		t.Errorf("closed, it says %d items and %d bytes", m.items.Load(), m.bytes())
	}
}
