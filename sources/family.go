package sources

import (
	"errors"
	"slices"

	"github.com/tuttihq/tutti"
)

// families are what systems are for, in the order of the documentation.
var families = []string{"dam", "catalog", "social", "support", "content", "any"}

// Families gives what systems can be for, in a fixed order. The last, any, is for every system.
func Families() []string { return slices.Clone(families) }

func (c *compiler) family() {
	if f := c.m.Family; f != "" && !slices.Contains(families, f) {
		c.wrong("family", unknown(f), "Write one of "+list(families)+".")
	}
}

// Definitions describes the kinds, in a fixed order.
func (m *Manifest) Definitions() []Definition { return m.definitions() }

// Wrong makes a mistake with its place in the manifest: that of the key at a path such as kinds.item.map.title, or of its
// nearest parent. It is what ParseManifest's errors are.
func (m *Manifest) Wrong(path, what, hint string) *tutti.Error {
	var e *tutti.Error
	_ = errors.As(m.wrong(path, what, hint), &e) // it is one
	return e
}
