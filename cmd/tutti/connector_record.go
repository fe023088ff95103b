package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
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
The rest is the system's content: look at the file before you publish it.

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
	known, err := c.known()
	if err != nil {
		return err
	}
	recorder := recording.Record(src.URL, revealed(src))
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
	settings := map[string]string{}
	for name, v := range src.Settings {
		settings[name] = sys.Recorder.Clean(v)
	}
	r := &recording.Recording{Connector: m.Name, From: c.From, Settings: settings, Secrets: known.Secrets, Kinds: sys.Kinds, Hooks: known.Hooks}
	for name, k := range r.Kinds {
		if k.Pages == 0 {
			k.Pages = c.Pages
			r.Kinds[name] = k
		}
	}
	var left []string
	r.Exchanges, left = sys.Recorder.Exchanges()
	for _, why := range append(left, c.formless(m, r)...) {
		fmt.Fprintln(errs, why+".")
	}
	if err := c.write(r, src); err != nil {
		return err
	}
	fmt.Fprintf(out, "%s: %s, %s.\n", shorten(c.Out), count(len(r.Exchanges), "exchange"), count(len(r.Kinds), "kind"))
	if n := counted(results)[contract.Failed]; n > 0 {
		report(errs, results)
		return &tutti.Error{Code: tutti.Invalid, Message: fmt.Sprintf("%s not kept by the running system, so the recording will not keep them either.", are(n, "promise"))}
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

// write writes the file, unless a secret is still in it.
func (c *connectorRecordCommand) write(r *recording.Recording, src config.Source) error {
	b, err := r.Write()
	if err != nil {
		return err
	}
	for _, secret := range revealed(src) {
		if len(secret) > 5 && strings.Contains(string(b), secret) {
			return &tutti.Error{Code: tutti.Internal, Message: "the recording would hold a secret, so it is not written."}
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
