package main

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"maps"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/demo"
	"github.com/tuttihq/tutti/graph"
	"github.com/tuttihq/tutti/internal/config"
	"github.com/tuttihq/tutti/store"
	"github.com/tuttihq/tutti/store/open"
)

// demoCommand runs the server with the travel demo: five played origin systems on loopback, and
// compositions that bring them together.
type demoCommand struct {
	Listen string        `help:"Address to listen on; port 0 takes a free one." default:"127.0.0.1:8080"`
	Data   string        `help:"Folder for the database, the demo's files and the keys. Default: ./data, or with port 0 a new folder that is removed at the end." type:"path"`
	JSON   bool          `name:"json" help:"Print one line of JSON for scripts instead of text."`
	Delay  time.Duration `help:"Let each origin system wait this long before it answers."`
}

// Help shows how to call it.
func (demoCommand) Help() string {
	return `Examples:
  tutti demo
  tutti demo --listen 127.0.0.1:0 --json
  tutti demo --delay 200ms          (slow origin systems)

Let an origin system fail, with the address that the demo prints for it:
  curl -X POST ADDRESS/_demo/fault -d '{"kind":"error"}'
  curl -X DELETE ADDRESS/_demo/fault`
}

// demoBy is who the demo's content and keys are by.
const demoBy = "demo"

// Run serves the demo until it is interrupted.
func (c *demoCommand) Run(ctx context.Context, out, errs io.Writer) error {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	p, err := c.play(ctx, slog.New(slog.NewTextHandler(errs, &slog.HandlerOptions{Level: slog.LevelWarn})))
	if err != nil {
		return err
	}
	defer p.end()
	if err = c.tell(out, p.told); err != nil {
		stop()
	}
	return errors.Join(err, p.server.wait(ctx))
}

// playing is a demo that runs.
type playing struct {
	told    demoTold
	origins *demo.Origins
	server  *server
	end     func() // after the server's wait: closes the origins and removes a passing folder
}

// play starts origins and server. When it fails, nothing is left running.
func (c *demoCommand) play(ctx context.Context, log *slog.Logger) (_ *playing, err error) {
	data, remove, err := c.folder()
	if err != nil {
		return nil, err
	}
	p := &playing{end: remove}
	defer func() {
		if err != nil {
			p.end()
		}
	}()
	if p.origins, err = demo.StartOrigins(demo.OriginsConfig{Listen: "127.0.0.1:0", Delay: c.Delay}); err != nil {
		return nil, err
	}
	p.end = func() { p.origins.Close(); remove() }
	content := filepath.Join(data, "demo")
	if err = writeFiles(demo.Files(), content); err != nil {
		return nil, err
	}
	visitorSecret := tutti.NewSecret(randomText())
	cfg, err := config.Load(filepath.Join(content, "tutti.yaml"), demoEnvironment(p.origins, visitorSecret))
	if err != nil {
		return nil, err
	}
	database := "sqlite:" + filepath.Join(data, "tutti.db")
	keys, err := seed(ctx, database, content)
	if err != nil {
		return nil, err
	}
	if p.server, err = start(ctx, cfg, c.Listen, database, content, log); err != nil {
		return nil, err
	}
	for _, name := range p.origins.Names() {
		p.origins.SetHook(name, p.server.address()+"/webhooks/"+name)
	}
	if p.told, err = c.told(p.server.address(), data, keys, p.origins, cfg, visitorSecret); err != nil {
		ended, stop := context.WithCancel(ctx)
		stop()
		err = errors.Join(err, p.server.wait(ended))
	}
	return p, err
}

// folder makes the data folder and says how to remove it when it is a passing one.
func (c *demoCommand) folder() (path string, remove func(), err error) {
	remove = func() {}
	path = c.Data
	if _, port, _ := net.SplitHostPort(c.Listen); path == "" && port == "0" {
		if path, err = os.MkdirTemp("", "tutti-demo-"); err != nil {
			return "", remove, tutti.Errorf(tutti.Unavailable, "making a folder for the demo: %w", err)
		}
		return path, func() { _ = os.RemoveAll(path) }, nil
	}
	if path == "" {
		path = "data"
	}
	if path, err = filepath.Abs(path); err == nil {
		err = os.MkdirAll(path, 0o700)
	}
	if err != nil {
		return "", remove, tutti.Errorf(tutti.Unavailable, "making the data folder: %w", err)
	}
	return path, remove, nil
}

