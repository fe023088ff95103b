package resolvers

import (
	"context"
	"strings"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/engine"
	"github.com/tuttihq/tutti/graph"
)

func (m mutation) Invalidate(ctx context.Context, refs []*tutti.Ref, kind, source *string, mode *graph.InvalidateMode, reason *string, dryRun *bool) (*graph.Invalidation, error) {
	t, err := m.target(refs, kind, source)
	if err != nil {
		return nil, err
	}
	out := &graph.Invalidation{Mode: graph.InvalidateModeStale, DryRun: valueOf(dryRun), Refs: pointers(t.Refs), Kinds: m.kindsOf(t)}
	if mode != nil {
		out.Mode = *mode
	}
	touches := m.Library.Touches(t)
	out.Touches, out.Compositions = touched(touches), engine.CompositionsOf(touches)
	if out.DryRun {
		return out, nil
	}
	tags, purge := tagsOf(t), out.Mode == graph.InvalidateModePurge
	line := tutti.AuditEntry{
		Action: tutti.AuditInvalidate, Subject: strings.Join(tags, " "), Detail: strings.ToLower(string(out.Mode)), Reason: valueOf(reason), By: keyID(ctx), At: m.Now(),
	}
	outward := m.Sources.Outward(tags...)
	if err := m.Store.Invalidate(ctx, purge, outward, line); err != nil {
		return nil, err
	}
	m.Told(purge, outward)
	return out, nil
}

// target reads what is to be invalidated: exactly one of three, all of it configured.
func (m mutation) target(refs []*tutti.Ref, kind, source *string) (engine.Target, error) {
	t := engine.Target{Kind: valueOf(kind), Source: valueOf(source)}
	given := 0
	for _, is := range []bool{refs != nil, kind != nil, source != nil} {
		if is {
			given++
		}
	}
	switch {
	case given != 1:
		return t, &tutti.Error{Code: tutti.InvalidValue, Message: "exactly one of refs, kind and source says what to invalidate.", Hint: "Write, for example, kind: \"stay:hotel\"."}
	case refs != nil && len(refs) == 0: // too many are refused before
		return t, &tutti.Error{Code: tutti.InvalidValue, Field: "refs", Message: "refs is empty.", Hint: "Name at least one item."}
	}
	for _, r := range refs {
		ref, err := m.Sources.Canonical(valueOf(r))
		if err != nil {
			return t, err
		}
		t.Refs = append(t.Refs, ref)
	}
	if len(refs) == 0 && len(m.kindsOf(t)) == 0 {
		field := "kind"
		if source != nil {
			field = "source"
		}
		return t, &tutti.Error{Code: tutti.UnknownSource, Field: field, Message: "no such " + field + " is configured.", Hint: "The query sources lists them; a kind is written source:kind."}
	}
	return t, nil
}

// kindsOf are the configured kinds that a target is of.
func (r *Resolvers) kindsOf(t engine.Target) []string {
	tags := []string{}
	for _, k := range r.Sources.Kinds() {
		if tag := tutti.KindTag(k.Source, k.Name); t.Of(tag) {
			tags = append(tags, tag)
		}
	}
	return tags
}

// tagsOf are the names of what is invalidated, as sources know them.
func tagsOf(t engine.Target) []string {
	switch {
	case t.Source != "":
		return []string{t.Source}
	case t.Kind != "":
		return []string{t.Kind}
	}
	var tags []string
	for _, r := range t.Refs {
		tags = append(tags, r.Tag())
	}
	return tags
}

func touched(list []engine.Touch) []*graph.Touch {
	out := []*graph.Touch{}
	for _, x := range list {
		out = append(out, &graph.Touch{Composition: x.Composition, Component: text(x.Component), Type: text(x.Type), How: graph.TouchHow(x.How)})
	}
	return out
}

func pointers[T any](list []T) []*T {
	out := make([]*T, len(list))
	for i := range list {
		out[i] = &list[i]
	}
	return out
}

// keyID names who does something, for the audit log.
func keyID(ctx context.Context) string { return graph.ViewerFrom(ctx).KeyID }
