package expr

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/types"
	"github.com/tuttihq/tutti"
)

// Rules compiles expressions over declared attributes, audiences and params: typed, so that a
// mistake shows when it is saved, and three-valued when they run. Safe for concurrent use.
type Rules struct {
	env    *cel.Env
	names  []string
	types  map[string]tutti.AttributeType
	values map[string][]string // the allowed values of attributes that list them
}

// NewRules makes an environment with the attributes by their names (dots included), each
// audience as audience.<name> and each param as params.<name>; a ref param is text.
func NewRules(attrs []tutti.Attribute, audiences []string, params []tutti.Param) (*Rules, error) {
	env, err := base()
	if err != nil {
		return nil, tutti.Errorf(tutti.Internal, "preparing rules: %w", err)
	}
	r := &Rules{types: map[string]tutti.AttributeType{}, values: map[string][]string{}}
	declare := func(name string, t tutti.AttributeType) error {
		if _, ok := celTypes[t]; !ok {
			return &tutti.Error{Code: tutti.Invalid, Field: name, Message: fmt.Sprintf("the type %q of %s is unknown.", t, name), Hint: "Write string, bool, int, double, timestamp, place or list."}
		}
		if _, twice := r.types[name]; twice {
			return &tutti.Error{Code: tutti.Invalid, Field: name, Message: name + " is declared twice."}
		}
		r.types[name], r.names = t, append(r.names, name)
		return nil
	}
	for _, a := range attrs {
		if err := declare(a.Name, a.Type); err != nil {
			return nil, err
		}
		if len(a.Values) > 0 {
			r.values[a.Name] = a.Values
		}
	}
	for _, a := range audiences {
		if err := declare("audience."+a, tutti.BoolType); err != nil {
			return nil, err
		}
	}
	for _, p := range params {
		if err := declare("params."+p.Name, ParamType(p.Type)); err != nil {
			return nil, err
		}
	}
	var opts []cel.EnvOption
	for _, n := range r.names {
		opts = append(opts, cel.Variable(n, celTypes[r.types[n]]))
	}
	if r.env, err = env.Extend(opts...); err != nil {
		return nil, tutti.Errorf(tutti.Invalid, "declaring attributes for rules: %w", err)
	}
	return r, nil
}

var celTypes = map[tutti.AttributeType]*cel.Type{
	tutti.StringType: cel.StringType, tutti.BoolType: cel.BoolType, tutti.IntType: cel.IntType, tutti.DoubleType: cel.DoubleType,
	tutti.TimestampType: cel.TimestampType, tutti.PlaceType: cel.MapType(cel.StringType, cel.DoubleType), tutti.ListType: cel.ListType(cel.StringType),
}

// ParamType gives the attribute type that a param's values have in rules; "" for an unknown one.
func ParamType(t string) tutti.AttributeType {
	switch t {
	case "string", "ref":
		return tutti.StringType
	case "int":
		return tutti.IntType
	case "float":
		return tutti.DoubleType
	case "boolean":
		return tutti.BoolType
	}
	return ""
}

// Names are all declared names: attributes, audience.x, params.x.
func (r *Rules) Names() []string { return r.names }

