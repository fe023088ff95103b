package config

import (
	"fmt"
	"maps"
	"slices"

	"github.com/tuttihq/tutti"
)

// migrations checks how props of older versions are read. What is stored does not say for which
// version it was written, so a name that a migration takes away must mean nothing else any more.
func (k *checker) migrations(path string, t *tutti.ComponentType) {
	var names []string
	for _, p := range t.Props {
		names = append(names, p.Name)
	}
	before := 1
	for i := range t.Migrations {
		m, at := &t.Migrations[i], fmt.Sprintf("%s[%d]", path, i)
		if m.Version == 0 {
			k.missing(at+".version", true, fmt.Sprintf("version: %d", t.Version))
		} else if m.Version < max(2, before) || m.Version > t.Version {
			k.bad(at+".version", fmt.Sprintf("is %d; migrations stand oldest first, from 2 to the version of %s, which is %d", m.Version, t.Name, t.Version), "")
		}
		before = max(before, m.Version)
		later := slices.Clone(names) // where a prop may go: one of now, or one that goes on
		for j := i + 1; j < len(t.Migrations); j++ {
			later = append(later, t.Migrations[j].Old()...)
		}
		old := func(field, name string) {
			switch {
			case slices.Contains(names, name):
				k.bad(field, "takes the prop "+quoted(name)+" away, but "+t.Name+" has it: old names cannot be used again", "")
			case count(m.Old(), name) > 1:
				k.bad(field, "takes the prop "+quoted(name)+" away twice", "")
			}
		}
		into := func(field, name string) {
			if !slices.Contains(later, name) {
				k.unknownName(field, name, "prop of "+t.Name, names)
			}
		}
		for _, name := range slices.Sorted(maps.Keys(m.Rename)) {
			old(at+".rename."+name, name)
			into(at+".rename."+name, m.Rename[name])
		}
		for _, name := range slices.Sorted(maps.Keys(m.Split)) {
			old(at+".split."+name, name)
			k.missing(at+".split."+name, len(m.Split[name]) == 0, name+": {street: \"value.split(', ')[0]\"}")
			for _, part := range slices.Sorted(maps.Keys(m.Split[name])) {
				into(at+".split."+name+"."+part, part)
			}
		}
		for j, name := range m.Drop {
			old(fmt.Sprintf("%s.drop[%d]", at, j), name)
		}
		for _, name := range slices.Sorted(maps.Keys(m.Default)) {
			into(at+".default."+name, name)
		}
	}
}

func count(list []string, s string) int {
	n := 0
	for _, x := range list {
		if x == s {
			n++
		}
	}
	return n
}
