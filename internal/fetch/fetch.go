// Package fetch owns the only HTTP client of the product: where a request may go, how much of
// an answer is read, and what an error may tell.
//
// It checks the address that is really dialled, so neither a name, nor a redirect, nor an odd way
// to write a number leads to a private network unless the operator allows that host. It does not
// retry, cache, count, log or limit rates: sources does that around it.
package fetch

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"
)

const (
	defaultMaxBytes    = 4 << 20
	defaultDialTimeout = 3 * time.Second
	// backstop ends an exchange whose caller set no deadline, or a very late one.
	backstop = 30 * time.Second
)

// Config says what a client may do. The zero value is a good one.
type Config struct {
	// AllowPrivate lists hosts ("localhost", "10.1.2.3", "::1") or hosts with a port
	// ("origin.internal:8080") whose addresses may be private. They are compared with the host as it is
	// written in the URL, without regard to case. Link-local addresses (cloud metadata) need an
	// entry that is the address itself. Multicast and unspecified addresses are never dialled.
	AllowPrivate []string
	MaxBytes     int64         // of one answer, before and after decoding; 0 means 4 MiB
	UserAgent    string        // "" means "tutti"
	DialTimeout  time.Duration // 0 means 3 s
	Resolver     *net.Resolver // nil means the system's
	// Through stands between the client and the network: it may look at requests and answers, or
	// give answers itself. It gets what goes to the network, and gives what is asked instead. Nil means nothing.
	Through func(network http.RoundTripper) http.RoundTripper
}

// Client speaks HTTP to origins. Safe for concurrent use; make one per source, so that sources
// share neither allowances nor connections.
type Client struct {
	cfg       Config
	transport *http.Transport
	hop       http.RoundTripper // the transport, or what stands before it
	http      *http.Client
}

// New makes a client. It opens no connection.
func New(cfg Config) *Client {
	if cfg.MaxBytes <= 0 {
		cfg.MaxBytes = defaultMaxBytes
	}
	if cfg.DialTimeout <= 0 {
		cfg.DialTimeout = defaultDialTimeout
	}
	if cfg.UserAgent == "" {
		cfg.UserAgent = "tutti"
	}
	allow := parseAllowed(cfg.AllowPrivate)
	dial := &dialer{allow: allow, timeout: cfg.DialTimeout, resolver: cfg.Resolver}
	transport := &http.Transport{
		Proxy:                  nil, // never from the environment: a proxy would dial for us, unguarded
		DialContext:            dial.DialContext,
		ForceAttemptHTTP2:      true,
		DisableCompression:     true, // limited decodes, so that bombs are counted
		MaxIdleConns:           256,
		MaxIdleConnsPerHost:    32,
		MaxConnsPerHost:        128,
		IdleConnTimeout:        90 * time.Second,
		TLSHandshakeTimeout:    5 * time.Second,
		ExpectContinueTimeout:  time.Second,
		MaxResponseHeaderBytes: 256 << 10,
		ReadBufferSize:         16 << 10, // most answers in one read
		// A call of HTTP/2 that is given up leaves its connection, which may be dead without a word: one of which
		// nothing came for a while is asked whether it lives.
		HTTP2: &http.HTTP2Config{SendPingTimeout: 5 * time.Second, PingTimeout: 2 * time.Second},
	}
	c := &Client{cfg: cfg, transport: transport, hop: transport}
	if cfg.Through != nil {
		c.hop = cfg.Through(transport)
	}
	c.http = &http.Client{
		Transport:     c.limited(cfg.MaxBytes),
		CheckRedirect: redirects{allow}.check,
		Timeout:       backstop,
	}
	return c
}

// Request is one exchange. Method "" means GET. Credentials belong into Header: an address with
// a user or password inside is refused.
type Request struct {
	Method, URL string
	Header      http.Header
	Body        []byte
	MaxBytes    int64 // 0 means the client's limit
}

// Response is an answer, read and decoded completely.
type Response struct {
	Status int
	Header http.Header
	Body   []byte
}

// Free lets the memory of Body be used again. Call it at most once, and look at Body no more after
// it; a Response that is not freed is garbage like any other.
func (r *Response) Free() {
	free(r.Body)
	r.Body = nil
}

// Do asks and reads the whole answer; any status is a Response. Errors carry tutti.Timeout when
// a deadline passed, tutti.TooLarge when the answer exceeds its limit, and tutti.Unavailable for the rest;
// errors.Is finds ErrRefused and context.Canceled in them. Their text names the host and nothing
// else of the address, and no header. An exchange ends after 30 s at the latest.
// The request is not changed. Safe for concurrent use.
func (c *Client) Do(ctx context.Context, r Request) (*Response, error) {
	u, err := url.Parse(r.URL)
	if err != nil {
		return nil, failure("", refused("the address is not a URL")) // err quotes the address, so it is not told
	}
	if err := acceptable(u); err != nil {
		return nil, failure(u.Host, err)
	}
	if last, ok := ctx.Deadline(); !ok || time.Until(last) > backstop {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, backstop)
		defer cancel()
	}
	req := c.request(ctx, u, r)
	limit := r.MaxBytes
	if limit <= 0 {
		limit = c.cfg.MaxBytes
	}
	res, err := c.hop.RoundTrip(req)
	if err == nil && redirected(res.StatusCode) {
		res, err = c.follow(req, res, limit)
	}
	if err != nil {
		return nil, failure(u.Host, &url.Error{Op: req.Method, Err: err})
	}
	defer res.Body.Close()
	body, err := read(res, limit)
	if err != nil {
		return nil, failure(u.Host, err)
	}
	return &Response{Status: res.StatusCode, Header: res.Header, Body: body}, nil
}

// request makes what the transport sends. It is a hop like any other of a redirect, but that its
// header is copied only where something is missing in it.
func (c *Client) request(ctx context.Context, u *url.URL, r Request) *http.Request {
	req := &http.Request{Method: r.Method, URL: u, Host: u.Host, Header: c.Header(r.Header), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1}
	if r.Method == "" {
		req.Method = http.MethodGet
	}
	if len(r.Body) > 0 {
		req.ContentLength = int64(len(r.Body))
		req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(r.Body)), nil }
		req.Body, _ = req.GetBody()
	}
	return req.WithContext(ctx)
}

// Header completes the header of a request with what every request of the client has. One that is
// complete is given back as it is, and Do sends it as it is: it may serve many requests.
func (c *Client) Header(h http.Header) http.Header {
	if h.Get("User-Agent") != "" && h.Get("Accept-Encoding") == acceptEncoding {
		return h
	}
	full := make(http.Header, len(h)+2)
	for name, values := range h {
		full[name] = values
	}
	if h.Get("User-Agent") == "" {
		full["User-Agent"] = []string{c.cfg.UserAgent}
	}
	full["Accept-Encoding"] = []string{acceptEncoding}
	return full
}

// HTTP gives the guarded client for libraries that want one: the same dialer, redirects and
// limits. Reading more than MaxBytes of a body fails with tutti.TooLarge. Its errors come from net/http and may
// quote the address: do not log them as they are.
func (c *Client) HTTP() *http.Client { return c.http }

// Close closes idle connections. Exchanges under way go on.
func (c *Client) Close() { c.transport.CloseIdleConnections() }
