package sources

import "strings"

// An id may be a path, as the key of an object in a bucket is: its slashes stay slashes in the address, and nothing
// else of it can mean something there.

// isPath reports whether an id is a path whose segments all name something.
func isPath(id string) bool {
	for segment := range strings.SplitSeq(id, "/") {
		if segment == "" || segment == "." || segment == ".." {
			return false
		}
	}
	return true
}

// escapeSegments is escapeSegment for each segment of a path.
func escapeSegments(path string) (string, error) {
	segments := strings.Split(path, "/")
	for i, s := range segments {
		var err error
		if segments[i], err = escapeSegment(s); err != nil {
			return "", err
		}
	}
	return strings.Join(segments, "/"), nil
}

// keepSlashes lets the value of a name keep its slashes in a path.
func (t *template) keepSlashes(name string) {
	for i, p := range t.parts {
		if p.expr != nil && len(p.expr.path) == 1 && p.expr.path[0] == name {
			t.parts[i].slashes = true
		}
	}
}
