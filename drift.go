package tutti

import "time"

// Drift tells that a system's answers have another shape than they had, at a place that a mapping
// reads. It names places and types, never what stands there.
type Drift struct {
	Source  string
	Kind    string
	Pointer string // in the record (RFC 6901)
	Was     string // JSON types: "number", "text or list"
	Is      string // the same, or "null", or "absent"
	Since   time.Time
	Fields  []string // mapped fields that read it; recordId for that of the manifest
}

// Shape is what is known of the records of a kind: places and JSON types, never what stands there. Body is
// JSON that sources alone read.
type Shape struct {
	Source, Kind string
	Body         []byte
	At           time.Time // when it was so
}
