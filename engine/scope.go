package engine

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/internal/expr"
)

// scope is what expressions at one place of a composition may name.
type scope struct {
	c     *compiling
	item  bool                 // inside a repetition
	items []*tutti.Kind        // of the item; none = not known
	props map[string]propScope // of the component, by name
}

// propScope says what is known of a sibling prop before it is decided.
type propScope struct {
	resource bool
	kinds    []*tutti.Kind // of its resources; none = not known
	param    string        // the ref param that it is, when it is nothing else
}

// expression is one compiled expression of a composition. Exactly one of rule and program is
// set: a rule reads params and attributes only and is decided; a program reads resources too,
// and Shape evaluates it with the attributes that it reads bound to their values.
type expression struct {
	source   string
	rule     *expr.Rule
	program  tutti.Program
	reads    []string // attributes, audience.<name>, params.<name>
	personal bool     // reads a personal attribute
}

// expression compiles a value: by the typed rules where it names nothing but params and
// attributes, else as a program over resources. nil when it is wrong, which is noted.
func (s *scope) expression(path, src string, want tutti.AttributeType) *expression {
	x, err := s.tryExpression(src, want)
	if err != nil {
		s.c.wrongError(path, err)
		return nil
	}
	s.c.read(x.reads)
	s.warnFine(path, x)
	return x
}

func (s *scope) tryExpression(src string, want tutti.AttributeType) (*expression, error) {
	rule, ruleErr := s.c.rules.Compile(src, want)
	if ruleErr == nil {
		x := &expression{source: src, rule: rule, reads: rule.Reads()}
		x.personal = s.c.personal(x.reads)
		return x, s.missingParam(x.reads)
	}
	vars, resources := s.names()
	dynamic, err := s.c.engine.dynamic(vars)
	if err != nil {
		return nil, err
	}
	program, err := dynamic.Compile(src)
	if err != nil {
		return nil, s.better(ruleErr, err)
	}
	x := &expression{source: src, program: program}
	overResources := false
	for _, steps := range program.Paths() {
		switch root := steps[0]; {
		case root == "params":
			if len(steps) == 1 {
				return nil, &tutti.Error{Code: tutti.Invalid, Message: "params alone is no value.", Hint: "Write params.<name>."}
			}
			if s.c.param(steps[1]) == nil {
				return nil, &tutti.Error{Code: tutti.Invalid, Message: fmt.Sprintf("There is no param “%s”.", steps[1]), Hint: expr.DidYouMean(steps[1], s.c.paramNames())}
			}
			x.reads = append(x.reads, "params."+steps[1])
			overResources = overResources || len(steps) > 2
		case slices.Contains(resources, root):
			if err := s.checkField(root, steps[1:]); err != nil {
				return nil, err
			}
			overResources = true
		default:
			name := s.c.nameAt(steps)
			if name == "" {
				return nil, ruleErr
			}
			x.reads = append(x.reads, name)
		}
	}
	if !overResources {
		return nil, ruleErr
	}
	if x.personal = s.c.personal(x.reads); x.personal {
		return nil, &tutti.Error{
			Code: tutti.Invalid, Message: "Personal attributes and fields of resources stand together in one expression.",
			Hint: "Split it into two, such as ${stay.guestName} ${item.title}: what is shared can then be kept for everybody.",
		}
	}
	return x, nil
}

// better chooses the error that helps more: of the typed rules, unless they only miss a name
// that stands for a resource here.
func (s *scope) better(rule, dynamic error) error {
	r, ok := rule.(*tutti.Error)
	d, ok2 := dynamic.(*tutti.Error)
	if ok && ok2 && strings.Contains(r.Message, "is not declared") && (!strings.Contains(d.Message, "is not declared") || r.Hint == "" || d.Line > r.Line || d.Column > r.Column) {
		return dynamic
	}
	return rule
}

// names are all variables that dynamic expressions may have here, and those that are resources.
func (s *scope) names() (all, resources []string) {
	for i := range s.c.params {
		if s.c.params[i].Type == "ref" {
			resources = append(resources, s.c.params[i].Name)
		}
	}
	if len(s.props) > 0 {
		resources = append(resources, "props")
	}
	for name := range s.props {
		resources = append(resources, name)
	}
	if s.item {
		resources = append(resources, "item")
	}
	all = append(slices.Clone(resources), "params")
	for _, name := range s.c.rules.Names() {
		root, _, _ := strings.Cut(name, ".")
		all = append(all, root)
	}
	return all, resources
}

