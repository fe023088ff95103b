package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tuttihq/tutti"
)

// player is the vendor's side of one system: its API, its data, its webhooks.
type player interface {
	http.Handler
	// counted reports whether a path is an API call: it is counted, and faults apply to it.
	counted(path string) bool
	// fail answers in the vendor's error form.
	fail(w http.ResponseWriter, status int)
	// change changes a record and gives the body of the webhook that tells of it.
	change(kind, id string, fields map[string]any) ([]byte, error)
	// sign signs a webhook as the vendor does.
	sign(h http.Header, body []byte)
}

// origin is one running system: a listener, the player behind it, and what can go wrong.
type origin struct {
	name    string
	url     string
	secrets map[string]string
	delay   time.Duration
	player  player
	server  *http.Server
	client  *http.Client
	served  chan struct{} // closed when the server has ended
	log     *slog.Logger

	calls atomic.Int64
	stop  context.Context // ends when the origin is closed
	end   context.CancelFunc

	mu      sync.Mutex // guards the three below
	hook    string
	fault   *Fault
	cleared chan struct{} // closed when the fault is cleared
}

func startOrigin(name string, cfg OriginsConfig, play func(*world, string, map[string]string, func() time.Time) (player, error), w *world) (*origin, error) {
	l, err := net.Listen("tcp", cfg.Listen)
	if err != nil {
		return nil, tutti.Errorf(tutti.Unavailable, "listening for the played system %s: %w", name, err)
	}
	o := &origin{
		name: name, url: "http://" + l.Addr().String(), secrets: newSecrets(name), delay: cfg.Delay,
		client: &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{}}, served: make(chan struct{}), log: cfg.Log.With("origin", name),
	}
	o.stop, o.end = context.WithCancel(context.Background())
	if o.player, err = play(w, o.url, o.secrets, cfg.Now); err != nil {
		_ = l.Close()
		return nil, err
	}
	o.server = &http.Server{
		Handler: o, ReadHeaderTimeout: 10 * time.Second, MaxHeaderBytes: 16 << 10,
		BaseContext: func(net.Listener) context.Context { return o.stop },
	}
	go func() {
		defer close(o.served)
		if err := o.server.Serve(l); err != nil && err != http.ErrServerClosed {
			o.log.Error("serving a played system", "err", err)
		}
	}()
	return o, nil
}

func newSecrets(name string) map[string]string {
	switch name {
	case "dam":
		s := random(14)
		return map[string]string{"api_key": "8" + digits(14), "api_secret": s, "webhook_secret": s}
	case "support":
		return map[string]string{"email": "desk@stay.example", "api_token": random(20), "webhook_secret": random(24)}
	case "stay":
		return map[string]string{"api_key": random(20), "webhook_secret": random(24)}
	}
	return map[string]string{"webhook_secret": random(24)}
}

func digits(n int) string {
	h := []byte(random(n))[:n]
	for i := range h {
		h[i] = '0' + h[i]%10
	}
	return string(h)
}

// ServeHTTP is every call: the control surface, then delay and faults, then the vendor's answer.
func (o *origin) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, "/_demo/") {
		o.control(w, r)
		return
	}
	if o.player.counted(r.URL.Path) {
		o.calls.Add(1)
		// Only when the body is read does the server notice that a caller has gone.
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
		if err != nil {
			o.player.fail(w, http.StatusRequestEntityTooLarge)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		if !wait(r.Context(), o.delay) || !o.meetFault(w, r) {
			return
		}
	}
	o.player.ServeHTTP(w, r)
}

// change changes a record, posts the webhook and waits for its answer.
func (o *origin) change(ctx context.Context, kind, id string, fields map[string]any) error {
	body, err := o.player.change(kind, id, fields)
	if err != nil {
		return err
	}
	o.mu.Lock()
	hook := o.hook
	o.mu.Unlock()
	if hook == "" {
		return nil
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, hook, bytes.NewReader(body))
	if err != nil {
		return tutti.Errorf(tutti.InvalidValue, "posting the webhook of %s: %w", o.name, err)
	}
	req.Header.Set("Content-Type", "application/json")
	o.player.sign(req.Header, body)
	res, err := o.client.Do(req)
	if err != nil {
		return tutti.Errorf(tutti.Unavailable, "posting the webhook of %s: %w", o.name, err)
	}
	defer func() { _ = res.Body.Close() }()
	said, _ := io.ReadAll(io.LimitReader(res.Body, 300))
	if res.StatusCode/100 != 2 {
		return tutti.Errorf(tutti.Unavailable, "posting the webhook of %s: it answered %s: %s", o.name, res.Status, said)
	}
	return nil
}

func (o *origin) close() {
	o.end()
	_ = o.server.Close()
	<-o.served
	o.client.CloseIdleConnections()
}

// wait waits, and reports whether the time passed before the context ended.
func wait(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return true
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// writeJSON answers with a status and a value as JSON.
func writeJSON(w http.ResponseWriter, status int, v any) {
	b, err := marshal(v)
	if err != nil {
		http.Error(w, "writing the answer", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(b)
}

// marshal writes JSON as the vendors do: with < and & as they are.
func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}
