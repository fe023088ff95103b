package expr

import (
	"encoding/json"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/internal/text"
)

// Helpers are the functions of mappings. One whose arguments are plain paths, texts and numbers, which
// is the usual case, runs without CEL: numbers come as JSON writes them, so that no digit is lost.
// TestHelpersAgreeWithCEL holds both ways together.
//
// A helper gives null for null. What it cannot read is an error that says so without the value.

// helper is one of them. Arguments are strings, bools, int64, float64, json.Number, []any,
// map[string]any, or nil for null.
type helper struct {
	name  string
	least int    // how many arguments must be given
	args  string // of all: s is a text, i a whole number, . anything
	call  func(args []any) (any, error)
	check func(args []any) (wrong, hint string) // of arguments that are known; those that are not are nil
}

var helpers = []helper{
	{name: "money", least: 2, args: "isi", call: moneyOfMinor, check: checkCurrency},
	{name: "money.major", least: 2, args: ".s", call: moneyOfMajor, check: checkCurrency},
	{name: "date", least: 1, args: ".ss", call: date, check: checkDate},
	{name: "lang", least: 2, args: "..s", call: lang},
	{name: "rich", least: 2, args: ".s", call: rich, check: checkRich},
	{name: "url", least: 2, args: "ss", call: resolved, check: checkBase},
	{name: "nullIf", least: 2, args: "..", call: nullIf},
	{name: "escape", least: 1, args: "s", call: escaped},
	{name: "base64url", least: 1, args: "s", call: base64url},
}

func wrong(name, what string) error {
	return tutti.Errorf(tutti.Invalid, "evaluating %s: %s", name, what)
}

// option declares a helper in CEL: one overload for each number of arguments. What they are is seen
// by check and run, for null must go through.
func (h *helper) option() cel.EnvOption {
	var overloads []cel.FunctionOpt
	for n := h.least; n <= len(h.args); n++ {
		id := strings.ReplaceAll(h.name, ".", "_") + "_" + strconv.Itoa(n)
		overloads = append(overloads, cel.Overload(id, slices.Repeat([]*cel.Type{cel.DynType}, n), cel.DynType, cel.FunctionBinding(h.bind)))
	}
	return cel.Function(h.name, overloads...)
}

func (h *helper) bind(args ...ref.Val) ref.Val {
	native := make([]any, len(args))
	for i, a := range args {
		if types.IsUnknownOrError(a) {
			return a
		}
		n, err := toNative(a)
		if err != nil {
			return types.WrapErr(err)
		}
		native[i] = n
	}
	v, err := h.run(native)
	if err != nil {
		return types.WrapErr(err)
	}
	return adapter{}.NativeToValue(v)
}

// run calls the helper; texts and whole numbers are what they are declared as.
func (h *helper) run(args []any) (any, error) {
	if args[0] == nil {
		return nil, nil
	}
	for i, a := range args {
		if h.args[i] == 'i' {
			args[i] = whole(a)
		}
		switch {
		case h.takes(i, args[i]):
		case a == nil:
			return nil, nil // no currency: no money
		default:
			return nil, wrong(h.name, "argument "+strconv.Itoa(i+1)+" is not what it must be")
		}
	}
	return h.call(args)
}

// whole gives a number as int64 where it is a whole one, however it is written: 12, 12.0, 1.2e1. Anything else as it is.
func whole(v any) any {
	if n, ok := v.(json.Number); ok {
		v = plainValue(n)
	}
	if f, ok := v.(float64); ok && f == math.Trunc(f) && math.Abs(f) < 1<<53 {
		return int64(f)
	}
	return v
}

// takes reports whether an argument is what it must be.
func (h *helper) takes(i int, v any) (ok bool) {
	switch h.args[i] {
	case 's':
		_, ok = v.(string)
	case 'i':
		_, ok = v.(int64)
	default:
		ok = true
	}
	return ok
}

// mistake tells what is wrong with arguments as far as they are known; "" when nothing is.
func (h *helper) mistake(args []any) (what, hint string) {
	for i, a := range args {
		if a != nil && !h.takes(i, a) {
			return "argument " + strconv.Itoa(i+1) + " of “" + h.name + "” must be " + map[byte]string{'s': "text", 'i': "a whole number"}[h.args[i]], ""
		}
	}
	if h.check == nil {
		return "", ""
	}
	return h.check(args)
}

