package engine

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/internal/expr"
)

// CheckParams makes typed values of what a request gave, defaults filled in. Values may come as
// string, bool, any number, json.Number, or tutti.Ref. The first thing that is wrong comes as a
// *tutti.Error whose Field is params.<name>, with code UnknownParam, MissingParam, MalformedRef,
// UnknownSource or InvalidValue, and what would be right. No origin is called. Where raw is right as
// it is, it is what comes back: nobody may change it then.
func (c *Compiled) CheckParams(raw map[string]any) (tutti.Params, error) {
	if err := c.knowsAll(raw); err != nil {
		return nil, err
	}
	params, own := tutti.Params(raw), false
	change := func() {
		if !own {
			params, own = make(tutti.Params, len(c.params)), true
			maps.Copy(params, raw)
		}
	}
	if raw == nil {
		change()
	}
	for i := range c.params {
		p := &c.params[i]
		v, given := raw[p.Name]
		if !given || v == nil {
			if d, ok := c.defaults[p.Name]; ok {
				change()
				params[p.Name] = d
			} else if p.Required {
				return nil, &tutti.Error{Code: tutti.MissingParam, Field: "params." + p.Name, Message: fmt.Sprintf("The param “%s” is needed.", p.Name), Hint: "Give " + describeParam(p) + "."}
			} else if given {
				change()
				delete(params, p.Name)
			}
			continue
		}
		checked, err := c.engine.paramValue(p, v)
		if err != nil {
			return nil, err
		}
		if checked != v {
			change()
			params[p.Name] = checked
		}
	}
	return params, nil
}

// knowsAll refuses names that no param has.
func (c *Compiled) knowsAll(raw map[string]any) error {
	known := 0
	for i := range c.params {
		if _, given := raw[c.params[i].Name]; given {
			known++
		}
	}
	if known == len(raw) {
		return nil
	}
	for _, name := range sortedKeys(raw) {
		if c.param(name) == nil {
			return &tutti.Error{
				Code: tutti.UnknownParam, Field: "params." + short(name), Message: fmt.Sprintf("The composition “%s” has no param “%s”.", c.ID, short(name)),
				Hint: expr.DidYouMean(name, c.paramNames()),
			}
		}
	}
	return nil
}

func (c *Compiled) param(name string) *tutti.Param {
	for i := range c.params {
		if c.params[i].Name == name {
			return &c.params[i]
		}
	}
	return nil
}

func (c *Compiled) paramNames() []string {
	var names []string
	for _, p := range c.params {
		names = append(names, p.Name)
	}
	return names
}

func describeParam(p *tutti.Param) string {
	switch p.Type {
	case "ref":
		if len(p.Kinds) > 0 {
			return "a ref such as " + p.Kinds[0] + "/…"
		}
		return "a ref, source:kind/id"
	case "int":
		return "a whole number"
	case "float":
		return "a number"
	case "boolean":
		return "true or false"
	}
	return "a text"
}

// paramValue makes one typed value.
func (e *Engine) paramValue(p *tutti.Param, v any) (any, error) {
	invalid := func(what string) error {
		return &tutti.Error{Code: tutti.InvalidValue, Field: "params." + p.Name, Message: what, Hint: "Give " + describeParam(p) + "."}
	}
	if n, ok := v.(json.Number); ok {
		v = exactNumber(n)
	}
	switch p.Type {
	case "string":
		if s, ok := v.(string); ok {
			if len(s) > tutti.MaxRefLength {
				return nil, invalid("The text is longer than 1024 bytes.")
			}
			return v, nil
		}
	case "int":
		if _, ok := v.(int64); ok {
			return v, nil
		}
		if i, ok := wholeNumber(v); ok {
			return i, nil
		}
	case "float":
		if f, ok := anyNumber(v); ok {
			return f, nil
		}
	case "boolean":
		if b, ok := v.(bool); ok {
			return b, nil
		}
	case "ref":
		ref, isRef := v.(tutti.Ref)
		if s, ok := v.(string); ok {
			var err error
			if ref, err = tutti.ParseRef(s); err != nil {
				return nil, withField(err, "params."+p.Name)
			}
			isRef = true
		}
		if isRef {
			return ref, e.checkRefParam(p, ref)
		}
	}
	return nil, invalid(fmt.Sprintf("The param “%s” has a value of the wrong type.", p.Name))
}

func (e *Engine) checkRefParam(p *tutti.Param, ref tutti.Ref) error {
	k, ok := e.sources.Kind(ref.Source, ref.Kind)
	if !ok {
		return &tutti.Error{Code: tutti.UnknownSource, Field: "params." + p.Name, Message: fmt.Sprintf("No source “%s” with a kind “%s” is configured.", ref.Source, ref.Kind), Hint: kindsHint(p)}
	}
	if len(p.Kinds) > 0 && !slices.Contains(p.Kinds, k.Source+":"+k.Name) {
		return &tutti.Error{Code: tutti.InvalidValue, Field: "params." + p.Name, Message: fmt.Sprintf("The param “%s” takes no %s:%s.", p.Name, ref.Source, ref.Kind), Hint: kindsHint(p)}
	}
	return nil
}

func kindsHint(p *tutti.Param) string {
	if len(p.Kinds) == 0 {
		return "Give a ref, source:kind/id."
	}
	return "Give a ref of " + strings.Join(p.Kinds, " or ") + "."
}

func withField(err error, field string) error {
	if e, ok := err.(*tutti.Error); ok {
		with := *e
		with.Field = field
		return &with
	}
	return err
}

func exactNumber(n json.Number) any {
	v, err := expr.DecodeJSON([]byte(n))
	if err != nil {
		return n.String()
	}
	return v
}

func wholeNumber(v any) (int64, bool) {
	switch v := v.(type) {
	case int:
		return int64(v), true
	case int32:
		return int64(v), true
	case int64:
		return v, true
	case float64:
		return int64(v), v == math.Trunc(v) && math.Abs(v) < 1<<53
	}
	return 0, false
}

func anyNumber(v any) (float64, bool) {
	if f, ok := v.(float64); ok {
		return f, !math.IsNaN(f) && !math.IsInf(f, 0)
	}
	i, ok := wholeNumber(v)
	return float64(i), ok
}
