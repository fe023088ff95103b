package resolvers

import (
	"context"
	"encoding/json"
	"time"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/engine"
	"github.com/tuttihq/tutti/graph"
)

// Store keeps what editors write; see the package store for the promises.
type Store interface {
	Drafts(ctx context.Context, kind tutti.DocumentKind) ([]tutti.Draft, error)
	Draft(ctx context.Context, kind tutti.DocumentKind, name string) (tutti.Draft, error)
	SaveDraft(ctx context.Context, d tutti.Draft, by string, at time.Time) (tutti.Draft, error)
	Publish(ctx context.Context, kind tutti.DocumentKind, name string, revision int, from time.Time, note, by string, at time.Time) (tutti.Publication, error)
	Unpublish(ctx context.Context, kind tutti.DocumentKind, name, by string, at time.Time) error
	Version(ctx context.Context, kind tutti.DocumentKind, name string, number int) (tutti.Version, error)
	Versions(ctx context.Context, kind tutti.DocumentKind, name string, first, before int) ([]tutti.Version, error)
	Restore(ctx context.Context, kind tutti.DocumentKind, name string, number, revision int, by string, at time.Time) (tutti.Draft, error)
	Publications(ctx context.Context, kind tutti.DocumentKind, name string, first int, before int64) ([]tutti.Publication, error)
	Operations(ctx context.Context) ([]tutti.Operation, error)
	AddOperations(ctx context.Context, list []tutti.Operation) (added int, err error)
	RemoveOperations(ctx context.Context, ids []string) (removed int, err error)
	Invalidate(ctx context.Context, purge bool, tags []string, line tutti.AuditEntry) error
	Suppress(ctx context.Context, s tutti.Suppression, tags []string) error
	Unsuppress(ctx context.Context, ref tutti.Ref, tags []string, reason, by string, at time.Time) error
	Suppressions(ctx context.Context, at time.Time) ([]tutti.Suppression, error)
	Judge(ctx context.Context, list []tutti.Verdict, tags func(tutti.Ref) []string) error
	Audit(ctx context.Context, first int, before int64) ([]tutti.AuditEntry, error)
}

// Sources is what the resolvers need of the origin systems.
type Sources interface {
	engine.Sources
	Kinds() []*tutti.Kind
	Canonical(ref tutti.Ref) (tutti.Ref, error)
	Outward(tags ...string) []string
	Moderation(ctx context.Context, sel tutti.Selection, scope tutti.Scope) (tutti.ModerationPage, error)
}

// SourceState describes a configured source and how it has been doing for the last minute.
type SourceState struct {
	Name, Connector, Description string
	State                        string // UP, DEGRADED, DOWN, IDLE
	Calls, Failures              int
	MedianLatency                time.Duration // 0 without calls
	LastError                    tutti.Code
	LastSuccess                  time.Time
	LastPoll                     time.Time // zero where what changed is not asked
}

// Deps is everything the resolvers of one generation stand on.
type Deps struct {
	Engine           *engine.Engine
	Library          *engine.Library
	Sources          Sources
	SourceStates     func() []SourceState
	Drifts           func() []tutti.Drift // nil = never any
	AcceptDrifts     func(ctx context.Context, source, kind string) (int, error)
	Store            Store
	Attributes       []tutti.Attribute
	Channels         []tutti.Channel
	Locales          tutti.Locales
	ComponentTypes   []tutti.ComponentType
	CompositionTypes []tutti.CompositionType
	Kept             *graph.Kept                     // ready answers; nil = none are kept
	Reload           func(ctx context.Context) error // reads the published state again, after a change
	Told             func(purge bool, tags []string) // does in this process what Store.Invalidate told all others
	Now              func() time.Time
	Stale            func() bool // whether nothing may be called fresh for now; nil = never
}

// Resolvers answers the schema for one generation. Safe for concurrent use.
type Resolvers struct {
	Deps
	props propTypes
}

var _ graph.ResolverRoot = (*Resolvers)(nil)

// New makes the resolvers of one generation.
func New(d Deps) *Resolvers {
	if d.Now == nil {
		d.Now = time.Now
	}
	return &Resolvers{Deps: d, props: propTypesOf(d.ComponentTypes)}
}

// Query answers queries.
func (r *Resolvers) Query() graph.QueryResolver { return query{r} }

// Mutation answers mutations.
func (r *Resolvers) Mutation() graph.MutationResolver { return mutation{r} }

// Subscription is never asked: the server streams what Plans tells.
func (r *Resolvers) Subscription() graph.SubscriptionResolver { return nil }

// Composition answers the fields of stored compositions that take arguments.
func (r *Resolvers) Composition() graph.CompositionResolver { return composition{r} }

// Experience is never asked: the projector writes experiences.
func (r *Resolvers) Experience() graph.ExperienceResolver { return nil }

// ResourceConnection is never asked: the projector writes connections.
func (r *Resolvers) ResourceConnection() graph.ResourceConnectionResolver { return nil }

// RouteConnection is never asked: the projector writes connections.
func (r *Resolvers) RouteConnection() graph.RouteConnectionResolver { return nil }

// AttributesInput is never asked: attributes are taken as they come and checked by graph.
func (r *Resolvers) AttributesInput() graph.AttributesInputResolver { return nil }

type (
	query       struct{ *Resolvers }
	mutation    struct{ *Resolvers }
	composition struct{ *Resolvers }
)

// by names who does something: the key's name.
func by(ctx context.Context) string { return graph.ViewerFrom(ctx).KeyName }

// decode reads a stored body.
func decode[T any](body []byte) (T, error) {
	var v T
	if err := json.Unmarshal(body, &v); err != nil {
		return v, tutti.Errorf(tutti.Internal, "reading a stored document: %w", err)
	}
	return v, nil
}

// encode writes a body to store.
func encode(v any) (json.RawMessage, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return nil, tutti.Errorf(tutti.Internal, "writing a document to store: %w", err)
	}
	return b, nil
}

// text gives nil for "".
func text(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// valueOf gives what p points to, the zero value for nil.
func valueOf[T any](p *T) T {
	var zero T
	if p == nil {
		return zero
	}
	return *p
}

// notNil gives an empty list for nil, as the schema promises lists.
func notNil[T any](l []T) []T {
	if l == nil {
		return []T{}
	}
	return l
}
