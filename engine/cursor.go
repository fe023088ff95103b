package engine

import (
	"bytes"
	"compress/flate"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"

	"github.com/tuttihq/tutti"
)

// pinned is all that the next page of a list depends on, but for who asks.
type pinned struct {
	Composition string           `json:"c,omitempty"`
	Version     int              `json:"v,omitempty"`
	Component   string           `json:"m,omitempty"`
	Prop        string           `json:"p,omitempty"`
	Selection   *tutti.Selection `json:"q,omitempty"` // After is the origin's own cursor
	Skip        int              `json:"k,omitempty"` // items of the origin's page that were shown
	Refs        []tutti.Ref      `json:"r,omitempty"` // what is left of a list of refs
	Total       *int             `json:"t,omitempty"`
	Size        int              `json:"n"`
	Scope       tutti.Scope      `json:"s"`
	Chain       []string         `json:"l,omitempty"`
	Channel     string           `json:"h"`
	Private     bool             `json:"x,omitempty"`
	Owner       []byte           `json:"o,omitempty"` // whose it is; only when Private
}

// cursors encrypts and reads them. The same place in the same list has the same cursor: the
// nonce is made from the content, under a key of its own. Safe for concurrent use.
type cursors struct {
	gcm      cipher.AEAD
	nonceKey []byte
	ownerKey []byte
}

const (
	cursorVersion = 1
	maxCursor     = 16 << 10 // characters
	maxPinned     = 256 << 10
)

func newCursors(secret []byte) *cursors {
	block, err := aes.NewCipher(subkey(secret, "cursors"))
	if err != nil {
		panic(err) // the key is always 32 bytes
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		panic(err) // the block size is always 16
	}
	return &cursors{gcm: gcm, nonceKey: subkey(secret, "cursor nonces"), ownerKey: subkey(secret, "cursor owners")}
}

// write gives "" when the place cannot be told in a cursor of allowed length.
func (c *cursors) write(p *pinned) string {
	plain, err := json.Marshal(p)
	if err != nil {
		return ""
	}
	var packed bytes.Buffer
	packed.WriteByte(0)
	if len(plain) > 600 {
		packed.Bytes()[0] = 1
		w, _ := flate.NewWriter(&packed, flate.BestSpeed)
		w.Write(plain) // into memory: cannot fail
		w.Close()
	} else {
		packed.Write(plain)
	}
	m := hmac.New(sha256.New, c.nonceKey)
	m.Write(packed.Bytes())
	nonce := m.Sum(nil)[:c.gcm.NonceSize()]
	out := append([]byte{cursorVersion}, nonce...)
	s := base64.RawURLEncoding.EncodeToString(c.gcm.Seal(out, nonce, packed.Bytes(), []byte{cursorVersion}))
	if len(s) > maxCursor {
		return ""
	}
	return s
}

// read gives an error with code InvalidValue for what this deployment did not write.
func (c *cursors) read(s string) (*pinned, error) {
	bad := &tutti.Error{
		Code: tutti.InvalidValue, Field: "cursor", Message: "this is no cursor of a list.", Hint: "Send the endCursor of the page before, unchanged.",
	}
	if len(s) > maxCursor {
		return nil, bad
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(s)
	if err != nil || len(b) < 1+c.gcm.NonceSize() || b[0] != cursorVersion {
		return nil, bad
	}
	nonce, sealed := b[1:1+c.gcm.NonceSize()], b[1+c.gcm.NonceSize():]
	packed, err := c.gcm.Open(nil, nonce, sealed, []byte{cursorVersion})
	if err != nil || len(packed) == 0 {
		return nil, bad
	}
	plain := packed[1:]
	if packed[0] == 1 {
		plain, err = io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(plain)), maxPinned))
		if err != nil {
			return nil, bad
		}
	}
	d := json.NewDecoder(bytes.NewReader(plain))
	d.UseNumber()
	p := &pinned{}
	if d.Decode(p) != nil {
		return nil, bad
	}
	if p.Selection != nil {
		for name, v := range p.Selection.Filter {
			p.Selection.Filter[name] = exactNumbers(v)
		}
	}
	return p, nil
}

// exactNumbers makes numbers what they were: int64 where they are whole, else float64.
func exactNumbers(v any) any {
	switch v := v.(type) {
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return n
		}
		n, _ := v.Float64()
		return n
	case []any:
		for i := range v {
			v[i] = exactNumbers(v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = exactNumbers(v[k])
		}
	}
	return v
}

// owner is what stands in a cursor for the one whom a private list belongs to.
func (c *cursors) owner(o tutti.Owner, source string) []byte {
	m := hmac.New(sha256.New, c.ownerKey)
	m.Write(framed(nil, o.Visitor, source, o.InSource[source]))
	return m.Sum(nil)[:16]
}
