package tutti

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// Money is an exact amount and its ISO 4217 currency, for example {"149.90", "EUR"}.
type Money struct {
	Amount   string `json:"amount"` // decimal, '.' as separator, no grouping, no exponent
	Currency string `json:"currency"`
}

// MoneyFromMinor makes Money from an amount in minor units ("14990", EUR → 149.90), with the
// currency's number of digits (see MinorDigits).
func MoneyFromMinor(minor int64, currency string) Money {
	digits := MinorDigits(currency)
	sign := ""
	u := uint64(minor)
	if minor < 0 {
		sign, u = "-", -u
	}
	s := strconv.FormatUint(u, 10)
	if digits == 0 {
		return Money{Amount: sign + s, Currency: currency}
	}
	for len(s) <= digits {
		s = "0" + s
	}
	return Money{Amount: sign + s[:len(s)-digits] + "." + s[len(s)-digits:], Currency: currency}
}

// MinorDigits is how many digits of a currency stand behind the point, after ISO 4217.
func MinorDigits(currency string) int {
	switch currency {
	case "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF":
		return 0
	case "BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND":
		return 3
	case "CLF", "UYW":
		return 4
	}
	return 2
}

// How many digits an amount has at the most before the point, and behind it.
const maxAmountDigits, maxFractionDigits = 30, 18

// MoneyFromMajor makes Money from an amount in major units as it is written: a decimal, perhaps with
// an exponent as JSON numbers have it ("149.9", "1.499e2"). Nothing is rounded: zeros are added up to
// the currency's digits, and only zeros beyond them are left out. False for anything else.
func MoneyFromMajor(amount, currency string) (Money, bool) {
	sign, digits, point, ok := decimalParts(amount)
	if !ok {
		return Money{}, false
	}
	whole, rest := digits[:point], strings.TrimRight(digits[point:], "0")
	whole = strings.TrimLeft(whole, "0")
	if whole == "" {
		whole = "0"
	}
	for len(rest) < MinorDigits(currency) {
		rest += "0"
	}
	if len(whole) > maxAmountDigits || len(rest) > maxFractionDigits {
		return Money{}, false
	}
	if rest != "" {
		rest = "." + rest
	}
	if strings.Trim(whole+rest, "0.") == "" {
		sign = ""
	}
	return Money{Amount: sign + whole + rest, Currency: currency}, true
}

// decimalParts reads a decimal: its sign, all its digits, and how many of them stand before the point.
func decimalParts(s string) (sign, digits string, point int, ok bool) {
	if after, found := strings.CutPrefix(s, "-"); found {
		sign, s = "-", after
	}
	shift := 0
	if i := strings.IndexAny(s, "eE"); i >= 0 {
		n, err := strconv.Atoi(s[i+1:])
		if err != nil || n > maxAmountDigits || n < -maxAmountDigits {
			return "", "", 0, false
		}
		s, shift = s[:i], n
	}
	whole, rest, pointed := strings.Cut(s, ".")
	if whole == "" || pointed && rest == "" || len(s) > 3*maxAmountDigits || strings.Trim(whole+rest, "0123456789") != "" {
		return "", "", 0, false
	}
	digits, point = whole+rest, len(whole)+shift
	if point < 0 {
		digits, point = strings.Repeat("0", -point)+digits, 0
	}
	if point > len(digits) {
		digits += strings.Repeat("0", point-len(digits))
	}
	return sign, digits, point, true
}

// Place is a point on the earth in degrees (WGS 84).
type Place struct {
	Lat float64 `json:"lat"`
	Lon float64 `json:"lon"`
}

// Valid reports whether the place is on the earth: -90..90, -180..180, no NaN.
func (p Place) Valid() bool {
	return p.Lat >= -90 && p.Lat <= 90 && p.Lon >= -180 && p.Lon <= 180
}

// DistanceTo is the great-circle distance in metres (haversine, radius 6,371,008.8 m).
func (p Place) DistanceTo(q Place) float64 {
	const radius, rad = 6371008.8, math.Pi / 180
	dlat, dlon := (q.Lat-p.Lat)*rad, (q.Lon-p.Lon)*rad
	slat, slon := math.Sin(dlat/2), math.Sin(dlon/2)
	h := slat*slat + math.Cos(p.Lat*rad)*math.Cos(q.Lat*rad)*slon*slon
	return 2 * radius * math.Asin(math.Min(1, math.Sqrt(h)))
}

// Geohash writes the place as a geohash of n characters (6 is about 1.2 km × 0.6 km).
func (p Place) Geohash(n int) string {
	const digits = "0123456789bcdefghjkmnpqrstuvwxyz"
	lat, lon := [2]float64{-90, 90}, [2]float64{-180, 180}
	var b strings.Builder
	for bit, ch, even := 0, 0, true; b.Len() < n; even = !even {
		r, v := &lat, p.Lat
		if even {
			r, v = &lon, p.Lon
		}
		mid := (r[0] + r[1]) / 2
		ch <<= 1
		if v >= mid {
			ch |= 1
			r[0] = mid
		} else {
			r[1] = mid
		}
		if bit++; bit == 5 {
			b.WriteByte(digits[ch])
			bit, ch = 0, 0
		}
	}
	return b.String()
}

// Quantise gives the centre of the place's geohash cell of n characters: what a plan may hold.
func (p Place) Quantise(n int) Place {
	height, width := cell(n)
	centre := func(v, lo, hi, w float64) float64 {
		i := math.Min(math.Floor((v-lo)/w), (hi-lo)/w-1)
		return lo + (i+0.5)*w
	}
	return Place{Lat: centre(p.Lat, -90, 90, height), Lon: centre(p.Lon, -180, 180, width)}
}

// QuantisedOff is how many metres the place is from its Quantise(n) at most: a whole number, and the
// same for all places of a cell.
func (p Place) QuantisedOff(n int) float64 {
	height, width := cell(n)
	q := p.Quantise(n)
	farthest := 0.0
	for _, lat := range []float64{q.Lat - height/2, q.Lat + height/2} {
		farthest = math.Max(farthest, q.DistanceTo(Place{Lat: lat, Lon: q.Lon + width/2}))
	}
	return math.Floor(farthest) + 1
}

// cell is the size of a geohash cell of n characters, in degrees.
func cell(n int) (height, width float64) {
	return 180 / math.Exp2(float64(5*n/2)), 360 / math.Exp2(float64((5*n+1)/2))
}

// RichText is formatted text in every form a channel may want. HTML is sanitised.
type RichText struct {
	HTML     string `json:"html"`
	Markdown string `json:"markdown"`
	Plain    string `json:"plain"`
	SSML     string `json:"ssml"` // inner SSML, without the <speak> element
}

// Focal is the point of interest of a picture, 0..1 from the left and the top.
type Focal struct {
	X float64 `json:"x"`
	Y float64 `json:"y"`
}

// Window is a span of time [From, Until) in a named zone. A zero end is open.
type Window struct {
	From  time.Time `json:"from,omitzero"`
	Until time.Time `json:"until,omitzero"`
}

// Holds reports whether t lies in the window.
func (w Window) Holds(t time.Time) bool {
	return (w.From.IsZero() || !t.Before(w.From)) && (w.Until.IsZero() || t.Before(w.Until))
}
