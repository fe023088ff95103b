package store

import (
	"encoding/json"

	"github.com/tuttihq/tutti"
)

// CheckShape is for the engines: Invalid for a shape without a name or without JSON.
func CheckShape(s tutti.Shape) error {
	if s.Source == "" || s.Kind == "" || !json.Valid(s.Body) {
		return tutti.Errorf(tutti.Invalid, "keeping a shape: it has no source, no kind, or is no JSON")
	}
	return nil
}
