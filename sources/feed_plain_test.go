package sources

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/tuttihq/tutti"
)

// TestLittleFeedStandsForLittle reads feeds of less than two megabytes that stand for gigabytes, or for minutes of
// work, or are nested without end behind signs that two readers may read differently.
func TestLittleFeedStandsForLittle(t *testing.T) {
	base := "https://blog.example/" + strings.Repeat("a/", 2000)
	var names, people, items strings.Builder
	for i := range 20_000 {
		fmt.Fprintf(&names, ` xmlns:n%d="u"`, i)
		fmt.Fprintf(&people, `{"name":"A%d"},`, i)
	}
	for i := range 9_000 {
		fmt.Fprintf(&items, `{"id":"%d"},`, i)
	}
	var langs strings.Builder
	for i := range 400 {
		fmt.Fprintf(&langs, `<b lang="l%d">`, i)
	}
	html := "<p>" + langs.String() + strings.Repeat("<p>x", 8000)
	based := func(content string) string {
		return `<feed xmlns="http://www.w3.org/2005/Atom" xml:base="https://blog.example/"><entry><id>1</id>` + content + `</entry></feed>`
	}
	deep := strings.Repeat(`<x:a>`, 100_000)
	for what, test := range map[string]struct {
		feed string
		want tutti.Code // "" = it is read, as far as it goes
	}{
		"authors of the feed, for each item": {`{"version": "https://jsonfeed.org/version/1.1", "authors": [` + people.String() + `{}], "items": [` + items.String() + `{"id":"x"}]}`, ""},
		"items":                              {`<rss><channel>` + strings.Repeat(`<item/>`, 20_000) + `</channel></rss>`, tutti.TooLarge},
		"items of JSON":                      {`{"version": "https://jsonfeed.org/version/1.1", "items": [` + strings.Repeat(`{"id":"1"},`, 20_000) + `{}]}`, tutti.TooLarge},
		"objects of JSON":                    {`{"version": "https://jsonfeed.org/version/1.1", "items": [` + strings.Repeat(`{},`, 200_000) + `{}]}`, tutti.TooLarge},
		"elements":                           {`<rss><channel>` + strings.Repeat(`<a:b/>`, 200_000) + `</channel></rss>`, tutti.TooLarge},
		"a long base":                        {`<feed xmlns="http://www.w3.org/2005/Atom" xml:base="` + base + `">` + strings.Repeat(`<author><uri>x</uri></author>`, 20_000) + `</feed>`, tutti.TooLarge},
		"a base that grows from element to element":  {`<rss><channel>` + strings.Repeat(`<a xml:base="`+strings.Repeat("a/", 50)+`">`, 900) + strings.Repeat(`<b href="x"/>`, 1000), tutti.TooLarge},
		"a long base of links in a text":             {`<rss xml:base="` + base + `"><channel><item><description><![CDATA[` + strings.Repeat(`<a href=b>`, 50_000) + `]]></description></item></channel></rss>`, tutti.TooLarge},
		"links in elements that nobody closed":       {based(`<content type="html"><![CDATA[` + html + `]]></content>`), tutti.TooLarge},
		"written otherwise":                          {based(`<content type="html">` + strings.ReplaceAll(strings.ReplaceAll(html, "&", "&amp;"), "<", "&lt;") + `</content>`), tutti.TooLarge},
		"in pieces":                                  {based(`<content type="html"><![CDATA[` + html[:3000] + `]]><!-- --><![CDATA[` + html[3000:] + `]]></content>`), tutti.TooLarge},
		"between signs of other items":               {based(`<content type="html"><![CDATA[` + strings.ReplaceAll(html, "x<p>", "x<item><entry><p>") + `]]></content>`), tutti.TooLarge},
		"as XML":                                     {based(`<content type="xhtml"><div>` + strings.ReplaceAll(langs.String(), ">", "/>") + strings.Repeat("<p>x</p>", 8000) + `</div></content>`), tutti.TooLarge},
		"names that count at each element":           {`<rss><channel` + names.String() + `>` + strings.Repeat(`<a/>`, 20_000) + `</channel></rss>`, tutti.TooLarge},
		"deep, behind the sign of an end in a value": {`<rss><channel><item>` + strings.Repeat(`<x:a b="/>">`, 100_000), tutti.BadAnswer},
		"deep, behind the end of a comment":          {`<rss><channel><item><!-- --` + "\x01" + `>` + deep + `-->`, tutti.BadAnswer},
		"deep, behind a control character":           {"\x01" + `<rss><channel><item>` + deep, tutti.BadAnswer},
		"deep, in another encoding":                  {`<?xml version="1.0" encoding="utf-16be"?>` + "<!--" + strings.ReplaceAll(`<rss><channel><item>`+deep[:20_000], "", "\x00")[:40_000] + `-->`, tutti.BadAnswer},
	} {
		t.Run(what, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			out, err := readFeed([]byte(test.feed), "https://blog.example/")
			runtime.ReadMemStats(&after)
			if code := tutti.CodeOf(err); err == nil && test.want != "" || err != nil && code != test.want {
				t.Errorf("it comes to %.200q, %v", out, err)
			}
			if took := (after.TotalAlloc - before.TotalAlloc) >> 20; took > 128 {
				t.Errorf("%d bytes took %d MB", len(test.feed), took)
			}
		})
	}
}

func TestAnItemHasSoManyTagsAndAuthors(t *testing.T) {
	var tags, names strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&tags, `<category>t%d</category>`, i)
		fmt.Fprintf(&names, `<author><name>N%d</name></author>`, i)
	}
	out, err := readFeed([]byte(`<feed xmlns="http://www.w3.org/2005/Atom"><author><name>`+strings.Repeat("x", 1<<10)+`</name></author><entry><id>1</id>`+
		strings.ReplaceAll(strings.ReplaceAll(tags.String(), "<category>", `<category term="`), "</category>", `"/>`)+names.String()+`</entry><entry><id>2</id></entry></feed>`), "https://blog.example/")
	s := string(out)
	if err != nil || strings.Count(s, `"N`) != maxFeedNames || strings.Count(s, `"t`) < maxFeedTags || strings.Contains(s, `"t100"`) || strings.Contains(s, "xxxx") {
		t.Errorf("it comes to %.300s…, %v", s, err)
	}
}
