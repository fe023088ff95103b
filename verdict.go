package tutti

import "time"

// Moderation says what an item of a kind needs before it is delivered.
type Moderation string

const (
	NoModeration Moderation = ""
	Approve      Moderation = "approve" // nothing without somebody's yes
	Auto         Moderation = "auto"    // everything but what holds a blocked word or got a no
)

// Judgement is what somebody decided about an item.
type Judgement string

const (
	Approved Judgement = "approved"
	Rejected Judgement = "rejected"
)

// Verdict is a judgement about one item: all that is stored of it. An approval counts for the item
// as it was seen: one that changed after Seen, as its updatedAt tells, waits again.
type Verdict struct {
	Ref       Ref
	Judgement Judgement // "" takes an earlier one back
	Reason    string    // "" when nobody said
	Seen      time.Time // when the item was as it was judged
	CreatedBy string    // the id of a key
	CreatedAt time.Time
}

// ModerationState says how an item of a moderated kind stands.
type ModerationState string

const (
	StatePending  ModerationState = "PENDING"  // waits for an approval; it is not delivered
	StateBlocked  ModerationState = "BLOCKED"  // holds a blocked word and waits for an approval; it is not delivered
	StateApproved ModerationState = "APPROVED" // somebody said yes
	StateRejected ModerationState = "REJECTED" // somebody said no; it is not delivered
	StatePassed   ModerationState = "PASSED"   // nothing speaks against it; it is delivered
)

// Moderated is an item as a moderator sees it.
type Moderated struct {
	Resource *Resource
	State    ModerationState
	Verdict  *Verdict // nil = nobody judged it
}

// ModerationPage is one page of a kind's items as a moderator sees them.
type ModerationPage struct {
	Items []Moderated
	Next  string // the origin's cursor; "" at the end
}
