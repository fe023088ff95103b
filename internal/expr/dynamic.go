package expr

import (
	"errors"
	"strings"

	"cel.dev/cel-go/cel"
	"github.com/tuttihq/tutti"
)

// Dynamic compiles expressions over values whose types are known only when they run: records of
// origin systems, resources, props. Safe for concurrent use.
type Dynamic struct {
	env  *cel.Env
	vars []string
}

// NewDynamic makes an environment where each of vars is a name that may stand for anything.
func NewDynamic(vars ...string) (*Dynamic, error) {
	env, err := base()
	if err != nil {
		return nil, tutti.Errorf(tutti.Internal, "preparing expressions: %w", err)
	}
	opts := make([]cel.EnvOption, len(vars))
	for i, v := range vars {
		opts[i] = cel.Variable(v, cel.DynType)
	}
	if env, err = env.Extend(opts...); err != nil {
		return nil, tutti.Errorf(tutti.Internal, "declaring %s for expressions: %w", strings.Join(vars, ", "), err)
	}
	return &Dynamic{env: env, vars: vars}, nil
}

// Compile checks an expression and makes it ready to run. What is wrong comes as a *tutti.Error
// with code Invalid that has line, column and a proposal. A plain path (item.image.alt) runs
// without CEL.
//
// Evaluating the result gives string, bool, int64, float64, time.Time, []any, map[string]any,
// nil for null, or a struct of ours as it was put in; refs are text. A variable, field or list
// position that is not there is an error with code NotFound, anything else that goes wrong one
// with code Invalid.
func (d *Dynamic) Compile(src string) (tutti.Program, error) {
	ast, err := compile(d.env, src, d.vars, nil)
	if err != nil {
		return nil, err
	}
	if err := tooDear(d.env, ast, sizes{text: 400, list: 100, dyn: 100}, dynamicCost); err != nil {
		return nil, err
	}
	info := about{source: src, paths: pathsOf(ast.NativeRep().Expr())}
	for _, p := range info.paths {
		if len(info.vars) == 0 || info.vars[len(info.vars)-1] != p[0] {
			info.vars = append(info.vars, p[0])
		}
	}
	if err := checkCalls(ast.NativeRep()); err != nil {
		return nil, err
	}
	if p := direct(ast.NativeRep().Expr(), info); p != nil {
		return p, nil
	}
	if steps, ok := plainPath(ast.NativeRep().Expr()); ok {
		return &pathProgram{about: info, steps: steps}, nil
	}
	program, err := d.env.Program(ast, cel.EvalOptions(cel.OptOptimize))
	if err != nil {
		return nil, mistake(1, 1, "the expression cannot be prepared: "+firstLine(err), "")
	}
	return &celProgram{about: info, program: program}, nil
}

// compile is what all environments share: length, syntax, types, and errors one can read.
func compile(env *cel.Env, src string, names []string, hints func(string) string) (*cel.Ast, error) {
	if strings.TrimSpace(src) == "" {
		return nil, mistake(1, 1, "there is no expression", "Write a condition or value, such as tier == 'gold'.")
	}
	if len(src) > MaxSource*4 || len([]rune(src)) > MaxSource {
		return nil, mistake(1, 1, "the expression is too long", "Put parts of it into audiences or derived attributes.")
	}
	ast, issues := env.Compile(src)
	if issues.Err() != nil {
		return nil, mistakes(src, issues, names, hints)
	}
	return ast, nil
}

func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}

// about is what a program tells of itself.
type about struct {
	source string
	vars   []string
	paths  [][]string
}

func (a *about) Vars() []string    { return a.vars }
func (a *about) Paths() [][]string { return a.paths }
func (a *about) String() string    { return a.source }

// pathProgram walks fields without CEL.
type pathProgram struct {
	about
	steps []string
}

func (p *pathProgram) Eval(vars map[string]any) (any, error) {
	v, ok := vars[p.steps[0]]
	for i := 1; ok && i < len(p.steps); i++ {
		v, ok = Field(v, p.steps[i])
	}
	if !ok {
		return nil, tutti.Errorf(tutti.NotFound, "evaluating %s: it is not there", p.source)
	}
	return plainValue(v), nil
}

type celProgram struct {
	about
	program cel.Program
}

func (p *celProgram) Eval(vars map[string]any) (any, error) {
	v, _, err := p.program.Eval(vars)
	if err != nil {
		return nil, evalError(p.source, err)
	}
	native, err := toNative(v)
	if err != nil {
		return nil, evalError(p.source, err)
	}
	return native, nil
}

// evalError tells absent things from mistakes. CEL's own words go into the text for the log.
func evalError(src string, err error) error {
	if errors.Is(err, tutti.NotFound) {
		return tutti.Errorf(tutti.NotFound, "evaluating %s: %w", src, err)
	}
	m := err.Error()
	for _, absent := range []string{"no such key", "no such attribute", "index out of bounds", "none dereference", "optional.none()"} {
		if strings.Contains(m, absent) {
			return tutti.Errorf(tutti.NotFound, "evaluating %s: %w", src, err)
		}
	}
	return tutti.Errorf(tutti.Invalid, "evaluating %s: %w", src, err)
}
