package resolvers_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// edit replaces text that stands once in a file; without old it adds to its end.
type edit struct{ file, old, new string }

// planted are mistakes in what the server is made of that would give somebody what is another's.
var planted = []struct {
	name  string
	edits []edit
}{
	{"drop a dimension", []edit{ // market and currency are in no signature
		{"engine/sign.go", "k.out.text(d.channel, d.locale, d.scope.Market, d.scope.Currency)", "k.out.text(d.channel, d.locale)"},
	}},
	{"coalesce on a coarser key", []edit{ // who asks for an item in another language or market shares the call
		{"cache/handle.go", "f := c.flights[key.Key]", "f := c.flights[coarse(key.Key)]"},
		{"cache/handle.go", "c.flights[key.Key] = f", "c.flights[coarse(key.Key)] = f"},
		{"cache/flight.go", "key := b.asks[i].Key.Key;", "key := coarse(b.asks[i].Key.Key);"},
		{"cache/epochs.go", "", `
func coarse(key string) string {
	for i := 0; i+4 < len(key); i++ {
		if s := key[i : i+4]; s == "2:en" || s == "2:de" {
			return key[:i]
		}
	}
	return key
}
`},
	}},
	{"unescaped key join", []edit{ // the parts of a key without their lengths
		{"engine/key.go", "		k.b = binary.AppendUvarint(k.b, uint64(len(p)))\n		k.b = append(k.b, p...)", "		k.b = append(k.b, p...)"},
	}},
	{"preview in a shared key: an answer", []edit{ // what editors see is kept, and what is unpublished is in no signature
		{"resolvers/deliver.go", " && !graph.ViewerFrom(ctx).Editing() && !req.previewed", ""},
	}},
	{"preview in a shared key: a record", []edit{ // an origin's unpublished text is kept as what is published
		{"sources/key.go", "key(s.Locale, s.Market, s.Currency, strconv.FormatBool(s.Draft))", "key(s.Locale, s.Market, s.Currency)"},
	}},
	{"consent ignored", []edit{
		{"engine/learn.go", "if !l.v.Consent.Given(a.Purpose) {", "if false {"},
	}},
	{"error kept", []edit{
		{"resolvers/deliver.go", "if len(problems) > 0 || !keeps {", "if !keeps {"},
	}},
	{"kept in a lent room", []edit{ // what is kept points into memory that the next page is made in
		{"resolvers/deliver.go", "	if !keeps {\n		room = engine.BorrowRoom()\n	}", "	room = engine.BorrowRoom()\n	defer room.GiveBack()"},
		{"resolvers/deliver.go", "			room.GiveBack()\n", ""},
	}},
	{"personal words stay in what is lent", []edit{ // and stand in the next one's page
		{"resolvers/deliver.go", "	clear(d.keys.fills)\n", ""},
		{"resolvers/deliver.go", "	fills := d.keys.fills\n	clear(fills)\n", "	fills := d.keys.fills\n"},
	}},
	{"a page is written once its room is given back", []edit{
		{"resolvers/deliver.go", "a := graph.NewAnswer(ctx, d.whole(o))\n", "if room != nil {\n			room.GiveBack()\n		}\n		a := graph.NewAnswer(ctx, d.whole(o))\n"},
		{"resolvers/deliver.go", "			room.GiveBack()\n			d.deciding.Forget()", "			d.deciding.Forget()"},
	}},
	{"generation missing: answers", []edit{ // what is kept outlives a reload, and nothing in its keys is of a generation
		{"graph/answers.go", "	return &Kept{\n", "	return lasts(ground, &Kept{\n"},
		{"graph/answers.go", "(*KeptPart).leave),\n	}\n", "(*KeptPart).leave),\n	})\n"},
		{"graph/answers.go", "	a.answers.Close()\n	a.parts.Close()\n", ""},
		{"graph/answers.go", "", `
var byGround sync.Map

func lasts(g Ground, made *Kept) *Kept {
	kept, _ := byGround.LoadOrStore(g, made)
	return kept.(*Kept)
}
`},
		{"graph/answers.go", "	\"slices\"\n", "	\"slices\"\n	\"sync\"\n"},
		{"graph/generation.go", "newDocuments(limits.CacheBytes)", "everyDocument"},
		{"graph/generation.go", "", "\nvar everyDocument = newDocuments(8 << 20)\n"},
		{"engine/sign.go", "c.number = compositions.Add(1)", "c.number = numberOf(c)"},
		{"engine/sign.go", "", `
var numbers sync.Map

func numberOf(c *Compiled) uint64 {
	n, _ := numbers.LoadOrStore([2]any{c.ID, c.Version}, compositions.Add(1))
	return n.(uint64)
}
`},
	}},
	{"generation missing: operations", []edit{ // an operation stays valid after a reload
		{"graph/generation.go", "newDocuments(limits.CacheBytes)", "everyDocument"},
		{"graph/generation.go", "", "\nvar everyDocument = newDocuments(8 << 20)\n"},
	}},
	{"locale missing", []edit{
		{"engine/sign.go", "k.out.text(d.channel, d.locale,", "k.out.text(d.channel, \"\","},
	}},
	{"policy class missing", []edit{ // what one may ask for is found out once for all
		{"graph/execute.go", "g.forbidden(known.restrictions, v.Class)", "verdict(known, func() gqlerror.List { return g.forbidden(known.restrictions, v.Class) })"},
		{"graph/execute.go", "", `
var verdicts sync.Map

func verdict(op *operation, of func() gqlerror.List) gqlerror.List {
	list, _ := verdicts.LoadOrStore(op, of())
	return list.(gqlerror.List)
}
`},
		{"graph/execute.go", "import (\n", "import (\n	\"sync\"\n"},
	}},
}

// TestPlantedMistakesFit: each mistake can still be planted. make e2e does it.
func TestPlantedMistakesFit(t *testing.T) {
	for _, p := range planted {
		t.Run(p.name, func(t *testing.T) { overlay(t, repository(t), p.edits) })
	}
}

func repository(t *testing.T) string {
	t.Helper()
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	return root
}

// overlay writes the edited copies, and the file that tells the compiler of them.
func overlay(t *testing.T, root string, edits []edit) string {
	t.Helper()
	dir := t.TempDir()
	texts, replace := map[string]string{}, map[string]string{}
	for _, e := range edits {
		if _, read := texts[e.file]; !read {
			b, err := os.ReadFile(filepath.Join(root, e.file))
			if err != nil {
				t.Fatal(err)
			}
			texts[e.file] = string(b)
		}
		if e.old == "" {
			texts[e.file] += e.new
			continue
		}
		if n := strings.Count(texts[e.file], e.old); n != 1 {
			t.Fatalf("%s holds %q %d times: plant the mistake anew", e.file, e.old, n)
		}
		texts[e.file] = strings.Replace(texts[e.file], e.old, e.new, 1)
	}
	for file, text := range texts {
		copied := filepath.Join(dir, strings.ReplaceAll(file, "/", "_"))
		if err := os.WriteFile(copied, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		replace[filepath.Join(root, file)] = copied
	}
	b, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(file, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}
