package demo

import (
	"fmt"
	"html"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// social is a Mastodon server with public posts of guests.
type social struct {
	*http.ServeMux
	hookSecret string
	now        func() time.Time
	posts      *table
	limits     *limiter
}

const socialHost, placeHost = "https://social.example", "https://stay.example/places/"

// travelTag is the hashtag that says in which language a post talks of travelling.
var travelTag = map[string]string{"en": "travel", "de": "reisen", "es": "viajes"}

func newSocial(w *world, base string, secrets map[string]string, now func() time.Time) (player, error) {
	s := &social{ServeMux: http.NewServeMux(), hookSecret: secrets["webhook_secret"], now: now, posts: newTable(), limits: newLimiter(300, 5*time.Minute, now)}
	for _, p := range writePosts(w, base) {
		s.posts.add(text(p, "id"), p)
	}
	s.HandleFunc("GET /api/v1/statuses", s.many)
	s.HandleFunc("GET /api/v1/statuses/{id}", func(w http.ResponseWriter, r *http.Request) {
		if p, ok := s.posts.get(r.PathValue("id")); ok {
			writeJSON(w, http.StatusOK, p)
			return
		}
		s.fail(w, http.StatusNotFound)
	})
	s.HandleFunc("GET /api/v1/timelines/tag/{tag}", s.tagged)
	s.HandleFunc("GET /api/v1/timelines/public", func(w http.ResponseWriter, r *http.Request) { s.timeline(w, r, s.posts.all()) })
	s.HandleFunc("GET /api/v1/accounts/{id}/statuses", s.ofAccount)
	s.HandleFunc("GET /api/v2/search", s.search)
	pics := newGallery(w)
	s.HandleFunc("GET /media/{size}/{folder}/{file}", func(w http.ResponseWriter, r *http.Request) {
		width, height := 1200, 900
		if r.PathValue("size") == "small" {
			width, height = 480, 360
		}
		name, ext, _ := strings.Cut(r.PathValue("file"), ".")
		pics.serve(w, r, r.PathValue("folder")+"/"+name, width, height, ext)
	})
	s.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { s.fail(w, http.StatusNotFound) })
	return s, nil
}

// writePosts puts what people say about the places into the form of statuses, oldest first, so
// that the newest posts of a hotel's tag are about different places.
func writePosts(w *world, base string) []record {
	type said struct {
		p        *place
		lang, at string
		picture  bool
	}
	var all []said
	for _, round := range []struct {
		lang string
		n    int
	}{{"es", 0}, {"de", 1}, {"en", 1}, {"de", 0}, {"en", 0}} {
		for _, p := range slices.Backward(w.places) {
			if t := p.Said[round.lang]; len(t) > round.n {
				all = append(all, said{p, round.lang, t[round.n], round.n == 0})
			}
		}
	}
	var out []record
	for i, x := range all {
		h := w.byHotel[x.p.Hotel]
		at := w.now.Add(-time.Duration(len(all)-i) * 97 * time.Minute)
		out = append(out, status(i, x.at, x.lang, at, x.p, h, base, x.picture, w.scenes[x.p.Scene]))
	}
	return out
}

// status writes one post as Mastodon delivers it.
func status(i int, said, lang string, at time.Time, p *place, h *hotel, base string, picture bool, shows words) record {
	id := strconv.Itoa(115300000000000000 + i*104729)
	a := accounts[(i*5+len(said))%len(accounts)]
	link := placeHost + p.ID
	tags := []string{h.tag(), travelTag[lang], tagOf[p.Category]}
	if lang != "en" {
		tags = append(tags, h.tag()+travelTag[lang]) // what the house's guests of that language write
	}
	content := "<p>" + html.EscapeString(said) + "</p><p>" + html.EscapeString(p.Name) + ": " + anchor(link) + "</p><p>"
	var tagged []record
	for n, t := range tags {
		if n > 0 {
			content += " "
		}
		content += fmt.Sprintf(`<a href="%s/tags/%s" class="mention hashtag" rel="tag">#<span>%s</span></a>`, socialHost, t, t)
		tagged = append(tagged, record{"name": t, "url": socialHost + "/tags/" + t})
	}
	content += "</p>"
	media := []record{}
	if picture {
		file := "/places/" + p.ID + ".jpg"
		media = append(media, record{
			"id": strconv.Itoa(115300000000000001 + i*104729), "type": "image", "url": base + "/media/original" + file, "preview_url": base + "/media/small" + file, "remote_url": nil,
			"meta":        record{"original": record{"width": 1200, "height": 900, "size": "1200x900", "aspect": 1.3333333}, "small": record{"width": 480, "height": 360, "size": "480x360", "aspect": 1.3333333}, "focus": record{"x": 0.0, "y": 0.1}},
			"description": fill(shows.in(lang), "name", p.Name), "blurhash": "UBL_:rOpGG-oBUNG,qRj2so|=eE1w^n4S5NH",
		})
	}
	return record{
		"id": id, "created_at": mastodonTime(at), "in_reply_to_id": nil, "in_reply_to_account_id": nil, "sensitive": false, "spoiler_text": "", "visibility": "public", "language": lang,
		"uri": socialHost + "/users/" + a.name + "/statuses/" + id, "url": socialHost + "/@" + a.name + "/" + id,
		"replies_count": i % 4, "reblogs_count": (i * 3) % 11, "favourites_count": 3 + (i*17)%140, "edited_at": nil, "content": content, "reblog": nil, "application": nil,
		"account": a.record(base), "media_attachments": media, "mentions": []record{}, "tags": tagged, "emojis": []record{},
		"card": record{"url": link, "title": p.Name, "description": p.words().in(lang), "type": "link", "provider_name": "stay.example", "image": nil}, "poll": nil,
	}
}

