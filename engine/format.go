package engine

import (
	"strconv"
	"strings"
	"time"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/internal/text"
)

// formatValue writes a value into a text: numbers without exponent, instants after RFC 3339,
// money as amount and currency, lists with commas. What has no words is "".
func formatValue(v any) string {
	switch v := v.(type) {
	case string:
		return text.StripHoles(v)
	case bool:
		return strconv.FormatBool(v)
	case int64:
		return strconv.FormatInt(v, 10)
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case time.Time:
		return v.Format(time.RFC3339)
	case tutti.Money:
		return v.Amount + " " + v.Currency
	case tutti.Place:
		return formatValue(v.Lat) + ", " + formatValue(v.Lon)
	case tutti.Ref:
		return v.String()
	case []string:
		return text.StripHoles(strings.Join(v, ", "))
	case []any:
		words := make([]string, len(v))
		for i := range v {
			words[i] = formatValue(v[i])
		}
		return strings.Join(words, ", ")
	}
	return ""
}

func parseFloat(s string) (float64, error) { return strconv.ParseFloat(s, 64) }
