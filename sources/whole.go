package sources

import (
	"bytes"
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unsafe"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/cache"
	"github.com/tuttihq/tutti/internal/text"
)

// Some systems know one call: everything that there is. Its answer is kept like any other, under the tags of
// all kinds that are read from it, and so is asked for once, by whoever comes first, in its
// freshness, and with the validator it came with. Batches find their ids in it, selections their records.

// maxWhole is how many ids are looked for at once: any number.
const maxWhole = 1 << 20

// wholeAnswer is everything of the kinds that one call gives.
type wholeAnswer struct {
	conn      *manifestConnector
	locale    string
	body      raw
	rows      []span
	kinds     map[string]*wholeRows
	validator string
	fresh     time.Duration
	same      bool // what is kept with the validator still counts; there is nothing else
}

// wholeRows are the records of one kind in it.
type wholeRows struct {
	kind *compiledKind
	at   map[string]int // the row, by id
	rows []int          // of those that exist, in the order of the answer

	mu    sync.Mutex // guards the two below
	parts []any      // of each row in rows: what selections read of it
	words map[*selectCall][]string
}

// errRolled says of an item that a rolling whole does not hold it: no more is known.
var errRolled = tutti.Errorf(tutti.NotFound, "looking for an item: it is not in what the system gives now, though it may exist")

// whole asks the system for everything of a kind.
func (c *manifestConnector) whole(ctx context.Context, kind, validator string, s tutti.Scope) (w *wholeAnswer, until time.Time, err error) {
	k := c.kinds[kind]
	vars := c.vars(s)
	a, err := c.do(ctx, k.whole.call, vars, validator)
	letGo(vars)
	if err != nil {
		return nil, until, err
	}
	defer a.free()
	w = &wholeAnswer{conn: c, locale: s.Locale, fresh: a.fresh, same: a.same, kinds: map[string]*wholeRows{}}
	if a.same {
		return w, a.until, nil
	}
	w.validator = a.call.validator(a.header)
	if err := a.failure(a.call.records); err != nil {
		return nil, a.until, err
	}
	rows, err := a.rows()
	if err != nil {
		return nil, a.until, err
	}
	if total, known := a.count(a.call.places.total); !k.whole.rolling && (known && total > rows || a.says(a.call.places.more)) {
		return nil, a.until, errCut
	}
	w.body = bytes.Clone(a.body)
	for i := range rows {
		w.rows = append(w.rows, a.spans(i)[k.tree.slot])
	}
	for _, other := range c.kinds {
		if other.whole != nil && other.whole.of == kind {
			w.kinds[other.name] = w.list(other)
		}
	}
	return w, a.until, nil
}

// list finds the records of a kind. Of two with the same id the first counts.
func (w *wholeAnswer) list(k *compiledKind) *wholeRows {
	l := &wholeRows{kind: k, at: make(map[string]int, len(w.rows)), words: map[*selectCall][]string{}}
	one := cuts.Get().(*cut)
	defer cuts.Put(one)
	watch := w.conn.watches[k].due()
	for i := range w.rows {
		row := w.see(k, i, one)
		watch.record(row.text)
		id, ok := row.idAt(k.recordID)
		if _, twice := l.at[id]; !ok || twice || k.exists != nil && !row.truth(k.exists) {
			continue
		}
		l.at[id], l.rows = i, append(l.rows, i)
	}
	return l
}

// see looks at a row as a record of a kind.
func (w *wholeAnswer) see(k *compiledKind, i int, one *cut) seen {
	row := w.body[w.rows[i].from:w.rows[i].to]
	one.walk(row, k.tree) // it is valid: it is part of a valid answer
	return k.see(w.conn, row, one.spans, w.locale)
}

// find replies to asks for items of a kind.
func (w *wholeAnswer) find(kind string, asks []Ask, at lifetime) []Reply {
	l, replies := w.kinds[kind], make([]Reply, len(asks))
	one := cuts.Get().(*cut)
	defer cuts.Put(one)
	for i := range asks {
		n, ok := l.at[asks[i].Ref.ID]
		switch {
		case ok:
			row := w.see(l.kind, n, one)
			replies[i] = row.reply(asks[i : i+1])
			at.mark(&replies[i].Record)
		case l.kind.whole.rolling:
			replies[i].Err = errRolled
		}
	}
	return replies
}

