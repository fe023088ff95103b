package config

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"github.com/tuttihq/tutti"
	"go.yaml.in/yaml/v3"
)

// Document is a composition, audience, persona or the list of redirects as a file says it.
type Document struct {
	Kind tutti.DocumentKind
	Name string          // the file's name without its ending; "redirects" for redirects
	Body json.RawMessage // with the json tags of the root type
	File string

	tree any // Body, decoded
	at   map[string]*yaml.Node
}

// redirects is the one document of all redirects.
type redirects struct {
	Redirects []tutti.Redirect `json:"redirects"`
}

// RedirectsName is the name of the one document of redirects.
const RedirectsName = "redirects"

// folders say where the documents of each kind lie in a folder of documents.
var folders = []struct {
	kind   tutti.DocumentKind
	folder string
}{
	{tutti.AudienceDocument, "audiences"}, // first, because compositions name them
	{tutti.CompositionDocument, "compositions"},
	{tutti.PersonaDocument, "personas"},
}

const redirectsFile = "redirects.yaml"

// newBody gives an empty value of a kind's root type.
func newBody(kind tutti.DocumentKind) (any, error) {
	switch kind {
	case tutti.CompositionDocument:
		return new(tutti.Composition), nil
	case tutti.AudienceDocument:
		return new(tutti.Audience), nil
	case tutti.PersonaDocument:
		return new(tutti.Persona), nil
	case tutti.RedirectsDocument:
		return new(redirects), nil
	}
	return nil, tutti.Errorf(tutti.Invalid, "reading a document: there is no kind %q", kind)
}

// nameKey is the key of a body that holds the document's name; "" where it has none.
func nameKey(kind tutti.DocumentKind) string {
	switch kind {
	case tutti.CompositionDocument:
		return "id"
	case tutti.RedirectsDocument:
		return ""
	}
	return "name"
}

// ReadDocuments reads audiences/, compositions/, personas/ and redirects.yaml of a folder, in
// that order and by name. What is not there is left out; a folder that is not there at all has
// code NotFound. With mistakes the error is Problems, all of them, and the documents are those
// that could be read.
func ReadDocuments(dir string) ([]Document, error) {
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return nil, &tutti.Error{Code: tutti.NotFound, Message: "There is no folder " + dir + "."}
	}
	var docs []Document
	var problems Problems
	read := func(kind tutti.DocumentKind, file string) error {
		doc, err := ReadDocument(kind, file)
		var ps Problems
		if errors.As(err, &ps) {
			problems = append(problems, ps...)
			return nil
		} else if err != nil {
			return err
		}
		docs = append(docs, doc)
		return nil
	}
	for _, f := range folders {
		files, err := yamlFiles(filepath.Join(dir, f.folder))
		if err != nil {
			return docs, err
		}
		seen := map[string]string{}
		for _, file := range files {
			name := baseName(file)
			if other, twice := seen[name]; twice {
				problems = append(problems, Problem{File: file, Message: "has the same name as " + other})
				continue
			}
			seen[name] = file
			if err := read(f.kind, file); err != nil {
				return docs, err
			}
		}
	}
	file := filepath.Join(dir, redirectsFile)
	if _, err := os.Stat(file); err == nil {
		if err := read(tutti.RedirectsDocument, file); err != nil {
			return docs, err
		}
	}
	return docs, problems.err()
}

// yamlFiles gives the YAML files of a folder by name; none when there is no folder.
func yamlFiles(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, tutti.Errorf(tutti.Unavailable, "reading the folder %s: %w", dir, err)
	}
	var files []string
	for _, e := range entries {
		if ext := filepath.Ext(e.Name()); !e.IsDir() && (ext == ".yaml" || ext == ".yml") && !strings.HasPrefix(e.Name(), ".") {
			files = append(files, filepath.Join(dir, e.Name()))
		}
	}
	slices.Sort(files)
	return files, nil
}

