package sources

import "slices"

// families are what systems are for, in the order of the documentation.
var families = []string{"dam", "catalog", "social", "support", "content", "any"}

// Families gives what systems can be for, in a fixed order. The last, any, is for every system.
func Families() []string { return slices.Clone(families) }

func (c *compiler) family() {
	if f := c.m.Family; f != "" && !slices.Contains(families, f) {
		c.wrong("family", unknown(f), oneOf(f, families))
	}
}

// Definitions describes the kinds, in a fixed order.
func (m *Manifest) Definitions() []Definition { return m.definitions() }
