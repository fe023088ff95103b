package tutti

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

func TestSupports(t *testing.T) {
	if s, err := ParseSupports(nil); err != nil || !s.Draws("Hero", 7) {
		t.Errorf("without supports everything can be drawn: %v %v", s, err)
	}
	s, err := ParseSupports([]string{"Hero@2", "Hero@1", "Hero@2", "Card", "Row@1", "Row", "Row@3"})
	if err != nil {
		t.Fatal(err)
	}
	for what, want := range map[string]bool{"Hero 1": true, "Hero 2": true, "Hero 3": false, "Card 9": true, "Row 2": true, "List 1": false} {
		var name string
		var version int
		if _, err := fmt.Sscan(what, &name, &version); err != nil {
			t.Fatal(err)
		}
		if s.Draws(name, version) != want {
			t.Errorf("%s: %v", what, !want)
		}
	}
	for _, list := range [][]string{
		{}, {""}, {"Hero@"}, {"Hero@0"}, {"Hero@-1"}, {"Hero@two"}, {"Hero@+2"}, {"Hero@02"}, {"@2"}, {"Hero 2"}, {strings.Repeat("é", 200)}, make([]string, maxSupports+1),
	} {
		var e *Error
		if _, err := ParseSupports(list); !errors.As(err, &e) || e.Code != InvalidValue || e.Field != "supports" || e.Hint == "" || len(e.Message) > 200 {
			t.Errorf("%.3q: %v", list, err)
		}
	}
}
