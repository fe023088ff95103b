package graph

import (
	"context"
	"strconv"
	"sync"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// call is one request, as the context of everything that is done for it: one object instead of a
// chain of values.
type call struct {
	context.Context
	id         string
	generation *Generation
	viewer     Viewer
	direct     *direct // nil for what the generic executor answers

	observed Observation
	lines    [2]string // of the response's header
	own      direct    // what direct points to
}

// Value gives what the packages of the API ask a context for.
func (c *call) Value(key any) any {
	switch key.(type) {
	case generationKey:
		return c.generation
	case viewerKey:
		return &c.viewer
	case requestIDKey:
		return c.id
	case schemaKey:
		return c.generation.schema
	case directKey:
		if c.direct == nil {
			return nil
		}
		return c.direct
	}
	return c.Context.Value(key)
}

// line gives the value of a header, which lives as long as the call does.
func (c *call) line(i int, value string) []string {
	c.lines[i] = value
	return c.lines[i : i+1 : i+1]
}

// direct is what is known while a field at the top of an operation is answered without the
// generic executor.
type direct struct {
	op      *operation
	field   *ast.Field
	vars    givenVariables
	args    experienceArguments // of field
	out     []byte              // the response so far
	splices []splice            // that stand in it

	mu     sync.Mutex // guards errors
	errors gqlerror.List
}

type directKey struct{}

func directFrom(ctx context.Context) *direct {
	d, _ := ctx.Value(directKey{}).(*direct)
	return d
}

func (d *direct) fail(err *gqlerror.Error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.errors = append(d.errors, err)
}

// addError adds an error to the response.
func addError(ctx context.Context, err *gqlerror.Error) {
	if d := directFrom(ctx); d != nil {
		d.fail(err)
		return
	}
	graphql.AddError(ctx, err)
}

// directArguments are the arguments of the field experience that can be read here. Others go the
// generic way.
var directArguments = map[string]bool{"composition": true, "params": true, "channel": true, "locale": true, "context": true, "supports": true, "part": true, "ifNoneMatch": true}

// directFields gives the fields of an operation that asks for nothing but experiences; nil when it
// asks for more. It is worked out once for an operation.
func directFields(op *ast.OperationDefinition) []*ast.Field {
	if op.Operation != ast.Query || len(op.Directives) > 0 {
		return nil
	}
	var fields []*ast.Field
	keys := map[string]bool{}
	for _, s := range op.SelectionSet {
		f, ok := s.(*ast.Field)
		if !ok || f.Name != "experience" || len(f.Directives) > 0 || keys[f.Alias] {
			return nil
		}
		keys[f.Alias] = true
		for _, a := range f.Arguments {
			if !directArguments[a.Name] {
				return nil
			}
		}
		fields = append(fields, f)
	}
	return fields
}

// answer answers an operation of experiences.
func (s *Server) answer(c *call, op *operation, vars givenVariables, buf *buffer) outcome {
	d := &c.own
	d.op, d.vars, d.out, d.splices = op, vars, append(buf.b, `{"data":{`...), buf.splices
	c.direct = d
	start := len(d.out)
	null := len(op.direct) == 0
	for i, f := range op.direct {
		if i > 0 {
			d.out = append(d.out, ',')
		}
		d.field = f
		d.out = append(AppendString(d.out, f.Alias), ':')
		if !s.experience(c, d, f) {
			null = true // the others go on: their errors are told too
		}
	}
	d.out = append(d.out, '}')
	if null {
		d.out, d.splices = append(d.out[:start-1], "null"...), nil
	}
	buf.b, buf.splices = append(d.out, '}'), d.splices
	return outcome{written: buf, from: len(`{"data":`), errors: d.errors}
}

// experience answers one field and reports false when a null takes its place: it has an error then.
func (s *Server) experience(c *call, d *direct, f *ast.Field) (ok bool) {
	defer func() {
		if p := recover(); p != nil {
			d.fail(d.located(s.recovered(c, p)))
			ok = false
		}
	}()
	args := &d.args
	if err := d.arguments(args); err != nil {
		d.fail(d.located(err))
		return false
	}
	a, err := c.generation.resolvers.Query().Experience(c, args.composition, args.params, args.channel, args.locale, args.context, args.supports, args.part, args.ifNoneMatch, nil)
	if err != nil {
		d.fail(d.located(err))
		return false
	}
	return a != nil && a.sent
}

func (d *direct) located(err error) *gqlerror.Error {
	e := gqlerror.WrapPath(ast.Path{ast.PathName(d.field.Alias)}, err)
	if e.Locations == nil {
		e.Locations = []gqlerror.Location{location(d.field.Position)}
	}
	return e
}

type experienceArguments struct {
	composition, channel string
	params               any
	locale               *string
	context              *ContextInput
	supports             []string
	part                 *PagePart
	ifNoneMatch          []*SlotHash

	localeText string // what locale points to
	partText   string // what part points to
}

// arguments reads what validation and coerceVariables, or plain, have checked.
func (d *direct) arguments(args *experienceArguments) (err error) {
	*args = experienceArguments{}
	if d.op.mayBeNull {
		if err := nullArgument(d.field.Arguments, d.vars.values); err != nil {
			return err
		}
	}
	for _, a := range d.field.Arguments {
		switch a.Name {
		case "composition":
			args.composition, _, err = d.text(a.Value)
		case "channel":
			args.channel, _, err = d.text(a.Value)
		case "params":
			args.params, err = d.value(a.Value)
		case "locale":
			var given bool
			if args.localeText, given, err = d.text(a.Value); given {
				args.locale = &args.localeText
			}
		case "context":
			var v any
			switch v, err = d.value(a.Value); v := v.(type) {
			case *ContextInput:
				args.context = v
			case map[string]any:
				args.context = contextOf(v)
			}
		case "supports":
			var v any
			v, err = d.value(a.Value)
			args.supports = texts(v)
		case "part":
			var given bool
			if args.partText, given, err = d.text(a.Value); given {
				args.part = (*PagePart)(&args.partText)
			}
		case "ifNoneMatch":
			var v any
			v, err = d.value(a.Value)
			args.ifNoneMatch = slotHashes(v)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// text gives an argument that is an ID or a text; false for what is not written as a text.
func (d *direct) text(v *ast.Value) (text string, given bool, err error) {
	switch {
	case v.Kind == ast.StringValue || v.Kind == ast.BlockValue || v.Kind == ast.EnumValue:
		return v.Raw, true, nil
	case v.Kind == ast.Variable && d.vars.plain != nil:
		if x := d.variable(v); x.is == variableText {
			return x.text, true, nil
		}
	}
	of, err := d.value(v)
	_, given = of.(string)
	return idText(of), given, err
}

// value gives a part of an argument.
func (d *direct) value(v *ast.Value) (any, error) {
	switch {
	case d.vars.plain == nil:
		return v.Value(d.vars.values)
	case v.Kind == ast.Variable:
		return d.variable(v).any(), nil
	case v.Kind == ast.ObjectValue:
		m := make(map[string]any, len(v.Children))
		for _, c := range v.Children {
			if c.Value.Kind == ast.Variable && d.variable(c.Value).is == variableAbsent {
				continue
			}
			e, err := d.value(c.Value)
			if err != nil {
				return nil, err
			}
			m[c.Name] = e
		}
		return m, nil
	case v.Kind == ast.ListValue:
		var l []any
		for _, c := range v.Children {
			e, err := d.value(c.Value)
			if err != nil {
				return nil, err
			}
			l = append(l, e)
		}
		return l, nil
	}
	return v.Value(nil)
}

// variable gives a variable that was read the plain way.
func (d *direct) variable(v *ast.Value) *variableValue {
	return &d.vars.plain[plainIndex(d.op.plain, v.Raw)]
}

// texts gives a list of texts; a single one stands for a list of it.
func texts(v any) []string {
	switch v := v.(type) {
	case string:
		return []string{v}
	case []string:
		return v
	case []any:
		list := make([]string, len(v))
		for i, e := range v {
			list[i], _ = e.(string)
		}
		return list
	}
	return nil
}

// slotHashes gives a list of input objects SlotHash as Go has it; a single one stands for a list of it.
func slotHashes(v any) []*SlotHash {
	list, ok := v.([]any)
	if m, single := v.(map[string]any); single {
		list, ok = []any{m}, true
	}
	if !ok {
		return nil
	}
	hashes := make([]*SlotHash, 0, len(list))
	for _, e := range list {
		m, _ := e.(map[string]any)
		h := &SlotHash{}
		h.Slot, _ = m["slot"].(string)
		h.Hash, _ = m["hash"].(string)
		hashes = append(hashes, h)
	}
	return hashes
}

// idText gives an ID as text: in a document it may stand as a number.
func idText(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case int64:
		return strconv.FormatInt(v, 10)
	}
	return ""
}

// contextOf is the input object ContextInput as Go has it.
func contextOf(m map[string]any) *ContextInput {
	in := &ContextInput{Visitor: idOrNil(m["visitor"]), Market: idOrNil(m["market"]), Currency: idOrNil(m["currency"])}
	if p, ok := m["location"].(map[string]any); ok {
		in.Location = &PlaceInput{Lat: floatOf(p["lat"]), Lon: floatOf(p["lon"])}
	}
	if a, ok := m["attributes"].(map[string]any); ok {
		in.Attributes = a
	}
	if c, ok := m["consent"].(map[string]any); ok {
		in.Consent = &ConsentInput{Personalization: boolOrNil(c["personalization"]), Analytics: boolOrNil(c["analytics"]), Marketing: boolOrNil(c["marketing"])}
	}
	return in
}

func idOrNil(v any) *string {
	if v == nil {
		return nil
	}
	s := idText(v)
	return &s
}

func boolOrNil(v any) *bool {
	b, ok := v.(bool)
	if !ok {
		return nil
	}
	return &b
}

func floatOf(v any) float64 {
	f, ok := readFloat(v)
	if !ok {
		return 0
	}
	return f.(float64)
}
