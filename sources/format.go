package sources

import (
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/internal/fetch"
)

// format is what the answers of a call are. Everything after it reads JSON.
type format struct {
	accept string                                                   // what is asked for
	takes  func(contentType string) bool                            // nil = anything
	name   string                                                   // as a person calls it
	json   func(k *call, r *fetch.Response, at string) (raw, error) // makes JSON of an answer from an address; valid, with nothing of the answer's memory in it
}

// formats are those besides JSON, by their names in manifests.
var formats = map[string]*format{
	"xml": {
		accept: "application/xml, text/xml;q=0.9", takes: isXML, name: "XML",
		json: func(k *call, r *fetch.Response, _ string) (raw, error) { return xmlToJSON(r.Body, k.lists) },
	},
	"headers": {
		accept: "*/*",
		json:   func(_ *call, r *fetch.Response, _ string) (raw, error) { return headersToJSON(r.Header), nil },
	},
	"feed": { // what it is stands in its first bytes
		accept: "application/feed+json, application/atom+xml, application/rss+xml, application/xml;q=0.9, */*;q=0.5",
		json:   func(_ *call, r *fetch.Response, at string) (raw, error) { return readFeed(r.Body, at) },
	},
}

func formatNames() []string { return append([]string{"json"}, sortedKeys(formats)...) }

// format compiles what a call says of its answers.
func (c *compiler) format(at string, s *CallSpec, out *call) {
	if s.Format != "" && !slices.Contains(formatNames(), s.Format) {
		c.wrong(at+".format", unknown(s.Format), oneOf(s.Format, formatNames()))
	}
	if out.format = formats[s.Format]; out.format != nil && s.GraphQL != nil {
		c.wrong(at+".format", "stands beside graphql, whose answers are JSON", "Remove it.")
	}
	if out.method == http.MethodHead && s.Format != "headers" {
		c.wrong(at+".method", "gives an answer without a body", "Write  format: headers")
	}
	if s.Format != "xml" {
		if len(s.Lists) > 0 {
			c.wrong(at+".lists", "is only for XML: JSON says itself what a list is", "Remove it, or write  format: xml")
		}
		return
	}
	if s.Records == "." {
		c.wrong(at+".records", "is the whole of an XML answer, which is no list", "Write the path of the repeated element, beginning with the outermost one: ListBucketResult.Contents")
	}
	out.lists = &xmlLists{}
	for i, l := range s.Lists {
		out.lists.add(c.path(at+".lists."+strconv.Itoa(i), l))
	}
	if len(out.records) > 0 {
		out.lists.add(out.records)
	}
}

// convert makes JSON of a good answer that is none.
func (k *call) convert(res *fetch.Response, at string) error {
	f := k.format
	if f.takes != nil && !f.takes(res.Header.Get("Content-Type")) {
		return tutti.Errorf(tutti.BadAnswer, "reading the answer: it is %s and not %s", contentType(res.Header.Get("Content-Type")), f.name)
	}
	body, err := f.json(k, res, at)
	if err != nil {
		return err
	}
	res.Free() // what is read of it was copied
	res.Body = body
	res.Header = res.Header.Clone()
	res.Header.Set("Content-Type", "application/json")
	return nil
}

// headersToJSON makes an object of the headers, with their names in small letters. Values of one name are joined
// with a comma; what is encoded after RFC 2047, as S3 does with metadata, is decoded. Cookies are left out: they are
// about the caller.
func headersToJSON(h http.Header) raw {
	b := raw{'{'}
	for _, name := range sortedKeys(h) {
		if name == "Set-Cookie" {
			continue
		}
		v := strings.Join(h[name], ", ")
		if strings.Contains(v, "=?") {
			if plain, err := new(mime.WordDecoder).DecodeHeader(v); err == nil {
				v = plain
			}
		}
		if len(b) > 1 {
			b = append(b, ',')
		}
		b = append(appendText(b, strings.ToLower(name)), ':')
		b = appendText(b, v)
	}
	return append(b, '}')
}

// appendText writes a text as JSON has it.
func appendText(b raw, s string) raw {
	b = append(b, '"')
	for _, r := range strings.ToValidUTF8(s, "\uFFFD") {
		switch {
		case r == '"' || r == '\\':
			b = append(b, '\\', byte(r))
		case r < ' ':
			b = append(b, '\\', 'u', '0', '0', "0123456789abcdef"[r>>4], "0123456789abcdef"[r&15])
		default:
			b = append(b, string(r)...)
		}
	}
	return append(b, '"')
}
