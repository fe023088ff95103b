package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/internal/config"
)

// applyCommand brings files to the server.
type applyCommand struct {
	apiFlags
	Dir     string `help:"The folder with compositions/, audiences/, personas/ and redirects.yaml." default:"." type:"existingdir"`
	DryRun  bool   `help:"Only print what would change."`
	Publish bool   `help:"Publish what was saved, and what was saved before but not published."`
	Prune   bool   `help:"Take back what the server has and the folder has not: compositions and audiences are unpublished, personas deleted."`
	Note    string `help:"A note for the publications log."`
}

// Help shows how to call it.
func (applyCommand) Help() string {
	return `Saves every file that says something else than the server's draft. Personas and redirects count at once; compositions
and audiences when they are published. Audiences go first; no composition is published unless everything could be saved.

Examples:
  tutti apply --dir content --dry-run
  tutti apply --dir content --publish --note "Christmas"
  tutti apply --dir content --publish --prune`
}

// change is what has to be done for one document.
type change struct {
	doc     config.Document // zero for what only the server has
	old     remote          // zero for what only the folder has
	save    bool
	publish bool
	remove  bool
}

// Run compares, prints, and unless it is a dry run, saves and publishes.
func (c *applyCommand) Run(ctx context.Context, out, errs io.Writer) error {
	docs, err := config.ReadDocuments(c.Dir)
	if err != nil {
		return err
	}
	a, err := c.connect()
	if err != nil {
		return err
	}
	there, err := a.read(ctx)
	if err != nil {
		return err
	}
	changes, err := c.compare(docs, there)
	if err != nil {
		return err
	}
	if len(changes) == 0 {
		fmt.Fprintln(errs, "The server says the same as the files.")
		return nil
	}
	if c.DryRun {
		return c.show(out, errs, changes)
	}
	return c.apply(ctx, a, changes, out, errs)
}

// compare finds what has to be done, in the order in which it has to be.
func (c *applyCommand) compare(docs []config.Document, there []remote) ([]change, error) {
	type id struct {
		kind tutti.DocumentKind
		name string
	}
	byName := map[id]remote{}
	for _, r := range there {
		byName[id{r.kind, r.name}] = r
	}
	var changes []change
	for _, d := range docs {
		old, known := byName[id{d.Kind, d.Name}]
		delete(byName, id{d.Kind, d.Name})
		ch := change{doc: d, old: old, save: !known}
		if known {
			canonical, err := config.Canonical(d.Kind, old.body)
			if err != nil {
				return nil, err
			}
			ch.save = !bytes.Equal(canonical, d.Body)
		}
		ch.publish = c.Publish && hasDraft(d.Kind) && (ch.save || !old.published)
		if ch.save || ch.publish {
			changes = append(changes, ch)
		}
	}
	if c.Prune {
		for _, r := range there { // compositions first: they name audiences
			if _, left := byName[id{r.kind, r.name}]; left && r.live && r.kind != tutti.AudienceDocument {
				changes = append(changes, change{old: r, remove: true})
			}
		}
		for _, r := range there {
			if _, left := byName[id{r.kind, r.name}]; left && r.live && r.kind == tutti.AudienceDocument {
				changes = append(changes, change{old: r, remove: true})
			}
		}
	}
	return changes, nil
}

// hasDraft reports whether a kind is saved and published apart.
func hasDraft(kind tutti.DocumentKind) bool {
	return kind == tutti.CompositionDocument || kind == tutti.AudienceDocument
}

// show prints the difference of every document.
func (c *applyCommand) show(out, errs io.Writer, changes []change) error {
	for _, ch := range changes {
		if ch.remove {
			fmt.Fprintf(out, "%s: %s\n", config.FileOf(ch.old.kind, ch.old.name), removal(ch.old.kind))
			continue
		}
		file := config.FileOf(ch.doc.Kind, ch.doc.Name)
		switch {
		case ch.save && ch.old.name == "":
			fmt.Fprintf(out, "%s: new\n", file)
		case ch.save:
			fmt.Fprintf(out, "%s: changed (the server has revision %d)\n", file, ch.old.revision)
		default:
			fmt.Fprintf(out, "%s: to be published\n", file)
			continue
		}
		var before []byte
		if ch.old.name != "" {
			var err error
			if before, err = config.WriteYAML(ch.old.kind, ch.old.body); err != nil {
				return err
			}
		}
		after, err := config.WriteYAML(ch.doc.Kind, ch.doc.Body)
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "--- server\n+++ %s\n%s", shorten(ch.doc.File), unified(string(before), string(after)))
	}
	fmt.Fprintf(errs, "%s would change; nothing was.\n", count(len(changes), "document"))
	return nil
}

