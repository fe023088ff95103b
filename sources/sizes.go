package sources

import (
	"cmp"
	"slices"
	"strconv"

	"github.com/tuttihq/tutti/internal/text"
)

// size is a width in which the system has a picture ready, with its address.
type size struct {
	width   int
	value   *expression // of the manifest
	address string      // of a record
}

func (c *compiler) sizes(at string, in map[string]string) []size {
	var all []size
	for _, name := range sortedKeys(in) {
		width, err := strconv.Atoi(name)
		if err != nil || width < 1 || width > 1<<15 {
			c.wrong(at+"."+name, "is no width in pixels", "Write, for example:  512: record.thumbnails.medium")
		}
		all = append(all, size{width: width, value: c.expression(at+"."+name, in[name], recordNames)})
	}
	slices.SortFunc(all, func(a, b size) int { return cmp.Compare(a.width, b.width) })
	return all
}

// ready gives the sizes that a record has, from small to large.
func ready(all []size, s *seen) []size {
	var have []size
	for _, one := range all {
		v, ok, err := s.eval(one.value)
		words, isText := toText(v)
		if err != nil || !ok || !isText {
			continue
		}
		if one.address = text.StripHoles(address(words)); one.address != "" {
			have = append(have, size{width: one.width, address: one.address})
		}
	}
	return have
}

// fitting gives the smallest that is wide enough, or else the widest.
func fitting(have []size, width int) string {
	for _, one := range have {
		if one.width >= width {
			return one.address
		}
	}
	return have[len(have)-1].address
}
