package resolvers

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/graph"
)

func (q query) Channels(context.Context) ([]*graph.Channel, error) {
	list := make([]*graph.Channel, len(q.Deps.Channels))
	for i, c := range q.Deps.Channels {
		list[i] = &graph.Channel{
			Name: c.Name, Description: text(c.Description), Widths: notNil(c.Widths), Formats: notNil(c.Formats), Speech: c.Speech, Message: c.Message,
		}
	}
	return list, nil
}

func (q query) Locales(context.Context) ([]string, error) {
	list := []string{q.Deps.Locales.Default}
	for _, l := range q.Deps.Locales.Names {
		if l != q.Deps.Locales.Default {
			list = append(list, l)
		}
	}
	return list, nil
}

func (q query) Attributes(context.Context) ([]*graph.Attribute, error) {
	list := make([]*graph.Attribute, len(q.Deps.Attributes))
	for i, a := range q.Deps.Attributes {
		list[i] = &graph.Attribute{
			Name: a.Name, Type: string(a.Type), Description: text(a.Description), Values: notNil(a.Values), Deprecated: text(a.Deprecated),
			Purpose: graph.Purpose(strings.ToUpper(string(a.Purpose))), Trust: graph.Trust(strings.ToUpper(a.Trust.String())),
			Sensitivity: graph.Sensitivity(strings.ToUpper(string(a.Sensitivity))),
		}
	}
	return list, nil
}

func (q query) ComponentTypes(context.Context) ([]*graph.ComponentType, error) {
	list := make([]*graph.ComponentType, len(q.Deps.ComponentTypes))
	for i, t := range q.Deps.ComponentTypes {
		props := make([]*graph.PropDefinition, len(t.Props))
		for j, p := range t.Props {
			accepts := []string{}
			for _, a := range p.Accepts {
				accepts = append(accepts, string(a))
			}
			props[j] = &graph.PropDefinition{Name: p.Name, Type: string(p.Type), Description: text(p.Description), Deprecated: text(p.Deprecated), Values: notNil(p.Values), Required: p.Required, Accepts: accepts, MaxLength: positive(p.MaxLength)}
		}
		list[i] = &graph.ComponentType{Name: t.Name, Version: t.Version, Description: text(t.Description), Deprecated: text(t.Deprecated), Props: props, Downlevel: downlevel(&t), Slots: slotDefinitions(t.Slots)}
	}
	return list, nil
}

func downlevel(t *tutti.ComponentType) []string {
	list := []string{}
	for _, d := range t.Downlevel {
		if d.Type != "" {
			list = append(list, d.Type)
		} else {
			list = append(list, t.Name+"@"+strconv.Itoa(d.Version))
		}
	}
	return list
}

func (q query) CompositionTypes(context.Context) ([]*graph.CompositionType, error) {
	list := make([]*graph.CompositionType, len(q.Deps.CompositionTypes))
	for i, t := range q.Deps.CompositionTypes {
		list[i] = &graph.CompositionType{Name: t.Name, Version: t.Version, Description: text(t.Description), Slots: slotDefinitions(t.Slots)}
	}
	return list, nil
}

func slotDefinitions(slots []tutti.SlotDefinition) []*graph.SlotDefinition {
	list := make([]*graph.SlotDefinition, len(slots))
	for i, s := range slots {
		list[i] = &graph.SlotDefinition{Name: s.Name, Description: text(s.Description), Allowed: notNil(s.Allowed), Min: s.Min, Max: positive(s.Max)}
	}
	return list
}

// positive gives nil for 0, which stands for "no limit".
func positive(n int) *int {
	if n <= 0 {
		return nil
	}
	return &n
}

func (q query) Sources(context.Context) ([]*graph.Source, error) {
	kinds := map[string][]*graph.Kind{}
	for _, k := range q.Deps.Sources.Kinds() {
		kinds[k.Source] = append(kinds[k.Source], kindModel(k))
	}
	list := []*graph.Source{}
	drifts := q.driftsBySource()
	for _, s := range q.Deps.SourceStates() {
		h := &graph.SourceHealth{State: graph.HealthState(s.State), Calls: s.Calls, Failures: s.Failures}
		if s.MedianLatency > 0 {
			ms := float64(s.MedianLatency.Microseconds()) / 1000
			h.MedianLatency = &ms
		}
		if s.LastError != "" {
			code := graph.ErrorCode(s.LastError)
			h.LastError = &code
		}
		if !s.LastSuccess.IsZero() {
			h.LastSuccess = &s.LastSuccess
		}
		if !s.LastPoll.IsZero() {
			h.LastPoll = &s.LastPoll
		}
		list = append(list, &graph.Source{Name: s.Name, Connector: s.Connector, Description: text(s.Description), Kinds: notNil(kinds[s.Name]), Health: h, Drifts: notNil(drifts[s.Name])})
	}
	return list, nil
}

func kindModel(k *tutti.Kind) *graph.Kind {
	types := map[string]string{}
	for name, t := range k.Fields {
		types[name] = string(t)
	}
	return &graph.Kind{
		Name: k.Name, Type: string(k.Type), Description: text(k.Description), Access: graph.Access(strings.ToUpper(string(k.Access))),
		Exposed: k.Expose, Searchable: k.Search, Filters: sorted(k.Filters), Sorts: sorted(k.Sorts), Dimensions: sorted(k.Dimensions), Fields: types,
	}
}

func sorted(l []string) []string {
	l = append([]string{}, l...)
	slices.Sort(l)
	return l
}
