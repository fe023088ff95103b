package main

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/internal/config"
	"github.com/tuttihq/tutti/sources"
	"github.com/tuttihq/tutti/sources/contract"
	"github.com/tuttihq/tutti/sources/recording"
)

// writeConnectorPages writes a page for each connector, and one that lists them. Pages that are there
// and belong to no connector any more are removed.
func writeConnectorPages(dir string, out io.Writer) error {
	pages, err := connectorPages()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return tutti.Errorf(tutti.Unavailable, "making the folder: %w", err)
	}
	old, _ := filepath.Glob(filepath.Join(dir, "*.md"))
	for _, path := range old {
		if b, err := os.ReadFile(path); err == nil && pages[filepath.Base(path)] == nil && bytes.Contains(b, []byte(generatedMark)) {
			if err := os.Remove(path); err != nil {
				return tutti.Errorf(tutti.Unavailable, "removing an old page: %w", err)
			}
		}
	}
	for _, name := range sortedNames(pages) {
		if err := os.WriteFile(filepath.Join(dir, name), pages[name], 0o644); err != nil {
			return tutti.Errorf(tutti.Unavailable, "writing a page: %w", err)
		}
	}
	fmt.Fprintf(out, "%s: %s.\n", shorten(dir), count(len(pages), "page"))
	return nil
}

const generatedMark = "<!-- Written by: tutti connectors --docs docs/connectors -->"

// connectorPages gives the pages by their file names.
func connectorPages() (map[string][]byte, error) {
	all, err := allConnectors()
	if err != nil {
		return nil, err
	}
	pages := map[string][]byte{"README.md": connectorIndex(all)}
	for _, info := range all {
		m, err := sources.ReadManifest(info.Name, "")
		if err != nil {
			return nil, err
		}
		p := &connectorPage{m: m, info: info}
		if p.recording, err = sources.ReadRecording(m.Name, ""); err != nil && tutti.CodeOf(err) != tutti.NotFound {
			return nil, err
		}
		pages[info.Name+".md"] = p.write()
	}
	return pages, nil
}

var familyNames = map[string]string{
	"dam": "Pictures, films and files", "catalog": "Products", "social": "Social posts", "support": "Requests and help", "content": "Articles and other content", "any": "Any system",
}

func connectorIndex(all []connectorInfo) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s\n# Connectors\n\nWhat comes with Tutti. Each is a page of YAML in [sources/vendors](../../sources/vendors) that you could have written: [how](../connector-tutorial.md), and [every key](../manifests.md).\n", generatedMark)
	for _, family := range sources.Families() {
		if !slices.ContainsFunc(all, func(i connectorInfo) bool { return i.Family == family }) {
			continue
		}
		fmt.Fprintf(&b, "\n## %s\n\n| connector | what it speaks to | kinds | proven on |\n|---|---|---|---|\n", familyNames[family])
		for _, i := range all {
			if i.Family != family {
				continue
			}
			var kinds []string
			for _, k := range i.Kinds {
				kinds = append(kinds, "`"+k.Name+"`")
			}
			fmt.Fprintf(&b, "| [%s](%s.md) | %s | %s | %s |\n", i.Name, i.Name, cell(i.Description), strings.Join(kinds, ", "), proof(i))
		}
	}
	fmt.Fprint(&b, "\n“Documentation” means: never tried on the real system, only on answers that were built from its documentation.\n")
	return b.Bytes()
}

func proof(i connectorInfo) string {
	if i.Proven != "" {
		return i.Proven
	}
	return "documentation"
}

// connectorPage is the page of one connector.
type connectorPage struct {
	bytes.Buffer
	m         *sources.Manifest
	info      connectorInfo
	recording *recording.Recording // nil = there is none
}

func (p *connectorPage) say(format string, args ...any) { fmt.Fprintf(p, format, args...) }

