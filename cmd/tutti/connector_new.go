package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"text/template"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/sources"
)

// connectorNewCommand writes a manifest to start from.
type connectorNewCommand struct {
	Name   string            `arg:"" optional:"" help:"What sources will call the connector."`
	From   string            `help:"How the system is asked: rest or graphql." placeholder:"HOW"`
	URL    string            `name:"url" help:"Where the system is; of GraphQL with the path of its endpoint, where that is not /graphql." placeholder:"URL"`
	Family string            `help:"What the system is for: dam, catalog, social, support, content or any." placeholder:"FAMILY"`
	Kind   string            `help:"The first kind of item." placeholder:"KIND"`
	Type   string            `help:"The resource type of its items: Asset, Product, SocialPost, SupportTicket, Article, Place or Record." placeholder:"TYPE"`
	Get    string            `help:"The path of one item, with {id} in it; of GraphQL the field for one." placeholder:"PATH"`
	List   string            `help:"The path of the list of items; none: it cannot be listed." placeholder:"PATH"`
	Record string            `help:"Where the list of records is in its answer; none: the answer itself." placeholder:"PATH"`
	Auth   string            `help:"How the system knows us: none, basic, bearer or header." placeholder:"HOW"`
	Field  map[string]string `help:"A field, and where it stands in a record: title=name. May be given several times." placeholder:"NAME=PATH" mapsep:"none"`
	Out    string            `short:"o" help:"The file to write. Default: NAME.yaml." placeholder:"FILE" type:"path"`

	Endpoint string `kong:"-"` // the path of GraphQL

	in io.Reader // where answers are typed; nil = the terminal, if there is one
}

// Help shows how to call it.
func (connectorNewCommand) Help() string {
	return `Asks on a terminal for what no flag says. The manifest is right from the beginning: it is read before it is written.

Examples:
  tutti connector new
  tutti connector new acme --from rest --url https://acme.example/v2 --kind item --type Product --get /items/{id} --list /items --record items --auth bearer --field title=name
  tutti connector new shop --from graphql --url https://shop.example/api/graphql --kind product --type Product --get product --field title=name`
}

// question is what is asked on a terminal.
type question struct {
	at     *string
	text   string
	answer string // when nothing is typed
}

// Run asks, writes, and tells what to do next.
func (c *connectorNewCommand) Run(_ context.Context, out, _ io.Writer) error {
	if err := c.ask(out); err != nil {
		return err
	}
	if err := c.check(); err != nil {
		return err
	}
	text, err := c.write()
	if err != nil {
		return err
	}
	if _, err := sources.ParseManifest(shorten(c.Out), text); err != nil {
		return err
	}
	f, err := os.OpenFile(c.Out, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return &tutti.Error{Code: tutti.InvalidValue, Field: "--out", Message: shorten(c.Out) + " is there already."}
	}
	if err != nil {
		return tutti.Errorf(tutti.Unavailable, "writing the manifest: %w", err)
	}
	_, err = f.Write(text)
	if err := errors.Join(err, f.Close()); err != nil {
		return tutti.Errorf(tutti.Unavailable, "writing the manifest: %w", err)
	}
	c.next(out)
	return nil
}

// words are those that some flags take.
var newWords = map[string][]string{
	"--from": {"rest", "graphql"}, "--auth": {"none", "basic", "bearer", "header"},
	"--type": {"Asset", "Product", "SocialPost", "SupportTicket", "Article", "Place", "Record"},
}

var pathInRecord = regexp.MustCompile(`^[A-Za-z_]\w*(\.[A-Za-z_]\w*|\[\d{1,4}\])*$`)

