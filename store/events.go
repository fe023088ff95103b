package store

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"time"
)

// EventsKept is how long a webhook's event is remembered. Vendors repeat for hours, not days.
const EventsKept = 48 * time.Hour

// EventID is an event's id as it is stored: as it is, or its SHA-256 when it is long or not
// text (an index entry of Postgres holds 2,704 bytes at most).
func EventID(id string) string {
	if len(id) <= 200 && isText(id) {
		return id
	}
	sum := sha256.Sum256([]byte(id))
	return "sha256:" + hex.EncodeToString(sum[:])
}

// Strings writes a list as JSON text for a column; none is [].
func Strings(list []string) string {
	if len(list) == 0 {
		return "[]"
	}
	b, err := json.Marshal(list)
	if err != nil {
		panic(err) // strings always marshal
	}
	return string(b)
}

// ParseStrings reads what Strings wrote.
func ParseStrings(column string) ([]string, error) {
	list := []string{}
	err := json.Unmarshal([]byte(column), &list)
	return list, err
}
