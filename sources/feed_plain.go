package sources

import (
	"bytes"
	"encoding/xml"
	"html"
	"slices"
	"strings"

	"golang.org/x/net/html/charset"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/internal/text"
)

// A feed is looked at before it is read: little that is written may stand for much. Its names of namespaces count at each
// of its elements, its xml:base at each of its links, and what is nested is read by functions that call themselves.
const (
	maxFeedDepth    = 1000      // of elements in elements
	maxFeedElements = 100_000   // attributes too, and objects of JSON
	maxFeedScopes   = 4_000_000 // names of namespaces, counted at each element
	maxFeedBases    = 64 << 20  // bytes of xml:base, counted at each link
	shortestLink    = 8         // bytes that one takes in a text
)

var errLinks = tutti.Errorf(tutti.TooLarge, "reading the feed: it has more elements, names of namespaces or links than a feed needs")

var errManyItems = tutti.Errorf(tutti.TooLarge, "reading the feed: it has more than %d items", maxFeedItems)

// plainFeed gives a feed as the parser will read it, when it may be read: BadAnswer for one that declares entities or
// is nested without end, TooLarge for one that stands for much more than is written. What else is wrong with it
// the parser tells.
func plainFeed(b []byte) ([]byte, error) {
	first := bytes.TrimLeft(b, " \t\r\n\xef\xbb\xbf\xfe\xff\x00")
	if len(first) == 0 || first[0] != '<' {
		if bytes.Count(b, []byte("{")) > maxFeedElements {
			return nil, errManyItems
		}
		return b, nil
	}
	if bytes.IndexByte(b[:min(len(b), 8)], 0) >= 0 {
		return nil, tutti.Errorf(tutti.BadAnswer, "reading the feed: it is written in UTF-16 or UTF-32; write it in UTF-8")
	}
	b = withoutControls(b)
	return b, plainXML(b)
}

// withoutControls leaves out the bytes that the parser leaves out: some feeds have them, though XML does not.
func withoutControls(b []byte) []byte {
	bad := func(c byte) bool { return c < ' ' && c != '\t' && c != '\n' && c != '\r' }
	if !slices.ContainsFunc(b, bad) {
		return b
	}
	return slices.DeleteFunc(slices.Clone(b), bad)
}

// feedScope is what counts for an element and all in it.
type feedScope struct {
	names int // of namespaces
	base  int // bytes of xml:base
}

// plainXML goes over the document with the reader that the parser has.
func plainXML(b []byte) error {
	d := xml.NewDecoder(bytes.NewReader(b))
	d.Strict, d.CharsetReader = false, charset.NewReaderLabel
	open := []feedScope{{}}
	elements, items, names, bases, based := 0, 0, 0, 0, false
	for {
		t, err := d.Token()
		if err != nil { // at the end, or the parser tells what is wrong
			if based && intricate(string(b)) {
				return errLinks
			}
			return nil
		}
		in := open[len(open)-1]
		switch t := t.(type) {
		case xml.Directive:
			if bytes.IndexByte(t, '[') >= 0 || !bytes.EqualFold(t[:min(len(t), 7)], []byte("DOCTYPE")) {
				return tutti.Errorf(tutti.BadAnswer, "reading the feed: it declares entities, which feeds do not need")
			}
		case xml.StartElement:
			for _, a := range t.Attr {
				switch {
				case a.Name.Space == "xmlns" || a.Name.Space == "" && a.Name.Local == "xmlns":
					in.names++
				case a.Name.Local == "base":
					in.base, based = in.base+len(a.Value), true
				}
			}
			if name := strings.ToLower(t.Name.Local); name == "item" || name == "entry" {
				items++
			}
			elements, names, bases = elements+1+len(t.Attr), names+in.names, bases+in.base*(1+len(t.Attr))
			open = append(open, in)
		case xml.CharData:
			bases += in.base * (1 + len(t)/shortestLink)
		case xml.EndElement:
			open = open[:max(len(open)-1, 1)]
		}
		switch {
		case len(open) > maxFeedDepth:
			return tutti.Errorf(tutti.BadAnswer, "reading the feed: its elements are nested more than %d deep", maxFeedDepth)
		case items > maxFeedItems:
			return errManyItems
		case elements > maxFeedElements || names > maxFeedScopes || bases > maxFeedBases:
			return errLinks
		}
	}
}

// intricate reports whether a feed holds HTML that is costly to parse, as the parser of feeds does where there is an
// xml:base: in CDATA sections, as elements, or escaped. It looks at the whole, for nobody knows where a part begins.
func intricate(feed string) bool {
	return text.Intricate(feed) || text.Intricate(html.UnescapeString(feed))
}
