package sources

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/tuttihq/tutti"
)

var pagings = []string{"", "cursor", "header", "link", "url", "page", "offset", "continue", "keyset"}

const (
	defaultMaxPages = 10_000
	maxContinue     = 20 // parameters of a continue object
)

// paging checks how the pages of a call follow one another.
func (c *compiler) paging(at string, s *PagingSpec, out *pager) {
	out.spec = s
	if !slices.Contains(pagings, s.Type) {
		c.wrong(at+".type", unknown(s.Type), oneOf(s.Type, pagings[1:]))
		return
	}
	if s.MaxFirst < 0 {
		c.wrong(at+".maxFirst", "is less than 1", "")
	}
	if s.Size < 0 || s.Size > 1000 || s.Size > 0 && s.MaxFirst > 0 {
		c.wrong(at+".size", "is no number of items, or stands beside maxFirst", "Write one of them.")
	}
	if s.MaxPages < 0 {
		c.wrong(at+".maxPages", "is less than 1", "")
	}
	for _, k := range []struct{ key, value, only, says string }{
		{"next", s.Next, "cursor url continue", "Write the path of the next cursor in the answer."},
		{"param", s.Param, "link", "Write the parameter of the next address that holds the cursor."},
		{"header", s.Header, "header", "Write the header that holds the next cursor."},
		{"key", s.Key, "keyset", "Write the field that the list is sorted by, for example:  key: record.id"},
	} {
		belongs := slices.Contains(strings.Fields(k.only), s.Type)
		if belongs == (k.value == "") && (!belongs || k.key != "param") {
			c.wrong(at+"."+k.key, "belongs to paging by "+list(strings.Fields(k.only))+", and only there", k.says)
		}
	}
	if s.Start != "" && !out.byCursor() {
		c.wrong(at+".start", "belongs to paging by cursor, header and keyset, and only there", "Remove it.")
	}
	out.next, out.end = c.path(at+".next", s.Next), c.path(at+".end", s.End)
	out.key = c.optional(at+".key", s.Key, recordNames)
	out.leads = s.Type == "url" || s.Type == "continue" || s.Type == "link" && s.Param == ""
}

// pager is a compiled PagingSpec.
type pager struct {
	spec  *PagingSpec
	next  []string
	end   []string
	key   *expression
	leads bool // the origin says more of the next call than a cursor
}

func (p *pager) byCursor() bool {
	return slices.Contains([]string{"cursor", "header", "keyset"}, p.spec.Type)
}

func (p *pager) maxFirst() int {
	if p.spec.Size > 0 {
		return p.spec.Size
	}
	if p.spec.MaxFirst > 0 {
		return p.spec.MaxFirst
	}
	return 100
}

func (p *pager) maxPages() int {
	if p.spec.MaxPages > 0 {
		return p.spec.MaxPages
	}
	return defaultMaxPages
}

// position is where in the list a page starts.
type position struct {
	offset, size int
	number       int    // of the page, from 0
	cursor       string // what the origin gave with the page before; "" on the first
	asked        string // the address that is asked, where the next one may be relative to it
}

// names in vars of what the origin says of the next call; no expression can have them.
const (
	addressVar  = "\x00address"
	continueVar = "\x00continue"
)

var errNoCursor = &tutti.Error{Code: tutti.InvalidValue, Field: "after", Message: "the cursor is none of this list.", Hint: "Use pageInfo.endCursor of the page before."}

// start puts the place of a page into vars. A cursor of offsets is the offset, one of pages is
// offset x size: a page keeps the size with which the list began. Any other is the number of the
// page and what the origin said of it: so every list ends.
func (p *pager) start(after string, first int, vars map[string]any) (at position, err error) {
	at = position{size: min(first, p.maxFirst())}
	if p.spec.Size > 0 {
		at.size = p.spec.Size
	}
	switch p.spec.Type {
	case "":
		if after != "" {
			return at, errNoCursor
		}
	case "offset", "page":
		if err := at.read(after, p); err != nil {
			return at, err
		}
		vars["offset"], vars["page"] = int64(at.offset), int64(at.offset/at.size+1)
	default:
		if after != "" {
			number, cursor, _ := strings.Cut(after, " ")
			at.cursor = cursor
			if at.number, err = strconv.Atoi(number); err != nil || at.number < 1 || at.number >= p.maxPages() || cursor == "" {
				return at, errNoCursor
			}
		}
		if err := p.lead(at.cursor, vars); err != nil {
			return at, err
		}
	}
	vars["first"] = int64(at.size)
	return at, nil
}

