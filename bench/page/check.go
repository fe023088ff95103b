package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
)

// request is one page for one person.
type request struct {
	page int
	person
	body []byte
}

// requests gives each person so many of the pages.
func (s shape) requests(all []person, pages, each int) []request {
	var list []request
	for i, p := range all {
		for n := range each {
			page := (i + n*pages/each) % pages
			list = append(list, request{page: page, person: p, body: s.body(page, p.context)})
		}
	}
	return list
}

// answer is what the query asks for, as far as it is looked at.
type answer struct {
	Errors json.RawMessage
	Data   struct {
		Experience struct {
			ID         string
			Problems   []json.RawMessage
			Components []struct {
				ID, Component string
				Variant       *string
				Words         string
				Items         struct {
					Nodes []struct{ ID, Ref, Title, Link, Kind, UpdatedAt, Typename string }
				}
			}
		}
	}
}

// whole checks an answer in every part: the decision, the words, and each item. titles hold those
// of items that were changed, by id.
func (s shape) whole(r request, b []byte, titles map[string]string) error {
	wrong := func(what string, args ...any) error {
		return fmt.Errorf("page %d of %s for segment %d: %s: %.300s", r.page, s.name, r.segment, fmt.Sprintf(what, args...), b)
	}
	var a answer
	if err := json.Unmarshal(bytes.ReplaceAll(b, []byte(`"__typename"`), []byte(`"typename"`)), &a); err != nil {
		return wrong("%v", err)
	}
	x := a.Data.Experience
	if a.Errors != nil || len(x.Problems) > 0 || x.ID == "" || len(x.Components) != s.rows+1 {
		return wrong("it is not whole: errors %s, problems %s", a.Errors, x.Problems)
	}
	ids := map[string]bool{}
	for c, got := range x.Components {
		if want := s.variant(c, r.segment); (got.Variant == nil) != (want == "") || got.Variant != nil && *got.Variant != want {
			return wrong("component %d has the variant %v, not %q", c, got.Variant, want)
		}
		if ids[got.ID] || got.ID == "" {
			return wrong("the id of component %d is not its own", c)
		}
		ids[got.ID] = true
		if c == 0 {
			if !strings.HasPrefix(got.Words, s.greeting(r.person)) {
				return wrong("its words are %q, not %q", got.Words, s.greeting(r.person))
			}
			continue
		}
		kind, first, after := s.row(c - 1)
		if len(got.Items.Nodes) != after-first {
			return wrong("row %d has %d items", c-1, len(got.Items.Nodes))
		}
		for i, n := range got.Items.Nodes {
			id := fmt.Sprintf("%d-%d", r.page, first+i)
			title := "The title of " + id
			if t, ok := titles[id]; ok {
				title = t
			}
			if n.Ref != kind+"s:"+kind+"/"+id || n.Title != title || n.Link != "/"+kind+"/"+id || n.Kind != kind || n.UpdatedAt != "2026-11-01T09:00:00Z" || n.ID == "" ||
				n.Typename != kinds[(c-1)%len(kinds)].delivered {
				return wrong("item %s is %+v", id, n)
			}
		}
	}
	return nil
}

// variant is what the rules decide for a component and a segment, told without them.
func (s shape) variant(component, segment int) string {
	gold, family, frequent := segment&1 != 0, segment&2 != 0, segment&4 != 0
	share := (component+1)*s.rules/(s.rows+1) - component*s.rules/(s.rows+1)
	if share == 0 || ![]bool{gold, family, frequent, gold && family, frequent && !gold}[component%len(deciding)] {
		return ""
	}
	return fmt.Sprintf("v%d", share-1)
}

// greeting is how the words at the top begin.
func (s shape) greeting(p person) string {
	if !s.distances {
		return s.titleWords
	}
	return "Hello " + p.name + ", "
}

// checked asks for everything once and checks it: whole, once for each page, segment and step of
// the distance; byte for byte but for the name, and the ids of what it stands in, for all others. It
// gives one answer for each page, and how many different decisions it saw.
func (m *measure) checked(s shape, all []request) (pages [][]byte, plans int, err error) {
	type kept struct {
		page, segment int
		words         string
	}
	var mu sync.Mutex
	known, ids := map[kept][]byte{}, map[string]string{}
	var next atomic.Int64
	one := func(r request) error {
		b, header, _, err := m.house.ask(r.body)
		if err != nil {
			return err
		}
		plain, id, err := impersonal(r, b)
		if err != nil {
			return err
		}
		_, words, _ := bytes.Cut(plain, []byte(`"words":"`))
		words, _, _ = bytes.Cut(words, []byte(`"`))
		k := kept{r.page, r.segment, string(words)}
		mu.Lock()
		defer mu.Unlock()
		if name, taken := ids[id]; taken && name != r.name {
			return fmt.Errorf("%s and %s get different words under one id %s", name, r.name, id)
		}
		ids[id] = r.name
		before, ok := known[k]
		if !ok {
			known[k] = plain
			m.headers = header
			return s.whole(r, b, nil)
		}
		if !bytes.Equal(before, plain) {
			return fmt.Errorf("two people of the same decisions get different pages %d: %.600s and %.600s", r.page, before, plain)
		}
		return nil
	}
	first := map[int]bool{}
	for _, r := range all { // everything is known after this
		if !first[r.page] {
			first[r.page] = true
			if err := one(r); err != nil {
				return nil, 0, err
			}
		}
	}
	errs := make([]error, 8)
	var group sync.WaitGroup
	for w := range errs {
		group.Go(func() {
			for errs[w] == nil {
				i := int(next.Add(1)) - 1
				if i >= len(all) {
					return
				}
				errs[w] = one(all[i])
			}
		})
	}
	group.Wait()
	for _, err := range errs {
		if err != nil {
			return nil, 0, err
		}
	}
	decisions, byPage := map[kept]bool{}, map[int][]byte{}
	for k, b := range known {
		byPage[k.page] = b
		k.page = 0
		decisions[k] = true
	}
	for _, p := range slices.Sorted(maps.Keys(byPage)) {
		pages = append(pages, byPage[p])
	}
	return pages, len(decisions), nil
}

// impersonal gives an answer without what is one person's own: the name, and the ids of the page and
// of the component at the top, which change with it. The id that it gives is that component's.
func impersonal(r request, b []byte) (plain []byte, id string, err error) {
	if r.name == "" {
		return b, "", nil
	}
	if n := bytes.Count(b, []byte("Hello "+r.name+", ")); n != 1 {
		return nil, "", fmt.Errorf("the name %s stands %d times in its answer: %.600s", r.name, n, b)
	}
	plain = bytes.Replace(b, []byte(r.name), []byte("NAME"), 1)
	for _, before := range []string{`"experience":{"id":"`, `"components":[{"id":"`} {
		head, rest, _ := bytes.Cut(plain, []byte(before))
		own, rest, ok := bytes.Cut(rest, []byte(`"`))
		if !ok {
			return nil, "", fmt.Errorf("there is no id in %.600s", b)
		}
		id, plain = string(own), slices.Concat(head, []byte(before), rest)
	}
	return plain, id, nil
}