// page answers a selection of a kind.
func (w *wholeAnswer) page(kind string, q tutti.Selection, at lifetime) (Page, error) {
	l := w.kinds[kind]
	way := l.kind.way(q) // there is one: see answers
	start, err := way.start(q.After, q.First, map[string]any{})
	if err != nil {
		return Page{}, err
	}
	rows := l.selected(w, way, q)
	total := len(rows)
	page := Page{Total: &total, Fresh: at.left, Age: at.age}
	one := cuts.Get().(*cut)
	defer cuts.Put(one)
	end := min(start.offset+start.size, total)
	for _, n := range rows[min(start.offset, total):end] {
		row := w.see(l.kind, l.rows[n], one)
		rec, ok, err := row.read(nil)
		if err == nil && ok {
			at.mark(&rec)
			page.Records = append(page.Records, rec)
		}
	}
	if end < total {
		page.Next = strconv.Itoa(end)
	}
	return page, nil
}

// selected gives the positions in rows that a selection fits, in its order.
func (l *wholeRows) selected(w *wholeAnswer, way *selectCall, q tutti.Selection) []int {
	parts, words := l.prepared(w, way, q.Text != "")
	filter := q.Filter
	if filter == nil {
		filter = noFilter
	}
	vars := map[string]any{"settings": w.conn.settings, "source": w.conn.source, "locale": w.locale, "filter": filter}
	wanted := strings.Fields(searchWords(q.Text))
	if q.Text != "" && len(wanted) == 0 {
		return nil // nothing to look for
	}
	var rows []int
	for n := range l.rows {
		vars["record"] = parts[n]
		if way.fits(q.Filter, vars) && (q.Text == "" || holdsAll(words[n], wanted)) {
			rows = append(rows, n)
		}
	}
	if by := way.whole.sorts[q.Sort]; by != nil {
		values := make(map[int]any, len(rows))
		for _, n := range rows {
			vars["record"] = parts[n]
			if v, ok, err := by.eval(vars); ok && err == nil {
				values[n] = v
			}
		}
		down := strings.HasPrefix(q.Sort, "-")
		slices.SortStableFunc(rows, func(a, b int) int { return inOrder(values[a], values[b], down) })
	}
	return rows
}

func (s *selectCall) fits(filter map[string]any, vars map[string]any) bool {
	for _, r := range s.whole.where {
		if _, given := filter[r.filter]; given && !r.truth(vars) {
			return false
		}
	}
	return true
}

// prepared gives what selections read of the records, and the words that a text is looked for in. Both are
// made once.
func (l *wholeRows) prepared(w *wholeAnswer, way *selectCall, search bool) (parts []any, words []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.parts == nil {
		l.parts = make([]any, len(l.rows))
		for n, i := range l.rows {
			row := w.body[w.rows[i].from:w.rows[i].to]
			l.parts[n] = decodePart(unsafe.String(unsafe.SliceData(row), len(row)), l.kind.whole.used)
		}
	}
	if search && l.words[way] == nil {
		all := make([]string, len(l.rows))
		for n := range l.rows {
			var b strings.Builder
			for _, path := range way.whole.search {
				v, _ := walk(l.parts[n], path)
				texts, _ := toTexts(v)
				for _, t := range texts {
					if strings.Contains(t, "<") {
						t = text.FromHTML(t).Plain
					}
					b.WriteString(" " + searchWords(t))
				}
			}
			all[n] = b.String()
		}
		l.words[way] = all
	}
	return l.parts, l.words[way]
}

// holdsAll reports whether each word begins one of a text.
func holdsAll(words string, wanted []string) bool {
	return !slices.ContainsFunc(wanted, func(w string) bool { return !strings.Contains(words, " "+w) })
}

