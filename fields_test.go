package tutti_test

import (
	"maps"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/tuttihq/tutti"
)

func TestFieldsGiveBackWhatWentIn(t *testing.T) {
	in := map[string]any{
		"title": "A", "empty": "", "rank": int64(-7), "zero": int64(0), "sold": true, "new": false, "rating": 4.5,
		"at": time.Date(2026, 11, 21, 9, 0, 0, 5, time.UTC), "first": time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC),
		"price": tutti.Money{Amount: "1.50", Currency: "EUR"}, "tags": []string{"a"}, "more": map[string]any{"a": nil},
	}
	f := tutti.FieldsOf(in)
	if got := maps.Collect(f.All()); !reflect.DeepEqual(got, in) || f.Len() != len(in) {
		t.Errorf("%v comes back as %v", in, got)
	}
	for name, want := range in {
		if got := f.Get(name); !reflect.DeepEqual(got, want) {
			t.Errorf("%s is %v, not %v", name, got, want)
		}
	}
	if f.Get("none") != nil || f.Text("rank") != "" || f.Int("title") != 0 || f.Text("title") != "A" || f.Int("rank") != -7 {
		t.Error("a field is read as what it is not")
	}
	if money, ok := f.Field("price").Other(); !ok || money != in["price"] {
		t.Errorf("the price is %v, %v", money, ok)
	}
	for _, name := range []string{"title", "rank", "sold", "at", "none"} {
		if v, ok := f.Field(name).Other(); ok {
			t.Errorf("%s is %v besides", name, v)
		}
	}
	last := ""
	for name := range f.Values() {
		if name <= last {
			t.Errorf("%s comes after %s", name, last)
		}
		last = name
	}
	other := f.With(map[string]any{"title": "B", "rank": nil, "none": "x"})
	if other.Text("title") != "B" || other.Get("rank") != nil || other.Get("none") != nil || other.Len() != len(in)-1 || f.Text("title") != "A" {
		t.Errorf("with others it is %v, and was %v", maps.Collect(other.All()), maps.Collect(f.All()))
	}
	if none := (tutti.Fields{}); none.Len() != 0 || none.Get("title") != nil {
		t.Error("the zero value has fields")
	}
}

func TestFieldsKeepTextsAsPartsOfTheirRecord(t *testing.T) {
	record := strings.Clone(`{"title":"A title","empty":"","sum":12}`)
	names := []string{"away", "empty", "sum", "title"}
	f := tutti.NewFields(names, []tutti.Field{
		tutti.TextField("A title"), tutti.TextField(record[27:27]), tutti.TextField(record[36:38]), tutti.TextField(record[10:17]),
	}, record)
	want := map[string]any{"away": "A title", "empty": "", "sum": "12", "title": "A title"}
	if got := maps.Collect(f.All()); !maps.Equal(got, want) {
		t.Errorf("it is %v", got)
	}
	if got := f.Text("title"); unsafe.StringData(got) != unsafe.StringData(record[10:]) {
		t.Error("a text that stands in the record is a copy")
	}
	if f.Lack("A title") || f.Lack("other words") {
		t.Error("a value that stands elsewhere is not looked at")
	}
	if own := tutti.NewFields(names[3:], []tutti.Field{tutti.TextField(record[10:17])}, record); own.Lack("A title") || !own.Lack("other words") {
		t.Error("the record is not looked at")
	}
	other := f.With(map[string]any{"title": "B"})
	if other.Text("title") != "B" || other.Text("sum") != "12" || other.Text("away") != "A title" || f.Text("title") != "A title" {
		t.Errorf("with another title it is %v", maps.Collect(other.All()))
	}
}

func TestFieldsOnASheetAreTheSame(t *testing.T) {
	record := `{"title":"A title","empty":"","sum":12}`
	sheet := tutti.NewSheet(3, "a key", record)
	text := sheet.Text()
	if text != "a key"+record {
		t.Fatalf("the sheet holds %q", text)
	}
	part := text[len("a key"):]
	names := []string{"away", "rank", "title"}
	values := []tutti.Field{tutti.TextField("elsewhere"), tutti.IntField(7), tutti.TextField(part[10:17])}
	f := sheet.Fields(names, values)
	if want := map[string]any{"away": "elsewhere", "rank": int64(7), "title": "A title"}; !maps.Equal(maps.Collect(f.All()), want) || sheet.Text() != text {
		t.Errorf("it is %v", maps.Collect(f.All()))
	}
	if !f.Keep(part) || f.Keep(record) || f.Bytes() < len(text)+len("elsewhere") {
		t.Error("what the values keep is not known")
	}
	more := tutti.NewSheet(1, "")
	if f := more.Fields(names, values); f.Int("rank") != 7 || f.Text("title") != "A title" {
		t.Error("a sheet with less room loses values")
	}
}

func TestFieldsKeepEveryNumberAndInstant(t *testing.T) {
	for _, v := range []any{
		int64(math.MaxInt64), int64(math.MinInt64), int64(1) << 60, int64(1)<<60 - 1, -(int64(1) << 60), -(int64(1) << 60) - 1, int64(-1),
		time.Date(2026, 11, 1, 9, 0, 0, 123_000_000, time.UTC), time.Date(2026, 11, 1, 9, 0, 0, 123_456_789, time.UTC),
		time.Date(1, 1, 1, 0, 0, 0, 1_000, time.UTC), time.Date(9999, 12, 31, 23, 59, 59, 999_999_000, time.UTC), time.Date(-300_000, 1, 1, 0, 0, 0, 0, time.UTC),
		time.Unix(math.MaxInt64/1_000_000+1, 0).UTC(),
	} {
		f := tutti.FieldsOf(map[string]any{"it": v})
		if got := f.Get("it"); got != v {
			t.Errorf("%v comes back as %v", v, got)
		}
		field := f.Field("it")
		if i, ok := field.Int(); ok && i != v {
			t.Errorf("%v is read as %d", v, i)
		}
		if _, ok := field.Other(); ok {
			t.Errorf("%v is none of the usual values", v)
		}
	}
}