// Compile checks an expression that must give a value of a type ("" = any). What is wrong comes
// as a *tutti.Error with code Invalid that has line, column and a proposal.
func (r *Rules) Compile(src string, want tutti.AttributeType) (*Rule, error) {
	checked, err := compile(r.env, src, r.names, r.hint)
	if err != nil {
		return nil, err
	}
	out := checked.OutputType()
	if want != "" && !fits(out, want) {
		return nil, r.wrongResult(src, out, want)
	}
	if err := tooDear(r.env, checked, sizes{text: 256, list: 50, dyn: 50}, ruleCost); err != nil {
		return nil, err
	}
	rep := checked.NativeRep()
	if err := r.checkValues(src, rep); err != nil {
		return nil, err
	}
	rule := &Rule{source: src, reads: r.readsOf(rep), boolean: out.IsExactType(cel.BoolType)}
	for _, name := range rule.reads {
		rule.patterns = append(rule.patterns, cel.AttributePattern(name))
	}
	if name, ok := nameIn(rep, rep.Expr()); ok {
		rule.single = name
	}
	if rule.boolean {
		rule.simple = simplify(rep, rep.Expr())
	} else if out.IsExactType(cel.StringType) {
		rule.spelled = spell(rep, rep.Expr())
	} else if out.IsExactType(cel.DoubleType) {
		rule.measured = measure(rep, rep.Expr())
	}
	if rule.simple == nil && rule.single == "" && rule.measured == nil {
		rule.divide(rep)
	}
	ready, err := r.plan(checked)
	if err != nil {
		return nil, mistake(1, 1, "the expression cannot be prepared: "+firstLine(err), "")
	}
	rule.cel = func() (programs, error) { return ready, nil }
	if rule.fast() {
		rule.cel = sync.OnceValues(func() (programs, error) { return r.planAgain(src) })
	}
	return rule, nil
}

// programs are what CEL runs of one expression: where all is known that it reads, and where not.
type programs struct{ known, partial cel.Program }

func (r *Rules) plan(checked *cel.Ast) (p programs, err error) {
	if p.known, err = r.env.Program(checked, cel.EvalOptions(cel.OptOptimize)); err == nil {
		p.partial, err = r.env.Program(checked, cel.EvalOptions(cel.OptOptimize, cel.OptPartialEval))
	}
	return p, err
}

// planAgain plans an expression that was compiled before.
func (r *Rules) planAgain(src string) (programs, error) {
	checked, issues := r.env.Compile(src)
	if issues.Err() != nil {
		return programs{}, issues.Err()
	}
	return r.plan(checked)
}

func fits(t *cel.Type, want tutti.AttributeType) bool {
	w := celTypes[want]
	return t.IsExactType(w) || t.IsExactType(cel.DynType) || want == tutti.DoubleType && t.IsExactType(cel.IntType) ||
		want == tutti.PlaceType && t.Kind() == types.MapKind || want == tutti.ListType && t.Kind() == types.ListKind
}

func (r *Rules) wrongResult(src string, got *cel.Type, want tutti.AttributeType) error {
	name := map[types.Kind]string{
		types.StringKind: "text", types.IntKind: "a whole number", types.DoubleKind: "a number", types.BoolKind: "yes or no", types.TimestampKind: "an instant",
		types.ListKind: "a list", types.MapKind: "a place or map", types.DurationKind: "a duration", types.NullTypeKind: "nothing",
	}[got.Kind()]
	if name == "" {
		name = got.String()
	}
	wanted := map[tutti.AttributeType]string{
		tutti.StringType: "text", tutti.BoolType: "yes or no", tutti.IntType: "a whole number", tutti.DoubleType: "a number",
		tutti.TimestampType: "an instant", tutti.PlaceType: "a place", tutti.ListType: "a list of text",
	}[want]
	hint := ""
	trimmed := strings.TrimSpace(src)
	if want == tutti.BoolType {
		hint = "Make a condition of it, such as tier == 'gold'."
		if vs := r.values[trimmed]; len(vs) > 0 {
			hint = fmt.Sprintf("Make a condition of it, such as %s == '%s'.", trimmed, vs[0])
		} else if t := r.types[trimmed]; t == tutti.IntType || t == tutti.DoubleType {
			hint = fmt.Sprintf("Make a condition of it, such as %s < 1000.", trimmed)
		}
	}
	if want == tutti.StringType && (got.Kind() == types.IntKind || got.Kind() == types.DoubleKind) {
		hint = "Write string(…) around it."
	}
	return mistake(1, 1, "this gives "+name+", but "+wanted+" is needed", hint)
}

