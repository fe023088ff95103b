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
}

// Client speaks HTTP to origins. Safe for concurrent use; make one per source, so that sources
// share neither allowances nor connections.
type Client struct {
	cfg       Config
	transport *http.Transport
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
	}
	c := &Client{cfg: cfg, transport: transport}
	c.http = &http.Client{
		Transport:     &limited{next: transport, max: cfg.MaxBytes, agent: cfg.UserAgent},
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
		return nil, failure(u.Hostname(), err)
	}
	req, err := http.NewRequestWithContext(ctx, r.Method, u.String(), bytes.NewReader(r.Body))
	if err != nil {
		return nil, failure(u.Hostname(), refused("the request is not well formed"))
	}
	if len(r.Body) == 0 {
		req.Body, req.GetBody, req.ContentLength = http.NoBody, nil, 0
	}
	if r.Header != nil {
		req.Header = r.Header.Clone()
	}
	client := *c.http
	if r.MaxBytes > 0 {
		client.Transport = &limited{next: c.transport, max: r.MaxBytes, agent: c.cfg.UserAgent}
	}
	res, err := client.Do(req)
	if err != nil {
		return nil, failure(u.Hostname(), err)
	}
	defer res.Body.Close()
	body := bytes.NewBuffer(make([]byte, 0, room(res.ContentLength)))
	if _, err := body.ReadFrom(res.Body); err != nil {
		return nil, failure(u.Hostname(), err)
	}
	return &Response{Status: res.StatusCode, Header: res.Header, Body: body.Bytes()}, nil
}

// room is the space for a body of a told length, or of an unknown one (-1). Nobody is believed who
// tells a large one: it grows with what comes.
func room(told int64) int {
	if told < 0 {
		return 8 << 10
	}
	return int(min(told, 64<<10)) + bytes.MinRead // or the end would not be seen without growing
}

// HTTP gives the guarded client for libraries that want one: the same dialer, redirects and
// limits. Reading more than MaxBytes of a body fails with tutti.TooLarge. Its errors come from net/http and may
// quote the address: do not log them as they are.
func (c *Client) HTTP() *http.Client { return c.http }

// Close closes idle connections. Exchanges under way go on.
func (c *Client) Close() { c.transport.CloseIdleConnections() }
