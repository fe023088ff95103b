package config

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestASecretCanComeFromAFile(t *testing.T) {
	dir := t.TempDir()
	write := func(name, content string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("shop", "canary-key\n")
	write("empty", "\n")
	write("large", strings.Repeat("canary", 20_000))
	read := func(value string) (*Config, error) {
		return Parse(filepath.Join(dir, "tutti.yaml"), []byte("sources: {shop: {connector: ./shop.yaml, secrets: {key: \""+value+"\"}, kinds: {item: {access: public}}}}"), environment)
	}
	for value, want := range map[string]string{
		"${file:shop}": "canary-key",
		"${file:" + filepath.Join(dir, "shop") + "}": "canary-key",
		"Token ${file:shop}":                         "Token canary-key",
		"$${file:shop} ${file:shop}":                 "${file:shop} canary-key",
	} {
		c, err := read(value)
		if err != nil || c.Source("shop").Secrets["key"].Reveal() != want {
			t.Errorf("%s comes to %v", value, err)
			continue
		}
		if printed := fmt.Sprintf("%+v %#v", *c, *c); strings.Contains(printed, "canary") {
			t.Error("a printed config shows a secret")
		}
	}
	for file, want := range map[string]string{"none": "which is not there", "empty": "which is empty", "large": "larger than 64 KiB", ".": "which is no file"} {
		if _, err := read("${file:" + file + "}"); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s comes to %v, want: %s", file, err, want)
		}
	}
}
