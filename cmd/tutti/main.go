// Command tutti is the server and its tools in one binary: serve, demo, and what an operator or
// editor does with files, keys and sources. It owns wiring and words on a terminal, nothing else.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/alecthomas/kong"
	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/internal/config"
)

func main() { os.Exit(run(context.Background(), os.Args[1:], os.Stdout, os.Stderr)) }

// Exit codes.
const (
	done   = 0
	failed = 1 // what was asked did not work, or something is wrong
	misuse = 2 // the command line is not right
)

// cli is the command line: one field for each command.
type cli struct {
	Serve        serveCommand        `cmd:"" help:"Run the server."`
	Demo         demoCommand         `cmd:"" help:"Run the server with the travel demo."`
	Validate     validateCommand     `cmd:"" help:"Check the config and files of compositions, audiences, personas and redirects."`
	Export       exportCommand       `cmd:"" help:"Write what the server has into files."`
	Apply        applyCommand        `cmd:"" help:"Bring files to the server."`
	Keys         keysCommand         `cmd:"" help:"List, make, revoke and rotate API keys."`
	Operations   operationsCommand   `cmd:"" help:"Trust the operations that apps were built with."`
	Sources      sourcesCommand      `cmd:"" help:"Look at the origin systems."`
	Connectors   connectorsCommand   `cmd:"" help:"List the connectors that come with Tutti."`
	Connector    connectorCommand    `cmd:"" help:"Write, try, test and record a connector."`
	Invalidate   invalidateCommand   `cmd:"" help:"Make what is kept of origins old, on every replica."`
	Suppress     suppressCommand     `cmd:"" help:"Withdraw an item from delivery, now, on every replica."`
	Unsuppress   unsuppressCommand   `cmd:"" help:"Let an item be delivered again."`
	Moderation   moderationCommand   `cmd:"" help:"List the items of a moderated kind that wait for an approval."`
	Moderate     moderateCommand     `cmd:"" help:"Approve or reject items of moderated kinds."`
	Suppressions suppressionsCommand `cmd:"" help:"List the items that are withdrawn."`
	Audit        auditCommand        `cmd:"" help:"Show who invalidated or withdrew what, when and why."`
	Tags         tagsCommand         `cmd:"" help:"Print how headers call refs, kinds and compositions, for purging a CDN."`
	Backup       backupCommand       `cmd:"" help:"Write the whole database into one file."`
	Restore      restoreCommand      `cmd:"" help:"Read a backup into an empty database."`
	Schema       schemaCommand       `cmd:"" help:"Print the schemas of files and of the API."`
	Types        typesCommand        `cmd:"" help:"Write TypeScript types and the schema, for apps."`
	Version      versionCommand      `cmd:"" help:"Print the version."`
}

// command is what every field of cli is, or holds.
type command interface {
	Run(ctx context.Context, out, errs io.Writer) error
}

// exited carries kong's wish to end out of its depths.
type exited int

// run does what args say and gives the exit code: 0 done, 1 failed, 2 not understood. Results go
// to out; what went wrong, and what is worth knowing beside a result, to errs.
func run(ctx context.Context, args []string, out, errs io.Writer) (code int) {
	defer func() {
		if r := recover(); r != nil {
			e, ok := r.(exited)
			if !ok {
				panic(r)
			}
			code = int(e)
		}
	}()
	parser, err := kong.New(new(cli), kong.Name("tutti"), kong.Writers(out, errs), kong.Exit(func(code int) { panic(exited(code)) }),
		kong.Description("Tutti brings a page together from systems that each keep their own content."),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, FlagsLast: true}), kong.ShortUsageOnError())
	if err != nil {
		fmt.Fprintln(errs, "tutti:", err)
		return failed
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	parsed, err := parser.Parse(args)
	if err != nil {
		fmt.Fprintf(errs, "tutti: %v\nTry:  tutti %s--help\n", err, named(err))
		return misuse
	}
	c, ok := parsed.Selected().Target.Addr().Interface().(command)
	if !ok {
		fmt.Fprintf(errs, "tutti: %s is no command\n", parsed.Command())
		return misuse
	}
	result := &written{Writer: out}
	switch err := c.Run(ctx, result, errs); {
	case err != nil && (result.err == nil || !errors.Is(err, result.err)):
		fmt.Fprintln(errs, explain(err))
		return failed
	case result.err != nil:
		fmt.Fprintln(errs, "tutti: writing the result:", result.err)
		return failed
	}
	return done
}

// written is where a result goes. It notes when that fails, so that no command has to look.
type written struct {
	io.Writer
	err error // the first
}

func (w *written) Write(b []byte) (int, error) {
	n, err := w.Writer.Write(b)
	if err != nil && w.err == nil {
		w.err = err
	}
	return n, err
}

// named gives the command that was understood before parsing failed, with a space.
func named(err error) string {
	var p *kong.ParseError
	if !errors.As(err, &p) || p.Context == nil || p.Context.Selected() == nil {
		return ""
	}
	return strings.TrimPrefix(p.Context.Selected().FullPath(), "tutti ") + " "
}

// explain writes an error for a person: every problem on its line, public messages with their
// hints, and for the rest what was being done.
func explain(err error) string {
	var problems config.Problems
	if errors.As(err, &problems) {
		return shortened(problems).Error() + "\n" + count(len(problems), "problem") + "."
	}
	var lines []string
	for _, e := range flatten(err) {
		lines = append(lines, sentence(e))
	}
	return strings.Join(lines, "\n")
}

// flatten takes joined errors apart.
func flatten(err error) []error {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return []error{err}
	}
	var all []error
	for _, e := range joined.Unwrap() {
		all = append(all, flatten(e)...)
	}
	return all
}

func sentence(err error) string {
	public, ok := err.(*tutti.Error) // a wrapped one says less than what wraps it
	if !ok {
		return "tutti: " + err.Error()
	}
	s := public.Message
	if public.Field != "" {
		s = public.Field + ": " + s
	}
	if public.Hint != "" {
		s += " " + public.Hint
	}
	return s
}

// count writes a number with its word: 1 problem, 2 problems.
func count(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return fmt.Sprintf("%d %ss", n, word)
}
