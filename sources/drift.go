package sources

import (
	"encoding/json"
	"log/slog"
	"maps"
	"math"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tuttihq/tutti"
)

const (
	sampleEvery = time.Second // how often an answer of a kind is looked at
	sampleRows  = 4           // how many of its records
	fewSamples  = 5           // no more is known of a shape: nothing is said of changes
	manySamples = 1000        // what is older counts half
	foreignKept = 3           // for how many records another type is a drift after it was last seen
	unlikely    = 0.01        // a chance below which absence is a change
)

// watch learns the shape of a kind's records and notices when it changes where a mapping reads it. Safe
// for concurrent use.
type watch struct {
	source, kind string
	bound        bound
	bindings     []binding
	now          func() time.Time
	log          *slog.Logger
	shows        func(source, kind string) []string // nil = nobody knows
	strict       bool                               // one record is enough, and nothing is learned of it: the connection is being checked
	next         atomic.Int64                       // when an answer is looked at again, in unix nanoseconds
	left         atomic.Int32                       // how many records of this one still are

	mu      sync.Mutex // guards all below
	shape   shape
	changed bool // since it was saved
}

// binding is a place in the record that mapped fields read.
type binding struct {
	pointer string // as flat gives it
	shown   string // as RFC 6901 has it
	fields  []string
}

// shape is what is known of a kind's records. It is stored as JSON.
type shape struct {
	Sampled  int                   `json:"sampled"`
	Paths    map[string]*pathShape `json:"paths"`
	Accepted time.Time             `json:"accepted,omitzero"` // when somebody took the shape as it was for right
}

// pathShape is what is known of one place. Of a place that drifts only the drift is noted.
type pathShape struct {
	Types typeSet `json:"types"`
	Seen  int     `json:"seen"` // in how many records it had a value

	Is      typeSet   `json:"is,omitempty"`      // of a drift: what is there now
	Since   time.Time `json:"since,omitzero"`    // of a drift
	Missing int       `json:"missing,omitempty"` // records in a row without a value
	Foreign int       `json:"foreign,omitempty"` // > 0: for so many more records another type counts as a drift
}

// newWatch makes the watch of a kind in one source.
func newWatch(source string, k *compiledKind, settings map[string]any, d Deps) *watch {
	w := &watch{source: source, kind: k.name, bound: bound{}, now: d.Now, log: d.Log, shows: d.Shows, strict: d.Checking, shape: shape{Paths: map[string]*pathShape{}}}
	w.bind("recordId", k.recordID, settings)
	for i := range k.fields {
		w.bind(k.fields[i].name, k.fields[i].value, settings)
	}
	for _, s := range d.Shapes {
		if s.Source == source && s.Kind == k.name {
			w.restore(s.Body)
		}
	}
	return w
}

// namedPath is a place that a setting names: path(record.fields, settings.title).
var namedPath = regexp.MustCompile(`\bpath\((record(?:\.\w+)*), settings\.(\w+)(?: \+ '((?:\.\w+)+)')?\)`)

// bind notes what an expression reads.
func (w *watch) bind(field string, e *expression, settings map[string]any) {
	if e == nil {
		return
	}
	paths := e.prog.Paths()
	if e.path != nil {
		paths = [][]string{e.path}
	}
	for _, m := range namedPath.FindAllStringSubmatch(e.prog.String(), -1) {
		if name, ok := settings[m[2]].(string); ok {
			paths = append(paths, strings.Split(m[1]+"."+name+m[3], "."))
		}
	}
	for _, p := range paths {
		if p[0] != "record" || len(p) == 1 {
			continue
		}
		steps := slices.DeleteFunc(slices.Clone(p[1:]), isIndex)
		w.bound.add(steps)
		at := pointer(steps)
		w.read(at, pointer(p[1:]), field)
		w.read(at+"/*", pointer(p[1:])+"/*", field) // where it is a list, what is in it
	}
}

func (w *watch) read(at, shown, field string) {
	i := slices.IndexFunc(w.bindings, func(b binding) bool { return b.pointer == at })
	if i < 0 {
		i = len(w.bindings)
		w.bindings = append(w.bindings, binding{pointer: at, shown: shown})
	}
	if b := &w.bindings[i]; !slices.Contains(b.fields, field) {
		b.fields = append(b.fields, field)
	}
}

func isIndex(step string) bool { return step != "" && strings.Trim(step, "0123456789") == "" }

// due gives the watch when it is time to look at an answer, else nil.
func (w *watch) due() *watch {
	if w == nil {
		return nil
	}
	now, next := w.now().UnixNano(), w.next.Load()
	if now < next || !w.next.CompareAndSwap(next, now+int64(sampleEvery)) {
		return nil
	}
	w.left.Store(sampleRows)
	return w
}

