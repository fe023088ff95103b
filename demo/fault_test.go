package demo

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/tuttihq/tutti"
)

// get calls the hotel system and gives status, headers, and how reading the body ended.
func get(ctx context.Context, o *Origins) (int, http.Header, []byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, o.URL("stay")+"/v1/hotels?ids=azul", nil)
	if err != nil {
		return 0, nil, nil, err
	}
	r.Header.Set("X-Api-Key", o.Secrets("stay")["api_key"])
	res, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(r)
	if err != nil {
		return 0, nil, nil, err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	return res.StatusCode, res.Header, b, err
}

func TestFaults(t *testing.T) {
	o := start(t)
	for _, c := range []struct {
		fault Fault
		check func(status int, h http.Header, b []byte, err error) bool
	}{
		{Fault{Kind: "slow", Delay: time.Millisecond}, func(s int, _ http.Header, b []byte, err error) bool {
			return err == nil && s == 200 && json.Valid(b)
		}},
		{Fault{Kind: "error"}, func(s int, _ http.Header, b []byte, err error) bool { return s == 500 && json.Valid(b) }},
		{Fault{Kind: "error", Status: 503}, func(s int, _ http.Header, _ []byte, _ error) bool { return s == 503 }},
		{Fault{Kind: "gone"}, func(s int, _ http.Header, _ []byte, _ error) bool { return s == 410 }},
		{Fault{Kind: "garbage"}, func(s int, _ http.Header, b []byte, _ error) bool { return s == 200 && !json.Valid(b) }},
		{Fault{Kind: "wrong-type"}, func(s int, h http.Header, _ []byte, _ error) bool {
			return s == 200 && strings.HasPrefix(h.Get("Content-Type"), "text/html")
		}},
		{Fault{Kind: "oversize"}, func(s int, _ http.Header, b []byte, _ error) bool { return s == 200 && len(b) > 32<<20 }},
		{Fault{Kind: "rate-limited", RetryAfter: 7 * time.Second}, func(s int, h http.Header, _ []byte, _ error) bool { return s == 429 && h.Get("Retry-After") == "7" }},
		{Fault{Kind: "rate-limited", Status: 420}, func(s int, _ http.Header, _ []byte, _ error) bool { return s == 420 }},
		{Fault{Kind: "reset"}, func(_ int, _ http.Header, _ []byte, err error) bool { return err != nil }},
	} {
		t.Run(c.fault.Kind, func(t *testing.T) {
			c.fault.Times = 1
			if err := o.Fault("stay", c.fault); err != nil {
				t.Fatal(err)
			}
			if s, h, b, err := get(t.Context(), o); !c.check(s, h, b, err) {
				t.Errorf("%d %v %.100s %v", s, h, b, err)
			}
			if s, _, _, err := get(t.Context(), o); s != 200 || err != nil {
				t.Errorf("once is not once: %d %v", s, err)
			}
		})
	}
}

func TestABlackHoleEndsWithTheCallerOrTheFault(t *testing.T) {
	o := start(t)
	if err := o.Fault("stay", Fault{Kind: "black-hole"}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, _, _, err := get(ctx, o); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the black hole answered: %v", err)
	}
	ended := make(chan error, 1)
	before := o.Calls("stay")
	go func() {
		_, _, _, err := get(context.WithoutCancel(t.Context()), o)
		ended <- err
	}()
	for o.Calls("stay") == before {
		runtime.Gosched()
		if t.Context().Err() != nil {
			t.Fatal("the call never came")
		}
	}
	o.ClearFaults("stay")
	if err := <-ended; err != nil {
		// It was in the hole, whose connections break; else it came just after: both are right.
		t.Log(err)
	}
	if s, _, _, err := get(t.Context(), o); s != 200 || err != nil {
		t.Errorf("not cleared: %d %v", s, err)
	}
}

func TestWrongFaultsAreRefused(t *testing.T) {
	o := start(t)
	if err := o.Fault("stay", Fault{Kind: "melted"}); !errors.Is(err, tutti.InvalidValue) {
		t.Errorf("an unknown kind: %v", err)
	}
	if err := o.Fault("nobody", Fault{Kind: "error"}); !errors.Is(err, tutti.UnknownSource) {
		t.Errorf("an unknown system: %v", err)
	}
}

func TestControlSurface(t *testing.T) {
	o := start(t)
	control := func(method, path, body string, header ...string) (int, string) {
		r, err := http.NewRequestWithContext(t.Context(), method, o.URL("stay")+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; i < len(header); i += 2 {
			r.Header.Set(header[i], header[i+1])
		}
		res, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		b, _ := io.ReadAll(res.Body)
		return res.StatusCode, string(b)
	}
	if s, b := control("POST", "/_demo/fault", `{"kind":"error","status":503}`); s != 200 {
		t.Fatal(s, b)
	}
	if s, _, _, _ := get(t.Context(), o); s != 503 {
		t.Errorf("the fault is not met: %d", s)
	}
	control("DELETE", "/_demo/fault", "")
	if s, _, _, _ := get(t.Context(), o); s != 200 {
		t.Errorf("the fault is not cleared: %d", s)
	}
	if _, b := control("GET", "/_demo/calls", ""); b != `{"calls":2}` {
		t.Errorf("calls: %s", b)
	}
	if s, b := control("POST", "/_demo/change", `{"kind":"hotel","id":"azul","fields":{"phone":"+34 1"}}`); s != 200 {
		t.Errorf("changing: %d %s", s, b)
	}
	if _, _, b, _ := get(t.Context(), o); !strings.Contains(string(b), `"phone":"+34 1"`) {
		t.Errorf("not changed: %s", b)
	}
	if s, _ := control("POST", "/_demo/change", `{"kind":"hotel","id":"nowhere","fields":{}}`); s != 404 {
		t.Errorf("an unknown record: %d", s)
	}
	if s, _ := control("POST", "/_demo/fault", `{"kind":"error"}`, "Sec-Fetch-Site", "cross-site"); s != 403 {
		t.Errorf("another site may set faults: %d", s)
	}
	o.ResetCalls()
	if o.Calls("stay") != 0 {
		t.Error("calls are not counted anew")
	}
}