// check tells what is wrong with what was said, all at once, and fills in what follows from it.
func (c *connectorNewCommand) check() error {
	var problems []error
	wrong := func(field, what, hint string) {
		problems = append(problems, &tutti.Error{Code: tutti.InvalidValue, Field: field, Message: what, Hint: hint})
	}
	if !tutti.IsName(c.Name) {
		wrong("NAME", "is missing or no name.", "Write letters, digits, '-' and '_', for example  acme")
	} else if slices.Contains(sources.Vendors(), c.Name) {
		wrong("NAME", "“"+c.Name+"” is a connector that comes with Tutti.", "Look at it first: docs/connectors/"+c.Name+".md")
	}
	u, err := url.Parse(c.URL)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		wrong("--url", "is no address of a system.", "Write, for example  https://acme.example")
	case u.User != nil:
		wrong("--url", "holds credentials, which a manifest does not.", "Leave them out, and write  --auth basic")
	case u.RawQuery != "" || u.Fragment != "":
		wrong("--url", "holds more than host and path.", "Write, for example  "+u.Scheme+"://"+u.Host+u.Path)
	default:
		c.URL, c.Endpoint = strings.TrimSuffix(c.URL, "/"), "/graphql"
		if at := strings.LastIndexByte(u.Path, '/'); c.From == "graphql" && at >= 0 && strings.Contains(u.Path[at:], "graphql") {
			c.URL, c.Endpoint = u.Scheme+"://"+u.Host, u.Path
		}
	}
	for _, w := range []struct {
		flag, said string
		all        []string
	}{{"--from", c.From, newWords["--from"]}, {"--family", c.Family, sources.Families()}, {"--type", c.Type, newWords["--type"]}, {"--auth", c.Auth, newWords["--auth"]}} {
		if !slices.Contains(w.all, w.said) {
			wrong(w.flag, "“"+w.said+"” is none of "+strings.Join(w.all, ", ")+".", "")
		}
	}
	if !tutti.IsName(c.Kind) {
		wrong("--kind", "“"+c.Kind+"” is no name.", "Write letters, digits, '-' and '_', for example  item")
	}
	if c.Field == nil {
		c.Field = map[string]string{}
	}
	if c.Field["title"] == "" {
		c.Field["title"] = "title"
	}
	for _, name := range sortedNames(c.Field) {
		if !tutti.IsName(name) || !pathInRecord.MatchString(c.Field[name]) {
			wrong("--field", "“"+name+"="+c.Field[name]+"” is no field and its place in a record.", "Write, for example  --field title=name  or  --field image=photo.id")
		}
	}
	return errors.Join(problems...)
}

// ask fills in what no flag says: from the terminal, or as is usual.
func (c *connectorNewCommand) ask(out io.Writer) error {
	questions := []question{
		{&c.Name, "What should the connector be called?", ""},
		{&c.From, "Is the system asked by rest or graphql?", "rest"},
		{&c.URL, "Where is it?", "https://acme.example"},
		{&c.Family, "What is it for (" + strings.Join(sources.Families(), ", ") + ")?", "any"},
		{&c.Kind, "What is one of its items called?", "item"},
		{&c.Type, "As which type are they delivered (Asset, Product, SocialPost, SupportTicket, Article, Place, Record)?", "Record"},
		{&c.Auth, "How does it know us (none, basic, bearer, header)?", "none"},
	}
	in := c.in
	if in == nil {
		if stat, err := os.Stdin.Stat(); err == nil && stat.Mode()&os.ModeCharDevice != 0 && !isNull(stat) {
			in = os.Stdin
		}
	}
	var lines *bufio.Scanner
	if in != nil {
		lines = bufio.NewScanner(in)
	}
	if err := typed(lines, out, questions); err != nil {
		return err
	}
	rest := []question{{&c.Get, "What is the path of one item?", "/" + c.Kind + "s/{id}"}, {&c.List, "What is the path of their list?", "/" + c.Kind + "s"}}
	if c.From == "graphql" {
		rest = []question{{&c.Get, "Which field gives one by its id?", c.Kind}}
	}
	if c.List == "" && c.Get != "" {
		rest = rest[:0] // one item is said, and that there is no list
	}
	if err := typed(lines, out, rest); err != nil {
		return err
	}
	if c.Out == "" {
		c.Out = c.Name + ".yaml"
	}
	var err error
	c.Out, err = filepath.Abs(c.Out)
	return err
}

// typed asks what is not answered yet; without lines everything is as is usual.
func typed(lines *bufio.Scanner, out io.Writer, questions []question) error {
	for _, q := range questions {
		if *q.at != "" {
			continue
		}
		if *q.at = q.answer; lines == nil {
			continue
		}
		fmt.Fprint(out, q.text)
		if q.answer != "" {
			fmt.Fprintf(out, " [%s]", q.answer)
		}
		fmt.Fprint(out, " ")
		if !lines.Scan() {
			fmt.Fprintln(out)
			lines = nil // the rest as is usual
			continue
		}
		if said := strings.TrimSpace(lines.Text()); said != "" {
			*q.at = said
		}
	}
	return nil
}

var placeOfID = regexp.MustCompile(`\$?\{id\}`)

