package demo

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"testing"
)

// start starts the systems for one test.
func start(t *testing.T) *Origins {
	t.Helper()
	o, err := StartOrigins(OriginsConfig{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(o.Close)
	return o
}

// call calls a system with its credentials and gives status, headers and body.
func call(t *testing.T, o *Origins, name, method, path, body string) (int, http.Header, []byte) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, o.URL(name)+path, bytes.NewReader([]byte(body)))
	if err != nil {
		t.Fatal(err)
	}
	s := o.Secrets(name)
	switch name {
	case "dam":
		r.SetBasicAuth(s["api_key"], s["api_secret"])
	case "support":
		r.SetBasicAuth(s["email"]+"/token", s["api_token"])
	case "stay":
		r.Header.Set("X-Api-Key", s["api_key"])
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	res, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, res.Header, b
}

// object reads an answer as JSON.
func object(t *testing.T, b []byte) map[string]any {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal(b, &m); err != nil {
		t.Fatalf("%v in %.300s", err, b)
	}
	return m
}