func (p *connectorPage) write() []byte {
	p.say("%s\n# %s\n\n%s\n\n", generatedMark, p.m.Name, p.m.Description)
	if p.m.Proven != "" {
		p.say("Proven on the real system: **%s**.\n", p.m.Proven)
	} else {
		p.say("**Built from the system's documentation, and never tried on the real system.** What was tested stands at the end.\n")
	}
	p.say("The manifest: [sources/vendors/%s.yaml](../../sources/vendors/%s.yaml).\n", p.m.Name, p.m.Name)
	p.needs()
	p.config()
	p.abilities()
	for _, d := range p.m.Definitions() {
		p.kind(d)
	}
	p.limits()
	p.changes()
	p.tested()
	return p.Bytes()
}

func (p *connectorPage) needs() {
	p.say("\n## What it needs\n\n")
	if p.m.Setup != "" {
		p.say("%s\n\n", strings.TrimSpace(p.m.Setup))
	}
	if len(p.m.Settings)+len(p.m.Secrets) == 0 {
		p.say("Nothing but the address of the system.\n")
		return
	}
	p.say("| | | what it is, and where to find it |\n|---|---|---|\n")
	for what, all := range [2]map[string]sources.Declaration{p.m.Settings, p.m.Secrets} {
		for _, name := range sortedNames(all) {
			d := all[name]
			var more []string
			if d.Required {
				more = append(more, "required")
			}
			if d.Default != "" {
				more = append(more, "default `"+d.Default+"`")
			}
			text := d.Description
			if d.Example != "" {
				text += " For example `" + d.Example + "`."
			}
			p.say("| %s `%s` | %s | %s |\n", [2]string{"setting", "secret"}[what], name, strings.Join(more, ", "), cell(text))
		}
	}
}

// config writes a source as tutti.yaml has it.
func (p *connectorPage) config() {
	p.say("\n## In tutti.yaml\n\n```yaml\n%s```\n", exampleConfig(p.m))
	p.say("\n`access` says who gets the items: `public`, `visitor` (only their owner) or `internal`. [configuration.md](../configuration.md) has the rest.\n")
}

// exampleConfig is a source that says everything that must be said.
func exampleConfig(m *sources.Manifest) string {
	var b strings.Builder
	name := strings.ToUpper(strings.ReplaceAll(m.Name, "-", "_"))
	fmt.Fprintf(&b, "sources:\n  %s:\n    connector: %s\n", m.Name, m.Name)
	if m.URL == "" && speaksHTTP(m) {
		fmt.Fprintf(&b, "    url: https://%s.example.com # where yours is\n", m.Name)
	}
	settings := map[string]string{}
	for s, d := range m.Settings {
		if d.Required {
			settings[s] = d.Example
		}
	}
	group := func(title string, all map[string]string) {
		if len(all) > 0 {
			fmt.Fprintf(&b, "    %s:\n", title)
		}
		for _, s := range sortedNames(all) {
			fmt.Fprintf(&b, "      %s: %q\n", s, all[s])
		}
	}
	group("settings", settings)
	secrets, others := map[string]string{}, map[string]string{}
	for s, d := range m.Secrets {
		into := others
		if d.Required || m.Webhook != nil && m.Webhook.Secret == s {
			into = secrets
		}
		into[s] = "${" + name + "_" + screaming(s) + "}"
	}
	group("secrets", secrets)
	if len(others) > 0 && len(secrets) == 0 {
		b.WriteString("    # secrets:\n")
	}
	for _, s := range sortedNames(others) {
		fmt.Fprintf(&b, "    #   %s: %q\n", s, others[s])
	}
	if m.Webhook != nil && m.Webhook.Secret == "" {
		fmt.Fprintf(&b, "    webhook: {secret: \"${%s_WEBHOOK_SECRET}\"}\n", name)
	}
	kinds := ""
	for _, d := range m.Definitions() {
		if d.Owner != "" && d.OwnerFilter {
			kinds += fmt.Sprintf("      %s: {access: visitor, owner: %s}\n", d.Name, d.Owner)
			continue
		}
		kinds += fmt.Sprintf("      %s: {access: public}\n", d.Name)
	}
	if strings.Contains(kinds, "access: visitor") {
		b.WriteString("    visitor: visitor # CEL over visitor, claims and attributes: what the system calls this visitor\n")
	}
	return b.String() + "    kinds:\n" + kinds
}