// missingParam refuses an attribute that is a fact of a ref param which this composition has not.
func (s *scope) missingParam(reads []string) error {
	for _, name := range reads {
		a := s.c.engine.attributes[name]
		if a == nil || a.Param == "" {
			continue
		}
		if p := s.c.param(a.Param); p == nil || p.Type != "ref" {
			return &tutti.Error{
				Code: tutti.Invalid, Message: fmt.Sprintf("“%s” is a fact of the ref param “%s”, which this composition has not.", name, a.Param),
				Hint: fmt.Sprintf("Add a param: {name: %s, type: ref}.", a.Param),
			}
		}
	}
	return nil
}

// checkField refuses a field that no resource of this name can have.
func (s *scope) checkField(root string, steps []string) error {
	if root == "props" {
		if len(steps) == 0 {
			return nil
		}
		p, ok := s.props[steps[0]]
		if !ok {
			return &tutti.Error{Code: tutti.Invalid, Message: fmt.Sprintf("There is no prop “%s” here.", steps[0]), Hint: expr.DidYouMean(steps[0], slices.Sorted(maps.Keys(s.props)))}
		}
		if !p.resource || len(steps) == 1 {
			return nil
		}
		return fieldOf(p.kinds, steps[1:])
	}
	if len(steps) == 0 {
		return nil
	}
	return fieldOf(s.kindsOf(root), steps)
}

// kindsOf gives the kinds that a name's resources can be of; none = not known, or no resource. A
// ref param comes before a prop of the same name.
func (s *scope) kindsOf(root string) []*tutti.Kind {
	if root == "item" {
		return s.items
	}
	if p := s.c.param(root); p != nil && p.Type == "ref" {
		return s.c.kindsNamed(p.Kinds)
	}
	return s.props[root].kinds
}

// ownFields are what every resource has besides its mapped fields.
var ownFields = []string{"ref", "id", "source", "kind", "locale", "nodes", "size", "total"}

// fieldOf refuses a path whose first field none of the kinds maps. Behind a relation stands
// another item, whose kind is not known before it is fetched.
func fieldOf(kinds []*tutti.Kind, steps []string) error {
	if len(kinds) == 0 || slices.Contains(ownFields, steps[0]) {
		return nil
	}
	var known []string
	for _, k := range kinds {
		if _, ok := k.Fields[steps[0]]; ok || k.Type == tutti.AssetType && steps[0] == "url" {
			return nil
		}
		known = append(known, sortedKeys(k.Fields)...)
	}
	return &tutti.Error{
		Code: tutti.Invalid, Message: fmt.Sprintf("A %s has no field “%s”.", kindNames(kinds), steps[0]), Hint: expr.DidYouMean(steps[0], known),
	}
}

func kindNames(kinds []*tutti.Kind) string {
	var names []string
	for _, k := range kinds {
		names = append(names, k.Source+":"+k.Name)
	}
	return strings.Join(unique(names), " or ")
}

// warnFine warns of a value that is another one for nearly every visitor.
func (s *scope) warnFine(path string, x *expression) {
	if x.personal {
		return
	}
	for _, name := range x.reads {
		if a := s.c.engine.attributes[name]; a != nil && fine(a) {
			hint := "Declare a step for it, such as step: 100."
			if a.Type == tutti.PlaceType {
				hint = "Declare a precision of 6 or less."
			}
			s.c.warn(path, fmt.Sprintf("“%s” stands here with its exact value: this makes one page per visitor.", name), hint)
		}
	}
}

// bound is a program over resources with the attributes that it reads filled in. Its source
// tells their values, because they are part of the key.
type bound struct {
	tutti.Program
	values map[string]any // by variable: stay → {checkIn}
	vars   []string
	paths  [][]string
	source string
}

func bind(p tutti.Program, facts map[string]any) tutti.Program {
	b := &bound{Program: p, values: map[string]any{}, source: p.String() + " with " + plainJSON(facts)}
	for _, name := range sortedKeys(facts) {
		nested(b.values, name, facts[name])
	}
	for _, v := range p.Vars() {
		if _, ok := b.values[v]; !ok {
			b.vars = append(b.vars, v)
		}
	}
	for _, steps := range p.Paths() {
		if _, ok := b.values[steps[0]]; !ok {
			b.paths = append(b.paths, steps)
		}
	}
	return b
}

func (b *bound) Vars() []string    { return b.vars }
func (b *bound) Paths() [][]string { return b.paths }
func (b *bound) String() string    { return b.source }

func (b *bound) Eval(vars map[string]any) (any, error) {
	all := make(map[string]any, len(vars)+len(b.values))
	maps.Copy(all, vars)
	maps.Copy(all, b.values)
	return b.Program.Eval(all)
}
