package main

import (
	"context"
	"fmt"
	"io"
	"net/url"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/graph"
	"github.com/tuttihq/tutti/store"
	"github.com/tuttihq/tutti/store/open"
)

// databaseFlag says which database. It is part of several commands.
type databaseFlag struct {
	Database string `help:"sqlite:PATH or postgres://… Better in the environment when it holds a password." default:"sqlite:./tutti.db" env:"TUTTI_DATABASE_URL"`
}

// with opens the database for one piece of work.
func (f databaseFlag) with(ctx context.Context, work func(store.Store) error) (err error) {
	st, err := open.Store(ctx, f.Database)
	if err != nil {
		return err
	}
	defer func() {
		if e := st.Close(); err == nil {
			err = e
		}
	}()
	return work(st)
}

// keysCommand holds what can be done with keys. All of it works on the database, also while a
// server runs: that sees a change within seconds.
type keysCommand struct {
	List   keysListCommand   `cmd:"" help:"Show all keys, without the keys themselves."`
	Create keysCreateCommand `cmd:"" help:"Make a key. It is shown once."`
	Revoke keysRevokeCommand `cmd:"" help:"End a key at once."`
	Rotate keysRotateCommand `cmd:"" help:"Make a key that takes another's place, and let the other one end later."`
}

type keysListCommand struct{ databaseFlag }

// Help shows how to call it.
func (keysListCommand) Help() string {
	return `Examples:
  tutti keys list
  tutti keys list --database sqlite:/var/lib/tutti/tutti.db`
}

// Run prints a table.
func (c *keysListCommand) Run(ctx context.Context, out, _ io.Writer) error {
	return c.with(ctx, func(st store.Store) error {
		keys, err := st.Keys(ctx)
		if err != nil {
			return err
		}
		return printKeys(out, keys, time.Now())
	})
}

func printKeys(out io.Writer, keys []tutti.Key, now time.Time) error {
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "ID\tNAME\tCLASS\tSTATE\tCREATED\tEXPIRES\tUSED\tORIGINS")
	for _, k := range keys {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", k.ID, k.Name, k.Class, keyState(k, now), day(k.CreatedAt), day(keyEnd(k)), day(k.UsedAt), strings.Join(k.Origins, " "))
	}
	return w.Flush()
}

func keyState(k tutti.Key, now time.Time) string {
	switch {
	case k.Valid(now) && !k.RevokedAt.IsZero():
		return "ending"
	case k.Valid(now):
		return "valid"
	case !k.RevokedAt.IsZero() && !now.Before(k.RevokedAt):
		return "revoked"
	}
	return "expired"
}

// keyEnd is the instant from which a key is not valid; zero = none.
func keyEnd(k tutti.Key) time.Time {
	if k.ExpiresAt.IsZero() || !k.RevokedAt.IsZero() && k.RevokedAt.Before(k.ExpiresAt) {
		return k.RevokedAt
	}
	return k.ExpiresAt
}

func day(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format("2006-01-02 15:04")
}

type keysCreateCommand struct {
	databaseFlag
	Name    string        `arg:"" help:"What the key is for, such as website."`
	Class   string        `help:"browser (ships in apps and pages), server (secret), preview, or management." enum:"browser,server,preview,management" required:"" placeholder:"browser|server|preview|management"`
	Origins []string      `name:"origin" help:"For browser keys: a web origin that may use it, such as https://www.example.com; * for all. Can be repeated." placeholder:"ORIGIN"`
	Expires time.Duration `help:"How long it is valid, such as 2160h. Default: for ever."`
}

// Help shows how to call it.
func (keysCreateCommand) Help() string {
	return `Prints the key, and nothing else, to standard output. It cannot be shown again: the database keeps only its hash.

Examples:
  tutti keys create website --class browser --origin https://www.example.com
  tutti keys create backend --class server --expires 2160h
  export TUTTI_MANAGEMENT_KEY=$(tutti keys create editors --class management)`
}

// Run makes the key.
func (c *keysCreateCommand) Run(ctx context.Context, out, errs io.Writer) error {
	origins, err := checkOrigins(tutti.KeyClass(c.Class), c.Origins)
	if err != nil {
		return err
	}
	if c.Expires < 0 {
		return &tutti.Error{Code: tutti.InvalidValue, Field: "--expires", Message: "must not be negative."}
	}
	now := time.Now()
	var expires time.Time
	if c.Expires > 0 {
		expires = now.Add(c.Expires)
	}
	return c.with(ctx, func(st store.Store) error {
		if err := addKey(ctx, st, tutti.KeyClass(c.Class), c.Name, origins, now, expires, out, errs); err != nil {
			return err
		}
		if c.Class == string(tutti.BrowserKey) && len(origins) == 0 {
			fmt.Fprintln(errs, "It is for apps alone: no page of a website may use it. For pages make one with  --origin https://www.example.com")
		}
		return nil
	})
}

