package graph

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/golang-jwt/jwt/v5"

	"github.com/tuttihq/tutti"
)

// TokenConfig says how visitor tokens (JWT) are verified. Exactly one of Secret and JWKS is set.
type TokenConfig struct {
	Issuer     string       // iss must be this
	Audience   string       // aud must hold this
	Secret     tutti.Secret // HS256 with this shared secret of 32 bytes or more
	JWKS       string       // or: asymmetric signatures by a key of this JSON Web Key Set
	Algorithms []string     // with JWKS: the allowed ones; none = RS256, ES256, EdDSA
	Leeway     time.Duration
	Client     *http.Client     // fetches the JWKS; needed with it
	Now        func() time.Time // nil = time.Now
}

// TokenVerifier proves visitors by their tokens. Safe for concurrent use.
type TokenVerifier struct {
	verify func(ctx context.Context, token string) (jwt.MapClaims, error)
	claims *jwt.Validator
}

const (
	maxTokenBytes  = 8 << 10
	minSecretBytes = 32
)

var asymmetric = []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}

// NewTokenVerifier checks the config; its errors are *tutti.Error with code Invalid.
func NewTokenVerifier(c TokenConfig) (*TokenVerifier, error) {
	bad := func(field, message, hint string) (*TokenVerifier, error) {
		return nil, &tutti.Error{Code: tutti.Invalid, Field: "visitors." + field, Message: message, Hint: hint}
	}
	switch {
	case c.Issuer == "":
		return bad("issuer", "the issuer of visitor tokens is missing.", "Write, for example, issuer: https://login.example")
	case c.Audience == "":
		return bad("audience", "the audience of visitor tokens is missing.", "Write, for example, audience: tutti")
	case c.Secret.IsZero() == (c.JWKS == ""):
		return bad("jwks", "visitor tokens need either a JWKS or a shared secret.", "Write, for example, jwks: https://login.example/.well-known/jwks.json")
	case !c.Secret.IsZero() && len(c.Secret.Reveal()) < minSecretBytes:
		return bad("secret", "the shared secret of visitor tokens is too short.", "Use 32 random bytes or more.")
	case c.JWKS != "" && c.Client == nil:
		return bad("jwks", "fetching a JWKS needs an HTTP client.", "")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	v := &TokenVerifier{claims: jwt.NewValidator(
		jwt.WithIssuer(c.Issuer), jwt.WithAudience(c.Audience), jwt.WithExpirationRequired(), jwt.WithLeeway(c.Leeway), jwt.WithTimeFunc(c.Now),
	)}
	if !c.Secret.IsZero() {
		v.verify = sharedSecret(c.Secret)
		return v, nil
	}
	algorithms := c.Algorithms
	if len(algorithms) == 0 {
		algorithms = []string{"RS256", "ES256", "EdDSA"}
	}
	for _, a := range algorithms {
		if !slices.Contains(asymmetric, a) {
			return bad("algorithms", "an algorithm that a JWKS cannot verify.", "Use some of: "+strings.Join(asymmetric, ", ")+".")
		}
	}
	v.verify = keySet(c, algorithms)
	return v, nil
}

// Verify gives the visitor (sub) and all claims of a token. Whatever is wrong with it, the error
// has code Unauthenticated; the reason is in its text, for the log.
func (v *TokenVerifier) Verify(ctx context.Context, token string) (visitor string, claims map[string]any, err error) {
	if len(token) > maxTokenBytes {
		return "", nil, tutti.Errorf(tutti.Unauthenticated, "reading a visitor token: it is longer than %d bytes", maxTokenBytes)
	}
	m, err := v.verify(ctx, token)
	if err != nil {
		return "", nil, tutti.Errorf(tutti.Unauthenticated, "verifying a visitor token: %w", err)
	}
	if err := v.claims.Validate(m); err != nil {
		return "", nil, tutti.Errorf(tutti.Unauthenticated, "checking the claims of a visitor token: %w", err)
	}
	visitor, err = m.GetSubject()
	if err != nil || !visitorShaped(visitor) {
		return "", nil, tutti.Errorf(tutti.Unauthenticated, "reading a visitor token: it has no usable sub")
	}
	return visitor, m, nil
}

// visitorShaped reports whether s can be the id of a visitor.
func visitorShaped(s string) bool {
	return s != "" && len(s) <= 256 && !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f || r == '\uFFFD' })
}

// sharedSecret verifies HS256 and no other algorithm, so that neither none nor a public key used
// as a secret passes.
func sharedSecret(secret tutti.Secret) func(context.Context, string) (jwt.MapClaims, error) {
	parser := jwt.NewParser(jwt.WithValidMethods([]string{"HS256"}), jwt.WithJSONNumber(), jwt.WithoutClaimsValidation())
	return func(_ context.Context, token string) (jwt.MapClaims, error) {
		m := jwt.MapClaims{}
		_, err := parser.ParseWithClaims(token, m, func(*jwt.Token) (any, error) { return []byte(secret.Reveal()), nil })
		return m, err
	}
}

// keySet verifies signatures with the keys of a JWKS. The token's algorithm is checked before
// any key is looked at.
func keySet(c TokenConfig, algorithms []string) func(context.Context, string) (jwt.MapClaims, error) {
	client := *c.Client
	if client.Timeout == 0 {
		client.Timeout = jwksLimit
	}
	client.Transport = &patient{next: c.Client.Transport, now: c.Now}
	set := oidc.NewRemoteKeySet(oidc.ClientContext(context.Background(), &client), c.JWKS)
	parser := jwt.NewParser(jwt.WithValidMethods(algorithms))
	return func(ctx context.Context, token string) (jwt.MapClaims, error) {
		head, _, err := parser.ParseUnverified(token, jwt.MapClaims{})
		if err != nil {
			return nil, err
		}
		if !slices.Contains(algorithms, head.Method.Alg()) {
			return nil, jwt.ErrTokenSignatureInvalid
		}
		payload, err := set.VerifySignature(ctx, token)
		if err != nil {
			return nil, err
		}
		m := jwt.MapClaims{}
		d := json.NewDecoder(bytes.NewReader(payload))
		d.UseNumber()
		return m, d.Decode(&m)
	}
}
