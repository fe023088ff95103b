// Package contract is the contract suite of connectors: what every source promises, asked of a running
// system or of a recording.
//
// It owns the questions and what they come to. It needs no test framework: "tutti connector test" and the
// project's own tests ask the same. Whoever asks says what the system holds, or has the suite find out.
package contract

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/internal/config"
	"github.com/tuttihq/tutti/sources"
	"github.com/tuttihq/tutti/sources/recording"
)

// System is what the questions are asked of. Its methods are not safe for concurrent use.
type System struct {
	Source   config.Source // with address and secrets; its kinds are filled in
	Dir      string        // where a relative manifest path starts
	Manifest *sources.Manifest
	Kinds    map[string]Kind // what to ask of each kind; what is not said is found out where the system can be listed
	Hooks    []recording.Hook

	// Database opens the database of a connector that speaks SQL; nil = there is none.
	Database func(sources.DatabaseConfig) (sources.Database, error)

	Recording *recording.Recording // answers in place of the system; nil = the system itself answers
	Recorder  *recording.Recorder  // notes exchanges with the system, those that a recording needs; nil = nobody does
	// Fault makes every call fail until Heal. Nil = faults are put before the system.
	Fault func(Fault) error
	Heal  func()
	// Patience is how long the system may take before it is slow; 0 = 4 s, and 1 s for a recording.
	Patience time.Duration
	Pages    int // how many pages of a list are read, where its kind does not say; 0 = 10

	player *recording.Player
	hides  *recording.Recorder // takes secrets out of what the player tells; nil without one
	front  *front

	unlisted map[string]bool // kinds that could not be listed, as was told
}

// Kind says what to ask of a kind of item.
type Kind = recording.Kind

// Outcome is what a question comes to.
type Outcome string

// The outcomes.
const (
	Passed Outcome = "passed"
	Cannot Outcome = "cannot" // the system or the recording cannot do it; Why says what is missing
	Failed Outcome = "failed"
)

// Result is what one question came to.
type Result struct {
	Kind     string   `json:"kind,omitempty"` // "" = about the system as a whole
	Question string   `json:"question"`
	Outcome  Outcome  `json:"outcome"`
	Why      []string `json:"why,omitempty"`
	Absent   bool     `json:"absent,omitempty"` // of Cannot: the manifest does not offer it, or no recording can hold it
	Place    string   `json:"place,omitempty"`  // file:line:column of what to look at in the manifest, of a failure that may be its fault
}

// Question is one promise to be tried.
type Question struct {
	Kind string // "" = of the system as a whole
	Name string
	Slow bool // it waits, to see what becomes of a fault
	ask  func(*asking)
}

// New makes a system ready to be asked. With a recording, its address, settings and made-up secrets
// are the recording's, and so is what to ask. It calls nobody.
func New(s System) (*System, error) {
	if s.Manifest == nil {
		m, err := sources.ReadManifest(s.Source.Connector, s.Dir)
		if err != nil {
			return nil, err
		}
		s.Manifest = m
	}
	if s.Source.Name == "" {
		s.Source.Name = s.Manifest.Name
	}
	s.Source.Freshness = config.Freshness{} // the suite moves the clock by what is usual
	if s.Source.Recording != "" && s.Recording == nil {
		r, err := sources.ReadRecording(s.Source.Recording, s.Dir)
		if err != nil {
			return nil, err
		}
		s.Recording = r
	}
	s.Source.Recording = ""
	if r := s.Recording; r != nil {
		if r.Connector != s.Manifest.Name {
			return nil, &tutti.Error{Code: tutti.Invalid, Message: "the recording " + r.File() + " is of the connector " + r.Connector + ", not of " + s.Manifest.Name + "."}
		}
		s.player = r.Play()
		s.hides = recording.Record("", nil)
		for _, secret := range s.Source.Secrets { // real ones, which a question may hold
			s.hides.Hide(secret.Reveal())
		}
		s.Source = sources.Recorded(s.Source, s.Manifest, r)
		if s.Kinds == nil {
			s.Kinds = r.Kinds
		}
		if s.Hooks == nil {
			s.Hooks = r.Hooks
		}
	}
	if s.Pages == 0 {
		s.Pages = 10
	}
	if s.Patience == 0 {
		if s.Patience = 4 * time.Second; s.Recording != nil { // a running system may be busy, and is not slow for that
			s.Patience = time.Second
		}
	}
	kinds := map[string]Kind{}
	for _, d := range s.Manifest.Definitions() {
		kinds[d.Name] = s.Kinds[d.Name]
	}
	for name := range s.Kinds {
		if _, ok := kinds[name]; !ok {
			return nil, &tutti.Error{Code: tutti.Invalid, Message: "the connector " + s.Manifest.Name + " has no kind “" + name + "”.", Hint: "It has " + strings.Join(keys(kinds), ", ") + "."}
		}
	}
	s.Kinds, s.unlisted = kinds, map[string]bool{}
	s.front = &front{player: s.player, recorder: s.Recorder}
	return &s, nil
}

