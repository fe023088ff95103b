package demo

import (
	"bytes"
	"encoding/json"
	"image"
	_ "image/jpeg"
	_ "image/png"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tuttihq/tutti"
)

func testWorld(t *testing.T) *world {
	t.Helper()
	w, err := loadWorld(time.Date(2026, 11, 21, 18, 0, 0, 0, time.UTC))
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// total asks a system how many records of a kind it has.
func total(t *testing.T, o *Origins, name, method, path, body string, at ...string) int {
	t.Helper()
	_, _, b := call(t, o, name, method, path, body)
	var v any = object(t, b)
	for _, step := range at {
		v = v.(map[string]any)[step]
	}
	n, ok := v.(float64)
	if !ok {
		t.Fatalf("%s says no number at %v: %.200s", name, at, b)
	}
	return int(n)
}

func TestThereIsEnoughOfEverything(t *testing.T) {
	o := start(t)
	posts, max := 0, ""
	for {
		_, _, b := call(t, o, "social", "GET", "/api/v1/timelines/public?limit=40&max_id="+max, "")
		var page []map[string]any
		if err := json.Unmarshal(b, &page); err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			break
		}
		posts, max = posts+len(page), page[len(page)-1]["id"].(string)
	}
	for what, n := range map[string][2]int{
		"assets":   {total(t, o, "dam", "POST", "/v1_1/demo/resources/search", `{}`, "total_count"), 60},
		"products": {total(t, o, "catalog", "POST", "/shop-api", `{"query":"{products{totalItems}}"}`, "data", "products", "totalItems"), 120},
		"posts":    {posts, 200},
		"tickets":  {total(t, o, "support", "GET", "/api/v2/tickets", "", "count"), 40},
		"articles": {total(t, o, "support", "GET", "/api/v2/help_center/de/articles", "", "count"), 30},
		"hotels":   {total(t, o, "stay", "GET", "/v1/hotels", "", "total"), 20},
	} {
		if n[0] < n[1] {
			t.Errorf("%d %s, not %d", n[0], what, n[1])
		}
	}
}

func TestEverythingIsThereInEnglishAndGerman(t *testing.T) {
	w := testWorld(t)
	both := func(what string, texts words) {
		for _, lang := range []string{"en", "de"} {
			if texts[lang] == "" {
				t.Errorf("%s has no words in %s", what, lang)
			}
		}
		if texts["en"] == texts["de"] {
			t.Errorf("%s says the same in both languages: %s", what, texts["en"])
		}
	}
	for _, h := range w.hotels {
		both(h.ID, h.words())
		both(h.ID+" dish", h.Dish)
		both(h.ID+" walk", h.Walk)
		both(h.ID+" calm", h.Calm)
	}
	for _, p := range w.places {
		both(p.ID, p.words())
		if len(p.Said["en"]) < 2 || len(p.Said["de"]) < 2 {
			t.Errorf("nobody talks about %s", p.ID)
		}
	}
	for i, a := range w.articles {
		both("article "+strconv.Itoa(i), a.Title)
		both("article "+strconv.Itoa(i), a.Body)
	}
	for i, r := range w.requests {
		both("request "+strconv.Itoa(i), r.Subject)
		both("request "+strconv.Itoa(i), r.Text)
	}
	for _, x := range w.offers {
		both(x.Code, x.Name)
		both(x.Code, x.Text)
	}
	for name, s := range w.scenes {
		both(name, s)
	}
	spanish := 0
	for _, h := range w.hotels {
		if h.Es != "" {
			spanish++
		}
	}
	if spanish == 0 || spanish == len(w.hotels) {
		t.Errorf("%d of %d hotels speak Spanish; some should", spanish, len(w.hotels))
	}
}

var unfilled = regexp.MustCompile(`\{[A-Za-z]+\}`)

func TestNoWordsAreLeftToFillIn(t *testing.T) {
	o := start(t)
	for _, c := range [][4]string{
		{"dam", "POST", "/v1_1/demo/resources/search", `{"max_results":500,"with_field":["context"]}`},
		{"support", "GET", "/api/v2/tickets", ""},
		{"stay", "GET", "/v1/hotels?limit=100", ""},
		{"stay", "GET", "/v1/places?limit=100&lang=de", ""},
		{"catalog", "POST", "/shop-api", `{"query":"{products{items{name description variants{name}}}}"}`},
		{"catalog", "POST", "/shop-api?languageCode=de", `{"query":"{products(options:{skip:20}){items{name description variants{name}}}}"}`},
	} {
		_, _, b := call(t, o, c[0], c[1], c[2], c[3])
		if m := unfilled.Find(b); m != nil {
			t.Errorf("%s %s still says %s", c[0], c[2], m)
		}
	}
}

var placeLink = regexp.MustCompile(regexp.QuoteMeta(placeHost) + `([a-z0-9-]+)`)

