package tutti

import "time"

// ResourceType is the GraphQL type of a resource; RecordType is for everything that has none.
type ResourceType string

const (
	AssetType         ResourceType = "Asset"
	ProductType       ResourceType = "Product"
	SocialPostType    ResourceType = "SocialPost"
	SupportTicketType ResourceType = "SupportTicket"
	ArticleType       ResourceType = "Article"
	PlaceResourceType ResourceType = "Place"
	RecordType        ResourceType = "Record"
)

// FieldType is the closed list of types that a mapped field can have.
//
// Go values: string, html and id → string; int → int64; float → float64; bool → bool;
// time → time.Time; money → Money; place → Place; focal → Focal; richText → RichText;
// ref → Ref; refs → []Ref; strings → []string; json → what encoding/json gives, with numbers
// as json.Number.
type FieldType string

const (
	FieldString   FieldType = "string"
	FieldInt      FieldType = "int"
	FieldFloat    FieldType = "float"
	FieldBool     FieldType = "bool"
	FieldTime     FieldType = "time"
	FieldMoney    FieldType = "money"
	FieldPlace    FieldType = "place"
	FieldFocal    FieldType = "focal"
	FieldRichText FieldType = "richText"
	FieldRef      FieldType = "ref"
	FieldRefs     FieldType = "refs"
	FieldStrings  FieldType = "strings"
	FieldJSON     FieldType = "json"
)

// CanonicalFields are the fields that each resource type has in the schema, with their types.
// A manifest may map more; those are delivered under "fields". Same-named fields have the same
// type everywhere. A Record has only the common ones.
var CanonicalFields = func() map[ResourceType]map[string]FieldType {
	common := map[string]FieldType{
		"title": FieldString, "link": FieldString, "updatedAt": FieldTime, "tags": FieldStrings,
	}
	with := func(more map[string]FieldType) map[string]FieldType {
		m := map[string]FieldType{}
		for k, v := range common {
			m[k] = v
		}
		for k, v := range more {
			m[k] = v
		}
		return m
	}
	return map[ResourceType]map[string]FieldType{
		AssetType: with(map[string]FieldType{
			"alt": FieldString, "caption": FieldString, "credit": FieldString, "mediaType": FieldString, "width": FieldInt, "height": FieldInt,
			"bytes": FieldInt, "focal": FieldFocal, "expiresAt": FieldTime, "original": FieldString,
		}),
		ProductType: with(map[string]FieldType{
			"description": FieldRichText, "slug": FieldString, "sku": FieldString, "price": FieldMoney, "compareAtPrice": FieldMoney,
			"inStock": FieldBool, "image": FieldRef, "images": FieldRefs,
		}),
		SocialPostType: with(map[string]FieldType{
			"text": FieldRichText, "authorName": FieldString, "authorHandle": FieldString, "publishedAt": FieldTime, "likes": FieldInt,
			"image": FieldRef, "picture": FieldString, "pictureAlt": FieldString, "place": FieldRef,
		}),
		SupportTicketType: with(map[string]FieldType{
			"description": FieldRichText, "status": FieldString, "priority": FieldString, "createdAt": FieldTime,
		}),
		ArticleType: with(map[string]FieldType{
			"body": FieldRichText, "excerpt": FieldString, "section": FieldString, "publishedAt": FieldTime, "image": FieldRef,
		}),
		PlaceResourceType: with(map[string]FieldType{
			"description": FieldRichText, "category": FieldString, "location": FieldPlace, "address": FieldString, "phone": FieldString, "image": FieldRef,
		}),
		RecordType: with(nil),
	}
}()

// Resource is what a ref resolves to. It is shared by many readers: never change one.
type Resource struct {
	Ref    Ref
	Type   ResourceType
	Fields Fields      // mapped values by name
	Owner  string      // what the source calls the person it belongs to; "" when it belongs to nobody
	Tags   []string    // cache tags of the records it was made of, its own included
	Locale string      // the locale it came in; "" when the kind has none
	Raw    string      // the record as JSON, as its origin has it; "" when it is not kept
	Assets *Renditions // for assets: how to make renditions; nil when the source has none
}

