package sources

import (
	"os"
	"testing"
)

func TestEveryManifestIsRight(t *testing.T) {
	for _, name := range append(Vendors(), "../demo/manifests/stay.yaml") {
		t.Run(name, func(t *testing.T) {
			if _, err := ReadManifest(name, "."); err != nil {
				t.Errorf("reading it: %v", err)
			}
		})
	}
	if _, err := os.Stat("vendors"); err != nil {
		t.Fatal(err)
	}
}
