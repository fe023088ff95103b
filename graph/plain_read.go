package graph

import (
	"errors"
	"math"
	"slices"
	"strconv"

	"github.com/tuttihq/tutti"
)

// errNotPlain says that the generic way is to judge.
var errNotPlain = errors.New("this is not plain")

// plainReader reads the JSON of variables, which is known to be right as JSON. Its methods give an
// error where the generic way is to judge.
type plainReader struct {
	jsonDecoder
	generation *Generation
}

func (r *plainReader) variable(d *plainVariable, v *variableValue) (err error) {
	v.is = variableOther
	if r.peek() == 'n' {
		if d.Type.NonNull || d.DefaultValue != nil {
			return errNotPlain
		}
		return r.word("null")
	}
	switch d.kind {
	case ofText, ofEnum, ofLocale:
		v.is = variableText
		v.text, err = r.plainText()
		if d.kind == ofEnum && d.enum.ForName(v.text) == nil || d.kind == ofLocale && !localeShaped(v.text) {
			return errNotPlain
		}
	case ofInt:
		var i int64
		if i, err = r.plainInt(); i < math.MinInt32 || i > math.MaxInt32 {
			return errNotPlain
		}
		v.value = i
	case ofFloat:
		v.value, err = boxed(r.plainFloat())
	case ofBoolean:
		v.value, err = boxed(r.plainBool())
	case ofScalar:
		if v.value, err = boxed(r.plainText()); err == nil && checkScalar(d.Type.NamedType, v.value) != nil {
			return errNotPlain
		}
	case ofAny:
		v.value, err = r.value(0)
	case ofTexts:
		v.value, err = boxed(r.texts())
	case ofContext:
		v.value, err = boxed(r.context())
	default:
		return errNotPlain
	}
	return err
}

func boxed[T any](v T, err error) (any, error) { return v, err }

func (r *plainReader) plainText() (string, error) {
	if r.peek() != '"' {
		return "", errNotPlain
	}
	return r.text()
}

func (r *plainReader) plainInt() (int64, error) {
	digits, err := r.digitsOf()
	if err != nil {
		return 0, err
	}
	return strconv.ParseInt(digits, 10, 64)
}

func (r *plainReader) plainFloat() (float64, error) {
	digits, err := r.digitsOf()
	if err != nil {
		return 0, err
	}
	return strconv.ParseFloat(digits, 64)
}

func (r *plainReader) plainBool() (bool, error) {
	if r.peek() == 't' {
		return true, r.word("true")
	}
	return false, r.word("false")
}

func (r *plainReader) texts() ([]string, error) {
	list := []string{}
	if r.peek() != '[' {
		return nil, errNotPlain
	}
	err := r.skipList(']', func() error {
		s, err := r.plainText()
		list = append(list, s)
		return err
	})
	return list, err
}

// plainContextInput is a ContextInput with room for all that it points to.
type plainContextInput struct {
	ContextInput
	visitor, market, currency             string
	location                              PlaceInput
	consent                               ConsentInput
	personalization, analytics, marketing bool
}

func (r *plainReader) context() (*ContextInput, error) {
	from := r.at
	c := &plainContextInput{}
	err := r.fields(func(name string) error {
		switch name {
		case "visitor":
			return r.optionalText(&c.Visitor, &c.visitor)
		case "location":
			if null, err := r.null(c.Location != nil); null || err != nil {
				return err
			}
			c.Location = &c.location
			return r.place(c.Location)
		case "market":
			return r.optionalText(&c.Market, &c.market)
		case "currency":
			return r.optionalText(&c.Currency, &c.currency)
		case "attributes":
			if null, err := r.null(c.Attributes != nil); null || err != nil {
				return err
			}
			c.Attributes = Attributes{}
			return r.attributes(c.Attributes)
		case "consent":
			if null, err := r.null(c.Consent != nil); null || err != nil {
				return err
			}
			c.Consent = &c.consent
			return r.consent(c)
		}
		return errNotPlain
	})
	if contextMost+6*(r.at-from) > r.generation.limits.ContextBytes {
		return nil, errNotPlain // it may be too large
	}
	c.read = true
	return &c.ContextInput, err
}

// fields reads an input object: value reads what follows each name.
func (r *plainReader) fields(value func(name string) error) error {
	if r.peek() != '{' {
		return errNotPlain
	}
	return r.each(value)
}

// null goes past null and reports that it stood there. given tells that the field stood there before.
func (r *plainReader) null(given bool) (null bool, err error) {
	if given {
		return false, errNotPlain
	}
	if r.peek() != 'n' {
		return false, nil
	}
	return true, r.word("null")
}

func (r *plainReader) optionalText(into **string, room *string) error {
	null, err := r.null(*into != nil)
	if null || err != nil {
		return err
	}
	*into = room
	*room, err = r.plainText()
	return err
}

func (r *plainReader) optionalBool(into **bool, room *bool) error {
	null, err := r.null(*into != nil)
	if null || err != nil {
		return err
	}
	*into = room
	*room, err = r.plainBool()
	return err
}

func (r *plainReader) place(p *PlaceInput) error {
	lat, lon := false, false
	err := r.fields(func(name string) (err error) {
		switch {
		case name == "lat" && !lat:
			p.Lat, err = r.plainFloat()
			lat = true
		case name == "lon" && !lon:
			p.Lon, err = r.plainFloat()
			lon = true
		default:
			err = errNotPlain
		}
		return err
	})
	if err == nil && !(lat && lon) {
		return errNotPlain
	}
	return err
}

func (r *plainReader) consent(c *plainContextInput) error {
	return r.fields(func(name string) error {
		switch name {
		case "personalization":
			return r.optionalBool(&c.consent.Personalization, &c.personalization)
		case "analytics":
			return r.optionalBool(&c.consent.Analytics, &c.analytics)
		case "marketing":
			return r.optionalBool(&c.consent.Marketing, &c.marketing)
		}
		return errNotPlain
	})
}

// attributes reads attributes as readAttribute does. Null is not plain: whether an attribute may be
// given counts for it too.
func (r *plainReader) attributes(into Attributes) error {
	return r.fields(func(name string) error {
		a := r.generation.givable[name]
		if _, twice := into[name]; twice || a == nil {
			return errNotPlain
		}
		v, err := r.attribute(a)
		into[name] = v
		return err
	})
}

func (r *plainReader) attribute(a *tutti.Attribute) (v any, err error) {
	switch a.Type {
	case tutti.StringType:
		text, err := r.plainText()
		if err != nil || len(a.Values) > 0 && !slices.Contains(a.Values, text) {
			return nil, errNotPlain
		}
		return text, nil
	case tutti.BoolType:
		return boxed(r.plainBool())
	case tutti.IntType:
		return boxed(r.plainInt())
	case tutti.DoubleType:
		return boxed(r.plainFloat())
	}
	if v, err = r.value(0); err != nil || v == nil {
		return nil, errNotPlain
	}
	v, wrong := readAttribute(*a, v)
	if wrong != nil {
		return nil, errNotPlain
	}
	return v, nil
}
