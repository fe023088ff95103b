package main

import (
	"bytes"
	"fmt"
	"html"
	"math"
)

// panel is one of the pictures that stand side by side: two lines over a dimension's values.
type panel struct {
	title, ours, limit string
	costs              []cost
}

// Sizes of a picture, in pixels.
const (
	panelWidth, panelHeight = 400, 250
	left, right, top, below = 56, 84, 56, 44
)

// draw writes panels as SVG. The vertical axis begins at zero, so that lengths can be compared.
func draw(title string, d dimension, panels []panel) []byte {
	var b bytes.Buffer
	width := panelWidth * len(panels)
	title = html.EscapeString(title)
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" font-family="system-ui, sans-serif" font-size="12">`+"\n", width, panelHeight, width, panelHeight)
	fmt.Fprintf(&b, "<title>%s</title>\n<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n", title)
	fmt.Fprintf(&b, "<text x=\"16\" y=\"22\" font-size=\"14\" font-weight=\"600\" fill=\"#222\">%s (µs)</text>\n", title)
	for i, p := range panels {
		fmt.Fprintf(&b, "<g transform=\"translate(%d 0)\">\n", i*panelWidth)
		p.draw(&b, d)
		b.WriteString("</g>\n")
	}
	b.WriteString("</svg>\n")
	return b.Bytes()
}

func (p panel) draw(b *bytes.Buffer, d dimension) {
	most := 0.0
	for _, c := range p.costs {
		most = max(most, c.ours, c.limit)
	}
	step := roundStep(most)
	most = step * math.Ceil(most/step)
	y := func(v float64) float64 { return panelHeight - below - v/most*(panelHeight-below-top) }
	fmt.Fprintf(b, "<text x=\"%d\" y=\"44\" fill=\"#555\">%s</text>\n", left, p.title)
	for v := 0.0; v <= most+step/2; v += step {
		fmt.Fprintf(b, "<path d=\"M%d %.1fH%d\" stroke=\"#ddd\"/><text x=\"%d\" y=\"%.1f\" text-anchor=\"end\" fill=\"#555\">%s</text>\n", left, y(v), panelWidth-right, left-6, y(v)+4, grouped(int(v)))
	}
	for _, v := range d.values {
		fmt.Fprintf(b, "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\" fill=\"#555\">%s</text>\n", d.x(v), panelHeight-below+18, grouped(v))
	}
	fmt.Fprintf(b, "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\" fill=\"#555\">%s</text>\n", (left+panelWidth-right)/2, panelHeight-8, d.words)
	line := func(name, colour string, of func(cost) float64, apart float64) {
		fmt.Fprintf(b, "<polyline fill=\"none\" stroke=\"%s\" stroke-width=\"2\" points=\"", colour)
		for i, c := range p.costs {
			fmt.Fprintf(b, "%.1f,%.1f ", d.x(d.values[i]), y(of(c)))
		}
		b.WriteString("\"/>\n")
		for i, c := range p.costs {
			fmt.Fprintf(b, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3\" fill=\"%s\"><title>%.0f µs</title></circle>\n", d.x(d.values[i]), y(of(c)), colour, of(c))
		}
		fmt.Fprintf(b, "<text x=\"%d\" y=\"%.1f\" fill=\"%s\">%s</text>\n", panelWidth-right+8, y(of(p.costs[len(p.costs)-1]))+4+apart, colour, name)
	}
	apart := 0.0 // the names of two lines that end in one place stand one above the other
	if last := p.costs[len(p.costs)-1]; math.Abs(y(last.ours)-y(last.limit)) < 14 {
		apart = math.Copysign(7, last.limit-last.ours)
	}
	line(p.ours, "#b3401f", func(c cost) float64 { return c.ours }, apart)
	line(p.limit, "#2b5c8a", func(c cost) float64 { return c.limit }, -apart)
}

// x is where a value stands on the horizontal axis, which begins at zero unless it is wide.
func (d dimension) x(v int) float64 {
	share := float64(v) / float64(d.values[len(d.values)-1])
	if d.wide {
		first, last := math.Log(float64(d.values[0])), math.Log(float64(d.values[len(d.values)-1]))
		share = (math.Log(float64(v)) - first) / (last - first)
	}
	return left + share*(panelWidth-left-right)
}

// roundStep gives 1, 2 or 5 times a power of ten, so that about four steps make the most.
func roundStep(most float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(max(most, 1)/4)))
	for _, n := range []float64{1, 2, 5} {
		if n*power >= most/5 {
			return max(n*power, 1)
		}
	}
	return max(10*power, 1)
}
