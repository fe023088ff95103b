package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"
)

// contexts are those that the cold pages are asked with.
func contexts() []person { return people(1000, false) }

// fanout starts the limit of a page of which nothing is known.
func (m *measure) fanout(s shape) (*process, error) {
	return m.limits.start(append([]string{"fanout"}, m.origin.addresses(s)...)...)
}

// next is a page that nobody asked for.
func (m *measure) next() int { m.page++; return m.page }

// fresh asks for a page that nobody asked for, and checks it.
func (m *measure) fresh(s shape, p person) (time.Duration, error) {
	page := m.next()
	r := request{page: page, person: p, body: s.body(page, p.context)}
	b, _, took, err := m.house.ask(r.body)
	if err == nil {
		err = s.whole(r, b, nil)
	}
	return took, err
}

// cold: nothing is known, the origins answer at once. Every page is a new one; the fan-out gets the
// same requests for the same pages.
func (m *measure) cold(ctx context.Context) error {
	r, calls, stop, err := m.unknown(ctx, "cold", decided, contexts())
	if err != nil {
		return err
	}
	defer stop()
	if err := m.run(ctx, r); err != nil {
		return err
	}
	r.print("nothing known, origins at 0 ms, every page a new one")
	fmt.Printf("  %.2f origin calls for a page: those of pages that are asked for at the same time go together\n", *calls)
	m.promised(r.ratio() >= 0.6, "cold: %.3f of a fan-out that parses nothing; at least 0.60", r.ratio())
	m.promised(*calls <= 4, "cold: %.2f origin calls a page; at most 4", *calls)
	return nil
}

// unknown makes ready to load Tutti and a fan-out with pages that nobody asked for, the same for
// both. calls is how many origin calls a page of Tutti's takes.
func (m *measure) unknown(ctx context.Context, name string, s shape, all []person) (_ *race, calls *float64, stop func(), err error) {
	if err := m.origin.delayed(0); err != nil {
		return nil, nil, nil, err
	}
	var lines bytes.Buffer
	for i, p := range all {
		if i < 100 {
			if _, err := m.fresh(s, p); err != nil {
				return nil, nil, nil, err
			}
		}
		lines.Write(append(s.body(mark, p.context), '\n'))
	}
	file, err := m.wrk.file("txt", lines.Bytes())
	if err != nil {
		return nil, nil, nil, err
	}
	fanout, err := m.fanout(s)
	if err != nil {
		return nil, nil, nil, err
	}
	made, pages := 0, 0 // of ours, those on their way at the end too
	calls = new(float64)
	loaded := func(p *process, path string) *side {
		from := m.page
		return &side{process: p, load: func() (load, error) {
			script, err := m.wrk.script(m.house.headers(), newLua, from, file, path, mark, len(mark))
			if err != nil {
				return load{}, err
			}
			before, _, err := m.origin.asked()
			if err != nil {
				return load{}, err
			}
			l, err := m.wrk.run(ctx, script, p.url)
			if err != nil {
				return l, err
			}
			from += l.Requests + connections // some were on their way at the end
			m.page = max(m.page, from)
			after, err := m.settled()
			if p == m.house.process {
				made, pages = made+after-before, pages+l.Requests+connections
				*calls = float64(made) / float64(pages)
			}
			return l, err
		}}
	}
	r := &race{name: name, limit: "fan-out", ours: loaded(m.house.process, "/graphql"), theirs: loaded(fanout, "/"+mark)}
	return r, calls, fanout.stop, nil
}

// settled waits until nobody asks the origins any more, and gives their calls.
func (m *measure) settled() (int, error) {
	before := -1
	for {
		calls, _, err := m.origin.asked()
		if err != nil || calls == before {
			return calls, err
		}
		before = calls
		time.Sleep(20 * time.Millisecond)
	}
}

