package demo

import (
	"net/http"
	"path"
	"regexp"
	"strconv"
	"strings"
)

// transformation is what one path of Cloudinary's delivery asks for.
type transformation struct {
	width, height int
	crop, format  string
	auto          bool
}

var versionPart = regexp.MustCompile(`^v\d+$`)

// deliver draws a picture: /demo/image/upload/{transformations}/v{version}/{public_id}.{ext}.
// There is no encoder for webp and avif here: f_webp and f_avif answer 400, as an account
// without these formats does; f_auto gives JPEG.
func (d *dam) deliver(w http.ResponseWriter, r *http.Request) {
	parts := strings.Split(r.PathValue("rest"), "/")
	t, n := transformation{}, 0
	for ; n < len(parts)-1; n++ {
		if versionPart.MatchString(parts[n]) {
			n++
			break
		}
		if !t.read(parts[n]) {
			break
		}
	}
	file := strings.Join(parts[n:], "/")
	ext := path.Ext(file)
	name, format := strings.TrimSuffix(file, ext), strings.TrimPrefix(ext, ".")
	if t.format != "" && !t.auto {
		format = t.format
	}
	if t.auto && format != "png" {
		format = "jpg"
	}
	a, ok := d.assets.get(assetID(name))
	if !ok {
		w.Header().Set("X-Cld-Error", "Resource not found - "+name)
		http.Error(w, "", http.StatusNotFound)
		return
	}
	width, height := t.size(2400, 1600)
	if width < 1 || height < 1 || width > 4000 || height > 4000 {
		cldError(w, "Invalid width or height")
		return
	}
	if format != "jpg" && format != "jpeg" && format != "png" {
		cldError(w, "Format "+format+" is not enabled for this account")
		return
	}
	d.pics.serve(w, r, text(a, "public_id"), width, height, format)
}

func cldError(w http.ResponseWriter, message string) {
	w.Header().Set("X-Cld-Error", message)
	http.Error(w, "", http.StatusBadRequest)
}

// read reads one part such as c_fill,g_auto,w_400,h_300 and reports whether it is one.
func (t *transformation) read(part string) bool {
	for p := range strings.SplitSeq(part, ",") {
		name, value, ok := strings.Cut(p, "_")
		if !ok {
			return false
		}
		switch name {
		case "w":
			t.width, _ = strconv.Atoi(value)
		case "h":
			t.height, _ = strconv.Atoi(value)
		case "c":
			t.crop = value
		case "f":
			t.format, t.auto = value, value == "auto"
		case "g", "q", "dpr", "ar", "x", "y", "fl", "e":
		default:
			return false
		}
	}
	return true
}

// size gives the size of the picture that comes: where only one side is asked for, the other
// keeps the shape; fit and limit keep the shape inside the box, limit never enlarges.
func (t *transformation) size(width, height int) (int, int) {
	w, h := t.width, t.height
	switch {
	case w == 0 && h == 0:
		return width, height
	case h == 0:
		h = (w*height + width/2) / width
	case w == 0:
		w = (h*width + height/2) / height
	case t.crop == "fit" || t.crop == "limit":
		if w*height < h*width {
			h = (w*height + width/2) / width
		} else {
			w = (h*width + height/2) / height
		}
	}
	if t.crop == "limit" && w > width {
		return width, height
	}
	return w, h
}
