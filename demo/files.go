package demo

import (
	"embed"
	"io/fs"
)

//go:embed tutti.yaml redirects.yaml all:compositions all:audiences all:personas all:manifests
var files embed.FS

// Files are the demo's configuration and content, as they stand in the folder demo: tutti.yaml,
// redirects.yaml, compositions, audiences, personas, manifests.
func Files() fs.FS { return files }
