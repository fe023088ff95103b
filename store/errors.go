package store

import (
	"fmt"
	"time"

	"github.com/tuttihq/tutti"
)

// Stale is the conflict of somebody who edited revision while the draft is at now.Revision. A
// deleted draft has a nil Body.
func Stale(now tutti.Draft, revision int) error {
	e := &tutti.Error{Code: tutti.Conflict, Field: "revision"}
	who := now.UpdatedBy
	if who == "" {
		who = "somebody"
	}
	when := now.UpdatedAt.UTC().Format(time.DateTime) + " UTC"
	if now.Body == nil {
		e.Message = fmt.Sprintf("the draft of %s %q was deleted by %s at %s.", now.Kind, now.Name, who, when)
		e.Hint = "Save it with revision 0 to make it anew."
		return e
	}
	e.Message = fmt.Sprintf("%s %q was saved by %s at %s (revision %d) after revision %d, which you send.", now.Kind, now.Name, who, when, now.Revision, revision)
	if revision == 0 {
		e.Message = fmt.Sprintf("%s %q was saved by %s at %s (revision %d), so it is not new.", now.Kind, now.Name, who, when, now.Revision)
	}
	e.Hint = fmt.Sprintf("Read revision %d, make your change in it and send it with revision %d.", now.Revision, now.Revision)
	return e
}

// CheckRevision compares the revision that was edited with the draft as it is: nil when a draft
// with that revision may be saved. A deleted draft, or none, has a nil Body.
func CheckRevision(now tutti.Draft, revision int) error {
	switch {
	case now.Body == nil && revision == 0, now.Body != nil && revision == now.Revision:
		return nil
	case now.Revision == 0:
		return NoDraft(now.Kind, now.Name)
	}
	return Stale(now, revision)
}

// CheckPublish compares the revision that is meant with the draft as it is.
func CheckPublish(now tutti.Draft, revision int) error {
	if now.Body == nil {
		return NoDraft(now.Kind, now.Name)
	}
	if revision != now.Revision {
		return Stale(now, revision)
	}
	return nil
}

// NoDraft is the error for a draft that does not exist.
func NoDraft(kind tutti.DocumentKind, name string) error {
	return &tutti.Error{Code: tutti.NotFound, Message: fmt.Sprintf("There is no draft of %s %q.", kind, name)}
}

// NoVersion is the error for a version that does not exist.
func NoVersion(kind tutti.DocumentKind, name string, number int) error {
	return &tutti.Error{Code: tutti.NotFound, Message: fmt.Sprintf("There is no version %d of %s %q.", number, kind, name)}
}

// NotPublished is the error for taking back what is neither published nor planned.
func NotPublished(kind tutti.DocumentKind, name string) error {
	return &tutti.Error{Code: tutti.NotFound, Message: fmt.Sprintf("The %s %q is not published.", kind, name)}
}

// NoKey is the error for a key that does not exist. It does not say which was asked for.
func NoKey() error { return &tutti.Error{Code: tutti.NotFound, Message: "There is no such key."} }

// KeyExists is the conflict of adding a key twice.
func KeyExists(cause error) error {
	return &tutti.Error{Code: tutti.Conflict, Message: "There is a key with this id or hash already.", Cause: cause}
}

// NotEmpty is the conflict of importing into a database that holds something.
func NotEmpty(table string) error {
	return &tutti.Error{
		Code: tutti.Conflict, Message: fmt.Sprintf("The database is not empty: it has rows in %s.", table),
		Hint: "Import into a new database: name a file that is not there yet, or a new Postgres database.",
	}
}
