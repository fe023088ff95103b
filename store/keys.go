package store

import (
	"crypto/rand"
	"crypto/sha256"
	"time"

	"github.com/tuttihq/tutti"
)

// Hour is t as the last use of a key is kept: UTC, to the hour. Zero stays zero.
func Hour(t time.Time) time.Time { return t.UTC().Truncate(time.Hour) }

// CheckKey refuses, with code Invalid, a key that nobody could use or find.
func CheckKey(k tutti.Key) error {
	switch {
	case k.ID == "" || !isText(k.ID):
		return &tutti.Error{Code: tutti.Invalid, Field: "id", Message: "A key needs an id."}
	case !isText(k.Name):
		return &tutti.Error{Code: tutti.Invalid, Field: "name", Message: "The name of a key must be text."}
	case len(k.Hash) != sha256.Size:
		return &tutti.Error{Code: tutti.Invalid, Field: "hash", Message: "A key is stored by its SHA-256, which has 32 bytes."}
	case k.CreatedAt.IsZero():
		return &tutti.Error{Code: tutti.Invalid, Field: "createdAt", Message: "A key needs the time when it was made."}
	}
	return nil
}

// NewSecret gives 32 random bytes.
func NewSecret() []byte {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // never fails: it ends the process instead
	return b
}