// read reads the cursor of an offset or page.
func (at *position) read(after string, p *pager) error {
	if after == "" {
		return nil
	}
	offset, size, found := strings.Cut(after, "x")
	var err, err2 error
	at.offset, err = strconv.Atoi(offset)
	if found {
		at.size, err2 = strconv.Atoi(size)
	}
	if err != nil || err2 != nil || at.offset < 0 || at.offset > 1<<30 || at.size < 1 || at.size > p.maxFirst() || found != (p.spec.Type == "page") || found && at.offset%at.size != 0 {
		return errNoCursor
	}
	at.number = at.offset / at.size
	return nil
}

// lead puts what the origin said of the next call into vars.
func (p *pager) lead(cursor string, vars map[string]any) error {
	switch {
	case cursor == "":
		if p.spec.Start != "" {
			vars["cursor"] = p.spec.Start
		}
	case p.spec.Type == "continue":
		more := map[string]string{}
		if json.Unmarshal([]byte(cursor), &more) != nil || len(more) > maxContinue {
			return errNoCursor
		}
		vars[continueVar] = more
	case p.leads:
		vars[addressVar] = cursor
	default:
		vars["cursor"] = cursor
	}
	return nil
}

// after gives the cursor of the page after this one, "" at the end. The list ends where the origin
// says so, with an empty page, with a cursor that leads to the same page again, and after maxPages.
// BadAnswer for a next address that leads to another system.
func (p *pager) after(a *answer, at position, got int, total *int, last func() string, base, secret string) (string, error) {
	if got == 0 || at.number+1 >= p.maxPages() || a.says(a.call.places.end) {
		return "", nil
	}
	more := a.call.places.more
	next, err := "", error(nil)
	switch p.spec.Type {
	case "offset", "page":
		return p.further(a, at, got, total), nil
	case "cursor", "header":
		if more == nil || a.says(more) {
			if next = a.header.Get(p.spec.Header); p.spec.Type == "cursor" {
				next = a.words(a.call.places.next)
			}
		}
	case "keyset":
		if more != nil && a.says(more) || more == nil && got >= at.size {
			next = last()
		}
	case "continue":
		next = a.continued(secret)
	case "link":
		target := nextLink(a.header)
		if p.spec.Param != "" {
			next = paramOf(target, p.spec.Param)
			break
		}
		next, err = sameOrigin(base, at.asked, target, secret)
	case "url":
		if more == nil || a.says(more) {
			next, err = sameOrigin(base, at.asked, a.words(a.call.places.next), secret)
		}
	}
	if err != nil || next == "" || next == at.cursor || !printable(next) {
		return "", err
	}
	if next = strconv.Itoa(at.number+1) + " " + next; len(next) > maxAfter {
		return "", tutti.Errorf(tutti.BadAnswer, "reading the answer: its cursor is longer than %d bytes", maxAfter)
	}
	return next, nil
}

// further gives the cursor after a page that is counted.
func (p *pager) further(a *answer, at position, got int, total *int) string {
	end, more := at.offset+min(got, at.size), a.call.places.more
	switch {
	case total != nil && end >= *total, total == nil && more == nil && got < at.size, more != nil && !a.says(more):
		return ""
	case p.spec.Type == "offset":
		return strconv.Itoa(end)
	case end%at.size != 0:
		return "" // a short page in the middle: the system has no more
	}
	return strconv.Itoa(end) + "x" + strconv.Itoa(at.size)
}

// continued gives the object of parameters that the next call gets, in one spelling; "" when there
// is none. The name of a credential is not among them.
func (a *answer) continued(secret string) string {
	v, ok := a.at(a.call.places.next)
	if !ok || v[0] != '{' {
		return ""
	}
	object, _ := decode(string(v)).(map[string]any)
	more := map[string]string{}
	for name, v := range object {
		s, err := writeValue(v)
		if err == nil && name != secret && printable(name) && printable(s) {
			more[name] = s
		}
	}
	if len(more) == 0 || len(more) > maxContinue {
		return ""
	}
	b, _ := json.Marshal(more) // texts always have a JSON form; names are sorted
	return string(b)
}

