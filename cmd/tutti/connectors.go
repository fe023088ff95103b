package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

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
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "NAME\tFAMILY\tKINDS\tPROVEN ON\tCAN")
	for _, info := range all {
		var kinds, can []string
		for _, k := range info.Kinds {
			kinds = append(kinds, k.Name)
		}
		for _, c := range info.Capabilities {
			can = append(can, string(c))
		}
		proven := info.Proven
		if proven == "" {
			proven = "its documentation"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", info.Name, info.Family, strings.Join(kinds, ", "), proven, strings.Join(can, ", "))
	}
	return w.Flush()
}
