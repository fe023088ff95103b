package fetch

import (
	"bytes"
	"io"
	"net/http"
	"sync"
)

// Bodies are read into lent memory: an answer is read once, and what is kept of it is copied.
const (
	smallest = 8 << 10   // of a lent buffer
	largest  = 256 << 10 // of one that is taken back; larger answers are rare
)

var lent = sync.Pool{New: func() any { b := make([]byte, 0, smallest); return &b }}

func free(body []byte) {
	if c := cap(body); c >= smallest && c <= largest {
		body = body[:0]
		lent.Put(&body)
	}
}

// read reads a whole answer of at most limit bytes, on the wire and decoded.
func read(res *http.Response, limit int64) ([]byte, error) {
	if bodyless(res.Request.Method, res.StatusCode) {
		return nil, nil
	}
	from, told := io.Reader(res.Body), res.ContentLength
	if _, ok := res.Body.(*body); !ok { // else a redirect led here, and the body is limited already
		zipped, err := coded(res)
		if err != nil {
			return nil, err
		}
		if told > limit {
			return nil, errTooLarge
		}
		if zipped {
			from, told = &gunzip{wire: &counted{r: res.Body, left: limit}, started: limit}, -1
		}
	}
	return readAll(from, told, limit)
}

// readAll reads what there is. Nobody is believed who tells a large length: the room grows with what
// comes.
func readAll(from io.Reader, told, limit int64) ([]byte, error) {
	b := *lent.Get().(*[]byte)
	if n := int(min(max(told, 0), 64<<10)) + bytes.MinRead; cap(b) < n { // or the end would not be seen without growing
		free(b)
		b = make([]byte, 0, n)
	}
	for {
		n, err := from.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		switch {
		case int64(len(b)) > limit:
			return nil, errTooLarge
		case err == io.EOF:
			return b, nil
		case err != nil:
			return nil, err
		}
		if len(b) == cap(b) {
			b = append(b, 0)[:len(b)]
		}
	}
}
