package engine

import (
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/internal/text"
)

// fit makes what was found into what the prop's definition promises. What is empty at an origin
// is absent; what is of another type has failed.
func (s *shaper) fit(def *tutti.PropDefinition, o outcome, literal bool) outcome {
	switch def.Type {
	case tutti.PropResource:
		return s.fitResource(def, o)
	case tutti.PropResources:
		return s.fitResources(def, o)
	case tutti.PropRichText:
		return s.fitRichText(def, o, literal)
	}
	if ref, ok := o.v.(tutti.Ref); ok {
		o.v = ref.String()
	}
	v, ok := s.fitPlain(def, o.v)
	switch {
	case !ok:
		return failing(tutti.InvalidValue, tutti.Ref{})
	case v == "" && !literal:
		return outcome{state: absent}
	}
	o.v = v
	return o
}

func (s *shaper) fitPlain(def *tutti.PropDefinition, v any) (any, bool) {
	switch def.Type {
	case tutti.PropText:
		words, ok := plainWords(v)
		return s.fitLength(def, words), ok
	case tutti.PropString:
		words, ok := plainWords(v)
		return words, ok && (len(def.Values) == 0 || slices.Contains(def.Values, words))
	case tutti.PropURL:
		words, ok := plainWords(v)
		return s.a.link(words), ok && safeAddress(words, false)
	case tutti.PropInt:
		return fitInt(v)
	case tutti.PropFloat:
		return fitFloat(v)
	case tutti.PropBoolean:
		b, ok := v.(bool)
		return b, ok
	case tutti.PropDateTime:
		return fitTime(v)
	case tutti.PropMoney:
		return fitMoney(v)
	case tutti.PropPlace:
		return fitPlace(v)
	case tutti.PropJSON:
		switch v.(type) {
		case *entry, *listing, *tutti.Delivered, *tutti.List:
			return nil, false
		}
		return v, true
	}
	return nil, false
}

// fitLength cuts a text where the definition allows it. A longer text that may not be cut stays
// whole and is told. A text with holes is measured when they are filled.
func (s *shaper) fitLength(def *tutti.PropDefinition, words string) string {
	if def.MaxLength <= 0 {
		return words
	}
	if strings.Contains(words, tutti.HoleStart) {
		if def.Cut {
			s.limit(def)
		}
		return words
	}
	if def.Cut {
		cut, _ := text.Cut(words, def.MaxLength)
		return cut
	}
	s.measure(def, words)
	return words
}

func (s *shaper) limit(def *tutti.PropDefinition) {
	if s.limits == nil {
		s.limits = map[string]int{}
	}
	s.limits[def.Name] = def.MaxLength
}

func (s *shaper) measure(def *tutti.PropDefinition, words string) {
	if n := text.Length(words); n > def.MaxLength {
		p := tutti.Problem{
			Path: joinPath(s.path, s.at), Code: tutti.TooLarge,
			Message: "The text is " + strconv.Itoa(n) + " characters long; the prop wants " + strconv.Itoa(def.MaxLength) + " at most and may not be cut.",
		}
		if !slices.Contains(s.problems, p) {
			s.problems = append(s.problems, p)
		}
	}
}

func (s *shaper) fitRichText(def *tutti.PropDefinition, o outcome, literal bool) outcome {
	r, ok := o.v.(tutti.RichText)
	if !ok {
		words, ok := plainWords(o.v)
		if !ok {
			return failing(tutti.InvalidValue, tutti.Ref{})
		}
		if literal {
			r = text.FromMarkdown(text.StripHoles(words))
		} else {
			r = text.FromPlain(words)
		}
	}
	if r.HTML == "" && r.Plain == "" && !literal {
		return outcome{state: absent}
	}
	if def.MaxLength > 0 {
		switch {
		case !def.Cut:
			if !strings.Contains(r.Plain, tutti.HoleStart) {
				s.measure(def, r.Plain)
			}
		case strings.Contains(r.Plain, tutti.HoleStart):
			s.limit(def)
		default:
			r = cutRich(r, def.MaxLength)
		}
	}
	o.v = r
	return o
}

// cutRich keeps rich text that is short enough as it is; a longer one becomes plain words.
func cutRich(r tutti.RichText, max int) tutti.RichText {
	if cut, was := text.Cut(r.Plain, max); was {
		return text.FromPlain(cut)
	}
	return r
}

func (s *shaper) fitResource(def *tutti.PropDefinition, o outcome) outcome {
	if l, ok := o.v.(*listing); ok {
		if len(l.entries) == 0 {
			return outcome{state: absent}
		}
		o.v = l.entries[0]
	}
	if o = s.followText(o); o.state != have {
		return o
	}
	e := o.v.(*entry)
	if len(def.Accepts) > 0 && !slices.Contains(def.Accepts, e.got.Resource.Type) {
		return failing(tutti.InvalidValue, e.ref)
	}
	return o
}

func (s *shaper) fitResources(def *tutti.PropDefinition, o outcome) outcome {
	shown, wanted := s.count(def, 0)
	if o = s.list(o, wanted).showing(shown); o.state != have {
		return o
	}
	if len(def.Accepts) == 0 {
		return o
	}
	found := o.v.(*listing)
	l := *found
	l.entries, l.at = make([]*entry, 0, len(found.entries)), nil
	for i, e := range found.entries {
		if slices.Contains(def.Accepts, e.got.Resource.Type) {
			l.add(e, found.place(i))
			continue
		}
		s.lack(s.at+"["+strconv.Itoa(i)+"]", failing(tutti.InvalidValue, e.ref), false)
	}
	o.v = &l
	return o
}

func fitInt(v any) (any, bool) {
	switch v := v.(type) {
	case int64:
		return v, true
	case int:
		return int64(v), true
	case float64:
		if v == math.Trunc(v) && math.Abs(v) < 1<<53 {
			return int64(v), true
		}
	case json.Number:
		n, err := v.Int64()
		return n, err == nil
	case string:
		n, err := strconv.ParseInt(v, 10, 64)
		return n, err == nil
	}
	return nil, false
}

func fitFloat(v any) (any, bool) {
	switch v := v.(type) {
	case float64:
		return v, !math.IsNaN(v) && !math.IsInf(v, 0)
	case int64:
		return float64(v), true
	case int:
		return float64(v), true
	case json.Number:
		n, err := v.Float64()
		return n, err == nil
	case string:
		n, err := strconv.ParseFloat(v, 64)
		return n, err == nil && !math.IsNaN(n) && !math.IsInf(n, 0)
	}
	return nil, false
}

func fitTime(v any) (any, bool) {
	switch v := v.(type) {
	case time.Time:
		return v, true
	case string:
		t, err := time.Parse(time.RFC3339, v)
		return t, err == nil
	}
	return nil, false
}

func fitMoney(v any) (any, bool) {
	switch v := v.(type) {
	case tutti.Money:
		return v, true
	case map[string]any:
		amount, ok := v["amount"].(string)
		currency, ok2 := v["currency"].(string)
		return tutti.Money{Amount: amount, Currency: currency}, ok && ok2
	}
	return nil, false
}

func fitPlace(v any) (any, bool) {
	switch v := v.(type) {
	case tutti.Place:
		return v, v.Valid()
	case map[string]any:
		lat, ok := fitFloat(v["lat"])
		lon, ok2 := fitFloat(v["lon"])
		if !ok || !ok2 {
			return nil, false
		}
		p := tutti.Place{Lat: lat.(float64), Lon: lon.(float64)}
		return p, p.Valid()
	}
	return nil, false
}
