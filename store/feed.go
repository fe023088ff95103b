package store

import (
	"context"
	"crypto/rand"
	"time"
)

// Topic says what a notice asks of the processes that read it.
type Topic string

const (
	StaleTopic      Topic = "stale"      // what has one of the tags is old
	PurgeTopic      Topic = "purge"      // what has one of the tags must not be seen again
	ChangedTopic    Topic = "changed"    // the number of Store.Changed has moved
	EverythingTopic Topic = "everything" // notices may have been missed: all that is kept is old
)

// TopicOf is what becomes of what has the tags.
func TopicOf(purge bool) Topic {
	if purge {
		return PurgeTopic
	}
	return StaleTopic
}

// Notice is what one process tells all others.
type Notice struct {
	Topic Topic
	Tags  []string // empty unless the topic speaks of them
}

// Feed is what other processes told since it was opened. Notices that this store wrote itself
// are not in it: who writes one acts on it. Methods may be called by one goroutine at a time,
// but for Close.
type Feed interface {
	// Wake receives when there is probably something to read. A wake can be missed while the
	// way that brings it is broken: read every second besides.
	Wake() <-chan struct{}

	// Read gives every notice that was committed since the last Read, at least once. After an
	// error nothing is lost: the next Read gives it. Whoever has not read for so long that
	// notices were pruned gets one with EverythingTopic.
	Read(ctx context.Context, now time.Time) ([]Notice, error)

	// Behind tells how long some transaction has been holding back the place from which Read
	// has to look again: for so long it reads what it has given already. Zero is well.
	Behind() time.Duration

	// Close ends it.
	Close()
}

// NoticesKept is how long a feed may stay unread without missing a notice.
const NoticesKept = EventsKept - time.Hour

// Missed tells whether a feed that was last read at an instant may have missed notices by now.
func Missed(last, now time.Time) bool { return now.Sub(last) > NoticesKept }

// Everything is the notice of somebody who may have missed some.
func Everything() []Notice { return []Notice{{Topic: EverythingTopic, Tags: []string{}}} }

// NewWriter names a store that was opened, so that it can tell its own notices.
func NewWriter() string { return rand.Text() }
