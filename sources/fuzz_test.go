package sources

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tuttihq/tutti"
)

// FuzzParseManifest: whatever is written, there is an answer; what is taken can be described.
func FuzzParseManifest(f *testing.F) {
	for _, seed := range []string{
		"name: a\nkinds: {k: {type: Record, get: {path: '/${id}'}, map: {title: record.name}}}",
		"name: a\ngraphql: /g\nkinds: {k: {type: Record, batch: {graphql: {each: 'k(id: $id) { id }'}, maxIds: 3}, map: {title: record.name}, tags: {x: record.y}}}",
		"name: a\nwebhook: {scheme: hook, changes: [{kind: k}]}\nkinds: {k: {type: Asset, get: {path: '/${id}'}, map: {alt: record.alt}, renditions: {scale: '${record.u}?w=${width}'}}}",
	} {
		f.Add([]byte(seed))
	}
	f.Add([]byte(itemManifest))
	f.Add([]byte("a: &a [*a]"))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := ParseManifest("fuzz.yaml", b)
		if (m == nil) == (err == nil) {
			t.Fatalf("it comes to %v and %v", m, err)
		}
		if err != nil {
			if tutti.CodeOf(err) != tutti.Invalid && !strings.HasPrefix(err.Error(), "fuzz.yaml") {
				t.Errorf("the mistake has no place: %v", err)
			}
			return
		}
		for _, d := range m.definitions() {
			d.Canonical("x/../y")
		}
	})
}

// FuzzWebhook: nothing but what was signed is taken.
func FuzzWebhook(f *testing.F) {
	at := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	const secret, real = "secret", `{"parts":["a"]}`
	h := http.Header{}
	signHook(h, tutti.NewSecret(secret), real, at)
	ts, sig := h.Get("X-Hook-Timestamp"), h.Get("X-Hook-Signature")
	f.Add("hook", ts, sig, []byte(real))
	f.Add("hook", ts, sig, []byte(`{"parts":["b"]}`))
	f.Add("cloudinary", ts, strings.Repeat("0", 40), []byte(real))
	f.Add("zendesk", "2026-11-21T12:00:00Z", "AAAA", []byte(real))
	f.Add("hub", "", "sha256=00", []byte(real))
	f.Fuzz(func(t *testing.T, name, stamp, signature string, body []byte) {
		spec, ok := schemes[name]
		if !ok || spec.Path {
			return
		}
		v := verifierOf(t, "{like: "+name+"}", at, secret)
		r := httptest.NewRequest(http.MethodPost, "/", nil)
		r.Header.Set(spec.Header, signature)
		if spec.Timestamp.Header != "" {
			r.Header.Set(spec.Timestamp.Header, stamp)
		}
		_, err := v.verify(r, body)
		if name == "bearer" && signature == "Bearer "+secret {
			return // it is the secret itself
		}
		if err == nil && !(name == "hook" && stamp == ts && strings.EqualFold(signature, sig) && string(body) == real) {
			t.Errorf("a message that nobody signed is taken: %s %q %q %q", name, stamp, signature, body)
		}
		if err != nil && tutti.CodeOf(err) != tutti.Unauthenticated {
			t.Errorf("refused with %v", err)
		}
	})
}