func speaksHTTP(m *sources.Manifest) bool { return m.Protocol == "" || m.Protocol == "http" }

// screaming writes apiToken as API_TOKEN.
func screaming(name string) string {
	var b strings.Builder
	for i, r := range name {
		if i > 0 && r >= 'A' && r <= 'Z' {
			b.WriteByte('_')
		}
		b.WriteRune(r)
	}
	return strings.ToUpper(b.String())
}

func (p *connectorPage) abilities() {
	p.say("\n## What it can do\n\n| | %s |\n|---%s|\n", strings.Join(kindNames(p.info), " | "), strings.Repeat("|---", len(p.info.Kinds)))
	for _, c := range p.info.Capabilities {
		p.say("| %s |", c)
		for _, k := range p.info.Kinds {
			mark := "–"
			if slices.Contains(k.Capabilities, c) {
				mark = "yes"
			}
			p.say(" %s |", mark)
		}
		p.say("\n")
	}
}

func kindNames(i connectorInfo) (all []string) {
	for _, k := range i.Kinds {
		all = append(all, "`"+k.Name+"`")
	}
	return all
}

func (p *connectorPage) kind(d sources.Definition) {
	spec := p.m.Kinds[d.Name]
	p.say("\n## `%s`\n\n%s", d.Name, d.Description)
	p.say(" Delivered as `%s`", d.Type)
	if d.Owner != "" {
		p.say("; it belongs to its `%s`", d.Owner)
	}
	p.say(".\n\n")
	var facts []string
	if spec.ID.Pattern != "" {
		facts = append(facts, "Ids match `"+spec.ID.Pattern+"`.")
	}
	if len(d.Dimensions) > 0 {
		facts = append(facts, "It depends on "+strings.Join(d.Dimensions, ", ")+".")
	}
	switch {
	case d.Whole != "":
		facts = append(facts, "One call gives all of them.")
	case d.MaxIDs > 1:
		facts = append(facts, fmt.Sprintf("One call gives up to %d.", d.MaxIDs))
	default:
		facts = append(facts, "Each is a call; several are made at the same time.")
	}
	p.say("%s", strings.Join(facts, " "))
	p.say("\n\n| field | type | read from |\n|---|---|---|\n")
	for _, name := range sortedNames(d.Fields) {
		r, _ := p.m.FieldReading(d.Name, name)
		p.say("| `%s` | %s | `%s` |\n", name, d.Fields[name], cell(strings.Join(strings.Fields(r.Value), " ")))
	}
	p.selections(d)
}

func (p *connectorPage) selections(d sources.Definition) {
	spec := p.m.Kinds[d.Name]
	if len(spec.Select) == 0 {
		p.say("\nIt cannot be selected: a composition names its items by their refs.\n")
		return
	}
	if len(d.Filters) > 0 {
		p.say("\n| filter | type | selects |\n|---|---|---|\n")
		for _, name := range sortedNames(d.Filters) {
			f := d.Filters[name]
			p.say("| `%s` | %s | %s |\n", name, f.Type, cell(f.Description))
		}
	}
	p.say("\nIt is selected by one of:\n\n")
	for _, s := range spec.Select {
		p.say("- %s\n", way(s))
	}
}

// way tells what a call for selections takes.
func way(s *sources.SelectSpec) string {
	var all []string
	if s.Owner {
		all = append(all, "its owner")
	}
	for _, f := range s.Filters {
		all = append(all, "`"+f+"`")
	}
	for _, f := range s.Optional {
		all = append(all, "`"+f+"` (or not)")
	}
	switch s.Text {
	case "required":
		all = append(all, "words")
	case "optional":
		all = append(all, "words (or not)")
	}
	if len(all) == 0 {
		all = append(all, "nothing: the list of all")
	}
	text := strings.Join(all, ", ")
	var sorts []string
	for _, name := range sortedNames(s.Sorts) {
		if name = "`" + strings.TrimPrefix(name, "-") + "`"; !slices.Contains(sorts, name) {
			sorts = append(sorts, name)
		}
	}
	if slices.Sort(sorts); len(sorts) > 0 {
		text += "; sorted by " + strings.Join(sorts, ", ") + " (a leading `-` for descending)"
	}
	first := s.Paging.MaxFirst
	if first == 0 {
		first = 100
	}
	if s.Paging.Type == "" {
		return text + fmt.Sprintf("; one page of up to %d", first)
	}
	return text + fmt.Sprintf("; pages of up to %d", first)
}

