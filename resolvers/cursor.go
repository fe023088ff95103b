package resolvers

import (
	"encoding/base64"
	"strconv"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/graph"
)

const (
	defaultPage = 50
	maxPage     = 100

	nextWithAfter = "Ask for the next page with after."
)

// pageSize checks first: otherwise when nil, an error with the hint when it is not 1 to 100.
func pageSize(first *int, otherwise int, hint string) (int, error) {
	if first == nil {
		return otherwise, nil
	}
	if *first < 1 || *first > maxPage {
		return 0, &tutti.Error{Code: tutti.InvalidValue, Field: "first", Message: "first must be 1 to 100.", Hint: hint}
	}
	return *first, nil
}

// numberCursor writes where a list of ours goes on; it hides nothing and says nothing.
func numberCursor(n int64) string {
	return base64.RawURLEncoding.EncodeToString([]byte("n:" + strconv.FormatInt(n, 10)))
}

// readNumberCursor gives 0 for no cursor.
func readNumberCursor(after *string) (int64, error) {
	if after == nil || *after == "" {
		return 0, nil
	}
	b, err := base64.RawURLEncoding.DecodeString(*after)
	if err == nil && len(b) > 2 && string(b[:2]) == "n:" {
		if n, err := strconv.ParseInt(string(b[2:]), 10, 64); err == nil && n >= 0 {
			return n, nil
		}
	}
	return 0, &tutti.Error{Code: tutti.InvalidValue, Field: "after", Message: "this is no cursor of this list.", Hint: "Send the endCursor of the page before, unchanged."}
}

// pageInfo tells where a list of ours goes on.
func pageInfo(more bool, next int64) *graph.PageInfo {
	p := &graph.PageInfo{HasNextPage: more}
	if more {
		c := numberCursor(next)
		p.EndCursor = &c
	}
	return p
}
