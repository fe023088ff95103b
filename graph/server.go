package graph

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/tuttihq/tutti"
)

// ServerConfig is what a Server needs besides a Generation.
type ServerConfig struct {
	Keys    KeyStore
	Log     *slog.Logger                       // nil = none
	Now     func() time.Time                   // nil = time.Now
	Timeout time.Duration                      // of one request; 0 = 30 s
	Observe func(context.Context, Observation) // called after each request; nil = nobody
}

// Observation is what happened in one request, for metrics. It holds no personal value. The
// operation's name comes from the client: use it in logs, not as a label.
type Observation struct {
	RequestID  string
	Generation string
	Method     string
	Status     int
	Code       tutti.Code // of the first error; "" without one
	Errors     int
	Operation  string // its name; "" when it has none or the request did not come so far
	Kind       string // query, mutation or ""
	Class      tutti.KeyClass
	KeyID      string
	Cached     bool   // the document was known
	Untrusted  string // the identifier of an operation that is not trusted, where the mode is not off
	Bytes      int    // of the answer, before it was compressed
	Duration   time.Duration
}

// Server answers GraphQL over HTTP. It is an http.Handler for the one path of the API; all
// methods are safe for concurrent use.
type Server struct {
	keys    *keyring
	log     *slog.Logger
	now     func() time.Time
	timeout time.Duration
	observe func(context.Context, Observation)
	current atomic.Pointer[Generation]
	texts   queryTexts

	trusted   atomic.Pointer[trusted]
	uses      uses
	automatic *automatic
	bodies    *bodies

	planning chan struct{} // holds one for each request whose plans are being made
}

// automaticBytes is the room for automatic persisted queries: thousands of usual length.
const automaticBytes = 8 << 20

// bodiesBytes is the room for compressed answers: some hundreds of usual length.
const bodiesBytes = 16 << 20

// NewServer makes a server that answers with gen until the next Swap.
func NewServer(c ServerConfig, gen *Generation) *Server {
	s := &Server{log: c.Log, now: c.Now, timeout: c.Timeout, observe: c.Observe, planning: make(chan struct{}, plansAtOnce)}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if s.now == nil {
		s.now = time.Now
	}
	if s.timeout == 0 {
		s.timeout = 30 * time.Second
	}
	if s.observe == nil {
		s.observe = func(context.Context, Observation) {}
	}
	s.keys = newKeyring(c.Keys, s.now, s.log)
	s.automatic = newAutomatic(automaticBytes)
	s.bodies = newBodies(bodiesBytes)
	s.trusted.Store(newTrusted(nil))
	s.current.Store(gen)
	return s
}

// Swap makes gen answer all requests that come from now on. Requests under way end with the
// generation they began with.
func (s *Server) Swap(gen *Generation) { s.current.Store(gen) }

// Generation is the current one.
func (s *Server) Generation() *Generation { return s.current.Load() }

// Invalidate makes a new, changed or revoked key count at once. Without it, it counts within 5 s.
func (s *Server) Invalidate() { s.keys.invalidate() }

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handle(w, r, s.serve) }

// handle answers one request with serve: it names and observes the request, and turns a panic into
// an answer.
func (s *Server) handle(w http.ResponseWriter, r *http.Request, serve func(*call, http.ResponseWriter, *http.Request, *Generation, *Observation)) {
	began := time.Now()
	g := s.current.Load()
	ctx := &call{Context: r.Context(), id: requestID(r), generation: g}
	o := &ctx.observed
	o.RequestID, o.Generation, o.Method = ctx.id, g.id, r.Method
	h := w.Header()
	h[RequestIDHeader] = ctx.line(0, ctx.id)
	h["X-Content-Type-Options"], h["Cache-Control"], h["Vary"] = alwaysNoSniff, alwaysNoStore, alwaysVaries
	defer func() {
		o.Duration = time.Since(began)
		s.record(ctx, *o)
	}()
	defer func() {
		if p := recover(); p != nil {
			if p == http.ErrAbortHandler {
				panic(p)
			}
			err := s.recovered(ctx, p)
			if o.Status == 0 { // nothing is sent yet
				s.fail(ctx, w, r, o, plainJSON, &refused{http.StatusInternalServerError, err})
			}
		}
	}()
	serve(ctx, w, r, g, o)
}