func (p *connectorPage) limits() {
	if !speaksHTTP(p.m) {
		return
	}
	l := p.m.Limits
	p.say("\n## Limits\n\n")
	statuses := l.Statuses
	if len(statuses) == 0 {
		statuses = []int{429}
	}
	var all []string
	for _, s := range statuses {
		all = append(all, fmt.Sprint(s))
	}
	p.say("When the system answers %s, no call is made until its `Retry-After`", strings.Join(all, " or "))
	if l.Reset != "" {
		p.say(", or else what `%s` says", l.Reset)
	}
	p.say(".")
	if l.Remaining != "" {
		p.say(" Nor is one when `%s` of a good answer is 0.", l.Remaining)
	}
	switch {
	case l.Rate > 0 && l.Concurrency > 0:
		p.say(" At most %v calls are made a second, and %d at the same time.", l.Rate, l.Concurrency)
	case l.Rate > 0:
		p.say(" At most %v calls are made a second.", l.Rate)
	case l.Concurrency > 0:
		p.say(" At most %d calls are made at the same time.", l.Concurrency)
	}
	p.say(" `limits` in the config sets rate and concurrency of a source.\n")
}

// changes tells how one hears that something changed.
func (p *connectorPage) changes() {
	p.say("\n## When something changes\n\n")
	w, polled := p.m.Webhook, p.polled()
	switch {
	case p.m.Protocol == "files":
		p.say("The folder is watched: a file that changes is read again at once.\n")
	case p.m.Notify != "":
		p.say("The database notifies what changed on the channel `%s`, and that is read again at once.\n", p.m.Notify)
		if polled != "" {
			p.say("Where it cannot be heard (a read replica, PgBouncer in transaction mode), a kind with `poll: 60s` in the config is asked what changed; what was deleted is noticed when it is read again.\n")
		}
	case w == nil && polled == "":
		p.say("The system tells nothing: items are read again when `freshness` says so, and `tutti invalidate` makes them old at once.\n")
	case w == nil:
		p.say("The system posts nothing. It is asked what changed (`poll` of a kind in the config says how often):\n\n%s", polled)
	case polled == "":
		p.say("With a webhook the system tells at once. Where none is set up, items are read again when `freshness` says so.\n")
	default:
		p.say("With a webhook the system tells at once. Where none is set up, it is asked what changed (`poll` of a kind in the config says how often, also beside a webhook):\n\n%s", polled)
	}
	if w != nil {
		p.webhook(w)
	}
}

// polled lists how often is asked what changed; "" = never.
func (p *connectorPage) polled() string {
	var b strings.Builder
	for _, d := range p.m.Definitions() {
		c := p.m.Kinds[d.Name].Changes
		if c == nil {
			continue
		}
		fmt.Fprintf(&b, "- `%s`: every %s", d.Name, cmp.Or(c.Interval, "60s"))
		if len(c.Needs) > 0 {
			fmt.Fprintf(&b, ", with `%s`", strings.Join(c.Needs, "`, `"))
		}
		if !c.Complete && c.Deleted == "" {
			b.WriteString("; what was deleted is noticed when it is read again")
		}
		b.WriteString("\n")
	}
	return b.String()
}

