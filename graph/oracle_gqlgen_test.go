package graph

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/graph/graphtest"
)

// TestAnswersAsGqlgenDoes holds the projector against gqlgen: random operations over random data,
// answered by the server as always, and by the code that gqlgen generated for the same types.
// TUTTI_SEED makes it begin elsewhere.
func TestAnswersAsGqlgenDoes(t *testing.T) {
	const worlds, operations = 20, 30
	o := newOracle(t, nil)
	for seed := firstSeed(t); o.asked < worlds*operations; seed++ {
		r := rand.New(rand.NewPCG(seed, 1))
		w := o.worldFor(r)
		for range operations {
			op := o.operation(r)
			if problem := o.compareWithGqlgen(w, op); problem != "" {
				t.Fatalf("TUTTI_SEED=%d: %s\n%s\n%v", seed, problem, op.Query, op.Variables)
			}
		}
	}
	if o.withErrors < o.asked/20 || o.withErrors > o.asked*4/5 {
		t.Errorf("%d of %d answers had errors: the data no longer tests both", o.withErrors, o.asked)
	}
}

func firstSeed(t testing.TB) uint64 {
	if s := os.Getenv("TUTTI_SEED"); s != "" {
		n, err := strconv.ParseUint(s, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	return 1
}

// gqlgenCannot tells which fields cannot be compared with gqlgen, and why. Besides, on its models
// gqlgen ignores arguments, can fail only where a resolver is called, has a value in each place
// that is not a pointer, and writes a promised list that is not there as an empty one: the worlds
// of this test hold nothing of that. graphql-js is asked about all of it.
var gqlgenCannot = map[string]string{
	"RoutePage.experience":       "bound to Answer: gqlgen writes it as it is",
	"UnknownComponent.resources": "bound to Answer: gqlgen writes it as it is",
	"Component.resources":        "bound to Answer: gqlgen writes it as it is",
}

// oracle answers operations over worlds.
type oracle struct {
	t                 testing.TB
	g                 *Generation
	server            *Server
	key               string
	asked, withErrors int
}

// newOracle makes a server whose resolvers answer from the world of the request.
func newOracle(t testing.TB, types []tutti.ComponentType) *oracle {
	t.Helper()
	limits := Limits{Aliases: 1000, Directives: 1000, Cost: 1 << 40, SameKeys: 1000, SamePlace: 1 << 20, Expanded: 1 << 20, Errors: 1 << 20, Depth: 50, Selections: 1 << 16}
	g, err := NewGeneration(GenerationConfig{ID: "one", ComponentTypes: types, Resolvers: worldRoot{}, Introspection: true, Limits: limits})
	if err != nil {
		t.Fatal(err)
	}
	keys := &memoryKeys{}
	o := &oracle{t: t, g: g, key: keys.add(NewKey(tutti.ManagementKey, "all", nil, noon, time.Time{}))}
	o.server = NewServer(ServerConfig{Keys: keys, Now: func() time.Time { return noon }}, g)
	return o
}

func (o *oracle) worldFor(r *rand.Rand) *world {
	m := worldMaker{r: r, schema: o.g.schema, faults: []int{0, 10, 60}[r.IntN(3)], ignoreArgs: true, mayBeNull: modelHoldsNull, mayFail: func(typ, _ string) bool { return typ == "Experience" }}
	return m.make()
}

func (o *oracle) operation(r *rand.Rand) graphtest.Operation {
	m := graphtest.Operations{
		R: r, Schema: o.g.schema, Required: true, Argument: rootArguments(r),
		Roots:    []string{"experience", "experience", "experience", "resource", "resources", "search", "route", "routes"},
		LeaveOut: func(d *ast.Definition, field string) bool { return gqlgenCannot[d.Name+"."+field] != "" },
	}
	return m.Make()
}

type answered struct {
	Data   json.RawMessage `json:"data"`
	Errors []struct {
		Message    string `json:"message"`
		Path       []any  `json:"path"`
		Extensions struct {
			Code tutti.Code `json:"code"`
		} `json:"extensions"`
	} `json:"errors"`
}

// ask sends an operation to the server, over a world. In a calm world it does so twice: the second
// answer comes ready, and must be the same.
func (o *oracle) ask(w *world, op graphtest.Operation) (answered, []byte) {
	body := o.send(w, op)
	if w.calm {
		if again := o.send(w, op); !bytes.Equal(again, body) && !bytes.Contains(body, []byte(`"errors"`)) {
			o.t.Fatalf("the second time another answer to %s\n%s\n%s", op.Query, body, again)
		}
	}
	var a answered
	if err := json.Unmarshal(body, &a); err != nil {
		o.t.Fatalf("%v: %s", err, body)
	}
	o.asked++
	if len(a.Errors) > 0 {
		o.withErrors++
	}
	return a, body
}

func (o *oracle) send(w *world, op graphtest.Operation) []byte {
	body, err := json.Marshal(op)
	if err != nil {
		o.t.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodPost, "/graphql", bytes.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+o.key)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", graphqlJSON)
	rec := httptest.NewRecorder()
	o.server.ServeHTTP(rec, r.WithContext(context.WithValue(r.Context(), worldKey{}, worldOf{w, o.g.schema})))
	return rec.Body.Bytes()
}

// compareWithGqlgen says what differs.
func (o *oracle) compareWithGqlgen(w *world, op graphtest.Operation) string {
	got, body := o.ask(w, op)
	if got.Data == nil {
		return "not executed: " + string(body)
	}
	data, errs, err := o.gqlgen(w, op)
	if err != nil {
		return err.Error()
	}
	ours, err := canonical(got.Data, false)
	if err != nil {
		return fmt.Sprintf("%v in %s", err, got.Data)
	}
	// gqlgen writes __typename twice where a union and a member of it are asked for it.
	theirs, err := canonical(data, true)
	if err != nil {
		return fmt.Sprintf("%v in gqlgen's %s", err, data)
	}
	if ours != theirs {
		return fmt.Sprintf("got  %s %v\nwant %s %v", ours, got.Errors, theirs, errs)
	}
	return compareErrors(got, data, errs)
}

// compareErrors compares the places of errors. gqlgen goes on in an object that a null has taken
// away already, so it may tell more of what is below that null.
func compareErrors(got answered, data []byte, want [][]any) string {
	var places [][]any
	for _, e := range got.Errors {
		places = append(places, e.Path)
		if !slices.ContainsFunc(want, func(p []any) bool { return fmt.Sprint(p) == fmt.Sprint(e.Path) }) {
			return fmt.Sprintf("an error at %v that gqlgen does not tell, but %v", e.Path, want)
		}
	}
	for _, p := range want {
		null := nullAbove(data, p)
		if !slices.ContainsFunc(places, func(q []any) bool {
			return fmt.Sprint(p) == fmt.Sprint(q) || null >= 0 && len(q) >= null && fmt.Sprint(p[:null]) == fmt.Sprint(q[:null])
		}) {
			return fmt.Sprintf("no error at %v, but %v", p, places)
		}
	}
	return ""
}

// nullAbove gives the length of the part of a path that leads to a null; -1 when there is none.
func nullAbove(data []byte, path []any) int {
	var v any
	if err := json.Unmarshal(data, &v); err != nil {
		return -1
	}
	for i, step := range path {
		if v == nil {
			return i
		}
		switch at := v.(type) {
		case map[string]any:
			v = at[fmt.Sprint(step)]
		case []any:
			n, _ := strconv.Atoi(fmt.Sprint(step))
			v = at[n]
		}
	}
	if v == nil {
		return len(path)
	}
	return -1
}

// canonical writes JSON without what does not count: the form of numbers, escapes, space. The
// order of keys counts. A key that comes twice is an error, or left out where it is the same.
func canonical(data []byte, twice bool) (string, error) {
	d := json.NewDecoder(bytes.NewReader(data))
	var b strings.Builder
	err := canonicalValue(d, &b, twice)
	if err == nil {
		if _, more := d.Token(); !errors.Is(more, io.EOF) {
			err = errors.New("more than one value")
		}
	}
	return b.String(), err
}

func canonicalValue(d *json.Decoder, b *strings.Builder, twice bool) error {
	token, err := d.Token()
	if err != nil {
		return err
	}
	switch token {
	case json.Delim('['):
		b.WriteByte('[')
		for i := 0; d.More(); i++ {
			if i > 0 {
				b.WriteByte(',')
			}
			if err := canonicalValue(d, b, twice); err != nil {
				return err
			}
		}
		b.WriteByte(']')
		_, err := d.Token()
		return err
	case json.Delim('{'):
		return canonicalObject(d, b, twice)
	}
	j, err := json.Marshal(token)
	b.Write(j)
	return err
}

func canonicalObject(d *json.Decoder, b *strings.Builder, twice bool) error {
	seen := map[any]string{}
	b.WriteByte('{')
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return err
		}
		var v strings.Builder
		if err := canonicalValue(d, &v, twice); err != nil {
			return err
		}
		if before, ok := seen[key]; ok {
			if !twice || before != v.String() {
				return fmt.Errorf("the key %v is there twice", key)
			}
			continue
		}
		if len(seen) > 0 {
			b.WriteByte(',')
		}
		seen[key] = v.String()
		fmt.Fprintf(b, "%q:%s", key, v.String())
	}
	b.WriteByte('}')
	_, err := d.Token()
	return err
}

