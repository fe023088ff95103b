package sources

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/internal/config"
)

// TestSignaturesAsImgproxyDocuments holds the signer to the example of imgproxy's documentation.
func TestSignaturesAsImgproxyDocuments(t *testing.T) {
	s := pathSigner{key: []byte("secret"), salt: []byte("hello")}
	path := "/rs:fill:300:400:0/g:sm/aHR0cDovL2V4YW1w/bGUuY29tL2ltYWdl/cy9jdXJpb3NpdHku/anBn.png"
	if got, want := s.sign(path), "oKfUtW34Dvo2BGQehJFR4Nr0_rIjOtdtzJ3QFsUcXH8"; got != want {
		t.Errorf("the signature is %s, want %s", got, want)
	}
}

// bucket opens the S3 connector over a bucket that the test plays.
func bucket(t *testing.T, origin http.HandlerFunc, set func(*config.Source)) *testHouse {
	t.Helper()
	return play(t, bucketManifest, nil, origin, func(c *config.Source, _ *Deps) {
		c.Connector, c.Kinds = "s3", map[string]config.KindConfig{"asset": {Access: tutti.AccessPublic}}
		c.Settings = map[string]string{"bucket": "pics", "publicUrl": "https://cdn.example/pics", "imageProxy": "https://img.example"}
		c.Secrets = map[string]tutti.Secret{"accessKeyId": tutti.NewSecret("canary-id"), "secretAccessKey": tutti.NewSecret("canary-secret")}
		if set != nil {
			set(c)
		}
	})
}

func asset(t *testing.T, h *testHouse, id string) *tutti.Resource {
	t.Helper()
	g := h.Get(t.Context(), []tutti.Ref{{Source: "shop", Kind: "asset", ID: id}}, tutti.Scope{})[0]
	if g.Resource == nil {
		t.Fatalf("%s comes to %v", id, g.Err)
	}
	return g.Resource
}

func object(w http.ResponseWriter, _ *http.Request) {
	for name, v := range map[string]string{
		"Content-Type": "image/jpeg", "Content-Length": "103392", "Last-Modified": "Sat, 21 Nov 2026 19:49:21 GMT", "ETag": `"52a8"`,
		"X-Amz-Meta-Alt": "=?UTF-8?Q?Tulpen_f=C3=BCr_dich?=", "X-Amz-Meta-Caption": "Spring", "X-Amz-Meta-Width": "2400",
	} {
		w.Header().Set(name, v)
	}
}

func TestAnObjectIsWhatItsHeadersSay(t *testing.T) {
	h := bucket(t, func(w http.ResponseWriter, r *http.Request) {
		if !strings.Contains(r.Header.Get("Authorization"), "/us-east-1/s3/aws4_request, SignedHeaders=host;x-amz-content-sha256;x-amz-date, ") {
			t.Errorf("the call comes with %v", r.Header)
		}
		object(w, r)
	}, nil)
	r := asset(t, h, "spring/tulip no. 1.jpg")
	for name, want := range map[string]any{
		"title": "tulip no. 1.jpg", "alt": "Tulpen für dich", "caption": "Spring", "mediaType": "image/jpeg", "bytes": int64(103392), "width": int64(2400),
		"original": "https://cdn.example/pics/spring/tulip%20no.%201.jpg",
	} {
		if got := r.Fields.Get(name); got != want {
			t.Errorf("%s is %v, want %v", name, got, want)
		}
	}
	if at := fmt.Sprint(r.Fields.Get("updatedAt")); !strings.HasPrefix(at, "2026-11-21 19:49:21") {
		t.Errorf("updatedAt is %s", at)
	}
	if r.Assets != nil {
		t.Error("it has renditions without the proxy's secrets: the plain address stands in")
	}
}

func TestRenditionsAreSigned(t *testing.T) {
	signed := func(c *config.Source) {
		c.Secrets["imgproxyKey"], c.Secrets["imgproxySalt"] = tutti.NewSecret("736563726574"), tutti.NewSecret("68656C6C6F")
	}
	s := pathSigner{key: []byte("secret"), salt: []byte("hello")}
	for source, path := range map[string]string{
		"s3":  "/rs:fit:320:0/czM6Ly9waWNzL3NwcmluZy90dWxpcCAxLmpwZw.webp", // s3://pics/spring/tulip 1.jpg
		"url": "/rs:fit:320:0/aHR0cHM6Ly9jZG4uZXhhbXBsZS9waWNzL3NwcmluZy90dWxpcCUyMDEuanBn.webp",
	} {
		h := bucket(t, object, func(c *config.Source) { signed(c); c.Settings["imageSource"] = source })
		r := asset(t, h, "spring/tulip 1.jpg")
		if got, want := r.Assets.URL(320, 0, "webp"), "https://img.example/"+s.sign(path)+path; got != want {
			t.Errorf("from %s it is %s, want %s", source, got, want)
		}
		crop := "/rs:fill:320:180" + strings.TrimPrefix(strings.Replace(path, ".webp", ".jpg", 1), "/rs:fit:320:0")
		if got, want := r.Assets.URL(320, 180, "jpeg"), "https://img.example/"+s.sign(crop)+crop; got != want {
			t.Errorf("cropped from %s it is %s, want %s", source, got, want)
		}
		if told := fmt.Sprintf("%+v %#v", r, r) + h.said(); strings.Contains(told, "736563726574") || strings.Contains(told, "canary") {
			t.Errorf("a secret is told: %s", told)
		}
	}
}

func TestAWrongSigningKeyIsAMistakeOfTheConfig(t *testing.T) {
	c := config.Source{
		Name: "dam", Connector: "s3", Settings: map[string]string{"bucket": "pics"}, Kinds: map[string]config.KindConfig{"asset": {Access: tutti.AccessPublic}},
		Secrets: map[string]tutti.Secret{"imgproxyKey": tutti.NewSecret("canary"), "imgproxySalt": tutti.NewSecret("00")},
	}
	_, err := Open([]config.Source{c}, Deps{})
	if err == nil || !strings.Contains(err.Error(), "sources.dam.secrets") && !strings.Contains(err.Error(), "hexadecimal") && !strings.Contains(err.Error(), "does not match") || strings.Contains(err.Error(), "canary") {
		t.Errorf("it comes to %v", err)
	}
}

func TestAKeyThatIsUnchangedIsNotReadAgain(t *testing.T) {
	var conditional []string
	h := bucket(t, func(w http.ResponseWriter, r *http.Request) {
		if m := r.Header.Get("If-None-Match"); m != "" {
			conditional = append(conditional, m)
			w.Header().Set("ETag", `"52a8"`)
			w.WriteHeader(http.StatusNotModified)
			return
		}
		object(w, r)
	}, nil)
	asset(t, h, "a.jpg")
	h.Forget("shop:asset/a.jpg")
	if r := asset(t, h, "a.jpg"); r.Fields.Get("caption") != "Spring" || len(conditional) != 1 || conditional[0] != `"52a8"` {
		t.Errorf("it is %v after asking with %v", r.Fields, conditional)
	}
}
