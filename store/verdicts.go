package store

import "github.com/tuttihq/tutti"

// CheckVerdict gives the verdict as it is stored, or an error with code Invalid.
func CheckVerdict(v tutti.Verdict) (tutti.Verdict, error) {
	v.Seen, v.CreatedAt = Time(v.Seen), Time(v.CreatedAt)
	if _, err := tutti.ParseRef(v.Ref.String()); err != nil {
		return v, err
	}
	switch v.Judgement {
	case "", tutti.Approved, tutti.Rejected:
	default:
		return v, &tutti.Error{Code: tutti.Invalid, Field: "judgement", Message: "“" + string(v.Judgement) + "” is no judgement.", Hint: "Write approved or rejected, or nothing to take an earlier one back."}
	}
	if v.Seen.After(v.CreatedAt) {
		return v, &tutti.Error{Code: tutti.Invalid, Field: "seen", Message: "This instant is still to come.", Hint: "Send when the item was as it was judged: its updatedAt, or nothing for now."}
	}
	if v.Reason == "" {
		return v, nil
	}
	return v, CheckReason(v.Reason)
}

// Judged is the audit entry of a verdict.
func Judged(v tutti.Verdict) tutti.AuditEntry {
	detail := string(v.Judgement)
	if v.Judgement == "" {
		detail = "taken back"
	}
	return tutti.AuditEntry{Action: tutti.AuditModerate, Subject: v.Ref.String(), Detail: detail, Reason: v.Reason, By: v.CreatedBy, At: v.CreatedAt}
}

// TopicOfVerdict is what a verdict asks of the other processes: what must not be shown any more is
// purged, all else is read anew.
func TopicOfVerdict(v tutti.Verdict) Topic { return TopicOf(v.Judgement != tutti.Approved) }