// readSlowly is read as it is meant: everything is decoded, and every expression evaluated over it.
func (k *compiledKind) readSlowly(c *manifestConnector, b raw, locale string) (Record, bool, error) {
	record, err := decodeObject(b)
	if err != nil {
		return Record{}, false, err
	}
	vars := map[string]any{"record": record, "settings": c.settings, "locale": locale, "source": c.source}
	if k.exists != nil && !k.exists.truth(vars) {
		return Record{}, false, nil
	}
	v, present, err := k.recordID.eval(vars)
	id, ok := toText(v)
	if ok {
		id, ok = k.canonicalID(id)
	}
	if err != nil || !present || !ok || id == "" {
		return Record{}, false, tutti.BadAnswer
	}
	r := &tutti.Resource{Ref: tutti.Ref{Source: c.source, Kind: k.name, ID: id}, Type: k.def.Type, Raw: withoutHoles(string(next(b)))}
	r.Raw = r.Raw[:valueEnd(r.Raw)]
	fields := map[string]any{}
	for i := range k.fields {
		f := &k.fields[i]
		if v, present, err := f.value.eval(vars); err == nil && present {
			if v, absent, err := f.convert(v, c.before[f], c.links[f], c.source); err == nil && !absent {
				fields[f.name] = v
			}
		}
	}
	r.Fields = tutti.FieldsOf(fields)
	r.Locale = locale
	if k.locale != nil {
		if v, present, err := k.locale.eval(vars); err == nil && present {
			s, _ := toText(v)
			r.Locale = strings.ReplaceAll(s, "_", "-")
		}
	} else if !slices.Contains(k.def.Dimensions, tutti.LocaleDimension) {
		r.Locale = ""
	}
	r.Tags = []string{r.Ref.Tag()}
	for _, tag := range k.tags {
		if v, present, err := tag.id.eval(vars); err == nil && present {
			ids, _ := toTexts(v)
			for _, id := range ids {
				r.Tags = append(r.Tags, tutti.Ref{Source: c.source, Kind: tag.kind, ID: id}.Tag())
			}
		}
	}
	return Record{Resource: r}, true, nil
}