// hint proposes what to write for an undeclared name.
func (r *Rules) hint(name string) string {
	if name == "has" {
		return ""
	}
	var fields []string
	for _, n := range r.names {
		if strings.HasPrefix(n, name+".") {
			fields = append(fields, n)
		}
	}
	switch {
	case len(fields) > 0 && len(fields) <= 8:
		return "There is: " + strings.Join(fields, ", ") + ". An absent attribute is unknown, always: has() is not needed."
	case name == "audience":
		return "There is no audience here that is published and without a mistake of its own."
	case slices.Contains(r.names, "audience."+name):
		return "Audiences are written audience." + name + "."
	case slices.Contains(r.names, "params."+name):
		return "Params are written params." + name + "."
	case name == "now" || name == "time" || name == "today":
		return "Use windows (from, until) for times."
	}
	return ""
}

// checkValues refuses a comparison with a text that the attribute can never be.
func (r *Rules) checkValues(src string, a *ast.AST) error {
	var found error
	literal := func(name string, e ast.Expr) {
		allowed := r.values[name]
		if found != nil || len(allowed) == 0 || e.Kind() != ast.LiteralKind {
			return
		}
		if s, ok := e.AsLiteral().(types.String); ok && !slices.Contains(allowed, string(s)) {
			at := a.SourceInfo().GetStartLocation(e.ID())
			found = mistake(max(at.Line(), 1), max(at.Column(), 0)+1, fmt.Sprintf("“%s” is never “%s”", name, s), didYouMeanValue(string(s), allowed))
		}
	}
	nameOf := func(e ast.Expr) string { n, _ := nameIn(a, e); return n }
	ast.PreOrderVisit(a.Expr(), ast.NewExprVisitor(func(e ast.Expr) {
		if e.Kind() != ast.CallKind {
			return
		}
		c := e.AsCall()
		args := c.Args()
		switch c.FunctionName() {
		case "_==_", "_!=_":
			literal(nameOf(args[0]), args[1])
			literal(nameOf(args[1]), args[0])
		case "@in":
			if args[1].Kind() == ast.ListKind {
				for _, x := range args[1].AsList().Elements() {
					literal(nameOf(args[0]), x)
				}
			}
			literal(nameOf(args[1]), args[0])
		}
	}))
	return found
}

func didYouMeanValue(v string, allowed []string) string {
	if n := Nearest(v, allowed); n != "" {
		return "Did you mean '" + n + "'?"
	}
	return "Possible are: '" + strings.Join(allowed, "', '") + "'."
}

