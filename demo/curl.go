package demo

import (
	_ "embed"
	"encoding/json"
	"strings"
)

// Arrival is the query that the README shows and the demo prints.
//
//go:embed queries/arrival.graphql
var Arrival string

// Guest and Anonymous are the variables of the two questions that the README asks: as a server,
// for a guest near the hotel; as a browser, for nobody in particular.
const (
	Guest = `{"channel":"mobile","locale":"en","context":{"visitor":"guest-7","location":{"lat":43.2630,"lon":-2.9350},` +
		`"attributes":{"tier":"gold","reservation":"R-1007"},"consent":{"personalization":true}}}`
	Anonymous = `{"channel":"web","locale":"de"}`
)

// Curl gives the two lines to paste. url is the API's address; the keys stand as given: the keys
// themselves, or the names of variables as "$TUTTI_SERVER_KEY".
func Curl(url, serverKey, browserKey string) (guest, anonymous string) {
	line := func(key, variables string) string {
		query, _ := json.Marshal(strings.Join(strings.Fields(Arrival), " ")) // a string always marshals
		return "curl -s " + url + ` -H "Authorization: Bearer ` + key + `" -H 'Content-Type: application/json' -d '{"query":` + string(query) + `,"variables":` + variables + `}'`
	}
	return line(serverKey, Guest), line(browserKey, Anonymous)
}

// Visitors are the guests for whom the demo makes visitor tokens, with what their tokens claim.
var Visitors = map[string]map[string]any{
	"guest-7": {"tier": "gold", "reservation": "R-1007"},
	"guest-8": {"tier": "silver", "reservation": "R-1008"},
}
