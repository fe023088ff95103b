package sources

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/tuttihq/tutti"
)

// Connector knows how to speak to one kind of system. It never sleeps, retries, caches, logs or
// counts: the Source around it does. It must be safe for concurrent use and give up when the
// context ends.
type Connector interface {
	// Fetch asks for items of one kind, at most Definition.MaxIDs of them, with checked, canonical
	// and distinct ids, in one call of the system where its API allows that. Each ask has its reply.
	// The error is for the call as a whole, and carries Unavailable, Timeout, TooLarge, BadAnswer, or is a *Refused. It must
	// quote nothing of the answer.
	Fetch(ctx context.Context, asks []Ask, s tutti.Scope) (Batch, error)
}

// Selector is a connector that can also answer selections.
type Selector interface {
	// Select asks for one page. The selection names only filters, sorts and an owner that the
	// kind's Definition declares, in their types; First is at least 1. Codes as of Fetch, and
	// InvalidValue for a combination that the system cannot answer.
	Select(ctx context.Context, q tutti.Selection, s tutti.Scope) (Page, error)
}

// Listener is a connector whose system posts webhooks.
type Listener interface {
	// Changed verifies a webhook over its raw body and tells what changed. Unauthenticated for a
	// signature or time that is not right, BadRequest for a message that cannot be read, Unavailable
	// when it cannot be verified now.
	Changed(r *http.Request, body []byte) (Event, error)
}

// Ask is a wish for one item.
type Ask struct {
	Ref       tutti.Ref
	Validator string // of the copy that is kept; "" = there is none

	key string // in the cache, when it is known: it begins with the ref's tag; "" = it is not
}

// Batch is what an origin said about a set of asks.
type Batch struct {
	Replies []Reply   // in the order of the asks
	Cut     bool      // rows were cut off: what is missing may be there all the same
	Until   time.Time // the system wants no call before this instant; zero = it does not say

	lent *[]Reply // of replyPool, where Replies are from; nil = they are from elsewhere
}

// Reply is what an origin said about one ask. The zero value: it is not there.
type Reply struct {
	Record    Record // without Resource there is none
	Unchanged bool   // the copy with the validator still counts; Record may say how long, and a new validator
	Err       error  // this one alone could not be read
}

// Record is one item as the origin has it now.
type Record struct {
	Resource  *tutti.Resource
	Validator string        // "" when the origin gives none
	Fresh     time.Duration // how long it is fresh, as the origin says; 0 = it does not say
	Age       time.Duration // how old it was when it was given

	entry *entry // in which the resource stands; nil = it stands alone
}

// Page is one page of a selection.
type Page struct {
	Records []Record
	// IDs are set instead of Records by a system whose search knows only ids: the Source then
	// gets them like any other items.
	IDs   []string
	Next  string // where the next page starts; "" at the end
	Total *int   // nil when the origin does not say
	Fresh time.Duration
	Age   time.Duration // how old it was when it was given
	Until time.Time
}

// Event is a verified webhook.
type Event struct {
	ID      string        // the same for a repeated delivery; made of signed bytes only, if anything is signed
	SameFor time.Duration // for which another with this ID is a repetition; 0 = always. After it, another change may have come as the same
	Changes []Change
	Again   time.Duration // after which the same is forgotten a second time; 0 = never
	Ping    bool          // it only asks whether we are there
	Quiet   bool          // beside Unauthenticated: the sender is not told
}

// Change says which records changed. Without IDs any record of the kind may have.
type Change struct {
	Kind string
	IDs  []string
}

// Refused is an answer with an HTTP status that is none of success. It carries RateLimited when
// the system asks to wait, BadAnswer for another 4xx, Unavailable for the rest and for 401 and 403.
type Refused struct {
	Status int
	Until  time.Time // when the system may be asked again; zero = it does not say
	Limit  bool      // the system asks to wait, whatever the status
	Long   bool      // that is known for sure: it may be more than an hour
	Denied bool      // the credentials are refused, whatever the status
}

func (r *Refused) Error() string {
	switch {
	case r.Limit:
		return "the system asks to wait"
	case r.denied():
		return "the system refuses the credentials, with status " + statusText(r.Status)
	}
	return "the system answers with status " + statusText(r.Status)
}

// Is makes errors.Is(err, code) work.
func (r *Refused) Is(target error) bool { return target == r.code() }

// Unwrap gives the code, so that tutti.CodeOf finds it.
func (r *Refused) Unwrap() error { return r.code() }

func (r *Refused) code() tutti.Code {
	switch {
	case r.Limit:
		return tutti.RateLimited
	case r.denied() || r.Status < 400 || r.Status >= 500:
		return tutti.Unavailable
	}
	return tutti.BadAnswer
}

func (r *Refused) denied() bool {
	return r.Denied || r.Status == http.StatusUnauthorized || r.Status == http.StatusForbidden
}

// Definition is what a connector says about one of its kinds.
type Definition struct {
	Name        string
	Type        tutti.ResourceType
	Description string
	Fields      map[string]tutti.FieldType
	Dimensions  []string
	Languages   bool        // each record holds all of them: the locale is in no call and no key
	Owner       string      // the field that says whose an item is, where the config names none
	Rights      *RightsSpec // the fields that say when and where an item may be shown; nil = there are none

	Canonical   func(id string) (string, bool) // the one spelling of an id; false = no item can have it. Nil = every id, as it is
	MaxIDs      int                            // of one Fetch; 0 = 1
	MaxIDBytes  int                            // of all ids of one Fetch, as they are written in a URL, EachIDBytes added for each; 0 = no limit
	EachIDBytes int                            // what stands between ids in a URL; 0 = 1
	Alias       *Alias                         // other names than ids; nil = items have none
	Example     string                         // an id that may or may not exist, for checking the connection

	MaxAge time.Duration // how long after it was read an item may be shown, whatever the config says; 0 = no limit

	Filters     map[string]Filter
	Sorts       []string // as they may be written, with '-' in front for descending
	Search      bool
	OwnerFilter bool
	Lists       bool     // it can be selected without filter, text and owner
	MaxFirst    int      // the most items of one page; 0 = 100
	Whole       string   // the kind whose one call gives all items of this kind; "" = items are asked for by their ids
	Rolling     bool     // of Whole: what is not in its answer may exist all the same
	DependsOn   []string // kinds of records that items are made of besides their own
}

// Filter declares one filter of selections.
type Filter struct {
	Type        string `yaml:"type"`        // What values are.
	Kind        string `yaml:"kind"`        // Of ref: the kind in the same source.
	Description string `yaml:"description"` // What it selects.
	Pattern     string `yaml:"pattern"`     // Of string and ref: RE2 that the whole value or id must match.
	pattern     matcher
}

type matcher interface{ MatchString(string) bool }

// raw is a record's own bytes.
type raw = json.RawMessage
