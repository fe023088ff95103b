package graph

import (
	"bytes"
	"encoding/json"
	"net/http"
	"time"

	"github.com/vektah/gqlparser/v2/gqlerror"
)

// patience is how long a reader may take for one piece of an answer that comes in pieces.
const patience = 30 * time.Second

// flow is an answer that comes piece by piece. Each piece is sent at once; a reader that is slow
// makes the writer wait, and one that stands still ends it. One goroutine uses it.
type flow struct {
	w       http.ResponseWriter
	control *http.ResponseController
	o       *Observation
	media   string
	begun   bool
}

// newFlow begins an answer for a request whose body was read. The answer may take longer than the
// server allows for reading a request.
func newFlow(w http.ResponseWriter, o *Observation, media string) *flow {
	f := &flow{w: w, control: http.NewResponseController(w), o: o, media: media}
	_ = f.control.SetReadDeadline(time.Time{}) // else its end counts as the client's going away
	return f
}

// send sends a piece; the first one with status 200.
func (f *flow) send(piece []byte) error {
	f.begin()
	_ = f.control.SetWriteDeadline(time.Now().Add(patience)) // where the connection knows none, it has none
	n, err := f.w.Write(piece)
	f.o.Bytes += n
	if err == nil {
		_ = f.control.Flush()
	}
	return err
}

func (f *flow) begin() {
	if f.begun {
		return
	}
	f.begun, f.o.Status = true, http.StatusOK
	h := f.w.Header()
	h.Set("Content-Type", f.media+"; charset=utf-8")
	h.Set("X-Accel-Buffering", "no") // nginx would keep pieces back
	f.w.WriteHeader(http.StatusOK)
}

// end lets the connection live on.
func (f *flow) end() { _ = f.control.SetWriteDeadline(time.Time{}) }

// note keeps for the log what failed first.
func (f *flow) note(errs gqlerror.List) {
	f.o.Errors += len(errs)
	if f.o.Code == "" {
		f.o.Code = firstCode(errs)
	}
}

// oneLine takes line breaks out of JSON: an origin's own may hold some between its tokens.
func oneLine(b []byte) []byte {
	if !bytes.ContainsAny(b, "\r\n") {
		return b
	}
	var out bytes.Buffer
	if json.Compact(&out, b) != nil {
		return bytes.Map(func(r rune) rune {
			if r == '\r' || r == '\n' {
				return ' '
			}
			return r
		}, b)
	}
	return out.Bytes()
}