func TestEveryRelationLeadsSomewhere(t *testing.T) {
	w := testWorld(t)
	assets := map[string]bool{}
	for _, p := range w.pictures {
		if assets[assetID(p.PublicID)] {
			t.Errorf("two pictures are named %s", p.PublicID)
		}
		assets[assetID(p.PublicID)] = true
	}
	s, err := newStay(w, "http://stay", newSecrets("stay"), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	st := s.(*stay)
	for _, table := range []*table{st.hotels, st.places} {
		for _, r := range table.all() {
			if !assets[text(r, "image")] {
				t.Errorf("%s has no picture", r["id"])
			}
		}
	}
	for _, table := range []*table{st.places, st.reservation} {
		for _, r := range table.all() {
			if _, ok := st.hotels.get(text(r, "hotel")); !ok {
				t.Errorf("%s belongs to no hotel", r["id"])
			}
		}
	}
	tagged := map[string]int{}
	for _, p := range writePosts(w, "http://social") {
		link := placeLink.FindStringSubmatch(text(p, "content"))
		if link == nil {
			t.Errorf("post %s links to no place", p["id"])
			continue
		}
		place, ok := st.places.get(link[1])
		if !ok {
			t.Errorf("post %s links to %s, which is not there", p["id"], link[1])
			continue
		}
		tag := "hotel" + text(place, "hotel")
		if !slices.Contains(tagsOf(p), tag) {
			t.Errorf("post %s is about a place at %s but tagged %v", p["id"], tag, tagsOf(p))
		}
		tagged[tag]++
	}
	known := map[int]bool{}
	for _, r := range st.reservation.all() {
		known[r["supportId"].(int)] = true
	}
	for _, ticket := range writeTickets(w, "http://support") {
		if !known[ticket["requester_id"].(int)] {
			t.Errorf("ticket %v is by nobody", ticket["id"])
		}
	}
	for _, h := range w.hotels {
		if tagged[h.tag()] < 6 {
			t.Errorf("%d posts are tagged %s", tagged[h.tag()], h.tag())
		}
	}
}

var refInFile = regexp.MustCompile(`(dam:asset|stay:hotel|support:article|catalog:product)/([A-Za-z0-9-]+)`)

func TestRefsInTheFilesLeadSomewhere(t *testing.T) {
	w := testWorld(t)
	o := start(t)
	found := 0
	for _, dir := range []string{"compositions", "."} {
		entries, err := files.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if !strings.HasSuffix(e.Name(), ".yaml") {
				continue
			}
			b, err := files.ReadFile(strings.TrimPrefix(dir+"/"+e.Name(), "./"))
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range refInFile.FindAllStringSubmatch(string(b), -1) {
				found++
				path := map[string]string{"dam:asset": "/v1_1/demo/resources/", "stay:hotel": "/v1/hotels/", "support:article": "/api/v2/help_center/en/articles/"}[m[1]]
				name, _, _ := strings.Cut(m[1], ":")
				if status, _, _ := call(t, o, name, "GET", path+m[2], ""); status != 200 {
					t.Errorf("%s names %s, which is not there", e.Name(), m[0])
				}
			}
		}
	}
	if found == 0 || len(w.hotels) == 0 {
		t.Error("no refs were found to check")
	}
}

func TestGuestsAreWhoTheStorySays(t *testing.T) {
	w := testWorld(t)
	azul := w.byHotel["azul"]
	here, there := tutti.Place{Lat: 43.2630, Lon: -2.9350}, tutti.Place{Lat: azul.Lat, Lon: azul.Lon}
	if d := here.DistanceTo(there); d < 750 || d > 850 {
		t.Errorf("Hotel Azul is %.0f m away", d)
	}
	var late []string
	for _, ticket := range writeTickets(w, "") {
		if ticket["requester_id"] == 20978392 && ticket["status"] == "open" {
			late = append(late, text(ticket, "subject"))
		}
	}
	if !slices.Equal(late, []string{"Late arrival"}) {
		t.Errorf("Ana waits for %v", late)
	}
}

func TestPicturesComeAtTheAskedSize(t *testing.T) {
	o := start(t)
	for _, c := range []struct {
		origin, path, format string
		width, height        int
	}{
		{"dam", "/demo/image/upload/c_limit,w_320/f_jpg/q_auto/v1/hotels/azul.jpg", "jpeg", 320, 213},
		{"dam", "/demo/image/upload/c_fill,g_auto,w_320,h_180/f_auto/q_auto/v1/hotels/azul.jpg", "jpeg", 320, 180},
		{"dam", "/demo/image/upload/c_fill,g_auto,w_90,h_160/f_png/v1/places/azul-parque.jpg", "png", 90, 160},
		{"catalog", "/assets/preview/dinner-azul__preview.jpg?w=200&h=100&mode=crop", "jpeg", 200, 100},
		{"catalog", "/assets/preview/dinner-azul__preview.jpg?preset=thumb", "jpeg", 150, 150},
		{"social", "/media/small/places/azul-parque.jpg", "jpeg", 480, 360},
	} {
		status, h, b := call(t, o, c.origin, "GET", c.path, "")
		cfg, format, err := image.DecodeConfig(bytes.NewReader(b))
		if status != 200 || err != nil || cfg.Width != c.width || cfg.Height != c.height || format != c.format || h.Get("Content-Type") != "image/"+c.format {
			t.Errorf("%s: %d %s %dx%d %s %v", c.path, status, format, cfg.Width, cfg.Height, h.Get("Content-Type"), err)
		}
		if _, _, again := call(t, o, c.origin, "GET", c.path, ""); !bytes.Equal(b, again) {
			t.Errorf("%s comes differently the second time", c.path)
		}
	}
	if n := o.Calls("dam"); n != 0 {
		t.Errorf("pictures count as %d calls", n)
	}
	for path, want := range map[string]int{"/demo/image/upload/w_320/v1/hotels/none.jpg": 404, "/demo/image/upload/w_320/f_webp/v1/hotels/azul.jpg": 400, "/demo/image/upload/w_99999/v1/hotels/azul.jpg": 400} {
		if status, _, _ := call(t, o, "dam", "GET", path, ""); status != want {
			t.Errorf("%s: %d, not %d", path, status, want)
		}
	}
}