// write makes the manifest.
func (c *connectorNewCommand) write() ([]byte, error) {
	c.Get = placeOfID.ReplaceAllString(c.Get, "$${id}")
	if c.From == "rest" && !strings.Contains(c.Get, "${id}") {
		return nil, &tutti.Error{Code: tutti.InvalidValue, Field: "--get", Message: "does not say where the id stands.", Hint: "Write {id} in its place: " + c.Get + "/{id}"}
	}
	var b strings.Builder
	err := template.Must(template.New("").Parse(startingManifest)).Execute(&b, c)
	return []byte(b.String()), err
}

// Selected are the fields of a record that GraphQL has to name.
func (c *connectorNewCommand) Selected() string {
	names := []string{"id"}
	for _, path := range c.Field {
		steps := strings.Split(path, ".")
		name := steps[len(steps)-1]
		for _, step := range slices.Backward(steps[:len(steps)-1]) {
			name = step + " { " + name + " }"
		}
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	slices.Sort(names[1:])
	return strings.Join(names, " ")
}

// Fields are the mapped fields, in their order.
func (c *connectorNewCommand) Fields() []string { return sortedNames(c.Field) }

// Path is where a field stands.
func (c *connectorNewCommand) Path(name string) string { return c.Field[name] }

const startingManifest = `# A connector for {{.Name}}. docs/manifests.md explains every key; an editor that knows JSON Schema gets
# sources/manifest.schema.json from:  tutti schema manifest
name: {{.Name}}
description: Items of {{.Name}}.
family: {{.Family}}
url: {{.URL}}
{{if eq .Auth "bearer"}}
secrets:
  token: {description: An access token with the right to read., required: true}
auth: {type: bearer, token: "${secrets.token}"}
{{else if eq .Auth "basic"}}
secrets:
  user: {description: Who we are., required: true}
  password: {description: The password that belongs to it., required: true}
auth: {type: basic, user: "${secrets.user}", password: "${secrets.password}"}
{{else if eq .Auth "header"}}
secrets:
  key: {description: An API key with the right to read., required: true}
auth: {type: header, name: X-Api-Key, value: "${secrets.key}"}
{{end}}
kinds:
  {{.Kind}}:
    type: {{.Type}}
    description: One {{.Kind}} of {{.Name}}.
    id: {pattern: "[0-9A-Za-z_-]{1,64}"} # what ids look like: others are not asked for
{{if eq .From "graphql"}}
    batch: # each id becomes an alias of the field; a list by ids, where the system has one, is better
      path: {{.Endpoint}}
      graphql: {each: "{{.Get}}(id: $id) { {{.Selected}} }", idType: "ID!"}
      maxIds: 20
{{else}}
    get: # where the system gives many by their ids, write batch instead: one call, not many
      path: {{printf "%q" .Get}}
{{if .List}}
    select:
      - path: {{printf "%q" .List}}
        records: {{if .Record}}{{.Record}}{{else}}.{{end}}
        paging: {maxFirst: 100} # how pages follow one another; without a type there is one page
{{end}}{{end}}
    map:{{with .Others}} # a {{$.Type}} also has {{.}}{{end}}
{{- range .Fields}}
      {{.}}: record.{{$.Path .}}
{{- end}}
`

// Others are the fields of the resource type that are not mapped yet, with their types.
func (c *connectorNewCommand) Others() string {
	var all []string
	fields := tutti.CanonicalFields[tutti.ResourceType(c.Type)]
	for _, name := range sortedNames(fields) {
		if c.Field[name] == "" {
			all = append(all, name+" ("+string(fields[name])+")")
		}
	}
	return strings.Join(all, ", ")
}

// next tells what to do.
func (c *connectorNewCommand) next(out io.Writer) {
	file, secrets := "./"+filepath.ToSlash(shorten(c.Out)), ""
	for _, name := range map[string][]string{"bearer": {"token"}, "basic": {"user", "password"}, "header": {"key"}}[c.Auth] {
		secrets += " --secret " + name + "=" + strings.ToUpper(strings.ReplaceAll(c.Name, "-", "_")+"_"+name)
	}
	system := file + " --url " + c.URL + secrets
	id := " --id " + c.Kind + "/ID"
	if c.From == "rest" && c.List != "" {
		id = "" // what exists is found out by listing
	}
	fmt.Fprintf(out, `%s is written.

Next, with an id that exists in place of ID:
  tutti connector try %s %s/ID --url %s%s
  tutti connector test %s
  tutti connector record %s -o %s.recording.yaml
`, shorten(c.Out), file, c.Kind, c.URL, secrets, system+id, system+id, c.Name)
}

// isNull reports whether a file is the null device, which is a character device as a terminal is.
func isNull(stat os.FileInfo) bool {
	null, err := os.Stat(os.DevNull)
	return err == nil && os.SameFile(stat, null)
}