// readsOf lists the declared names that an expression refers to, sorted.
func (r *Rules) readsOf(a *ast.AST) []string {
	var names []string
	for _, ref := range a.ReferenceMap() {
		if _, ok := r.types[ref.Name]; ok {
			names = append(names, ref.Name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Known looks up what is known of one request. Absent = unknown.
type Known interface {
	// ResolveName gives the value of an attribute, of audience.<name>, or of params.<name>.
	ResolveName(name string) (any, bool)
}

// Rule is a compiled expression over attributes. Safe for concurrent use.
type Rule struct {
	source   string
	reads    []string
	patterns []*cel.AttributePatternType
	boolean  bool
	single   string     // the name, when the expression is nothing else
	simple   node       // the fast evaluator of a condition; nil when it needs CEL
	spelled  spelling   // the fast evaluator of a text; nil when it needs CEL
	measured *measuring // the fast evaluator of a distance; nil when it needs CEL
	rests    []node     // without a fast evaluator: the conditions in it that have one,
	loose    []string   // and the names that it reads besides

	// cel gives what CEL runs. Beside a fast evaluator it is nearly never needed, and takes much memory: so it
	// is planned when it is.
	cel func() (programs, error)
}

// fast reports whether there is a fast evaluator.
func (p *Rule) fast() bool {
	return p.simple != nil || p.single != "" || p.spelled != nil || p.measured != nil
}

// String is the source.
func (p *Rule) String() string { return p.source }

// Reads are the names it reads, sorted: attributes, audience.<name>, params.<name>.
func (p *Rule) Reads() []string { return p.reads }

// Eval evaluates with what is known; a name that is absent is unknown. For a condition the state
// is its truth; for other values it is True when there is a value. Unknown: the outcome depends
// on something unknown, the value is nil. An error (code Invalid) comes with Unknown.
func (p *Rule) Eval(known map[string]any) (any, tutti.Tri, error) {
	return p.EvalKnown(knownMap(known))
}

type knownMap map[string]any

func (m knownMap) ResolveName(name string) (any, bool) { v, ok := m[name]; return v, ok }

// EvalKnown is Eval with a lookup instead of a map.
func (p *Rule) EvalKnown(known Known) (any, tutti.Tri, error) {
	if p.simple != nil {
		switch p.simple.eval(known) {
		case yes:
			return true, tutti.True, nil
		case no:
			return false, tutti.False, nil
		case dunno:
			return nil, tutti.Unknown, nil
		}
	} else if p.single != "" {
		v, ok := known.ResolveName(p.single)
		if !ok {
			return nil, tutti.Unknown, nil
		}
		return outcome(plainValue(v))
	} else if p.spelled != nil {
		switch s, known := p.spelled.eval(known); known {
		case yes:
			return s, tutti.True, nil
		case dunno:
			return nil, tutti.Unknown, nil
		}
	} else if p.measured != nil {
		switch metres, known := p.measured.eval(known); known {
		case yes:
			return metres, tutti.True, nil
		case dunno:
			return nil, tutti.Unknown, nil
		}
	}
	return p.evalCEL(known)
}

// AppendText is EvalKnown for what is a text of words and names, written behind b; false for everything
// else, and where something is unknown. It saves the value's box and memory.
func (p *Rule) AppendText(b []byte, known Known) ([]byte, bool) {
	if p.simple != nil || p.single != "" || p.spelled == nil {
		return b, false
	}
	b, t := p.spelled.append(b, known)
	return b, t == yes
}

// evalCEL evaluates by CEL: the reference that the fast evaluator must agree with.
func (p *Rule) evalCEL(known Known) (any, tutti.Tri, error) {
	var unknown []*cel.AttributePatternType
	for i, name := range p.reads {
		if _, ok := known.ResolveName(name); !ok {
			unknown = append(unknown, p.patterns[i])
		}
	}
	ready, err := p.cel()
	if err != nil {
		return nil, tutti.Unknown, tutti.Errorf(tutti.Internal, "preparing %s: %w", p.source, err)
	}
	program, vars := ready.known, any(activation{known})
	if unknown != nil {
		partial, err := cel.PartialVars(vars, unknown...)
		if err != nil {
			return nil, tutti.Unknown, tutti.Errorf(tutti.Internal, "evaluating %s: %w", p.source, err)
		}
		program, vars = ready.partial, partial
	}
	v, _, err := program.Eval(vars)
	if err != nil {
		return nil, tutti.Unknown, tutti.Errorf(tutti.Invalid, "evaluating %s: %w", p.source, err)
	}
	if types.IsUnknown(v) {
		return nil, tutti.Unknown, nil
	}
	native, err := toNative(v)
	if errors.Is(err, tutti.NotFound) {
		return nil, tutti.Unknown, nil
	}
	if err != nil {
		return nil, tutti.Unknown, tutti.Errorf(tutti.Invalid, "evaluating %s: %w", p.source, err)
	}
	return outcome(native)
}

func outcome(v any) (any, tutti.Tri, error) {
	if b, ok := v.(bool); ok && !b {
		return false, tutti.False, nil
	}
	return v, tutti.True, nil
}

// activation lets CEL look names up; it has no parent.
type activation struct{ Known }

func (activation) Parent() cel.Activation { return nil }
