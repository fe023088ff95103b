package tutti

import "time"

// KeyClass says what a key is for.
type KeyClass string

const (
	BrowserKey    KeyClass = "browser"    // ships in apps and pages; its facts have trust client
	ServerKey     KeyClass = "server"     // secret; may assert facts and visitors
	PreviewKey    KeyClass = "preview"    // takes a visitor and facts only from a stored persona
	ManagementKey KeyClass = "management" // changes things
)

// KeyClasses are all classes, weakest first.
var KeyClasses = []KeyClass{BrowserKey, ServerKey, PreviewKey, ManagementKey}

// Key is a stored key. The key itself is never stored, only its SHA-256.
type Key struct {
	ID        string
	Name      string
	Class     KeyClass
	Hash      []byte   // SHA-256 of the whole key text
	Origins   []string // for browser keys: the allowed CORS origins; "*" = every one
	CreatedAt time.Time
	ExpiresAt time.Time // zero = never
	RevokedAt time.Time // it ends then; zero = not
	UsedAt    time.Time // zero = never; to the hour
}

// Valid reports whether the key may be used at t.
func (k *Key) Valid(t time.Time) bool {
	return (k.RevokedAt.IsZero() || t.Before(k.RevokedAt)) && (k.ExpiresAt.IsZero() || t.Before(k.ExpiresAt))
}
