package art

import "math"

var tileColours = [][4]rgb{
	{hex(0xf6f3ea), hex(0x1f4e9c), hex(0x6f9bd8), hex(0xe2a93b)},
	{hex(0xf7efe0), hex(0x126b6b), hex(0x6fbcae), hex(0xd9792f)},
	{hex(0xf4f1ec), hex(0x2a3f7c), hex(0x8fb3e0), hex(0xc9473d)},
	{hex(0xfaf4e3), hex(0x2e6f45), hex(0x95c08a), hex(0xe0b23c)},
}

// tiles is a wall of painted tiles: four petals, a ring, a star, repeated.
func tiles(d *dice) painter {
	cs := tileColours[d.pick(len(tileColours))]
	n, petals, seed := float64(3+d.pick(3)), float64(4*(1+d.pick(2))), d.pick(9999)
	ring, turn := d.between(0.24, 0.33), float64(d.pick(2))*math.Pi/petals
	return func(x, y, px float64) rgb {
		gx, gy := x*n, y*n
		i, j := math.Floor(gx), math.Floor(gy)
		u, v, p := gx-i-0.5, gy-j-0.5, px*n
		r, a := math.Hypot(u, v), math.Atan2(v, u)+turn
		petal := 0.4 * math.Abs(math.Cos(a*petals/2))
		c := cs[0]
		c = c.to(cs[2], edge(petal-r, p)*0.85).to(cs[1], edge(petal*0.72-r, p))
		c = c.to(cs[0], edge(petal*0.46-r, p)).to(cs[3], edge(0.085-r, p)).to(cs[1], edge(0.03-r, p))
		c = c.to(cs[1], edge(0.016-math.Abs(r-ring-0.12), p))
		q := math.Hypot(math.Abs(u)-0.5, math.Abs(v)-0.5) // corners make a pattern with their neighbours
		c = c.to(cs[1], edge(0.2-q, p)).to(cs[0], edge(0.165-q, p)).to(cs[3], edge(0.11-q, p)).to(cs[0], edge(0.06-q, p))
		c = c.to(cs[2], edge(0.012-math.Abs(math.Abs(u)+math.Abs(v)-0.62), p)*0.9)
		glaze := 0.9 + 0.12*clouds(gx*1.7, gy*1.7, seed, 4) + 0.08*(hash2(int(i), int(j), seed)-0.5)
		c = c.times(glaze)
		m := math.Max(math.Abs(u), math.Abs(v))
		c = c.plus(rgb{1, 1, 1}, 0.14*smooth(0.47, 0.485, m)*edge(-u-v, 0.2))
		c = c.to(hex(0xb9ae9c), edge(m-0.49, p))
		return c.plus(hex(0xfff4dd), 0.2*smooth(0.9, 0, math.Hypot(x-0.35, y-0.15))).times(1.02 - 0.2*y)
	}
}

// arch turns a wall of tiles into a stairwell: an arch with daylight behind.
func arch(back painter) painter {
	return func(x, y, px float64) rgb {
		c := back(x, y, px)
		u := x - 0.75
		shape := func(grow float64) float64 {
			if y < 0.5 {
				return edge(0.26+grow-math.Hypot(u, y-0.5), px)
			}
			return edge(0.26+grow-math.Abs(u), px) * edge(0.86-y, px)
		}
		c = c.times(1-0.3*smooth(0.42, 0.26, math.Hypot(u, math.Max(0, 0.5-y)))).to(hex(0xe9dcc4), shape(0.03))
		outside := hex(0x9fd0ea).to(hex(0xfff3d8), smooth(0.25, 0.7, y))
		hill := 0.66 - 0.1*noise(x*5, 0, 3)
		outside = outside.to(hex(0x6d9a6a).to(hex(0x3f6f4c), smooth(0.6, 0.86, y)), edge(y-hill, px))
		c = c.to(outside, shape(0))
		if y > 0.86 {
			step := math.Floor((y - 0.86) / 0.045)
			f := (y-0.86)/0.045 - step
			c = hex(0xd8c7a9).times(0.72+0.3*smooth(0, 0.4, f)).to(hex(0x2a5d9c), 0.8*edge(f-0.55, px/0.045)*edge(math.Sin(x*70)+0.2, 0.2))
		}
		return c
	}
}

