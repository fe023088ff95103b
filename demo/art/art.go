// Package art draws the pictures of the demo: seas, hills, cities, tiles and plates, each
// different by its name and the same every time. It owns drawing and cutting to a size; encoding
// and keeping pictures is somebody else's.
package art

import (
	"hash/fnv"
	"image"
	"image/color"
	"math"
	"runtime"
	"sync"
)

// Width and Height are the size of every original in pixels.
const (
	Width  = 2400
	Height = 1600
)

// Scenes are what Draw can draw. Each landscape comes as "hotel-…" too, with a house in it.
var Scenes = []string{"sea", "bay", "hills", "sun", "city", "lighthouse", "mountains", "tiles", "plate"}

// painter gives the colour at a point of the picture: x 0..1.5 from the left, y 0..1 from the
// top. px is the size of a pixel, for soft edges.
type painter func(x, y, px float64) rgb

// Draw draws the picture of a name at a size in pixels. A size of another shape than the
// original's 3:2 shows the largest part around the middle. Sizes below 1 count as 1.
func Draw(scene, name string, width, height int) *image.RGBA {
	width, height = max(1, width), max(1, height)
	if most := max(width, height); most > sharpest {
		small := Draw(scene, name, width*sharpest/most, height*sharpest/most)
		return enlarge(small, width, height)
	}
	paint := newPainter(scene, name)
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	scale := math.Min(1.5/float64(width), 1/float64(height))
	left, top := (1.5-scale*float64(width))/2, (1-scale*float64(height))*0.6
	var rows sync.WaitGroup
	workers := runtime.GOMAXPROCS(0)
	for n := range workers {
		rows.Add(1)
		go func() {
			defer rows.Done()
			for py := n; py < height; py += workers {
				for px := range width {
					c := paint(left+(float64(px)+0.5)*scale, top+(float64(py)+0.5)*scale, scale)
					img.SetRGBA(px, py, c.bytes())
				}
			}
		}()
	}
	rows.Wait()
	return img
}

// sharpest is the longest side in pixels that is painted point by point; a larger picture is
// enlarged from it, as if the camera had no more.
const sharpest = 1280

// enlarge makes a picture larger, mixing neighbouring points.
func enlarge(from *image.RGBA, width, height int) *image.RGBA {
	out := image.NewRGBA(image.Rect(0, 0, width, height))
	w, h := from.Bounds().Dx(), from.Bounds().Dy()
	for y := range height {
		fy := math.Max(0, (float64(y)+0.5)*float64(h)/float64(height)-0.5)
		y0 := min(int(fy), h-1)
		y1, ty := min(y0+1, h-1), fy-math.Floor(fy)
		for x := range width {
			fx := math.Max(0, (float64(x)+0.5)*float64(w)/float64(width)-0.5)
			x0 := min(int(fx), w-1)
			x1, tx := min(x0+1, w-1), fx-math.Floor(fx)
			a, b, c, d := from.PixOffset(x0, y0), from.PixOffset(x1, y0), from.PixOffset(x0, y1), from.PixOffset(x1, y1)
			to := out.PixOffset(x, y)
			for i := range 4 {
				top := float64(from.Pix[a+i])*(1-tx) + float64(from.Pix[b+i])*tx
				low := float64(from.Pix[c+i])*(1-tx) + float64(from.Pix[d+i])*tx
				out.Pix[to+i] = uint8(top*(1-ty) + low*ty + 0.5)
			}
		}
	}
	return out
}

func newPainter(scene, name string) painter {
	h := fnv.New64a()
	_, _ = h.Write([]byte(name))
	d := &dice{state: h.Sum64() | 1}
	house := len(scene) > 6 && scene[:6] == "hotel-"
	if house {
		scene = scene[6:]
	}
	p, ok := scenes[scene]
	if !ok {
		p = hills
	}
	view := p(d)
	if house {
		view = withHouse(view, d, scene == "tiles")
	}
	return finish(view)
}

