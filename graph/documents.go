package graph

import (
	"container/list"
	"strings"
	"sync"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/parser"
	"github.com/vektah/gqlparser/v2/validator"
	"github.com/vektah/gqlparser/v2/validator/rules"

	"github.com/tuttihq/tutti"
)

// document is a valid operation text with what is known about its operations. Never changed.
type document struct {
	text       string
	doc        *ast.QueryDocument
	operations map[*ast.OperationDefinition]*operation
}

// operation is one operation of a document, analysed.
type operation struct {
	restrictions []restriction
	costFixed    bool         // costErr holds for every request
	costErr      *tutti.Error // nil when the cost is allowed
	fields       map[*ast.Field]*rootField
	direct       []*ast.Field    // that are answered without the generic executor; nil = all go through it
	plain        []plainVariable // all of its variables, where they can be read the plain way; else nil
	mayBeNull    bool            // a variable may be null where a value must be
}

// document gives the analysed document of a text, from memory when it came before. Only valid
// documents are kept.
func (g *Generation) document(text string) (d *document, cached bool, errs gqlerror.List) {
	if d := g.documents.get(text); d != nil {
		return d, true, nil
	}
	d, errs = g.analyse(text)
	if errs == nil {
		g.documents.add(d)
	}
	return d, false, errs
}

func (g *Generation) analyse(text string) (*document, gqlerror.List) {
	text = strings.Clone(text) // it may be a part of a request, of which nothing else is to be kept
	if len(text) > g.limits.DocumentBytes {
		return nil, one(&tutti.Error{Code: tutti.TooComplex, Message: "the operation's text is too long.", Hint: "At most " + size(g.limits.DocumentBytes) + " are allowed."})
	}
	doc, err := parser.ParseQueryWithTokenLimit(&ast.Source{Input: text}, g.limits.Tokens)
	if err != nil {
		return nil, parseError(err, g.limits)
	}
	if len(doc.Operations) == 0 {
		return nil, one(&tutti.Error{Code: tutti.BadRequest, Message: "the document holds no operation.", Hint: "Write, for example: { __typename }"})
	}
	if _, err := precheck(doc, g.limits); err != nil {
		return nil, one(err)
	}
	if list := validator.ValidateWithRules(g.schema, doc, rules.NewDefaultRules()); len(list) > 0 {
		return nil, g.validationErrors(doc, list)
	}
	d := &document{text: text, doc: doc, operations: map[*ast.OperationDefinition]*operation{}}
	for _, op := range doc.Operations {
		o := &operation{restrictions: g.policies.restrictions(op), fields: fieldsAtTop(op), direct: directFields(op)}
		o.plain, o.mayBeNull = g.plainVariables(op, o), mayBeNull(op)
		o.costFixed, o.costErr = cost(op, nil, g.limits)
		d.operations[op] = o
	}
	return d, nil
}

// Check gives what is wrong with an operation text in this generation, in sentences for a person;
// none when it can be answered. It keeps nothing.
func (g *Generation) Check(text string) []string {
	_, errs := g.analyse(text)
	var problems []string
	for _, e := range errs {
		problems = append(problems, sentence(e.Message))
	}
	return problems
}

func parseError(err error, l Limits) gqlerror.List {
	e := gqlerror.WrapIfUnwrapped(err)
	if strings.HasPrefix(e.Message, "exceeded token limit") {
		return one(&tutti.Error{Code: tutti.TooComplex, Message: "the operation has too many tokens.", Hint: "At most " + number(l.Tokens) + " are allowed."})
	}
	list := one(&tutti.Error{Code: tutti.BadRequest, Message: shorten("the document cannot be read: "+e.Message, 300)})
	list[0].Locations = e.Locations
	return list
}

func one(err *tutti.Error) gqlerror.List {
	return gqlerror.List{{Err: err, Message: err.Message}}
}

// documents keeps analysed documents, the ones used last, up to a number of bytes.
type documents struct {
	most int

	mu     sync.Mutex // guards all below
	bytes  int
	order  *list.List // front = used last; values are *document
	byText map[string]*list.Element
}

func newDocuments(most int) *documents {
	return &documents{most: most, order: list.New(), byText: map[string]*list.Element{}}
}

// weight estimates the memory of a document: its tree takes about 25 bytes for each byte of its
// text (the arrival query: 22 KB of heap for 895 bytes).
func (d *document) weight() int { return 4096 + 30*len(d.text) }

func (c *documents) get(text string) *document {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.byText[text]
	if e == nil {
		return nil
	}
	c.order.MoveToFront(e)
	return e.Value.(*document)
}

func (c *documents) add(d *document) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.byText[d.text] != nil || d.weight() > c.most {
		return
	}
	c.byText[d.text] = c.order.PushFront(d)
	c.bytes += d.weight()
	for c.bytes > c.most {
		last := c.order.Back()
		old := c.order.Remove(last).(*document)
		delete(c.byText, old.text)
		c.bytes -= old.weight()
	}
}
