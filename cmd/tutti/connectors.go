package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"text/tabwriter"
	"unicode/utf8"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/sources"
)

// connectorsCommand lists what comes with the product.
type connectorsCommand struct {
	JSON bool   `help:"For scripts."`
	Docs string `help:"Write the documentation pages of all connectors into this folder instead." placeholder:"DIR" type:"path"`
}

// Help shows how to call it.
func (connectorsCommand) Help() string {
	return `Each is a manifest: a page of YAML. “Proven” names the real system and version on which a connector was tried; the others
were tried on answers built from the system's documentation.

Examples:
  tutti connectors
  tutti connectors --json
  tutti connectors --docs docs/connectors`
}

// connectorInfo is what a script learns of a connector.
type connectorInfo struct {
	Name         string               `json:"name"`
	Family       string               `json:"family"`
	Description  string               `json:"description"`
	Kinds        []kindInfo           `json:"kinds"`
	Capabilities []sources.Capability `json:"capabilities"` // of any kind
	Proven       string               `json:"proven,omitempty"`
	Recording    string               `json:"recording,omitempty"` // where its recorded answers are from
	Docs         string               `json:"docs"`
}

type kindInfo struct {
	Name         string               `json:"name"`
	Type         tutti.ResourceType   `json:"type"`
	Capabilities []sources.Capability `json:"capabilities"`
}

// allConnectors gives the connectors that come with the product, in the order of their families.
func allConnectors() ([]connectorInfo, error) {
	var all []connectorInfo
	for _, family := range sources.Families() {
		for _, name := range sources.Vendors() {
			m, err := sources.ReadManifest(name, "")
			if err != nil {
				return nil, err
			}
			if m.Family == family {
				all = append(all, describe(m))
			}
		}
	}
	return all, nil
}

func describe(m *sources.Manifest) connectorInfo {
	info := connectorInfo{Name: m.Name, Family: m.Family, Description: m.Description, Capabilities: m.Capabilities(""), Proven: m.Proven, Docs: "docs/connectors/" + m.Name + ".md"}
	for _, d := range m.Definitions() {
		info.Kinds = append(info.Kinds, kindInfo{Name: d.Name, Type: d.Type, Capabilities: m.Capabilities(d.Name)})
	}
	if r, err := sources.ReadRecording(m.Name, ""); err == nil {
		info.Recording = r.From
	}
	return info
}

// Run lists, or writes the pages.
func (c *connectorsCommand) Run(_ context.Context, out, _ io.Writer) error {
	if c.Docs != "" {
		return writeConnectorPages(c.Docs, out)
	}
	all, err := allConnectors()
	if err != nil {
		return err
	}
	if c.JSON {
		enc := json.NewEncoder(out)
		enc.SetIndent("", "  ")
		return enc.Encode(all)
	}
	table := connectorTable(all)
	if fits(table, columns(out)) {
		_, err = out.Write(table)
		return err
	}
	return listNarrow(out, all)
}

// connectorTable writes a connector a line.
func connectorTable(all []connectorInfo) []byte {
	var b bytes.Buffer
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "NAME\tFAMILY\tKINDS\tPROVEN ON\tCAN")
	for _, info := range all {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", info.Name, info.Family, info.kinds(), info.provenOn(), info.can())
	}
	_ = w.Flush() // into memory
	return b.Bytes()
}

// listNarrow writes a connector in several lines, for terminals on which a line of the table would break.
func listNarrow(out io.Writer, all []connectorInfo) error {
	for _, info := range all {
		if _, err := fmt.Fprintf(out, "%s (%s)\n  kinds   %s\n  proven  %s\n  can     %s\n", info.Name, info.Family, info.kinds(), info.provenOn(), info.can()); err != nil {
			return err
		}
	}
	return nil
}

func (i connectorInfo) kinds() string {
	var all []string
	for _, k := range i.Kinds {
		all = append(all, k.Name)
	}
	return strings.Join(all, ", ")
}

func (i connectorInfo) can() string {
	var all []string
	for _, c := range i.Capabilities {
		all = append(all, string(c))
	}
	return strings.Join(all, ", ")
}

func (i connectorInfo) provenOn() string { return cmp.Or(i.Proven, "its documentation") }

// fits reports whether no line of a text is longer than so many columns; 0 = there is no end.
func fits(text []byte, columns int) bool {
	for line := range bytes.Lines(text) {
		if columns > 0 && utf8.RuneCount(bytes.TrimRight(line, "\n")) > columns {
			return false
		}
	}
	return true
}

// columns is how wide the terminal is that out writes to, or what COLUMNS says; 0 where it is none.
func columns(out io.Writer) int {
	if n, err := strconv.Atoi(os.Getenv("COLUMNS")); err == nil && n > 0 {
		return n
	}
	if w, ok := out.(*written); ok {
		out = w.Writer
	}
	if f, ok := out.(*os.File); ok {
		return terminalWidth(f)
	}
	return 0
}
