package demo

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// dam is a Cloudinary product environment named demo: the Admin API and the delivery of
// pictures.
type dam struct {
	*http.ServeMux
	base, key, secret string
	now               func() time.Time
	assets            *table // by asset_id
	limits            *limiter
	pics              *gallery
}

func newDAM(w *world, base string, secrets map[string]string, now func() time.Time) (player, error) {
	d := &dam{ServeMux: http.NewServeMux(), base: base, key: secrets["api_key"], secret: secrets["api_secret"], now: now, assets: newTable(), limits: newLimiter(2000, time.Hour, now), pics: newGallery(w)}
	for i, p := range w.pictures {
		d.assets.add(assetID(p.PublicID), d.asset(i, p, w.days(30+i%60, i)))
	}
	const api = "/v1_1/demo/resources"
	d.HandleFunc("GET "+api+"/by_asset_ids", d.byAssetIDs)
	d.HandleFunc("GET "+api+"/image", d.list)
	d.HandleFunc("GET "+api+"/image/tags/{tag}", d.list)
	d.HandleFunc("GET "+api+"/image/upload/{public...}", d.byPublicID)
	d.HandleFunc("GET "+api+"/{asset}", d.one)
	d.HandleFunc("POST "+api+"/search", d.search)
	d.HandleFunc("GET /demo/image/upload/{rest...}", d.deliver)
	d.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { d.fail(w, http.StatusNotFound) })
	return d, nil
}

// asset writes a picture as the Admin API does, with all details.
func (d *dam) asset(i int, p *picture, at time.Time) record {
	folder, name, _ := strings.Cut(p.PublicID, "/")
	custom := record{"credit": []string{"Tutti picture desk", "Studio Halde", "Foto Küste"}[i%3]}
	for lang, alt := range p.Alt {
		if lang == "en" {
			custom["alt"], custom["caption"] = alt, p.Title.in("en")
		} else {
			custom["alt_"+lang], custom["caption_"+lang] = alt, p.Title.in(lang)
		}
	}
	version := at.Unix()
	path := "/image/upload/v" + strconv.FormatInt(version, 10) + "/" + p.PublicID + ".jpg"
	return record{
		"asset_id": assetID(p.PublicID), "public_id": p.PublicID, "format": "jpg", "version": version, "resource_type": "image", "type": "upload", "created_at": at.UTC().Format(time.RFC3339),
		"bytes": 380000 + (i*7919)%310000, "width": 2400, "height": 1600, "asset_folder": folder, "display_name": p.Title.in("en"), "filename": name,
		"url": d.base + "/demo" + path, "secure_url": d.base + "/demo" + path, "tags": p.Tags, "context": record{"custom": custom},
		"coordinates": record{"custom": [][]int{{900, 720, 600, 480}}}, "last_updated": record{"updated_at": at.UTC().Format(time.RFC3339)},
	}
}

func (d *dam) counted(path string) bool { return strings.HasPrefix(path, "/v1_1/") }

func (d *dam) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if d.counted(r.URL.Path) {
		if user, pass, _ := r.BasicAuth(); user != d.key || pass != d.secret {
			w.Header().Set("X-Cld-Error", "Invalid credentials")
			w.Header().Set("WWW-Authenticate", `Basic realm="Cloudinary API"`)
			d.says(w, http.StatusUnauthorized, "Invalid credentials")
			return
		}
		left, reset := d.limits.take()
		w.Header().Set("X-FeatureRateLimit-Limit", "2000")
		w.Header().Set("X-FeatureRateLimit-Remaining", strconv.Itoa(left))
		w.Header().Set("X-FeatureRateLimit-Reset", reset.UTC().Format(http.TimeFormat))
	}
	d.ServeMux.ServeHTTP(w, r)
}

func (d *dam) says(w http.ResponseWriter, status int, message string) {
	writeJSON(w, status, map[string]any{"error": map[string]any{"message": message}})
}

func (d *dam) fail(w http.ResponseWriter, status int) {
	said := map[int]string{404: "Resource not found", 410: "Resource gone", 420: "Rate Limit Exceeded. Limit of 2000 api operations reached.", 429: "Rate Limit Exceeded. Limit of 2000 api operations reached.", 500: "General Error"}[status]
	if said == "" {
		said = http.StatusText(status)
	}
	d.says(w, status, said)
}

// shown leaves out what a list gives only when it is asked for.
func shown(a record, with func(detail string) bool) record {
	out := maps.Clone(a)
	for _, detail := range []string{"tags", "context", "coordinates", "metadata", "last_updated", "filename"} {
		if !with(detail) {
			delete(out, detail)
		}
	}
	return out
}

// asked reads which details a list call wants: tags=true, or fields=tags,context.
func asked(r *http.Request) func(string) bool {
	q := r.URL.Query()
	fields := strings.Split(q.Get("fields"), ",")
	return func(detail string) bool { return q.Get(detail) == "true" || slices.Contains(fields, detail) }
}

func (d *dam) one(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("asset")
	if a, ok := d.assets.get(id); ok {
		writeJSON(w, http.StatusOK, a)
		return
	}
	d.says(w, http.StatusNotFound, "Resource not found - "+id)
}

func (d *dam) byPublicID(w http.ResponseWriter, r *http.Request) {
	for _, a := range d.assets.all() {
		if text(a, "public_id") == r.PathValue("public") {
			writeJSON(w, http.StatusOK, a)
			return
		}
	}
	d.says(w, http.StatusNotFound, "Resource not found - "+r.PathValue("public"))
}

