package store

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tuttihq/tutti"
)

// maxOperationID keeps an identifier inside an index entry of both engines.
const maxOperationID = 200

// Day is t as the last use of an operation is kept: UTC, to the day. Zero stays zero.
func Day(t time.Time) time.Time { return t.UTC().Truncate(24 * time.Hour) }

// CheckOperations gives operations in the order of their identifiers, in which two processes
// that store the same ones do not wait for each other in a circle. It refuses, with code
// Invalid, one that no request could name, or whose identifier is the hash of another text.
func CheckOperations(list []tutti.Operation) ([]tutti.Operation, error) {
	for _, o := range list {
		if err := checkOperation(o); err != nil {
			return nil, err
		}
	}
	return slices.SortedStableFunc(slices.Values(list), func(x, y tutti.Operation) int { return strings.Compare(x.ID, y.ID) }), nil
}

func checkOperation(o tutti.Operation) error {
	switch {
	case !isOperationID(o.ID):
		return &tutti.Error{
			Code: tutti.Invalid, Field: "id", Message: "This is no document identifier.",
			Hint: fmt.Sprintf("Use the text's SHA-256, as sha256:… in lower-case hexadecimal, or up to %d letters, digits and - . _ ~ of your own.", maxOperationID),
		}
	case strings.HasPrefix(o.ID, "sha256:") && o.ID != tutti.OperationID(o.Text):
		return &tutti.Error{Code: tutti.Invalid, Field: "id", Message: fmt.Sprintf("%s is not the hash of this operation's text.", o.ID), Hint: "Send the text byte for byte as it was hashed."}
	case o.Text == "" || !isText(o.Text):
		return &tutti.Error{Code: tutti.Invalid, Field: "text", Message: fmt.Sprintf("The operation %s has no text.", o.ID), Hint: "Write it in UTF-8, without zero bytes."}
	case !isText(o.Name):
		return &tutti.Error{Code: tutti.Invalid, Field: "name", Message: fmt.Sprintf("The name of the operation %s is not text.", o.ID)}
	case o.CreatedAt.IsZero():
		return &tutti.Error{Code: tutti.Invalid, Field: "createdAt", Message: fmt.Sprintf("The operation %s needs the time when it was stored.", o.ID)}
	}
	return nil
}

// isOperationID reports whether s has the form of a document identifier: a custom one, or one
// with the prefix sha256 or x-…
func isOperationID(s string) bool {
	if s == "" || len(s) > maxOperationID {
		return false
	}
	prefix, rest, prefixed := strings.Cut(s, ":")
	if !prefixed {
		return unreserved(s)
	}
	own := strings.HasPrefix(prefix, "x-") && len(prefix) > len("x-")
	return (prefix == "sha256" || own) && rest != "" && unreserved(prefix) && unreserved(rest)
}

// unreserved reports whether s holds only the characters that an identifier may have.
func unreserved(s string) bool {
	for _, c := range []byte(s) {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '.', c == '_', c == '~':
		default:
			return false
		}
	}
	return true
}

// OtherOperation is the conflict of storing another text under an identifier that is taken.
func OtherOperation(id string) error {
	return &tutti.Error{
		Code: tutti.Conflict, Field: "id", Message: fmt.Sprintf("The identifier %s stands for another text already.", id),
		Hint: "An identifier never changes its meaning: apps in use ask by it. Give the new text an identifier of its own.",
	}
}
