package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/internal/config"
	"github.com/tuttihq/tutti/sources"
	"github.com/tuttihq/tutti/sources/recording"
)

// connectorTryCommand asks for one item.
type connectorTryCommand struct {
	File string `arg:"" help:"The manifest, or the name of a connector that comes with Tutti; not with --source."`
	Item string `arg:"" optional:"" help:"What to ask for: kind/id, or a kind, for its list."`
	systemFlags
	Locale    string `help:"The locale to ask in." default:"en"`
	Market    string `help:"The market to ask for."`
	Currency  string `help:"The currency to ask for."`
	Draft     bool   `help:"Ask for the draft."`
	Recording string `help:"Ask this recording instead of a running system." placeholder:"FILE"`
	Whole     bool   `help:"Show long answers whole."`

	Text   string            `help:"Of a list: the words to search for."`
	Filter map[string]string `help:"Of a list: a filter of the kind. May be given several times." placeholder:"NAME=VALUE" mapsep:"none"`
	Sort   string            `help:"Of a list: one of the kind's sorts, with '-' in front for descending."`
	First  int               `help:"Of a list: how many items." default:"3"`
	Owner  string            `help:"Of a list: whose items, as the system calls them."`

	Timeout time.Duration `help:"How long the system may take. A server waits for one second, unless the config of the source says otherwise." default:"10s"`
}

// Help shows how to call it.
func (connectorTryCommand) Help() string {
	return `Shows the request as it is sent, with *** in place of secrets, the answer as it comes, and what the mapping makes of it: each
field with its value, and the JSON pointer of what it was read from in the record. Of a list, or search, the same, with the first item field by field.

Examples:
  tutti connector try ./acme.yaml item/7 --url https://acme.example --secret key=ACME_KEY
  tutti connector try ./acme.yaml item/7 --recording ./acme.recording.yaml
  tutti connector try ./acme.yaml item --url https://acme.example --text rose --filter shelf=plants --sort=-name
  tutti connector try vendure product/1 --recording vendure --currency USD
  tutti connector try --source shop item/7 --config prod/tutti.yaml
  tutti connector try ./library.yaml book/7 --secret url=LIBRARY_URL --allow-private localhost`
}

// Run asks and shows.
func (c *connectorTryCommand) Run(ctx context.Context, out, _ io.Writer) error {
	if c.Item == "" && c.Source != "" {
		c.File, c.Item = "", c.File
	}
	src, m, dir, err := c.manifest(c.File)
	if err != nil {
		return err
	}
	kind, id, one := strings.Cut(c.Item, "/")
	if m.Kinds[kind] == nil || one && id == "" {
		return &tutti.Error{Code: tutti.InvalidValue, Field: "ITEM", Message: "“" + c.Item + "” names no item.", Hint: "Write kind/id, or a kind for its list; the kinds are " + strings.Join(sortedNames(m.Kinds), ", ") + "."}
	}
	w := &watcher{}
	var played *recording.Recording
	if c.Recording != "" || src.Recording != "" {
		if played, err = c.played(src, dir); err != nil {
			return err
		}
		w.player = played.Play()
		src = sources.Recorded(src, m, played)
	}
	src.Recording = ""
	w.recorder = recording.Record("", revealed(src))
	src.Kinds = map[string]config.KindConfig{kind: {Access: tutti.AccessPublic}}
	if c.Owner != "" {
		src.Kinds[kind] = config.KindConfig{Access: tutti.AccessVisitor}
	}
	src.Limits.Timeout = c.Timeout
	origins, err := sources.Open([]config.Source{src}, sources.Deps{Dir: dir, Manifest: m, Through: w.through, Database: w.database})
	if err != nil {
		return err
	}
	defer origins.Close()
	scope := tutti.Scope{Locale: c.Locale, Market: c.Market, Currency: c.Currency, Draft: c.Draft}
	var got tutti.Got
	var page tutti.Page
	if one {
		got = origins.Get(ctx, []tutti.Ref{{Source: src.Name, Kind: kind, ID: id}}, scope)[0]
	} else {
		page, got.Err = origins.Select(ctx, c.selection(m, src.Name, kind), scope)
	}
	for _, e := range w.all() {
		e.show(out, c.Whole)
	}
	if len(w.all()) == 0 {
		fmt.Fprintln(out, "No call was made.")
		if why := m.WhyNot(kind, id); one && why != "" && tutti.CodeOf(got.Err) == tutti.NotFound {
			return &tutti.Error{Code: tutti.NotFound, Message: "no " + kind + " can have the id “" + onScreen(id) + "”: " + why + "."}
		}
	}
	if played != nil && len(w.player.Misses()) > 0 {
		return notRecorded(played, kind)
	}
	if !one && got.Err == nil {
		if showPage(out, page, w.recorder.Clean); len(page.Items) == 0 {
			return nil
		}
		got = page.Items[0]
	}
	return c.told(out, m, kind, got, w.recorder.Clean)
}