// byAssetIDs answers 100 ids at most; unknown ones are absent.
func (d *dam) byAssetIDs(w http.ResponseWriter, r *http.Request) {
	ids := append(r.URL.Query()["asset_ids[]"], r.URL.Query()["asset_ids"]...)
	if len(ids) == 0 || len(ids) > 100 {
		d.says(w, http.StatusBadRequest, "asset_ids must hold 1 to 100 ids")
		return
	}
	out := []record{}
	for _, a := range d.assets.all() {
		if slices.Contains(ids, text(a, "asset_id")) {
			out = append(out, shown(a, asked(r)))
		}
	}
	writeJSON(w, http.StatusOK, map[string]any{"resources": out})
}

func (d *dam) list(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	var rows []record
	for _, a := range d.assets.all() {
		tags := texts(a, "tags")
		if strings.HasPrefix(text(a, "public_id"), q.Get("prefix")) && (r.PathValue("tag") == "" || slices.Contains(tags, r.PathValue("tag"))) {
			rows = append(rows, shown(a, asked(r)))
		}
	}
	sortBy(rows, q.Get("direction") != "asc" && q.Get("direction") != "1", created)
	d.page(w, rows, q.Get("max_results"), 10, q.Get("next_cursor"), nil)
}

func created(a record) string { return text(a, "created_at") + text(a, "asset_id") }

// page answers a part of the rows, with a cursor while there are more.
func (d *dam) page(w http.ResponseWriter, rows []record, limit string, otherwise int, cursor string, answer map[string]any) {
	n, err := strconv.Atoi(limit)
	if limit == "" {
		n, err = otherwise, nil
	}
	from, ok := readCursor(cursor)
	if err != nil || n < 1 || n > 500 {
		d.says(w, http.StatusBadRequest, "Invalid value "+limit+" for parameter max_results. It must be between 1 and 500.")
		return
	}
	if !ok {
		d.says(w, http.StatusBadRequest, "Invalid value for parameter next_cursor")
		return
	}
	if answer == nil {
		answer = map[string]any{}
	}
	part, next := cut(rows, from, n)
	answer["resources"] = part
	if next > 0 {
		answer["next_cursor"] = makeCursor(next)
	}
	writeJSON(w, http.StatusOK, answer)
}

// search answers an expression in Cloudinary's search language. A field that does not exist
// matches nothing.
func (d *dam) search(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Expression string              `json:"expression"`
		SortBy     []map[string]string `json:"sort_by"`
		MaxResults json.Number         `json:"max_results"`
		NextCursor string              `json:"next_cursor"`
		WithField  []string            `json:"with_field"`
	}
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		d.says(w, http.StatusBadRequest, "Invalid JSON")
		return
	}
	match, err := parseSearch(in.Expression)
	if err != nil {
		d.says(w, http.StatusBadRequest, "Error parsing expression: "+err.Error())
		return
	}
	var rows []record
	for _, a := range d.assets.all() {
		if match(a) {
			rows = append(rows, shown(a, func(detail string) bool { return slices.Contains(in.WithField, detail) }))
		}
	}
	sortBy(rows, true, created)
	for _, by := range slices.Backward(in.SortBy) {
		for field, direction := range by {
			sortBy(rows, direction != "asc", func(a record) string { return text(a, field) })
		}
	}
	d.page(w, rows, in.MaxResults.String(), 50, in.NextCursor, map[string]any{"total_count": len(rows), "time": 12})
}

func (d *dam) change(kind, id string, fields record) ([]byte, error) {
	if kind != "asset" {
		return nil, noKind(kind, "asset")
	}
	now := d.now().UTC()
	if fields != nil {
		fields = with(fields, "last_updated", record{"updated_at": now.Format(time.RFC3339)})
	}
	before, after, ok := d.assets.change(id, fields)
	if !ok {
		return nil, notFound(kind, id)
	}
	event := record{
		"notification_type": "upload", "timestamp": now.Format(time.RFC3339), "signature_key": d.key,
		"notification_context": record{"triggered_at": now.Format(time.RFC3339Nano), "triggered_by": record{"source": "ui", "id": "editor@stay.example"}},
	}
	named := record{"asset_id": id, "public_id": before["public_id"], "resource_type": "image", "type": "upload"}
	switch {
	case after == nil:
		event["notification_type"], event["resources"] = "delete", []record{with(named, "version", before["version"])}
	case fields["context"] != nil:
		event["notification_type"], event["source"], event["resources"] = "resource_context_changed", "ui", []record{with(named, "updated", contextPairs(after))}
	case fields["tags"] != nil:
		event["notification_type"], event["source"], event["resources"] = "resource_tags_changed", "ui", []record{with(named, "added", after["tags"])}
	case fields["display_name"] != nil:
		event["notification_type"], event["resources"] = "resource_display_name_changed", []record{with(named, "new_display_name", after["display_name"])}
	default:
		for k, v := range shown(after, func(string) bool { return false }) {
			event[k] = v
		}
	}
	return marshal(event)
}

func contextPairs(a record) []record {
	var out []record
	context, _ := a["context"].(record)
	custom, _ := context["custom"].(record)
	for _, name := range slices.Sorted(maps.Keys(custom)) {
		out = append(out, record{"name": name, "value": custom[name]})
	}
	return out
}

func (d *dam) sign(h http.Header, body []byte) {
	ts := strconv.FormatInt(d.now().Unix(), 10)
	h.Set("X-Cld-Timestamp", ts)
	h.Set("X-Cld-Signature", shaHex(string(body)+ts+d.secret))
}
