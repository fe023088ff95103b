package sources

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/tuttihq/tutti"
)

// ChangesSpec asks what changed in a kind, again and again.
type ChangesSpec struct {
	CallSpec `yaml:",inline"`
	By       string     `yaml:"by"`       // What the feed goes by: ${since}, an instant (default); a cursor that is kept; or newest first, read until what is known.
	IDs      string     `yaml:"ids"`      // CEL over record: the id or ids that changed. Default: the kind's recordId.
	Kind     string     `yaml:"kind"`     // The kind, or kind of record under tags, of these ids. Default: this kind.
	At       string     `yaml:"at"`       // CEL over record: when it changed. Needed but for by cursor.
	Deleted  string     `yaml:"deleted"`  // CEL over record: whether it is gone; then no old copy stands in for it.
	Interval string     `yaml:"interval"` // How long from one poll to the next, such as 30s. Default: 60s.
	Overlap  string     `yaml:"overlap"`  // How much earlier than the last change ${since} is, for what is told late. Default: 10s.
	Complete bool       `yaml:"complete"` // It tells of every change and deletion: where the config says nothing, items are fresh for ten minutes.
	Paging   PagingSpec `yaml:"paging"`   // How pages follow one another. maxPages: of one poll, default 20.
}

// changesCall is a compiled ChangesSpec.
type changesCall struct {
	*call
	pager
	spec              *ChangesSpec
	ids, at, deleted  *expression
	interval, overlap time.Duration
	rounds            int // pages of one poll
}

const (
	defaultInterval = time.Minute
	defaultOverlap  = 10 * time.Second
	changesPages    = 20
)

func (c *compiler) changes(at string, k *KindSpec, out *compiledKind) *changesCall {
	s := k.Changes
	f := &changesCall{call: c.call(at, &s.CallSpec, k.Fragment, changeNames), spec: s, ids: out.recordID}
	if f.records == nil {
		c.wrong(at+".records", "is missing", "Write where the records are in the answer, for example:  records: items")
	}
	c.onlyOfOne(at, &s.CallSpec)
	if !slices.Contains([]string{"", "since", "cursor", "newest"}, s.By) {
		c.wrong(at+".by", unknown(s.By), "Write since, cursor or newest.")
	}
	if s.IDs != "" {
		f.ids = c.expression(at+".ids", s.IDs, recordNames)
	}
	f.at, f.deleted = c.optional(at+".at", s.At, recordNames), c.optional(at+".deleted", s.Deleted, recordNames)
	if s.At == "" && s.By != "cursor" {
		c.wrong(at+".at", "is missing", "Write the field that says when a record changed, for example:  at: record.updated_at")
	}
	if s.By == "" || s.By == "since" {
		if c.readable(at) && !f.uses("since") {
			c.wrong(at, "does not use ${since}", "Write it into query or body, or say  by: cursor  or  by: newest")
		}
	}
	if s.By == "cursor" && s.Paging.Type != "cursor" && s.Paging.Type != "header" {
		c.wrong(at+".paging.type", "is none with a cursor that can be kept", "Write cursor or header.")
	}
	if s.Kind != "" && !c.knowsRecord(s.Kind) {
		c.wrong(at+".kind", "is no kind of the manifest, and no record that one is made of", oneOf(s.Kind, c.records()))
	}
	f.interval = c.duration(at+".interval", s.Interval, defaultInterval)
	f.overlap = c.duration(at+".overlap", s.Overlap, defaultOverlap)
	for i, name := range s.Needs {
		_, isSetting := c.m.Settings[name]
		if _, isSecret := c.m.Secrets[name]; !isSetting && !isSecret {
			c.wrong(fmt.Sprintf("%s.needs.%d", at, i), "is no declared setting or secret", "Write one of "+list(append(sortedKeys(c.m.Settings), sortedKeys(c.m.Secrets)...))+".")
		}
	}
	c.paging(at+".paging", &s.Paging, &f.pager)
	if c.readable(at) {
		c.leadsOn(at+".paging", &f.pager, f.call)
	}
	paging := s.Paging
	if f.rounds = changesPages; paging.MaxPages > 0 {
		f.rounds = paging.MaxPages
	}
	paging.MaxPages, f.pager.spec = f.rounds+1, &paging // one more, to see that there is one more
	f.call.next, f.call.end, f.call.leads = f.pager.next, f.pager.end, f.pager.leads
	return f
}