var foods = [][]rgb{
	{hex(0xd9573f), hex(0xe98a3c), hex(0x7a9a3d), hex(0xf2d16b)},
	{hex(0xf0b9a0), hex(0xe0765c), hex(0x5d8a4a), hex(0xf6efd8)},
	{hex(0xc98a4b), hex(0x8a4f2d), hex(0x92ad4f), hex(0xf3e2b2)},
	{hex(0x7c3f58), hex(0xc75b6e), hex(0x6c8f4e), hex(0xf5e7df)},
}

type morsel struct {
	x, y, rx, ry, turn float64
	c                  rgb
}

// plate is a dish on a wooden table, seen from above.
func plate(d *dice) painter {
	wood := []rgb{hex(0x8a5a36), hex(0x6b4429), hex(0xb58a5c), hex(0x4d3a30)}[d.pick(4)]
	food, seed := foods[d.pick(len(foods))], d.pick(9999)
	cx, cy := 0.75+d.between(-0.06, 0.06), 0.56+d.between(-0.03, 0.03)
	china := []rgb{hex(0xf7f4ee), hex(0xe8edf0), hex(0xf3e6d3)}[d.pick(3)]
	rim := []rgb{hex(0x2f6f9f), hex(0xb4613f), hex(0x3c7a63)}[d.pick(3)]
	var ms []morsel
	for range 13 + d.pick(8) {
		a, r := d.between(0, 2*math.Pi), math.Sqrt(d.throw())*0.17
		s := d.between(0.03, 0.062)
		ms = append(ms, morsel{cx + r*math.Cos(a), cy + r*math.Sin(a), s * d.between(0.8, 1.4), s * d.between(0.55, 0.85), a, food[d.pick(2)].times(d.between(0.86, 1.1))})
	}
	for range 7 {
		a, r := d.between(0, 2*math.Pi), d.between(0.02, 0.2)
		ms = append(ms, morsel{cx + r*math.Cos(a), cy + r*math.Sin(a), 0.042, 0.014, a * 2.3, food[2]})
	}
	for range 9 {
		a, r := d.between(0, 2*math.Pi), d.between(0, 0.2)
		ms = append(ms, morsel{cx + r*math.Cos(a), cy + r*math.Sin(a), 0.011, 0.011, 0, food[3]})
	}
	return func(x, y, px float64) rgb {
		plank := math.Floor(y / 0.19)
		grain := clouds(x*2.3+plank*31, y*70, seed+int(plank), 4)
		c := wood.times(0.66 + 0.62*grain + 0.14*(hash2(int(plank), 0, seed)-0.5))
		f := y/0.19 - plank
		c = c.times(1 - 0.45*smooth(0.03, 0, math.Min(f, 1-f)))
		r := math.Hypot(x-cx, y-cy)
		c = c.times(1 - 0.5*smooth(0.5, 0.33, math.Hypot(x-cx-0.025, y-cy-0.035)))
		shade := 0.93 + 0.07*math.Cos(math.Atan2(y-cy, x-cx)+2.2)
		c = c.to(china.times(shade), edge(0.37-r, px))
		c = c.to(rim, 0.85*edge(0.008-math.Abs(r-0.345), px)).to(rim, 0.6*edge(0.003-math.Abs(r-0.328), px))
		c = c.to(china.times(0.9+0.08*smooth(0.2, 0.28, r)), edge(0.272-r, px))
		for i, m := range ms {
			dx, dy := x-m.x, y-m.y
			if math.Abs(dx) > 0.1 || math.Abs(dy) > 0.1 {
				continue
			}
			s, k := math.Sincos(m.turn)
			u, v := (dx*k+dy*s)/m.rx, (dy*k-dx*s)/m.ry
			q := math.Hypot(u, v)
			c = c.times(1 - 0.32*smooth(1.45, 0.9, math.Hypot(u-0.2, v-0.3)))
			body := m.c.times(0.78+0.3*clouds(x*60, y*60, seed+i, 2)).plus(rgb{1, 1, 1}, 0.3*smooth(0.55, 0, math.Hypot(u+0.3, v+0.35)))
			c = c.to(body, edge(1-q, px/m.ry))
		}
		return c.plus(hex(0xfff1d6), 0.13*smooth(1, 0.1, math.Hypot(x-0.3, y-0.1)))
	}
}
