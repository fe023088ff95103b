package expr

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"sync"
	"time"
	_ "time/tzdata" // origins name zones; the binary must not depend on the machine's
)

// isoForms are the ways of writing an instant that start with the year.
var isoForms = []string{
	time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05.999999999", "2006-01-02", "2006-01-02T15:04", "2006-01-02T15:04:05.999999999Z0700",
	"2006-01-02T15:04:05.999999999Z07", "2006-01-02 15:04:05.999999999Z07:00", "2006-01-02 15:04:05.999999999 Z0700", "2006-01-02T15:04Z07:00",
	"2006-01-02 15:04", "2006-01-02 15:04:05.999999999Z07", "2006-01-02t15:04:05.999999999z", "2006-01-02 15:04:05.999999999 UTC",
}

// wordForms are those of RFC 822, 850, 1123 and 5322 and of C's asctime, without weekday and zone.
var wordForms = []string{"2 Jan 2006 15:04:05", "2 Jan 2006 15:04", "2-Jan-06 15:04:05", "2 Jan 06 15:04:05", "2 Jan 06 15:04", "2 January 2006 15:04:05", "2-Jan-2006 15:04:05", "2 Jan 2006"}

// namedZones are the seconds east of Greenwich that abbreviations stand for: those of RFC 822, and
// those of Europe, of which only one meaning is in use. Any other means different hours to different
// people, so it is not guessed.
var namedZones = map[string]int{
	"UT": 0, "UTC": 0, "GMT": 0, "Z": 0, "EST": -5 * 3600, "EDT": -4 * 3600, "CST": -6 * 3600, "CDT": -5 * 3600, "MST": -7 * 3600, "MDT": -6 * 3600, "PST": -8 * 3600, "PDT": -7 * 3600,
	"WET": 0, "WEST": 3600, "CET": 3600, "CEST": 2 * 3600, "EET": 2 * 3600, "EEST": 3 * 3600,
}

// Instant reads an instant as systems write it: RFC 3339 with or without a zone, also +0000 and +00,
// a date, RFC 822, 850, 1123 and 5322, unix seconds or milliseconds, told apart by their size. Where
// no zone is written it is that of zone; nil is UTC. False for anything else.
func Instant(v any, zone *time.Location) (time.Time, bool) {
	if zone == nil {
		zone = time.UTC
	}
	switch v := v.(type) {
	case time.Time:
		return v, true
	case string:
		if v != "" && (v[0] < '0' || v[0] > '9') || len(v) < 5 || v[4] != '-' {
			return wordInstant(v, zone)
		}
		for _, form := range isoForms {
			if strings.HasSuffix(form, "z") || strings.HasSuffix(form, "UTC") { // which say no zone to Go
				if t, err := time.Parse(form, v); err == nil {
					return t, sane(t)
				}
			} else if t, err := time.ParseInLocation(form, v, zone); err == nil {
				return t.UTC(), sane(t)
			}
		}
		return time.Time{}, false
	}
	f, ok := seconds(v)
	if ok && math.Abs(f) >= 1e11 {
		f /= 1000
	}
	return unix(f, ok)
}

// wordInstant reads the forms in which a month has a name.
func wordInstant(s string, zone *time.Location) (time.Time, bool) {
	if day, rest, found := strings.Cut(s, ","); found && len(day) >= 3 && strings.Trim(strings.ToLower(day), "abcdefghijklmnopqrstuvwxyz") == "" {
		s = rest
	}
	s = strings.Join(strings.Fields(s), " ")
	if t, err := time.ParseInLocation("Mon Jan 2 15:04:05 2006", s, zone); err == nil {
		return t.UTC(), sane(t)
	}
	if i := strings.LastIndexByte(s, ' '); i > 0 {
		if offset, ok := zoneOffset(s[i+1:]); ok {
			s, zone = s[:i], time.FixedZone("", offset)
		}
	}
	for _, form := range wordForms {
		if t, err := time.ParseInLocation(form, s, zone); err == nil {
			return t.UTC(), sane(t)
		}
	}
	return time.Time{}, false
}

// zoneOffset reads +0100, -01:00, +01 and the names of namedZones.
func zoneOffset(s string) (int, bool) {
	if offset, ok := namedZones[strings.ToUpper(s)]; ok {
		return offset, true
	}
	for _, form := range []string{"-0700", "-07:00", "-07"} {
		if t, err := time.Parse(form, s); err == nil {
			_, offset := t.Zone()
			return offset, true
		}
	}
	return 0, false
}

