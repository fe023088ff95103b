package graph

import (
	"testing"
	"time"

	"github.com/tuttihq/tutti"
)

// firmGround forgets nothing.
type firmGround struct{}

func (firmGround) Moment() uint64                  { return 1 }
func (firmGround) Forgotten([]uint32, uint64) bool { return false }

// TestStaleAnswersAreKeptShortly: for a second, and for 100 ms where newer content is on its way.
func TestStaleAnswersAreKeptShortly(t *testing.T) {
	for name, c := range map[string]struct {
		basis tutti.Basis
		keeps time.Duration
	}{
		"an origin fails":                       {tutti.Basis{Stale: true}, time.Second},
		"content is being read anew":            {tutti.Basis{Stale: true, Renewing: true}, 100 * time.Millisecond},
		"what is fresh ends before that":        {tutti.Basis{Stale: true, Renewing: true, Until: noon.Add(50 * time.Millisecond)}, 50 * time.Millisecond},
		"all is fresh":                          {tutti.Basis{Until: noon.Add(time.Minute)}, time.Minute},
		"one part is read anew, another failed": {bothOf(tutti.Basis{Stale: true}, tutti.Basis{Stale: true, Renewing: true}), 100 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			now := noon
			kept := NewKept(1<<20, firmGround{}, func() time.Time { return now })
			defer kept.Close()
			key := []byte("key")
			kept.KeepAnswer(key, &Written{&record{}}, nil, nil, c.basis, kept.Moment())
			if now = noon.Add(c.keeps - 1); kept.Answer(key) == nil {
				t.Errorf("it is gone before %s are over", c.keeps)
			}
			if now = noon.Add(c.keeps); kept.Answer(key) != nil {
				t.Errorf("it is kept for longer than %s", c.keeps)
			}
		})
	}
}

func bothOf(a, b tutti.Basis) tutti.Basis {
	a.Join(b)
	return a
}

func TestOnlyWhatIsAskedForAgainIsWorthKeeping(t *testing.T) {
	kept := NewKept(1<<20, firmGround{}, time.Now)
	defer kept.Close()
	for _, key := range []string{"one", "two"} {
		if kept.Again([]byte(key)) {
			t.Errorf("%s is asked for the first time", key)
		}
		if !kept.Again([]byte(key)) || !kept.Again([]byte(key)) {
			t.Errorf("%s is asked for again", key)
		}
	}
	if !kept.AtOnce().Again([]byte("three")) {
		t.Error("what is kept at once waits for a second asking")
	}
}
