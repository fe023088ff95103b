package cache

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tuttihq/tutti"
)

func TestCallerWithAStandInLeavesAtTheSoftLimitAndTheLoadGoesOn(t *testing.T) {
	for _, forgotten := range []bool{false, true} {
		bubble(t, func(t *testing.T, c *Cache[string]) {
			p := usual
			p.SoftLimit = 300 * time.Millisecond
			o := &origin{says: map[string]string{"a": "old"}}
			ask := func() Result[string] { return c.GetMany(t.Context(), keyed("a"), p, o.load)[0] }
			ask()
			want := tutti.StaleRevalidating
			if forgotten {
				c.Forget("tag:a")
				want = tutti.StaleError // a forgotten value is a stand-in and nothing else
			} else {
				time.Sleep(20 * time.Minute)
			}
			o.set("a", "new")
			o.gate = make(chan struct{})
			start := time.Now()
			r := ask()
			wantValue(t, r, "old", want)
			if tutti.CodeOf(r.Err) != tutti.Timeout || time.Since(start) != p.SoftLimit {
				t.Errorf("got %v after %v", r.Err, time.Since(start))
			}
			close(o.gate)
			synctest.Wait()
			wantValue(t, ask(), "new", tutti.Fresh)
			wantCalls(t, o, []string{"a"}, []string{"a"})
		})
	}
}

func TestSoftLimitIsNotForThoseWhoHoldNothing(t *testing.T) {
	bubble(t, func(t *testing.T, c *Cache[string]) {
		p := usual
		p.SoftLimit = 300 * time.Millisecond
		o := &origin{says: map[string]string{"a": "A", "b": "B"}}
		c.GetMany(t.Context(), keyed("a"), p, o.load)
		c.Forget("tag:a")
		o.gate = make(chan struct{})
		time.AfterFunc(time.Second, func() { close(o.gate) })
		r := c.GetMany(t.Context(), keyed("a", "b"), p, o.load)
		wantValue(t, r[1], "B", tutti.Fresh)
		if r[0].Value != "A" {
			t.Errorf("got %+v", r[0])
		}
	})
}

func TestCallerThatLeavesDoesNotEndTheLoad(t *testing.T) {
	bubble(t, func(t *testing.T, c *Cache[string]) {
		o := &origin{says: map[string]string{"a": "A"}, gate: make(chan struct{})}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		other := make(chan Result[string], 1)
		go func() { other <- get(c, o, "a") }()
		synctest.Wait()
		r := c.GetMany(ctx, keyed("a", "b"), usual, o.load)
		wantMissing(t, r[0], tutti.Timeout)
		wantMissing(t, r[1], tutti.Timeout)

		ctx, cancel = context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		r = c.GetMany(ctx, keyed("a"), usual, o.load)
		wantMissing(t, r[0], tutti.Unavailable)
		if !errors.Is(r[0].Err, context.Canceled) {
			t.Errorf("got %v", r[0].Err)
		}
		close(o.gate)
		wantValue(t, <-other, "A", tutti.Fresh)
		synctest.Wait()
		r = c.GetMany(ctx, keyed("a", "c"), usual, o.load) // an ended context still reads memory
		wantValue(t, r[0], "A", tutti.Fresh)
		wantMissing(t, r[1], tutti.Unavailable)
		wantCalls(t, o, []string{"a"}, []string{"b"})
	})
}

func TestLoadEndsAtTheHardLimitAndKeepsTheCallersValues(t *testing.T) {
	bubble(t, func(t *testing.T, c *Cache[string]) {
		type trace struct{}
		ctx, cancel := context.WithCancel(context.WithValue(t.Context(), trace{}, "7"))
		cancelled := make(chan struct{})
		start := time.Now()
		go func() {
			c.GetMany(ctx, keyed("a"), usual, func(ctx context.Context, asks []Ask[string]) []Loaded[string] {
				cancel()
				if ctx.Value(trace{}) != "7" || ctx.Err() != nil {
					t.Errorf("the load got %v, %v", ctx.Value(trace{}), ctx.Err())
				}
				<-ctx.Done()
				close(cancelled)
				return []Loaded[string]{{Err: tutti.Timeout}}
			})
		}()
		<-cancelled
		if d := time.Since(start); d != usual.HardLimit {
			t.Errorf("the load ended after %v", d)
		}
	})
}

func TestWhoComesAfterAFailureLoadsAnew(t *testing.T) {
	bubble(t, func(t *testing.T, c *Cache[string]) {
		landed := &flight[string]{batch: newBatch(&Handle[string]{c: c}, 1), landed: true, err: tutti.TooLarge}
		c.flights["b"] = landed // it has failed and is about to leave the list
		c.Put(keyed("b")[0], c.Epochs(nil), Loaded[string]{Value: "B", Found: true}, usual)
		time.Sleep(20 * time.Minute)
		r := c.GetMany(t.Context(), keyed("b"), usual, (&origin{err: tutti.Unavailable}).load)[0]
		wantValue(t, r, "B", tutti.StaleError)
		if tutti.CodeOf(r.Err) != tutti.Unavailable {
			t.Errorf("got the error of another load: %v", r.Err)
		}

		o := &origin{says: map[string]string{"a": "A"}, err: tutti.Unavailable}
		wantMissing(t, get(c, o, "a"), tutti.Unavailable)
		o.fail(nil)
		wantValue(t, get(c, o, "a"), "A", tutti.Fresh)
	})
}
