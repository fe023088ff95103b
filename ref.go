package tutti

import (
	"strings"
)

// Ref is the stored link to one item of an origin system, written source:kind/id.
// The id is everything after the first slash and may itself hold ':' and '/'.
type Ref struct {
	Source string
	Kind   string
	ID     string
}

// MaxRefLength is the longest ref in bytes that ParseRef takes.
const MaxRefLength = 1024

// ParseRef reads source:kind/id. Source and kind are names (a letter, then letters, digits,
// '-' or '_'); the id is not empty and holds no control characters. Anything else is an
// *Error with code MalformedRef that shows the right form.
func ParseRef(s string) (Ref, error) {
	bad := func(what string) (Ref, error) {
		shown := s
		if len(shown) > 80 {
			shown = shown[:80] + "…"
		}
		return Ref{}, &Error{Code: MalformedRef, Message: "the ref " + quote(shown) + " " + what + ".", Hint: "Write source:kind/id, for example stay:hotel/azul."}
	}
	if len(s) > MaxRefLength {
		return bad("is longer than 1024 bytes")
	}
	head, id, ok := strings.Cut(s, "/")
	if !ok {
		return bad("has no '/' before the id")
	}
	source, kind, ok := strings.Cut(head, ":")
	if !ok {
		return bad("has no ':' between source and kind")
	}
	if !IsName(source) {
		return bad("has no valid source name")
	}
	if !IsName(kind) {
		return bad("has no valid kind name")
	}
	if id == "" {
		return bad("has an empty id")
	}
	if !isID(id) {
		return bad("has a control character in its id")
	}
	return Ref{Source: source, Kind: kind, ID: id}, nil
}

// Beside gives the ref of another item of the same kind; false for what is no id of one.
func (r Ref) Beside(id string) (Ref, bool) {
	if id == "" || len(r.Source)+len(r.Kind)+len(id)+2 > MaxRefLength || !isID(id) {
		return Ref{}, false
	}
	r.ID = id
	return r, true
}

func isID(s string) bool {
	return plainASCII(s) || !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f || r == '\uFFFD' })
}

// plainASCII reports whether a text is of ASCII without control characters alone.
func plainASCII(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c < ' ' || c >= 0x7f {
			return false
		}
	}
	return true
}

// String writes source:kind/id, "" for the zero Ref.
func (r Ref) String() string {
	if r.IsZero() {
		return ""
	}
	return r.Source + ":" + r.Kind + "/" + r.ID
}

// IsZero reports whether this is no ref at all.
func (r Ref) IsZero() bool { return r == Ref{} }

// Tag is the cache tag of this one item.
func (r Ref) Tag() string { return r.String() }

// KindTag is the cache tag that any change of the kind bumps.
func (r Ref) KindTag() string { return KindTag(r.Source, r.Kind) }

// KindTag is the cache tag of all items and selections of a kind in a source.
func KindTag(source, kind string) string { return source + ":" + kind }

// MarshalText writes the ref as text, for JSON and YAML.
func (r Ref) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText reads a ref as ParseRef does; empty text is the zero Ref.
func (r *Ref) UnmarshalText(b []byte) error {
	if len(b) == 0 {
		*r = Ref{}
		return nil
	}
	p, err := ParseRef(string(b))
	if err == nil {
		*r = p
	}
	return err
}

// IsName reports whether s is a name as sources, kinds, compositions, channels and the like
// have it: a letter, then letters, digits, '-' or '_', 64 bytes at most.
func IsName(s string) bool {
	if s == "" || len(s) > 64 {
		return false
	}
	for i := 0; i < len(s); i++ {
		c := s[i]
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
		if !letter && (i == 0 || !(c >= '0' && c <= '9' || c == '-' || c == '_')) {
			return false
		}
	}
	return true
}

func quote(s string) string { return "“" + s + "”" }
