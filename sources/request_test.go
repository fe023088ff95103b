package sources

import (
	"net/url"
	"testing"
)

func FuzzQuery(f *testing.F) {
	for _, s := range []string{"", "1-0,1-1", "a b+c", "é~_.-/?&=#%", "\x00\xff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if got, want := string(appendEscaped(nil, s)), url.QueryEscape(s); got != want {
			t.Errorf("%q is written %q, not %q", s, got, want)
		}
	})
}
