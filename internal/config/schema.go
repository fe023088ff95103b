package config

import _ "embed"

//go:embed tutti.schema.json
var schema []byte

// Schema gives the JSON Schema of tutti.yaml, for editors and checks.
func Schema() []byte { return append([]byte(nil), schema...) }
