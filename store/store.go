// Package store keeps what editors and operators write: drafts, versions and publications of
// documents, trusted operations, keys, suppressions, verdicts, the audit log, the deployment secret, and which
// webhook events were seen; and it carries what one process tells the others.
//
// It owns the interface [Store], the rules that both engines share (what may be saved, what a
// conflict says, how a backup looks) and nothing that runs SQL: that is in store/sqlite and
// store/postgres, and store/open chooses between them. It knows nothing of what a document
// means, checks no rule of editing, and never holds content of an origin.
//
// # Migrations
//
// Each engine embeds its migrations; their numbers and names are the same in both. They are
// written expand/contract, so that the old and the new version of Tutti can run on one
// database while a deployment rolls over, and so that going back one version works:
//
//   - A migration only adds: a table, an index, a column that may be null or has a default.
//     It never renames, retypes, tightens or removes what a released version reads or writes.
//   - What is no longer used is removed by a later release, when no supported version reads it.
//   - Statements name their columns (no SELECT *, no INSERT without a column list), so that an
//     old version does not notice a new column.
//
// A new table or column also gets its line in [Tables], so that backups hold it; a test fails
// when it has none.
package store

import (
	"context"
	"time"

	"github.com/tuttihq/tutti"
)

// Store is the database of one deployment. Every method is safe for concurrent use, and every
// write is one transaction: it happened whole when the method returns nil, and not at all when
// it returns an error.
//
// Times go in and come out in UTC, to the microsecond. Slices that mean "none" are empty, not
// nil. What does not exist is an error with code NotFound; a value that can not be stored (an
// empty name, a body that is not JSON) one with code Invalid; anything that the database itself
// refuses one with code Internal.
type Store interface {
	// Drafts gives all drafts of a kind, by name (in byte order).
	Drafts(ctx context.Context, kind tutti.DocumentKind) ([]tutti.Draft, error)

	// Draft gives one draft, or NotFound.
	Draft(ctx context.Context, kind tutti.DocumentKind, name string) (tutti.Draft, error)

	// SaveDraft writes Kind, Name and Body of d when Revision is still the draft's revision (0 =
	// there is none yet), and gives the draft with its new revision. The body comes back without
	// insignificant space. When somebody else saved or deleted first, the error is a *tutti.Error
	// with code Conflict that says who and when, and what to do. Of any number of savers that
	// send the same revision at once, exactly one wins.
	SaveDraft(ctx context.Context, d tutti.Draft, by string, at time.Time) (tutti.Draft, error)

	// DeleteDraft takes a draft away, or gives NotFound. Versions and publications stay: what is
	// published goes on being published. A draft of the same name that is made later counts its
	// revisions on, so that nobody's old revision fits it by accident.
	DeleteDraft(ctx context.Context, kind tutti.DocumentKind, name, by string, at time.Time) error

	// Publish makes a version of the draft, or takes the newest version when its body is the
	// same, and lets it count from an instant on. A zero from, or one before at, means at. It
	// gives NotFound when there is no draft and Conflict when revision is not the draft's.
	//
	// The publication that is in force at from ends there. One that is planned for later stays
	// planned: the new one then counts until that one begins. One planned for the very same
	// instant is replaced: its line stays in the log, with an Until that is its From.
	Publish(ctx context.Context, kind tutti.DocumentKind, name string, revision int, from time.Time, note, by string, at time.Time) (tutti.Publication, error)

	// Unpublish ends the publication in force at an instant and cancels those planned for later.
	// It gives NotFound when there is neither.
	Unpublish(ctx context.Context, kind tutti.DocumentKind, name, by string, at time.Time) error

	// Version gives one version, or NotFound.
	Version(ctx context.Context, kind tutti.DocumentKind, name string, number int) (tutti.Version, error)

	// Versions gives up to first versions, newest first, with numbers below before (0 = from
	// the newest).
	Versions(ctx context.Context, kind tutti.DocumentKind, name string, first, before int) ([]tutti.Version, error)

	// Restore makes a version's body the draft, under the rules of SaveDraft.
	Restore(ctx context.Context, kind tutti.DocumentKind, name string, number, revision int, by string, at time.Time) (tutti.Draft, error)

	// Published gives everything in force at an instant, of all kinds, by kind and name, and the
	// next instant at which that set changes by the passing of time alone (zero = none). It is
	// one read: never half of a publication.
	Published(ctx context.Context, at time.Time) (docs []Published, next time.Time, err error)

	// Publications gives up to first lines of the log, newest first, with ids below before (0 =
	// from the newest). An empty kind or name means all.
	Publications(ctx context.Context, kind tutti.DocumentKind, name string, first int, before int64) ([]tutti.Publication, error)

	// Changed gives a number that grows with every committed change of drafts, publications,
	// keys, operations and suppressions, by any process. Read it before reading the things themselves: when it is the same
	// later, so are they. It is cheap enough to ask every second.
	Changed(ctx context.Context) (int64, error)

	// AddKey stores a key; Conflict when its ID or Hash is there already.
	AddKey(ctx context.Context, k tutti.Key) error

	// Keys gives all keys, revoked and expired ones too, oldest first.
	Keys(ctx context.Context) ([]tutti.Key, error)

	// KeyByHash gives the key with this SHA-256, also a revoked or expired one, or NotFound.
	KeyByHash(ctx context.Context, hash []byte) (tutti.Key, error)

	// RevokeKey ends a key from an instant on, which may lie ahead, or gives NotFound. Of several
	// instants the earliest counts.
	RevokeKey(ctx context.Context, id string, at time.Time) error

	// TouchKey notes when a key was last used, to the hour. It never sets an earlier hour, and
	// does nothing for an id that is not there.
	TouchKey(ctx context.Context, id string, at time.Time) error

	// AddOperations stores trusted documents, and gives the number of those that are new. One
	// whose ID is there with the same text is left as it is; with another text it is Conflict,
	// and nothing is stored.
	AddOperations(ctx context.Context, list []tutti.Operation) (added int, err error)

	// Operations gives all trusted documents, by ID (in byte order).
	Operations(ctx context.Context) ([]tutti.Operation, error)

	// RemoveOperations takes trusted documents away and gives the number of those that were
	// there.
	RemoveOperations(ctx context.Context, ids []string) (removed int, err error)

	// TouchOperations notes when trusted documents were last asked for, to the day. It never
	// sets an earlier day, and does nothing for an ID that is not there.
	TouchOperations(ctx context.Context, ids []string, at time.Time) error

	// DeploymentSecret gives 32 random bytes, the same on every replica and for ever. They are
	// made by whoever asks first.
	DeploymentSecret(ctx context.Context) ([]byte, error)

	// Seen notes a webhook's event and the cache tags that it makes old, which other processes
	// find in their feeds, and reports whether this was the first time. Of any number of callers with the same source and event id
	// exactly one gets true; of those who come sameFor after it, or later, one again. Tags only: never content.
	Seen(ctx context.Context, source, eventID string, tags []string, at time.Time, sameFor time.Duration) (first bool, err error)

	// TakePoll gives where the feed of changes of a kind is, and the turn to poll it, until the lease
	// is over, to exactly one of any number of callers: when nobody has a turn, and it is due. Of
	// a kind that nobody polled yet it is due.
	TakePoll(ctx context.Context, source, kind string, now time.Time, lease time.Duration) (tutti.Poll, error)

	// Polled ends a turn: it keeps the Cursor, Last and Due of p, and tells all other processes what
	// is old, and what must not be seen again. False, and nothing happened, when the turn was over
	// and somebody else has taken it.
	Polled(ctx context.Context, p tutti.Poll, stale, purged []string, now time.Time) (kept bool, err error)

	// KeepShape notes what is known of the records of a kind, in the place of what was noted before.
	// Body is JSON; it comes back as it went in.
	KeepShape(ctx context.Context, s tutti.Shape) error

	// Shapes gives all shapes, by source and kind (in byte order).
	Shapes(ctx context.Context) ([]tutti.Shape, error)

	// PruneEvents deletes events and notices that are older than [EventsKept] at now, and
	// suppressions that ended so long ago. It gives the number of events deleted.
	PruneEvents(ctx context.Context, now time.Time) (int, error)

	// Invalidate tells all other processes that what has these tags is old, or with purge that it
	// must not be seen again, and adds the line to the audit log.
	Invalidate(ctx context.Context, purge bool, tags []string, line tutti.AuditEntry) error

	// Suppress keeps an item out of what is delivered, tells all other processes to purge the
	// tags, and adds a line to the audit log. One that is there for the ref is replaced. Code
	// Invalid for an end that is over and for a reason that is missing.
	Suppress(ctx context.Context, s tutti.Suppression, tags []string) error

	// Unsuppress lets an item be delivered again, tells all other processes that what has the
	// tags is old, and adds a line to the audit log. NotFound when no suppression of the ref is
	// in force at that instant.
	Unsuppress(ctx context.Context, ref tutti.Ref, tags []string, reason, by string, at time.Time) error

	// Suppressions gives those in force at an instant, by ref (in byte order).
	Suppressions(ctx context.Context, at time.Time) ([]tutti.Suppression, error)

	// Judge stores verdicts about items, all or none, tells all other processes what that makes of the
	// tags of their refs (stale by an approval, else to be purged), and adds a line for each to the audit log. A later
	// verdict of an item replaces the earlier one; one without a judgement takes it back. Code Invalid for
	// what is no verdict.
	Judge(ctx context.Context, list []tutti.Verdict, tags func(tutti.Ref) []string) error

	// Verdicts gives all that count, by ref (in byte order).
	Verdicts(ctx context.Context) ([]tutti.Verdict, error)

	// Audit gives up to first lines of the audit log, newest first, with ids below before (0 =
	// from the newest). Nothing ever deletes one.
	Audit(ctx context.Context, first int, before int64) ([]tutti.AuditEntry, error)

	// Feed opens what other processes tell from now on. The caller closes it.
	Feed(ctx context.Context) (Feed, error)

	// Lock is the right to serve this database. Any number of processes may serve one in
	// Postgres. For a SQLite file only one gets it: while another one has it, the error is a
	// *tutti.Error with code Locked that says which. A process that dies loses its lock at once.
	// Commands that only read or add (backup, keys) need no lock.
	Lock(ctx context.Context) (*Lock, error)

	// Backup writes everything into one new file of JSON lines, readable by its owner only: it
	// holds the deployment secret and the hashes of keys. It is one consistent state, and needs
	// no standstill. A file that is there already is never overwritten: Conflict. When writing
	// fails, no file stays.
	Backup(ctx context.Context, path string) error

	// Import reads a file that Backup wrote, by either engine, into an empty database. It gives
	// Conflict when the database holds anything, and Invalid, naming the line, when the file is
	// not a whole backup; then nothing was read in.
	Import(ctx context.Context, path string) error

	// Close releases the lock, if held, and all connections. Call it once, after everything else.
	Close() error
}
