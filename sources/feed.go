package sources

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/mmcdole/gofeed"
	"github.com/mmcdole/gofeed/atom"
	jsonfeed "github.com/mmcdole/gofeed/json"
	"golang.org/x/net/html"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/internal/text"
)

// What a feed may be. Documents with declarations of their own are refused, so no entity expands.
const (
	maxFeed      = 10 << 20
	maxFeedItems = 10_000
	maxFeedTags  = 100 // of one item; its enclosures too
	maxFeedNames = 10  // authors of one item
	maxFeedName  = 200 // bytes of an author: each item has those of the feed
)

// feed is what manifests read of RSS, Atom and JSON Feed alike. What a feed does not say is not there.
type feed struct {
	Type        string     `json:"type"` // rss, atom or json
	Title       string     `json:"title,omitempty"`
	Description string     `json:"description,omitempty"`
	Link        string     `json:"link,omitempty"`
	Language    string     `json:"language,omitempty"`
	Updated     string     `json:"updated,omitempty"`
	Image       string     `json:"image,omitempty"`
	Items       []feedItem `json:"items"`
}

type feedItem struct {
	ID         string          `json:"id"` // Atom's id, RSS's guid, else the link, else a digest; a digest too where it is longer than a ref may be
	Link       string          `json:"link,omitempty"`
	Title      string          `json:"title,omitempty"`
	HTML       string          `json:"html,omitempty"` // the content, or the description where there is no other
	Text       string          `json:"text,omitempty"` // the content, where it came as plain text
	Summary    string          `json:"summary,omitempty"`
	Published  string          `json:"published,omitempty"` // RFC 3339
	Updated    string          `json:"updated,omitempty"`   // RFC 3339
	Authors    []feedAuthor    `json:"authors,omitempty"`
	Image      string          `json:"image,omitempty"`
	Enclosures []feedEnclosure `json:"enclosures,omitempty"`
	Tags       []string        `json:"tags,omitempty"`
}

type feedAuthor struct {
	Name  string `json:"name,omitempty"`
	Email string `json:"email,omitempty"`
}

type feedEnclosure struct {
	URL    string `json:"url"`
	Type   string `json:"type,omitempty"`
	Length string `json:"length,omitempty"`
}

// readFeed turns a feed into the JSON that manifests read. What it is stands in its first bytes: content
// types of feeds are not to be relied on. Links that are relative lead on from xml:base, else from
// the address of the feed. BadAnswer for what is no feed, TooLarge over 10 MB.
func readFeed(body []byte, at string) ([]byte, error) {
	if len(body) > maxFeed {
		return nil, tutti.Errorf(tutti.TooLarge, "reading the feed: it is larger than 10 MB")
	}
	body, err := plainFeed(body)
	if err != nil {
		return nil, err
	}
	p := gofeed.NewParser()
	p.KeepOriginalFeed = true // it tells which content of Atom is plain text
	f, err := p.Parse(bytes.NewReader(body))
	if err != nil { // its words quote the feed
		return nil, tutti.Errorf(tutti.BadAnswer, "reading the feed: it is none of RSS, Atom and JSON Feed")
	}
	if len(f.Items) > maxFeedItems {
		return nil, errManyItems
	}
	base, err := url.Parse(at)
	if err != nil {
		base = &url.URL{}
	}
	base.RawQuery, base.Fragment, base.User = "", "", nil // may hold credentials
	out := feed{Type: f.FeedType, Title: plainWords(f.Title), Description: f.Description, Link: absolute(base, f.Link), Language: f.Language, Updated: instantText(f.UpdatedParsed, f.Updated), Items: []feedItem{}}
	if f.Image != nil {
		out.Image = absolute(base, f.Image.URL)
	}
	known := map[string]bool{}
	for i, item := range f.Items {
		if len(item.Authors) == 0 {
			item.Authors = f.Authors // as Atom and JSON Feed say
		}
		it := feedItemOf(item, base)
		if isPlain(f.OriginalFeed(), i) {
			it.HTML, it.Text = text.FromPlain(item.Content).HTML, item.Content
		}
		if !known[it.ID] {
			known[it.ID] = true
			out.Items = append(out.Items, it)
		}
	}
	return json.Marshal(out)
}

// isPlain reports whether the content of an item is plain text, which Atom and JSON Feed tell.
func isPlain(original any, i int) bool {
	switch f := original.(type) {
	case *atom.Feed:
		if i >= len(f.Entries) {
			return false
		}
		c := f.Entries[i].Content
		return c != nil && (c.Type == "" || c.Type == "text" || c.Type == "text/plain")
	case *jsonfeed.Feed:
		return i < len(f.Items) && f.Items[i].ContentHTML == "" && f.Items[i].ContentText != ""
	}
	return false
}

