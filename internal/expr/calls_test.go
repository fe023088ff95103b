package expr

import (
	"strings"
	"testing"
)

// TestEveryHelperTellsHowItIsCalled, so that a mistake in a call has a proposal.
func TestEveryHelperTellsHowItIsCalled(t *testing.T) {
	for _, h := range helpers {
		if !strings.HasPrefix(calls[h.name], h.name+"(") {
			t.Errorf("nobody learns how %s is called", h.name)
		}
	}
}