// addKey makes and stores a key, and shows it once.
func addKey(ctx context.Context, st store.Store, class tutti.KeyClass, name string, origins []string, now, expires time.Time, out, errs io.Writer) error {
	plain, key := graph.NewKey(class, name, origins, now, expires)
	if err := st.AddKey(ctx, key); err != nil {
		return err
	}
	fmt.Fprintln(out, plain)
	fmt.Fprintf(errs, "%s key %s (%s). Keep it now: it is not shown again.\n", class, key.ID, name)
	return nil
}

// checkOrigins looks at what --origin gave.
func checkOrigins(class tutti.KeyClass, origins []string) ([]string, error) {
	if len(origins) > 0 && class != tutti.BrowserKey {
		return nil, &tutti.Error{Code: tutti.InvalidValue, Field: "--origin", Message: "is for browser keys."}
	}
	for _, o := range origins {
		u, err := url.Parse(o)
		if o != "*" && (err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.Path != "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil) {
			return nil, &tutti.Error{Code: tutti.InvalidValue, Field: "--origin", Message: "“" + o + "” is no web origin.", Hint: "Write scheme and host, for example https://www.example.com, or * for all."}
		}
	}
	return origins, nil
}

type keysRevokeCommand struct {
	databaseFlag
	Key string `arg:"" help:"The key's id, or its name when only one valid key has it."`
}

// Help shows how to call it.
func (keysRevokeCommand) Help() string {
	return `Examples:
  tutti keys revoke key_0123456789abcdef
  tutti keys revoke website`
}

// Run ends the key.
func (c *keysRevokeCommand) Run(ctx context.Context, out, _ io.Writer) error {
	return c.with(ctx, func(st store.Store) error {
		now := time.Now()
		key, err := findKey(ctx, st, c.Key, now)
		if err != nil {
			return err
		}
		if err := st.RevokeKey(ctx, key.ID, now); err != nil {
			return err
		}
		fmt.Fprintf(out, "%s (%s) is revoked.\n", key.ID, key.Name)
		return nil
	})
}

// findKey finds a key by its id, or a valid one by a name that no other has, not counting
// those whose end is planned.
func findKey(ctx context.Context, st store.Store, idOrName string, now time.Time) (tutti.Key, error) {
	keys, err := st.Keys(ctx)
	if err != nil {
		return tutti.Key{}, err
	}
	var named []tutti.Key
	for _, k := range keys {
		if k.ID == idOrName {
			return k, nil
		}
		if k.Name == idOrName && k.Valid(now) && k.RevokedAt.IsZero() {
			named = append(named, k)
		}
	}
	switch len(named) {
	case 0:
		return tutti.Key{}, &tutti.Error{Code: tutti.NotFound, Message: "There is no valid key with this id or name.", Hint: "tutti keys list shows all."}
	case 1:
		return named[0], nil
	}
	var ids []string
	for _, k := range named {
		ids = append(ids, k.ID)
	}
	return tutti.Key{}, &tutti.Error{Code: tutti.InvalidValue, Message: "Several valid keys have this name: " + strings.Join(ids, ", ") + ".", Hint: "Name one by its id."}
}

type keysRotateCommand struct {
	databaseFlag
	Key     string        `arg:"" help:"The key's id, or its name when only one valid key has it."`
	Overlap time.Duration `help:"How long the old key stays valid." default:"24h"`
}

// Help shows how to call it.
func (keysRotateCommand) Help() string {
	return `Makes a new key with the same name, class, origins and span of life, prints it, and ends the old one when the overlap is
over: time to bring the new key everywhere.

Examples:
  tutti keys rotate website
  tutti keys rotate key_0123456789abcdef --overlap 1h`
}

// Run makes the new key and plans the end of the old one.
func (c *keysRotateCommand) Run(ctx context.Context, out, errs io.Writer) error {
	if c.Overlap < 0 {
		return &tutti.Error{Code: tutti.InvalidValue, Field: "--overlap", Message: "must not be negative."}
	}
	return c.with(ctx, func(st store.Store) error {
		now := time.Now()
		old, err := findKey(ctx, st, c.Key, now)
		if err != nil {
			return err
		}
		if !old.Valid(now) {
			return &tutti.Error{Code: tutti.Invalid, Message: "The key " + old.ID + " is not valid any more.", Hint: "Make a new one with  tutti keys create"}
		}
		var expires time.Time
		if !old.ExpiresAt.IsZero() {
			expires = now.Add(old.ExpiresAt.Sub(old.CreatedAt))
		}
		if err := addKey(ctx, st, old.Class, old.Name, old.Origins, now, expires, out, errs); err != nil {
			return err
		}
		end := now.Add(c.Overlap)
		if err := st.RevokeKey(ctx, old.ID, end); err != nil {
			return err
		}
		fmt.Fprintf(errs, "The old one, %s, ends at %s UTC.\n", old.ID, day(end))
		return nil
	})
}
