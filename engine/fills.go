package engine

import (
	"strings"

	"github.com/tuttihq/tutti"
)

// Fills gives the personal words for the holes of this composition's plans, by the hole's name.
// A value that is unknown is "", and so is one that has no words. Raw words: whoever fills a hole
// escapes them for its form; those of holes in URLs are already escaped. Never cache or log them.
//
// Expressions that read locale, channel, market or currency need FillsOf.
func (c *Compiled) Fills(params tutti.Params, f tutti.Facts) tutti.Fills {
	return c.fills(&decider{c: c, params: params, facts: f})
}

func (c *Compiled) fills(d *decider) tutti.Fills {
	fills := tutti.Fills{}
	for _, x := range c.holes {
		words := ""
		if v, ok := d.evalText(x); ok {
			words = formatValue(v)
		}
		fills[x.source] = words
		fills[urlHole(x.source, false)] = escapeURL(words, false)
		fills[urlHole(x.source, true)] = escapeURL(words, true)
	}
	return fills
}

// FillsNamed puts the fills of these names into fills, for who knows which holes there are. The input
// is that of Decide.
func (c *Compiled) FillsNamed(fills tutti.Fills, names []string, params tutti.Params, v tutti.Context, f tutti.Facts) {
	d := borrowDecider(c, params, v, f)
	defer d.giveBack()
	for _, name := range names {
		source, form := name, ""
		if rest, ok := strings.CutPrefix(name, "url"); ok && rest != "" && (rest[0] == '/' || rest[0] == '?') {
			source, form = rest[1:], rest[:1]
		}
		for _, x := range c.holes {
			if x.source != source {
				continue
			}
			words := ""
			if v, ok := d.evalText(x); ok {
				words = formatValue(v)
			}
			if form != "" {
				words = escapeURL(words, form == "?")
			}
			fills[name] = words
			break
		}
	}
}

// FillsOf gives only the fills that a plan has holes for.
func (c *Compiled) FillsOf(p *tutti.Plan, f tutti.Facts) tutti.Fills {
	all := c.fills(&decider{c: c, params: p.Params, facts: f, channel: p.Channel, locale: p.Locale, chain: p.Chain, scope: p.Scope})
	fills := tutti.Fills{}
	take := func(v *tutti.Value) {
		for i := range v.Text {
			if h := v.Text[i].Hole; h != "" {
				fills[h] = all[h]
			}
		}
	}
	take(&p.Title)
	take(&p.Description)
	var slots func([]tutti.SlotPlan)
	slots = func(list []tutti.SlotPlan) {
		for i := range list {
			for j := range list[i].Components {
				cp := &list[i].Components[j]
				for k := range cp.Props {
					for l := range cp.Props[k].Values {
						take(&cp.Props[k].Values[l])
					}
				}
				for k := range cp.Actions {
					take(&cp.Actions[k].Label)
					take(&cp.Actions[k].Href)
					take(&cp.Actions[k].DeepLink)
				}
				slots(cp.Slots)
			}
		}
	}
	slots(p.Slots)
	return fills
}
