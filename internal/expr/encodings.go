package expr

import (
	"encoding/base64"
	"net/url"
	"strings"
)

// escaped makes a text part of an address's path: slashes stay, everything else with a meaning there, or that may
// not stand there, is percent-encoded (RFC 3986).
func escaped(args []any) (any, error) {
	segments := strings.Split(args[0].(string), "/")
	for i, s := range segments {
		segments[i] = strings.ReplaceAll(url.QueryEscape(s), "+", "%20")
	}
	return strings.Join(segments, "/"), nil
}

// base64url encodes the UTF-8 bytes of a text for an address, without padding (RFC 4648 section 5).
func base64url(args []any) (any, error) {
	return base64.RawURLEncoding.EncodeToString([]byte(args[0].(string))), nil
}
