package demo

import (
	"crypto/md5" // names, no secrets
	"embed"
	"encoding/hex"
	"math"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/tuttihq/tutti"
)

//go:embed data/*.yaml
var dataFiles embed.FS

// words are a text by language. English is always there.
type words map[string]string

// in gives the words in a language, else in English.
func (w words) in(lang string) string {
	if s, ok := w[lang]; ok {
		return s
	}
	return w["en"]
}

// hotel is a house of the travel world, as data/hotels.yaml writes it.
type hotel struct {
	ID, Name, Town, Zone, Address, Phone, Scene string
	Lat, Lon, Rating                            float64
	En, De, Es                                  string
	Dish, Walk, Calm                            words
}

func (h *hotel) words() words { return some(h.En, h.De, h.Es) }
func (h *hotel) tag() string  { return "hotel" + h.ID }

// place is somewhere to go near a hotel.
type place struct {
	ID, Hotel, Name, Category, Scene string
	North, East                      float64
	En, De, Es                       string
	Said                             map[string][]string
}

func (p *place) words() words { return some(p.En, p.De, p.Es) }

// at is where the place lies, given its hotel.
func (p *place) at(h *hotel) tutti.Place {
	const degree = 111194.93 // metres
	round := func(x float64) float64 { return math.Round(x*1e5) / 1e5 }
	return tutti.Place{Lat: round(h.Lat + p.North/degree), Lon: round(h.Lon + p.East/degree/math.Cos(h.Lat*math.Pi/180))}
}

// article is a text of the help centre.
type article struct {
	Section             string
	Labels              []string
	Title, Body         words
	Image               string // a public id in the DAM
	PromotedOn, Touched int    // days before the start
}

// request is a kind of thing that guests write to the help desk.
type request struct {
	Subject, Text words
	Priority      string
	Tags          []string
}

// offer is something that each hotel sells.
type offer struct {
	Code, Scene string
	Facets      []string
	Offer       bool // stands in the collection of offers
	Price       int  // minor units at the cheapest house
	Variants    []offerVariant
	Name, Text  words
}

type offerVariant struct {
	Code  string
	Name  words
	Extra int
}

// picture is something that the DAM holds.
type picture struct {
	PublicID, Scene string
	Title           words
	Alt             words
	Tags            []string
}

// world is everything that the five systems know, before they put it into their own form.
type world struct {
	now      time.Time
	hotels   []*hotel
	byHotel  map[string]*hotel
	places   []*place
	articles []*article
	requests []*request
	offers   []*offer
	scenes   map[string]words // what a picture of a scene shows; {name} is the subject
	pictures []*picture
}

func loadWorld(now time.Time) (*world, error) {
	w := &world{now: now.UTC().Truncate(time.Second), byHotel: map[string]*hotel{}}
	var general []*picture
	for name, into := range map[string]any{
		"hotels": &w.hotels, "places": &w.places, "articles": &w.articles, "requests": &w.requests, "offers": &w.offers,
		"scenes": &w.scenes, "pictures": &general,
	} {
		b, err := dataFiles.ReadFile("data/" + name + ".yaml")
		if err == nil {
			err = yaml.Unmarshal(b, into)
		}
		if err != nil {
			return nil, tutti.Errorf(tutti.Internal, "reading the travel world's %s: %w", name, err)
		}
	}
	for _, h := range w.hotels {
		w.byHotel[h.ID] = h
	}
	w.pictures = append(w.paint(), general...)
	return w, nil
}

// paint gives a picture for each hotel and each place.
func (w *world) paint() []*picture {
	var out []*picture
	show := func(scene, name string) words {
		alt := words{}
		for lang, s := range w.scenes[scene] {
			alt[lang] = fill(s, "name", name)
		}
		return alt
	}
	for _, h := range w.hotels {
		name := h.Name + ", " + h.Town
		out = append(out, &picture{PublicID: "hotels/" + h.ID, Scene: "hotel-" + h.Scene, Title: words{"en": name}, Alt: show("hotel-"+h.Scene, name), Tags: []string{"hotel", h.tag(), h.Scene}})
	}
	for _, p := range w.places {
		out = append(out, &picture{PublicID: "places/" + p.ID, Scene: p.Scene, Title: words{"en": p.Name}, Alt: show(p.Scene, p.Name), Tags: []string{"place", p.Category, w.byHotel[p.Hotel].tag()}})
	}
	return out
}

// assetID is the DAM's id of a picture: 32 hex digits that stay the same.
func assetID(publicID string) string {
	sum := md5.Sum([]byte(publicID)) // a name, no secret
	return hex.EncodeToString(sum[:])
}

// days gives an instant some days before the start, at an hour that differs by n.
func (w *world) days(ago, n int) time.Time {
	day := w.now.Truncate(24*time.Hour).AddDate(0, 0, -ago)
	return day.Add(-time.Duration(24*60-(n*37)%(13*60)-7*60) * time.Minute)
}

func some(en, de, es string) words {
	w := words{"en": en}
	if de != "" {
		w["de"] = de
	}
	if es != "" {
		w["es"] = es
	}
	return w
}