func (s *Server) serve(ctx *call, w http.ResponseWriter, r *http.Request, g *Generation, o *Observation) {
	origin := foreignOrigin(r, g)
	allowed := s.allowCORS(w, r, origin)
	media, events := negotiate(r.Header.Values("Accept")), takesEvents(r)
	switch {
	case r.Method == http.MethodOptions:
		o.Status = http.StatusNoContent
		s.preflight(w, r, allowed)
		return
	case !byAddress(r.Method) && r.Method != http.MethodPost:
		w.Header().Set("Allow", allowedMethods)
		s.fail(ctx, w, r, o, media, refuse(http.StatusMethodNotAllowed, tutti.BadRequest, "the method is not supported.", "Use GET for queries, or POST."))
		return
	case media == "" && !events:
		s.fail(ctx, w, r, o, media, refuse(http.StatusNotAcceptable, tutti.BadRequest, "none of the accepted media types can be sent.", "Accept "+graphqlJSON+" or "+plainJSON+"."))
		return
	}
	v, bad := s.authenticate(r, g, origin)
	o.Class, o.KeyID = v.Class, v.KeyID
	if bad != nil {
		s.fail(ctx, w, r, o, media, bad)
		return
	}
	if events {
		defer g.taking()()
	}
	p, bad := readParameters(r, g.bodyLimit(w, v, events), &s.texts)
	if bad != nil {
		s.fail(ctx, w, r, o, media, bad)
		return
	}
	ctx.viewer = v
	if events && s.events(ctx, w, o, media, g, v, p) {
		return
	}
	out := s.execute(ctx, g, v, p, r.Method)
	if out.operation != nil {
		o.Operation, o.Kind, o.Cached = out.operation.Name, string(out.operation.Operation), out.cached
	}
	o.Untrusted = out.untrusted
	if out.allow != "" {
		w.Header().Set("Allow", out.allow)
	}
	s.write(ctx, w, r, o, media, out)
}

