package sources

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/internal/expr"
)

// The places of a manifest in which expressions stand, with the names that they may use there.
var (
	settingNames = names("settings")
	configNames  = names("settings", "secrets") // of what stays between us and the system
	idNames      = names("id")
	aliasNames   = names("id", "name", "found")
	getNames     = names("settings", "id", "locale", "market", "currency", "draft")
	batchNames   = names("settings", "ids", "count", "locale", "market", "currency", "draft")
	wholeNames   = names("settings", "locale", "market", "currency", "draft")
	selectNames  = names("settings", "filter", "text", "words", "first", "cursor", "page", "offset", "sort", "owner", "locale", "market", "currency", "draft")
	changeNames  = names("settings", "since", "cursor", "first", "page", "offset")
	recordNames  = names("record", "id", "settings", "locale", "locales", "source")
	pictureNames = names("record", "id", "settings", "width", "height", "format", signatureName)
	answerNames  = names("answer")
	eventNames   = names("event", "settings")
)

// namesOf makes the environment of one of these places.
type namesOf = func() (*expr.Dynamic, error)

func names(n ...string) namesOf {
	return sync.OnceValues(func() (*expr.Dynamic, error) { return expr.NewDynamic(n...) })
}

// expression is CEL; a plain path such as record.image.id is walked without it, so that numbers
// stay exactly as the origin wrote them.
type expression struct {
	path []string
	prog tutti.Program
	at   *tree // of a plain path into a record, where the walk over an answer finds it

	list, each []string // of record.list.map(x, x.each): both paths
	listAt     *tree

	helper *expr.Call // one helper over plain paths
	argsAt []*tree    // of its arguments; nil for what is no part of a record

	pointer string // where in a record it looks (RFC 6901)
}

var plainPath = regexp.MustCompile(`^[A-Za-z_]\w*(?:\.[A-Za-z_]\w*|\[\d{1,4}\])*$`)

func compileExpression(src string, in func() (*expr.Dynamic, error)) (*expression, error) {
	env, err := in()
	if err != nil {
		return nil, err
	}
	src = strings.TrimSpace(src)
	prog, err := env.Compile(src)
	if err != nil {
		return nil, err
	}
	e := &expression{prog: prog}
	e.pointer = pointerOf(prog.Paths())
	e.helper, _ = prog.(*expr.Call)
	if plainPath.MatchString(src) {
		if e.path = steps(src); e.path[0] == "record" {
			e.pointer = pointer(e.path[1:])
		}
	} else if m := mappedList.FindStringSubmatch(src); m != nil && m[2] == m[3] {
		e.list, e.each = steps(m[1]), steps(m[4][1:])
	}
	return e, nil
}

// mappedList is a list of records of which one member is taken: record.variants.map(v, v.id).
var mappedList = regexp.MustCompile(`^(record(?:\.[A-Za-z_]\w*|\[\d{1,4}\])+)\.map\(\s*([A-Za-z_]\w*)\s*,\s*([A-Za-z_]\w*)((?:\.[A-Za-z_]\w*)+)\s*\)$`)

// steps are those of a plain path.
func steps(path string) []string {
	return strings.Split(strings.NewReplacer("[", ".", "]", "").Replace(path), ".")
}

// eval gives the value; false when something on the way, or the value itself, is absent or null.
func (e *expression) eval(vars map[string]any) (any, bool, error) {
	if e.path != nil {
		v, ok := walk(vars, e.path)
		return v, ok && v != nil, nil
	}
	v, err := e.prog.Eval(vars)
	if errors.Is(err, tutti.NotFound) {
		return nil, false, nil
	}
	return v, err == nil && v != nil, err
}

func (e *expression) truth(vars map[string]any) bool {
	v, ok, err := e.eval(vars)
	b, isBool := v.(bool)
	return ok && err == nil && isBool && b
}

func walk(v any, path []string) (any, bool) {
	for _, step := range path {
		switch t := v.(type) {
		case map[string]any:
			var ok bool
			if v, ok = t[step]; !ok {
				return nil, false
			}
		case map[string]string:
			s, ok := t[step]
			if !ok {
				return nil, false
			}
			v = s
		case []any:
			i, err := strconv.Atoi(step)
			if err != nil || i >= len(t) {
				return nil, false
			}
			v = t[i]
		case tutti.Place:
			switch step {
			case "lat":
				v = t.Lat
			case "lon":
				v = t.Lon
			default:
				return nil, false
			}
		default:
			return nil, false
		}
	}
	return v, true
}

