package graph

import (
	"mime"
	"strconv"
	"strings"
)

const (
	graphqlJSON = "application/graphql-response+json"
	plainJSON   = "application/json"
)

// negotiate chooses the media type of an answer; "" when none is accepted. Without a wish it is
// application/json, under which clients of old expect 200 for every well-formed request.
func negotiate(accept []string) string {
	if len(accept) == 0 {
		return plainJSON
	}
	if len(accept) == 1 { // what nearly everybody sends
		switch accept[0] {
		case graphqlJSON:
			return graphqlJSON
		case plainJSON, "*/*":
			return plainJSON
		}
	}
	quality := map[string]float64{}
	specific := map[string]int{}
	for _, part := range strings.Split(strings.Join(accept, ","), ",") {
		media, params, err := mime.ParseMediaType(strings.TrimSpace(part))
		if err != nil {
			continue
		}
		q := 1.0
		if s, ok := params["q"]; ok {
			if q, err = strconv.ParseFloat(s, 64); err != nil || !(q >= 0 && q <= 1) {
				continue
			}
		}
		if c, ok := params["charset"]; ok && !strings.EqualFold(c, "utf-8") {
			continue
		}
		for _, offer := range []string{plainJSON, graphqlJSON} {
			rank := map[string]int{"*/*": 1, "application/*": 2, offer: 3}[media]
			if rank > specific[offer] {
				specific[offer], quality[offer] = rank, q
			}
		}
	}
	switch a, b := quality[plainJSON], quality[graphqlJSON]; {
	case a == 0 && b == 0:
		return ""
	case b > a, b == a && specific[graphqlJSON] == 3: // asked for by name, and not wanted less
		return graphqlJSON
	default:
		return plainJSON
	}
}
