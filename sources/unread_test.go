package sources

import (
	"bytes"
	"log/slog"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/tuttihq/tutti"
)

func TestPointersSayWhereAFieldIsLookedFor(t *testing.T) {
	for src, want := range map[string]string{
		`record.name`: "/name", `record.images[0].url`: "/images/0/url", `record`: "", `'fixed'`: "", `money(record.price.cents, record.price.currency)`: "/price",
		`record.a + record.b`: "", `path(record, 'a/b.~c')`: "/a~1b/~0c", `lang(record.title, locales)`: "/title", `record.variants.map(v, v.id)`: "/variants", `record.?a.?b.orValue(settings.x)`: "/a/b",
	} {
		e, err := compileExpression(src, recordNames)
		if err != nil {
			t.Fatal(err)
		}
		if e.pointer != want {
			t.Errorf("%s looks at %q, want %q", src, e.pointer, want)
		}
	}
}

func TestTheLogHearsOfAFieldOnce(t *testing.T) {
	k, c := mappedKind(t, "    map:\n      title: record.name\n      width: {value: record.size.w, as: int}\n      price: money(record.cents, 'EUR')\n", tutti.Locales{})
	var log bytes.Buffer
	now := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	c.now, c.log = func() time.Time { return now }, slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}}))
	read := func() *tutti.Resource {
		rec, ok, err := k.readAlone(c, raw(`{"id":"1","name":"Sea","size":{"w":"wide"},"cents":"canary"}`), "en")
		if !ok || err != nil {
			t.Fatal(ok, err)
		}
		return rec.Resource
	}
	for range 3 {
		r := read()
		want := []tutti.Unread{{Field: "price", Pointer: "/cents"}, {Field: "width", Pointer: "/size/w"}}
		if got := r.Fields.Unread(); !reflect.DeepEqual(got, want) || r.Fields.Text("title") != "Sea" || r.Fields.Get("width") != nil || r.Fields.Len() != 1 {
			t.Fatalf("what could not be read is %+v", got)
		}
	}
	now = now.Add(complaintEvery)
	read()
	want := `level=WARN msg="a field could not be read" source=shop kind=item field=price pointer=/cents code=BAD_ANSWER times=1
level=WARN msg="a field could not be read" source=shop kind=item field=width pointer=/size/w code=BAD_ANSWER times=1
level=WARN msg="a field could not be read" source=shop kind=item field=price pointer=/cents code=BAD_ANSWER times=3
level=WARN msg="a field could not be read" source=shop kind=item field=width pointer=/size/w code=BAD_ANSWER times=3
`
	if got := log.String(); got != want || strings.Contains(got, "canary") {
		t.Errorf("the log says\n%swant\n%s", got, want)
	}
}
