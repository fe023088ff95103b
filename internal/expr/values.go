package expr

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
	"github.com/tuttihq/tutti"
)

// adapter makes Go values visible to expressions: refs are text, money, places, focal points,
// rich text and resources are maps, json.Number is an int where it is one and else a double.
type adapter struct{}

func (a adapter) NativeToValue(v any) ref.Val {
	switch v := v.(type) {
	case nil:
		return types.NullValue
	case string:
		return types.String(v)
	case bool:
		return types.Bool(v)
	case int64:
		return types.Int(v)
	case float64:
		return types.Double(v)
	case map[string]any:
		return types.NewStringInterfaceMap(a, v)
	case []any:
		return types.NewDynamicList(a, v)
	case tutti.Ref:
		return types.String(v.String())
	case []tutti.Ref:
		list := make([]string, len(v))
		for i, r := range v {
			list[i] = r.String()
		}
		return types.NewStringList(a, list)
	case json.Number:
		return number(v)
	case json.RawMessage:
		n, err := DecodeJSON(v)
		if err != nil {
			return types.WrapErr(err)
		}
		return a.NativeToValue(n)
	case []map[string]any:
		list := make([]any, len(v))
		for i := range v {
			list[i] = v[i]
		}
		return types.NewDynamicList(a, list)
	}
	if m, ok := fields(v); ok {
		return wrapped{Mapper: types.NewStringInterfaceMap(a, m), native: v}
	}
	return types.DefaultTypeAdapter.NativeToValue(v)
}

// wrapped is a struct of ours that expressions see as a map and that comes out as it went in.
type wrapped struct {
	traits.Mapper
	native any
}

func (w wrapped) Value() any { return w.native }

// fields gives what expressions see of our structs.
func fields(v any) (map[string]any, bool) {
	switch v := v.(type) {
	case tutti.Money:
		return map[string]any{"amount": v.Amount, "currency": v.Currency}, true
	case tutti.Place:
		return map[string]any{"lat": v.Lat, "lon": v.Lon}, true
	case *tutti.Place:
		if v == nil {
			return nil, false
		}
		return fields(*v)
	case tutti.Focal:
		return map[string]any{"x": v.X, "y": v.Y}, true
	case tutti.RichText:
		return map[string]any{"html": v.HTML, "markdown": v.Markdown, "plain": v.Plain, "ssml": v.SSML}, true
	case *tutti.Resource:
		if v == nil {
			return nil, false
		}
		m := make(map[string]any, v.Fields.Len()+5)
		for name, value := range v.Fields.All() {
			m[name] = value
		}
		m["ref"], m["id"], m["source"], m["kind"] = v.Ref.String(), v.Ref.ID, v.Ref.Source, v.Ref.Kind
		if v.Locale != "" {
			m["locale"] = v.Locale
		}
		return m, true
	case *tutti.Delivered:
		if v == nil || v.Resource == nil {
			return nil, false
		}
		m, ok := fields(v.Resource)
		for name, list := range v.Related {
			if len(list) == 0 {
				continue
			}
			if _, many := v.Resource.Fields.Get(name).([]tutti.Ref); !many {
				m[name] = list[0]
				continue
			}
			all := make([]any, len(list))
			for i := range list {
				all[i] = list[i]
			}
			m[name] = all
		}
		return m, ok
	case *tutti.List:
		if v == nil {
			return nil, false
		}
		nodes := make([]any, len(v.Nodes))
		for i := range v.Nodes {
			nodes[i] = v.Nodes[i]
		}
		m := map[string]any{"nodes": nodes, "size": int64(len(nodes))}
		if v.Total != nil {
			m["total"] = int64(*v.Total)
		}
		return m, true
	}
	return nil, false
}

// Field gives one field or list position of a Go value, as expressions read it; false when there
// is none. Of a resource the names ref, id, source, kind and locale come before mapped fields.
func Field(v any, name string) (any, bool) {
	switch v := v.(type) {
	case map[string]any:
		f, ok := v[name]
		return f, ok
	case []any:
		i, err := strconv.Atoi(name)
		if err != nil || i < 0 || i >= len(v) {
			return nil, false
		}
		return v[i], true
	case *tutti.Resource:
		if v == nil {
			return nil, false
		}
		switch name {
		case "ref":
			return v.Ref.String(), true
		case "id":
			return v.Ref.ID, true
		case "source":
			return v.Ref.Source, true
		case "kind":
			return v.Ref.Kind, true
		case "locale":
			return v.Locale, v.Locale != ""
		}
		f := v.Fields.Get(name)
		return f, f != nil
	case tutti.Money:
		switch name {
		case "amount":
			return v.Amount, true
		case "currency":
			return v.Currency, true
		}
		return nil, false
	case json.RawMessage:
		n, err := DecodeJSON(v)
		if err != nil {
			return nil, false
		}
		return Field(n, name)
	}
	if m, ok := fields(v); ok {
		f, ok := m[name]
		return f, ok
	}
	switch list := toList(v); {
	case list != nil:
		return Field(list, name)
	}
	return nil, false
}

