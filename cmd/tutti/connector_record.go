package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/internal/config"
	"github.com/tuttihq/tutti/sources"
	"github.com/tuttihq/tutti/sources/contract"
	"github.com/tuttihq/tutti/sources/recording"
)

// connectorRecordCommand keeps answers in a file.
type connectorRecordCommand struct {
	File string `arg:"" optional:"" help:"The manifest, or the name of a connector that comes with Tutti. Default: that of --source."`
	systemFlags
	itemFlags
	Out   string `short:"o" required:"" help:"The file to write. One that is there says what to ask, and is written anew." type:"path"`
	From  string `help:"The system and its version, as the recording will say." default:"the running system"`
	Pages int    `help:"How many pages of each list to keep." default:"2"`
}

// Help shows how to call it.
func (connectorRecordCommand) Help() string {
	return `Asks a running system what "tutti connector test" asks, and keeps requests and answers. Every secret, however it is
written, credentials and cookies are removed, and the system's address is replaced. What is large or binary is left out.
The rest is the system's content: look at the file before you publish it. The recording is then played, and what it does not
answer as the system does is told. Of a system that answers nothing, nothing is written.

With the file, tests, CI and demos need no network:
  tutti connector test ./acme.yaml --recording ./acme.recording.yaml
and in tutti.yaml, in place of url:
  recording: ./acme.recording.yaml

Examples:
  tutti connector record ./acme.yaml --url https://acme.example --secret key=ACME_KEY -o acme.recording.yaml
  tutti connector record --source shop --from "Acme 7.2" -o shop.recording.yaml`
}

// Run asks and writes.
func (c *connectorRecordCommand) Run(ctx context.Context, out, errs io.Writer) error {
	src, m, dir, err := c.manifest(c.File)
	if err != nil {
		return err
	}
	if m.Protocol != "" && m.Protocol != "http" {
		return &tutti.Error{Code: tutti.Invalid, Message: "a recording holds exchanges of HTTP, and the connector " + m.Name + " has the protocol " + m.Protocol + ".", Hint: "Ask the running system:  tutti connector test"}
	}
	if src.Recording != "" && c.URL == "" {
		return &tutti.Error{Code: tutti.InvalidValue, Field: "--source", Message: "the source plays a recording, and there is no running system.", Hint: "Write --url"}
	}
	src.Recording = ""
	known, err := c.known()
	if err != nil {
		return err
	}
	address := m.Address(src)
	recorder := recording.Record(address, revealed(src))
	recorder.Reads(m.ReadsHeader)
	s := contract.System{Source: src, Dir: dir, Manifest: m, Hooks: known.Hooks, Recorder: recorder, Pages: c.Pages}
	if s.Kinds, err = c.into(known.Kinds, m); err != nil {
		return err
	}
	sys, err := contract.New(s)
	if err != nil {
		return err
	}
	results := sys.AskAll(ctx)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if !slices.ContainsFunc(results, readSomething) {
		report(errs, results)
		return &tutti.Error{Code: tutti.Unavailable, Message: "nothing could be read of the running system, so nothing is written."}
	}
	settings := map[string]string{}
	for name, v := range src.Settings {
		settings[name] = recorder.Clean(v)
	}
	r := &recording.Recording{Connector: m.Name, From: c.From, URL: recording.At(address), Settings: settings, Secrets: known.Secrets, Kinds: sys.Kinds, Hooks: known.Hooks}
	for name, k := range r.Kinds {
		if k.Pages == 0 {
			k.Pages = c.Pages
		}
		r.Kinds[name] = cleaned(k, recorder.Clean)
	}
	var left []string
	r.Exchanges, left = recorder.Exchanges()
	for _, why := range append(left, c.formless(m, r)...) {
		fmt.Fprintln(errs, why+".")
	}
	if err := c.write(r, recorder); err != nil {
		return err
	}
	fmt.Fprintf(out, "%s: %s, %s.\n", shorten(c.Out), count(len(r.Exchanges), "exchange"), count(len(r.Kinds), "kind"))
	if n := counted(results)[contract.Failed]; n > 0 {
		report(errs, results)
		return &tutti.Error{Code: tutti.Invalid, Message: fmt.Sprintf("%s not kept by the running system, so the recording will not keep them either.", are(n, "promise"))}
	}
	return c.played(ctx, src, m, dir, errs)
}

