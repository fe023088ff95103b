package sources

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"mime"
	"slices"
	"strings"

	"github.com/tuttihq/tutti"
	"golang.org/x/net/html/charset"
)

// XML becomes JSON by one rule. The answer is an object with one member, the outermost element. An element without
// attributes and elements in it is its text. Another is an object: elements by their names without prefix, attributes
// with '@' in front, text that is not only space as "#text". An element that is repeated is a list; one that is declared
// to be a list is one always, also when there is none of it. Everything is text. There is no DTD and no entity but the
// five that XML has; comments and instructions are left out.

const (
	maxXMLNesting    = 200
	maxXMLElements   = 100_000 // attributes too: an element takes two hundred times the memory of its shortest form
	maxXMLAttributes = 100     // of one element
)

func isXML(contentType string) bool {
	t, _, err := mime.ParseMediaType(contentType)
	return err == nil && (t == "application/xml" || t == "text/xml" || strings.HasSuffix(t, "+xml"))
}

// xmlLists are the elements that are lists, as a tree of their names.
type xmlLists struct {
	list  bool
	below map[string]*xmlLists
}

func (l *xmlLists) add(path []string) {
	for _, name := range path {
		if l.below == nil {
			l.below = map[string]*xmlLists{}
		}
		if l.below[name] == nil {
			l.below[name] = &xmlLists{}
		}
		l = l.below[name]
	}
	l.list = true
}

// at gives what is declared below an element; nil = nothing.
func (l *xmlLists) at(name string) *xmlLists {
	if l == nil {
		return nil
	}
	return l.below[name]
}

// element is one of an XML document.
type element struct {
	name       string
	attributes []xml.Attr
	text       []byte
	elements   []*element
}

// xmlToJSON reads a document. BadAnswer for what is none, has a DTD or is nested too deeply; TooLarge for too many
// elements.
func xmlToJSON(b []byte, lists *xmlLists) (raw, error) {
	root, err := readXML(b)
	if err != nil {
		return nil, err
	}
	out := make(raw, 0, len(b)+64)
	out = append(appendText(append(out, '{'), root.name), ':')
	return append(root.json(out, lists.at(root.name)), '}'), nil
}

func readXML(b []byte) (*element, error) {
	notXML := func(what string) error { return tutti.Errorf(tutti.BadAnswer, "reading the answer: %s", what) }
	d := xml.NewDecoder(bytes.NewReader(bytes.TrimPrefix(b, byteOrderMark)))
	d.CharsetReader = charset.NewReaderLabel
	outermost := &element{}
	open, count := []*element{outermost}, 0
	for {
		t, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil { // it may quote the answer
			return nil, notXML("it is not valid XML")
		}
		in := open[len(open)-1]
		switch t := t.(type) {
		case xml.StartElement:
			if count += 1 + len(t.Attr); count > maxXMLElements {
				return nil, tutti.Errorf(tutti.TooLarge, "reading the answer: it has more than %d elements", maxXMLElements)
			}
			if len(open) > maxXMLNesting || len(t.Attr) > maxXMLAttributes {
				return nil, notXML("its XML is nested too deeply or has too many attributes")
			}
			e := &element{name: t.Name.Local}
			for _, a := range t.Attr {
				if a.Name.Space != "xmlns" && a.Name.Local != "xmlns" {
					e.attributes = append(e.attributes, a)
				}
			}
			in.elements = append(in.elements, e)
			open = append(open, e)
		case xml.EndElement:
			open = open[:len(open)-1]
		case xml.CharData:
			in.text = append(in.text, t...)
		case xml.Directive:
			return nil, notXML("its XML has a document type, which is not read")
		}
	}
	if len(outermost.elements) != 1 || len(bytes.TrimSpace(outermost.text)) > 0 {
		return nil, notXML("it is not valid XML")
	}
	return outermost.elements[0], nil
}

func (e *element) json(b raw, lists *xmlLists) raw {
	if len(e.attributes) == 0 && len(e.elements) == 0 && (lists == nil || len(lists.below) == 0) {
		return appendText(b, string(e.text))
	}
	b = append(b, '{')
	member := func(name string) {
		if b[len(b)-1] != '{' {
			b = append(b, ',')
		}
		b = append(appendText(b, name), ':')
	}
	for i, a := range e.attributes {
		if !slices.ContainsFunc(e.attributes[:i], func(x xml.Attr) bool { return x.Name.Local == a.Name.Local }) {
			member("@" + a.Name.Local)
			b = appendText(b, a.Value)
		}
	}
	names, byName := e.grouped()
	for _, name := range names {
		same, below := byName[name], lists.at(name)
		member(name)
		isList := len(same) > 1 || below != nil && below.list
		if isList {
			b = append(b, '[')
		}
		for i, x := range same {
			if i > 0 {
				b = append(b, ',')
			}
			b = x.json(b, below)
		}
		if isList {
			b = append(b, ']')
		}
	}
	if lists != nil {
		for _, name := range sortedKeys(lists.below) {
			if lists.below[name].list && byName[name] == nil {
				member(name)
				b = append(b, '[', ']')
			}
		}
	}
	if len(bytes.TrimSpace(e.text)) > 0 {
		member("#text")
		b = appendText(b, string(e.text))
	}
	return append(b, '}')
}

// grouped gives the elements by their names, and these in the order in which they come first.
func (e *element) grouped() (names []string, byName map[string][]*element) {
	byName = make(map[string][]*element, min(len(e.elements), 16))
	for _, x := range e.elements {
		if byName[x.name] == nil {
			names = append(names, x.name)
		}
		byName[x.name] = append(byName[x.name], x)
	}
	return names, byName
}
