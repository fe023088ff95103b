package demo

import (
	"crypto/subtle"
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/tuttihq/tutti"
)

// stay is the hotels' own system: hotels, places near them, reservations. Plain REST with a key
// in X-Api-Key.
type stay struct {
	*http.ServeMux
	key, hookSecret             string
	now                         func() time.Time
	hotels, places, reservation *table
}

func newStay(w *world, _ string, secrets map[string]string, now func() time.Time) (player, error) {
	s := &stay{ServeMux: http.NewServeMux(), key: secrets["api_key"], hookSecret: secrets["webhook_secret"], now: now, hotels: newTable(), places: newTable(), reservation: newTable()}
	for i, h := range w.hotels {
		s.hotels.add(h.ID, record{
			"id": h.ID, "name": h.Name, "text": "<p>" + h.En + "</p>", "town": h.Town, "location": tutti.Place{Lat: h.Lat, Lon: h.Lon}, "address": h.Address, "phone": h.Phone,
			"tag": h.tag(), "image": assetID("hotels/" + h.ID), "checkInFrom": "15:00", "rating": h.Rating, "updatedAt": w.days(20+i, i),
			"translations": translations(map[string]words{"text": paragraphs(h.words())}),
		})
	}
	for i, p := range w.places {
		h := w.byHotel[p.Hotel]
		s.places.add(p.ID, record{
			"id": p.ID, "name": p.Name, "category": p.Category, "text": "<p>" + p.En + "</p>", "location": p.at(h), "address": h.Town, "phone": nil,
			"image": assetID("places/" + p.ID), "hotel": p.Hotel, "updatedAt": w.days(5+i, i),
			"translations": translations(map[string]words{"text": paragraphs(p.words())}),
		})
	}
	for _, r := range reservations(w) {
		s.reservation.add(text(r, "id"), r)
	}
	s.HandleFunc("GET /v1/hotels", s.list(s.hotels, "hotels"))
	s.HandleFunc("GET /v1/hotels/{id}", s.one(s.hotels))
	s.HandleFunc("GET /v1/places", s.list(s.places, "places"))
	s.HandleFunc("GET /v1/places/{id}", s.one(s.places))
	s.HandleFunc("GET /v1/reservations", s.list(s.reservation, "reservations"))
	s.HandleFunc("GET /v1/reservations/{id}", s.one(s.reservation))
	s.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { s.fail(w, http.StatusNotFound) })
	return s, nil
}

func paragraphs(w words) words {
	out := words{}
	for lang, s := range w {
		out[lang] = "<p>" + s + "</p>"
	}
	return out
}

// reservations are one stay per guest, around the start: guest-7 and guest-8 arrive today.
func reservations(w *world) []record {
	guests := []string{"Mara", "Jon", "Ines", "Tobias", "Lea", "Nuno", "Ana", "Ben", "Clara", "Emil", "Sofia", "Arne", "Paula", "Milo", "Greta", "Hugo", "Nina", "Otto", "Lara", "Timo", "Rosa", "Finn", "Elsa", "Iker"}
	houses := map[int]string{7: "azul", 8: "brisa"}
	var out []record
	for i, guest := range guests {
		n := i + 1
		h := w.hotels[(i*7+3)%len(w.hotels)]
		from, nights, status := (i*5)%23-4, 2+i%4, "confirmed"
		if house, ok := houses[n]; ok {
			h, from, nights = w.byHotel[house], 0, 3
		} else if i%9 == 4 {
			status = "cancelled"
		}
		zone, err := time.LoadLocation(h.Zone)
		if err != nil {
			zone = time.UTC
		}
		y, m, d := w.now.In(zone).Date()
		id := strconv.Itoa(n)
		out = append(out, record{
			"id": "R-" + strconv.Itoa(1000+n), "guest": "guest-" + id, "guestName": guest, "supportId": 20978385 + n, "hotel": h.ID, "room": strconv.Itoa(100*(1+i%4) + 12 + (i*3)%9),
			"checkIn": time.Date(y, m, d+from, 15, 0, 0, 0, zone), "checkOut": time.Date(y, m, d+from+nights, 11, 0, 0, 0, zone), "status": status, "updatedAt": w.days(3+i, i),
		})
	}
	for _, r := range out {
		if r["id"] == "R-1007" {
			r["room"] = "412"
		}
	}
	return out
}

func (s *stay) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if subtle.ConstantTimeCompare([]byte(r.Header.Get("X-Api-Key")), []byte(s.key)) != 1 {
		s.fail(w, http.StatusUnauthorized)
		return
	}
	s.ServeMux.ServeHTTP(w, r)
}

func (s *stay) counted(path string) bool { return true }

func (s *stay) fail(w http.ResponseWriter, status int) {
	writeJSON(w, status, map[string]any{"error": strings.ToLower(http.StatusText(status))})
}

func (s *stay) one(t *table) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		rec, ok := t.get(r.PathValue("id"))
		if !ok {
			s.fail(w, http.StatusNotFound)
			return
		}
		writeJSON(w, http.StatusOK, s.show(t, rec, r.URL.Query().Get("lang")))
	}
}