// FuzzRecord: whatever a system says of an item, mapping ends, gives the promised types, and lets
// no mark of a hole and no address that could run through. Copying from the record's bytes gives what
// evaluating each expression over the decoded record gives.
func FuzzRecord(f *testing.F) {
	var kinds []*compiledKind
	for _, name := range append(Vendors(), "../demo/manifests/stay.yaml") {
		m, err := ReadManifest(name, ".")
		if err != nil {
			f.Fatal(err)
		}
		for _, kn := range m.kindNames() {
			kinds = append(kinds, m.compiled.kinds[kn])
		}
	}
	c := &manifestConnector{source: "s", settings: map[string]any{"cloud": "c", "delivery": "https://d.example", "placeLink": "https://p.example/", "english": "en-us"}, now: time.Now, log: slog.New(slog.DiscardHandler), before: map[*field]string{}, links: map[*field]string{}}
	f.Add([]byte(`{"id":"1","asset_id":"0f1e2d3c4b5a69788796a5b4c3d2e1f0","public_id":"a/b","version":1,"resource_type":"image","type":"upload","format":"jpg"}`))
	f.Add([]byte(`{"id":"1","visibility":"public","content":"<p onclick=x>\ue000a\ue001</p>","url":"javascript:alert(1)","account":{},"tags":[{}],"media_attachments":[null]}`))
	f.Add([]byte(`{"id":"1","variants":[{"id":"2","priceWithTax":99999999999999999999,"currencyCode":"EUR"}],"name":"\ue000x","featuredAsset":{"id":"1","preview":"javascript:1"}}`))
	f.Add([]byte(`{"id":"azul","location":{"lat":1e999,"lon":"x"},"image":"../..","updatedAt":"9999999-01-01"}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, k := range kinds {
			rec, ok, err := k.readAlone(c, b, "en")
			if json.Valid(b) {
				assets := (*tutti.Renditions)(nil)
				if ok { // functions are not compared
					assets, rec.Resource.Assets = rec.Resource.Assets, nil
				}
				slow, slowOK, slowErr := k.readSlowly(c, b, "en")
				if ok {
					rec.entry = nil
					rec.Resource.Fields = tutti.FieldsOf(maps.Collect(rec.Resource.Fields.All()))
				}
				if ok != slowOK || (err == nil) != (slowErr == nil) || !reflect.DeepEqual(rec, slow) {
					t.Fatalf("a %s is read as %+v, %v, %v; evaluating each expression over the whole record gives %+v, %v, %v", k.name, rec.Resource, ok, err, slow.Resource, slowOK, slowErr)
				}
				if ok {
					rec.Resource.Assets = assets
				}
			}
			if err != nil || !ok {
				continue
			}
			for name, v := range rec.Resource.Fields.All() {
				if !hasType(v, k.def.Fields[name]) {
					t.Errorf("field %s of %s is a %T, want %s", name, k.name, v, k.def.Fields[name])
				}
			}
			all, err := json.Marshal(maps.Collect(rec.Resource.Fields.All()))
			if err != nil {
				t.Errorf("the fields of a %s have no JSON: %v", k.name, err)
			}
			if bytes.Contains(all, []byte(tutti.HoleStart)) || bytes.Contains(all, []byte(tutti.HoleEnd)) || strings.Contains(rec.Resource.Raw, tutti.HoleStart) {
				t.Errorf("a mark of a hole came through: %s", all)
			}
			for _, name := range []string{"link", "picture", "original"} {
				s, _ := rec.Resource.Fields.Get(name).(string)
				if u, err := url.Parse(s); err != nil || u.Scheme == "javascript" || u.Scheme == "data" {
					t.Errorf("an address that could run came through: %q", s)
				}
			}
			if a := rec.Resource.Assets; a != nil {
				if s := a.URL(100, 0, "jpeg"); s != "" && !strings.HasPrefix(s, "http://") && !strings.HasPrefix(s, "https://") {
					t.Errorf("a rendition is at %q", s)
				}
			}
		}
	})
}

func hasType(v any, want tutti.FieldType) (ok bool) {
	switch want {
	case tutti.FieldString:
		_, ok = v.(string)
	case tutti.FieldInt:
		_, ok = v.(int64)
	case tutti.FieldFloat:
		_, ok = v.(float64)
	case tutti.FieldBool:
		_, ok = v.(bool)
	case tutti.FieldTime:
		_, ok = v.(time.Time)
	case tutti.FieldMoney:
		_, ok = v.(tutti.Money)
	case tutti.FieldPlace:
		_, ok = v.(tutti.Place)
	case tutti.FieldFocal:
		_, ok = v.(tutti.Focal)
	case tutti.FieldRichText:
		_, ok = v.(tutti.RichText)
	case tutti.FieldRef:
		_, ok = v.(tutti.Ref)
	case tutti.FieldRefs:
		_, ok = v.([]tutti.Ref)
	case tutti.FieldStrings:
		_, ok = v.([]string)
	case tutti.FieldJSON:
		ok = true
	}
	return ok
}

// FuzzAddress: no value of a request leaves its place in the address.
func FuzzAddress(f *testing.F) {
	m, err := ParseManifest("acme.yaml", []byte("name: acme\nkinds: {item: {type: Record, dimensions: [locale], get: {path: '/v1/items/${id}/x', query: {q: 'a:${id} b', lang: '${locale}'}}, map: {title: record.name}}}"))
	if err != nil {
		f.Fatal(err)
	}
	for _, s := range []string{"a", "../x", "a/b", "//evil.example", "?x=1", "#f", "%2f", "\r\nHost: evil", "@evil.example", ".", "..", "ü", "a&b=c"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, id string) {
		req, err := m.compiled.kinds["item"].get.build("https://acme.example/base", ownPart{}, map[string]any{"id": id, "locale": id})
		if err != nil {
			return
		}
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		if r.URL, err = url.Parse(req.URL); err != nil {
			t.Fatalf("the address of %q cannot be read: %v", id, err)
		}
		segments := strings.Split(r.URL.EscapedPath(), "/")
		q := r.URL.Query()
		if r.URL.Host != "acme.example" || len(segments) != 6 || segments[5] != "x" || r.URL.Fragment != "" || len(q) != 2 || q.Get("q") != "a:"+id+" b" || q.Get("lang") != id {
			t.Errorf("the id %q leads to %s", id, req.URL)
		}
	})
}
