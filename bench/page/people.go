package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
)

// person is one context that asks.
type person struct {
	segment int // 0–7: the rules tell eight apart
	name    string
	context json.RawMessage
}

// people makes n contexts, all different, in eight segments. Those who are somewhere have a place
// and a name of their own besides.
func people(n int, somewhere bool) []person {
	random := rand.New(rand.NewPCG(1, 2)) // the same people in every run
	all := make([]person, n)
	for i := range all {
		p := &all[i]
		p.segment = i % 8
		attributes := map[string]any{
			"tier":   pick(random, p.segment&1 != 0, []string{"gold", "platinum"}, []string{"none", "silver"}),
			"party":  pick(random, p.segment&2 != 0, []string{"family"}, []string{"solo", "couple"}),
			"visits": 2 + random.IntN(8),
			"points": 1000 + i, // so that no two are the same
			"spent":  float64(random.IntN(200000)) / 100,
		}
		if p.segment&4 != 0 {
			attributes["visits"] = 10 + random.IntN(90)
		}
		context := map[string]any{"attributes": attributes, "consent": map[string]bool{"personalization": true}}
		if somewhere {
			p.name = fmt.Sprintf("Ana-%d", i)
			attributes["name"] = p.name
			// Up to 3.9 km north of the centre: four steps of the distance.
			context["location"] = map[string]float64{"lat": 43.26 + 0.035*float64(i)/float64(n), "lon": -2.93}
		}
		p.context, _ = json.Marshal(context)
	}
	random.Shuffle(n, func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all
}

func pick(random *rand.Rand, yes bool, these, those []string) string {
	if yes {
		return these[random.IntN(len(these))]
	}
	return those[random.IntN(len(those))]
}
