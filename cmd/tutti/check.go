package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/engine"
	"github.com/tuttihq/tutti/graph"
	"github.com/tuttihq/tutti/internal/config"
	"github.com/tuttihq/tutti/sources"
	"github.com/tuttihq/tutti/sources/postgres"
)

// checkDocuments is the DocumentChecker that the server itself would be: it opens the sources
// (calling none), makes an engine of the config, and compiles every document.
func checkDocuments(cfg *config.Config, docs []config.Document) []config.Problem {
	origins, err := openSources(cfg, sources.Deps{Dir: filepath.Dir(cfg.Path)})
	var wrong config.Problems
	if errors.As(err, &wrong) {
		return wrong
	}
	defer origins.Close()
	visitors := map[string]string{}
	for _, s := range cfg.Sources {
		if s.Visitor != "" {
			visitors[s.Name] = s.Visitor
		}
	}
	e, err := engine.New(engine.Config{
		Attributes: cfg.Attributes, Enrichers: cfg.Enrichers, Channels: cfg.Channels, Locales: cfg.Locales, Markets: cfg.Markets,
		ComponentTypes: cfg.ComponentTypes, CompositionTypes: cfg.CompositionTypes, SourceVisitors: visitors, Generation: "validate",
	}, origins)
	if err == nil {
		err = graph.CheckTypes(cfg.ComponentTypes, cfg.Attributes)
	}
	if err != nil {
		return ofConfig(cfg, err)
	}
	var problems []config.Problem
	tell := func(d config.Document, found []engine.Problem) {
		for _, p := range found {
			path := strings.TrimPrefix(strings.TrimPrefix(p.Path, "audiences."+d.Name), ".")
			message := p.Message
			if p.Hint != "" {
				message += " " + p.Hint
			}
			problems = append(problems, sentenced(d.Problem(path, message, "")))
		}
	}
	checkAudiences(e, ofKind(docs, tutti.AudienceDocument), tell)
	library := engine.NewLibrary(e)
	var states []engine.Doc
	for _, d := range docs {
		states = append(states, engine.Doc{Kind: d.Kind, Name: d.Name, Version: 1, Body: d.Body})
	}
	library.Load(states, time.Time{}) // what it leaves out is told below, with its line
	for _, d := range docs {
		switch d.Kind {
		case tutti.CompositionDocument:
			wrong, _ := library.CheckComposition(d.Name, d.Body)
			tell(d, wrong)
		case tutti.PersonaDocument:
			var persona tutti.Persona
			if readBody(d, &persona) {
				tell(d, library.CheckPersona(persona))
			}
		case tutti.RedirectsDocument:
			var list struct{ Redirects []tutti.Redirect }
			if readBody(d, &list) {
				tell(d, library.CheckRedirects(list.Redirects))
			}
		}
	}
	return problems
}

// readBody reads a document's body, with numbers as they are written. What ParseDocument gave
// always can be read.
func readBody(d config.Document, into any) bool {
	r := json.NewDecoder(bytes.NewReader(d.Body))
	r.UseNumber()
	return r.Decode(into) == nil
}

func checkAudiences(e *engine.Engine, docs []config.Document, tell func(config.Document, []engine.Problem)) {
	var list []tutti.Audience
	for _, d := range docs {
		var a tutti.Audience
		if readBody(d, &a) {
			list = append(list, a)
		}
	}
	_, wrong := e.CompileAudiences(list)
	for _, d := range docs {
		var own []engine.Problem
		for _, p := range wrong {
			if p.Path == "audiences."+d.Name || strings.HasPrefix(p.Path, "audiences."+d.Name+".") {
				own = append(own, p)
			}
		}
		tell(d, own)
	}
}

// ofConfig makes problems, with lines, of what another room finds wrong with the config.
func ofConfig(cfg *config.Config, err error) []config.Problem {
	var problems []config.Problem
	for _, e := range flatten(err) {
		var public *tutti.Error
		if !errors.As(e, &public) {
			problems = append(problems, cfg.Problem("", e.Error(), ""))
			continue
		}
		message, write := public.Message, ""
		if example, ok := strings.CutPrefix(public.Hint, "Write, for example:  "); ok {
			write = example
		} else if public.Hint != "" {
			message += " " + public.Hint
		}
		if public.Field == "" {
			problems = append(problems, placed(config.Problem{Message: message, Write: write}))
		} else {
			problems = append(problems, sentenced(cfg.Problem(public.Field, message, write)))
		}
	}
	return problems
}

var place = regexp.MustCompile(`^([^:]+):(\d+): `)

// placed takes the place out of the message of a manifest's mistake, which tells it itself.
func placed(p config.Problem) config.Problem {
	if at := place.FindStringSubmatch(p.Message); at != nil {
		p.File, p.Message = at[1], p.Message[len(at[0]):]
		p.Line, _ = strconv.Atoi(at[2])
	}
	return p
}

// openSources makes the config's sources; their mistakes come with the config's lines.
func openSources(cfg *config.Config, d sources.Deps) (*sources.Sources, error) {
	d.Database = postgres.Opener(d.Log)
	s, err := sources.Open(cfg.Sources, d)
	if err != nil {
		return nil, config.Problems(ofConfig(cfg, err)).Sort()
	}
	return s, nil
}

// sentenced puts a colon after the field where the message does not go on from it.
func sentenced(p config.Problem) config.Problem {
	first, _ := utf8.DecodeRuneInString(p.Message)
	if p.Field != "" && (unicode.IsUpper(first) || first == '“' || strings.HasPrefix(p.Message, "line ") || strings.HasPrefix(p.Message, "the ")) {
		p.Field += ":"
	}
	return p
}
