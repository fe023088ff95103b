package main

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/tuttihq/tutti"
)

// TestAFieldThatTheOriginSendsWronglyIsTold: its item comes all the same, from the origin and from
// memory alike, and what stands in the field is told nowhere.
func TestAFieldThatTheOriginSendsWronglyIsTold(t *testing.T) {
	t.Parallel()
	p := play(t)
	const told = "stay:hotel/azul"
	p.change("stay", "hotel", "azul", map[string]any{"location": "Zzsecret", "text": []any{"Zzsecret"}, "rating": map[string]any{"of": "Zzsecret"}})
	type lack struct {
		Path, Ref, Code, Message, Field string
		Pointer                         *string
	}
	var item struct {
		Resource struct {
			Title    string
			Location *struct{ Lat float64 }
			Problems []lack
		}
	}
	const fields = `{ title ... on Place { location { lat } } problems { path ref code message field pointer } }`
	first := p.ask(p.key(tutti.ManagementKey), "", `{ resource(ref: "`+told+`") `+fields+` }`, nil)
	first.into(t, &item)
	pointer := func(s string) *string { return &s }
	want := []lack{
		{"description", told, "BAD_ANSWER", "The source stay sent a hotel whose description cannot be read.", "description", pointer("/text")},
		{"location", told, "BAD_ANSWER", "The source stay sent a hotel whose location cannot be read.", "location", pointer("/location")},
		{"rating", told, "BAD_ANSWER", "The source stay sent a hotel whose rating cannot be read.", "rating", pointer("/rating")},
	}
	if got, _ := json.Marshal(item.Resource.Problems); item.Resource.Title == "" || item.Resource.Location != nil || string(got) != string(must(json.Marshal(want))) {
		t.Errorf("it is %+v with %s", item, got)
	}
	if again := p.ask(p.key(tutti.ManagementKey), "", `{ resource(ref: "`+told+`") `+fields+` }`, nil); again.Raw != first.Raw {
		t.Errorf("from memory it is\n%s\nfirst it was\n%s", again.Raw, first.Raw)
	}
	query := `{ experience(composition: "hotel-arrival", params: {hotel: "` + told + `"}, channel: "web") { components { component props } problems { path ref code message field } } }`
	for range 2 {
		var page struct {
			Experience struct {
				Components []struct{ Component string }
				Problems   []lack
			}
		}
		p.ask(p.key(tutti.BrowserKey), "", query, nil).into(t, &page)
		want := lack{"slots.top[0].props.text", told, "BAD_ANSWER", "The source stay sent a hotel whose description cannot be read.", "description", nil}
		if !slices.Contains(page.Experience.Problems, want) || page.Experience.Components[0].Component != "welcome" {
			t.Errorf("the page is %+v", page)
		}
	}
	if a := p.ask(p.key(tutti.BrowserKey), "", `{ experience(composition: "hotel", params: {hotel: "`+told+`"}, channel: "web") { problems { pointer } } }`, nil); len(a.Errors) == 0 || a.Errors[0].Extensions.Code != tutti.Forbidden {
		t.Errorf("a browser sees where the origin keeps things: %s", a.Raw)
	}
	log := p.logged("field=location pointer=/location code=BAD_ANSWER times=1")
	if strings.Contains(log, "Zzsecret") || strings.Count(log, "field=location") != 1 {
		t.Errorf("the log tells too much:\n%s", log)
	}
}
