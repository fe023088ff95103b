package sources

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/internal/config"
	"github.com/tuttihq/tutti/internal/fetch"
)

// TestSigV4AsPublished holds the signer to signatures that AWS publishes: those of its Signature Version 4 test
// suite whose requests have no headers of their own, and the examples of the S3 API Reference.
func TestSigV4AsPublished(t *testing.T) {
	suite := signer{
		region: "us-east-1", service: "service", keyID: "AKIDEXAMPLE", secret: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", once: true,
		now: func() time.Time { return time.Date(2015, 8, 30, 12, 36, 0, 0, time.UTC) },
	}
	temporary := suite
	temporary.session = "6e86291e8372ff2a2260956d9b8aae1d763fbf315fa00fa31553b73ebf194267"
	s3 := signer{
		region: "us-east-1", service: "s3", keyID: "AKIAIOSFODNN7EXAMPLE", secret: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", once: true,
		now: func() time.Time { return time.Date(2013, 5, 24, 0, 0, 0, 0, time.UTC) },
	}
	const at, bucket = "https://example.amazonaws.com", "https://examplebucket.s3.amazonaws.com"
	const unreserved = "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	for name, tt := range map[string]struct {
		by                signer
		method, url, want string
	}{
		"get-vanilla":                     {suite, "GET", at, "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
		"get-vanilla-with-session-token":  {temporary, "GET", at + "/", "07ec1639c89043aa0e3e2de82b96708f198cceab042d4a97044c66dd9f74e7f8"},
		"get-utf8":                        {suite, "GET", at + "/ሴ", "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85"},
		"get-space":                       {suite, "GET", at + "/example space/", "652487583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741"},
		"get-unreserved":                  {suite, "GET", at + "/" + unreserved, "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f"},
		"get-vanilla-empty-query-key":     {suite, "GET", at + "/?Param1=value1", "a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb"},
		"get-vanilla-query-order-encoded": {suite, "GET", at + "/?Param-3=Value3&Param=Value2&%E1%88%B4=Value1", "371d3713e185cc334048618a97f809c9ffe339c62934c032af5a0e595648fcac"},
		"get-vanilla-query-order":         {suite, "GET", at + "/?Param2=value2&Param1=value1", "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"},
		"get-vanilla-query-unreserved":    {suite, "GET", at + "/?" + unreserved + "=" + unreserved, "9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197"},
		"get-vanilla-utf8-query":          {suite, "GET", at + "/?ሴ=bar", "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04"},
		"post-vanilla":                    {suite, "POST", at + "/", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"},
		"post-vanilla-query":              {suite, "POST", at + "/?Param1=value1", "28038455d6de14eafc1f9222cf5aa6f1a96197d7deb8263271d420d138af7f11"},
		"S3: GET Bucket Lifecycle":        {s3, "GET", bucket + "?lifecycle", "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"},
		"S3: GET Bucket (List Objects)":   {s3, "", bucket + "/?prefix=J&max-keys=2", "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"},
	} {
		header := http.Header{"Accept": {"application/json"}, "User-Agent": {"tutti"}}
		r, err := tt.by.sign(fetch.Request{Method: tt.method, URL: tt.url, Header: header})
		if err != nil || !strings.HasSuffix(r.Header.Get("Authorization"), "Signature="+tt.want) {
			t.Errorf("%s: %s, %v; want the signature %s", name, r.Header.Get("Authorization"), err, tt.want)
		}
		if len(header) != 2 {
			t.Errorf("%s: the caller's header became %v", name, header)
		}
	}
}

func TestWhatIsSignedIsWhatIsSent(t *testing.T) {
	s := signer{region: "r", service: "s3", keyID: "id", secret: "canary", once: true, now: func() time.Time { return time.Unix(1_790_000_000, 0) }}
	r, err := s.sign(fetch.Request{URL: "http://127.0.0.1:9000/b/a%20b+c(1)/%C3%A9@2x.jpg?b=2+3&a=%2F&a=1&c"})
	if want := "http://127.0.0.1:9000/b/a%20b%2Bc%281%29/%C3%A9%402x.jpg?a=%2F&a=1&b=2%203&c="; err != nil || r.URL != want {
		t.Errorf("it becomes %s, %v; want %s", r.URL, err, want)
	}
	if h := r.Header.Get("X-Amz-Content-Sha256"); h != hexSHA256(nil) {
		t.Errorf("the payload is signed as %s", h)
	}
	s.service, s.once = "execute-api", false
	a, err := s.sign(fetch.Request{URL: "http://h/a%20b", Body: []byte("{}"), Method: "POST"})
	if err != nil || a.URL != "http://h/a%20b" || a.Header.Get("X-Amz-Content-Sha256") != "" {
		t.Errorf("for another service it becomes %s %v, %v", a.URL, a.Header, err)
	}
	lines, names := canonicalHeaders("h", a.Header)
	request := "POST\n/a%2520b\n\n" + lines + "\n" + names + "\n" + hexSHA256([]byte("{}"))
	if want := s.authorization(request, names, s.now().UTC()); a.Header.Get("Authorization") != want {
		t.Errorf("%s\nwant the path encoded twice:\n%s", a.Header.Get("Authorization"), want)
	}
}

// TestSigningAddsNoSegment: an id with slashes in it stays one segment of a path that is signed.
func TestSigningAddsNoSegment(t *testing.T) {
	path := ""
	h := play(t, strings.Replace(signedManifest, `    id: {pattern: "[a-z0-9]+"}`, "    id: {example: a}", 1), public, func(w http.ResponseWriter, r *http.Request) {
		path = r.URL.EscapedPath()
		w.WriteHeader(http.StatusForbidden)
	}, func(c *config.Source, _ *Deps) {
		c.Secrets = map[string]tutti.Secret{"keyId": tutti.NewSecret("AKIDEXAMPLE"), "secret": tutti.NewSecret("canary-secret")}
	})
	if h.Get(t.Context(), refs("x/../../admin"), tutti.Scope{}); path != "/items/x%2F..%2F..%2Fadmin" {
		t.Errorf("it asks for %s", path)
	}
	s := signer{region: "r", service: "execute-api", keyID: "id", secret: "canary", now: func() time.Time { return time.Unix(1_790_000_000, 0) }}
	a, _ := s.sign(fetch.Request{URL: "http://h/a%2Fb%20c"})
	lines, names := canonicalHeaders("h", a.Header)
	if want := s.authorization("GET\n/a%252Fb%2520c\n\n"+lines+"\n"+names+"\n"+hexSHA256(nil), names, s.now().UTC()); a.Header.Get("Authorization") != want {
		t.Errorf("it signs %s, want %s", a.Header.Get("Authorization"), want)
	}
}

const signedManifest = `
name: acme
settings: {region: {description: Where it is., default: eu-west-1}}
secrets: {keyId: {description: An access key.}, secret: {description: Its secret.}, session: {description: Of temporary keys.}}
auth: {type: sigv4, region: "${settings.region}", service: execute-api, keyId: "${secrets.keyId}", secret: "${secrets.secret}", sessionToken: "${secrets.session}"}
kinds:
  item:
    type: Record
    id: {pattern: "[a-z0-9]+"}
    get: {path: "/items/${id}"}
    map: {title: record.name}
`

func TestSignedCalls(t *testing.T) {
	for _, session := range []string{"", "canary-session"} {
		var got http.Header
		h := play(t, signedManifest, public, func(w http.ResponseWriter, r *http.Request) {
			got = r.Header.Clone()
			w.WriteHeader(http.StatusForbidden)
		}, func(c *config.Source, _ *Deps) {
			c.Secrets = map[string]tutti.Secret{"keyId": tutti.NewSecret("AKIDEXAMPLE"), "secret": tutti.NewSecret("canary-secret")}
			if session != "" {
				c.Secrets["session"] = tutti.NewSecret(session)
			}
		})
		g := h.Get(t.Context(), refs("a"), tutti.Scope{})[0]
		names := "host;x-amz-date"
		if session != "" {
			names += ";x-amz-security-token"
		}
		if a := got.Get("Authorization"); !strings.HasPrefix(a, "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/") || !strings.Contains(a, "/eu-west-1/execute-api/aws4_request, SignedHeaders="+names+", ") || got.Get("X-Amz-Security-Token") != session {
			t.Errorf("the call comes with %v", got)
		}
		if g.Err == nil || strings.Contains(g.Err.Error()+h.said(), "canary") {
			t.Errorf("wrong keys come to %v", g.Err)
		}
	}
}