// writeFiles lays the demo's files where they can be looked at. Each start writes them anew.
func writeFiles(files fs.FS, dir string) error {
	err := fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		target := filepath.Join(dir, filepath.FromSlash(name))
		if d.IsDir() {
			return os.MkdirAll(target, 0o700)
		}
		b, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		return os.WriteFile(target, b, 0o600)
	})
	if err != nil {
		return tutti.Errorf(tutti.Unavailable, "writing the demo's files: %w", err)
	}
	return nil
}

// demoEnvironment gives the variables that demo/tutti.yaml names: TUTTI_VISITOR_SECRET and for
// each source its address (DAM_URL) and its secrets (DAM_API_KEY).
func demoEnvironment(origins *demo.Origins, visitors tutti.Secret) func(string) (string, bool) {
	vars := map[string]string{"TUTTI_VISITOR_SECRET": visitors.Reveal()}
	for _, name := range origins.Names() {
		prefix := strings.ToUpper(name) + "_"
		vars[prefix+"URL"] = origins.URL(name)
		for key, value := range origins.Secrets(name) {
			vars[prefix+strings.ToUpper(key)] = value
		}
	}
	return func(name string) (string, bool) {
		v, ok := vars[name]
		return v, ok
	}
}

// seed puts the demo's content into the store, but for what a person changed, ends the keys of
// earlier starts and makes new ones, by class.
func seed(ctx context.Context, database, content string) (map[tutti.KeyClass]string, error) {
	st, err := open.Store(ctx, database)
	if err != nil {
		return nil, err
	}
	defer st.Close()
	lock, err := st.Lock(ctx)
	if err != nil {
		return nil, err
	}
	defer lock.Release()
	docs, err := config.ReadDocuments(content)
	if err != nil {
		return nil, err
	}
	for _, d := range docs {
		if err := seedDocument(ctx, st, d); err != nil {
			return nil, tutti.Errorf(tutti.CodeOf(err), "storing %s: %w", d.Name, err)
		}
	}
	return newKeys(ctx, st)
}

func seedDocument(ctx context.Context, st store.Store, d config.Document) error {
	now := time.Now()
	revision := 0
	if old, err := st.Draft(ctx, d.Kind, d.Name); err == nil {
		if old.UpdatedBy != demoBy {
			return nil // a person changed it
		}
		revision = old.Revision
	} else if !errors.Is(err, tutti.NotFound) {
		return err
	}
	saved, err := st.SaveDraft(ctx, tutti.Draft{Kind: d.Kind, Name: d.Name, Body: d.Body, Revision: revision}, demoBy, now)
	if err != nil {
		return err
	}
	_, err = st.Publish(ctx, d.Kind, d.Name, saved.Revision, now, "", demoBy, now)
	return err
}

func newKeys(ctx context.Context, st store.Store) (map[tutti.KeyClass]string, error) {
	now := time.Now()
	old, err := st.Keys(ctx)
	if err != nil {
		return nil, err
	}
	for _, k := range old {
		if k.Name == demoBy && k.Valid(now) {
			if err := st.RevokeKey(ctx, k.ID, now); err != nil {
				return nil, err
			}
		}
	}
	keys := map[tutti.KeyClass]string{}
	for _, class := range tutti.KeyClasses {
		var from []string
		if class == tutti.BrowserKey {
			from = []string{"*"}
		}
		plain, key := graph.NewKey(class, demoBy, from, now, time.Time{})
		if err := st.AddKey(ctx, key); err != nil {
			return nil, err
		}
		keys[class] = plain
	}
	return keys, nil
}

