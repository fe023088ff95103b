package art

import "math"

// box is 1 inside a rectangle, soft at its edges.
func box(x, y, left, top, right, bottom, px float64) float64 {
	return edge(x-left, px) * edge(right-x, px) * edge(y-top, px) * edge(bottom-y, px)
}

// sail puts a small sailing boat into a view, its waterline at (bx, by).
func sail(back painter, bx, by, size float64) painter {
	return func(x, y, px float64) rgb {
		c := back(x, y, px)
		u, v := (x-bx)/size, (y-by)/size
		if u < -0.7 || u > 0.7 || v < -1.3 || v > 0.7 {
			return c
		}
		p := px / size
		mirror := edge(v, p) * edge(0.6-v, p) * edge(0.28*(1-v/0.6)-math.Abs(u), p)
		c = c.to(rgb{1, 1, 1}, mirror*0.16)
		main := edge(-0.1-v, p) * edge(v+1.2, p) * edge(u-0.02, p) * edge(0.42*(v+1.2)/1.1-u, p)
		fore := edge(-0.12-v, p) * edge(v+1.05, p) * edge(-0.03-u, p) * edge(0.3*(v+1.05)/0.93+u, p)
		c = c.to(hex(0xfffaf0), main).to(hex(0xefe2cf), fore)
		hull := edge(v+0.07, p) * edge(0.06-v, p) * edge(0.46-1.6*math.Max(0, v)-math.Abs(u), p)
		return c.to(hex(0x7a2f2a), hull)
	}
}

// lighthouse stands on a rock in the evening, its beam over the water.
func lighthouse(d *dice) painter {
	l, seed := lights[2+d.pick(2)], d.pick(9999)
	sx, horizon, tx := d.between(0.3, 0.6), 0.6, d.between(0.95, 1.1)
	v := water(sky(l, sx, 0.5, seed, 0.55), l, horizon, sx, seed)
	rock := ridge(seed+7, 0, 0.1, 6, 0.8)
	return func(x, y, px float64) rgb {
		c := v(x, y, px)
		dx, dy := x-tx, y-0.235
		beam := math.Exp(-math.Abs(dy+dx*0.1)/(0.006+0.075*math.Abs(dx))) * math.Exp(-math.Abs(dx)*1.7) * smooth(0, 0.03, math.Abs(dx))
		c = c.plus(hex(0xfff0b8), 0.62*beam)
		half := 0.036 + 0.026*smooth(0.27, 0.7, y)
		tower := edge(y-0.275, px) * edge(0.72-y, px) * edge(half-math.Abs(dx), px)
		stripe := hex(0xf7f1e6)
		if int((y-0.275)/0.085)%2 == 1 {
			stripe = hex(0xb33a32)
		}
		c = c.to(stripe.times(0.62+0.42*smooth(0.06, -0.05, dx)), tower)
		c = c.to(hex(0x26222c), box(x, y, tx-0.05, 0.262, tx+0.05, 0.277, px))
		c = c.to(hex(0xfff4c4), box(x, y, tx-0.026, 0.212, tx+0.026, 0.262, px))
		c = c.to(hex(0x8f2b27), edge(y-0.172, px)*edge(0.213-y, px)*edge((y-0.17)*0.85-math.Abs(dx), px))
		c = c.plus(hex(0xffe9a8), 0.55*math.Exp(-math.Hypot(dx, dy)*16))
		top := 0.73 + rock(x) + 0.5*math.Pow(math.Abs(dx), 1.5)
		if y < top-px {
			return c
		}
		stone := hex(0x2c2733).times(0.7+0.7*clouds(x*18, y*18, seed, 4)).to(l.low, 0.12)
		return c.to(stone, edge(y-top, px))
	}
}

// city is a row of houses at dusk.
func city(d *dice) painter {
	l, seed := lights[2+d.pick(2)], d.pick(9999)
	v := sky(l, d.between(0.3, 1.2), 0.55, seed, 0.5)
	v = houses(v, seed, 0.74, 0.11, 0.3, l.far.to(l.near, 0.45), 0.25)
	v = houses(v, seed+3, 0.86, 0.135, 0.34, l.far.to(l.near, 0.8), 0.5)
	return houses(v, seed+6, 1.02, 0.17, 0.4, l.near.times(0.62), 0.8)
}

// houses puts a row of houses with lit windows before a view.
func houses(back painter, seed int, base, width, height float64, wall rgb, lit float64) painter {
	return func(x, y, px float64) rgb {
		c := back(x, y, px)
		n := math.Floor(x / width)
		i, u := int(n), x/width-n
		tall := base - height*(0.42+0.58*hash2(i, 1, seed))
		peak := 0.0
		if hash2(i, 2, seed) < 0.6 {
			peak = 0.055 * (1 - math.Abs(2*u-1))
		}
		if y < tall-peak-px {
			return c
		}
		shade := 0.86 + 0.28*hash2(i, 3, seed)
		c = c.to(wall.times(shade), edge(y-(tall-peak), px))
		wx, wy := u*4, (y-tall-0.03)/0.062
		if wy < 0 || y > base {
			return c
		}
		a, b := wx-math.Floor(wx), wy-math.Floor(wy)
		in := box(a, b, 0.28, 0.2, 0.72, 0.78, px/0.06)
		on := hash2(i*7+int(wx), int(wy), seed+4)
		if on < lit*0.75 {
			return c.to(hex(0xffd98a).times(0.75+0.4*on), in*0.92)
		}
		return c.to(wall.times(0.55), in*0.7)
	}
}