// recorded reports whether a recording answers or is being made: then only what it can hold is asked.
func (sys *System) recorded() bool { return sys.player != nil || sys.Recorder != nil }

// at chooses the moment of a recording.
func (sys *System) at(when string) {
	if sys.player != nil {
		sys.player.At(when)
	}
	if sys.Recorder != nil {
		sys.Recorder.At(when)
	}
}

func (sys *System) definition(kind string) sources.Definition {
	all := sys.Manifest.Definitions()
	return all[slices.IndexFunc(all, func(d sources.Definition) bool { return d.Name == kind })]
}

// Questions gives all questions, in the order in which they are best asked.
func (sys *System) Questions() []Question {
	var all []Question
	broken := false // something was asked of with faults
	for _, kind := range keys(sys.Kinds) {
		if sys.Kinds[kind].Without != "" {
			all = append(all, Question{Kind: kind, Name: "anything", ask: func(t *asking) { t.cannot("%s", sys.Kinds[kind].Without) }})
			continue
		}
		for _, q := range kindQuestions {
			all = append(all, Question{Kind: kind, Name: q.name, ask: func(t *asking) { q.ask(t, kind) }})
		}
		if sys.Recorder != nil || broken && sys.recorded() {
			continue
		}
		for _, q := range faultQuestions {
			all = append(all, Question{Kind: kind, Name: q.name, Slow: true, ask: func(t *asking) { q.ask(t, kind) }})
		}
		broken = true
	}
	for _, q := range systemQuestions {
		all = append(all, Question{Name: q.name, ask: q.ask})
	}
	return all
}

// Ask asks one question and gives what it comes to. It ends when the context does.
func (sys *System) Ask(ctx context.Context, q Question) Result {
	t := &asking{ctx: ctx, sys: sys}
	sys.heal()
	t.run(q.ask)
	r := Result{Kind: q.Kind, Question: q.Name, Outcome: Passed, Why: t.why, Absent: t.absent, Place: t.place()}
	switch {
	case t.failed:
		r.Outcome = Failed
	case t.unable:
		r.Outcome = Cannot
	}
	if r.Outcome != Failed {
		r.Place = ""
	}
	return r
}

// AskAll asks every question.
func (sys *System) AskAll(ctx context.Context) []Result {
	var all []Result
	for _, q := range sys.Questions() {
		if ctx.Err() != nil {
			break
		}
		all = append(all, sys.Ask(ctx, q))
	}
	return all
}

func (sys *System) heal() {
	sys.front.fault.Store(nil)
	sys.at(recording.Always)
	if sys.player != nil {
		sys.player.Misses()
	}
	if sys.Heal != nil {
		sys.Heal()
	}
}

// stopped ends a question early.
type stopped struct{}

// asking is a question that is being asked.
type asking struct {
	ctx    context.Context
	sys    *System
	why    []string
	failed bool
	unable bool
	absent bool
	path   string // of the manifest's key that a failure may be about
	ends   []func()
}

func (t *asking) run(ask func(*asking)) {
	defer func() {
		for _, end := range slices.Backward(t.ends) {
			end()
		}
		if r := recover(); r != nil {
			if _, ok := r.(stopped); !ok {
				panic(r)
			}
		}
		if t.sys.player == nil || t.unable && !t.failed {
			return
		}
		for _, miss := range t.sys.player.Misses() {
			t.fail("%s", t.sys.hides.Clean(miss))
		}
	}()
	ask(t)
}

// end calls a function when the question is answered; the last first.
func (t *asking) end(f func()) { t.ends = append(t.ends, f) }

// about says which key of the manifest is to be looked at when the question fails.
func (t *asking) about(path string) { t.path = path }

func (t *asking) place() string {
	if t.path == "" {
		return ""
	}
	m := t.sys.Manifest.Wrong(t.path, "", "").Message
	place, _, _ := strings.Cut(m, ": ")
	return place
}

// fail notes what is not as it should be, and goes on.
func (t *asking) fail(format string, args ...any) {
	t.failed = true
	t.note(format, args...)
}

// stop is fail, and the end of the question.
func (t *asking) stop(format string, args ...any) {
	t.fail(format, args...)
	panic(stopped{})
}

// cannot ends a question that cannot be asked, with what is missing.
func (t *asking) cannot(format string, args ...any) {
	t.unable = true
	t.note(format, args...)
	panic(stopped{})
}

// without is cannot, for what the manifest does not offer or no recording can hold.
func (t *asking) without(format string, args ...any) {
	t.absent = true
	t.cannot(format, args...)
}

func (t *asking) note(format string, args ...any) {
	why := fmt.Sprintf(format, args...)
	if !slices.Contains(t.why, why) {
		t.why = append(t.why, why)
	}
}

// counted writes a number with its word: 1 call, 2 calls.
func counted(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return fmt.Sprintf("%d %ss", n, word)
}

func keys[V any](m map[string]V) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// Fault is something that goes wrong: slow, error, garbage, oversize, wrong-type, rate-limited, reset,
// black-hole.
type Fault struct {
	Kind       string
	Delay      time.Duration
	Status     int
	RetryAfter time.Duration
}
