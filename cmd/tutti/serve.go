package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/graph"
	"github.com/tuttihq/tutti/internal/config"
	"github.com/tuttihq/tutti/store/open"
	"github.com/tuttihq/tutti/studio"
)

// shutdownTime is how long requests that began may take to end.
const shutdownTime = 10 * time.Second

// server is a house that listens.
type server struct {
	house    *house
	http     *http.Server
	listener net.Listener
	release  func()
	serving  chan error
}

// start opens the database, takes its lock, builds the house and listens. The caller calls wait.
func start(ctx context.Context, cfg *config.Config, listen, database, dir string, log *slog.Logger) (_ *server, err error) {
	st, err := open.Store(ctx, database)
	if err != nil {
		return nil, err
	}
	s := &server{serving: make(chan error, 1), release: func() { _ = st.Close() }}
	defer func() {
		if err != nil {
			s.release()
		}
	}()
	lock, err := st.Lock(ctx)
	if err != nil {
		return nil, err
	}
	s.release = func() { lock.Release(); _ = st.Close() }
	if s.house, err = openHouse(ctx, cfg, st, dir, log); err != nil {
		return nil, err
	}
	if s.listener, err = net.Listen("tcp", listen); err != nil {
		s.house.close()
		return nil, notListening(listen, err)
	}
	s.http = &http.Server{
		Handler: s.house.handler(), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 30 * time.Second, IdleTimeout: 2 * time.Minute,
		MaxHeaderBytes: 32 << 10, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	debug.FreeOSMemory() // what only starting took
	go func() { s.serving <- s.http.Serve(graph.OneWrite(s.http, s.listener)) }()
	return s, nil
}

// notListening says what to do about an address that cannot be listened on.
func notListening(listen string, err error) error {
	e := &tutti.Error{Code: tutti.Unavailable, Message: "Cannot listen on " + listen + ": " + err.Error() + ".", Hint: "Write host and port, such as 127.0.0.1:8080.", Cause: err}
	if errors.Is(err, syscall.EADDRINUSE) {
		e.Message = "Another program listens on " + listen + " already."
		e.Hint = "End it, or choose another address:  --listen 127.0.0.1:8081  (port 0 takes a free one)."
	}
	return e
}

// address is where the server listens, as http://host:port.
func (s *server) address() string { return "http://" + s.listener.Addr().String() }

// wait serves until ctx ends or serving fails; then it lets requests that
// began end, and closes everything.
func (s *server) wait(ctx context.Context) error {
	var err error
	select {
	case <-ctx.Done():
	case err = <-s.serving:
	}
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTime)
	defer cancel()
	if e := s.http.Shutdown(ending); e != nil && err == nil {
		err = tutti.Errorf(tutti.Timeout, "ending requests that began: %w", e)
		_ = s.http.Close()
	}
	s.house.close()
	s.release()
	return err
}

// handler is everything that is reached over HTTP.
func (h *house) handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/graphql", h.server)
	mux.Handle("POST /plans", h.server.Plans())
	webhooks := func(w http.ResponseWriter, r *http.Request) {
		h.live.Load().sources.Webhook(r.PathValue("source")).ServeHTTP(w, r)
	}
	mux.HandleFunc("/webhooks/{source}", webhooks)
	mux.HandleFunc("/webhooks/{source}/{secret}", webhooks)
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /readyz", h.ready)
	mux.Handle("GET /metrics", promhttp.HandlerFor(h, promhttp.HandlerOpts{}))
	mux.Handle("GET /graphiql/", h.development(graph.GraphiQL()))
	mux.Handle("GET /preview/", studio.Preview("/preview/"))
	mux.Handle("GET /{$}", h.development(http.RedirectHandler("/preview/", http.StatusFound)))
	return mux
}

// ready tells whether requests should be sent here. A database that does not answer is no reason
// against it: what is published is in memory, and all processes would say no at the same time.
func (h *house) ready(w http.ResponseWriter, _ *http.Request) {
	switch {
	case h.ending.Load():
		http.Error(w, "ending: send requests elsewhere", http.StatusServiceUnavailable)
	case h.contact.stale():
		fmt.Fprintln(w, "ready, but the database does not answer: nothing can be changed, and nothing is called fresh")
	default:
		fmt.Fprintln(w, "ready")
	}
}

