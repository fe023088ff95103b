package graph

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"strings"
	"time"

	"github.com/tuttihq/tutti"
)

const keyPrefix = "tutti_"

// NewKey makes a key of 256 random bits. plain is shown to a person once and never stored; key
// is for the store. Origins are for browser keys; a zero expiry is never.
func NewKey(class tutti.KeyClass, name string, origins []string, now, expires time.Time) (plain string, key tutti.Key) {
	var secret [32]byte
	var id [8]byte
	_, _ = rand.Read(secret[:]) // never fails
	_, _ = rand.Read(id[:])
	plain = keyPrefix + string(class) + "_" + base64.RawURLEncoding.EncodeToString(secret[:])
	return plain, tutti.Key{
		ID: "key_" + hex.EncodeToString(id[:]), Name: name, Class: class, Hash: HashKey(plain),
		Origins: append([]string{}, origins...), CreatedAt: now, ExpiresAt: expires,
	}
}

// HashKey is the SHA-256 of a whole key text, as it is stored. The text holds 256 random bits,
// so a slow hash would protect nothing more.
func HashKey(plain string) []byte {
	h := hashKey(plain)
	return h[:]
}

// hashKey is HashKey without memory of its own: it comes with every request.
func hashKey(plain string) [sha256.Size]byte {
	var room [128]byte
	return sha256.Sum256(append(room[:0], plain...))
}

// keyShaped reports whether s has the form tutti_<class>_<43 characters>.
func keyShaped(s string) bool {
	rest, ok := strings.CutPrefix(s, keyPrefix)
	if !ok {
		return false
	}
	class, secret, ok := strings.Cut(rest, "_")
	if !ok || classBit(tutti.KeyClass(class)) == 0 || len(secret) != 43 {
		return false
	}
	var plain [32]byte
	_, err := base64.RawURLEncoding.Decode(plain[:], []byte(secret))
	return err == nil
}
