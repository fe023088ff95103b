package sourcetest

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tuttihq/tutti/sources/contract"
)

// Run tries the whole contract on a system. Subtests do not run at the same time: they count calls
// and make the system fail.
func Run(t *testing.T, sys *System) {
	used := map[string]bool{}
	run := func(name string, f func(t *testing.T)) {
		t.Run(name, func(t *testing.T) {
			if why, ok := sys.Skip[name]; ok {
				used[name] = true
				t.Skip(why)
			}
			sys.Heal()
			t.Cleanup(sys.Heal)
			f(t)
		})
	}
	asked := sys.asked(t)
	for _, q := range asked.Questions() {
		run(strings.TrimPrefix(q.Kind+": "+q.Name, ": "), func(t *testing.T) {
			switch r := asked.Ask(t.Context(), q); r.Outcome {
			case contract.Failed:
				t.Errorf("%s\n\t%s", r.Place, strings.Join(r.Why, "\n\t"))
			case contract.Cannot:
				t.Skip(strings.Join(r.Why, "; "))
			}
		})
	}
	run("webhooks", func(t *testing.T) { webhooks(t, sys) })
	run("old webhooks", func(t *testing.T) { oldWebhooks(t, sys) })
	for _, kind := range keys(sys.Kinds) { // last, for it deletes items
		run(kind+": forgotten means gone", func(t *testing.T) { forgotten(t, sys, kind, sys.Kinds[kind]) })
	}
	for name := range sys.Skip {
		if !used[name] {
			t.Errorf("the exception %q is for no test", name)
		}
	}
}

// asked is the system as the contract's questions need it.
func (sys *System) asked(t *testing.T) *contract.System {
	t.Helper()
	s := contract.System{Source: sys.Source, Dir: sys.Dir, Kinds: map[string]contract.Kind{}, Fault: sys.Fault, Heal: sys.Heal, Patience: time.Second, Pages: 200}
	for name, k := range sys.Kinds {
		one := contract.Kind{IDs: k.IDs[:min(4, len(k.IDs))], Missing: k.Missing, Field: k.Field, Owner: k.Owner, Other: k.Other}
		if k.Locale != "" {
			one.Locales = []string{k.Locale}
		}
		s.Kinds[name] = one
	}
	asked, err := contract.New(s)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range asked.Manifest.Definitions() { // a kind that nobody says anything of is not asked
		if _, ok := sys.Kinds[d.Name]; !ok {
			asked.Kinds[d.Name] = contract.Kind{Without: "the test says nothing of it"}
		}
	}
	return asked
}

func keys[V any](m map[string]V) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}