// development serves only where the config says that this is development.
func (h *house) development(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !h.live.Load().config.Development {
			http.NotFound(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// serveCommand runs the server.
type serveCommand struct {
	Config   string `help:"The config file." default:"tutti.yaml" type:"path" env:"TUTTI_CONFIG"`
	Listen   string `help:"Address to listen on." default:"127.0.0.1:8080" env:"TUTTI_LISTEN"`
	Database string `help:"sqlite:PATH or postgres://…" default:"sqlite:./tutti.db" env:"TUTTI_DATABASE_URL"`
	LogJSON  bool   `name:"log-json" help:"Log lines as JSON." env:"TUTTI_LOG_JSON"`
	LogAll   bool   `name:"log-requests" help:"Log every request, not only those that fail or take longer than a second." env:"TUTTI_LOG_REQUESTS"`

	Drain time.Duration `help:"On SIGTERM: how long to say no at /readyz and still serve, until nobody sends requests any more." default:"5s" env:"TUTTI_DRAIN"`
}

// Help shows how to call it.
func (serveCommand) Help() string {
	return `Examples:
  tutti serve
  tutti serve --config /etc/tutti/tutti.yaml --listen 0.0.0.0:8080
  TUTTI_DATABASE_URL=postgres://tutti@db/tutti tutti serve --log-json

The config is read again when the file changes, and on SIGHUP; a broken one changes nothing.

SIGTERM ends it without losing a request: /readyz says no at once, it serves on until --drain is over, and then lets
requests that began end. An interrupt (Ctrl-C), or a second signal, does not wait for --drain.`
}

// Run serves until it is interrupted.
func (c *serveCommand) Run(ctx context.Context, out, errs io.Writer) error {
	log := newLog(errs, c.LogJSON, c.LogAll)
	cfg, err := config.Load(c.Config, os.LookupEnv)
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	told := make(chan os.Signal, 2)
	signal.Notify(told, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(told)
	s, err := start(ctx, cfg, c.Listen, c.Database, filepath.Dir(c.Config), log)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "Tutti listens on %s/graphql\n", s.address())
	watching, small, draining := s.house.follows(ctx, c.Config), staySmall(ctx), make(chan struct{})
	go func() {
		defer close(draining)
		defer stop()
		s.house.drain(ctx, told, c.Drain)
	}()
	err = s.wait(ctx)
	stop()
	<-watching
	<-small
	<-draining
	if err == nil {
		log.Info("ended, with all requests that had begun")
	}
	return err
}

// drain waits for a signal, or for ctx. On SIGTERM it says no at /readyz, and waits for so long
// that everybody has seen it; another signal ends that.
func (h *house) drain(ctx context.Context, told <-chan os.Signal, long time.Duration) {
	select {
	case <-ctx.Done():
		return
	case sign := <-told:
		if sign != syscall.SIGTERM {
			return
		}
	}
	h.ending.Store(true)
	h.log.Info("ending: serving on until nobody sends requests any more", "drain", long)
	over := time.NewTimer(long)
	defer over.Stop()
	select {
	case <-ctx.Done():
	case <-told:
	case <-over.C:
	}
}

// follows takes a changed config file, or the same again on SIGHUP, until ctx ends; then the
// channel is closed.
func (h *house) follows(ctx context.Context, path string) <-chan struct{} {
	done := make(chan struct{})
	take := func(cfg *config.Config, err error) {
		if err == nil {
			err = h.reload(ctx, cfg)
		}
		if err != nil {
			h.log.Error("the config was not taken; the one before stays in force", "error", err)
			return
		}
		h.log.Info("the config was taken", "generation", h.server.Generation().ID())
	}
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	go func() {
		defer close(done)
		defer signal.Stop(hup)
		watched := make(chan struct{})
		go func() {
			defer close(watched)
			if err := config.Watch(ctx, path, take); err != nil && !errors.Is(err, context.Canceled) {
				h.log.Error("watching the config", "error", err)
			}
		}()
		for {
			select {
			case <-hup:
				take(config.Load(path, os.LookupEnv))
			case <-ctx.Done():
				<-watched
				return
			}
		}
	}()
	return done
}

func newLog(w io.Writer, asJSON, all bool) *slog.Logger {
	options := &slog.HandlerOptions{}
	if all {
		options.Level = slog.LevelDebug
	}
	if asJSON {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}