// gqlgen answers an operation with the code that gqlgen generated: data, and the places of errors.
func (o *oracle) gqlgen(w *world, op graphtest.Operation) (json.RawMessage, [][]any, error) {
	d, _, list := o.g.document(op.Query)
	if list != nil {
		return nil, nil, list
	}
	operation := d.doc.Operations.ForName(op.OperationName)
	raw, err := json.Marshal(op.Variables)
	if err != nil {
		return nil, nil, err
	}
	var given map[string]any
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	if err := decoder.Decode(&given); err != nil {
		return nil, nil, err
	}
	vars, bad := coerceVariables(o.g, operation, given)
	if bad != nil {
		return nil, nil, bad[0]
	}
	m := &models{w: w, made: map[int]any{}, experiences: map[*Answer]*worldObject{}}
	opCtx := &graphql.OperationContext{
		Variables: vars, Doc: d.doc, Operation: operation, RecoverFunc: graphql.DefaultRecover,
		ResolverMiddleware:     func(ctx context.Context, next graphql.Resolver) (any, error) { return next(ctx) },
		RootResolverMiddleware: func(ctx context.Context, next graphql.RootResolver) graphql.Marshaler { return next(ctx) },
	}
	ctx := graphql.WithResponseContext(graphql.WithOperationContext(context.Background(), opCtx), keep, graphql.DefaultRecover)
	exec, _ := NewExecutableSchema(Config{Schema: o.g.schema, Resolvers: modelRoot{m: m}}).(*executableSchema)
	data := m.query(ctx, newExecutionContext(opCtx, exec, nil), operation)
	var places [][]any
	for _, e := range graphql.GetErrors(ctx) {
		b, err := json.Marshal(e.Path)
		if err != nil {
			return nil, nil, err
		}
		var path []any
		if err := json.Unmarshal(b, &path); err != nil {
			return nil, nil, err
		}
		places = append(places, path)
	}
	return data, places, nil
}