func (p *connectorPage) webhook(w *sources.WebhookSpec) {
	p.say("\n### Webhook\n\n")
	p.say("The system posts to `https://YOUR-SERVER/webhooks/SOURCE`; SOURCE is the name of the source in `tutti.yaml`. A message counts by %s, with ", knownBy(w.Scheme))
	if w.Secret != "" {
		p.say("the secret `%s`.", w.Secret)
	} else {
		p.say("what `webhook: {secret: …}` of the source says.")
	}
	p.say(" Any other is refused, and one that comes twice has one effect.\n")
	if w.Setup != "" {
		p.say("\n%s\n", strings.TrimSpace(w.Setup))
	}
	if len(w.Complete) > 0 {
		p.say("\nEvery change of `%s` is told so. With `webhook: {secret: …}` they are fresh for ten minutes where `freshness` says nothing, and not for one.\n", strings.Join(w.Complete, "`, `"))
	}
	p.say("\n| message | makes old |\n|---|---|\n")
	for _, c := range w.Changes {
		when := "any"
		if c.When != "" {
			when = "`" + cell(strings.Join(strings.Fields(c.When), " ")) + "`"
		}
		what := "`" + c.Kind + "`, those it names"
		if c.IDs == "" {
			what = "every `" + c.Kind + "`"
		}
		p.say("| %s | %s |\n", when, what)
	}
}

// knownBy tells how messages are known to be from the system.
func knownBy(s sources.SchemeSpec) string {
	switch {
	case s.Like == "":
		return "the signature in `" + s.Header + "`"
	case s.Header != "":
		return "the [scheme](../manifests.md#webhooks) `" + s.Like + "`, in the header `" + s.Header + "`"
	}
	return "the [scheme](../manifests.md#webhooks) `" + s.Like + "`"
}

// whatToWrite is what a reason tells an author to write into a recording.
var whatToWrite = regexp.MustCompile(`:? ?(say one|write one|say which exist)? \((--|kinds\.|hooks|say what)[^)]*\)`)

// tested tells what was tested on what.
func (p *connectorPage) tested() {
	p.say("\n## What was tested\n\n")
	switch {
	case p.m.Protocol == "sql":
		p.say("`make test` asks a running %s the whole contract suite. `make e2e` kills one, starts it again, and freezes it.\n", p.m.Proven)
	case p.m.Protocol == "files":
		p.say("`make test` asks a folder the whole contract suite. `make e2e` follows what is written, removed and moved away while the server runs.\n")
	case p.m.Proven != "":
		p.say("`make e2e` asks a running %s the whole contract suite.\n", p.m.Proven)
	default:
		p.say("Nothing on the real system.\n")
	}
	if p.recording == nil {
		return
	}
	if real := !strings.HasPrefix(p.recording.From, "documentation"); real {
		p.say("`make test` asks it again of what %s answered when it was recorded.\n", p.recording.From)
	} else {
		p.say("`make test` asks answers that were built from the system's documentation ([sources/recordings/%s.yaml](../../sources/recordings/%s.yaml)).\n", p.m.Name, p.m.Name)
	}
	sys, err := contract.New(contract.System{Source: config.Source{Connector: p.m.Name}, Recording: p.recording})
	if err != nil {
		p.say("\n%v\n", err)
		return
	}
	passed, cannot := map[string][]string{}, []contract.Result{}
	for _, q := range sys.Questions() {
		if q.Slow {
			continue
		}
		switch r := sys.Ask(context.Background(), q); {
		case r.Outcome == contract.Passed:
			passed[r.Kind] = append(passed[r.Kind], r.Question)
		case !r.Absent:
			cannot = append(cannot, r)
		}
	}
	p.say("Besides what becomes of it when the system is slow, broken, or asks to wait, these were asked there:\n\n")
	for _, kind := range sortedNames(passed) {
		name := "the system"
		if kind != "" {
			name = "`" + kind + "`"
		}
		p.say("- %s: %s\n", name, strings.Join(passed[kind], ", "))
	}
	if len(cannot) > 0 {
		p.say("\nNot asked there, though the manifest offers it:\n\n")
	}
	for _, r := range cannot {
		name := ""
		if r.Kind != "" {
			name = "`" + r.Kind + "`, "
		}
		p.say("- %s%s: %s\n", name, r.Question, whatToWrite.ReplaceAllString(strings.Join(r.Why, "; "), ""))
	}
}

// cell makes a text fit into a table.
func cell(s string) string {
	return strings.ReplaceAll(strings.Join(strings.Fields(s), " "), "|", "\\|")
}
