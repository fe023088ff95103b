package sources

import (
	"encoding/json"
	"math"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/internal/expr"
	"github.com/tuttihq/tutti/internal/text"
)

// convert brings a mapped value into the Go type of its field. absent: there is nothing (null,
// an empty text); an error: the origin gave something else than the manifest promises.
func (f *field) convert(v any, before, link string, ownSource string) (out any, absent bool, err error) {
	ok := false
	switch f.kind {
	case tutti.FieldString:
		var s string
		if s, ok = toText(v); ok {
			if f.values != nil && s != "" {
				if s, ok = f.word(s); !ok {
					return nil, false, tutti.Errorf(tutti.BadAnswer, "reading the field %s: the value is none of values", f.name)
				}
			}
			if f.url {
				s = address(s)
			}
			return s, s == "", nil
		}
	case tutti.FieldInt:
		out, ok = toInt(v)
	case tutti.FieldFloat:
		out, ok = toFloat(v)
	case tutti.FieldBool:
		out, ok = v.(bool)
	case tutti.FieldTime:
		if v == "" {
			return nil, true, nil
		}
		out, ok = toTime(v)
	case tutti.FieldMoney:
		out, ok = toMoney(v)
	case tutti.FieldPlace:
		out, ok = toPlace(v)
	case tutti.FieldFocal:
		out, ok = toFocal(v)
	case tutti.FieldRichText:
		var r tutti.RichText
		if r, ok = f.rich(v); ok {
			return r, r.Plain == "" && r.HTML == "", nil
		}
	case tutti.FieldRef:
		return f.toRef(v, before, link, ownSource)
	case tutti.FieldRefs:
		return f.toRefs(v, before, link, ownSource)
	case tutti.FieldStrings:
		var all []string
		if all, ok = toTexts(v); ok {
			return all, len(all) == 0, nil
		}
	case tutti.FieldJSON:
		return stripped(v), false, nil
	}
	if !ok {
		return nil, false, tutti.Errorf(tutti.BadAnswer, "reading the field %s: a %s is no %s", f.name, kindOf(v), f.kind)
	}
	return out, false, nil
}

// copied brings the JSON of a value into its field, where nothing has to be decoded for that. ok is
// false for everything else: then convert says what it is worth. Both give the same.
func (f *field) copied(token string, plain bool) (v tutti.Field, ok bool) {
	isText := token[0] == '"'
	switch f.kind {
	case tutti.FieldString:
		s := token
		switch {
		case isText:
			s = spoken(token, plain)
		case token[0] == '{' || token[0] == '[':
			return v, false
		}
		if f.values != nil && s != "" {
			if s, ok = f.word(s); !ok {
				return v, false
			}
		}
		if f.url {
			s = address(s)
		}
		if s == "" {
			return v, true
		}
		return tutti.TextField(s), true
	case tutti.FieldRichText:
		if !isText {
			return v, false
		}
		words := spoken(token, plain)
		switch {
		case f.from == "markdown":
			return tutti.RichTextLater(words, text.FromMarkdown), true
		case (f.from == "" || f.from == "html") && strings.IndexByte(words, '<') >= 0:
			return tutti.RichTextLater(words, text.FromHTML), true
		}
		r, ok := expr.Rich(words, f.from)
		if !ok {
			return v, false
		}
		if r.Plain == "" && r.HTML == "" {
			return v, true
		}
		return tutti.FieldOf(r), true
	case tutti.FieldInt:
		if i, ok := wholeNumber(token); ok && !isText {
			return tutti.IntField(i), true
		}
	case tutti.FieldBool:
		if token == "true" || token == "false" {
			return tutti.BoolField(token == "true"), true
		}
	case tutti.FieldTime:
		if plain && len(token) > 2 {
			t, ok := instant(token[1 : len(token)-1])
			return tutti.TimeField(t), ok
		}
	}
	return v, false
}

// spoken gives what a text in JSON says, without marks of holes.
func spoken(token string, plain bool) string {
	if plain {
		return token[1 : len(token)-1]
	}
	if token[0] != '"' {
		return token
	}
	return text.StripHoles(unquote(token))
}

func toText(v any) (string, bool) {
	switch v.(type) {
	case string, bool, int64, float64, json.Number, time.Time:
		s, err := writeValue(v)
		return text.StripHoles(s), err == nil
	}
	return "", false
}