// models makes gqlgen's models of a world's objects, once each.
type models struct {
	w           *world
	mu          sync.Mutex // guards the maps
	made        map[int]any
	experiences map[*Answer]*worldObject
}

// query stands for the root type, whose fields are bound to Answer: it calls what gqlgen generated
// for the objects that they give.
func (m *models) query(ctx context.Context, ec *executionContext, op *ast.OperationDefinition) []byte {
	var b bytes.Buffer
	null := false
	b.WriteByte('{')
	for i, f := range graphql.CollectFields(ec.OperationContext, op.SelectionSet, []string{"Query"}) {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, "%q:", f.Alias)
		if f.Name == "__typename" {
			b.WriteString(`"Query"`)
			continue
		}
		at := graphql.WithFieldContext(ctx, &graphql.FieldContext{Object: "Query", Field: f})
		start := b.Len()
		m.root(at, ec, f).MarshalGQL(&b)
		if f.Definition.Type.NonNull && b.String()[start:] == "null" {
			null = true
		}
	}
	b.WriteByte('}')
	if null {
		return []byte("null")
	}
	return b.Bytes()
}

func (m *models) root(ctx context.Context, ec *executionContext, f graphql.CollectedField) graphql.Marshaler {
	args := Args(f.ArgumentMap(ec.Variables))
	answer := func(typ, argument string) (*Answer, bool) {
		o := m.w.root(typ, args.String(argument))
		if o == nil {
			return nil, false
		}
		return m.answer(o), true
	}
	switch f.Name {
	case "experience":
		if a, ok := answer("Experience", "composition"); ok {
			return ec._Experience(ctx, f.Selections, a)
		}
	case "search":
		if a, ok := answer("ResourceConnection", "source"); ok {
			return ec._ResourceConnection(ctx, f.Selections, a)
		}
	case "routes":
		if a, ok := answer("RouteConnection", "channel"); ok {
			return ec._RouteConnection(ctx, f.Selections, a)
		}
	case "resource":
		return m.resource(ctx, ec, f, args["ref"])
	case "resources":
		refs, _ := args["refs"].([]any)
		if args["refs"] != nil && refs == nil {
			refs = []any{args["refs"]}
		}
		list := graphql.Array{}
		for i, ref := range refs {
			at := graphql.WithFieldContext(ctx, &graphql.FieldContext{Index: &i})
			list = append(list, m.resource(at, ec, f, ref))
		}
		return list
	case "route":
		o := m.w.root("RouteResult", args.String("path"))
		if o == nil {
			return graphql.Null
		}
		model, _ := m.model(o).(RouteAnswer)
		return ec._RouteResult(ctx, f.Selections, model)
	}
	graphql.AddErrorf(ctx, "nothing there")
	return graphql.Null
}

