package main

import (
	"strings"
	"testing"

	"github.com/tuttihq/tutti"
)

// TestWordsInPropsAreWrittenOneWay: personal words with what HTML would escape are the same bytes in
// an answer that is made, in one that is kept, and in one from what is kept.
func TestWordsInPropsAreWrittenOneWay(t *testing.T) {
	t.Parallel()
	p := playPatiently(t)
	p.publish("words", object(t, `{"type": "page", "title": "Words", "params": [{"name": "hotel", "type": "ref", "kinds": ["stay:hotel"], "required": true}], "slots": [{"id": "main", "name": "main", "components": [
	  {"id": "story", "type": "Story", "props": {"headline": {"text": "${stay.guestName} & Co"}, "text": {"text": "<p>For ${stay.guestName} & <b>friends</b></p>"}}}]}]}`))
	ask := func() string {
		return p.ask(p.key(tutti.BrowserKey), p.token("guest-7"), `query ($context: ContextInput) { experience(composition: "words", params: {hotel: "stay:hotel/azul"}, channel: "web", context: $context) { id components { props } } }`, consenting(nil)).Raw
	}
	first := ask()
	if !strings.Contains(first, "Ana") || !strings.Contains(first, ` \u0026 Co"`) {
		t.Fatal(first)
	}
	for range 3 {
		if again := ask(); again != first {
			t.Errorf("first\n%s\nthen\n%s", first, again)
		}
	}
}
