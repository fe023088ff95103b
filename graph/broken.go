package graph

import "github.com/tuttihq/tutti"

// Broken is an operation that would not get what it asks for.
type Broken struct {
	ID       string   `json:"id"`
	Name     string   `json:"name,omitempty"`
	Gone     bool     `json:"gone"` // it only names what is gone: while it is stored, it is answered without that; else it is refused
	Problems []string `json:"problems"`
}

// BrokenBy tells which operations would not get what they ask for from these component types, in
// the order of the list. The error is that of CheckTypes.
func BrokenBy(types []tutti.ComponentType, attrs []tutti.Attribute, list []tutti.Operation) ([]Broken, error) {
	texts := make([]string, len(list))
	for i, o := range list {
		texts[i] = o.Text
	}
	plain, err := NewGeneration(GenerationConfig{ID: "plain", ComponentTypes: types, Attributes: attrs})
	if err != nil {
		return nil, err
	}
	kept, err := NewGeneration(GenerationConfig{ID: "kept", ComponentTypes: types, Attributes: attrs, Stored: texts})
	if err != nil {
		return nil, err
	}
	broken := []Broken{}
	for _, o := range list {
		if problems := plain.Check(o.Text); len(problems) > 0 {
			broken = append(broken, Broken{ID: o.ID, Name: o.Name, Gone: len(kept.Check(o.Text)) == 0, Problems: problems})
		}
	}
	return broken, nil
}
