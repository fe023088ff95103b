package demo

import (
	"encoding/json"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/tuttihq/tutti"
)

// Fault is something that goes wrong with a system's API calls.
type Fault struct {
	// Kind is one of:
	//   slow          the right answer, after Delay (2 s when none is given)
	//   error         Status (500 when none is given) in the vendor's error form
	//   garbage       200 and a body that ends in the middle
	//   gone          410 in the vendor's error form
	//   oversize      200 and a body of 64 MiB
	//   wrong-type    200 and a page of HTML
	//   rate-limited  Status (429 when none is given) with Retry-After
	//   black-hole    no answer, until the caller goes or the fault is cleared
	//   reset         the connection is reset
	Kind       string
	Delay      time.Duration
	Status     int
	RetryAfter time.Duration // in whole seconds; 1 s when none is given
	Times      int           // how many calls meet it; 0 = until it is cleared
}

var faultKinds = []string{"slow", "error", "garbage", "gone", "oversize", "wrong-type", "rate-limited", "black-hole", "reset"}

// Fault makes a system's next API calls go wrong, instead of any fault that it had. Codes:
// UnknownSource, InvalidValue for an unknown kind.
func (o *Origins) Fault(name string, f Fault) error {
	p, ok := o.byName[name]
	if !ok {
		return tutti.Errorf(tutti.UnknownSource, "setting a fault: no played system is named %q", name)
	}
	return p.setFault(f)
}

// ClearFaults makes a system work again; without a name, all of them. Calls in a black hole end.
func (o *Origins) ClearFaults(names ...string) {
	if len(names) == 0 {
		names = o.Names()
	}
	for _, name := range names {
		if p, ok := o.byName[name]; ok {
			p.clearFault()
		}
	}
}

func (o *origin) setFault(f Fault) error {
	known := false
	for _, k := range faultKinds {
		known = known || k == f.Kind
	}
	if !known {
		return &tutti.Error{Code: tutti.InvalidValue, Field: "kind", Message: "there is no fault of kind " + strconv.Quote(f.Kind) + ".", Hint: "Use one of " + strings.Join(faultKinds, ", ") + "."}
	}
	o.clearFault()
	o.mu.Lock()
	defer o.mu.Unlock()
	o.fault, o.cleared = &f, make(chan struct{})
	return nil
}

func (o *origin) clearFault() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.fault != nil {
		close(o.cleared)
		o.fault = nil
	}
}

// take gives the fault that this call meets, and when that fault is cleared.
func (o *origin) take() (Fault, <-chan struct{}, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.fault == nil {
		return Fault{}, nil, false
	}
	f, cleared := *o.fault, o.cleared
	if f.Times > 0 {
		if o.fault.Times--; o.fault.Times == 0 {
			o.fault = nil // its channel is never closed: who met it last waits for the caller to go
		}
	}
	return f, cleared, true
}

// meetFault lets a call meet the fault, if there is one, and reports whether the right answer
// should follow.
func (o *origin) meetFault(w http.ResponseWriter, r *http.Request) bool {
	f, cleared, ok := o.take()
	if !ok {
		return true
	}
	status := func(otherwise int) int {
		if f.Status != 0 {
			return f.Status
		}
		return otherwise
	}
	switch f.Kind {
	case "slow":
		if f.Delay == 0 {
			f.Delay = 2 * time.Second
		}
		return wait(r.Context(), f.Delay)
	case "error":
		o.player.fail(w, status(http.StatusInternalServerError))
	case "gone":
		o.player.fail(w, http.StatusGone)
	case "rate-limited":
		seconds := max(1, int(f.RetryAfter/time.Second))
		w.Header().Set("Retry-After", strconv.Itoa(seconds))
		o.player.fail(w, status(http.StatusTooManyRequests))
	case "garbage":
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		_, _ = w.Write([]byte(`{"data":{"items":[{"id":"1","name":"Ho`))
	case "wrong-type":
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write([]byte("<!doctype html><title>Sign in</title><h1>Please sign in</h1>"))
	case "oversize":
		flood(w)
	case "black-hole":
		select {
		case <-r.Context().Done():
		case <-cleared:
			panic(http.ErrAbortHandler)
		}
	case "reset":
		reset(w)
	}
	return false
}

// flood writes 64 MiB of well-formed JSON, or as much as the caller takes.
func flood(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	_, _ = w.Write([]byte(`{"padding":"`))
	chunk := []byte(strings.Repeat("tutti ", 1<<16/6))
	for n := 0; n < 64<<20; n += len(chunk) {
		if _, err := w.Write(chunk); err != nil {
			return
		}
	}
	_, _ = w.Write([]byte(`"}`))
}

func reset(w http.ResponseWriter) {
	c, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if tcp, ok := c.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = c.Close()
}

// control is the surface for people and scripts:
//
//	POST   /_demo/fault   {"kind":"slow","delay":"800ms","status":503,"retryAfter":"5s","times":1}
//	DELETE /_demo/fault
//	GET    /_demo/calls
//	POST   /_demo/change  {"kind":"hotel","id":"azul","fields":{"phone":"…"}}
//
// No page of another site can change anything here.
func (o *origin) control(w http.ResponseWriter, r *http.Request) {
	if err := http.NewCrossOriginProtection().Check(r); err != nil {
		writeJSON(w, http.StatusForbidden, map[string]any{"error": err.Error()})
		return
	}
	switch r.Method + " " + r.URL.Path {
	case "POST /_demo/fault":
		var in struct {
			Kind, Delay, RetryAfter string
			Status, Times           int
		}
		err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<16)).Decode(&in)
		if err != nil {
			err = &tutti.Error{Code: tutti.InvalidValue, Message: "this is no JSON object.", Hint: `Send, for example, {"kind": "error"}.`}
		}
		f := Fault{Kind: in.Kind, Status: in.Status, Times: in.Times}
		if err == nil && in.Delay != "" {
			f.Delay, err = time.ParseDuration(in.Delay)
		}
		if err == nil && in.RetryAfter != "" {
			f.RetryAfter, err = time.ParseDuration(in.RetryAfter)
		}
		if err == nil {
			err = o.setFault(f)
		}
		controlled(w, map[string]any{"fault": f.Kind}, err)
	case "DELETE /_demo/fault":
		o.clearFault()
		controlled(w, map[string]any{"fault": nil}, nil)
	case "GET /_demo/calls":
		controlled(w, map[string]any{"calls": o.calls.Load()}, nil)
	case "POST /_demo/change":
		var in struct {
			Kind, ID string
			Fields   map[string]any
		}
		d := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<16))
		err := d.Decode(&in)
		if err == nil {
			err = o.change(r.Context(), in.Kind, in.ID, in.Fields)
		}
		controlled(w, map[string]any{"changed": in.Kind + "/" + in.ID}, err)
	default:
		writeJSON(w, http.StatusNotFound, map[string]any{"error": "There are POST and DELETE /_demo/fault, GET /_demo/calls, POST /_demo/change."})
	}
}

func controlled(w http.ResponseWriter, v any, err error) {
	if err == nil {
		writeJSON(w, http.StatusOK, v)
		return
	}
	status := http.StatusBadRequest
	switch tutti.CodeOf(err) {
	case tutti.NotFound:
		status = http.StatusNotFound
	case tutti.Unavailable:
		status = http.StatusBadGateway
	}
	writeJSON(w, status, map[string]any{"error": err.Error()})
}
