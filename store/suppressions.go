package store

import (
	"time"

	"github.com/tuttihq/tutti"
)

const maxReason = 1000

// CheckSuppression gives the suppression as it is stored, or an error with code Invalid.
func CheckSuppression(s tutti.Suppression) (tutti.Suppression, error) {
	s.CreatedAt, s.Until = Time(s.CreatedAt), Time(s.Until)
	if _, err := tutti.ParseRef(s.Ref.String()); err != nil {
		return s, err
	}
	if !s.Until.IsZero() && !s.Until.After(s.CreatedAt) {
		return s, &tutti.Error{Code: tutti.Invalid, Field: "until", Message: "This instant is over.", Hint: "Send a later one, or none: then it lasts until it is taken back."}
	}
	if s.Until.Year() > 9999 {
		return s, &tutti.Error{Code: tutti.Invalid, Field: "until", Message: "This instant lies after the year 9999.", Hint: "Leave it out: then it lasts until it is taken back."}
	}
	return s, CheckReason(s.Reason)
}

// CheckReason refuses, with code Invalid, what is no reason.
func CheckReason(reason string) error {
	switch {
	case reason == "":
		return &tutti.Error{Code: tutti.Invalid, Field: "reason", Message: "The reason is missing.", Hint: "Say in a few words why; it stands in the audit log."}
	case len(reason) > maxReason:
		return &tutti.Error{Code: tutti.Invalid, Field: "reason", Message: "The reason is longer than 1,000 bytes."}
	case !isText(reason):
		return &tutti.Error{Code: tutti.Invalid, Field: "reason", Message: "The reason is not text.", Hint: "Write it in UTF-8, without zero bytes."}
	}
	return nil
}

// NotSuppressed is the error for taking back what is not suppressed.
func NotSuppressed(ref tutti.Ref) error {
	return &tutti.Error{Code: tutti.NotFound, Field: "ref", Message: "The item " + ref.String() + " is not suppressed."}
}

// Suppressed is the audit entry of a suppression.
func Suppressed(s tutti.Suppression) tutti.AuditEntry {
	detail := "until it is taken back"
	if !s.Until.IsZero() {
		detail = "until " + s.Until.Format(time.RFC3339)
	}
	return tutti.AuditEntry{Action: tutti.AuditSuppress, Subject: s.Ref.String(), Detail: detail, Reason: s.Reason, By: s.CreatedBy, At: s.CreatedAt}
}
