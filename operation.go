package tutti

import (
	"crypto/sha256"
	"encoding/hex"
	"time"
)

// Operation is a trusted document: a GraphQL text that an app was built with, stored before the
// app asks for it, so that requests can name it instead of sending it.
type Operation struct {
	ID        string // the document identifier that requests send: OperationID(Text), or one of the app's own
	Name      string // of the operation, for people; "" when it has none
	Text      string // the GraphQL document, byte for byte as the app's tools wrote it
	CreatedBy string
	CreatedAt time.Time
	UsedAt    time.Time // zero = never; to the day
}

// OperationID is the SHA-256 hex document identifier of a text: "sha256:" and 64 lower-case
// digits (GraphQL over HTTP, appendix Persisted Documents).
func OperationID(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "sha256:" + hex.EncodeToString(sum[:])
}
