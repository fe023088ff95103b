package demo

import (
	"bytes"
	"image/jpeg"
	"image/png"
	"net/http"
	"strconv"
	"sync"

	"github.com/tuttihq/tutti/demo/art"
)

// gallery draws pictures and keeps the encoded ones in memory, up to a number of bytes.
type gallery struct {
	scenes map[string]string // by public id
	max    int

	mu    sync.Mutex
	kept  map[string][]byte
	order []string
	bytes int
}

const galleryBytes = 48 << 20

func newGallery(w *world) *gallery {
	g := &gallery{scenes: map[string]string{}, max: galleryBytes, kept: map[string][]byte{}}
	for _, p := range w.pictures {
		g.scenes[p.PublicID] = p.Scene
	}
	for _, a := range accounts {
		g.scenes["accounts/"+a.name] = "tiles"
	}
	return g
}

// picture gives a picture cut to a size, encoded as jpg or png. It reports false for a picture
// that does not exist and for a format that cannot be encoded here.
func (g *gallery) picture(name string, width, height int, format string) ([]byte, string, bool) {
	scene, ok := g.scenes[name]
	media := map[string]string{"jpg": "image/jpeg", "jpeg": "image/jpeg", "png": "image/png"}[format]
	if !ok || media == "" {
		return nil, "", false
	}
	key := name + " " + strconv.Itoa(width) + " " + strconv.Itoa(height) + " " + media
	if b, ok := g.get(key); ok {
		return b, media, true
	}
	img := art.Draw(scene, name, width, height)
	var buf bytes.Buffer
	var err error
	if media == "image/png" {
		err = png.Encode(&buf, img)
	} else {
		err = jpeg.Encode(&buf, img, &jpeg.Options{Quality: 86})
	}
	if err != nil {
		return nil, "", false
	}
	g.put(key, buf.Bytes())
	return buf.Bytes(), media, true
}

func (g *gallery) get(key string) ([]byte, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	b, ok := g.kept[key]
	return b, ok
}

// put keeps a picture; the oldest make room for it.
func (g *gallery) put(key string, b []byte) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if _, ok := g.kept[key]; ok {
		return
	}
	g.kept[key], g.order, g.bytes = b, append(g.order, key), g.bytes+len(b)
	for g.bytes > g.max {
		g.bytes -= len(g.kept[g.order[0]])
		delete(g.kept, g.order[0])
		g.order = g.order[1:]
	}
}

// serve answers with a picture, or 404.
func (g *gallery) serve(w http.ResponseWriter, r *http.Request, name string, width, height int, format string) {
	b, media, ok := g.picture(name, width, height, format)
	if !ok {
		http.NotFound(w, r)
		return
	}
	h := w.Header()
	h.Set("Content-Type", media)
	h.Set("Content-Length", strconv.Itoa(len(b)))
	h.Set("Cache-Control", "public, max-age=2592000")
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("ETag", `"`+assetID(name+strconv.Itoa(width)+"x"+strconv.Itoa(height)+media)+`"`)
	if r.Header.Get("If-None-Match") == h.Get("ETag") {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	_, _ = w.Write(b)
}