func toTexts(v any) ([]string, bool) {
	all, isList := v.([]any)
	if !isList {
		all = []any{v}
	}
	out := make([]string, 0, len(all))
	for _, x := range all {
		if x == nil {
			continue
		}
		s, ok := toText(x)
		if !ok {
			return nil, false
		}
		if s != "" {
			out = append(out, s)
		}
	}
	return out, true
}

// rich reads rich text as it is written at the origin; HTML when the manifest says nothing.
func (f *field) rich(v any) (tutti.RichText, bool) {
	if r, ok := v.(tutti.RichText); ok {
		return r, true
	}
	if s, ok := toText(v); ok {
		v = s
	}
	return expr.Rich(v, f.from)
}

// otherWord stands for every word of the origin that the table does not name.
const otherWord = "*"

// word gives ours for a word of the origin; false when the table has none.
func (f *field) word(theirs string) (ours string, ok bool) {
	if ours, ok = f.values[theirs]; !ok {
		ours, ok = f.values[otherWord]
	}
	return ours, ok
}

// pathBytes mean nothing but themselves in a path and its query.
const pathBytes = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~/?=&,+"

// address keeps addresses that a person may follow: http, https, mailto, tel, or a path. What
// could run in a page becomes "".
func address(s string) string {
	s = strings.TrimSpace(s)
	if !printable(s) || strings.HasPrefix(s, `\`) {
		return ""
	}
	if strings.HasPrefix(s, "/") && !strings.HasPrefix(s, "//") && strings.Trim(s, pathBytes) == "" {
		return s // the usual path needs no reading
	}
	u, err := url.Parse(s)
	if err != nil {
		return ""
	}
	switch strings.ToLower(u.Scheme) {
	case "http", "https":
		if u.Host == "" {
			return ""
		}
	case "", "mailto", "tel":
	default:
		return ""
	}
	return s
}

func toInt(v any) (int64, bool) {
	switch v := v.(type) {
	case int64:
		return v, true
	case float64:
		return int64(v), v == math.Trunc(v) && math.Abs(v) < 1<<53
	case json.Number:
		return wholeNumber(v.String())
	case string:
		i, err := strconv.ParseInt(v, 10, 64)
		return i, err == nil
	}
	return 0, false
}

// wholeNumber reads a number as JSON writes it; false when it is not whole or would lose digits.
func wholeNumber(s string) (int64, bool) {
	if i, err := strconv.ParseInt(s, 10, 64); err == nil {
		return i, true
	}
	f, err := strconv.ParseFloat(s, 64)
	return int64(f), err == nil && f == math.Trunc(f) && math.Abs(f) < 1<<53
}

func toFloat(v any) (float64, bool) {
	switch v := v.(type) {
	case int64:
		return float64(v), true
	case float64:
		return v, !math.IsNaN(v) && !math.IsInf(v, 0)
	case json.Number:
		f, err := v.Float64()
		return f, err == nil
	case string:
		f, err := strconv.ParseFloat(v, 64)
		return f, err == nil && !math.IsNaN(f) && !math.IsInf(f, 0)
	}
	return 0, false
}

// toTime reads what expr.Instant does. Without a zone it is UTC.
func toTime(v any) (time.Time, bool) { return expr.Instant(v, nil) }

func instant(s string) (time.Time, bool) { return expr.Instant(s, nil) }

var (
	decimal  = regexp.MustCompile(`^-?(0|[1-9]\d{0,30})(\.\d{1,18})?$`)
	currency = regexp.MustCompile(`^[A-Z]{3}$`)
)

// toMoney takes what money(…) gives, or an object with amount (a decimal, exactly as written) and
// currency.
func toMoney(v any) (tutti.Money, bool) {
	m, ok := v.(tutti.Money)
	if !ok {
		o, isObject := v.(map[string]any)
		if !isObject {
			return m, false
		}
		amount, err := writeValue(o["amount"])
		cur, isText := o["currency"].(string)
		if err != nil || !isText || strings.ContainsAny(amount, "eE") {
			return m, false
		}
		if f, computed := o["amount"].(float64); computed {
			if amount, ok = expr.Amount(f); !ok {
				return m, false
			}
		}
		if m, ok = tutti.MoneyFromMajor(amount, strings.ToUpper(cur)); !ok {
			return m, false
		}
	}
	return m, decimal.MatchString(m.Amount) && currency.MatchString(m.Currency)
}

// toPlace takes an object with lat and lon, by the names in use, or text such as 43.26,-2.93.
func toPlace(v any) (tutti.Place, bool) {
	switch v := v.(type) {
	case tutti.Place:
		return v, v.Valid()
	case *tutti.Place:
		if v != nil {
			return *v, v.Valid()
		}
	case string:
		a, b, found := strings.Cut(v, ",")
		lat, ok := toFloat(strings.TrimSpace(a))
		lon, ok2 := toFloat(strings.TrimSpace(b))
		p := tutti.Place{Lat: lat, Lon: lon}
		return p, found && ok && ok2 && p.Valid()
	case map[string]any:
		lat, ok := firstNumber(v, "lat", "latitude")
		lon, ok2 := firstNumber(v, "lon", "lng", "longitude")
		p := tutti.Place{Lat: lat, Lon: lon}
		return p, ok && ok2 && p.Valid()
	}
	return tutti.Place{}, false
}

func toFocal(v any) (tutti.Focal, bool) {
	if f, ok := v.(tutti.Focal); ok {
		return f, true
	}
	m, _ := v.(map[string]any)
	x, ok := firstNumber(m, "x")
	y, ok2 := firstNumber(m, "y")
	return tutti.Focal{X: x, Y: y}, ok && ok2 && x >= 0 && x <= 1 && y >= 0 && y <= 1
}

func firstNumber(m map[string]any, names ...string) (float64, bool) {
	for _, n := range names {
		if v, ok := m[n]; ok {
			return toFloat(v)
		}
	}
	return 0, false
}

// toRef makes a ref of a whole ref, of an id with a kind in front, or of a link in a text.
func (f *field) toRef(v any, before, link, ownSource string) (any, bool, error) {
	s, ok := toText(v)
	if !ok {
		return nil, false, tutti.Errorf(tutti.BadAnswer, "reading the field %s: a %s is no ref", f.name, kindOf(v))
	}
	if s == "" || f.ref != nil && before == "" || f.link != nil && link == "" {
		return nil, true, nil // the setting that says where it leads is not set
	}
	if f.link != nil {
		if s = linked(s, link); s == "" {
			return nil, true, nil
		}
	}
	if before != "" {
		if !strings.Contains(before, ":") {
			before = ownSource + ":" + before
		}
		s = before + "/" + s
	}
	ref, err := tutti.ParseRef(s)
	if err != nil {
		return nil, false, tutti.Errorf(tutti.BadAnswer, "reading the field %s: it makes no ref", f.name)
	}
	return ref, false, nil
}

func (f *field) toRefs(v any, before, link, ownSource string) (any, bool, error) {
	all, isList := v.([]any)
	if !isList {
		all = []any{v}
	}
	refs := make([]tutti.Ref, 0, len(all))
	for _, x := range all {
		if x == nil {
			continue
		}
		r, absent, err := f.toRef(x, before, link, ownSource)
		if err != nil {
			return nil, false, err
		}
		if !absent {
			refs = append(refs, r.(tutti.Ref))
		}
	}
	return refs, len(refs) == 0, nil
}

// linked finds the first address in a text that starts with link, and gives what follows: the
// next path segment, decoded. "" when there is none.
func linked(s, link string) string {
	for {
		_, after, found := strings.Cut(s, link)
		if !found {
			return ""
		}
		end := strings.IndexFunc(after, func(r rune) bool { return r <= ' ' || strings.ContainsRune(`/?#&"'<>()[]{},;|\`, r) })
		id := after
		if end >= 0 {
			id = after[:end]
		}
		id = strings.TrimRight(id, ".!:")
		if decoded, err := url.PathUnescape(id); err == nil && decoded != "" && printable(decoded) {
			return decoded
		}
		s = after
	}
}

// stripped removes the marks of holes from all texts of a tree.
func stripped(v any) any {
	switch v := v.(type) {
	case string:
		return text.StripHoles(v)
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = stripped(v[i])
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, x := range v {
			out[text.StripHoles(k)] = stripped(x)
		}
		return out
	}
	return v
}
