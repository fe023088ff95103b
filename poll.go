package tutti

import "time"

// Poll is where a process is in what an origin says of changes in one kind. It holds no content:
// an instant or a token of the origin's, and digests of what was seen last.
type Poll struct {
	Source, Kind string
	Cursor       string    // "" = nobody polled it yet
	Last         time.Time // of the last poll that succeeded; zero = none did
	Due          time.Time // when it may be polled next
	Mine         bool      // this process polls it now, until Lease; nobody else does
	Lease        time.Time
}