// record looks at one of the first records of an answer, which is valid JSON. Nil looks at none.
func (w *watch) record(text string) {
	if w != nil && len(text) > 0 && text[0] == '{' && w.left.Load() > 0 && w.left.Add(-1) >= 0 {
		w.sample(text)
	}
}

func (w *watch) sample(record string) {
	for _, n := range w.learn(record) {
		w.tell(n)
	}
}

// news is what is told of a binding: that its shape is another now, or as it was again.
type news struct {
	*binding
	was, is typeSet // both 0: as it was
}

// maxShown is how many compositions a line of the log names.
const maxShown = 20

// tell writes news into the log. Nobody waits for it with the shape in their hands.
func (w *watch) tell(n news) {
	about := []any{"source", w.source, "kind", w.kind, "pointer", n.shown}
	if n.was|n.is == 0 {
		w.log.Info("an origin's records have their shape again", about...)
		return
	}
	about = append(about, "was", n.was.String(), "is", n.is.String(), "fields", n.fields)
	if w.shows != nil {
		all := w.shows(w.source, w.kind)
		about = append(about, "compositions", all[:min(maxShown, len(all))])
		if more := len(all) - maxShown; more > 0 {
			about = append(about, "more", more)
		}
	}
	w.log.Warn("an origin changed the shape of its records", about...)
}

