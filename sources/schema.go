package sources

import _ "embed"

//go:embed manifest.schema.json
var manifestSchema []byte

// ManifestSchema gives the JSON Schema of manifests, for editors and checks.
func ManifestSchema() []byte { return append([]byte(nil), manifestSchema...) }
