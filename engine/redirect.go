package engine

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/tuttihq/tutti"
)

// checkRedirects refuses a list with a wrong path, a path that stands twice, or a loop.
func checkRedirects(list []tutti.Redirect) []Problem {
	var n notes
	to := map[string]string{}
	for i, r := range list {
		at := fmt.Sprintf("redirects[%d]", i)
		if !strings.HasPrefix(r.From, "/") || strings.ContainsAny(r.From, "?#") {
			n.wrong(at+".from", fmt.Sprintf("“%s” is no path.", short(r.From)), "Write a path that starts with /, without ? and #.")
			continue
		}
		if !validTarget(r.To) {
			n.wrong(at+".to", fmt.Sprintf("“%s” is no path and no web address.", short(r.To)), "Write /path or https://….")
			continue
		}
		from := cleanPath(r.From)
		if _, twice := to[from]; twice {
			n.wrong(at+".from", fmt.Sprintf("“%s” is redirected twice.", short(r.From)), "Keep one of them.")
			continue
		}
		to[from] = r.To
	}
	for i, r := range list {
		if loop := redirectLoop(to, cleanPath(r.From)); loop != nil {
			n.wrong(fmt.Sprintf("redirects[%d]", i), "The redirects lead in a circle: "+strings.Join(loop, " → ")+".", "Let one of them lead elsewhere.")
			break
		}
	}
	return n.problems
}

func validTarget(to string) bool {
	if strings.HasPrefix(to, "/") {
		return !strings.HasPrefix(to, "//") && !strings.ContainsAny(to, "\\ \r\n")
	}
	u, err := url.Parse(to)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != ""
}

func redirectLoop(to map[string]string, from string) []string {
	way := []string{from}
	for at := from; ; {
		next, ok := to[at]
		if !ok || !strings.HasPrefix(next, "/") {
			return nil
		}
		at = cleanPath(next)
		if slices.Contains(way, at) {
			return append(way, at)
		}
		way = append(way, at)
	}
}
