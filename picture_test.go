package tutti_test

import (
	"fmt"
	"testing"

	"github.com/tuttihq/tutti"
)

func picture(fields map[string]any, ch *tutti.Channel) *tutti.Delivered {
	r := &tutti.Resource{Type: tutti.AssetType, Fields: tutti.FieldsOf(fields), Assets: &tutti.Renditions{URL: func(w, h int, f string) string { return fmt.Sprintf("p/%d/%d/%s", w, h, f) }}}
	return &tutti.Delivered{Resource: r, Channel: ch}
}

func TestPicturesComeInTheChannelsWidthsAndFormats(t *testing.T) {
	web := &tutti.Channel{Widths: []int{480, 960, 1920}, Formats: []string{"avif", "webp"}}
	big := map[string]any{"width": int64(3000), "height": int64(2000), "original": "original.jpg"}
	for _, c := range []struct {
		name          string
		fields        map[string]any
		ch            *tutti.Channel
		width, height int
		format, want  string
	}{
		{"the widest", big, web, 0, 0, "", "p/1920/0/avif"},
		{"rounded up", big, web, 500, 0, "webp", "p/960/0/webp"},
		{"exactly", big, web, 480, 0, "WEBP", "p/480/0/webp"},
		{"over the widest", big, web, 99999, 0, "", "p/1920/0/avif"},
		{"a format that is not allowed", big, web, 480, 0, "png", "p/480/0/avif"},
		{"the height keeps its shape", big, web, 240, 100, "", "p/480/200/avif"},
		{"a height alone", big, web, 0, 600, "", "p/960/640/avif"},
		{"a height alone of a picture of unknown shape", nil, web, 0, 600, "", "p/1920/600/avif"},
		{"absurd height", big, web, 1, 2000000000, "", "p/480/9600/avif"},
		{"negative", big, web, -5, -5, "", "p/1920/0/avif"},
		{"no widths", big, &tutti.Channel{}, 480, 0, "", "original.jpg"},
		{"no channel", big, nil, 480, 0, "", "original.jpg"},
		{"a film", map[string]any{"mediaType": "video/mp4", "original": "film.mp4"}, web, 480, 0, "", "film.mp4"},
		{"no formats", big, &tutti.Channel{Widths: []int{480}}, 0, 0, "jpeg", "p/480/0/jpeg"},
	} {
		if got := picture(c.fields, c.ch).PictureURL(c.width, c.height, c.format); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
	none := &tutti.Delivered{Resource: &tutti.Resource{Type: tutti.AssetType}, Channel: web}
	if got := none.PictureURL(480, 0, ""); got != "" {
		t.Errorf("without renditions and original: %q", got)
	}
}

func TestSrcset(t *testing.T) {
	web := &tutti.Channel{Widths: []int{480, 960, 1920}, Formats: []string{"avif"}}
	for _, c := range []struct {
		name   string
		width  int64
		ratio  string
		format string
		want   string
	}{
		{"own shape", 3000, "", "", "p/480/0/avif 480w, p/960/0/avif 960w, p/1920/0/avif 1920w"},
		{"a ratio", 3000, "16:9", "", "p/480/270/avif 480w, p/960/540/avif 960w, p/1920/1080/avif 1920w"},
		{"no more than the original fills", 700, "1:1", "", "p/480/480/avif 480w, p/960/960/avif 960w"},
		{"a small original", 100, "", "", "p/480/0/avif 480w"},
		{"no ratio", 3000, "wide", "", ""},
		{"an absurd ratio", 3000, "1:1000", "", ""},
	} {
		if got := picture(map[string]any{"width": c.width, "height": c.width}, web).Srcset(c.ratio, c.format); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

func TestPropsAsJSON(t *testing.T) {
	ch := &tutti.Channel{Widths: []int{480}, RichText: tutti.MarkdownForm}
	asset := picture(map[string]any{"alt": "A <b>", "title": "T", "focal": tutti.Focal{X: 0.5, Y: 1}, "image": tutti.Ref{Source: "dam", Kind: "asset", ID: "x"}}, ch)
	asset.ID, asset.Resource.Ref = "id1", tutti.Ref{Source: "dam", Kind: "asset", ID: "a/b"}
	c := &tutti.Component{Channel: ch, Order: []string{"text", "rich", "list", "absent", "empty"}, Props: map[string]any{
		"text": "a & <b> \"c\"", "rich": tutti.RichText{HTML: "<b>x</b>", Markdown: "**x**"}, "list": &tutti.List{Nodes: []*tutti.Delivered{asset}, Total: new(7), Cursors: next("abc")}, "empty": &tutti.List{},
	}}
	want := `{"text":"a \u0026 \u003cb\u003e \"c\"","rich":"**x**","list":{"items":[{"id":"id1","ref":"dam:asset/a/b","type":"Asset","title":"T","alt":"A \u003cb\u003e","focal":{"x":0.5,"y":1},"url":"p/480/0/","srcset":"p/480/0/ 480w"}],"totalCount":7,"endCursor":"abc"},"empty":{"items":[]}}`
	if got := string(c.PropsJSON()); got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
	if got := string((&tutti.Component{}).PropsJSON()); got != "{}" {
		t.Errorf("%s", got)
	}
}

// next is where a list of one page goes on.
type next string

func (n next) At(int) string { return "" }
func (n next) Next() string  { return string(n) }
