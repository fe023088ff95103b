package resolvers_test

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strconv"
	"time"

	"github.com/tuttihq/tutti"
)

// deck is what happens. It is shuffled each time round, so that everything happens soon.
var deck = []func(*apart){
	(*apart).changeItem, (*apart).changeItem, (*apart).changeItem, (*apart).publish, (*apart).publish, (*apart).editDraft,
	(*apart).breakOrMend, (*apart).breakOrMend, (*apart).reload, (*apart).reload, (*apart).stumble, (*apart).stumble, (*apart).stumble, (*apart).turnCold, (*apart).passTime, (*apart).passTime, (*apart).passTime,
}

// happen lets one thing happen.
func (a *apart) happen() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.deck) == 0 {
		a.deck = slices.Clone(deck)
		a.chance.Shuffle(len(a.deck), func(i, j int) { a.deck[i], a.deck[j] = a.deck[j], a.deck[i] })
	}
	one := a.deck[0]
	a.deck = a.deck[1:]
	one(a)
}

// somePage is often one that most ask for.
func (a *apart) somePage() int {
	if a.chance.IntN(2) == 0 {
		return (int(a.hot.Load()) + a.chance.IntN(2)) % apartPages
	}
	return a.chance.IntN(apartPages)
}

// changeItem changes an item, and a webhook tells.
func (a *apart) changeItem() {
	n := a.somePage()
	rev := a.revised[n].Add(1)
	for i, x := range a.replicas {
		x.sources.Forget(fmt.Sprintf("shop:item/%d", n))
		a.forgotten[i][n].Store(rev)
	}
}

// publish lets an editor publish; the replicas hear of it one after the other.
func (a *apart) publish() {
	n := a.somePage()
	a.versions[n]++
	v := a.versions[n]
	a.docs[n].Version, a.docs[n].Body = v, page(n, fmt.Sprintf("V%d", v))
	a.published[n].Store(int64(v))
	for i, x := range a.replicas {
		x.load(a.docs)
		a.loaded[i][n].Store(int64(v))
	}
}

// editDraft saves a draft.
func (a *apart) editDraft() { a.drafted[a.somePage()].Add(1) }

// turnCold makes others ask for pages that few have asked for.
func (a *apart) turnCold() {
	a.family.Store(int64(a.chance.IntN(apartPersonas)))
	a.hot.Store(int64(a.chance.IntN(apartPages)))
}

// passTime makes what is old be read again.
func (a *apart) passTime() { a.clock.Add(int64(time.Duration(a.chance.IntN(20)) * time.Second)) }

// reload takes another config; what was published stays. Each leads its links elsewhere, and every
// second one gives cards a motto.
func (a *apart) reload() {
	g := a.generation.Add(1)
	cfg := *a.config.config
	cfg.Channels = slices.Clone(cfg.Channels)
	for i := range cfg.Channels {
		cfg.Channels[i].BaseURL = fmt.Sprintf("https://g%d.example", g)
	}
	if hasMotto(g) {
		cfg.ComponentTypes = slices.Clone(cfg.ComponentTypes)
		card := &cfg.ComponentTypes[0]
		card.Props = append(slices.Clone(card.Props), tutti.PropDefinition{Name: "motto", Type: tutti.PropText})
	}
	c := a.config
	c.config = &cfg
	for i, x := range a.replicas {
		x.reload(a.keeping(c, i), fmt.Sprintf("g%d", g), a.docs)
		a.reloaded[i].Store(g)
	}
}

func hasMotto(generation int64) bool { return generation%2 == 0 }

// breakOrMend makes the origin fail, just when all turn to cold pages; or it is well again.
func (a *apart) breakOrMend() {
	b := a.broken.Add(1)
	if b%2 == 1 {
		a.turnCold()
		return
	}
	a.turn.Lock() // who asks now began before
	defer a.turn.Unlock()
	a.clock.Add(int64(5 * time.Minute))
	a.mend()
	a.healthy.Store(b)
}

// stumble makes a few calls fail just when the items that most ask for have to be read anew, and
// nothing may stand in. They are too few for the breaker, which counts those of ten seconds.
func (a *apart) stumble() {
	a.clock.Add(int64(11 * time.Second))
	a.stumbles.Store(8)
	for i := range 2 {
		a.purge((int(a.hot.Load()) + i) % apartPages)
	}
}

// purge changes an item of which nothing older may be seen any more.
func (a *apart) purge(n int) {
	rev := a.revised[n].Add(1)
	for i, x := range a.replicas {
		x.sources.Purge(fmt.Sprintf("shop:item/%d", n))
		a.purged[i][n].Store(rev)
	}
}

// mend asks the origin for what nobody has asked for until it is trusted again: the breaker lets
// one call through first, which may be somebody else's and still under way.
func (a *apart) mend() {
	patience := time.Now().Add(time.Minute)
	for _, x := range a.replicas {
		for tries := 0; ; tries++ {
			a.asked++
			ref := tutti.Ref{Source: "shop", Kind: "item", ID: strconv.Itoa(apartPages + a.asked%9000)}
			if got := x.sources.Get(context.Background(), []tutti.Ref{ref}, tutti.Scope{Locale: "en", Market: "eu"}); got[0].Resource != nil {
				break
			} else if time.Now().After(patience) {
				a.t.Errorf("the origin is not asked again: %v", got[0].Err)
				return
			}
			if tries < 1000 {
				a.clock.Add(int64(time.Second))
			}
			runtime.Gosched()
		}
	}
}