func removal(kind tutti.DocumentKind) string {
	switch kind {
	case tutti.PersonaDocument:
		return "to be deleted"
	case tutti.RedirectsDocument:
		return "to be emptied"
	}
	return "to be unpublished"
}

// applying is the state of bringing changes to the server.
type applying struct {
	*api
	note      string
	out, errs io.Writer
	wrong     []error
}

// apply brings audiences first, because what names them is checked against those that are
// published; then it saves the rest, then it publishes compositions and takes back. None of that
// last part happens when something could not be saved.
func (c *applyCommand) apply(ctx context.Context, a *api, changes []change, out, errs io.Writer) error {
	w := &applying{api: a, note: c.Note, out: out, errs: errs}
	var rest []change
	var audiences []change
	for _, ch := range changes {
		if ch.doc.Kind == tutti.AudienceDocument {
			audiences = append(audiences, ch)
		} else {
			rest = append(rest, ch)
		}
	}
	w.audiences(ctx, audiences)
	for i := range rest {
		if err := w.save(ctx, &rest[i]); err != nil {
			w.wrong = append(w.wrong, err)
		}
	}
	if len(w.wrong) > 0 {
		if len(audiences) > 0 && !c.Publish {
			fmt.Fprintln(errs, "Rules can only name audiences that are published: --publish does that first.")
		}
		return together(w.wrong)
	}
	for _, ch := range rest {
		if err := w.finish(ctx, ch); err != nil {
			return err
		}
	}
	return nil
}

// audiences saves and publishes audiences. They may name each other, so those that are refused
// are tried again as long as others get through.
func (w *applying) audiences(ctx context.Context, changes []change) {
	for len(changes) > 0 {
		var refused []change
		var wrong []error
		for _, ch := range changes {
			err := w.save(ctx, &ch)
			if err == nil {
				err = w.finish(ctx, ch)
			}
			if err != nil {
				refused, wrong = append(refused, ch), append(wrong, err)
			}
		}
		if len(refused) == len(changes) {
			w.wrong = append(w.wrong, wrong...)
			return
		}
		changes = refused
	}
}

// save brings a change's document to the server, once.
func (w *applying) save(ctx context.Context, ch *change) error {
	if !ch.save {
		return nil
	}
	revision, warnings, err := w.api.save(ctx, ch.doc, ch.old.revision)
	if err != nil {
		return located(ch.doc, err)
	}
	ch.save, ch.old.revision = false, revision
	fmt.Fprintf(w.out, "%s: saved\n", config.FileOf(ch.doc.Kind, ch.doc.Name))
	for _, x := range warnings {
		fmt.Fprintln(w.errs, "warning:", shortened(config.Problems{sentenced(ch.doc.Problem(x.Path, x.Message, ""))}).Error())
	}
	return nil
}

// finish publishes or takes back.
func (w *applying) finish(ctx context.Context, ch change) error {
	switch {
	case ch.publish:
		if err := w.publish(ctx, ch.doc.Kind, ch.doc.Name, ch.old.revision, w.note); err != nil {
			return located(ch.doc, err)
		}
		fmt.Fprintf(w.out, "%s: published\n", config.FileOf(ch.doc.Kind, ch.doc.Name))
	case ch.remove:
		file := config.FileOf(ch.old.kind, ch.old.name)
		if err := w.remove(ctx, ch.old); err != nil {
			return fmt.Errorf("taking back %s: %w", file, err)
		}
		fmt.Fprintf(w.out, "%s: %s\n", file, strings.TrimPrefix(removal(ch.old.kind), "to be "))
	}
	return nil
}

// located tells what the server refused with the file's lines. Of a conflict it says what to do.
func located(d config.Document, err error) error {
	var refused refusals
	if !errors.As(err, &refused) {
		return err
	}
	var problems config.Problems
	for _, r := range refused {
		p := d.Problem(r.Extensions.Field, r.Message, "")
		if r.Extensions.Code == tutti.Conflict {
			p = config.Problem{File: d.File, Message: "was not saved: " + r.Message + " Look at the difference with  tutti apply --dry-run,  or take theirs with  tutti export"}
		} else if r.Extensions.Hint != "" {
			p.Message += " " + r.Extensions.Hint
		}
		p.File = shorten(p.File)
		problems = append(problems, sentenced(p))
	}
	return problems
}

// together makes one list of the problems of many documents.
func together(all []error) error {
	var problems config.Problems
	var others []error
	for _, err := range all {
		var ps config.Problems
		if errors.As(err, &ps) {
			problems = append(problems, ps...)
		} else {
			others = append(others, err)
		}
	}
	if len(others) > 0 {
		return errors.Join(others...)
	}
	return problems
}