var tagOf = map[string]string{"food": "foodie", "cafe": "coffee", "market": "market", "sight": "views", "nature": "outdoors", "culture": "culture"}

// anchor writes a link as Mastodon does, its protocol hidden.
func anchor(link string) string {
	bare := strings.TrimPrefix(link, "https://")
	return `<a href="` + link + `" target="_blank" rel="nofollow noopener" translate="no"><span class="invisible">https://</span><span class="">` + bare + `</span><span class="invisible"></span></a>`
}

func mastodonTime(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

type account struct{ name, shown, note string }

var accounts = []account{
	{"slowtrains", "Slow Trains", "Seats facing forward, please."},
	{"kieselweg", "Kieselweg", "Wandern, Baden, Brotzeit."},
	{"two_forks", "Two Forks", "We eat in pairs."},
	{"marmelada", "marmelada", "Breakfast researcher."},
	{"fernweh_nord", "Fernweh Nord", "Aus dem Regen in die Sonne."},
	{"the_long_way", "The Long Way", "Never the short one."},
	{"postkarten", "Postkarten", "Eine pro Ort."},
	{"mapsandsalt", "Maps and Salt", "Coasts, mostly."},
	{"dos_maletas", "Dos maletas", "Una es para los libros."},
	{"rucksackrike", "Rucksack Rike", "Leicht unterwegs."},
	{"museum_feet", "Museum Feet", "Sore and happy."},
	{"blauestunde", "Blaue Stunde", "Licht sammeln."},
	{"tidetable", "Tide Table", "Swims before coffee."},
	{"ecke_tisch", "Der Ecktisch", "Essen, wo es laut ist."},
	{"small_hotels", "Small Hotels", "Fewer rooms, more cats."},
	{"familie_auf_tour", "Familie auf Tour", "Drei Kinder, ein Plan B."},
	{"stairs_and_views", "Stairs & Views", "Up, then up."},
	{"olivenzweig", "Olivenzweig", "Süden im Herzen."},
}

func (a account) record(base string) record {
	id := strconv.Itoa(100 + slices.Index(accounts, a))
	return record{
		"id": id, "username": a.name, "acct": a.name, "display_name": a.shown, "locked": false, "bot": false, "created_at": "2023-04-11T00:00:00.000Z", "note": "<p>" + html.EscapeString(a.note) + "</p>",
		"url": socialHost + "/@" + a.name, "uri": socialHost + "/users/" + a.name, "avatar": base + "/media/small/accounts/" + a.name + ".png", "avatar_static": base + "/media/small/accounts/" + a.name + ".png",
		"followers_count": 80 + len(a.note)*31, "following_count": 60 + len(a.name)*7, "statuses_count": 300 + len(a.shown)*53, "emojis": []record{}, "fields": []record{},
	}
}

func (s *social) counted(path string) bool { return strings.HasPrefix(path, "/api/") }

func (s *social) fail(w http.ResponseWriter, status int) {
	said := map[int]string{404: "Record not found", 410: "Gone", 422: "Validation failed", 429: "Too many requests", 500: "An unexpected error occurred", 503: "Remote data could not be fetched"}[status]
	if said == "" {
		said = http.StatusText(status)
	}
	writeJSON(w, status, map[string]any{"error": said})
}

func (s *social) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s.counted(r.URL.Path) {
		left, reset := s.limits.take()
		w.Header().Set("X-RateLimit-Limit", "300")
		w.Header().Set("X-RateLimit-Remaining", strconv.Itoa(left))
		w.Header().Set("X-RateLimit-Reset", reset.UTC().Format("2006-01-02T15:04:05.000000Z"))
	}
	s.ServeMux.ServeHTTP(w, r)
}

// many answers id[]=…: 20 ids at most, unknown ones are absent.
func (s *social) many(w http.ResponseWriter, r *http.Request) {
	ids := append(r.URL.Query()["id[]"], r.URL.Query()["id"]...)
	if len(ids) > 20 {
		writeJSON(w, http.StatusUnprocessableEntity, map[string]any{"error": "Validation failed: too many ids, at most 20 are allowed"})
		return
	}
	out := []record{}
	for _, p := range s.posts.all() {
		if slices.Contains(ids, text(p, "id")) {
			out = append(out, p)
		}
	}
	writeJSON(w, http.StatusOK, out)
}

