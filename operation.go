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

// OperationMode says which operations browser and server keys may ask for. Preview and
// management keys are for tools and people: they may ask for any.
type OperationMode string

const (
	OperationsOff     OperationMode = "off"     // any; trusted ones can be named
	OperationsLog     OperationMode = "log"     // any; what is not trusted is logged and counted
	OperationsEnforce OperationMode = "enforce" // trusted ones, by identifier or by their exact text
	OperationsIDs     OperationMode = "ids"     // trusted ones, by identifier only
)

// Enforced reports whether only trusted operations are answered.
func (m OperationMode) Enforced() bool { return m == OperationsEnforce || m == OperationsIDs }