// cleaned writes ids as answers are kept: an id may be an address of the system.
func cleaned(k recording.Kind, clean func(string) string) recording.Kind {
	all := func(ids []string) (out []string) {
		for _, id := range ids {
			out = append(out, clean(id))
		}
		return out
	}
	k.IDs, k.Missing = all(k.IDs), clean(k.Missing)
	k.Selections = slices.Clone(k.Selections)
	for i := range k.Selections {
		k.Selections[i].Finds = all(k.Selections[i].Finds)
	}
	return k
}

// readSomething reports whether a question was answered with items.
func readSomething(r contract.Result) bool {
	return r.Outcome == contract.Passed && slices.Contains([]string{"fetch many", "fetch one", "list to the end"}, r.Question)
}

// played asks the recording what the system was asked, without secrets and without a network: what the system answered and the
// recording does not is a mistake of the recording.
func (c *connectorRecordCommand) played(ctx context.Context, src config.Source, m *sources.Manifest, dir string, errs io.Writer) error {
	r, err := readRecording(c.Out)
	if err != nil {
		return err
	}
	src.URL, src.Settings, src.Secrets, src.Webhook = "", nil, nil, config.Webhook{}
	sys, err := contract.New(contract.System{Source: src, Dir: dir, Manifest: m, Recording: r})
	if err != nil {
		return err
	}
	var failures []contract.Result
	for _, q := range sys.Questions() {
		if q.Slow || ctx.Err() != nil {
			continue
		}
		if result := sys.Ask(ctx, q); result.Outcome == contract.Failed {
			failures = append(failures, result)
		}
	}
	if len(failures) > 0 {
		report(errs, failures)
		return &tutti.Error{Code: tutti.Invalid, Message: fmt.Sprintf("%s kept by the running system and not by the recording.", are(len(failures), "promise"))}
	}
	return ctx.Err()
}

// known is the recording that is there already; an empty one when there is none.
func (c *connectorRecordCommand) known() (*recording.Recording, error) {
	if _, err := os.Stat(c.Out); errors.Is(err, fs.ErrNotExist) {
		return &recording.Recording{}, nil
	}
	return readRecording(c.Out)
}

// formless tells of secrets for which a recording needs a made-up value of the right form.
func (c *connectorRecordCommand) formless(m *sources.Manifest, r *recording.Recording) (all []string) {
	for _, name := range sortedNames(m.Secrets) {
		if d := m.Secrets[name]; d.Pattern != "" && r.Secrets[name] == "" {
			if d.Example == "" {
				all = append(all, "The manifest wants the secret "+name+" to match "+d.Pattern+": write a made-up one into the recording, under secrets")
				continue
			}
			if r.Secrets == nil {
				r.Secrets = map[string]string{}
			}
			r.Secrets[name] = d.Example
		}
	}
	return all
}

// write writes the file, unless a secret is still in it: in what was known before, or in an id.
func (c *connectorRecordCommand) write(r *recording.Recording, recorder *recording.Recorder) error {
	b, err := r.Write()
	if err != nil {
		return err
	}
	n := 0
	for line := range strings.Lines(string(b)) {
		if n++; recorder.Holds(line) {
			return &tutti.Error{Code: tutti.Invalid, Message: fmt.Sprintf("line %d of the recording would hold a secret, so nothing is written: %s", n, onScreen(strings.TrimSpace(recorder.Clean(line))))}
		}
	}
	if err := os.WriteFile(c.Out, b, 0o644); err != nil {
		return tutti.Errorf(tutti.Unavailable, "writing the recording: %w", err)
	}
	return nil
}

// revealed are the secrets of a source.
func revealed(c config.Source) (all []string) {
	for _, s := range c.Secrets {
		all = append(all, s.Reveal())
	}
	if v := c.Webhook.Secret.Reveal(); v != "" {
		all = append(all, v)
	}
	return all
}
