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
	From   string            `help:"How the system is asked: ${enum}." enum:"rest,graphql," default:""`
	URL    string            `name:"url" help:"Where the system is." placeholder:"URL"`
	Family string            `help:"What the system is for: ${enum}." enum:"dam,catalog,social,support,content,any," default:""`
	Kind   string            `help:"The first kind of item." placeholder:"KIND"`
	Type   string            `help:"The resource type of its items." placeholder:"TYPE"`
	Get    string            `help:"The path of one item, with {id} in it; of GraphQL the field for one." placeholder:"PATH"`
	List   string            `help:"The path of the list of items; none: it cannot be listed." placeholder:"PATH"`
	Record string            `help:"Where the list of records is in its answer; none: the answer itself." placeholder:"PATH"`
	Auth   string            `help:"How the system knows us: ${enum}." enum:"none,basic,bearer,header," default:""`
	Field  map[string]string `help:"A field, and where it stands in a record: title=name. May be given several times." placeholder:"NAME=PATH" mapsep:"none"`
	Out    string            `short:"o" help:"The file to write. Default: NAME.yaml." placeholder:"FILE" type:"path"`

	in io.Reader // where answers are typed; nil = the terminal, if there is one
}

// Help shows how to call it.
func (connectorNewCommand) Help() string {
	return `Asks on a terminal for what no flag says. The manifest is right from the beginning: it is read before it is written.

Examples:
  tutti connector new
  tutti connector new acme --from rest --url https://acme.example/v2 --kind item --type Product --get /items/{id} --list /items --record items --auth bearer --field title=name
  tutti connector new shop --from graphql --url https://shop.example --kind product --type Product --get product --field title=name`
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
	if !tutti.IsName(c.Name) {
		return &tutti.Error{Code: tutti.InvalidValue, Field: "NAME", Message: "is missing or no name.", Hint: "Write letters, digits, '-' and '_', for example  acme"}
	}
	if slices.Contains(sources.Vendors(), c.Name) {
		return &tutti.Error{Code: tutti.InvalidValue, Field: "NAME", Message: "“" + c.Name + "” is a connector that comes with Tutti.", Hint: "Look at it first: docs/connectors/" + c.Name + ".md"}
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
	if u, err := url.Parse(c.URL); err != nil || u.Host == "" {
		return nil, &tutti.Error{Code: tutti.InvalidValue, Field: "--url", Message: "is no address of a system.", Hint: "Write, for example  https://acme.example"}
	}
	c.Get, c.URL = placeOfID.ReplaceAllString(c.Get, "$${id}"), strings.TrimSuffix(c.URL, "/")
	if c.From == "rest" && !strings.Contains(c.Get, "${id}") {
		return nil, &tutti.Error{Code: tutti.InvalidValue, Field: "--get", Message: "does not say where the id stands.", Hint: "Write {id} in its place: " + c.Get + "/{id}"}
	}
	if c.Field == nil {
		c.Field = map[string]string{}
	}
	if c.Field["title"] == "" {
		c.Field["title"] = "title"
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
      path: /graphql
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
    map:
{{- range .Fields}}
      {{.}}: record.{{$.Path .}}
{{- end}}
`

// next tells what to do.
func (c *connectorNewCommand) next(out io.Writer) {
	file, secrets := "./"+filepath.ToSlash(shorten(c.Out)), ""
	for _, name := range map[string][]string{"bearer": {"token"}, "basic": {"user", "password"}, "header": {"key"}}[c.Auth] {
		secrets += " --secret " + name + "=" + strings.ToUpper(strings.ReplaceAll(c.Name, "-", "_")+"_"+name)
	}
	fmt.Fprintf(out, `%s is written.

Next:
  tutti connector try %s %s/ID --url %s%s
  tutti connector test %s --url %s%s
  tutti connector record %s --url %s%s -o %s.recording.yaml
`, shorten(c.Out), file, c.Kind, c.URL, secrets, file, c.URL, secrets, file, c.URL, secrets, c.Name)
}

// isNull reports whether a file is the null device, which is a character device as a terminal is.
func isNull(stat os.FileInfo) bool {
	null, err := os.Stat(os.DevNull)
	return err == nil && os.SameFile(stat, null)
}
