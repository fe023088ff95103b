package tutti_test

import (
	"strings"
	"sync"
	"testing"

	"github.com/tuttihq/tutti"
)

func TestRichTextIsMadeWhenItIsAskedFor(t *testing.T) {
	var mu sync.Mutex
	made := 0
	upper := func(s string) tutti.RichText {
		mu.Lock()
		made++
		mu.Unlock()
		s = strings.ToUpper(strings.Trim(s, "<>"))
		return tutti.RichText{HTML: s, Plain: s}
	}
	f := tutti.NewFields([]string{"empty", "text", "title"}, []tutti.Field{tutti.RichTextLater("<>", upper), tutti.RichTextLater("<a>", upper), tutti.TextField("x")}, "")
	if v := f.Field("text"); made != 0 {
		t.Fatal("it is made already")
	} else if _, holds := v.Other(); holds || made != 0 {
		t.Error("looking for marks made it")
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if got := f.Get("text"); got != (tutti.RichText{HTML: "A", Plain: "A"}) {
				t.Errorf("it is %v", got)
			}
		})
	}
	wg.Wait()
	if before := made; f.Get("text") == nil || made != before {
		t.Error("it is made again")
	}
	if f.Get("empty") != nil {
		t.Error("nothing is a value")
	}
	got := map[string]any{}
	for name, v := range f.All() {
		got[name] = v
	}
	if len(got) != 2 || got["title"] != "x" {
		t.Errorf("all are %v", got)
	}
	other := f.With(map[string]any{"title": "y"})
	if other.Get("text") != (tutti.RichText{HTML: "A", Plain: "A"}) || other.Get("title") != "y" {
		t.Error("changing another field changes it")
	}
	if f.Bytes() < 100 {
		t.Errorf("it counts for %d bytes", f.Bytes())
	}
}

func TestMoneyHasTheDigitsOfItsCurrency(t *testing.T) {
	for currency, want := range map[string][3]string{"EUR": {"-0.05", "123.45", "92233720368547758.07"}, "JPY": {"-5", "12345", "9223372036854775807"}, "KWD": {"-0.005", "12.345", "9223372036854775.807"}, "CLF": {"-0.0005", "1.2345", "922337203685477.5807"}} {
		for i, minor := range []int64{-5, 12345, 1<<63 - 1} {
			if got := tutti.MoneyFromMinor(minor, currency); got.Amount != want[i] || got.Currency != currency {
				t.Errorf("%d of %s is %v, want %s", minor, currency, got, want[i])
			}
		}
	}
	if got := tutti.MoneyFromMinor(-1<<63, "EUR").Amount; got != "-92233720368547758.08" {
		t.Errorf("it is %s", got)
	}
}