// duration reads a time such as 90s or 5m.
func (c *compiler) duration(at, src string, otherwise time.Duration) time.Duration {
	if src == "" {
		return otherwise
	}
	d, err := time.ParseDuration(src)
	if err != nil || d <= 0 || d > 24*time.Hour {
		c.wrong(at, "is no time, or longer than a day: “"+src+"”", "Write, for example:  "+at[strings.LastIndexByte(at, '.')+1:]+": 90s")
		return otherwise
	}
	return d
}

// Polls tells how a kind is polled; false when this source has no feed of it.
func (c *manifestConnector) Polls(kind string) (f Polling, ok bool) {
	k := c.kinds[kind]
	if k == nil || k.changes == nil {
		return f, false
	}
	for _, name := range k.changes.spec.Needs {
		if c.settings[name] == nil && c.secrets[name] == nil {
			return f, false
		}
	}
	s := k.changes.spec
	f = Polling{Interval: k.changes.interval, Overlap: k.changes.overlap, MaxPages: k.changes.rounds, Newest: s.By == "newest", Cursor: s.By == "cursor", Complete: s.Complete, Of: s.Kind, Told: c.manifest.Notify != ""}
	f.Digest = key(c.at, fmt.Sprintf("%x", c.manifest.digest))
	return f, true
}

// Poll asks for one page of what changed.
func (c *manifestConnector) Poll(ctx context.Context, kind string, from PollFrom) (Changed, error) {
	k := c.kinds[kind]
	f := k.changes
	vars := c.vars(tutti.Scope{})
	if f.spec.By != "cursor" || from.Cursor == "" && from.Page == "" {
		vars["since"] = from.Since
	}
	at, err := f.start(from.Page, f.maxFirst(), vars)
	if err != nil {
		return Changed{}, err
	}
	if from.Page == "" && from.Cursor != "" {
		at.cursor = from.Cursor
		if err := f.lead(from.Cursor, vars); err != nil {
			return Changed{}, err
		}
	}
	if f.pager.leads {
		if at.asked, err = c.address(f.call, at.cursor, vars); err != nil {
			return Changed{}, err
		}
	}
	a, err := c.do(ctx, f.call, vars, "")
	switch {
	case tutti.CodeOf(err) == tutti.NotFound:
		return Changed{}, &Refused{Status: http.StatusNotFound}
	case err != nil:
		return Changed{}, err
	}
	defer a.free()
	return c.readChanges(k, a, at)
}

// readChanges reads a page of what changed. A record whose id cannot be read stands for the whole kind.
func (c *manifestConnector) readChanges(k *compiledKind, a *answer, at position) (Changed, error) {
	f := k.changes
	if err := a.failure(f.records); err != nil {
		return Changed{}, err
	}
	n, err := a.rows()
	if err != nil {
		return Changed{}, err
	}
	page := Changed{Until: a.until}
	of := f.spec.Kind
	if of == "" {
		of = k.name
	}
	for i := range n {
		row := k.see(c, a.body, a.spans(i), "")
		if isNull(row.text) || row.text[0] != '{' {
			continue
		}
		one := ChangedRecord{Change: Change{Kind: of}}
		v, ok, err := row.eval(f.ids)
		if err == nil && !ok {
			continue // it is about nothing of ours
		}
		if err == nil {
			if ids, isTexts := toTexts(v); isTexts {
				for _, id := range ids {
					one.IDs = append(one.IDs, strings.Clone(id))
				}
			}
		}
		if f.at != nil {
			if v, ok, err := row.eval(f.at); ok && err == nil {
				one.At, _ = toTime(v)
			}
		}
		one.Deleted = f.deleted != nil && row.truth(f.deleted)
		page.Records = append(page.Records, one)
	}
	var total *int
	if t, ok := a.count(f.places.total); ok {
		total = &t
	}
	last := func() string { return c.keyOf(k, f.key, a, n) }
	if page.Next, err = f.after(a, at, n, total, last, c.at, c.querySecret()); err != nil {
		return Changed{}, err
	}
	if f.spec.By == "cursor" {
		if page.Cursor = a.header.Get(f.pager.spec.Header); f.pager.spec.Type == "cursor" {
			page.Cursor = a.words(f.places.next)
		}
		if len(page.Cursor) > maxAfter || !printable(page.Cursor) {
			return Changed{}, tutti.Errorf(tutti.BadAnswer, "reading the answer: its cursor cannot be kept")
		}
	}
	return page, nil
}