func (s *social) tagged(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	var rows []record
	for _, p := range s.posts.all() {
		tags := tagsOf(p)
		held := func(t string) bool { return slices.Contains(tags, strings.ToLower(t)) }
		ok := held(r.PathValue("tag")) || slices.ContainsFunc(q["any[]"], held)
		for _, t := range q["all[]"] {
			ok = ok && held(t)
		}
		if ok && !slices.ContainsFunc(q["none[]"], held) {
			rows = append(rows, p)
		}
	}
	s.timeline(w, r, rows)
}

func tagsOf(p record) []string {
	var out []string
	tags, _ := p["tags"].([]record)
	for _, t := range tags {
		out = append(out, strings.ToLower(text(t, "name")))
	}
	return out
}

func (s *social) ofAccount(w http.ResponseWriter, r *http.Request) {
	var rows []record
	known := false
	for _, p := range s.posts.all() {
		a, _ := p["account"].(record)
		if text(a, "id") != r.PathValue("id") {
			continue
		}
		known = true
		if t := r.URL.Query().Get("tagged"); t == "" || slices.Contains(tagsOf(p), strings.ToLower(t)) {
			rows = append(rows, p)
		}
	}
	if !known {
		s.fail(w, http.StatusNotFound)
		return
	}
	s.timeline(w, r, rows)
}

// timeline answers posts newest first, 20 (40 at most), with the next page in the Link header.
func (s *social) timeline(w http.ResponseWriter, r *http.Request, rows []record) {
	page := s.part(r, rows)
	if len(page) > 0 {
		next, prev := *r.URL, *r.URL
		next.RawQuery = withQuery(r.URL.Query(), "max_id", text(page[len(page)-1], "id"))
		prev.RawQuery = withQuery(r.URL.Query(), "min_id", text(page[0], "id"))
		w.Header().Set("Link", fmt.Sprintf(`<http://%s%s>; rel="next", <http://%s%s>; rel="prev"`, r.Host, next.RequestURI(), r.Host, prev.RequestURI()))
	}
	writeJSON(w, http.StatusOK, page)
}

func withQuery(q url.Values, name, value string) string {
	for _, n := range []string{"max_id", "min_id", "since_id"} {
		q.Del(n)
	}
	q.Set(name, value)
	return q.Encode()
}

// part gives the wanted part of posts, newest first. Ids are as long as each other, so that they
// compare as text.
func (s *social) part(r *http.Request, rows []record) []record {
	q := r.URL.Query()
	limit, err := strconv.Atoi(q.Get("limit"))
	if err != nil || limit < 1 {
		limit = 20
	}
	limit = min(limit, 40)
	out := []record{}
	for _, p := range slices.Backward(rows) {
		id := text(p, "id")
		media, _ := p["media_attachments"].([]record)
		switch {
		case q.Get("max_id") != "" && id >= q.Get("max_id"), q.Get("since_id") != "" && id <= q.Get("since_id"), q.Get("min_id") != "" && id <= q.Get("min_id"):
		case q.Get("only_media") == "true" && len(media) == 0:
		case q.Get("min_id") == "" && len(out) == limit:
		default:
			out = append(out, p)
		}
	}
	if len(out) > limit { // min_id: the page right after it
		out = out[len(out)-limit:]
	}
	return out
}

func (s *social) search(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	if strings.TrimSpace(q.Get("q")) == "" {
		writeJSON(w, http.StatusBadRequest, map[string]any{"error": "param is missing or the value is empty: q"})
		return
	}
	var rows []record
	for _, p := range s.posts.all() {
		words := strings.Fields(q.Get("q"))
		if !slices.ContainsFunc(words, func(f string) bool { return !has(strings.TrimPrefix(f, "#"), plain(text(p, "content"))) }) {
			rows = append(rows, p)
		}
	}
	found := []record{}
	if t := q.Get("type"); t == "" || t == "statuses" {
		found = s.part(r, rows)
	}
	writeJSON(w, http.StatusOK, map[string]any{"accounts": []any{}, "statuses": found, "hashtags": []any{}})
}

// plain takes the tags out of HTML.
func plain(s string) string {
	var b strings.Builder
	in := false
	for _, r := range s {
		switch {
		case r == '<':
			in = true
		case r == '>':
			in = false
			b.WriteByte(' ')
		case !in:
			b.WriteRune(r)
		}
	}
	return html.UnescapeString(b.String())
}

func (s *social) change(kind, id string, fields record) ([]byte, error) {
	if kind != "post" {
		return nil, noKind(kind, "post")
	}
	if fields != nil {
		fields = with(fields, "edited_at", mastodonTime(s.now()))
	}
	before, after, ok := s.posts.change(id, fields)
	if !ok {
		return nil, notFound(kind, id)
	}
	event := record{"event": "status.updated", "created_at": mastodonTime(s.now()), "object": after}
	if after == nil { // the vendor tells nothing of deleted posts but through an update's last state
		event["object"] = before
	}
	return marshal(event)
}

func (s *social) sign(h http.Header, body []byte) {
	h.Set("X-Hub-Signature", "sha256="+hmacHex(s.hookSecret, string(body)))
}
