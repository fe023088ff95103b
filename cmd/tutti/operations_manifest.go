package main

import (
	"bytes"
	"encoding/json"
	"os"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"

	"github.com/tuttihq/tutti"
)

// manifestOperation is one operation of a manifest, as the API takes it.
type manifestOperation struct {
	ID   string `json:"id"`
	Name string `json:"name,omitempty"`
	Text string `json:"text"`
}

// apolloManifest is the form that Apollo's tools write.
type apolloManifest struct {
	Format     string
	Version    int
	Operations []struct{ ID, Name, Body string }
}

const apolloFormat = "apollo-persisted-query-manifest"

// readManifest reads a manifest of either form, and gives its operations by name and id.
func readManifest(file string) ([]manifestOperation, error) {
	content, err := os.ReadFile(file)
	if err != nil {
		return nil, tutti.Errorf(tutti.Unavailable, "reading the manifest: %w", err)
	}
	all, err := parseManifest(content)
	if err != nil {
		return nil, err
	}
	if len(all) == 0 {
		return nil, &tutti.Error{Code: tutti.Invalid, Field: "MANIFEST", Message: "it holds no operation."}
	}
	slices.SortFunc(all, func(x, y manifestOperation) int {
		if c := strings.Compare(x.Name, y.Name); c != 0 {
			return c
		}
		return strings.Compare(x.ID, y.ID)
	})
	return all, nil
}

func parseManifest(content []byte) ([]manifestOperation, error) {
	bad := func(message string) ([]manifestOperation, error) {
		return nil, &tutti.Error{Code: tutti.Invalid, Field: "MANIFEST", Message: message, Hint: "tutti operations push --help shows the two forms that are read."}
	}
	content = bytes.TrimPrefix(content, []byte("\uFEFF"))
	var entries map[string]json.RawMessage
	if err := json.Unmarshal(content, &entries); err != nil || entries == nil {
		return bad("this is no JSON object.")
	}
	if _, ok := entries["format"]; ok {
		var m apolloManifest
		if err := json.Unmarshal(content, &m); err != nil || m.Format != apolloFormat || m.Version != 1 {
			return bad("only version 1 of the format " + apolloFormat + " is known.")
		}
		var all []manifestOperation
		for _, o := range m.Operations {
			if o.ID == "" || o.Body == "" {
				return bad("an operation has no id or no body.")
			}
			all = append(all, manifestOperation{ID: o.ID, Name: o.Name, Text: o.Body})
		}
		return all, nil
	}
	var all []manifestOperation
	for id, raw := range entries {
		var text string
		if json.Unmarshal(raw, &text) != nil || id == "" || text == "" {
			return bad("an identifier stands for no text.")
		}
		all = append(all, manifestOperation{ID: id, Name: nameOf(text), Text: text})
	}
	return all, nil
}

// nameOf is the name of a text's first operation; "" when it has none, or cannot be read (the
// server says what is wrong with it).
func nameOf(text string) string {
	doc, err := parser.ParseQuery(&ast.Source{Input: text})
	if err != nil || len(doc.Operations) == 0 {
		return ""
	}
	return doc.Operations[0].Name
}