func (m *models) resource(ctx context.Context, ec *executionContext, f graphql.CollectedField, ref any) graphql.Marshaler {
	o := m.w.root("Resource", fmt.Sprint(ref))
	if o == nil {
		return graphql.Null
	}
	model, _ := m.model(o).(ResourceAnswer)
	return ec._Resource(ctx, f.Selections, model)
}

func (m *models) answer(o *worldObject) *Answer {
	m.mu.Lock()
	defer m.mu.Unlock()
	a := &Answer{}
	m.experiences[a] = o
	return a
}

// modelTypes are gqlgen's models, by the name of their type.
var modelTypes = func() map[string]reflect.Type {
	byName := map[string]reflect.Type{}
	var visit func(t reflect.Type)
	visit = func(t reflect.Type) {
		for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
			t = t.Elem()
		}
		if t.Kind() != reflect.Struct || t.PkgPath() != reflect.TypeFor[Answer]().PkgPath() || byName[t.Name()] != nil {
			return
		}
		byName[t.Name()] = t
		for i := range t.NumField() {
			visit(t.Field(i).Type)
		}
	}
	for _, model := range []any{
		UnknownComponent{},
		Asset{},
		Product{},
		SocialPost{},
		SupportTicket{},
		Article{},
		Place{},
		Record{},
		RoutePage{},
		RouteRedirect{},
		RouteEntry{},
		PageInfo{},
		Meta{},
		Slot{},
		Problem{},
		Holds{},
		LocaleUsed{},
		Speech{},
		Message{},
	} {
		visit(reflect.TypeOf(model))
	}
	return byName
}()

func modelField(t reflect.Type, field string) (reflect.StructField, bool) {
	for i := range t.NumField() {
		if name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ","); name == field {
			return t.Field(i), true
		}
	}
	return reflect.StructField{}, false
}

// modelHoldsNull tells whether gqlgen's model can be without a value that the schema promises.
func modelHoldsNull(typ, field string) bool {
	t := modelTypes[typ]
	if t == nil {
		return false
	}
	f, ok := modelField(t, field)
	if !ok {
		return false
	}
	holds := f.Type
	if holds.Kind() == reflect.Slice {
		holds = holds.Elem()
	}
	return holds.Kind() == reflect.Pointer || holds.Kind() == reflect.Interface
}

// model makes gqlgen's model of an object, with all that it leads to.
func (m *models) model(o *worldObject) any {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.modelOf(slices.Index(m.w.Objects, o))
}

