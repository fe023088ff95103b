package main

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
)

func TestPicturesAreXMLWithEveryPointInside(t *testing.T) {
	for _, d := range dimensions {
		costs := make([]cost, len(d.values))
		for i := range costs {
			costs[i] = cost{ours: 17.2 * float64(i+1), limit: 3000 / float64(i+1)}
		}
		b := draw("Processor time & more, by "+d.words, d, []panel{{"a", "Tutti", "limit", costs}, {"b", "Tutti", "limit", costs}})
		points := 0
		for decoder := xml.NewDecoder(bytes.NewReader(b)); ; {
			token, err := decoder.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("%s: %v\n%s", d.name, err, b)
			}
			e, ok := token.(xml.StartElement)
			if !ok || e.Name.Local != "circle" {
				continue
			}
			points++
			for _, a := range e.Attr {
				if (a.Name.Local == "cx" || a.Name.Local == "cy") && (strings.HasPrefix(a.Value, "-") || strings.Contains(a.Value, "N") || strings.Contains(a.Value, "I")) {
					t.Errorf("%s: a point at %s=%s", d.name, a.Name.Local, a.Value)
				}
			}
		}
		if points != 4*len(d.values) {
			t.Errorf("%s: %d points", d.name, points)
		}
	}
}

func TestStepsOfAnAxis(t *testing.T) {
	for most, want := range map[float64]float64{0: 1, 3: 1, 17: 5, 40: 10, 99: 20, 360: 100, 2600: 1000} {
		if got := roundStep(most); got != want {
			t.Errorf("up to %v it goes by %v, not %v", most, got, want)
		}
	}
}
