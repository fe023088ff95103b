package tutti

import "encoding/json"

// Migration says how props that were written for an older version of a component type are read
// since Version. Names that a migration takes away are no props of the type any more, so that
// what is stored tells by itself which migrations it needs.
type Migration struct {
	Version int                          `json:"version"`
	Rename  map[string]string            `json:"rename,omitempty"`  // old name → new name
	Split   map[string]map[string]string `json:"split,omitempty"`   // old name → new name → CEL over value, the old prop's
	Drop    []string                     `json:"drop,omitempty"`    // old names
	Default map[string]json.RawMessage   `json:"default,omitempty"` // name → the literal that stands where a component has none; for words also by locale
}

// Old are the names that the migration takes away.
func (m *Migration) Old() []string {
	names := append([]string(nil), m.Drop...)
	for name := range m.Rename {
		names = append(names, name)
	}
	for name := range m.Split {
		names = append(names, name)
	}
	return names
}
