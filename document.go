package tutti

import (
	"encoding/json"
	"time"
)

// DocumentKind is the closed list of what editors write. All of them have drafts, versions and
// publications, by one mechanism.
type DocumentKind string

const (
	CompositionDocument DocumentKind = "composition"
	AudienceDocument    DocumentKind = "audience"
	PersonaDocument     DocumentKind = "persona"
	RedirectsDocument   DocumentKind = "redirects" // one document, named "redirects": {"redirects": […]}
)

// Draft is the state of a document that is being edited.
type Draft struct {
	Kind      DocumentKind
	Name      string
	Body      json.RawMessage
	Revision  int // counts up with each save; 0 = there is none yet
	UpdatedBy string
	UpdatedAt time.Time
}

// Version is a state that was published once. It never changes.
type Version struct {
	Kind      DocumentKind
	Name      string
	Number    int // 1, 2, …
	Body      json.RawMessage
	Note      string
	CreatedBy string
	CreatedAt time.Time
}

// Publication is a line of the publications log: this version counts from From until Until.
type Publication struct {
	ID        int64
	Kind      DocumentKind
	Name      string
	Version   int
	From      time.Time
	Until     time.Time // zero = still, or until further notice
	CreatedBy string
	CreatedAt time.Time
	EndedBy   string // who published the next one or took it back; "" when it has no end, or its end was planned from the start
}
