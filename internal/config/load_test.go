package config

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tuttihq/tutti"
)

var update = flag.Bool("update", false, "write the golden files anew")

const dashes = "\n--------\n"

// environment gives a few variables, as os.LookupEnv does.
func environment(name string) (string, bool) {
	v, ok := map[string]string{"STAY_KEY": "canary-key", "STAY_HOOK": "canary-hook", "EMPTY": "", "TUTTI_LISTEN": ":9000"}[name]
	return v, ok
}

func TestGoodFileIsReadWhole(t *testing.T) {
	c, err := Load("testdata/good/tutti.yaml", environment)
	if err != nil {
		t.Fatal(err)
	}
	same := func(what string, got, want any) {
		t.Helper()
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s is %v, want %v", what, got, want)
		}
	}
	stay := c.Source("stay")
	same("the sources", len(c.Sources), 2)
	same("the order", c.Sources[0].Name+" "+c.Channels[0].Name+" "+c.Channels[3].Name, "stay web voice")
	same("the line", stay.Line, 7)
	same("the address", stay.URL, "https://stay.example")
	same("the secret", stay.Secrets["apiKey"].Reveal(), "canary-key")
	same("the hook's secret", stay.Webhook.Secret.Reveal(), "canary-hook")
	same("freshness", stay.Freshness, Freshness{Fresh: 30 * time.Second, Stale: 5 * time.Minute, StaleIfError: 24 * time.Hour, Negative: 5 * time.Second})
	same("a kind's freshness", *stay.Kinds["place"].Freshness, Freshness{Fresh: 10 * time.Minute, Stale: 5 * time.Minute, StaleIfError: 24 * time.Hour, Negative: 5 * time.Second})
	same("no staleness", stay.Kinds["reservation"].Freshness.Stale, time.Duration(0))
	same("a kind without freshness", stay.Kinds["hotel"].Freshness == nil, true)
	same("limits", stay.Limits, SourceLimits{2 * time.Second, 700 * time.Millisecond, 500 * time.Millisecond, 8, 20, 1 << 20})
	catalog := DefaultSourceLimits
	catalog.Budget = 800 * time.Millisecond // two thirds of the page's
	same("limits of a source that says none", c.Source("catalog").Limits, catalog)
	same("budgets", c.Budgets, Budgets{Page: 1200 * time.Millisecond, Wave: 400 * time.Millisecond, Learn: 200 * time.Millisecond})
	same("trust", c.Attributes[0].Trust, tutti.TrustSigned)
	same("the attribute", c.Attributes[2].Name, "stay.checkIn")
	offers := c.ComponentTypes[0]
	same("the props", offers.Props[0].Name+" "+offers.Props[1].Name+" "+offers.Props[2].Name, "headline items picture")
	same("the template", offers.Templates["voice"].Speech["de"], "Es gibt ${props.headline}.")
	same("what looks like a variable", offers.Templates["chat"].Text[""], "${props.headline} ${NOT_ENV}")
	same("a param's default", string(c.CompositionTypes[0].Params[1].Default), "3")
	same("a written limit", c.Limits.Depth, 12)
	same("a written size", c.Limits.BodyBytes, 512<<10)
	same("another written size", c.Limits.ContextBytes, 8<<10)
	same("a limit not written", c.Limits.Tokens, 4000)
	same("the cache", c.CacheBytes, 64<<20)
	same("how long clients keep", c.ClientMaxAge, time.Minute)
	same("how long others keep", c.SharedMaxAge, time.Hour)
	same("which operations", c.Operations, tutti.OperationsEnforce)
	same("the leeway", c.Visitors.Leeway, 10*time.Second)
	same("what the environment says", c.Listen, ":9000")
	same("what nobody says", c.Database, DefaultDatabase)
	same("the line of a path", c.Problem("attributes.stay.checkIn.derive", "is wrong", "").Line, 36)
	if printed := fmt.Sprintf("%+v %#v", *c, *c); strings.Contains(printed, "canary") {
		t.Error("a printed config shows a secret")
	}
}

func TestEmptyFileHasDefaults(t *testing.T) {
	c, err := Parse("tutti.yaml", []byte("# nothing yet\n"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if c.Limits != DefaultLimits || c.CacheBytes != DefaultCacheBytes || c.Visitors.Leeway != DefaultLeeway || c.Operations != tutti.OperationsOff || c.ClientMaxAge != DefaultMaxAge || c.SharedMaxAge != DefaultMaxAge || c.Locales.Default != "en" || len(c.Locales.Names) != 1 {
		t.Errorf("got %+v", c)
	}
}

func TestMissingFileSaysWhatToDo(t *testing.T) {
	_, err := Load("testdata/none.yaml", nil)
	if !errors.Is(err, tutti.NotFound) || !strings.Contains(err.Error(), "--config") {
		t.Errorf("got %v", err)
	}
}

// TestProblems reads the broken files in testdata: input, a line of dashes, and all problems.
func TestProblems(t *testing.T) {
	files, _ := filepath.Glob("testdata/broken/*.txt")
	if len(files) == 0 {
		t.Fatal("no broken files")
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			content, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			input, want, _ := strings.Cut(string(content), dashes)
			_, err = Parse("tutti.yaml", []byte(input), environment)
			if !errors.Is(err, tutti.Invalid) {
				t.Fatalf("got %v, want problems", err)
			}
			got := err.Error() + "\n"
			if strings.Contains(got, "canary") {
				t.Error("a problem shows a secret")
			}
			if *update {
				if err := os.WriteFile(file, []byte(input+dashes+got), 0o644); err != nil {
					t.Fatal(err)
				}
			} else if got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}
