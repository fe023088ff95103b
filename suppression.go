package tutti

import "time"

// Suppression keeps one item out of everything that is delivered, from the moment it is stored
// until it ends.
type Suppression struct {
	Ref       Ref
	Reason    string
	Until     time.Time // zero = until it is taken back
	CreatedBy string    // the id of a key
	CreatedAt time.Time
}

// In reports whether the suppression is in force at t.
func (s *Suppression) In(t time.Time) bool { return s.Until.IsZero() || t.Before(s.Until) }

// AuditAction says what an operator did.
type AuditAction string

const (
	AuditInvalidate AuditAction = "invalidate"
	AuditSuppress   AuditAction = "suppress"
	AuditUnsuppress AuditAction = "unsuppress"
	AuditModerate   AuditAction = "moderate"
)

// AuditEntry is one line of the audit log: who did what to what, when, and why.
type AuditEntry struct {
	ID      int64 // grows with each line
	Action  AuditAction
	Subject string // refs, a kind or a source, as they were named
	Detail  string // how: the mode or the end; "" when there is nothing to say
	Reason  string
	By      string // the id of a key
	At      time.Time
}