// one measures single pages of which nothing is known, origins 20 ms away, by turns with the
// fan-out.
func (m *measure) one(ctx context.Context) error {
	if err := m.origin.delayed(20); err != nil {
		return err
	}
	fanout, err := m.fanout(decided)
	if err != nil {
		return err
	}
	defer fanout.stop()
	reference := func() (time.Duration, error) {
		began := time.Now()
		_, err := read(m.house.client.Post(fmt.Sprintf("%s/%d", fanout.url, m.next()), "application/json", http.NoBody))
		return time.Since(began), err
	}
	rounds := 200
	if m.quick {
		rounds = 100
	}
	var ours, theirs []time.Duration
	most := 0
	all := contexts()
	for i := range rounds + 10 {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		before, _, err := m.origin.asked()
		if err != nil {
			return err
		}
		a, err := m.fresh(decided, all[i])
		if err != nil {
			return err
		}
		after, _, err := m.origin.asked()
		if err != nil {
			return err
		}
		b, err := reference()
		if err != nil {
			return err
		}
		if i < 10 { // connections, compiled operations
			continue
		}
		ours, theirs, most = append(ours, a), append(theirs, b), max(most, after-before)
	}
	a, b := median(ours), median(theirs)
	fmt.Printf("\none: a page of which nothing is known, origins at 20 ms, one after the other\n  p50 %.2f ms   fan-out %.2f ms   difference %.2f ms   origin calls %d\n", ms(a), ms(b), ms(a-b), most)
	m.promised(a-b <= 400*time.Microsecond, "one cold page: %.2f ms over the fan-out; at most 0.40 ms", ms(a-b))
	m.promised(most == 4, "one cold page: %d origin calls; 4", most)
	return m.origin.delayed(0)
}

// crowd lets many readers ask at once for a page of which nothing is known.
func (m *measure) crowd(context.Context) error {
	const readers = 1000
	if err := m.origin.delayed(200); err != nil { // so that all are there before the first answer
		return err
	}
	before, _, err := m.origin.asked()
	if err != nil {
		return err
	}
	page := m.next()
	errs := make([]error, readers)
	var all sync.WaitGroup
	for i, p := range contexts() {
		all.Go(func() {
			r := request{page: page, person: p, body: decided.body(page, p.context)}
			var b []byte
			if b, _, _, errs[i] = m.house.ask(r.body); errs[i] == nil {
				errs[i] = decided.whole(r, b, nil)
			}
		})
	}
	all.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	after, _, err := m.origin.asked()
	if err != nil {
		return err
	}
	fmt.Printf("\ncrowd: %d readers ask at once for a page of which nothing is known\n  origin calls %d\n", readers, after-before)
	m.promised(after-before == 4, "%d readers at once: %d origin calls; 4", readers, after-before)
	return m.origin.delayed(0)
}

// change lets items change at their origin, one at a time, and asks for the page again.
func (m *measure) change(context.Context) error {
	p := contexts()[0]
	r := request{page: 1, person: p, body: decided.body(1, p.context)}
	if _, _, _, err := m.house.ask(r.body); err != nil { // all of it is known then
		return err
	}
	titles := map[string]string{}
	var times []time.Duration
	calls, items := 0, 0
	for row := range decided.rows {
		kind, first, after := decided.row(row)
		for n := first; n < after; n++ {
			id := fmt.Sprintf("%d-%d", r.page, n)
			titles[id] = "The title of " + id + ", edition 1."
			if err := m.origin.tell("change/" + id); err != nil {
				return err
			}
			if err := m.house.changed(kind, id); err != nil {
				return fmt.Errorf("telling of a change: %w", err)
			}
			callsBefore, itemsBefore, err := m.origin.asked()
			if err != nil {
				return err
			}
			b, _, took, err := m.house.ask(r.body)
			if err != nil {
				return err
			}
			if err := decided.whole(r, b, titles); err != nil {
				return fmt.Errorf("after %s changed: %w", id, err)
			}
			callsAfter, itemsAfter, err := m.origin.asked()
			if err != nil {
				return err
			}
			times = append(times, took)
			calls, items = max(calls, callsAfter-callsBefore), max(items, itemsAfter-itemsBefore)
		}
	}
	fmt.Printf("\nchange: one of the 40 items changes, told by a webhook; each of them once\n  next answer right, p50 %.2f ms   origin calls %d   items asked for %d\n", ms(median(times)), calls, items)
	m.promised(calls == 1 && items == 1, "one of 40 items changes: %s for %s; 1 call for 1 item", plural(calls, "origin call"), plural(items, "item"))
	return nil
}

func plural(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return strings.TrimSpace(fmt.Sprintf("%d %ss", n, word))
}
