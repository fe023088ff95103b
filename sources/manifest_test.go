package sources

import (
	"os"
	"testing"
)

func TestEveryManifestIsRight(t *testing.T) {
	for _, name := range append(Vendors(), "../demo/manifests/stay.yaml") {
		t.Run(name, func(t *testing.T) {
			m, err := ReadManifest(name, ".")
			if err != nil {
				t.Fatalf("reading it: %v", err)
			}
			if m.Family == "" {
				t.Errorf("it has no family: write one of %s", list(families))
			}
			if m.Webhook != nil && m.Webhook.Setup == "" {
				t.Error("it does not say how its webhook is set up: write webhook.setup")
			}
		})
	}
	if _, err := os.Stat("vendors"); err != nil {
		t.Fatal(err)
	}
}
