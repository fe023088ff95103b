package engine

import (
	"encoding/json"
	"strings"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/internal/text"
)

// clean takes the marks of holes out of everything that an origin wrote, so that none of its
// texts can ask for a personal value. The resource is shared: what changes is copied.
func clean(got tutti.Got) tutti.Got {
	r := got.Resource
	if r == nil || r.Fields.Lack(markStart) {
		return got
	}
	var others map[string]any
	for name, f := range r.Fields.Values() {
		s, isText := f.Text()
		v, isOther := f.Other()
		if isText && strings.Contains(s, markStart) {
			v, isOther = s, true
		}
		if isOther && marked(v) {
			if others == nil {
				others = map[string]any{}
			}
			others[name] = unmarked(v)
		}
	}
	if others != nil {
		copied := *r
		copied.Fields = r.Fields.With(others)
		got.Resource = &copied
	}
	return got
}

// markStart is what both marks start with in UTF-8.
const markStart = "\xee\x80"

func marked(v any) bool {
	switch v := v.(type) {
	case string:
		return strings.Contains(v, markStart)
	case tutti.RichText:
		return marked(v.HTML) || marked(v.Markdown) || marked(v.Plain) || marked(v.SSML)
	case []string:
		for _, s := range v {
			if marked(s) {
				return true
			}
		}
	case []any:
		for _, s := range v {
			if marked(s) {
				return true
			}
		}
	case map[string]any:
		for k, s := range v {
			if marked(k) || marked(s) {
				return true
			}
		}
	case json.RawMessage:
		return strings.Contains(string(v), markStart) || strings.Contains(strings.ToLower(string(v)), `\ue00`)
	}
	return false
}

func unmarked(v any) any {
	switch v := v.(type) {
	case string:
		return text.StripHoles(v)
	case tutti.RichText:
		return tutti.RichText{
			HTML: text.StripHoles(v.HTML), Markdown: text.StripHoles(v.Markdown), Plain: text.StripHoles(v.Plain), SSML: text.StripHoles(v.SSML),
		}
	case []string:
		list := make([]string, len(v))
		for i, s := range v {
			list[i] = text.StripHoles(s)
		}
		return list
	case []any:
		list := make([]any, len(v))
		for i, s := range v {
			list[i] = unmarked(s)
		}
		return list
	case map[string]any:
		m := make(map[string]any, len(v))
		for k, s := range v {
			m[text.StripHoles(k)] = unmarked(s)
		}
		return m
	case json.RawMessage:
		var any any
		if json.Unmarshal(v, &any) != nil {
			return json.RawMessage("null")
		}
		b, err := json.Marshal(unmarked(any))
		if err != nil {
			return json.RawMessage("null")
		}
		return json.RawMessage(b)
	}
	return v
}