// selection is the list that flags ask for. What is wrong with it is told by whoever is asked.
func (c *connectorTryCommand) selection(m *sources.Manifest, source, kind string) tutti.Selection {
	sel := tutti.Selection{Source: source, Kind: kind, Text: c.Text, Sort: c.Sort, First: c.First, Owner: c.Owner}
	for name, said := range c.Filter {
		if sel.Filter == nil {
			sel.Filter = map[string]any{}
		}
		sel.Filter[name] = said
		switch m.Kinds[kind].Filters[name].Type {
		case "int":
			if n, err := strconv.ParseInt(said, 10, 64); err == nil {
				sel.Filter[name] = n
			}
		case "float":
			if n, err := strconv.ParseFloat(said, 64); err == nil {
				sel.Filter[name] = n
			}
		case "bool":
			if b, err := strconv.ParseBool(said); err == nil {
				sel.Filter[name] = b
			}
		}
	}
	return sel
}

// showPage shows what a list brought; the first of it is then shown field by field.
func showPage(out io.Writer, page tutti.Page, clean func(string) string) {
	fmt.Fprintf(out, "\n%s", count(len(page.Items), "item"))
	if page.Total != nil {
		fmt.Fprintf(out, " of %d", *page.Total)
	}
	if page.Next != "" {
		fmt.Fprint(out, ", and more follow")
	}
	fmt.Fprintln(out)
	for _, g := range page.Items {
		title, _ := g.Resource.Fields.Get("title").(string)
		fmt.Fprintf(out, "  %s  %s\n", onScreen(clean(g.Resource.Ref.String())), onScreen(clean(title)))
	}
}

// played is the recording that answers: that of the flag, or of the config.
func (c *connectorTryCommand) played(src config.Source, dir string) (*recording.Recording, error) {
	if c.Recording != "" {
		return readRecording(c.Recording)
	}
	return sources.ReadRecording(src.Recording, dir)
}

// notRecorded tells what a recording can be asked for instead.
func notRecorded(r *recording.Recording, kind string) error {
	e := &tutti.Error{Code: tutti.NotFound, Message: "the recording has no answer to that."}
	if k := r.Kinds[kind]; len(k.IDs) > 0 {
		e.Hint = "Ask for  " + kind + "/" + k.IDs[0]
		for _, more := range [][2]string{{"--locale", strings.Join(k.Locales[:min(1, len(k.Locales))], "")}, {"--market", k.Market}, {"--currency", k.Currency}} {
			if more[1] != "" {
				e.Hint += " " + more[0] + " " + more[1]
			}
		}
	}
	return e
}

// told shows what the mapping made of it.
func (c *connectorTryCommand) told(out io.Writer, m *sources.Manifest, kind string, got tutti.Got, clean func(string) string) error {
	if got.Resource == nil {
		return got.Err
	}
	r := got.Resource
	fmt.Fprintf(out, "\n%s %s", r.Type, onScreen(clean(r.Ref.String())))
	if r.Locale != "" {
		fmt.Fprintf(out, " in %s", onScreen(r.Locale))
	}
	fmt.Fprintln(out)
	unread := map[string]bool{}
	for _, u := range r.Fields.Unread() {
		unread[u.Field] = true
	}
	bad := 0
	for _, name := range sortedNames(m.Kinds[kind].Map) {
		reading, _ := m.FieldReading(kind, name)
		at := reading.Pointer
		if at == "" {
			at = "the record"
		}
		switch v := r.Fields.Get(name); {
		case unread[name]:
			bad++
			place, _, _ := strings.Cut(m.Wrong("kinds."+kind+".map."+name, "", "").Message, ": ")
			fmt.Fprintf(out, "  %-14s cannot be read from %s: it is no %s, see %s\n", name, at, fieldType(m, kind, name), shorten(place))
		case v == nil:
			fmt.Fprintf(out, "  %-14s – absent; read from %s\n", name, at)
		default:
			fmt.Fprintf(out, "  %-14s %s  (%s, from %s)\n", name, shownValue(v, c.Whole, clean), fieldType(m, kind, name), at)
		}
	}
	if r.Assets != nil {
		fmt.Fprintf(out, "  %-14s %s\n", "rendition", onScreen(clean(r.Assets.URL(640, 0, ""))))
	}
	fmt.Fprintf(out, "  changes with   %s\n", onScreen(clean(strings.Join(r.Tags, ", "))))
	if bad > 0 {
		return &tutti.Error{Code: tutti.BadAnswer, Message: fmt.Sprintf("%s could not be read.", count(bad, "field"))}
	}
	return nil
}

func fieldType(m *sources.Manifest, kind, name string) tutti.FieldType {
	for _, d := range m.Definitions() {
		if d.Name == kind {
			return d.Fields[name]
		}
	}
	return ""
}

func shownValue(v any, whole bool, clean func(string) string) string {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return onScreen(clean(fmt.Sprint(v)))
	}
	s := clean(strings.TrimSpace(b.String()))
	if r := []rune(s); !whole && len(r) > 100 {
		s = string(r[:100]) + "…"
	}
	return onScreen(s)
}

// onScreen writes a text of somebody else so that a terminal shows it and does not obey it: signs that control it, or the
// direction of writing, are written out, and so are bytes that are no UTF-8.
func onScreen(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case unicode.IsControl(r) && r != '\n' && r != '\t' || unicode.Is(unicode.Bidi_Control, r):
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteString(s[i : i+size])
		}
		i += size
	}
	return b.String()
}