// withHouse puts a hotel into the foreground of a view.
func withHouse(back painter, d *dice, indoors bool) painter {
	if indoors {
		return arch(back)
	}
	walls := []rgb{hex(0xf7efe2), hex(0xf3dcc0), hex(0xe9e4da), hex(0xf0c9a8), hex(0xe6ecee)}
	shutters := []rgb{hex(0x2f6f9f), hex(0x2e7d6b), hex(0xa5483a), hex(0x4a5d8f), hex(0x7a8a3a)}
	wall, shutter := walls[d.pick(5)], shutters[d.pick(5)]
	roof, seed := hex(0xb4613f).times(d.between(0.8, 1.08)), d.pick(9999)
	mid, floors, cols := d.between(0.6, 0.9), 3+d.pick(2), 5+d.pick(3)
	half, foot := 0.055*float64(cols), 0.9
	top := foot - 0.115*float64(floors)
	lawn := ridge(seed, 0.93, 0.07, 2.1, 0.4)
	return func(x, y, px float64) rgb {
		u, ground := x-mid, lawn(x)
		body := edge(half-math.Abs(u), px) * edge(y-top, px) * edge(foot+0.03-y, px)
		var c rgb
		if body < 1 && y < ground+px { // else nothing of the view is seen
			c = back(x, y, px)
		}
		if y > ground-px {
			grass := hex(0x5d7f45).times(0.62+0.6*clouds(x*30, y*55, seed, 3)).to(hex(0x2d4a33), smooth(0.9, 1, y))
			c = c.to(grass, edge(y-ground, px))
		}
		tree := func(tx, ty, r float64) {
			if math.Hypot(x-tx, (y-ty)*0.85) > r*1.3 {
				return
			}
			dist := math.Hypot(x-tx, (y-ty)*0.85) + 0.06*r*(clouds(x*60, y*60, seed+8, 3)-0.5)*8
			c = c.to(hex(0x2f5a3a).times(0.6+0.75*clouds(x*34, y*34, seed+2, 3)+0.25*(ty-y)/r), edge(r-dist, px*2))
		}
		tree(mid-half-0.09, 0.79, 0.11)
		tree(mid+half+0.1, 0.76, 0.13)
		if body > 0 {
			side := 0.92 + 0.1*smooth(half, -half, u)
			c = c.to(wall.times(side*(0.95+0.07*clouds(x*26, y*26, seed+3, 3))), body)
		}
		eave := edge(top+0.012-y, px) * edge(y-(top-0.085), px) * edge(half+0.03-0.55*math.Max(0, top-y)-math.Abs(u), px)
		c = c.to(roof.times(0.84+0.22*edge(math.Sin(x*420), 0.6)), eave)
		cell := 2 * half / float64(cols)
		col, row := (u+half)/cell, (y-top-0.015)/0.115
		if body > 0 && row > 0 && row < float64(floors) && col > 0 && col < float64(cols) {
			a, b := col-math.Floor(col), row-math.Floor(row)
			i, j := int(col), int(row)
			p := px / cell
			if j == floors-1 && i == cols/2 { // the door
				c = c.to(shutter.times(0.8), box(a, b, 0.26, 0.2, 0.74, 1.2, p)).to(hex(0xffe2a0), box(a, b, 0.34, 0.26, 0.66, 0.42, p))
				return c
			}
			glass := hex(0x6f8fa5).to(hex(0xffdf9b), smooth(0.45, 0.62, hash2(i, j, seed)))
			c = c.to(rgb{1, 1, 1}, box(a, b, 0.3, 0.2, 0.7, 0.82, p)).to(glass, box(a, b, 0.335, 0.235, 0.665, 0.785, p))
			c = c.to(rgb{1, 1, 1}, box(a, b, 0.485, 0.235, 0.515, 0.785, p))
			slat := 0.82 + 0.2*edge(math.Sin(b*60), 0.8)
			c = c.to(shutter.times(slat), math.Max(box(a, b, 0.12, 0.2, 0.29, 0.82, p), box(a, b, 0.71, 0.2, 0.88, 0.82, p)))
			c = c.to(hex(0xc0503f).times(0.7+0.6*hash2(int(x*500), int(y*500), 5)), box(a, b, 0.28, 0.8, 0.72, 0.88, p))
		}
		return c
	}
}
