package config

import (
	"slices"
	"strconv"
	"strings"

	"github.com/tuttihq/tutti"
)

// reservedNames are words that mean something else in rules.
var reservedNames = []string{
	"audience", "params", "item", "props", "path", "claims", // ours
	"true", "false", "null", "in", "as", "break", "const", "continue", "else", "for", "function", "if", "import", "let", "loop", "package", "namespace", "return", "var", "void", "while", // CEL's
}

func (k *checker) attributes() {
	var enrichers []string
	for _, e := range k.c.Enrichers {
		enrichers = append(enrichers, e.Name)
	}
	for i, a := range k.c.Attributes {
		path := "attributes." + a.Name
		k.attributeName(path, a.Name, k.c.Attributes[:i])
		k.missing(path+".type", a.Type == "", "type: string")
		k.missing(path+".purpose", a.Purpose == "", "purpose: personalization")
		k.missing(path+".sensitivity", a.Sensitivity == "", "sensitivity: segment")
		k.origin(path, a, enrichers)
		if len(a.Values) > 0 && a.Type != tutti.StringType && a.Type != tutti.ListType {
			k.bad(path+".values", "is for attributes of type string or list", "")
		}
		seen := map[string]bool{}
		for j, v := range a.Values {
			if seen[v] {
				k.bad(path+".values["+strconv.Itoa(j)+"]", "is written twice: "+quoted(v), "")
			}
			seen[v] = true
		}
		if a.Step != 0 && a.Type != tutti.IntType && a.Type != tutti.DoubleType && a.Type != tutti.TimestampType {
			k.bad(path+".step", "is for attributes of type int, double or timestamp", "")
		}
		if a.Step < 0 {
			k.bad(path+".step", "must not be negative", "step: 10")
		}
		if a.Precision != 0 && a.Type != tutti.PlaceType {
			k.bad(path+".precision", "is for attributes of type place", "")
		} else if a.Precision < 0 || a.Precision > 12 {
			k.bad(path+".precision", "must be from 1 to 12 characters of a geohash", "precision: 6")
		}
	}
}

func (k *checker) attributeName(path, name string, before []tutti.Attribute) {
	parts := strings.Split(name, ".")
	for _, part := range parts {
		if !graphName.MatchString(part) || len(name) > 64 {
			k.bad(path, "is no name of an attribute: write letters and digits, joined by dots, such as stay.checkIn", "")
			return
		}
	}
	if slices.Contains(reservedNames, parts[0]) {
		k.bad(path, "starts with "+quoted(parts[0])+", which means something else in rules", "")
	}
	for _, b := range before {
		if strings.HasPrefix(name+".", b.Name+".") || strings.HasPrefix(b.Name+".", name+".") {
			k.bad(path, "cannot stand beside the attribute "+b.Name+": one would be inside the other", "")
		}
	}
}

// origin checks where an attribute's value comes from: one way at most.
func (k *checker) origin(path string, a tutti.Attribute, enrichers []string) {
	var ways []string
	for _, w := range [][2]string{{"claim", a.Claim}, {"derive", a.Derive}, {"param", a.Param}, {"enricher", a.Enricher}} {
		if w[1] != "" {
			ways = append(ways, w[0])
		}
	}
	if len(ways) > 1 {
		k.bad(path+"."+ways[1], "cannot stand beside "+ways[0]+": an attribute comes from one place", "")
	}
	if len(ways) == 0 || ways[0] == "claim" {
		k.missing(path+".trust", !k.written(path+".trust"), "trust: signed")
	}
	if a.Claim != "" && a.Trust > tutti.TrustSigned {
		k.bad(path+".claim", "gives trust signed, but the attribute asks for server", "trust: signed")
	}
	if (a.Param != "" || a.Enricher != "") && a.Field == "" {
		k.missing(path+".field", true, "field: checkIn")
	}
	if a.Field != "" && a.Param == "" && a.Enricher == "" {
		k.bad(path+".field", "needs param or enricher: the field of what?", "enricher: stay")
	}
	if a.Enricher != "" && !slices.Contains(enrichers, a.Enricher) {
		k.unknownName(path+".enricher", a.Enricher, "enricher", enrichers)
	}
}

func (k *checker) enrichers() {
	for _, e := range k.c.Enrichers {
		path := "enrichers." + e.Name
		k.name(path, e.Name, "enricher")
		k.missing(path+".ref", e.Ref == "", "ref: \"'stay:reservation/' + reservation\"")
	}
}