var scenes = map[string]func(*dice) painter{
	"sea": sea, "bay": bay, "hills": hills, "sun": sunset, "city": city, "lighthouse": lighthouse, "mountains": mountains, "tiles": tiles, "plate": plate,
}

// finish adds what every photograph has: darker corners and a little grain.
func finish(p painter) painter {
	return func(x, y, px float64) rgb {
		c := p(x, y, px)
		dx, dy := (x-0.75)/0.75, (y-0.5)/0.5
		c = c.times(1 - 0.16*smooth(0.7, 1.9, dx*dx+dy*dy))
		g := (hash2(int(x*2400), int(y*2400), 77) - 0.5) * 0.018
		return rgb{c.r + g, c.g + g, c.b + g}
	}
}

// rgb is a colour, 0..1 each.
type rgb struct{ r, g, b float64 }

func hex(v uint32) rgb {
	return rgb{float64(v>>16) / 255, float64(v>>8&255) / 255, float64(v&255) / 255}
}

func (c rgb) times(f float64) rgb { return rgb{c.r * f, c.g * f, c.b * f} }

// to mixes: 0 is c, 1 is d.
func (c rgb) to(d rgb, f float64) rgb {
	return rgb{c.r + (d.r-c.r)*f, c.g + (d.g-c.g)*f, c.b + (d.b-c.b)*f}
}

func (c rgb) plus(d rgb, f float64) rgb { return rgb{c.r + d.r*f, c.g + d.g*f, c.b + d.b*f} }

func (c rgb) bytes() color.RGBA {
	b := func(v float64) uint8 { return uint8(math.Max(0, math.Min(1, v))*255 + 0.5) }
	return color.RGBA{R: b(c.r), G: b(c.g), B: b(c.b), A: 255}
}

// dice throws the same numbers for the same name.
type dice struct{ state uint64 }

func (d *dice) throw() float64 {
	d.state ^= d.state << 13
	d.state ^= d.state >> 7
	d.state ^= d.state << 17
	return float64(d.state>>11) / (1 << 53)
}

func (d *dice) between(lo, hi float64) float64 { return lo + (hi-lo)*d.throw() }
func (d *dice) pick(n int) int                 { return int(d.throw() * float64(n)) }

// smooth goes from 0 at lo to 1 at hi.
func smooth(lo, hi, v float64) float64 {
	t := math.Max(0, math.Min(1, (v-lo)/(hi-lo)))
	return t * t * (3 - 2*t)
}

// edge is 1 where v > 0 and 0 where v < 0, soft within a pixel.
func edge(v, px float64) float64 { return math.Max(0, math.Min(1, v/px+0.5)) }

func hash2(x, y, seed int) float64 {
	h := uint32(x)*374761393 + uint32(y)*668265263 + uint32(seed)*2246822519 // mixing bits
	h = (h ^ h>>13) * 1274126177
	return float64((h^h>>16)&0xffffff) / 0xffffff
}

// noise is smooth and lies in 0..1.
func noise(x, y float64, seed int) float64 {
	fx, fy := math.Floor(x), math.Floor(y)
	tx, ty := x-fx, y-fy
	tx, ty = tx*tx*(3-2*tx), ty*ty*(3-2*ty)
	i, j := int(fx), int(fy)
	a, b := hash2(i, j, seed), hash2(i+1, j, seed)
	c, d := hash2(i, j+1, seed), hash2(i+1, j+1, seed)
	return a + (b-a)*tx + (c-a+(a-b-c+d)*tx)*ty
}

// clouds is noise at several sizes, 0..1.
func clouds(x, y float64, seed, octaves int) float64 {
	sum, amp, all := 0.0, 1.0, 0.0
	for n := range octaves {
		sum += noise(x, y, seed+n) * amp
		all += amp
		x, y, amp = x*2.03+17, y*2.03+5, amp/2
	}
	return sum / all
}