// Call is a program that is one helper over plain paths and values. It runs without CEL, and whoever finds
// its arguments faster than Eval may run it himself.
type Call struct {
	about
	helper *helper
	args   []Arg
}

// Arg is a path that starts at a variable, or a value.
type Arg struct {
	Path  []string // nil for a value
	Value any
}

// Args are what the helper is called with. Nobody changes them.
func (p *Call) Args() []Arg { return p.args }

// Run calls the helper with what Args stand for, which are then its own. Numbers may be json.Number.
func (p *Call) Run(args []any) (any, error) { return p.helper.run(args) }

// Eval gives what celProgram gives.
func (p *Call) Eval(vars map[string]any) (any, error) {
	args := make([]any, len(p.args))
	for i, a := range p.args {
		if a.Path == nil {
			args[i] = a.Value
			continue
		}
		v, ok := vars[a.Path[0]]
		for j := 1; ok && j < len(a.Path); j++ {
			v, ok = Field(v, a.Path[j])
		}
		if !ok {
			return nil, tutti.Errorf(tutti.NotFound, "evaluating %s: it is not there", p.source)
		}
		args[i] = v
	}
	return p.helper.run(args)
}

// direct gives the program of an expression that is a helper over plain paths, texts and numbers; nil
// for anything else.
func direct(e ast.Expr, info about) *Call {
	h := helperOf(e)
	if h == nil {
		return nil
	}
	p := &Call{about: info, helper: h}
	for _, x := range e.AsCall().Args() {
		a := Arg{}
		var ok bool
		if a.Value, ok = constant(x); !ok {
			if a.Path, ok = placeIn(x); !ok {
				return nil
			}
		}
		p.args = append(p.args, a)
	}
	return p
}

// placeIn gives the steps of an expression that is nothing but a variable, fields of it and positions in lists.
func placeIn(e ast.Expr) ([]string, bool) {
	switch e.Kind() {
	case ast.IdentKind:
		return []string{strings.TrimPrefix(e.AsIdent(), ".")}, true
	case ast.SelectKind:
		if s := e.AsSelect(); !s.IsTestOnly() {
			head, ok := placeIn(s.Operand())
			return append(head, s.FieldName()), ok
		}
	case ast.CallKind:
		if c := e.AsCall(); c.FunctionName() == "_[_]" {
			head, ok := placeIn(c.Args()[0])
			i, known := constant(c.Args()[1])
			n, whole := i.(int64)
			return append(head, strconv.FormatInt(n, 10)), ok && known && whole && n >= 0
		}
	}
	return nil, false
}

// helperOf gives the helper that a call calls, nil when it calls something else.
func helperOf(e ast.Expr) *helper {
	if e.Kind() != ast.CallKind {
		return nil
	}
	c := e.AsCall()
	for i := range helpers {
		if h := &helpers[i]; !c.IsMemberFunction() && h.name == c.FunctionName() && len(c.Args()) >= h.least && len(c.Args()) <= len(h.args) {
			return h
		}
	}
	return nil
}

// checkCalls finds what is wrong with the arguments of helpers as far as they are known.
func checkCalls(a *ast.AST) error {
	var first error
	ast.PostOrderVisit(a.Expr(), ast.NewExprVisitor(func(e ast.Expr) {
		h := helperOf(e)
		if first != nil || h == nil {
			return
		}
		args := make([]any, len(h.args))
		for i, x := range e.AsCall().Args() {
			args[i], _ = constant(x)
		}
		if what, hint := h.mistake(args); what != "" {
			at := a.SourceInfo().GetStartLocation(e.ID())
			first = mistake(max(1, at.Line()), at.Column()+1, what, hint)
		}
	}))
	return first
}

func moneyOfMinor(args []any) (any, error) {
	currency, ok := currencyOf(args[1])
	if !ok {
		return nil, wrong("money", "the currency is none")
	}
	if len(args) < 3 {
		return tutti.MoneyFromMinor(args[0].(int64), currency), nil
	}
	digits := args[2].(int64) // as the system has them, whatever the currency has
	m, ok := tutti.MoneyFromMajor(strconv.FormatInt(args[0].(int64), 10)+"e-"+strconv.FormatInt(digits, 10), currency)
	if !ok || digits < 0 {
		return nil, wrong("money", "the digits are none")
	}
	return m, nil
}

