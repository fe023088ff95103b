package expr

import (
	"strings"
	"unicode"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/internal/text"
)

// ourFunctions are what expressions may call besides the standard functions and the CEL
// extensions for strings, lists and math. Text functions read both ways: lower(x), x.lower().
func ourFunctions() []cel.EnvOption {
	str, dyn, place := cel.StringType, cel.DynType, cel.MapType(cel.StringType, cel.DynType)
	opts := []cel.EnvOption{
		cel.Function("geo.distance", cel.Overload("geo_distance_map_map", []*cel.Type{place, place}, cel.DoubleType, cel.BinaryBinding(distance))),
		cel.Function("plain", cel.Overload("plain_string", []*cel.Type{str}, str, cel.UnaryBinding(onString(func(s string) string { return text.FromHTML(s).Plain })))),
		cel.Function("path", cel.Overload("path_dyn_string", []*cel.Type{dyn, str}, dyn, cel.BinaryBinding(lookup))),
		cel.Function("join", cel.Overload("join_list_string", []*cel.Type{cel.ListType(str), str}, str, cel.BinaryBinding(join))),
		cel.Function("split", cel.Overload("split_global", []*cel.Type{str, str}, cel.ListType(str), cel.BinaryBinding(split))),
		cel.Function("replace", cel.Overload("replace_global", []*cel.Type{str, str, str}, str, cel.FunctionBinding(replace))),
	}
	for name, f := range map[string]func(string) string{"lower": strings.ToLower, "upper": strings.ToUpper, "capital": capital} {
		opts = append(opts, cel.Function(name,
			cel.Overload(name+"_string", []*cel.Type{str}, str, cel.UnaryBinding(onString(f))),
			cel.MemberOverload("string_"+name, []*cel.Type{str}, str, cel.UnaryBinding(onString(f)))))
	}
	for i := range helpers {
		opts = append(opts, helpers[i].option())
	}
	return append(opts, cel.Function("trim", cel.Overload("trim_global", []*cel.Type{str}, str, cel.UnaryBinding(onString(strings.TrimSpace)))))
}

// functionNames are proposed when a name is misspelled.
var functionNames = []string{
	"geo.distance", "money", "money.major", "date", "lang", "rich", "url", "nullIf", "escape", "base64url", "plain", "path", "join", "split", "replace", "lower", "upper", "capital", "trim", "size", "string", "int", "double", "bool",
	"timestamp", "duration", "matches", "contains", "startsWith", "endsWith", "substring", "indexOf", "format", "exists", "all", "filter", "map", "has",
	"getHours", "getFullYear", "getMonth", "getDayOfWeek", "getDate", "orValue", "math.greatest", "math.least", "math.round", "first", "last", "slice", "sort", "distinct", "flatten",
}

func onString(f func(string) string) func(ref.Val) ref.Val {
	return func(v ref.Val) ref.Val {
		s, ok := v.(types.String)
		if !ok {
			return types.MaybeNoSuchOverloadErr(v)
		}
		return types.String(f(string(s)))
	}
}

func capital(s string) string {
	for i, r := range s {
		return string(unicode.ToTitle(r)) + s[i+len(string(r)):]
	}
	return ""
}

func join(list, sep ref.Val) ref.Val {
	l, ok := list.(traits.Lister)
	s, ok2 := sep.(types.String)
	if !ok || !ok2 {
		return types.MaybeNoSuchOverloadErr(list)
	}
	var b strings.Builder
	for it, first := l.Iterator(), true; it.HasNext() == types.True; first = false {
		item, ok := it.Next().(types.String)
		if !ok {
			return types.NewErr("joining a list: it holds something else than text")
		}
		if !first {
			b.WriteString(string(s))
		}
		b.WriteString(string(item))
	}
	return types.String(b.String())
}

func split(s, sep ref.Val) ref.Val {
	a, ok := s.(types.String)
	b, ok2 := sep.(types.String)
	if !ok || !ok2 {
		return types.MaybeNoSuchOverloadErr(s)
	}
	return types.DefaultTypeAdapter.NativeToValue(strings.Split(string(a), string(b)))
}

func replace(args ...ref.Val) ref.Val {
	a, ok := args[0].(types.String)
	b, ok2 := args[1].(types.String)
	c, ok3 := args[2].(types.String)
	if !ok || !ok2 || !ok3 {
		return types.MaybeNoSuchOverloadErr(args[0])
	}
	return types.String(strings.ReplaceAll(string(a), string(b), string(c)))
}

func distance(a, b ref.Val) ref.Val {
	p, err := placeOf(a)
	if err != nil {
		return err
	}
	q, err := placeOf(b)
	if err != nil {
		return err
	}
	return types.Double(p.DistanceTo(q))
}

func placeOf(v ref.Val) (tutti.Place, ref.Val) {
	m, ok := v.(traits.Mapper)
	if !ok {
		return tutti.Place{}, types.MaybeNoSuchOverloadErr(v)
	}
	if p, ok := m.Value().(tutti.Place); ok {
		return p, nil
	}
	var p tutti.Place
	for name, to := range map[string]*float64{"lat": &p.Lat, "lon": &p.Lon} {
		n, found := m.Find(types.String(name))
		if !found {
			return p, types.NewErr("measuring a distance: a place has no %s", name)
		}
		switch n := n.(type) {
		case types.Double:
			*to = float64(n)
		case types.Int:
			*to = float64(n)
		default:
			return p, types.NewErr("measuring a distance: %s is not a number", name)
		}
	}
	if !p.Valid() {
		return p, types.NewErr("measuring a distance: a place is not on the earth")
	}
	return p, nil
}

// lookup follows a path of field names and list positions; null where it leads nowhere. Behind a *
// it goes on in each element of a list, and gives the list of what is there.
func lookup(v, path ref.Val) ref.Val {
	p, ok := path.(types.String)
	if !ok {
		return types.MaybeNoSuchOverloadErr(path)
	}
	native, err := toNative(v)
	if err != nil {
		return types.WrapErr(err)
	}
	return adapter{}.NativeToValue(follow(native, strings.Split(string(p), ".")))
}

func follow(v any, steps []string) any {
	for i, step := range steps {
		if list, ok := v.([]any); ok && step == "*" {
			all := []any{}
			for _, x := range list {
				switch found := follow(x, steps[i+1:]).(type) {
				case nil:
				case []any:
					all = append(all, found...)
				default:
					all = append(all, found)
				}
			}
			return all
		}
		var found bool
		if v, found = Field(v, step); !found {
			return nil
		}
	}
	return v
}
