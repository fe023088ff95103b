package tutti

import (
	"math"
	"strconv"
	"strings"
)

// PictureURL gives the address of an asset in one of the channel's widths and formats. The width
// is rounded up to the next allowed one; without one (0) it is the widest. The height keeps its
// proportion to the width; 0 keeps the shape of the picture. A format that the channel does not
// allow, or "", is the channel's first. Where the channel names no widths, where the source makes
// no renditions, and for anything that is no picture, it is the address of the original; "" when
// there is none.
func (d *Delivered) PictureURL(width, height int, format string) string {
	if !d.hasRenditions() {
		return d.original()
	}
	width, height = d.askedSize(width, height)
	fitted := d.fitWidth(width)
	return d.Resource.Assets.URL(fitted, fitHeight(width, height, fitted), d.fitFormat(format))
}

// Srcset gives the value of a srcset attribute: a rendition in each width of the channel that the
// original can fill. With a ratio such as 16:9 they are cropped to it, around the focal point
// where the source knows one. "" when the source makes no renditions, the channel has no widths
// or the ratio is none (see ParseRatio).
func (d *Delivered) Srcset(ratio, format string) string {
	if !d.hasRenditions() {
		return ""
	}
	w, h, ok := ParseRatio(ratio)
	if !ok && ratio != "" {
		return ""
	}
	own := d.Resource.Fields.Int("width")
	format = d.fitFormat(format)
	var b strings.Builder
	for i, width := range d.Channel.Widths {
		if i > 0 && own > 0 && int64(d.Channel.Widths[i-1]) >= own {
			break // the original fills no more than the width before
		}
		height := 0
		if ok {
			height = int(math.Round(float64(width) * h / w))
		}
		url := d.Resource.Assets.URL(width, height, format)
		if url == "" {
			continue
		}
		if b.Len() > 0 {
			b.WriteString(", ")
		}
		b.WriteString(strings.ReplaceAll(strings.ReplaceAll(url, " ", "%20"), ",", "%2C"))
		b.WriteString(" " + strconv.Itoa(width) + "w")
	}
	return b.String()
}

// ParseRatio reads a ratio of width to height such as 16:9. Both are over 0 and neither is more
// than 20 times the other.
func ParseRatio(s string) (width, height float64, ok bool) {
	a, b, found := strings.Cut(s, ":")
	w, err := strconv.ParseFloat(a, 64)
	h, err2 := strconv.ParseFloat(b, 64)
	if !found || err != nil || err2 != nil || !(w > 0 && h > 0 && w <= 20*h && h <= 20*w) {
		return 0, 0, false
	}
	return w, h, true
}

func (d *Delivered) hasRenditions() bool {
	r := d.Resource
	if r.Assets == nil || r.Assets.URL == nil || d.Channel == nil || len(d.Channel.Widths) == 0 {
		return false
	}
	media := r.Fields.Text("mediaType")
	return media == "" || strings.HasPrefix(media, "image/") && media != "image/svg+xml"
}

func (d *Delivered) original() string {
	if s := d.Resource.Fields.Text("original"); s != "" {
		return s
	}
	if a := d.Resource.Assets; a != nil && a.URL != nil {
		return a.URL(0, 0, "")
	}
	return ""
}

// askedSize finds the width that a height alone asks for.
func (d *Delivered) askedSize(width, height int) (int, int) {
	width, height = max(width, 0), max(height, 0)
	if width > 0 || height == 0 {
		return width, height
	}
	w := d.Resource.Fields.Int("width")
	h := d.Resource.Fields.Int("height")
	if w <= 0 || h <= 0 || h > 20*w || w > 20*h {
		return 0, height
	}
	return max(int(math.Round(float64(min(height, 1<<16))*float64(w)/float64(h))), 1), height
}

func (d *Delivered) fitWidth(width int) int {
	widths := d.Channel.Widths
	for _, w := range widths {
		if width > 0 && width <= w {
			return w
		}
	}
	return widths[len(widths)-1]
}

// fitHeight keeps the asked shape at the fitted width, within 1:20 and 20:1.
func fitHeight(width, height, fitted int) int {
	if height == 0 {
		return 0
	}
	h := float64(min(height, 1<<16))
	if width > 0 {
		h = h * float64(fitted) / float64(min(width, 1<<16))
	}
	return int(math.Round(min(max(h, float64(fitted)/20, 1), 20*float64(fitted))))
}

func (d *Delivered) fitFormat(format string) string {
	formats := d.Channel.Formats
	if len(formats) == 0 {
		return strings.ToLower(format)
	}
	for _, f := range formats {
		if strings.EqualFold(f, format) {
			return f
		}
	}
	return formats[0]
}
