package engine

import (
	"fmt"
	"regexp"
	"slices"
	"time"
	_ "time/tzdata" // windows name zones; the binary must not depend on the machine's

	"github.com/tuttihq/tutti"
)

// compileCondition compiles a variant's rule and windows.
func (c *compiling) compileCondition(path, rule string, windows []tutti.StoredWindow) condition {
	var out condition
	if rule != "" {
		r, err := c.rules.Compile(rule, tutti.BoolType)
		if err == nil {
			err = (&scope{c: c}).missingParam(r.Reads())
		}
		if err != nil {
			c.wrongError(path+".rule", err)
		} else {
			out.rule = r
			out.attributes = c.audiences.attributesOf(r.Reads())
			out.moves = slices.ContainsFunc(out.attributes, func(name string) bool { return c.engine.moving[name] })
			c.read(r.Reads())
		}
	}
	for i, w := range windows {
		at := fmt.Sprintf("%s.windows[%d]", path, i)
		if win, ok := c.compileWindow(at, w); ok {
			out.windows = append(out.windows, win)
		}
	}
	return out
}

func (c *compiling) compileWindow(path string, w tutti.StoredWindow) (tutti.Window, bool) {
	zone := time.UTC
	if w.Zone != "" {
		z, err := time.LoadLocation(w.Zone)
		if err != nil || w.Zone == "Local" {
			c.wrong(path+".zone", fmt.Sprintf("“%s” is no time zone.", short(w.Zone)), "Write an IANA name, such as Europe/Madrid.")
			return tutti.Window{}, false
		}
		zone = z
	}
	from, ok := c.compileInstant(path+".from", w.From, zone)
	until, ok2 := c.compileInstant(path+".until", w.Until, zone)
	switch {
	case !ok || !ok2:
		return tutti.Window{}, false
	case from.IsZero() && until.IsZero():
		c.wrong(path, "The window has no end and no beginning.", "Write from, until, or leave the window out.")
		return tutti.Window{}, false
	case !from.IsZero() && !until.IsZero() && !from.Before(until):
		c.wrong(path, "The window ends before it begins.", "from is included, until is not.")
		return tutti.Window{}, false
	}
	return tutti.Window{From: from, Until: until}, true
}

// compileInstant reads a local time in a zone; "" is the zero time.
func (c *compiling) compileInstant(path, s string, zone *time.Location) (time.Time, bool) {
	if s == "" {
		return time.Time{}, true
	}
	for _, layout := range []string{"2006-01-02T15:04", "2006-01-02T15:04:05", "2006-01-02"} {
		if t, err := time.ParseInLocation(layout, s, zone); err == nil {
			return t.UTC(), true
		}
	}
	hint := "Write a local time, such as 2026-12-01T00:00, and the zone beside it."
	c.wrong(path, fmt.Sprintf("“%s” is no local time.", short(s)), hint)
	return time.Time{}, false
}

var intentForm = regexp.MustCompile(`^[A-Z][A-Z0-9_]{0,63}$`)

// action compiles a stored action.
func (s *scope) action(path string, a *tutti.CompositionAction, b *body) actionNode {
	out := actionNode{intent: a.Intent}
	if !intentForm.MatchString(a.Intent) {
		s.c.wrong(path+".intent", fmt.Sprintf("“%s” is no intent.", short(a.Intent)), "Write a name in capitals, such as CHECK_IN.")
	}
	if len(a.Label) == 0 {
		s.c.wrong(path+".label", "The action has no label.", "Write what the person reads, such as Check in.")
	}
	if a.Href == "" && a.DeepLink == "" {
		s.c.wrong(path, "The action leads nowhere.", "Write href or deepLink.")
	}
	out.label = s.words(path+".label", a.Label, inText)
	if a.Href != "" {
		out.href = s.words(path+".href", tutti.Text{"": a.Href}, inURL)
	}
	if a.DeepLink != "" {
		out.deepLink = s.words(path+".deepLink", tutti.Text{"": a.DeepLink}, inURL)
	}
	for _, w := range []*words{out.label, out.href, out.deepLink} {
		s.useWords(path, w, b)
	}
	if a.ExpiresAt != "" {
		out.expires = s.instant(path+".expiresAt", a.ExpiresAt)
	}
	if a.When != "" {
		rule, err := s.c.rules.Compile(a.When, tutti.BoolType)
		if err == nil {
			err = s.missingParam(rule.Reads())
		}
		if err != nil {
			s.c.wrongError(path+".when", err)
		} else {
			out.when = rule
			s.c.read(rule.Reads())
		}
	}
	return out
}