// sameOrigin gives path and query of the address that an origin names as the next page, which may be
// relative to the one that was asked; "" when it names none. It must be of the same scheme, host and
// port as the source's and below its path, else it is BadAnswer; a user, a fragment and the parameter
// that holds our credential are taken off. Nothing else of what an origin says ever becomes an address.
func sameOrigin(base, asked, target, secret string) (string, error) {
	if target == "" {
		return "", nil
	}
	bad := tutti.Errorf(tutti.BadAnswer, "reading the answer: its next page is at another address than the system's")
	home, err := url.Parse(base)
	from, err2 := url.Parse(asked)
	to, err3 := url.Parse(target)
	if err != nil || err2 != nil || err3 != nil || len(target) > maxAfter || !printable(target) || strings.Contains(target, `\`) {
		return "", bad
	}
	to = from.ResolveReference(to)
	if to.Opaque != "" || to.User != nil || to.Scheme != home.Scheme || !strings.EqualFold(to.Hostname(), home.Hostname()) || port(to) != port(home) {
		return "", bad
	}
	if !below(to.Path, home.Path) || strings.Contains(to.EscapedPath(), "//") {
		return "", bad
	}
	if secret != "" {
		var kept []string
		for pair := range strings.SplitSeq(to.RawQuery, "&") {
			name, _, _ := strings.Cut(pair, "=")
			if plain, err := url.QueryUnescape(name); err != nil || plain != secret {
				kept = append(kept, pair)
			}
		}
		to.RawQuery = strings.Join(kept, "&")
	}
	to.Fragment, to.RawFragment = "", ""
	return to.RequestURI(), nil
}

// below reports whether a decoded path is another or one under it, without a step up in it.
func below(path, home string) bool {
	rest, ok := strings.CutPrefix(path, strings.TrimSuffix(home, "/"))
	return ok && (rest == "" || rest[0] == '/') && !slices.ContainsFunc(strings.Split(rest, "/"), func(step string) bool { return step == ".." || step == "." })
}

func port(u *url.URL) string {
	if p := u.Port(); p != "" {
		return p
	}
	return map[string]string{"http": "80", "https": "443"}[u.Scheme]
}

// origin is scheme, host and port of an address.
func origin(address string) string {
	from := strings.Index(address, "://") + len("://")
	if i := strings.IndexByte(address[from:], '/'); i >= 0 {
		return address[:from+i]
	}
	return address
}

// nextLink gives the address that a Link header calls next; "" when it has none. A link of another
// context (anchor) is not about this page (RFC 8288, sections 3 and 3.3).
func nextLink(h http.Header) string {
	for _, line := range h.Values("Link") {
		for {
			_, after, found := strings.Cut(line, "<")
			target, rest, closed := strings.Cut(after, ">")
			if !found || !closed {
				break
			}
			rel, anchored := "", false
			rel, anchored, line = linkParams(rest)
			if !anchored && slices.ContainsFunc(strings.Fields(rel), func(r string) bool { return strings.EqualFold(r, "next") }) {
				return strings.TrimSpace(target)
			}
		}
	}
	return ""
}

// linkParams reads the parameters of one link: its first rel, and whether it has an anchor. rest is
// what follows the comma after it.
func linkParams(s string) (rel string, anchored bool, rest string) {
	had := false
	for {
		s = strings.TrimLeft(s, " \t")
		if s == "" {
			return rel, anchored, ""
		}
		switch s[0] {
		case ',':
			return rel, anchored, s[1:]
		case ';':
			s = s[1:]
			continue
		}
		end := strings.IndexAny(s, "=;,")
		if end < 0 {
			end = len(s)
		}
		name, value := strings.ToLower(strings.TrimSpace(s[:end])), ""
		if s = s[end:]; s != "" && s[0] == '=' {
			value, s = linkValue(strings.TrimLeft(s[1:], " \t"))
		}
		switch {
		case name == "rel" && !had:
			rel, had = value, true
		case name == "anchor":
			anchored = true
		}
	}
}

// linkValue reads a token or a quoted text.
func linkValue(s string) (value, rest string) {
	if s == "" || s[0] != '"' {
		end := strings.IndexAny(s, ";,")
		if end < 0 {
			end = len(s)
		}
		return strings.TrimSpace(s[:end]), s[end:]
	}
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '"':
			return b.String(), s[i+1:]
		case '\\':
			if i++; i < len(s) {
				b.WriteByte(s[i])
			}
		default:
			b.WriteByte(s[i])
		}
	}
	return b.String(), ""
}

// paramOf gives a parameter of an address, of which nothing else is used.
func paramOf(address, name string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Query().Get(name)
}
