package sources

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// graphqlCall is a compiled GraphQLSpec.
type graphqlCall struct {
	document  string
	each      string // the field for one id, when each id is an alias
	idType    string
	fragment  string
	used      bool // the fragment is
	variables any
}

func (c *compiler) graphql(at string, s *GraphQLSpec, fragment string, in namesOf) *graphqlCall {
	out := &graphqlCall{document: strings.TrimSpace(s.Document), each: strings.TrimSpace(s.Each), idType: s.IDType, fragment: strings.TrimSpace(fragment)}
	switch {
	case (out.document == "") == (out.each == ""):
		c.wrong(at, "needs either document or each", "Write  document: query (…) {…}")
	case strings.Contains(out.document+out.each, "${"):
		c.wrong(at, "puts values into the document", "Write a variable ($ids) and its value under variables.")
	case out.each != "" && !idVariable.MatchString(out.each):
		c.wrong(at+".each", "does not use $id", "Write, for example:  each: \"product(id: $id) { id name }\"")
	case out.each != "" && len(s.Variables) > 0:
		c.wrong(at+".variables", "stands beside each, which has no variable but $id", "Write a document with $ids instead.")
	}
	if out.idType == "" {
		out.idType = "ID!"
	}
	if !typeName.MatchString(out.idType) {
		c.wrong(at+".idType", "is no type", "Write, for example:  idType: String!")
	}
	out.variables, out.used = c.node(at+".variables", s.Variables, in), out.uses()
	return out
}

// idVariable is $id, and not $identity.
var idVariable = regexp.MustCompile(`\$id\b`)

var typeName = regexp.MustCompile(`^[A-Za-z_]\w*!?$`)

var fragmentName = regexp.MustCompile(`fragment\s+(\w+)\s+on\s`)

// uses reports whether the operation uses the kind's first fragment; that one may use others.
func (g *graphqlCall) uses() bool {
	m := fragmentName.FindStringSubmatch(g.fragment)
	return m != nil && regexp.MustCompile(`\.\.\.\s*`+m[1]+`\b`).MatchString(g.document+g.each)
}

// body makes the operation. Values go into variables only.
func (g *graphqlCall) body(vars map[string]any) (any, error) {
	v, _, err := fillNode(g.variables, vars)
	if err != nil {
		return nil, err
	}
	variables, ok := v.(map[string]any)
	if !ok {
		variables = map[string]any{}
	}
	document := g.document
	if g.each != "" {
		ids, _ := vars["ids"].([]string)
		if ids == nil {
			ids = []string{fmt.Sprint(vars["id"])}
		}
		var params, fields strings.Builder
		for i, id := range ids {
			n := strconv.Itoa(i)
			params.WriteString("$i" + n + ": " + g.idType + " ")
			fields.WriteString("a" + n + ": " + idVariable.ReplaceAllLiteralString(g.each, "$i"+n) + "\n")
			variables["i"+n] = id
		}
		document = "query(" + params.String() + ") {\n" + fields.String() + "}"
	}
	if g.used { // GraphQL refuses a fragment that nothing uses
		document += "\n" + g.fragment
	}
	return map[string]any{"query": document, "variables": variables}, nil
}