func baseName(file string) string {
	return strings.TrimSuffix(filepath.Base(file), filepath.Ext(file))
}

// ReadDocument reads one file. Its mistakes are Problems, with line and column.
func ReadDocument(kind tutti.DocumentKind, file string) (Document, error) {
	content, err := os.ReadFile(file)
	if err != nil {
		return Document{}, tutti.Errorf(tutti.NotFound, "reading a document: %w", err)
	}
	return ParseDocument(kind, file, content)
}

// ParseDocument reads the content of a file as ReadDocument does.
func ParseDocument(kind tutti.DocumentKind, file string, content []byte) (Document, error) {
	body, err := newBody(kind)
	if err != nil {
		return Document{}, err
	}
	doc := Document{Kind: kind, Name: baseName(file), File: file}
	if kind == tutti.RedirectsDocument {
		doc.Name = RedirectsName
	}
	d := &decoder{file: file, columns: true, at: map[string]*yaml.Node{}}
	if !tutti.IsName(doc.Name) {
		d.problem(nil, "", "has no name for a document: a name is a letter, then letters, digits, '-' or '_', 64 at most", "")
	}
	root := d.parseFile(content)
	if root == nil {
		if len(d.problems) == 0 {
			d.problem(nil, "", "is empty", "")
		}
		return doc, d.problems.err()
	}
	d.value(root, reflect.ValueOf(body).Elem(), "")
	tree, _ := d.plain(root, "")
	object, isObject := tree.(map[string]any)
	if !isObject {
		if len(d.problems) == 0 {
			d.problem(root, "", "must be a mapping of keys to values", "")
		}
		return doc, d.problems.err()
	}
	if key := nameKey(kind); key != "" {
		if name, ok := object[key]; ok && name != doc.Name {
			d.problem(d.at[key], key, "must be the file's name, "+quoted(doc.Name), key+": "+doc.Name)
		}
		object[key] = doc.Name
	}
	if err := d.problems.err(); err != nil {
		return doc, err
	}
	doc.tree, doc.at = tree, d.at
	doc.Body, err = Canonical(kind, mustEncode(object))
	return doc, err
}

// mustEncode writes what plain gave, which always is JSON.
func mustEncode(x any) json.RawMessage {
	b, err := encode(x)
	if err != nil {
		return json.RawMessage("null")
	}
	return b
}

// Canonical writes a body as its root type has it: keys in the order of the type, what is empty
// left out, those of literals sorted. Two bodies mean the same when their canonical forms are equal.
func Canonical(kind tutti.DocumentKind, body json.RawMessage) (json.RawMessage, error) {
	x, err := newBody(kind)
	if err != nil {
		return nil, err
	}
	sorted, err := sortKeys(body)
	if err == nil {
		err = json.Unmarshal(sorted, x)
	}
	if err != nil {
		return nil, tutti.Errorf(tutti.Invalid, "reading the body of a %s: %w", kind, err)
	}
	if p, ok := x.(*tutti.Persona); ok { // what is not given is not allowed; necessary is always
		maps.DeleteFunc(p.Consent, func(purpose tutti.Purpose, given bool) bool { return !given || purpose == tutti.Necessary })
	}
	return encode(x)
}

// sortKeys writes JSON with its keys sorted. A text or list that is null is left out: that is
// what null means there.
func sortKeys(body json.RawMessage) (json.RawMessage, error) {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var x any
	if err := d.Decode(&x); err != nil {
		return nil, err
	}
	dropNulls(x)
	return encode(x)
}

func dropNulls(x any) {
	switch at := x.(type) {
	case []any:
		for _, c := range at {
			dropNulls(c)
		}
	case map[string]any:
		for key, c := range at {
			switch key {
			case "value", "default", "filter", "attributes": // not ours
				continue
			case "title", "description", "label", "slots", "components", "redirects":
				if c == nil {
					delete(at, key)
				}
			}
			dropNulls(c)
		}
	}
}
