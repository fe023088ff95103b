package store

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/tuttihq/tutti"
)

// Time is t as both databases keep it: UTC, to the microsecond. Zero stays zero.
func Time(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }

// CheckDraft gives the body of a draft as it is stored, without insignificant space, or an
// error with code Invalid when the draft can not be stored in both engines.
func CheckDraft(d tutti.Draft) (json.RawMessage, error) {
	for _, field := range []struct{ name, value string }{{"kind", string(d.Kind)}, {"name", d.Name}} {
		if field.value == "" {
			return nil, &tutti.Error{Code: tutti.Invalid, Field: field.name, Message: "A document needs a " + field.name + "."}
		}
		if !isText(field.value) {
			return nil, &tutti.Error{Code: tutti.Invalid, Field: field.name, Message: fmt.Sprintf("The %s %q is not text.", field.name, field.value), Hint: "Write it in UTF-8, without zero bytes."}
		}
	}
	if d.Revision < 0 {
		return nil, &tutti.Error{Code: tutti.Invalid, Field: "revision", Message: "A revision is never negative.", Hint: "Send 0 for a new document."}
	}
	var body bytes.Buffer
	if err := json.Compact(&body, d.Body); err != nil {
		return nil, &tutti.Error{Code: tutti.Invalid, Field: "body", Message: fmt.Sprintf("The body of %s %q is not JSON.", d.Kind, d.Name), Cause: err}
	}
	if !utf8.Valid(body.Bytes()) {
		return nil, &tutti.Error{Code: tutti.Invalid, Field: "body", Message: fmt.Sprintf("The body of %s %q is not UTF-8.", d.Kind, d.Name)}
	}
	return body.Bytes(), nil
}

// CheckFrom gives the instant from which a publication counts: from, but not before at. Code
// Invalid for one that the backup's RFC 3339 can not write.
func CheckFrom(from, at time.Time) (time.Time, error) {
	from, at = Time(from), Time(at)
	if from.Before(at) {
		from = at
	}
	if from.Year() > 9999 {
		return from, &tutti.Error{Code: tutti.Invalid, Field: "from", Message: "This instant lies after the year 9999.", Hint: "Send an earlier one."}
	}
	return from, nil
}

func isText(s string) bool { return utf8.ValidString(s) && !strings.ContainsRune(s, 0) }