func moneyOfMajor(args []any) (any, error) {
	currency, ok := currencyOf(args[1])
	if !ok {
		return nil, wrong("money.major", "the currency is none")
	}
	amount := ""
	switch v := args[0].(type) {
	case string:
		if v == "" {
			return nil, nil
		}
		if amount = v; strings.ContainsAny(v, "eE") {
			return nil, wrong("money.major", "the amount is no decimal")
		}
	case json.Number:
		amount = v.String()
	case int64:
		amount = strconv.FormatInt(v, 10)
	case float64:
		var ok bool
		if amount, ok = Amount(v); !ok {
			return nil, wrong("money.major", "the amount has more digits than arithmetic keeps")
		}
	}
	m, ok := tutti.MoneyFromMajor(amount, currency)
	if !ok {
		return nil, wrong("money.major", "the amount is no decimal")
	}
	return m, nil
}

// Amount writes what arithmetic gave, for tutti.MoneyFromMajor: with the fifteen digits that it keeps, so that
// 0.1 * 3.0 is 0.3. False for what has more.
func Amount(f float64) (string, bool) {
	return strconv.FormatFloat(f, 'e', 14, 64), math.Abs(f) < 1e15
}

func currencyOf(v any) (string, bool) {
	s, _ := v.(string)
	s = strings.ToUpper(s)
	return s, len(s) == 3 && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == ""
}

func checkCurrency(args []any) (what, hint string) {
	if args[1] == nil {
		return "", ""
	}
	if _, ok := currencyOf(args[1]); !ok {
		return "the currency is none", "Write an ISO 4217 code such as 'EUR', or the path of one."
	}
	return "", ""
}

func date(args []any) (any, error) {
	layout, zone := "", ""
	if len(args) > 1 {
		layout = args[1].(string)
	}
	if len(args) > 2 {
		zone = args[2].(string)
	}
	return dateOf(args[0], layout, zone)
}

func checkDate(args []any) (what, hint string) {
	if layout, _ := args[1].(string); layout != "" && layout != "unix" && layout != "ms" {
		switch _, bad := goLayout(layout); {
		case len(bad) > 1 && bad[0] == '\'':
			text := strings.Trim(bad, "'")
			return "the layout holds “" + text + "”, which could be taken for a part of the time", "Take it out of the value first, with replace(record.date, '" + text + "', '')."
		case bad != "":
			return "the layout has an unknown sign: “" + bad + "”", "Write it as  dd.MM.yyyy HH:mm , text in 'quotes'; or unix, or ms."
		}
	}
	if zone, _ := args[2].(string); zone != "" {
		if _, ok := zoneOf(zone); !ok {
			return "there is no zone “" + zone + "”", "Write a name such as Europe/Berlin."
		}
	}
	return "", ""
}

// languageNames are the members of a list's elements that say in which language they are.
var languageNames = []string{"locale", "language", "languageCode", "lang", "languages_code"}

// lang takes from a map by language, or from a list of objects that each name theirs, what is in the
// first of some locales: exactly, or else its language, or else another region of it.
func lang(args []any) (any, error) {
	by := map[string]any{}
	switch v := args[0].(type) {
	case map[string]any:
		by = v
	case []any:
		names := languageNames
		if len(args) > 2 {
			names = []string{args[2].(string)}
		}
		for _, x := range v {
			if name, value := inLanguage(x, names); name != "" {
				if _, twice := by[name]; !twice {
					by[name] = value
				}
			}
		}
	case string:
		return v, nil // not in languages at all
	default:
		return nil, wrong("lang", "the value is neither a map by language nor a list of languages")
	}
	var locales []string
	switch l := args[1].(type) {
	case string:
		locales = []string{l}
	case []any:
		for _, x := range l {
			if s, ok := x.(string); ok {
				locales = append(locales, s)
			}
		}
	case []string:
		locales = l
	}
	for _, l := range locales {
		if v := ofLanguage(by, l); v != nil {
			return v, nil
		}
	}
	return nil, nil
}