func seconds(v any) (float64, bool) {
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
		return f, err == nil && strings.Trim(v, "-.0123456789") == ""
	}
	return 0, false
}

// unix gives the instant so many seconds after 1970, exact to the millisecond.
func unix(f float64, ok bool) (time.Time, bool) {
	if !ok || math.Abs(f) > 1e12 {
		return time.Time{}, false
	}
	t := time.UnixMilli(int64(math.Round(f * 1000))).UTC()
	return t, sane(t)
}

// sane keeps years that JSON and databases can write, in UTC.
func sane(t time.Time) bool { y := t.UTC().Year(); return y >= 1 && y <= 9999 }

// layoutSigns are the signs of layouts, those of Unicode (UTS 35), and what Go calls them.
var layoutSigns = map[string]string{
	"yyyy": "2006", "yy": "06", "y": "2006", "MMMM": "January", "MMM": "Jan", "MM": "01", "M": "1", "dd": "02", "d": "2", "EEEE": "Monday", "EEE": "Mon",
	"HH": "15", "H": "15", "hh": "03", "h": "3", "mm": "04", "m": "4", "ss": "05", "s": "5", "S": "0", "SS": "00", "SSS": "000", "SSSSSS": "000000", "a": "PM",
	"XXX": "Z07:00", "XX": "Z0700", "X": "Z07", "xxx": "-07:00", "xx": "-0700", "Z": "-0700",
}

// probe differs in every part from the instant that Go's layouts are written with.
var probe = time.Date(1987, 11, 22, 9, 38, 59, 123456789, time.FixedZone("XYZ", 5*3600))

// goLayout translates a layout such as dd.MM.yyyy HH:mm. Text stands in 'quotes'. what says which
// sign is unknown, or, in its quotes, which text means something to Go.
func goLayout(layout string) (form, what string) {
	var b strings.Builder
	for i := 0; i < len(layout); {
		c := layout[i]
		if c == '\'' {
			end := strings.IndexByte(layout[i+1:], '\'')
			if end < 0 {
				return "", "'"
			}
			if end == 0 {
				b.WriteByte('\'')
			}
			text := layout[i+1 : i+1+end]
			if probe.Format(text) != text {
				return "", "'" + text + "'"
			}
			b.WriteString(text)
			i += end + 2
			continue
		}
		if c >= '0' && c <= '9' {
			return "", layout[i : i+1]
		}
		if c < 'A' || c > 'z' || c > 'Z' && c < 'a' {
			b.WriteByte(c)
			i++
			continue
		}
		end := i
		for end < len(layout) && layout[end] == c {
			end++
		}
		sign, ok := layoutSigns[layout[i:end]]
		if !ok {
			return "", layout[i:end]
		}
		b.WriteString(sign)
		i = end
	}
	return b.String(), ""
}

// zones remembers those that were asked for: reading one takes a while.
var zones sync.Map

func zoneOf(name string) (*time.Location, bool) {
	if name == "" {
		return time.UTC, true
	}
	if z, ok := zones.Load(name); ok {
		return z.(*time.Location), true
	}
	if len(name) > 64 || name == "Local" {
		return nil, false
	}
	z, err := time.LoadLocation(name)
	if err != nil {
		return nil, false
	}
	zones.Store(name, z)
	return z, true
}

// dateOf is date(value, layout, zone).
func dateOf(v any, layout, zone string) (any, error) {
	z, ok := zoneOf(zone)
	if !ok {
		return nil, wrong("date", "the zone is none")
	}
	s, isText := v.(string)
	if v == nil || isText && s == "" {
		return nil, nil
	}
	var t time.Time
	switch layout {
	case "":
		t, ok = Instant(v, z)
	case "unix":
		t, ok = unix(seconds(v))
	case "ms":
		f, isNumber := seconds(v)
		t, ok = unix(f/1000, isNumber)
	default:
		form, bad := goLayout(layout)
		if bad != "" {
			return nil, wrong("date", "the layout has an unknown sign")
		}
		var err error
		t, err = time.ParseInLocation(form, s, z)
		ok = isText && err == nil && sane(t)
	}
	if !ok {
		return nil, wrong("date", "the value is no time in the layout")
	}
	return t.UTC(), nil
}