// Renditions makes addresses of pictures in other sizes. URL gives "" when it cannot.
type Renditions struct {
	// URL makes the address of a rendition. A height of 0 keeps the shape of the picture.
	// Format is a picture format ("webp") or "" for the source's choice.
	URL func(width, height int, format string) string
}

// Scope is what a fetch may depend on besides the ref. A source uses only the dimensions that
// the kind declares; the others are not in its cache keys.
type Scope struct {
	Locale   string
	Market   string
	Currency string
	Draft    bool // the origin's own draft perspective
}

// Dimension names of Scope, as manifests declare them.
const (
	LocaleDimension      = "locale"
	MarketDimension      = "market"
	CurrencyDimension    = "currency"
	PerspectiveDimension = "perspective"
)

// Access says who may get items of a kind.
type Access string

const (
	AccessPublic   Access = "public"
	AccessVisitor  Access = "visitor"  // only the person it belongs to
	AccessInternal Access = "internal" // never delivered; enrichers and ref facts may read it
)

// Kind describes one kind of item in a source.
type Kind struct {
	Source      string
	Name        string
	Type        ResourceType
	Description string
	Access      Access
	Expose      bool                 // browser and server keys may ask for it by ref and search
	Fields      map[string]FieldType // all mapped fields
	Dimensions  []string
	Filters     []string // of selections
	Sorts       []string
	Search      bool       // full-text search works
	OwnerFilter bool       // selections can be limited to one owner at the origin
	Moderation  Moderation // what an item needs before it is delivered; "" = nothing
}

// HasDimension reports whether the kind's content depends on a dimension.
func (k *Kind) HasDimension(name string) bool {
	for _, d := range k.Dimensions {
		if d == name {
			return true
		}
	}
	return false
}

// FreshnessState tells how a thing stands to its origin.
type FreshnessState string

const (
	Fresh             FreshnessState = "FRESH"
	StaleRevalidating FreshnessState = "STALE_REVALIDATING"
	StaleError        FreshnessState = "STALE_ERROR"
	Missing           FreshnessState = "MISSING"
)

// Freshness is the state of a part and the instant at which its content was read at the origin.
type Freshness struct {
	State FreshnessState
	AsOf  time.Time
}

// Worst gives the worse of two: the later state in the list above, the older instant.
func (f Freshness) Worst(g Freshness) Freshness {
	w := f
	if g.State.rank() > f.State.rank() {
		w.State = g.State
	}
	if w.AsOf.IsZero() || !g.AsOf.IsZero() && g.AsOf.Before(w.AsOf) {
		w.AsOf = g.AsOf
	}
	return w
}

func (s FreshnessState) rank() int {
	switch s {
	case Fresh:
		return 1
	case StaleRevalidating:
		return 2
	case StaleError:
		return 3
	case Missing:
		return 4
	}
	return 0
}

// Got is what a source says about one asked ref. Exactly one of Resource and Err is set. With
// a Resource, Err may stand beside it when the resource is a stale stand-in: then it tells why.
type Got struct {
	Resource  *Resource
	Freshness Freshness
	Cached    bool      // it came from memory
	Until     time.Time // when it stops being fresh; zero when it is not fresh
	Marks     []uint32  // where its cache notes that it is forgotten; shared, never changed
	Err       error     // NotFound, Suppressed, Withheld, Unavailable, Timeout, RateLimited, BadAnswer, TooLarge, UnknownSource
}

// Page is what a source says about a selection.
type Page struct {
	Items     []Got
	Next      string // the origin's cursor; "" at the end
	Total     *int   // nil when the origin does not say
	Freshness Freshness
	Cached    bool
	Until     time.Time // as Got.Until, of the list
	Marks     []uint32  // as Got.Marks, of the list with its items
}
