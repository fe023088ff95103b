package main

import (
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/demo"
)

// fences gives the code blocks of the README by language.
func fences(t *testing.T, language string) []string {
	t.Helper()
	var all []string
	for _, m := range regexp.MustCompile("(?ms)^```"+language+"\n(.*?)^```").FindAllStringSubmatch(read(t, "../../README.md"), -1) {
		all = append(all, m[1])
	}
	return all
}

// commands gives the lines of the README that a shell runs, without remarks.
func commands(t *testing.T) []string {
	t.Helper()
	var all []string
	for _, block := range fences(t, "sh") {
		for line := range strings.Lines(block) {
			if line, _, _ = strings.Cut(line, " # "); strings.TrimSpace(line) != "" {
				all = append(all, strings.TrimSpace(line))
			}
		}
	}
	return all
}

// shellWords splits a line as a shell does, with the variables of env.
func shellWords(line string, env map[string]string) []string {
	var all []string
	var word strings.Builder
	began, quote := false, rune(0)
	for _, r := range line {
		switch {
		case quote == 0 && (r == '\'' || r == '"'):
			quote, began = r, true
		case r == quote:
			quote = 0
		case quote == 0 && r == ' ':
			if began {
				all = append(all, word.String())
			}
			word.Reset()
			began = false
		default:
			if r == '$' && quote != '\'' {
				r = '\x00'
			}
			began = true
			word.WriteRune(r)
		}
	}
	if began {
		all = append(all, word.String())
	}
	for i := range all {
		for name, value := range env {
			all[i] = strings.ReplaceAll(all[i], "\x00"+name, value)
		}
	}
	return all
}

func TestWordsAreSplitAsAShellDoes(t *testing.T) {
	got := shellWords(`curl -H "Key: $K" -d '{"a":"$K \"b\""}'  x`, map[string]string{"K": "1"})
	if want := []string{"curl", "-H", "Key: 1", "-d", `{"a":"$K \"b\""}`, "x"}; !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}

