package storetest

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/tuttihq/tutti"
)

// RunLock runs the contract of an engine whose database one process serves at a time.
func RunLock(t *testing.T, database Database) {
	ctx := context.Background()

	t.Run("one holds it, the other is told who", func(t *testing.T) {
		open := database(t)
		one, other := openOne(t, open), openOne(t, open)
		lock, err := one.Lock(ctx)
		noError(t, err)
		_, err = other.Lock(ctx)
		e := wantCode(t, err, tutti.Locked)
		host, _ := os.Hostname()
		for _, want := range []string{fmt.Sprintf("pid %d", os.Getpid()), fmt.Sprintf("%.40s", host), "since 20"} {
			if !strings.Contains(e.Message, want) {
				t.Errorf("message %q does not say %q", e.Message, want)
			}
		}
		if e.Hint == "" {
			t.Error("no hint what to do")
		}
		save(t, other, "home", `{}`) // it may still read and write

		lock.Release()
		lock.Release()
		again, err := other.Lock(ctx)
		noError(t, err)
		defer again.Release()
	})
	t.Run("the same store holds it once", func(t *testing.T) {
		s := start(t, database)
		lock, err := s.Lock(ctx)
		noError(t, err)
		defer lock.Release()
		_, err = s.Lock(ctx)
		wantCode(t, err, tutti.Locked)
	})
	t.Run("outlives the context it was taken with", func(t *testing.T) {
		open := database(t)
		one, other := openOne(t, open), openOne(t, open)
		short, cancel := context.WithCancel(ctx)
		lock, err := one.Lock(short)
		noError(t, err)
		defer lock.Release()
		cancel()
		_, err = other.Lock(ctx)
		wantCode(t, err, tutti.Locked)
	})
	t.Run("closing the store gives it back", func(t *testing.T) {
		open := database(t)
		one, err := open()
		noError(t, err)
		lock, err := one.Lock(ctx)
		noError(t, err)
		noError(t, one.Close())
		again, err := openOne(t, open).Lock(ctx)
		noError(t, err)
		again.Release()
		lock.Release()
	})
}
