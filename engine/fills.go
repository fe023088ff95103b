package engine

import (
	"strings"

	"github.com/tuttihq/tutti"
)

// FillsOf gives the personal words for the holes of a plan of this composition, by the hole's name.
// A value that is unknown is "", and so is one that has no words. Raw words: whoever fills a hole
// escapes them for its form; those of holes in URLs are already escaped. Never cache or log them.
func (c *Compiled) FillsOf(p *tutti.Plan, f tutti.Facts) tutti.Fills {
	fills := tutti.Fills{}
	c.FillsInto(fills, p, f)
	return fills
}

// FillsNamed puts the fills of these names into fills, for who knows which holes there are. The input
// is that of Decide.
func (c *Compiled) FillsNamed(fills tutti.Fills, names []string, params tutti.Params, v tutti.Context, f tutti.Facts) {
	d := c.Deciding(params, v, f).d
	defer d.giveBack()
	for _, name := range names {
		d.fill(fills, name)
	}
}

// fill puts the words for a hole into fills; none for a name that no hole has.
func (d *decider) fill(fills tutti.Fills, name string) {
	if x := d.c.hole(name); x != nil {
		fills[name] = d.wordsOf(x)
		return
	}
	if form, ok := strings.CutPrefix(name, "url"); ok && form != "" { // see urlHole
		if x := d.c.hole(form[1:]); x != nil {
			fills[name] = escapeURL(d.wordsOf(x), form[0] == '?')
		}
	}
}

func (c *Compiled) hole(source string) *expression {
	for _, x := range c.holes {
		if x.source == source {
			return x
		}
	}
	return nil
}

func (d *decider) wordsOf(x *expression) string {
	v, ok := d.evalText(x)
	if !ok {
		return ""
	}
	return formatValue(v)
}

// FillsInto puts what FillsOf gives into fills.
func (c *Compiled) FillsInto(fills tutti.Fills, p *tutti.Plan, f tutti.Facts) {
	d := deciders.Get().(*decider)
	defer d.giveBack()
	d.c, d.params, d.facts, d.channel, d.locale, d.chain, d.scope = c, p.Params, f, p.Channel, p.Locale, p.Chain, p.Scope
	take := func(v *tutti.Value) {
		for i := range v.Text {
			if h := v.Text[i].Hole; h != "" {
				if _, known := fills[h]; !known {
					d.fill(fills, h)
				}
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
}
