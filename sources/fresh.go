package sources

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// shortest is how long a record is fresh whose origin wants it to be asked for each time: the readers
// who wait for one call share its answer.
const shortest = time.Millisecond

// freshFor tells how long an answer is fresh, by Cache-Control and Age of RFC 9111: s-maxage before
// max-age, for what is kept here is shared; less what it spent in other caches. no-store, no-cache and
// a time that is over come to the shortest. Zero when the origin does not say.
func freshFor(h http.Header) time.Duration {
	shared, own := -1, -1
	for _, line := range h.Values("Cache-Control") {
		for part := range strings.SplitSeq(line, ",") {
			name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
			switch strings.ToLower(strings.TrimSpace(name)) {
			case "no-store", "no-cache":
				return shortest
			case "s-maxage":
				shared = seconds(value)
			case "max-age":
				own = seconds(value)
			}
		}
	}
	if shared < 0 {
		shared = own
	}
	if shared < 0 {
		return 0
	}
	age := max(seconds(h.Get("Age")), 0)
	return max(time.Duration(shared-age)*time.Second, shortest)
}

// seconds reads delta-seconds; -1 when they are none. More than a year is a year.
func seconds(s string) int {
	s = strings.Trim(strings.TrimSpace(s), `"`)
	if s == "" || strings.Trim(s, "0123456789") != "" {
		return -1
	}
	const year = 365 * 24 * 60 * 60
	n, err := strconv.Atoi(s)
	if err != nil { // more than an int holds
		return year
	}
	return min(n, year)
}