func (m *models) modelOf(n int) any {
	if made, ok := m.made[n]; ok {
		return made
	}
	o := m.w.Objects[n]
	t := modelTypes[o.Type]
	if t == nil { // bound to Answer
		a := &Answer{}
		m.experiences[a], m.made[n] = o, a
		return a
	}
	v := reflect.New(t)
	m.made[n] = v.Interface()
	for name, x := range o.Fields {
		f, ok := modelField(t, name)
		if !ok {
			panic(o.Type + " has no field for " + name)
		}
		m.set(v.Elem().FieldByIndex(f.Index), x)
	}
	return v.Interface()
}

func (m *models) set(to reflect.Value, x *worldValue) {
	switch {
	case x.Object != nil:
		to.Set(reflect.ValueOf(m.modelOf(*x.Object)))
	case x.List != nil:
		to.Set(reflect.MakeSlice(to.Type(), len(x.List), len(x.List)))
		for i, e := range x.List {
			m.set(to.Index(i), e)
		}
	case x.Leaf == nil:
	case to.Kind() == reflect.Pointer:
		to.Set(reflect.New(to.Type().Elem()))
		m.set(to.Elem(), x)
	case to.Type() == reflect.TypeFor[time.Time]():
		at, err := time.Parse(time.RFC3339Nano, x.Leaf.(string))
		if err != nil {
			panic(err)
		}
		to.Set(reflect.ValueOf(at))
	case to.Type() == reflect.TypeFor[tutti.Ref]():
		to.Set(reflect.ValueOf(refOf(x.Leaf.(string))))
	case to.Kind() == reflect.Interface:
		to.Set(reflect.ValueOf(x.Leaf))
	default:
		to.Set(reflect.ValueOf(x.Leaf).Convert(to.Type()))
	}
}

// given gives a field of an object that is bound to Answer, as gqlgen's resolvers give it.
func given[T any](m *models, a *Answer, field string) (T, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var to T
	x := m.experiences[a].Fields[field]
	if x.Error != "" {
		return to, errors.New(x.Error)
	}
	m.set(reflect.ValueOf(&to).Elem(), x)
	return to, nil
}

type modelRoot struct {
	ResolverRoot
	m *models
}

func (r modelRoot) Experience() ExperienceResolver                 { return modelExperience{r.m} }
func (r modelRoot) ResourceConnection() ResourceConnectionResolver { return modelResources{r.m} }
func (r modelRoot) RouteConnection() RouteConnectionResolver       { return modelRoutes{r.m} }

type modelExperience struct{ m *models }

func (r modelExperience) ID(_ context.Context, a *Answer) (string, error) {
	return given[string](r.m, a, "id")
}

func (r modelExperience) Composition(_ context.Context, a *Answer) (string, error) {
	return given[string](r.m, a, "composition")
}

func (r modelExperience) Version(_ context.Context, a *Answer) (int, error) {
	return given[int](r.m, a, "version")
}

func (r modelExperience) Title(_ context.Context, a *Answer) (*string, error) {
	return given[*string](r.m, a, "title")
}

func (r modelExperience) Meta(_ context.Context, a *Answer) (*Meta, error) {
	return given[*Meta](r.m, a, "meta")
}

func (r modelExperience) Slots(_ context.Context, a *Answer) ([]*Slot, error) {
	return given[[]*Slot](r.m, a, "slots")
}

func (r modelExperience) Components(_ context.Context, a *Answer) ([]Component, error) {
	return given[[]Component](r.m, a, "components")
}

func (r modelExperience) Problems(_ context.Context, a *Answer) ([]*Problem, error) {
	return given[[]*Problem](r.m, a, "problems")
}

func (r modelExperience) Freshness(_ context.Context, a *Answer) (*Freshness, error) {
	return given[*Freshness](r.m, a, "freshness")
}

func (r modelExperience) ValidUntil(_ context.Context, a *Answer) (*time.Time, error) {
	return given[*time.Time](r.m, a, "validUntil")
}

func (r modelExperience) Holds(_ context.Context, a *Answer) (*Holds, error) {
	return given[*Holds](r.m, a, "holds")
}

