package graph

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/tuttihq/tutti"
)

func TestErrorsAreRedacted(t *testing.T) {
	const secret = "10.0.0.7"
	cases := map[string]struct {
		err           error
		code          tutti.Code
		message, hint string
	}{
		"a plain error":         {errors.New("dial " + secret), tutti.Internal, "Tell us the request id", ""},
		"a coded error":         {tutti.Errorf(tutti.Unavailable, "reading answer of %s", secret), tutti.Unavailable, "A source does not answer usefully.", ""},
		"a public error":        {&tutti.Error{Code: tutti.Conflict, Message: "somebody saved.", Hint: "Load it again.", Field: "revision", Cause: errors.New(secret)}, tutti.Conflict, "Somebody saved.", "Load it again."},
		"wrapped, public":       {fmt.Errorf("at %s: %w", secret, &tutti.Error{Code: tutti.NotFound, Message: "no such page."}), tutti.NotFound, "No such page.", ""},
		"coded over public":     {tutti.Errorf(tutti.Unavailable, "at %s: %w", secret, &tutti.Error{Code: tutti.NotFound, Message: secret}), tutti.Unavailable, "A source does not", ""},
		"a code alone":          {tutti.Locked, tutti.Locked, "Another process owns the database.", ""},
		"internal with a text":  {&tutti.Error{Code: tutti.Internal, Message: secret}, tutti.Internal, "Tell us the request id", ""},
		"a GraphQL error":       {gqlerror.Errorf("at %s", secret), tutti.Internal, "Tell us the request id", ""},
		"extensions of another": {&gqlerror.Error{Message: "x", Extensions: map[string]any{"address": secret}}, tutti.Internal, "Tell us", ""},
		"out of time":           {fmt.Errorf("at %s: %w", secret, context.DeadlineExceeded), tutti.Timeout, "It took too long.", ""},
		"two wrapped":           {fmt.Errorf("at %s: %w, %w", secret, tutti.Unavailable, errors.New("x")), tutti.Internal, "Tell us", ""},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			h.resolver.err = c.err
			a := h.ask(tutti.ServerKey, "{ locales }", nil)
			if a.status != 200 || len(a.json.Errors) != 1 || string(a.json.Data) != "null" {
				t.Fatalf("%d %s", a.status, a.body)
			}
			e := a.json.Errors[0]
			if e.Extensions.Code != string(c.code) || !strings.Contains(e.Message, c.message) || e.Extensions.Hint != c.hint || e.Extensions.RequestID == "" || fmt.Sprint(e.Path) != "[locales]" {
				t.Errorf("%s", a.body)
			}
			if strings.Contains(a.body, secret) {
				t.Errorf("shows the cause: %s", a.body)
			}
			if c.code == tutti.Internal && !strings.Contains(h.log.String(), "request="+e.Extensions.RequestID) {
				t.Error("the log does not name the request")
			}
		})
	}
}

func TestPanicsAreOurMistakes(t *testing.T) {
	h := newHouse(t)
	a := h.ask(tutti.ServerKey, `{ channels { name } locales }`, nil) // channels is not written: it panics
	if a.status != 200 || a.code() != string(tutti.Internal) || strings.Contains(a.body, "nil pointer") {
		t.Errorf("%d %s", a.status, a.body)
	}
	log := h.log.String()
	if !strings.Contains(log, "nil pointer") || !strings.Contains(log, "testQuery") || !strings.Contains(log, a.json.Errors[0].Extensions.RequestID) {
		t.Errorf("the log does not say where: %s", log)
	}
	if b := h.ask(tutti.ServerKey, `{ locales }`, nil); b.status != 200 || b.code() != "" {
		t.Errorf("afterwards: %s", b.body)
	}
}

func TestAPanicOutsideOfResolvers(t *testing.T) {
	h := newHouse(t)
	h.store.during = func() { panic("the store is broken") }
	a := h.ask(tutti.ServerKey, `{ locales }`, nil)
	h.wantCode(a, 500, tutti.Internal)
	if strings.Contains(a.body, "broken") || !strings.Contains(h.log.String(), "the store is broken") {
		t.Errorf("%s", a.body)
	}
	if b := h.ask(tutti.ServerKey, `{ locales }`, nil); b.status != 200 {
		t.Errorf("afterwards: %s", b.body)
	}
}

func TestEveryCodeHasAPublicText(t *testing.T) {
	schema, err := loadSchema(nil, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range schema.Types["ErrorCode"].EnumValues {
		if public[tutti.Code(v.Name)] == "" {
			t.Errorf("%s has no public text", v.Name)
		}
	}
	for code := range public {
		if schema.Types["ErrorCode"].EnumValues.ForName(string(code)) == nil {
			t.Errorf("%s is not in the schema", code)
		}
	}
}

func TestLogsHoldNoFacts(t *testing.T) {
	h := newHouse(t)
	h.ask(tutti.ServerKey, experienceQuery, map[string]any{"context": map[string]any{"visitor": "guest-canary", "attributes": map[string]any{"reservation": "R-canary"}, "location": map[string]any{"lat": 12.3456, "lon": 1}}})
	h.ask(tutti.BrowserKey, experienceQuery, map[string]any{"context": map[string]any{"visitor": "guest-canary", "attributes": map[string]any{"reservation": "R-canary", "visits": "canary"}}})
	h.ask(tutti.BrowserKey, experienceQuery, nil, VisitorHeader, "canary.canary.canary")
	h.ask(tutti.ServerKey, `{ experience(composition: "canary", channel: "canary", context: {attributes: {visits: "canary"}}) { id } }`, nil)
	log := h.log.String()
	if strings.Contains(log, "canary") || strings.Contains(log, "12.3456") || strings.Count(log, "msg=request") != 4 {
		t.Errorf("%s", log)
	}
}
