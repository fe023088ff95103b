package tutti

import (
	"slices"
	"strconv"
	"strings"
)

// Supports is what an app can draw: versions by component type. A type without versions is drawn
// in every one. nil is everything; what is not named cannot be drawn.
type Supports map[string][]int

// maxSupports is how many entries an app may name.
const maxSupports = 500

// ParseSupports reads "Hero@2", and "Hero" for every version. nil gives nil. An error has code
// InvalidValue. A type that nobody defines is no mistake: an app may be newer than the server.
func ParseSupports(list []string) (Supports, error) {
	if list == nil {
		return nil, nil
	}
	wrong := func(message string) error {
		return &Error{Code: InvalidValue, Field: "supports", Message: message, Hint: `Write, for example, supports: ["Hero@2", "Hero@1", "Card"], or leave it out for everything.`}
	}
	if len(list) == 0 {
		return nil, wrong("supports names nothing, so that nothing could be shown.")
	}
	if len(list) > maxSupports {
		return nil, wrong("supports names more than " + strconv.Itoa(maxSupports) + " component types.")
	}
	s := make(Supports, len(list))
	for _, entry := range list {
		name, version, versioned := strings.Cut(entry, "@")
		n, err := strconv.Atoi(version)
		if !IsName(name) || versioned && (err != nil || n < 1 || strconv.Itoa(n) != version) {
			return nil, wrong("“" + shortEntry(entry) + "” is no component type with a version.")
		}
		known, seen := s[name]
		switch {
		case !versioned:
			s[name] = []int{}
		case !seen || len(known) > 0:
			if !slices.Contains(known, n) {
				s[name] = append(known, n)
			}
		}
	}
	return s, nil
}

func shortEntry(s string) string {
	if len(s) > 80 {
		return strings.ToValidUTF8(s[:80], "") + "…"
	}
	return s
}

// Draws reports whether the app can draw a component type in a version.
func (s Supports) Draws(componentType string, version int) bool {
	if s == nil {
		return true
	}
	versions, ok := s[componentType]
	return ok && (len(versions) == 0 || slices.Contains(versions, version))
}

// DownlevelForm is a down-level form: what an app gets that cannot draw a component type as it is. It is
// what was made for the component type, under the names and types of the form's props; nothing is
// decided or gathered otherwise. Never changed.
type DownlevelForm struct {
	Type    string // that is delivered
	Version int
	Props   []FormProp
	Slots   []string // the slots that it has, by name
}

// FormProp is a prop of a down-level form.
type FormProp struct {
	PropDefinition
	From string // the prop of the component type that it is made of
}

// String is how supports names it: Hero@1.
func (f *DownlevelForm) String() string { return f.Type + "@" + strconv.Itoa(f.Version) }
