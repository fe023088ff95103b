package store

import (
	"fmt"
	"os"
	"sync"

	"github.com/tuttihq/tutti"
)

// Lock is the right of a process to serve a database.
type Lock struct {
	release func()
	once    sync.Once
}

// NewLock is for the engines. Release calls release once.
func NewLock(release func()) *Lock { return &Lock{release: release} }

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
