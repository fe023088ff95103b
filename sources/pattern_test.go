package sources

import (
	"regexp"
	"testing"
)

// FuzzPattern holds what is not left to regexp to regexp.
func FuzzPattern(f *testing.F) {
	for _, p := range []string{
		"[0-9]+-[0-9]+", "[1-9][0-9]{0,18}", "[0-9a-f]{32}", "R-[0-9]{1,12}", "[a-z]*[0-9]?x{2,}", "[a-z]+a", "a?ab", "(?i)ab", "[^/]+", "a|b", "(ab)+", "(a)b", "ab*?c", "é+", ".", "", "^a$", `\d{2}`,
		"[A-Za-z][A-Za-z0-9_-]*:[A-Za-z][A-Za-z0-9_-]*", "[0-9]{2}[0-9]", "[0-9]{0,2}[a-z]{0,2}[0-9]", "a{0}b", "a{3}", "(?s).+", "a\nb",
	} {
		for _, s := range []string{"", "1-2", "12345", "0123456789abcdef0123456789abcdef", "R-7", "abc", "ab", "aab", "é", "a\n", "12a3", "b:c", "aaa"} {
			f.Add(p, s)
		}
	}
	f.Fuzz(func(t *testing.T, pattern, s string) {
		if len(pattern) > 100 {
			return
		}
		re, err := regexp.Compile(`^(?:` + pattern + `)$`)
		if err != nil {
			return
		}
		if got, want := matcherOf(re, pattern).MatchString(s), re.MatchString(s); got != want {
			t.Errorf("%q matches %q: %v, want %v", pattern, s, got, want)
		}
	})
}

func TestPatternsOfIDsAreRows(t *testing.T) {
	for pattern, plain := range map[string]bool{
		"[0-9]+-[0-9]+": true, "[1-9][0-9]{0,18}": true, "[0-9a-f]{32}": true, "R-[0-9]{1,12}": true, "[0-9A-Za-z-]{1,64}": true, "a{0,2}b*c": true,
		"[a-z]+a": false, "a?b?a": false, "[^/]+": false, "a|bc": false, "(ab)+": false, "(?i)ab": false,
	} {
		_, got := matcherOf(regexp.MustCompile(`^(?:`+pattern+`)$`), pattern).(row)
		if got != plain {
			t.Errorf("%s is a row: %v, want %v", pattern, got, plain)
		}
	}
}

func BenchmarkPattern(b *testing.B) {
	const pattern = "[0-9]+-[0-9]+"
	re := regexp.MustCompile(`^(?:` + pattern + `)$`)
	for name, m := range map[string]matcher{"row": matcherOf(re, pattern), "regexp": re} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if !m.MatchString("1000000-12") {
					b.Fatal("it does not match")
				}
			}
		})
	}
}