func feedItemOf(item *gofeed.Item, base *url.URL) feedItem {
	it := feedItem{
		ID: item.GUID, Link: absolute(base, item.Link), Title: plainWords(item.Title), HTML: absoluteHTML(base, item.Content),
		Published: instantText(item.PublishedParsed, item.Published), Updated: instantText(item.UpdatedParsed, item.Updated),
	}
	if it.HTML == "" {
		it.HTML = absoluteHTML(base, item.Description)
	} else if item.Description != item.Content {
		it.Summary = plainWords(item.Description)
	}
	for _, a := range item.Authors {
		if n := len(it.Authors); a != nil && (a.Name != "" || a.Email != "") && len(a.Name)+len(a.Email) <= maxFeedName && n < maxFeedNames {
			it.Authors = append(it.Authors, feedAuthor{a.Name, a.Email})
		}
	}
	for _, e := range item.Enclosures {
		if e != nil && e.URL != "" && len(it.Enclosures) < maxFeedTags {
			it.Enclosures = append(it.Enclosures, feedEnclosure{absolute(base, e.URL), e.Type, e.Length})
		}
	}
	for _, t := range item.Categories {
		if t = strings.TrimSpace(t); t != "" && len(it.Tags) < maxFeedTags && !slices.Contains(it.Tags, t) {
			it.Tags = append(it.Tags, t)
		}
	}
	if item.Image != nil {
		it.Image = absolute(base, item.Image.URL)
	}
	if it.Image == "" {
		it.Image = firstPicture(it.Enclosures, it.HTML)
	}
	it.ID = feedID(&it)
	return it
}

// firstPicture finds a picture among enclosures, else in HTML; "" when there is none.
func firstPicture(enclosures []feedEnclosure, body string) string {
	for _, e := range enclosures {
		if strings.HasPrefix(e.Type, "image/") {
			return e.URL
		}
	}
	for z := html.NewTokenizer(strings.NewReader(body)); strings.Contains(body, "<img"); {
		switch z.Next() {
		case html.ErrorToken:
			return ""
		case html.StartTagToken, html.SelfClosingTagToken:
			t := z.Token()
			for _, a := range t.Attr {
				if t.Data == "img" && a.Key == "src" && a.Val != "" {
					return a.Val
				}
			}
		}
	}
	return ""
}

// feedID gives the id of an item: what the feed says, else its link, else a digest. So is what cannot stand
// in a ref.
func feedID(it *feedItem) string {
	id := strings.Join(strings.Fields(it.ID), " ")
	if id == "" {
		id = it.Link
	}
	if id == "" {
		id = key(it.Title, it.Published)
	} else if len(id) <= maxID && printable(id) && id != "." && id != ".." {
		return id
	}
	sum := sha256.Sum256([]byte(id))
	return hex.EncodeToString(sum[:16])
}

// moreDates are ways to write a date that the parser of feeds does not know.
var moreDates = []string{"2 Jan 2006 15:04 -0700", "2 Jan 2006 15:04 MST", "Mon, 2 Jan 2006 15:04:05 -07", "2 Jan 2006"}

// instantText writes an instant as RFC 3339; "" when it is none.
func instantText(t *time.Time, written string) string {
	for _, form := range moreDates {
		if t != nil {
			break
		}
		if at, err := time.Parse(form, strings.TrimSpace(written)); err == nil {
			t = &at
		}
	}
	if t == nil || t.UTC().Year() < 1 || t.UTC().Year() > 9999 {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// plainWords gives the words of a title or summary, which may be HTML or not.
func plainWords(s string) string {
	if !strings.ContainsAny(s, "<&") {
		return strings.TrimSpace(s)
	}
	return text.FromHTML(s).Plain
}

// absolute leads a link on from the address of the feed; one that is no address is left as it is, for
// mapping it drops what nobody may follow.
func absolute(base *url.URL, link string) string {
	link = strings.TrimSpace(link)
	u, err := url.Parse(link)
	if link == "" || err != nil || u.IsAbs() {
		return link
	}
	return base.ResolveReference(u).String()
}

// absoluteHTML does that for links and pictures in HTML.
func absoluteHTML(base *url.URL, s string) string {
	if !strings.Contains(s, "<") {
		return s
	}
	var out strings.Builder
	z := html.NewTokenizer(strings.NewReader(s))
	for {
		switch z.Next() {
		case html.ErrorToken:
			return out.String()
		case html.StartTagToken, html.SelfClosingTagToken:
			raw := string(z.Raw())
			t, changed := z.Token(), false
			for i, a := range t.Attr {
				if a.Key == "href" || a.Key == "src" || a.Key == "poster" {
					to := absolute(base, a.Val)
					t.Attr[i].Val, changed = to, changed || to != a.Val
				}
			}
			if changed {
				raw = t.String()
			}
			out.WriteString(raw)
		default:
			out.Write(z.Raw())
		}
	}
}