// warning is what the server finds worth knowing.
type warning struct{ Path, Message string }

// save brings one document to the server and gives its new revision.
func (a *api) save(ctx context.Context, d config.Document, revision int) (int, []warning, error) {
	switch d.Kind {
	case tutti.CompositionDocument:
		var out struct {
			SaveComposition struct {
				Composition struct{ Draft struct{ Revision int } }
				Warnings    []warning
			}
		}
		err := a.do(ctx, `mutation Save($id: ID!, $body: JSON!, $revision: Int!) {
  saveComposition(id: $id, body: $body, revision: $revision) { composition { draft { revision } } warnings { path message } }
}`, map[string]any{"id": d.Name, "body": d.Body, "revision": revision}, &out)
		return out.SaveComposition.Composition.Draft.Revision, out.SaveComposition.Warnings, err
	case tutti.AudienceDocument:
		var audience tutti.Audience
		if err := json.Unmarshal(d.Body, &audience); err != nil {
			return 0, nil, tutti.Errorf(tutti.Invalid, "reading %s: %w", d.File, err)
		}
		var out struct{ SaveAudience struct{ Revision int } }
		err := a.do(ctx, `mutation Save($name: ID!, $description: String, $rule: String!, $revision: Int!) {
  saveAudience(name: $name, description: $description, rule: $rule, revision: $revision) { revision }
}`, map[string]any{"name": d.Name, "description": audience.Description, "rule": audience.Rule, "revision": revision}, &out)
		return out.SaveAudience.Revision, nil, err
	case tutti.PersonaDocument:
		return a.savePersona(ctx, d, revision)
	}
	var body struct {
		Redirects []tutti.Redirect `json:"redirects"`
	}
	if err := json.Unmarshal(d.Body, &body); err != nil {
		return 0, nil, tutti.Errorf(tutti.Invalid, "reading %s: %w", d.File, err)
	}
	return a.saveRedirects(ctx, body.Redirects, revision)
}

func (a *api) savePersona(ctx context.Context, d config.Document, revision int) (int, []warning, error) {
	var persona map[string]any
	if err := json.Unmarshal(d.Body, &persona); err != nil {
		return 0, nil, tutti.Errorf(tutti.Invalid, "reading %s: %w", d.File, err)
	}
	delete(persona, "name")
	if consent, ok := persona["consent"].(map[string]any); ok {
		delete(consent, string(tutti.Necessary)) // always given; the API does not ask
	}
	var out struct{ SavePersona struct{ Revision int } }
	err := a.do(ctx, `mutation Save($name: ID!, $persona: PersonaInput!, $revision: Int!) {
  savePersona(name: $name, persona: $persona, revision: $revision) { revision }
}`, map[string]any{"name": d.Name, "persona": persona, "revision": revision}, &out)
	return out.SavePersona.Revision, nil, err
}

func (a *api) saveRedirects(ctx context.Context, list []tutti.Redirect, revision int) (int, []warning, error) {
	if list == nil {
		list = []tutti.Redirect{}
	}
	var out struct{ SaveRedirects struct{ Revision int } }
	err := a.do(ctx, `mutation Save($redirects: [RedirectInput!]!, $revision: Int!) {
  saveRedirects(redirects: $redirects, revision: $revision) { revision }
}`, map[string]any{"redirects": list, "revision": revision}, &out)
	return out.SaveRedirects.Revision, nil, err
}

// publish lets a draft count from now on.
func (a *api) publish(ctx context.Context, kind tutti.DocumentKind, name string, revision int, note string) error {
	field := "publishComposition(id: $name, revision: $revision, note: $note) { id }"
	if kind == tutti.AudienceDocument {
		field = "publishAudience(name: $name, revision: $revision, note: $note) { name }"
	}
	return a.do(ctx, "mutation Publish($name: ID!, $revision: Int!, $note: String) { "+field+" }",
		map[string]any{"name": name, "revision": revision, "note": note}, &struct{}{})
}

// remove takes a document out of delivery.
func (a *api) remove(ctx context.Context, r remote) error {
	field := "unpublishComposition(id: $name) { id }"
	switch r.kind {
	case tutti.AudienceDocument:
		field = "unpublishAudience(name: $name) { name }"
	case tutti.PersonaDocument:
		field = "deletePersona(name: $name)"
	case tutti.RedirectsDocument:
		_, _, err := a.saveRedirects(ctx, nil, r.revision)
		return err
	}
	return a.do(ctx, "mutation Remove($name: ID!) { "+field+" }", map[string]any{"name": r.name}, &struct{}{})
}
