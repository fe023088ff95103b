package art

import "math"

// light is the colours of one hour of a day.
type light struct {
	high, mid, low, sun, far, near, deep, shallow rgb
}

var lights = []light{
	{hex(0x3f6fb0), hex(0x8fb8de), hex(0xf6e3c5), hex(0xfff2d0), hex(0x86a9c0), hex(0x2f5d50), hex(0x14506e), hex(0x5fb0b7)}, // morning
	{hex(0x2c6fc0), hex(0x6fb1e6), hex(0xd8eefb), hex(0xffffff), hex(0x8db8cf), hex(0x33703f), hex(0x0b5a86), hex(0x49bfc0)}, // noon
	{hex(0x2e3f77), hex(0xd9825f), hex(0xffd9a0), hex(0xfff0c0), hex(0x9a7391), hex(0x2c3d46), hex(0x243a63), hex(0xd58a6b)}, // evening
	{hex(0x3b2f66), hex(0xc25b72), hex(0xffb56b), hex(0xffe3a8), hex(0x8a5a80), hex(0x2a2c48), hex(0x2a2f5c), hex(0xc7667a)}, // dusk
	{hex(0x4a86b8), hex(0xb7d3df), hex(0xfbeedd), hex(0xfffaf0), hex(0xa7bcc2), hex(0x4a6b45), hex(0x27687a), hex(0x8cc4b8)}, // haze
}

// sky gives the colour of the sky, with the sun, its glow and some clouds.
func sky(l light, sx, sy float64, seed int, cover float64) painter {
	return func(x, y, px float64) rgb {
		c := l.high.to(l.mid, smooth(0, 0.42, y)).to(l.low, smooth(0.25, 0.66, y))
		d := math.Hypot(x-sx, y-sy)
		c = c.to(l.sun, 0.75*math.Exp(-d*5.5))
		if y > 0.62 {
			return c.to(l.sun, edge(0.042-d, px*2))
		}
		f := clouds(x*2.2+float64(seed%97), y*6.5, seed, 5)
		f = smooth(1-cover, 1.12-cover*0.55, f) * (1 - smooth(0.42, 0.62, y)) * 0.8
		lit := l.low.to(rgb{1, 1, 1}, 0.45)
		c = c.to(lit, f)
		return c.to(l.sun, edge(0.042-d, px*2))
	}
}

// ridge is the height of a line of hills, as a function of x.
func ridge(seed int, base, amp, freq, rough float64) func(x float64) float64 {
	return func(x float64) float64 {
		h := noise(x*freq, 0.5, seed) + rough*noise(x*freq*2.7, 3.5, seed+1) + rough*0.45*noise(x*freq*7.1, 9.5, seed+2)
		return base - amp*h/(1+rough*1.45)
	}
}

// layered puts lines of hills before a view, the farthest first.
func layered(back painter, l light, lines []func(float64) float64, tint float64, seed int) painter {
	n := float64(len(lines))
	return func(x, y, px float64) rgb {
		first := 0 // the nearest line that covers this point altogether hides all before it
		for i := len(lines) - 1; i > 0; i-- {
			if y > lines[i](x)+px {
				first = i
				break
			}
		}
		var c rgb
		if first == 0 {
			c = back(x, y, px)
		}
		for i := first; i < len(lines); i++ {
			top := lines[i](x)
			if y < top-px {
				continue
			}
			near := math.Pow((float64(i)+0.6)/n, 1.15)
			body := l.far.to(l.near, near*tint)
			shade := 0.86 + 0.28*clouds(x*14+float64(i)*9, (y-top)*30, seed+i, 3)
			body = body.times(shade).to(l.low, 0.38*(1-near)*smooth(0, 0.2, y-top)) // mist in the valleys
			c = c.to(body, edge(y-top, px))
		}
		return c
	}
}

// water fills everything below the horizon.
func water(back painter, l light, horizon, sx float64, seed int) painter {
	return func(x, y, px float64) rgb {
		if y < horizon-px {
			return back(x, y, px)
		}
		depth := math.Max(0.0005, (y-horizon)/(1-horizon))
		c := l.low.to(l.shallow, smooth(0, 0.1, depth)).to(l.deep, smooth(0.05, 0.9, depth))
		z := 1 / (depth + 0.06)
		wave := clouds((x-0.75)*z*2.2+4, z*9, seed, 4)
		c = c.times(0.84 + 0.34*wave)
		path := math.Exp(-math.Pow((x-sx)/(0.05+0.24*depth), 2))
		glint := smooth(0.55, 0.72, clouds((x-sx)*z*5, z*22, seed+5, 3))
		c = c.plus(l.sun, path*(0.16+0.62*glint)*(1-0.55*depth))
		foam := smooth(0.71, 0.78, clouds(x*z*1.4, z*6.5, seed+9, 4)) * smooth(0.12, 0.5, depth)
		c = c.to(rgb{1, 1, 1}, foam*0.3)
		if y > horizon+px {
			return c
		}
		return back(x, y, px).to(c, edge(y-horizon, px))
	}
}