// inOrder compares two values of a sort: numbers by size, others by their text. What has none is last.
func inOrder(a, b any, down bool) int {
	switch {
	case a == nil || b == nil:
		return cmp.Compare(b2i(a == nil), b2i(b == nil))
	case down:
		a, b = b, a
	}
	x, isNumber := a.(string)
	y, _ := b.(string)
	if isNumber {
		return cmp.Or(strings.Compare(strings.ToLower(x), strings.ToLower(y)), strings.Compare(x, y))
	}
	f, ok := toFloat(a)
	g, ok2 := toFloat(b)
	if ok && ok2 {
		return cmp.Compare(f, g)
	}
	x, _ = toText(a)
	y, _ = toText(b)
	return strings.Compare(x, y)
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// bytes estimates the memory of it, with what selections prepare.
func (w *wholeAnswer) bytes() int {
	n := 2*len(w.body) + 16*len(w.rows)
	for _, l := range w.kinds {
		n += 64 * len(l.at)
	}
	return n
}

// lifetime is how old something is, and how long it is still fresh.
type lifetime struct{ age, left time.Duration }

func (l lifetime) mark(r *Record) { r.Age, r.Fresh = l.age, l.left }

// wholeOf gives everything of a kind, from the cache or the origin. It is fresh.
func (s *Source) wholeOf(ctx context.Context, k *kind, scope tutti.Scope) (*wholeAnswer, lifetime, error) {
	of := k.def.Whole
	ck := cache.Key{Key: key("whole", s.name, of, scopeKey(scope))}
	for _, name := range s.kindNames() {
		if s.kinds[name].def.Whole == of {
			ck.Tags = append(ck.Tags, s.kinds[name].kindTag())
		}
	}
	policy := k.policy
	policy.AtLeast, policy.Negative = 1, 0 // it is waited for; an old one is of no use
	r := s.cache.GetMany(ctx, []cache.Key{ck}, policy, func(ctx context.Context, asks []cache.Ask[*entry]) []cache.Loaded[*entry] {
		return []cache.Loaded[*entry]{s.loadWhole(ctx, k, asks[0], scope)}
	})[0]
	switch {
	case r.Err != nil:
		return nil, lifetime{}, r.Err
	case r.Value == nil:
		return nil, lifetime{}, tutti.Errorf(tutti.NotFound, "getting all of %s: the system says that there is nothing", k.kindTag())
	}
	now := s.now()
	return r.Value.page.whole, lifetime{age: max(now.Sub(r.AsOf), 0), left: max(r.Until.Sub(now), time.Millisecond)}, nil
}

// loadWhole makes the call. What leaves a rolling whole stays known by what is kept of its items: so all
// of them are.
func (s *Source) loadWhole(ctx context.Context, k *kind, ask cache.Ask[*entry], scope tutti.Scope) cache.Loaded[*entry] {
	validator, taken := "", s.cache.Epochs(nil)
	if ask.HasOld {
		validator = ask.Validator
	}
	w, err := s.askWhole(ctx, k, validator, scope)
	switch {
	case tutti.CodeOf(err) == tutti.NotFound:
		return cache.Loaded[*entry]{}
	case err != nil:
		return cache.Loaded[*entry]{Err: err}
	case w.same:
		return cache.Loaded[*entry]{Found: true, Unchanged: true, Validator: validator, Fresh: k.fresh(w.fresh)}
	}
	for name, l := range w.kinds {
		if kept := s.kinds[name]; kept != nil && l.kind.whole.rolling {
			s.prime(kept, w, l, taken, scope)
		}
	}
	return cache.Loaded[*entry]{Value: &entry{page: &keptPage{whole: w}, bytes: w.bytes()}, Found: true, Validator: w.validator, Fresh: k.fresh(w.fresh)}
}

// askWhole makes the call, with everything that is around calls.
func (s *Source) askWhole(ctx context.Context, k *kind, validator string, scope tutti.Scope) (w *wholeAnswer, err error) {
	conn := s.conn.(interface {
		whole(ctx context.Context, kind, validator string, s tutti.Scope) (*wholeAnswer, time.Time, error)
	})
	err = s.call(ctx, k.Name, func(ctx context.Context) (until time.Time, err error) {
		w, until, err = conn.whole(ctx, k.def.Whole, validator, scope)
		return until, err
	})
	return w, err
}

// prime keeps all items of a kind.
func (s *Source) prime(k *kind, w *wholeAnswer, l *wholeRows, taken cache.Epochs, scope tutti.Scope) {
	one := cuts.Get().(*cut)
	defer cuts.Put(one)
	for _, i := range l.rows {
		row := w.see(l.kind, i, one)
		if rec, ok, err := row.read(nil); ok && err == nil {
			rec.Fresh = w.fresh
			s.cache.Put(k.itemKey(rec.Resource.Ref, scope), taken, k.loaded(rec), k.policy)
		}
	}
}

// loadFromWhole is load for a kind whose items come all at once.
func (s *Source) loadFromWhole(ctx context.Context, k *kind, asks []Ask, scope tutti.Scope, room []cache.Loaded[*entry]) []cache.Loaded[*entry] {
	w, at, err := s.wholeOf(ctx, k, scope)
	if err != nil {
		for i := range asks {
			room[i] = cache.Loaded[*entry]{Err: err}
		}
		return room
	}
	replies := w.find(k.Name, asks, at)
	for i := range asks {
		room[i] = k.loadedOf(&asks[i], &replies[i], false)
	}
	return room
}

func (s *Source) pageFromWhole(ctx context.Context, k *kind, q tutti.Selection, scope tutti.Scope) (Page, error) {
	if err := s.conn.(interface {
		answers(kind string, q tutti.Selection) error
	}).answers(k.Name, q); err != nil {
		return Page{}, err
	}
	w, at, err := s.wholeOf(ctx, k, scope)
	if err != nil {
		return Page{}, err
	}
	return w.page(k.Name, q, at)
}
