package resolvers

import (
	"context"
	"encoding/base64"
	"slices"
	"strconv"
	"strings"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/graph"
)

// waiting are the states that a moderator is asked about.
var waiting = []tutti.ModerationState{tutti.StatePending, tutti.StateBlocked}

func (q query) Moderation(ctx context.Context, source, kind string, states []graph.ModerationState, first *int, after, locale *string) (*graph.ModerationConnection, error) {
	n, err := pageSize(first, 20, nextWithAfter)
	if err != nil {
		return nil, err
	}
	req, err := q.request(ctx, nil, locale, nil, nil)
	if err != nil {
		return nil, err
	}
	cursor, err := readOriginCursor(after)
	if err != nil {
		return nil, err
	}
	page, err := q.Deps.Sources.Moderation(ctx, tutti.Selection{Source: source, Kind: kind, First: n, After: cursor}, req.scope())
	if err != nil {
		return nil, err
	}
	wanted := waiting
	if len(states) > 0 {
		wanted = nil
		for _, s := range states {
			wanted = append(wanted, tutti.ModerationState(s))
		}
	}
	out := &graph.ModerationConnection{Nodes: []*graph.ModerationItem{}, PageInfo: &graph.PageInfo{HasNextPage: page.Next != ""}}
	if page.Next != "" {
		next := originCursor(page.Next)
		out.PageInfo.EndCursor = &next
	}
	for _, m := range page.Items {
		if !slices.Contains(wanted, m.State) {
			continue
		}
		out.Nodes = append(out.Nodes, moderationItem(m))
	}
	return out, nil
}

func moderationItem(m tutti.Moderated) *graph.ModerationItem {
	all := map[string]any{}
	for name, v := range m.Resource.Fields.All() {
		all[name] = v
	}
	item := &graph.ModerationItem{Ref: m.Resource.Ref, State: graph.ModerationState(m.State), Title: text(m.Resource.Fields.Text("title")), Link: text(m.Resource.Fields.Text("link")), Fields: all}
	if at, ok := m.Resource.Fields.Field("updatedAt").Time(); ok {
		item.UpdatedAt = &at
	}
	if m.Verdict != nil {
		item.Verdict = verdict(*m.Verdict)
	}
	return item
}

func verdict(v tutti.Verdict) *graph.Verdict {
	judgement := graph.JudgementNone
	if v.Judgement != "" {
		judgement = graph.Judgement(strings.ToUpper(string(v.Judgement)))
	}
	return &graph.Verdict{Ref: v.Ref, Judgement: judgement, Reason: text(v.Reason), Seen: v.Seen, CreatedBy: v.CreatedBy, CreatedAt: v.CreatedAt}
}

func (m mutation) Moderate(ctx context.Context, items []*graph.ModerateInput, reason *string) ([]*graph.Verdict, error) {
	if len(items) == 0 || len(items) > maxPage {
		return nil, &tutti.Error{Code: tutti.InvalidValue, Field: "items", Message: "1 to 100 items may be judged at once.", Hint: "Send several requests."}
	}
	now := m.Now()
	list := make([]tutti.Verdict, len(items))
	for i, in := range items {
		ref, err := m.Sources.Canonical(in.Ref)
		if err != nil {
			return nil, err
		}
		if k, ok := m.Sources.Kind(ref.Source, ref.Kind); !ok || k.Moderation == tutti.NoModeration {
			return nil, &tutti.Error{
				Code: tutti.InvalidValue, Field: "items[" + strconv.Itoa(i) + "].ref", Message: "the kind " + ref.KindTag() + " is not moderated.",
				Hint: "Write  moderation: approve  or auto for it in the config, or withdraw the item with suppress.",
			}
		}
		list[i] = tutti.Verdict{Ref: ref, Reason: valueOf(reason), Seen: now, CreatedBy: keyID(ctx), CreatedAt: now}
		if in.Judgement != graph.JudgementNone {
			list[i].Judgement = tutti.Judgement(strings.ToLower(string(in.Judgement)))
		}
		if in.Seen != nil {
			list[i].Seen = *in.Seen
		}
	}
	if err := m.Store.Judge(ctx, list, func(r tutti.Ref) []string { return m.Sources.Outward(r.Tag()) }); err != nil {
		return nil, err
	}
	if err := m.Reload(ctx); err != nil {
		return nil, err
	}
	out := make([]*graph.Verdict, len(list))
	for i, v := range list {
		out[i] = verdict(v)
	}
	return out, nil
}

// originCursor makes an origin's cursor one of ours.
func originCursor(c string) string { return base64.RawURLEncoding.EncodeToString([]byte("o:" + c)) }

// readOriginCursor gives "" for no cursor.
func readOriginCursor(after *string) (string, error) {
	if after == nil || *after == "" {
		return "", nil
	}
	if b, err := base64.RawURLEncoding.DecodeString(*after); err == nil && strings.HasPrefix(string(b), "o:") {
		return string(b[2:]), nil
	}
	return "", &tutti.Error{Code: tutti.InvalidValue, Field: "after", Message: "this is no cursor of this list.", Hint: "Send the endCursor of the page before, unchanged."}
}