// curl does what a line with curl says. Of its options it knows those that the docs use.
func (p *played) curl(line string, env map[string]string) answer {
	p.t.Helper()
	var address, method, body string
	query, get := url.Values{}, false
	header := http.Header{}
	args := shellWords(line, env)[1:]
	for i := 0; i < len(args); i++ {
		switch args[i] {
		case "-s", "-i":
		case "-G":
			get = true
		case "-H", "-d", "-X", "--data-urlencode":
			if i++; i == len(args) {
				p.t.Fatalf("%s says nothing: %s", args[i-1], line)
			}
			switch args[i-1] {
			case "-H":
				name, value, _ := strings.Cut(args[i], ": ")
				header.Set(name, value)
			case "-d":
				body, method = args[i], http.MethodPost
			case "--data-urlencode":
				name, value, _ := strings.Cut(args[i], "=")
				query.Add(name, value)
			case "-X":
				method = args[i]
			}
		default:
			if address != "" || !strings.HasPrefix(args[i], "http://") {
				p.t.Fatalf("unknown option %q in %s", args[i], line)
			}
			address = args[i]
		}
	}
	if get {
		address += "?" + query.Encode()
	}
	req, err := http.NewRequestWithContext(p.t.Context(), method, address, strings.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	req.Header = header
	return p.do(req)
}

// environment reads keys.env as source does.
func (p *played) environment() map[string]string {
	env := map[string]string{}
	for line := range strings.Lines(read(p.t, filepath.Join(p.told.Data, "keys.env"))) {
		name, value, ok := strings.Cut(strings.TrimSpace(strings.TrimPrefix(line, "export ")), "=")
		if !ok {
			p.t.Errorf("keys.env has the line %q", line)
		}
		env[name] = value
	}
	return env
}

func TestREADMEAsksWhatTheDemoPrints(t *testing.T) {
	if got := fences(t, "graphql"); len(got) != 1 || strings.TrimSpace(got[0]) != strings.TrimSpace(demo.Arrival) {
		t.Errorf("the query of the README is another than demo/queries/arrival.graphql:\n%s", got)
	}
	guest, anonymous := demo.Curl("http://127.0.0.1:8080/graphql", "$TUTTI_SERVER_KEY", "$TUTTI_BROWSER_KEY")
	lines := commands(t)
	for _, line := range []string{guest, anonymous} {
		if !slices.Contains(lines, line) {
			t.Errorf("the README lacks the line\n%s", line)
		}
	}
}

func TestFirstLineOfREADME(t *testing.T) {
	t.Parallel()
	p := play(t)
	env := p.environment()
	p.arrive(ana("mobile", "en")) // what is there cannot be late
	guest, _ := demo.Curl(env["TUTTI_URL"], "$TUTTI_SERVER_KEY", "$TUTTI_BROWSER_KEY")
	x := experienceOf(t, p.curl(guest, env))
	if len(x.Problems) > 0 || x.Title != "Arriving at Hotel Azul" || x.Freshness.State != "FRESH" || x.ID == "" {
		t.Errorf("%+v", x)
	}

	in := x.component(t, "check-in")
	if in.Type != "CheckIn" || in.Variant != "arriving" || len(in.Actions) != 2 {
		t.Fatalf("check-in is %+v", in)
	}
	act := in.Actions[0]
	if act.Intent != "CHECK_IN" || act.Label != "Check in" || act.Href != "/stays/R-1007/check-in" || act.DeepLink != "stayapp://check-in/R-1007" {
		t.Errorf("the action is %+v", act)
	}
	if act.ExpiresAt == nil || x.ValidUntil == nil || act.ExpiresAt.Location() != time.UTC {
		t.Errorf("it expires at %v, the page at %v", act.ExpiresAt, x.ValidUntil)
	}

	if got := x.component(t, "offers").titles(); !slices.Equal(got, []string{"Late checkout at half price, Hotel Azul", "An hour of calm, 20 % less, Hotel Azul"}) {
		t.Errorf("the discounts are %q", got)
	}
	nearby := x.component(t, "nearby")
	if len(nearby.Items.Nodes) != 3 || !nearby.Items.PageInfo.HasNextPage || nearby.Items.PageInfo.EndCursor == "" {
		t.Errorf("nearby is %+v", nearby.Items)
	}
	for _, n := range nearby.Items.Nodes {
		if !strings.HasPrefix(n.Ref, "social:post/") || n.Title == "" || n.ID == "" {
			t.Errorf("nearby has %+v", n)
		}
	}
	if got := x.component(t, "request").titles(); !slices.Equal(got, []string{"Late arrival"}) {
		t.Errorf("the open request is %q", got)
	}
	image := x.component(t, "welcome").Image
	if image == nil || image.Alt == "" || image.Focal == nil || !strings.HasPrefix(image.Ref, "dam:asset/") {
		t.Fatalf("the picture is %+v", image)
	}
	if got := widths(image.Srcset); !slices.Equal(got, []string{"320w", "480w", "640w", "960w"}) {
		t.Errorf("the phone's widths are %v", got)
	}
	for _, url := range append(addresses(image.Srcset), image.URL) {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := p.do(req); got.Status != http.StatusOK || !strings.HasPrefix(got.Header.Get("Content-Type"), "image/") {
			t.Errorf("%s gives %d %s", url, got.Status, got.Header.Get("Content-Type"))
		}
	}
}

func TestSecondLineOfREADME(t *testing.T) {
	t.Parallel()
	p := play(t)
	env := p.environment()
	p.arrive(nobody("web", "de")) // what is there cannot be late
	_, anonymous := demo.Curl(env["TUTTI_URL"], "$TUTTI_SERVER_KEY", "$TUTTI_BROWSER_KEY")
	a := p.curl(anonymous, env)
	x := experienceOf(t, a)
	if len(x.Problems) > 0 || x.Title != "Ankommen im Hotel Azul" || x.Meta.Description != "Alles für Ihre Ankunft in Bilbao" || len(x.Locales) > 0 {
		t.Errorf("%+v", x)
	}
	for _, c := range x.Components {
		if c.Component == "check-in" || c.Component == "request" {
			t.Errorf("a stranger gets %s", c.Component)
		}
	}
	if strings.Contains(a.Raw, "Ana") || strings.Contains(a.Raw, "R-1007") {
		t.Errorf("tells of a guest: %s", a.Raw)
	}
	if got := x.component(t, "welcome").Headline; got != "Willkommen im Hotel Azul" {
		t.Errorf("headline %q", got)
	}
	if got := x.component(t, "help").titles(); !slices.Equal(got, []string{"Online einchecken"}) {
		t.Errorf("help %q", got)
	}
	if got := widths(x.component(t, "welcome").Image.Srcset); !slices.Equal(got, []string{"480w", "768w", "1280w", "1920w"}) {
		t.Errorf("the web's widths are %v", got)
	}
	if deep := strings.Contains(a.Raw, "stayapp://"); deep {
		t.Error("the web gets links for apps")
	}
}

func TestEveryCommandOfREADMEExists(t *testing.T) {
	t.Parallel()
	p := play(t)
	env := p.environment()
	makefile := read(t, "../../Makefile")
	known := map[string]func(line string){
		"make": func(line string) {
			for _, target := range strings.Fields(line)[1:] {
				if !regexp.MustCompile(`(?m)^` + target + `:`).MatchString(makefile) {
					t.Errorf("the Makefile has no target %s", target)
				}
			}
		},
		"source": func(line string) {
			if line != "source data/keys.env" {
				t.Errorf("sources %s", line)
			}
			for _, class := range tutti.KeyClasses {
				if env["TUTTI_"+strings.ToUpper(string(class))+"_KEY"] != p.key(class) {
					t.Errorf("keys.env lacks the key of class %s", class)
				}
			}
		},
		"bin/tutti": func(line string) { succeed(t, strings.Fields(line)[1:]...) },
		"curl": func(line string) {
			line = strings.ReplaceAll(line, "http://127.0.0.1:8080/graphql", p.told.GraphQL)
			line = strings.ReplaceAll(line, "ADDRESS", p.told.Origins["social"])
			if a := p.curl(line, env); a.Status != http.StatusOK || len(a.Errors) > 0 {
				t.Errorf("%s\ngives %d %s", line, a.Status, a.Raw)
			}
		},
	}
	for _, line := range commands(t) {
		try, ok := known[strings.Fields(line)[0]]
		if !ok {
			t.Errorf("nobody tries the README's line %s", line)
			continue
		}
		try(line)
	}

	parser, err := kong.New(new(cli))
	if err != nil {
		t.Fatal(err)
	}
	named := regexp.MustCompile("`(tutti [^`]+)`").FindAllStringSubmatch(read(t, "../../README.md"), -1)
	if len(named) == 0 {
		t.Error("the README names no command")
	}
	for _, m := range named {
		found := slices.ContainsFunc(parser.Model.Leaves(true), func(n *kong.Node) bool {
			rest, ok := strings.CutPrefix(m[1]+" ", "tutti "+strings.TrimPrefix(n.Path(), parser.Model.Name+" ")+" ")
			for _, word := range strings.Fields(rest) {
				if name, flag := strings.CutPrefix(word, "--"); flag {
					ok = ok && slices.ContainsFunc(n.Flags, func(f *kong.Flag) bool { return f.Name == name })
				}
			}
			return ok
		})
		if !found {
			t.Errorf("there is no command %s", m[1])
		}
	}
}

func TestDocumentsOfREADMEExist(t *testing.T) {
	for _, m := range regexp.MustCompile(`\]\(([^)#]+)\)`).FindAllStringSubmatch(read(t, "../../README.md"), -1) {
		if strings.Contains(m[1], "://") {
			continue
		}
		if _, err := os.Stat(filepath.Join("../..", m[1])); err != nil {
			t.Error(err)
		}
	}
}

// do sends any request, also to an origin.
func (p *played) do(req *http.Request) answer {
	p.t.Helper()
	res, err := p.client.Do(req)
	if err != nil {
		p.t.Error(err)
		return answer{}
	}
	defer func() { _ = res.Body.Close() }()
	raw := readAll(p.t, res.Body)
	a := answer{Status: res.StatusCode, Header: res.Header, Raw: raw}
	_ = json.Unmarshal([]byte(raw), &a) // pictures are not JSON
	return a
}