func sea(d *dice) painter {
	l, seed := lights[[]int{0, 1, 1, 4, 2}[d.pick(5)]], d.pick(9999)
	sx, horizon := d.between(0.35, 1.15), d.between(0.42, 0.5)
	v := sky(l, sx, horizon-d.between(0.08, 0.22), seed, d.between(0.35, 0.6))
	v = layered(v, l, []func(float64) float64{ridge(seed+3, horizon+0.02, 0.085, 2.2, 0.4)}, 0.35, seed)
	v = water(v, l, horizon, sx, seed)
	if d.throw() < 0.75 {
		v = sail(v, d.between(0.3, 1.2), horizon+d.between(0.05, 0.12), d.between(0.05, 0.09))
	}
	return v
}

func bay(d *dice) painter {
	l, seed := lights[[]int{0, 1, 4, 2}[d.pick(4)]], d.pick(9999)
	sx, horizon := d.between(0.4, 1.1), d.between(0.5, 0.56)
	v := sky(l, sx, d.between(0.14, 0.28), seed, d.between(0.4, 0.62))
	v = layered(v, l, []func(float64) float64{ridge(seed, 0.5, 0.24, 1.7, 0.5), ridge(seed+11, 0.55, 0.2, 2.4, 0.45), ridge(seed+23, horizon+0.03, 0.14, 3.1, 0.4)}, 0.8, seed)
	v = water(v, l, horizon, sx, seed)
	for range 1 + d.pick(3) {
		v = sail(v, d.between(0.2, 1.3), horizon+d.between(0.04, 0.2), d.between(0.035, 0.08))
	}
	return v
}

func hills(d *dice) painter {
	l, seed := lights[[]int{0, 1, 4, 2}[d.pick(4)]], d.pick(9999)
	v := sky(l, d.between(0.3, 1.2), d.between(0.14, 0.36), seed, d.between(0.35, 0.65))
	var lines []func(float64) float64
	for i := range 6 {
		f := float64(i)
		lines = append(lines, ridge(seed+i*13, 0.5+f*0.105, 0.2-f*0.012, 1.2+f*0.35, 0.3))
	}
	return layered(v, l, lines, 1, seed)
}

func sunset(d *dice) painter {
	l, seed := lights[2+d.pick(2)], d.pick(9999)
	sx := d.between(0.45, 1.05)
	v := sky(l, sx, 0.47, seed, d.between(0.5, 0.7))
	v = layered(v, l, []func(float64) float64{ridge(seed, 0.6, 0.16, 1.4, 0.4), ridge(seed+7, 0.66, 0.14, 2, 0.4)}, 0.5, seed)
	v = water(v, l, 0.63, sx, seed)
	return layered(v, light{low: l.low, far: l.near, near: l.near.times(0.55)}, []func(float64) float64{ridge(seed+31, 0.98, 0.16, 2.3, 0.5)}, 1, seed)
}

func mountains(d *dice) painter {
	l, seed := lights[[]int{0, 1, 4, 3}[d.pick(4)]], d.pick(9999)
	v := sky(l, d.between(0.3, 1.2), d.between(0.12, 0.25), seed, d.between(0.3, 0.5))
	v = peaks(v, l, seed, 0.62, 0.5, 1.5)
	v = peaks(v, l, seed+41, 0.74, 0.4, 2.1)
	dark := light{low: l.low, far: l.near.to(l.far, 0.3), near: l.near.times(0.7)}
	return layered(v, dark, []func(float64) float64{ridge(seed+51, 0.84, 0.16, 2.4, 0.7), ridge(seed+61, 0.95, 0.14, 3.2, 0.8)}, 1, seed)
}

// peaks puts a row of sharp mountains with snow before a view.
func peaks(back painter, l light, seed int, base, amp, freq float64) painter {
	tri := func(x float64, s int) float64 { return 1 - math.Abs(2*noise(x, 0.3, s)-1) }
	line := func(x float64) float64 {
		return base - amp*(0.62*tri(x*freq, seed)+0.26*tri(x*freq*2.3, seed+1)+0.12*noise(x*freq*9, 1, seed+2))
	}
	return func(x, y, px float64) rgb {
		top := line(x)
		if y < top-px {
			return back(x, y, px)
		}
		slope := line(x+0.012) - line(x-0.012)
		lit := 0.62 + 0.38*smooth(-0.03, 0.03, slope)
		rock := l.far.to(l.near, 0.5).times(0.75 + 0.5*clouds(x*22, y*30, seed+3, 3))
		snow := rgb{0.97, 0.98, 1}.to(l.low, 0.22)
		white := smooth(0.1, -0.04, y-(base-amp*0.62)+0.16*(clouds(x*13, y*13, seed+4, 4)-0.5))
		c := rock.to(snow, white).times(lit).to(l.low, 0.5*smooth(0.05, 0.42, y-top))
		if y > top+px {
			return c
		}
		return back(x, y, px).to(c, edge(y-top, px))
	}
}
