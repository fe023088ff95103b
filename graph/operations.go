package graph

import (
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tuttihq/tutti"
)

// trusted are the operations that apps were built with, by what requests send. Only the notes of
// use ever change.
type trusted struct {
	byID   map[string]*trustedOperation // by identifier, and by the hash of every text
	byText map[string]*trustedOperation
}

type trustedOperation struct {
	id, text string
	day      atomic.Int64 // the last day of use that was noted, since 1970
}

func newTrusted(list []tutti.Operation) *trusted {
	t := &trusted{byID: make(map[string]*trustedOperation, len(list)), byText: make(map[string]*trustedOperation, len(list))}
	for _, o := range list {
		op := &trustedOperation{id: o.ID, text: o.Text}
		if !o.UsedAt.IsZero() {
			op.day.Store(dayOf(o.UsedAt))
		}
		t.byID[o.ID] = op
		t.byText[o.Text] = op
	}
	for text, op := range t.byText {
		t.byID[tutti.OperationID(text)] = op
	}
	return t
}

func dayOf(t time.Time) int64 { return t.Unix() / (24 * 60 * 60) }

// named gives the operation of a document identifier; a bare hash counts as one. nil when there
// is none.
func (t *trusted) named(id string) *trustedOperation {
	if op := t.byID[id]; op != nil {
		return op
	}
	if len(id) == 64 {
		return t.byID["sha256:"+id]
	}
	return nil
}

// Trust makes exactly these operations the trusted ones, for all requests that come from now on.
func (s *Server) Trust(list []tutti.Operation) { s.trusted.Store(newTrusted(list)) }

// uses collects the trusted operations that were asked for, once a day each.
type uses struct {
	mu  sync.Mutex // guards ids
	ids []string
}

func (u *uses) note(op *trustedOperation, now time.Time) {
	day := dayOf(now)
	if last := op.day.Load(); last >= day || !op.day.CompareAndSwap(last, day) {
		return
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.ids = append(u.ids, op.id)
}

// Used gives the identifiers of the trusted operations that were asked for, for the first time on
// a day, since it was called last.
func (s *Server) Used() []string {
	s.uses.mu.Lock()
	defer s.uses.mu.Unlock()
	ids := s.uses.ids
	s.uses.ids = nil
	return ids
}

// meant is the operation text that a request means.
type meant struct {
	text      string
	register  bool   // the text came with its hash: keep it when it proves valid
	untrusted string // the identifier of a text that is not trusted, where that is logged or refused
}

// meaning finds the text that a request sends or names, and refuses what this viewer may not ask
// for by the generation's mode. A nil refusal means that it may.
func (s *Server) meaning(g *Generation, v Viewer, p parameters) (meant, *refused) {
	list, restricted := s.trusted.Load(), !v.Editing()
	if p.query == "" {
		return s.named(g, p, list, restricted)
	}
	if p.hash != "" && tutti.OperationID(p.query) != "sha256:"+p.hash {
		return meant{}, refuse(0, tutti.BadRequest, "the operation's text is not the one that sha256Hash names.", "Send the SHA-256 of the query's bytes in UTF-8, as 64 lower-case hexadecimal digits.")
	}
	m := meant{text: p.query, register: p.hash != "" && !g.mode.Enforced()}
	op := list.byText[p.query]
	if op != nil {
		s.uses.note(op, s.now())
	}
	if !restricted || g.mode == tutti.OperationsOff || op != nil && g.mode != tutti.OperationsIDs {
		return m, nil
	}
	if op == nil {
		m.untrusted = tutti.OperationID(p.query)
	}
	switch {
	case g.mode == tutti.OperationsLog:
		return m, nil
	case g.mode == tutti.OperationsIDs:
		return m, refuse(http.StatusForbidden, tutti.UntrustedOperation, "operations are asked for by their identifier here, not by their text.", `Send {"documentId": "sha256:…"} instead of query.`)
	}
	return m, refuse(http.StatusForbidden, tutti.UntrustedOperation, "this operation is not among the trusted ones.", untrustedHint)
}

const untrustedHint = "Store the app's operations before the app asks for them:  tutti operations push MANIFEST"

// The messages that clients with persisted operations look for, byte for byte.
const (
	persistedNotFound     = "PersistedQueryNotFound"
	persistedNotSupported = "PersistedQueryNotSupported"
)

// named finds the text of a request that only names it.
func (s *Server) named(g *Generation, p parameters, list *trusted, restricted bool) (meant, *refused) {
	id := p.id
	if id == "" {
		id = p.hash
	}
	if op := list.named(id); op != nil {
		s.uses.note(op, s.now())
		return meant{text: op.text}, nil
	}
	switch {
	case g.mode.Enforced() && restricted:
		return meant{}, refuse(http.StatusForbidden, tutti.UntrustedOperation, "no trusted operation has this identifier.", untrustedHint)
	case g.mode.Enforced() && p.hash != "":
		return meant{}, refuse(0, tutti.PersistedNotSupported, persistedNotSupported, "Send the operation's text as query.")
	}
	if p.hash != "" {
		if text, ok := s.automatic.get(p.hash); ok {
			return meant{text: text, register: true}, nil
		}
	}
	return meant{}, refuse(0, tutti.PersistedNotFound, persistedNotFound, "Send the operation's text as query, with its hash to have it kept; or store the app's operations:  tutti operations push MANIFEST")
}