// demoTold is what the demo prints as JSON.
type demoTold struct {
	GraphQL      string                    `json:"graphql"`
	Preview      string                    `json:"preview"`
	Keys         map[tutti.KeyClass]string `json:"keys"`
	VisitorToken map[string]string         `json:"visitorToken"`
	Origins      map[string]string         `json:"origins"`
	Data         string                    `json:"data"`
}

func (c *demoCommand) told(address, data string, keys map[tutti.KeyClass]string, origins *demo.Origins, cfg *config.Config, secret tutti.Secret) (demoTold, error) {
	t := demoTold{
		GraphQL: address + "/graphql", Preview: address + "/preview/", Keys: keys, Data: data,
		VisitorToken: map[string]string{}, Origins: map[string]string{},
	}
	for _, name := range origins.Names() {
		t.Origins[name] = origins.URL(name)
	}
	for visitor, claims := range demo.Visitors {
		token, err := visitorToken(cfg.Visitors, secret, visitor, claims)
		if err != nil {
			return t, err
		}
		t.VisitorToken[visitor] = token
	}
	return t, nil
}

// visitorToken signs a token that proves a visitor for a day.
func visitorToken(v config.Visitors, secret tutti.Secret, visitor string, more map[string]any) (string, error) {
	now := time.Now()
	claims := jwt.MapClaims{"sub": visitor, "iat": now.Unix(), "exp": now.Add(24 * time.Hour).Unix()}
	if v.Issuer != "" {
		claims["iss"] = v.Issuer
	}
	if v.Audience != "" {
		claims["aud"] = v.Audience
	}
	for name, value := range more {
		claims[name] = value
	}
	token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, claims).SignedString([]byte(secret.Reveal()))
	if err != nil {
		return "", tutti.Errorf(tutti.Internal, "signing a visitor token: %w", err)
	}
	return token, nil
}

// tell writes keys.env and prints what a newcomer, or a script, needs.
func (c *demoCommand) tell(out io.Writer, t demoTold) error {
	var env strings.Builder
	fmt.Fprintf(&env, "export TUTTI_URL=%s\n", t.GraphQL)
	for _, class := range tutti.KeyClasses {
		fmt.Fprintf(&env, "export TUTTI_%s_KEY=%s\n", strings.ToUpper(string(class)), t.Keys[class])
	}
	for _, visitor := range []string{"guest-7", "guest-8"} {
		fmt.Fprintf(&env, "export TUTTI_%s_TOKEN=%s\n", strings.ToUpper(strings.ReplaceAll(visitor, "-", "_")), t.VisitorToken[visitor])
	}
	path := filepath.Join(t.Data, "keys.env")
	if err := os.WriteFile(path, []byte(env.String()), 0o600); err != nil {
		return tutti.Errorf(tutti.Unavailable, "writing the keys: %w", err)
	}
	if c.JSON {
		return json.NewEncoder(out).Encode(t)
	}
	guest, anonymous := demo.Curl(t.GraphQL, t.Keys[tutti.ServerKey], t.Keys[tutti.BrowserKey])
	fmt.Fprintf(out, `Tutti plays the travel demo.

  API       %s
  Preview   %s#key=%s
  GraphiQL  %s

Keys, new at each start (also in %s):
`, t.GraphQL, t.Preview, t.Keys[tutti.PreviewKey], strings.TrimSuffix(t.GraphQL, "/graphql")+"/graphiql/#key="+t.Keys[tutti.ServerKey], path)
	for _, class := range tutti.KeyClasses {
		fmt.Fprintf(out, "  %-10s %s\n", class, t.Keys[class])
	}
	fmt.Fprintln(out, "\nOrigin systems, played on this machine:")
	for _, name := range slices.Sorted(maps.Keys(t.Origins)) {
		fmt.Fprintf(out, "  %-10s %s\n", name, t.Origins[name])
	}
	fmt.Fprintf(out, "\nA guest with a reservation, gold, 800 m from the hotel, on a phone:\n\n%s\n\nNobody in particular, on the web, in German:\n\n%s\n\nCtrl-C ends it.\n", guest, anonymous)
	return nil
}

func randomText() string {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // never fails
	return base64.RawURLEncoding.EncodeToString(b)
}