func toList(v any) []any {
	switch v := v.(type) {
	case []string:
		return anys(v)
	case []tutti.Ref:
		return anys(v)
	case []map[string]any:
		return anys(v)
	}
	return nil
}

func anys[T any](v []T) []any {
	list := make([]any, len(v))
	for i := range v {
		list[i] = v[i]
	}
	return list
}

// plainValue makes what a fast path found into what Eval promises.
func plainValue(v any) any {
	switch v := v.(type) {
	case tutti.Ref:
		return v.String()
	case json.Number:
		n, err := toNative(number(v))
		if err != nil {
			return v.String()
		}
		return n
	case int:
		return int64(v)
	case int32:
		return int64(v)
	case float32:
		return float64(v)
	case json.RawMessage:
		if n, err := DecodeJSON(v); err == nil {
			return n
		}
		return string(v)
	case []string, []tutti.Ref, []map[string]any:
		list := toList(v)
		for i := range list {
			list[i] = plainValue(list[i])
		}
		return list
	case *tutti.Place:
		if v == nil {
			return nil
		}
		return *v
	}
	return v
}

// number keeps integers exact; what is neither an int nor a double stays text.
func number(n json.Number) ref.Val {
	s := n.String()
	if !strings.ContainsAny(s, ".eE") {
		if i, err := strconv.ParseInt(s, 10, 64); err == nil {
			return types.Int(i)
		}
	}
	if f, err := strconv.ParseFloat(s, 64); err == nil {
		return types.Double(f)
	}
	return types.String(s)
}

// DecodeJSON reads one JSON value with its numbers exact: int64 where they are integers that
// fit, else float64.
func DecodeJSON(b []byte) (any, error) {
	d := json.NewDecoder(strings.NewReader(string(b)))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, tutti.Errorf(tutti.Invalid, "decoding JSON: %w", err)
	}
	if d.More() {
		return nil, tutti.Errorf(tutti.Invalid, "decoding JSON: there is something after the value")
	}
	return exact(v), nil
}

func exact(v any) any {
	switch v := v.(type) {
	case json.Number:
		return plainValue(v)
	case []any:
		for i := range v {
			v[i] = exact(v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = exact(v[k])
		}
	}
	return v
}

// toNative makes a result into plain Go: string, bool, int64, float64, time.Time, []any,
// map[string]any, nil for null, or the struct of ours that went in. An empty optional is an
// error with code NotFound.
func toNative(v ref.Val) (any, error) {
	switch v := v.(type) {
	case types.String:
		return string(v), nil
	case types.Bool:
		return bool(v), nil
	case types.Int:
		return int64(v), nil
	case types.Uint:
		return int64(v), nil
	case types.Double:
		return float64(v), nil
	case types.Bytes:
		return string(v), nil
	case types.Null:
		return nil, nil
	case types.Timestamp:
		return v.Time, nil
	case types.Duration:
		return v.Seconds(), nil
	case *types.Optional:
		if !v.HasValue() {
			return nil, tutti.Errorf(tutti.NotFound, "evaluating: an optional value is empty")
		}
		return toNative(v.GetValue())
	case *types.Err:
		return nil, v
	case wrapped:
		return plainValue(v.native), nil
	case traits.Mapper:
		if m, ok := v.Value().(map[string]any); ok {
			return m, nil
		}
		m := map[string]any{}
		for it := v.Iterator(); it.HasNext() == types.True; {
			k := it.Next()
			n, err := toNative(v.Get(k))
			if err != nil {
				return nil, err
			}
			m[fmt.Sprint(k.Value())] = n
		}
		return m, nil
	case traits.Lister:
		list := []any{}
		for it := v.Iterator(); it.HasNext() == types.True; {
			n, err := toNative(it.Next())
			if err != nil {
				return nil, err
			}
			list = append(list, n)
		}
		return list, nil
	}
	switch n := v.Value().(type) {
	case time.Time:
		return n, nil
	default:
		return nil, tutti.Errorf(tutti.Invalid, "evaluating: a %s is no value that can be used", v.Type().TypeName())
	}
}
