package contract

import (
	"bytes"
	"io"
	"net/http"
	"strconv"
	"sync/atomic"
	"syscall"

	"github.com/tuttihq/tutti/sources/recording"
)

// front stands between a source and its system: it counts calls, sees how they are answered, and
// makes them fail.
type front struct {
	player   *recording.Player   // answers in place of the network; nil = the network does
	recorder *recording.Recorder // notes exchanges; nil = nobody does
	fault    atomic.Pointer[Fault]
	calls    atomic.Int64
	last     atomic.Int64 // the status of the last answer; 0 = there was none
}

func (f *front) through(_ string, network http.RoundTripper) http.RoundTripper {
	switch {
	case f.player != nil:
		network = f.player.Through(network)
	case f.recorder != nil:
		network = f.recorder.Through(network)
	}
	return hop{f, network}
}

type hop struct {
	*front
	next http.RoundTripper
}

func (h hop) RoundTrip(r *http.Request) (*http.Response, error) {
	h.calls.Add(1)
	h.last.Store(0)
	if f := h.fault.Load(); f != nil {
		if r.Body != nil {
			_ = r.Body.Close()
		}
		return f.answer(r)
	}
	res, err := h.next.RoundTrip(r)
	if err == nil {
		h.last.Store(int64(res.StatusCode))
	}
	return res, err
}

// answer fails as a system might.
func (f *Fault) answer(r *http.Request) (*http.Response, error) {
	res := &http.Response{StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{"Content-Type": {"application/json"}}, ContentLength: -1, Request: r}
	body := func(s string) { res.Body = io.NopCloser(bytes.NewReader([]byte(s))) }
	switch f.Kind {
	case "slow", "black-hole":
		<-r.Context().Done()
		return nil, r.Context().Err()
	case "reset":
		return nil, syscall.ECONNRESET
	case "error":
		res.StatusCode = f.Status
		body(`{"error": "it is broken"}`)
	case "rate-limited":
		res.StatusCode = http.StatusTooManyRequests
		res.Header.Set("Retry-After", strconv.Itoa(int(f.RetryAfter.Seconds())))
		body(`{"error": "wait"}`)
	case "wrong-type":
		res.Header.Set("Content-Type", "text/html")
		body("<html><p>Log in</p></html>")
	case "oversize":
		res.Body = io.NopCloser(endless{})
	default: // garbage
		body(`{"items": [{"id": "1", "name": `)
	}
	return res, nil
}

// endless is a body without an end.
type endless struct{}

func (endless) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = ' '
	}
	return len(b), nil
}