// show gives a record as the API does: in one language where it has any.
func (s *stay) show(t *table, rec record, lang string) record {
	if t == s.reservation {
		return rec
	}
	out, got := localised(rec, lang)
	out["lang"] = got
	return out
}

// list answers ids=a,b (50 at most; unknown ones are absent) or a page of all that match.
func (s *stay) list(t *table, name string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		if q.Has("ids") {
			ids := strings.Split(q.Get("ids"), ",")
			if len(ids) > 50 {
				writeJSON(w, http.StatusBadRequest, map[string]any{"error": "at most 50 ids"})
				return
			}
			rows := []record{}
			for _, id := range ids {
				if rec, ok := t.get(id); ok {
					rows = append(rows, s.show(t, rec, q.Get("lang")))
				}
			}
			writeJSON(w, http.StatusOK, map[string]any{name: rows, "next": nil, "total": len(rows)})
			return
		}
		s.page(w, r, t, name)
	}
}

func (s *stay) page(w http.ResponseWriter, r *http.Request, t *table, name string) {
	q := r.URL.Query()
	rows := []record{}
	for _, rec := range t.all() {
		shown := s.show(t, rec, q.Get("lang"))
		if matches(shown, q.Get("hotel"), "hotel") && matches(shown, q.Get("guest"), "guest") && matches(shown, q.Get("category"), "category") &&
			(q.Get("q") == "" || has(q.Get("q"), text(shown, "name"), text(shown, "town"), text(shown, "text"))) {
			rows = append(rows, shown)
		}
	}
	if near := q.Get("near"); near != "" {
		lat, lon, _ := strings.Cut(near, ",")
		y, err1 := strconv.ParseFloat(lat, 64)
		x, err2 := strconv.ParseFloat(lon, 64)
		here := tutti.Place{Lat: y, Lon: x}
		if err1 != nil || err2 != nil || !here.Valid() {
			writeJSON(w, http.StatusBadRequest, map[string]any{"error": "near is lat,lon"})
			return
		}
		sortBy(rows, false, func(r record) float64 { return here.DistanceTo(placeIn(r["location"])) })
	}
	switch sort := q.Get("sort"); strings.TrimPrefix(sort, "-") {
	case "name":
		sortBy(rows, sort[0] == '-', func(r record) string { return text(r, "name") })
	case "rating":
		sortBy(rows, sort[0] == '-', func(r record) float64 { f, _ := r["rating"].(float64); return f })
	}
	from, ok := readCursor(q.Get("cursor"))
	limit, err := strconv.Atoi(q.Get("limit"))
	if q.Get("limit") == "" {
		limit, err = 20, nil
	}
	if !ok || err != nil || limit < 1 || limit > 100 {
		writeJSON(w, http.StatusBadRequest, map[string]any{"error": "limit is 1 to 100, cursor is what an answer gave as next"})
		return
	}
	part, next := cut(rows, from, limit)
	var cursor any
	if next > 0 {
		cursor = makeCursor(next)
	}
	writeJSON(w, http.StatusOK, map[string]any{name: part, "next": cursor, "total": len(rows)})
}

// placeIn reads a place, as it was stored or as a change wrote it.
func placeIn(v any) tutti.Place {
	if p, ok := v.(tutti.Place); ok {
		return p
	}
	m, _ := v.(record)
	lat, _ := float(m["lat"])
	lon, _ := float(m["lon"])
	return tutti.Place{Lat: lat, Lon: lon}
}

func matches(r record, want, field string) bool { return want == "" || text(r, field) == want }

// cut gives a page of rows and where the next one starts; 0 at the end.
func cut[T any](rows []T, from, limit int) ([]T, int) {
	if from >= len(rows) {
		return []T{}, 0
	}
	if from+limit >= len(rows) {
		return rows[from:], 0
	}
	return rows[from : from+limit], from + limit
}

func makeCursor(n int) string {
	return base64.RawURLEncoding.EncodeToString([]byte("after:" + strconv.Itoa(n)))
}

func readCursor(s string) (int, bool) {
	if s == "" {
		return 0, true
	}
	b, err := base64.RawURLEncoding.DecodeString(s)
	number, ok := strings.CutPrefix(string(b), "after:")
	n, err2 := strconv.Atoi(number)
	return n, ok && err == nil && err2 == nil && n >= 0
}

func (s *stay) change(kind, id string, fields record) ([]byte, error) {
	t, ok := map[string]*table{"hotel": s.hotels, "place": s.places, "reservation": s.reservation}[kind]
	if !ok {
		return nil, noKind(kind, "hotel", "place", "reservation")
	}
	event := kind + ".deleted"
	if fields != nil {
		event = kind + ".updated"
		fields = with(fields, "updatedAt", s.now().UTC().Truncate(time.Millisecond))
	}
	if _, _, ok := t.change(id, fields); !ok {
		return nil, notFound(kind, id)
	}
	return marshal(hookBody{Event: event, IDs: []string{id}, At: s.now().UTC().Format(time.RFC3339Nano)})
}

func (s *stay) sign(h http.Header, body []byte) { signHook(h, s.hookSecret, body, s.now()) }