// inLanguage reads an element of a list: its language, and its value, or itself where it has none.
func inLanguage(v any, names []string) (string, any) {
	m, _ := v.(map[string]any)
	for _, n := range names {
		if name, ok := m[n].(string); ok {
			if value, ok := m["value"]; ok {
				return name, value
			}
			return name, v
		}
	}
	return "", nil
}

// ofLanguage gives what is there in a locale, nil when nothing is.
func ofLanguage(by map[string]any, locale string) any {
	if v := by[locale]; v != nil {
		return v
	}
	want := languageTag(locale)
	language, _, _ := strings.Cut(want, "-")
	best, at := 0, ""
	for name, v := range by {
		if v == nil {
			continue
		}
		fits := 0
		switch tag := languageTag(name); {
		case tag == want:
			fits = 3 + len(want)
		case strings.HasPrefix(want, tag+"-"):
			fits = 2 + len(tag)
		case tag == language || strings.HasPrefix(tag, language+"-"):
			fits = 1
		}
		if fits > best || fits > 0 && fits == best && name < at {
			best, at = fits, name
		}
	}
	if best == 0 {
		return nil
	}
	return by[at]
}

func languageTag(s string) string { return strings.ToLower(strings.ReplaceAll(s, "_", "-")) }

// RichForms are the ways in which origins write rich text.
var RichForms = []string{"html", "markdown", "plain", "facets", "contentful", "storyblok"}

// Rich reads rich text that is written in one of RichForms; "" is html. False for a value that is not
// written so.
func Rich(v any, from string) (tutti.RichText, bool) {
	switch from {
	case "facets":
		m, _ := v.(map[string]any)
		s, ok := m["text"].(string)
		facets, _ := m["facets"].([]any)
		return text.FromFacets(s, facets), ok
	case "contentful":
		return text.FromContentful(v)
	case "storyblok":
		return text.FromStoryblok(v)
	}
	s, ok := v.(string)
	if !ok {
		return tutti.RichText{}, false
	}
	s = text.StripHoles(s)
	switch from {
	case "markdown":
		return text.FromMarkdown(s), true
	case "plain":
		return text.FromPlain(s), true
	}
	return text.FromHTML(s), true
}

func rich(args []any) (any, error) {
	from := args[1].(string)
	if !slices.Contains(RichForms, from) {
		return nil, wrong("rich", "the form is unknown")
	}
	r, ok := Rich(args[0], from)
	if !ok {
		return nil, wrong("rich", "the value is not written in that form")
	}
	return r, nil
}

func checkRich(args []any) (what, hint string) {
	if from, ok := args[1].(string); ok && !slices.Contains(RichForms, from) {
		return "the form is unknown: “" + from + "”", "Write one of " + strings.Join(RichForms, ", ") + "."
	}
	return "", ""
}

// resolved makes an address out of one that is relative to a base (RFC 3986, section 5).
func resolved(args []any) (any, error) {
	s, ok := args[0].(string)
	if !ok {
		return nil, wrong("url", "the value is no text")
	}
	if s = strings.TrimSpace(s); s == "" {
		return nil, nil
	}
	base, err := url.Parse(args[1].(string))
	if err != nil || base.Host == "" {
		return nil, wrong("url", "the base is no address")
	}
	u, err := base.Parse(s)
	if err != nil {
		return nil, wrong("url", "the value is no address")
	}
	return u.String(), nil
}

func checkBase(args []any) (what, hint string) {
	if s, ok := args[1].(string); ok {
		if u, err := url.Parse(s); err != nil || u.Host == "" {
			return "the base is no address", "Write, for example, url(record.path, 'https://www.example.com/')."
		}
	}
	return "", ""
}

// nullIf gives null for one value, and every other as it is.
func nullIf(args []any) (any, error) {
	a, b := simple(args[0]), simple(args[1])
	if a != nil && a == b {
		return nil, nil
	}
	return args[0], nil
}

// simple is a value that == works for; nil for lists and maps.
func simple(v any) any {
	switch v := v.(type) {
	case json.Number:
		return simple(plainValue(v))
	case float64:
		if i := int64(v); float64(i) == v {
			return i
		}
		return v
	case string, bool, int64:
		return v
	case time.Time:
		return v.UnixNano()
	}
	return nil
}