func (r modelExperience) Locales(_ context.Context, a *Answer) ([]*LocaleUsed, error) {
	return given[[]*LocaleUsed](r.m, a, "locales")
}

func (r modelExperience) Speech(_ context.Context, a *Answer) (*Speech, error) {
	return given[*Speech](r.m, a, "speech")
}

func (r modelExperience) Message(_ context.Context, a *Answer) (*Message, error) {
	return given[*Message](r.m, a, "message")
}

func (r modelExperience) Channel(_ context.Context, a *Answer) (string, error) {
	return given[string](r.m, a, "channel")
}

func (r modelExperience) Locale(_ context.Context, a *Answer) (string, error) {
	return given[string](r.m, a, "locale")
}

type modelResources struct{ m *models }

func (r modelResources) Nodes(_ context.Context, a *Answer) ([]ResourceAnswer, error) {
	return given[[]ResourceAnswer](r.m, a, "nodes")
}

func (r modelResources) PageInfo(_ context.Context, a *Answer) (*PageInfo, error) {
	return given[*PageInfo](r.m, a, "pageInfo")
}

func (r modelResources) TotalCount(_ context.Context, a *Answer) (*int, error) {
	return given[*int](r.m, a, "totalCount")
}

type modelRoutes struct{ m *models }

func (r modelRoutes) Nodes(_ context.Context, a *Answer) ([]*RouteEntry, error) {
	return given[[]*RouteEntry](r.m, a, "nodes")
}

func (r modelRoutes) PageInfo(_ context.Context, a *Answer) (*PageInfo, error) {
	return given[*PageInfo](r.m, a, "pageInfo")
}

// FuzzAnswers feeds what strangers can send: any text with any variables. What is executed is
// answered as gqlgen answers it; everything else is refused as a whole.
func FuzzAnswers(f *testing.F) {
	o := newOracle(f, nil)
	r := rand.New(rand.NewPCG(firstSeed(f), 3))
	w := o.worldFor(r)
	for range 30 {
		op := o.operation(r)
		vars, err := json.Marshal(op.Variables)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(op.Query, op.OperationName, string(vars))
	}
	f.Fuzz(func(t *testing.T, query, name, variables string) {
		op := graphtest.Operation{Query: query, OperationName: name}
		if json.Unmarshal([]byte(variables), &op.Variables) != nil {
			op.Variables = nil
		}
		if !utf8.ValidString(query) || !utf8.ValidString(name) {
			return
		}
		a, body := o.ask(w, op)
		if a.Data == nil {
			if len(a.Errors) == 0 {
				t.Errorf("neither data nor errors: %s", body)
			}
			return
		}
		if _, err := canonical(a.Data, false); err != nil {
			t.Errorf("%v: %s", err, body)
		}
		if o.comparable(op) {
			if problem := o.compareWithGqlgen(w, op); problem != "" {
				t.Errorf("%s\n%s\n%v", problem, query, op.Variables)
			}
		}
	})
}

// comparable tells whether the stand-in for gqlgen's root type knows every field at the top, and
// gqlgen all below: see gqlgenCannot.
func (o *oracle) comparable(op graphtest.Operation) bool {
	d, _, list := o.g.document(op.Query)
	if list != nil {
		return false
	}
	can := true
	var walk func(set ast.SelectionSet)
	walk = func(set ast.SelectionSet) {
		for _, s := range set {
			switch s := s.(type) {
			case *ast.Field:
				known := s.ObjectDefinition != o.g.schema.Query || slices.Contains([]string{"experience", "resource", "resources", "search", "route", "routes", "__typename"}, s.Name)
				can = can && known && gqlgenCannot[s.ObjectDefinition.Name+"."+s.Name] == ""
				walk(s.SelectionSet)
			case *ast.InlineFragment:
				walk(s.SelectionSet)
			}
		}
	}
	for _, operation := range d.doc.Operations {
		can = can && operation.Operation == ast.Query
		walk(operation.SelectionSet)
	}
	for _, fragment := range d.doc.Fragments {
		walk(fragment.SelectionSet)
	}
	return can
}
