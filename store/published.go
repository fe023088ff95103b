package store

import (
	"encoding/json"
	"time"

	"github.com/tuttihq/tutti"
)

// Published is one document that is in force.
type Published struct {
	Kind    tutti.DocumentKind
	Name    string
	Version int
	Body    json.RawMessage
	From    time.Time
	Until   time.Time // zero = until further notice
}

// PublishedSet is for the engines: it parts the lines that are in force at an instant from the
// planned ones, and finds the next instant at which that changes.
type PublishedSet struct {
	at   time.Time
	docs []Published
	next time.Time
}

// NewPublishedSet begins the set of an instant.
func NewPublishedSet(at time.Time) *PublishedSet {
	return &PublishedSet{at: Time(at), docs: []Published{}}
}

// Add takes a line that has not ended at the set's instant.
func (s *PublishedSet) Add(p Published) {
	if p.From.After(s.at) {
		s.change(p.From)
		return
	}
	s.docs = append(s.docs, p)
	if !p.Until.IsZero() {
		s.change(p.Until)
	}
}

func (s *PublishedSet) change(at time.Time) {
	if s.next.IsZero() || at.Before(s.next) {
		s.next = at
	}
}

// Result gives what is in force, in the order of Add, and the next instant (zero = none).
func (s *PublishedSet) Result() ([]Published, time.Time) { return s.docs, s.next }
