package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"

	"github.com/tuttihq/tutti/sources"
	"github.com/tuttihq/tutti/sources/postgres"
	"github.com/tuttihq/tutti/sources/recording"
)

// watcher looks at exchanges.
type watcher struct {
	player   *recording.Player // nil = the network answers
	recorder *recording.Recorder

	mu   sync.Mutex // guards seen
	seen []watched
}

type watched struct {
	request, answer string
}

func (w *watcher) all() []watched {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.seen
}

func (w *watcher) through(_ string, network http.RoundTripper) http.RoundTripper {
	if w.player != nil {
		network = w.player
	}
	return watching{w, network}
}

func (w *watcher) note(one watched) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.seen = append(w.seen, one)
}

type watching struct {
	*watcher
	next http.RoundTripper
}

// RoundTrip passes an exchange on, and notes it without secrets.
func (w watching) RoundTrip(r *http.Request) (*http.Response, error) {
	var body []byte
	plain := r.Clone(r.Context())
	plain.Header.Set("Accept-Encoding", "identity")
	if r.Body != nil {
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
		_ = r.Body.Close()
		plain.Body = io.NopCloser(bytes.NewReader(body))
	}
	res, err := w.next.RoundTrip(plain)
	note := watched{}
	if err != nil {
		sent, _ := w.recorder.Shown(r, body, nil)
		note.request, note.answer = w.recorder.Clean(requestText(r, sent)), "no answer: "+w.recorder.Clean(err.Error())
	} else {
		got, _ := io.ReadAll(io.LimitReader(res.Body, 1<<20))
		rest := res.Body
		res.Body = struct {
			io.Reader
			io.Closer
		}{io.MultiReader(bytes.NewReader(got), rest), rest}
		sent, answered := w.recorder.Shown(r, body, got)
		note.request, note.answer = w.recorder.Clean(requestText(r, sent)), w.recorder.Clean(answerText(res, answered))
	}
	w.note(note)
	return res, err
}

// database opens a database whose queries are noted.
func (w *watcher) database(c sources.DatabaseConfig) (sources.Database, error) {
	db, err := postgres.Opener(nil)(c)
	return watchedDatabase{db, w}, err
}

type watchedDatabase struct {
	sources.Database
	*watcher
}

// Query passes a query on, and notes it with its values and what it came to.
func (d watchedDatabase) Query(ctx context.Context, query string, args []*string, rows int, bytes int64) ([]byte, error) {
	var text strings.Builder
	text.WriteString(strings.TrimSpace(query) + "\n")
	for i, a := range args {
		if a == nil {
			fmt.Fprintf(&text, "$%d = null\n", i+1)
		} else {
			fmt.Fprintf(&text, "$%d = %s\n", i+1, *a)
		}
	}
	answer, err := d.Database.Query(ctx, query, args, rows, bytes)
	note := watched{request: d.recorder.Clean(text.String()), answer: d.recorder.Clean(pretty(answer))}
	if err != nil {
		note.answer = "no rows: " + d.recorder.Clean(err.Error())
	}
	d.note(note)
	return answer, err
}

func requestText(r *http.Request, body []byte) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s\n", r.Method, r.URL)
	for _, name := range sortedNames(r.Header) {
		switch name {
		case "User-Agent", "Accept-Encoding":
			continue
		case "Authorization", "Proxy-Authorization", "Cookie":
			scheme, _, _ := strings.Cut(r.Header.Get(name), " ")
			fmt.Fprintf(&b, "%s: %s ***\n", name, scheme)
			continue
		}
		fmt.Fprintf(&b, "%s: %s\n", name, strings.Join(r.Header[name], ", "))
	}
	if len(body) > 0 {
		fmt.Fprintf(&b, "\n%s\n", pretty(body))
	}
	return b.String()
}

func answerText(res *http.Response, body []byte) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d %s\n", res.StatusCode, http.StatusText(res.StatusCode))
	for _, name := range sortedNames(res.Header) {
		if name != "Set-Cookie" {
			fmt.Fprintf(&b, "%s: %s\n", name, strings.Join(res.Header[name], ", "))
		}
	}
	if len(body) > 0 {
		fmt.Fprintf(&b, "\n%s\n", pretty(body))
	}
	return b.String()
}

// pretty writes JSON on several lines, with the words of a GraphQL document as they are.
func pretty(body []byte) string {
	var operation struct {
		Query     string
		Variables json.RawMessage
	}
	if json.Unmarshal(body, &operation) == nil && operation.Query != "" {
		return operation.Query + "\n\n" + pretty(operation.Variables)
	}
	var b bytes.Buffer
	if json.Indent(&b, body, "", "  ") != nil {
		return string(body)
	}
	return b.String()
}

const shownLines = 60

// show writes the exchange, cut to what a person reads.
func (e watched) show(out io.Writer, whole bool) {
	for _, text := range []struct{ mark, text string }{{"> ", e.request}, {"< ", e.answer}} {
		lines := strings.Split(strings.TrimRight(onScreen(strings.ReplaceAll(text.text, "\r\n", "\n")), "\n"), "\n")
		for i, line := range lines {
			if !whole && i == shownLines {
				fmt.Fprintf(out, "%s… %d lines more (--whole shows them)\n", text.mark, len(lines)-i)
				break
			}
			fmt.Fprintln(out, strings.TrimRight(text.mark+line, " "))
		}
	}
}
