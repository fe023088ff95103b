package graph

import (
	"slices"
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
		for times := range 3 {
			if kept.Again([]byte(key)) != (times > 0) {
				t.Errorf("%s was asked for %d times before", key, times)
			}
		}
	}
	if !kept.AtOnce().Again([]byte("three")) {
		t.Error("what is kept at once waits for a second asking")
	}
}

// ground forgets marks when told.
type ground struct {
	moment uint64
	marks  map[uint32]uint64 // when they were forgotten
}

func (g *ground) forget(mark uint32) { g.moment++; g.marks[mark] = g.moment }
func (g *ground) Moment() uint64     { return g.moment }
func (g *ground) Forgotten(marks []uint32, after uint64) bool {
	return slices.ContainsFunc(marks, func(m uint32) bool { return g.marks[m] > after })
}

// TestAnswersHoldAsLongAsTheirParts: what a part is made of need not be noted twice, and what is
// forgotten of it ends the answer too.
func TestAnswersHoldAsLongAsTheirParts(t *testing.T) {
	for _, forgotten := range []uint32{1, 2, 3, 4, 9} {
		g := &ground{moment: 5, marks: map[uint32]uint64{}}
		kept := NewKept(1<<20, g, func() time.Time { return noon })
		site := &selection{}
		part := &tutti.Part{Basis: tutti.Basis{Marks: []uint32{3, 2, 3}}, Written: &partText{first: siteText{site, keptText{own: `{}`}}}}
		k := kept.KeepPart([]byte("part"), part, kept.Moment())
		r := &record{}
		r.add(stretch{kind: ofPart, text: keptText{own: `{}`}, part: part, site: site})
		key := []byte("answer")
		kept.KeepAnswer(key, &Written{r}, map[*tutti.Part]*KeptPart{part: k}, nil, tutti.Basis{Marks: []uint32{3, 1, 2, 4}}, kept.Moment())
		a := kept.Answer(key)
		if a == nil || !slices.Equal(a.Marks(), []uint32{1, 2, 3, 4}) || !slices.Equal(a.marks, []uint32{1, 4}) {
			t.Fatalf("kept is %+v", a)
		}
		g.forget(8) // another
		if kept.Answer(key) == nil {
			t.Error("it is gone with what it is not made of")
		}
		if g.forget(forgotten); (kept.Answer(key) != nil) != (forgotten == 9) {
			t.Errorf("after %d was forgotten it is given: %t", forgotten, forgotten != 9)
		}
		kept.Close()
	}
}