// fail answers a request that is not well formed or not allowed.
func (s *Server) fail(ctx *call, w http.ResponseWriter, r *http.Request, o *Observation, media string, bad *refused) {
	if bad.status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Bearer realm="tutti"`)
	}
	if bad.status == http.StatusRequestEntityTooLarge {
		w.Header().Set("Connection", "close") // the rest of the body is not read
	}
	if media == "" {
		media = plainJSON
	}
	cause := bad.err
	if own := (*tutti.Error)(nil); errors.As(cause, &own) && own.Cause != nil {
		s.log.InfoContext(ctx, "refusing a request", "request", o.RequestID, "err", own.Cause)
	}
	s.write(ctx, w, r, o, media, outcome{status: -bad.status, errors: gqlerror.List{{Err: cause, Message: "refused"}}})
}

// write sends an outcome. Under application/json a well-formed request gets 200 even when it
// fails; a negative status is sent under both media types.
func (s *Server) write(ctx *call, w http.ResponseWriter, r *http.Request, o *Observation, media string, out outcome) {
	presented := s.presentAll(ctx, out.errors)
	if out.written != nil {
		defer out.written.giveBack()
	}
	switch {
	case out.status < 0:
		o.Status = -out.status
	case out.data != nil || out.written != nil:
		o.Status = http.StatusOK
	case out.status == http.StatusMethodNotAllowed:
		o.Status = out.status
	case media == plainJSON:
		o.Status = http.StatusOK
	case out.status == 0:
		o.Status = http.StatusBadRequest
	default:
		o.Status = out.status
	}
	o.Errors = len(presented)
	o.Code = firstCode(presented)
	buf := out.written
	if buf == nil || len(presented) > 0 {
		buf = borrow()
		defer buf.giveBack()
		if out.written != nil {
			out.data = out.written.data(out.from)
		}
		buf.b = appendBody(buf.b, out.data, presented)
	}
	o.Bytes = buf.len()
	coding := CodingFor(r.Header.Values("Accept-Encoding"), o.Bytes)
	h := w.Header()
	var kept *Body // of an answer that is sent again and again
	if (coding != Identity || out.delivery != nil) && o.Status == http.StatusOK && len(presented) == 0 {
		kept = s.bodies.of(buf.whole())
	}
	if d := out.delivery; d != nil && o.Status == http.StatusOK {
		d.write(h, ViewerFrom(ctx), GenerationFrom(ctx).caching, s.now())
		if h.Get("Cache-Control") != noStore {
			tag := kept.tagOf(buf.whole(), coding)
			h.Set("ETag", tag)
			if matches(r.Header.Values("If-None-Match"), tag) {
				o.Status = http.StatusNotModified
				w.WriteHeader(o.Status)
				return
			}
		}
	}
	body := buf
	if coding != Identity {
		h.Set("Content-Encoding", string(coding))
		body = borrow()
		defer body.giveBack()
		if kept != nil {
			body.splices = append(body.splices, splice{text: kept.In(coding)})
		} else {
			body.b = appendEncoded(body.b, buf.whole(), coding)
		}
	}
	h["Content-Type"] = contentTypes[media]
	h["Content-Length"] = ctx.line(1, strconv.Itoa(body.len()))
	w.WriteHeader(o.Status)
	if r.Method != http.MethodHead { // the same in all else (RFC 9110, section 9.3.2)
		send(ctx, w, body)
	}
}

// Headers that stand in every answer: shared by all, never changed.
var (
	alwaysNoSniff = []string{"nosniff"}
	alwaysNoStore = []string{noStore}
	alwaysVaries  = []string{varies}
	contentTypes  = map[string][]string{graphqlJSON: {graphqlJSON + "; charset=utf-8"}, plainJSON: {plainJSON + "; charset=utf-8"}}
)

// firstCode is the code of the first of presented errors; "" without one.
func firstCode(presented gqlerror.List) tutti.Code {
	if len(presented) == 0 {
		return ""
	}
	code, _ := presented[0].Extensions["code"].(string)
	return tutti.Code(code)
}

// appendBody joins errors and data; there is no data key where nothing was executed.
func appendBody(b, data []byte, errs gqlerror.List) []byte {
	b = append(b, '{')
	if len(errs) > 0 {
		list, err := json.Marshal(errs)
		if err != nil {
			list = []byte(`[{"message":"An error could not be written."}]`)
		}
		b = append(append(b, `"errors":`...), list...)
		if data != nil {
			b = append(b, ',')
		}
	}
	if data != nil {
		b = append(append(b, `"data":`...), data...)
	}
	return append(b, '}')
}

// slow is how long a request takes that the log tells although it went well.
const slow = time.Second

func (s *Server) record(ctx context.Context, o Observation) {
	level := slog.LevelInfo
	switch {
	case o.Status >= 500 || o.Code == tutti.Internal:
		level = slog.LevelError
	case o.Code == "" && o.Status < 400 && o.Duration < slow && o.Untrusted == "":
		level = slog.LevelDebug
	}
	if !s.log.Enabled(ctx, level) {
		s.observe(ctx, o)
		return
	}
	attrs := []slog.Attr{
		slog.String("request", o.RequestID), slog.String("method", o.Method), slog.Int("status", o.Status),
		slog.String("code", string(o.Code)), slog.String("operation", o.Operation), slog.String("kind", o.Kind), slog.String("class", string(o.Class)),
		slog.String("key", o.KeyID), slog.String("generation", o.Generation), slog.Int("bytes", o.Bytes), slog.Float64("ms", float64(o.Duration.Microseconds())/1000),
	}
	if o.Untrusted != "" {
		attrs = append(attrs, slog.String("untrusted", o.Untrusted))
	}
	s.log.LogAttrs(ctx, level, "request", attrs...)
	s.observe(ctx, o)
}