// template is a text with ${…} in it.
type template struct {
	parts []templatePart
}

type templatePart struct {
	words   string
	expr    *expression
	slashes bool // the value keeps its slashes in a path
	setting bool // the expression is made of settings alone
}

func compileTemplate(src string, in func() (*expr.Dynamic, error)) (*template, error) {
	parts, err := expr.ParseTemplate(src)
	if err != nil {
		return nil, err
	}
	t := &template{}
	for _, p := range parts {
		if p.Expr == "" {
			t.parts = append(t.parts, templatePart{words: p.Words})
			continue
		}
		e, err := compileExpression(p.Expr, in)
		if err != nil {
			return nil, within(p, err)
		}
		t.parts = append(t.parts, templatePart{expr: e, setting: e.ofSettings()})
	}
	return t, nil
}

// within tells of a mistake in a part of a template where it stands in the whole.
func within(p expr.TemplatePart, err error) error {
	var e *tutti.Error
	if !errors.As(err, &e) || e.Line == 0 {
		return err
	}
	moved := *e
	if moved.Line == 1 {
		moved.Column += p.Column - 1
	}
	moved.Line += p.Line - 1
	_, what, _ := strings.Cut(e.Message, ": ")
	moved.Message = fmt.Sprintf("line %d, column %d: %s", moved.Line, moved.Column, what)
	return &moved
}

// whole is the expression of a template that is nothing else; nil otherwise.
func (t *template) whole() *expression {
	if len(t.parts) == 1 {
		return t.parts[0].expr
	}
	return nil
}

// render puts values in, each escaped for its place. False when a value is absent: then whoever
// asked leaves the whole thing out.
func (t *template) render(vars map[string]any, escape func(string) (string, error)) (string, bool, error) {
	if len(t.parts) == 1 && t.parts[0].expr == nil {
		return t.parts[0].words, true, nil
	}
	var b strings.Builder
	for _, p := range t.parts {
		if p.expr == nil {
			b.WriteString(p.words)
			continue
		}
		v, ok, err := p.expr.eval(vars)
		if err != nil || !ok {
			return "", false, err
		}
		s, err := writeValue(v)
		if err == nil && escape != nil {
			s, err = escape(s)
		}
		if err != nil {
			return "", false, err
		}
		b.WriteString(s)
	}
	return b.String(), true, nil
}

// writeValue writes one value as it stands in a request: numbers exactly, times as RFC 3339, a place
// as lat,lon.
func writeValue(v any) (string, error) {
	switch v := v.(type) {
	case string:
		return v, nil
	case bool:
		return strconv.FormatBool(v), nil
	case int:
		return strconv.Itoa(v), nil
	case int64:
		return strconv.FormatInt(v, 10), nil
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64), nil
	case json.Number:
		return v.String(), nil
	case time.Time:
		return v.UTC().Format(time.RFC3339Nano), nil
	case tutti.Place:
		return strconv.FormatFloat(v.Lat, 'f', -1, 64) + "," + strconv.FormatFloat(v.Lon, 'f', -1, 64), nil
	case []string:
		return strings.Join(v, ","), nil
	case []any:
		all, err := writeValues(v)
		return strings.Join(all, ","), err
	}
	return "", tutti.Errorf(tutti.Invalid, "writing a value: a %s has no text form", kindOf(v))
}

func writeValues(v any) ([]string, error) {
	switch v := v.(type) {
	case []string:
		return v, nil
	case []any:
		all := make([]string, len(v))
		for i := range v {
			var err error
			if all[i], err = writeValue(v[i]); err != nil {
				return nil, err
			}
		}
		return all, nil
	}
	s, err := writeValue(v)
	return []string{s}, err
}

// kindOf names what a value is, without telling it.
func kindOf(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case string:
		return "text"
	case bool:
		return "truth value"
	case int, int64, float64, json.Number:
		return "number"
	case []any, []string:
		return "list"
	case map[string]any:
		return "object"
	}
	return fmt.Sprintf("%T", v)
}
