package resolvers

import (
	"slices"
	"strings"
	"time"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/engine"
	"github.com/tuttihq/tutti/graph"
)

// experienceObject is a delivered experience with what the envelope needs besides.
type experienceObject struct {
	x       *tutti.Experience
	why     tutti.Why
	channel string
	locale  string
	until   time.Time
	holds   *tutti.Holds // nil where nobody asks
	props   propTypes
	blanks  engine.Blanks // for personal words, where x is marked
	fills   tutti.Fills
}

func (*experienceObject) TypeName() string { return "Experience" }

// AppendField writes what is a text.
func (o *experienceObject) AppendField(b []byte, name string) ([]byte, bool) {
	switch name {
	case "id":
		return graph.AppendString(b, o.x.ID), true
	case "composition":
		return graph.AppendString(b, o.x.Composition), true
	case "channel":
		return graph.AppendString(b, o.channel), true
	case "locale":
		return graph.AppendString(b, o.locale), true
	}
	return b, false
}

func (o *experienceObject) Field(name string, _ graph.Args) (any, error) {
	x := o.x
	switch name {
	case "id":
		return x.ID, nil
	case "composition":
		return x.Composition, nil
	case "version":
		return x.Version, nil
	case "title":
		return orNull(x.Title), nil
	case "meta":
		return fields{"Meta", map[string]any{"title": orNull(x.Title), "description": orNull(x.Description)}}, nil
	case "slots":
		list := make([]graph.Object, len(x.Slots))
		for i, s := range x.Slots {
			list[i] = topSlot{slotObject{s, o}}
		}
		return list, nil
	case "components":
		return o.components(x.Components), nil
	case "problems":
		return problemObjects(x.Problems), nil
	case "freshness":
		return freshnessObject(x.Freshness), nil
	case "validUntil":
		return instant(o.until), nil
	case "holds":
		return holdsObject(o.holds), nil
	case "locales":
		list := make([]graph.Object, len(x.Locales))
		for i, l := range x.Locales {
			list[i] = fields{"LocaleUsed", map[string]any{"path": l.Path, "asked": l.Asked, "got": l.Got}}
		}
		return list, nil
	case "speech":
		if x.Speech == nil {
			return nil, nil
		}
		return fields{"Speech", map[string]any{"ssml": x.Speech.SSML, "text": x.Speech.Text, "reprompt": orNull(x.Speech.Reprompt)}}, nil
	case "message":
		return messageObject(x.Message), nil
	case "channel":
		return o.channel, nil
	case "locale":
		return o.locale, nil
	}
	return nil, noField("Experience", name)
}

func (o *experienceObject) slots(slots []*tutti.Slot) []graph.Object {
	list := make([]graph.Object, len(slots))
	for i, s := range slots {
		list[i] = slotObject{s, o}
	}
	return list
}

func (o *experienceObject) components(cs []*tutti.Component) []graph.Piece {
	list, room := make([]graph.Piece, len(cs)), make([]componentObject, len(cs))
	for i, c := range cs {
		room[i] = componentObject{c, o}
		list[i] = &room[i]
	}
	return list
}

func (o *experienceObject) decision(id string) any {
	id, _, _ = strings.Cut(id, "#") // a repeated component is decided once
	d, ok := o.why[id]
	if !ok {
		return nil
	}
	return decisionObject(d)
}

type slotObject struct {
	s *tutti.Slot
	x *experienceObject
}

func (slotObject) TypeName() string { return "Slot" }

func (o slotObject) Field(name string, _ graph.Args) (any, error) {
	switch name {
	case "name":
		return o.s.Name, nil
	case "components":
		return o.x.components(o.s.Components), nil
	case "why":
		return o.x.decision(o.s.ID), nil
	case "leftOut":
		return o.x.leftOut(o.s.ID), nil
	case "hash":
		return nil, nil
	case "unchanged":
		return false, nil
	}
	return nil, noField("Slot", name)
}

// leftOut are the components of a slot that were decided against.
func (o *experienceObject) leftOut(slot string) []graph.Object {
	var ids []string
	for id, d := range o.why {
		if d.Slot == slot {
			ids = append(ids, id)
		}
	}
	slices.SortFunc(ids, func(a, b string) int { return o.why[a].Place - o.why[b].Place })
	list := make([]graph.Object, len(ids))
	for i, id := range ids {
		list[i] = fields{"LeftOut", map[string]any{"component": id, "why": decisionObject(o.why[id])}}
	}
	return list
}

func messageObject(m *tutti.Message) any {
	if m == nil {
		return nil
	}
	buttons := make([]graph.Object, len(m.Buttons))
	for i, b := range m.Buttons {
		buttons[i] = fields{"Button", map[string]any{"label": b.Label, "href": b.Href}}
	}
	return fields{"Message", map[string]any{"text": m.Text, "image": resourceOrNull(m.Image), "buttons": buttons}}
}

func problemObjects(all []tutti.Problem) []graph.Object {
	list := make([]graph.Object, len(all))
	for i, p := range all {
		o := map[string]any{"path": p.Path, "ref": orNull(p.Ref), "code": string(p.Code), "message": p.Message, "stale": p.Stale, "field": orNull(p.Field), "pointer": nil}
		if p.Field != "" {
			o["pointer"] = p.Pointer // "" is the whole record
		}
		list[i] = fields{"Problem", o}
	}
	return list
}

func freshnessObject(f tutti.Freshness) graph.Object {
	state := f.State
	if state == "" {
		state = tutti.Fresh
	}
	return fields{"Freshness", map[string]any{"state": string(state), "asOf": instant(f.AsOf)}}
}

func decisionObject(d tutti.Decision) graph.Object {
	rules := make([]graph.Object, len(d.Rules))
	for i, r := range d.Rules {
		reads := make([]graph.Object, len(r.Attributes))
		for j, a := range r.Attributes {
			reads[j] = fields{"AttributeRead", map[string]any{
				"name": a.Name, "known": a.Known, "withheld": orNull(strings.ToUpper(string(a.Withheld))), "result": orNull(string(a.Result)),
			}}
		}
		rules[i] = fields{"RuleResult", map[string]any{
			"variant": r.Variant, "rule": r.Rule, "result": string(r.Result), "inWindow": r.InWindow, "drawable": !r.Undrawable, "attributes": reads, "error": orNull(r.Error),
		}}
	}
	return fields{"Decision", map[string]any{"variant": orNull(d.Variant), "reason": string(d.Reason), "form": orNull(d.Form), "rules": rules}}
}