// learn looks at a record, and gives what is new of the shape.
func (w *watch) learn(record string) (told []news) {
	seen := seenShape{}
	seen.look(record, w.bound)
	have := make(map[string]typeSet, len(seen))
	for at, t := range seen {
		have[flat(at)] |= t
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	s, known := &w.shape, w.known()
	if s.Sampled >= fewSamples {
		for i := range w.bindings {
			if p := known[w.bindings[i].pointer]; p != nil {
				told = w.judge(told, &w.bindings[i], p, have[w.bindings[i].pointer])
			}
		}
	}
	if w.strict {
		return told
	}
	s.Sampled++
	for at, t := range seen {
		p := s.Paths[at]
		if p == nil {
			if len(s.Paths) >= 2*maxShapePaths {
				continue
			}
			p = &pathShape{}
			s.Paths[strings.Clone(at)] = p
			w.changed = true
		}
		if !p.Since.IsZero() {
			continue // a drift is not learned
		}
		w.changed = w.changed || p.Types|t != p.Types
		if p.Types |= t; t&valueTypes != 0 {
			p.Seen++
		}
	}
	if s.Sampled&(s.Sampled-1) == 0 { // now and then, for what changed little
		w.changed = true
	}
	if s.Sampled >= manySamples {
		s.Sampled /= 2
		for _, p := range s.Paths {
			p.Seen = (p.Seen + 1) / 2
		}
	}
	return told
}

// flat is a place without the steps into lists on the way to it: an expression that goes through a list
// reads the same place whether it names a position or maps over all.
func flat(at string) string {
	if strings.HasSuffix(at, "/*") {
		return strings.ReplaceAll(strings.TrimSuffix(at, "/*"), "/*", "") + "/*"
	}
	return strings.ReplaceAll(at, "/*", "")
}

// known gives the places of the bindings by their pointer; none for one that never had a value. Under mu.
func (w *watch) known() map[string]*pathShape {
	known := make(map[string]*pathShape, len(w.bindings))
	for _, b := range w.bindings {
		known[b.pointer] = nil
	}
	for at, p := range w.shape.Paths {
		at = flat(at)
		if best, bound := known[at]; bound && p.Seen > 0 && (best == nil || p.Seen > best.Seen) {
			known[at] = p
		}
	}
	return known
}

// judge compares what one record has at a binding with what is known, and adds what is new to what is told. Under mu.
func (w *watch) judge(told []news, b *binding, p *pathShape, is typeSet) []news {
	foreign := is & valueTypes &^ p.Types
	switch {
	case foreign != 0:
		p.Foreign, p.Missing = foreignKept, 0
	case is&valueTypes != 0:
		p.Foreign, p.Missing = max(0, p.Foreign-1), 0
	default:
		p.Missing++
	}
	often := float64(p.Seen) / float64(w.shape.Sampled+1)
	gone := p.Missing > 0 && !strings.HasSuffix(b.pointer, "/*") && // a list may be empty
		(w.strict && often > 0.8 || math.Pow(1-often, float64(p.Missing)) < unlikely)
	switch {
	case foreign != 0 || gone:
		if w.changed = true; p.Since.IsZero() {
			p.Since = w.now().UTC()
			told = append(told, news{b, p.Types & valueTypes, is})
		}
		p.Is = is
	case !p.Since.IsZero() && p.Foreign == 0 && is&valueTypes != 0:
		p.Since, p.Is, w.changed = time.Time{}, 0, true
		told = append(told, news{binding: b})
	}
	return told
}

// drifts tells where the shape is another than it was.
func (w *watch) drifts() []tutti.Drift {
	w.mu.Lock()
	defer w.mu.Unlock()
	var all []tutti.Drift
	known := w.known()
	for i := range w.bindings {
		b := &w.bindings[i]
		if p := known[b.pointer]; p != nil && !p.Since.IsZero() {
			all = append(all, tutti.Drift{Source: w.source, Kind: w.kind, Pointer: b.shown, Was: (p.Types & valueTypes).String(), Is: p.Is.String(), Since: p.Since, Fields: b.fields})
		}
	}
	return all
}

// accept takes what drifts for right as it is, and gives how much that was.
func (w *watch) accept() int {
	n := len(w.drifts())
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, p := range w.shape.Paths {
		if p.Since.IsZero() {
			continue
		}
		if p.Is&valueTypes == 0 {
			*p = pathShape{Types: p.Types} // until it has a value again, nothing is expected of it
		} else {
			*p = pathShape{Types: p.Types | p.Is, Seen: p.Seen}
		}
	}
	if n > 0 {
		w.shape.Accepted, w.changed = w.now().UTC(), true
	}
	return n
}

// unsaved gives the shape when it changed since it was given last; nil when it did not.
func (w *watch) unsaved() *tutti.Shape {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.changed {
		return nil
	}
	w.changed = false
	body, err := json.Marshal(&w.shape)
	if err != nil { // it is made of texts, numbers and times
		return nil
	}
	return &tutti.Shape{Source: w.source, Kind: w.kind, Body: body, At: w.now().UTC()}
}

// restore takes over what was stored of what mappings read now. What cannot be read is learned anew.
func (w *watch) restore(body []byte) {
	if s, ok := w.stored(body); ok {
		w.shape = s
	}
}

func (w *watch) stored(body []byte) (s shape, ok bool) {
	if json.Unmarshal(body, &s) != nil || s.Paths == nil {
		return s, false
	}
	maps.DeleteFunc(s.Paths, func(at string, p *pathShape) bool { return p == nil || !w.bound.has(at) })
	return s, true
}

// heard takes over what another process stored, where somebody has accepted a shape there since.
func (w *watch) heard(body []byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if s, ok := w.stored(body); ok && s.Accepted.After(w.shape.Accepted) {
		w.shape, w.changed = s, false
	}
}

// Drifts tells where live answers have another shape than they had, at places that mappings read: in
// the order of the config. A drift goes away when the shape is right again, or is accepted.
func (s *Sources) Drifts() []tutti.Drift {
	var all []tutti.Drift
	s.eachWatch(func(w *watch) { all = append(all, w.drifts()...) })
	return all
}

// AcceptDrifts takes the shape of a kind for right as it is, and gives the number of drifts that end so.
// UnknownSource for a kind that is not configured.
func (s *Sources) AcceptDrifts(source, kind string) (int, error) {
	if _, _, err := s.find(source, kind); err != nil {
		return 0, err
	}
	n := 0
	s.eachWatch(func(w *watch) {
		if w.source == source && w.kind == kind {
			n += w.accept()
		}
	})
	return n, nil
}

// UnsavedShapes gives the shapes that changed since this was called last, to be stored and given back as
// Deps.Shapes.
func (s *Sources) UnsavedShapes() []tutti.Shape {
	var all []tutti.Shape
	s.eachWatch(func(w *watch) {
		if one := w.unsaved(); one != nil {
			all = append(all, *one)
		}
	})
	return all
}

// HeardShapes takes over shapes that others accepted.
func (s *Sources) HeardShapes(all []tutti.Shape) {
	s.eachWatch(func(w *watch) {
		for _, one := range all {
			if one.Source == w.source && one.Kind == w.kind {
				w.heard(one.Body)
			}
		}
	})
}

func (s *Sources) eachWatch(do func(*watch)) {
	for _, src := range s.order {
		conn, ok := src.conn.(*manifestConnector)
		if !ok {
			continue
		}
		for _, name := range src.kindNames() {
			if k := conn.kinds[name]; k != nil && conn.watches[k] != nil {
				do(conn.watches[k])
			}
		}
	}
}
