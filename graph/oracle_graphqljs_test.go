//go:build e2e

package graph

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2/formatter"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/graph/graphtest"
)

// typedComponents have props of every type.
var typedComponents = []tutti.ComponentType{
	{Name: "Hero", Version: 2, Description: "A large picture.", Props: []tutti.PropDefinition{
		{Name: "headline", Type: tutti.PropText, Required: true},
		{Name: "body", Type: tutti.PropRichText},
		{Name: "image", Type: tutti.PropResource, Accepts: []tutti.ResourceType{tutti.AssetType}},
		{Name: "since", Type: tutti.PropDateTime},
		{Name: "target", Type: tutti.PropURL},
		{Name: "wide", Type: tutti.PropBoolean},
	}},
	{Name: "Card", Version: 1, Description: "A small one.", Props: []tutti.PropDefinition{
		{Name: "headline", Type: tutti.PropText},
		{Name: "offers", Type: tutti.PropResources},
		{Name: "price", Type: tutti.PropMoney},
		{Name: "where", Type: tutti.PropPlace},
		{Name: "count", Type: tutti.PropInt},
		{Name: "rating", Type: tutti.PropFloat},
		{Name: "other", Type: tutti.PropJSON},
		{Name: "about", Type: tutti.PropResource},
	}},
	{Name: "Empty", Version: 1},
}

// TestAnswersAsGraphQLJSDoes holds the projector against graphql-js, over the schema as it is
// printed: 10,000 random operations over random data, typed components and all.
func TestAnswersAsGraphQLJSDoes(t *testing.T) {
	const worlds, operations = 50, 200
	cache := os.Getenv("TUTTI_E2E_CACHE")
	if cache == "" {
		t.Fatal("TUTTI_E2E_CACHE is not set: run make e2e")
	}
	o := newOracle(t, typedComponents)
	cmd := exec.CommandContext(t.Context(), "node", "compare.mjs")
	cmd.Dir = filepath.Join(cache, "graphqljs")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	buffered := bufio.NewWriterSize(in, 1<<20)
	lines := json.NewEncoder(buffered)
	send := func(v any) {
		if err := lines.Encode(v); err != nil {
			t.Fatalf("%v\n%s", err, out.String())
		}
	}
	var sdl strings.Builder
	formatter.NewFormatter(&sdl).FormatSchema(o.g.schema)
	send(map[string]any{"schema": sdl.String()})
	first := firstSeed(t)
	for seed := first; seed < first+worlds; seed++ {
		r := rand.New(rand.NewPCG(seed, 2))
		m := worldMaker{r: r, schema: o.g.schema, faults: []int{0, 10, 60}[r.IntN(3)], nullLists: true}
		m.large = m.faults > 0 && r.IntN(2) == 0
		w := m.make()
		send(map[string]any{"world": w})
		for range operations {
			maker := graphtest.Operations{R: r, Schema: o.g.schema, Argument: rootArguments(r), Nulls: true, Roots: []string{
				"experience", "experience", "experience", "experience", "experience", "resource", "resources", "search", "more", "route", "routes",
			}}
			op := maker.Make()
			a, body := o.ask(w, op)
			if _, err := canonical(a.Data, false); err != nil {
				t.Fatalf("TUTTI_SEED=%d: %v in %s\n%s", seed, err, body, op.Query)
			}
			send(map[string]any{"operation": op, "answer": string(body)})
		}
	}
	if err := buffered.Flush(); err != nil {
		t.Fatal(err)
	}
	if err := in.Close(); err != nil {
		t.Fatal(err)
	}
	err = cmd.Wait()
	t.Logf("%s", out.String())
	if want := fmt.Sprintf("%d of %d answers", worlds*operations, worlds*operations); err != nil || !strings.Contains(out.String(), want) {
		t.Errorf("TUTTI_SEED=%d: not as graphql-js answers: %v", first, err)
	}
}
