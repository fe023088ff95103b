package store

import (
	"fmt"
	"os"
	"sync"

	"github.com/tuttihq/tutti"
)

// Lock is the right of one process to serve a database.
type Lock struct {
	lost    <-chan struct{}
	release func()
	once    sync.Once
}

// NewLock is for the engines. Release calls release once; lost is closed by the engine when the
// lock is gone though nobody released it, and may be nil when that can not happen.
func NewLock(lost <-chan struct{}, release func()) *Lock {
	return &Lock{lost: lost, release: release}
}

// Lost is closed when the lock is gone, for example because the connection to Postgres broke:
// from then on another process may serve the database, so this one must stop serving. It is not
// closed by Release.
func (l *Lock) Lost() <-chan struct{} { return l.lost }

// Release gives the lock back. More than one call does no more than the first.
func (l *Lock) Release() { l.once.Do(l.release) }

// Holder names this process for the message that another one gets.
func Holder() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown host"
	}
	return fmt.Sprintf("%.40s pid %d", host, os.Getpid())
}

// LockedBy is the error of the process that came second. holder and since may be empty.
func LockedBy(holder, since string) error {
	m := "Another Tutti process serves this database"
	if holder != "" {
		m += ": " + holder
	}
	if since != "" {
		m += ", since " + since
	}
	return &tutti.Error{Code: tutti.Locked, Message: m + ".", Hint: "Stop it first, or give this one a database of its own with TUTTI_DATABASE_URL."}
}
