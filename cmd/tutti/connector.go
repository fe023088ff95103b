package main

import (
	"errors"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/internal/config"
	"github.com/tuttihq/tutti/sources"
	"github.com/tuttihq/tutti/sources/contract"
	"github.com/tuttihq/tutti/sources/recording"
)

// connectorCommand holds what the author of a connector does.
type connectorCommand struct {
	New    connectorNewCommand    `cmd:"" help:"Write a manifest to start from, one that runs."`
	Try    connectorTryCommand    `cmd:"" help:"Ask for one item, and show request, answer, and what each field was made of."`
	Test   connectorTestCommand   `cmd:"" help:"Ask a connector everything that every source promises."`
	Record connectorRecordCommand `cmd:"" help:"Keep a running system's answers in a file, without secrets."`
}

// systemFlags say which connector speaks to which system. They are part of several commands.
type systemFlags struct {
	URL          string            `name:"url" help:"Where the system is." placeholder:"URL"`
	Set          map[string]string `help:"A setting of the manifest, name=value. May be given several times." placeholder:"NAME=VALUE" mapsep:"none"`
	Secret       map[string]string `help:"A secret of the manifest, and the environment variable that holds it." placeholder:"NAME=VARIABLE" mapsep:"none"`
	AllowPrivate []string          `help:"A host that may have a private address, beside that of --url."`
	Config       string            `help:"The config file, for --source." default:"tutti.yaml" type:"path" env:"TUTTI_CONFIG"`
	Source       string            `help:"Take connector, address, settings and secrets from this source of the config." placeholder:"NAME"`
}

// manifest gives the source and its manifest, as flags and config say; file is one, the name of a connector
// that comes with the product, or "" for that of --source. Dir is where relative paths start.
func (f *systemFlags) manifest(file string) (c config.Source, m *sources.Manifest, dir string, err error) {
	if f.Source != "" {
		if c, dir, err = f.configured(); err != nil {
			return c, nil, dir, err
		}
	}
	if file != "" {
		c.Connector = file
		if !tutti.IsName(file) && f.Source != "" { // else it is relative to where we are
			if c.Connector, err = filepath.Abs(file); err != nil {
				return c, nil, dir, err
			}
		}
	}
	if c.Connector == "" {
		return c, nil, dir, &tutti.Error{Code: tutti.InvalidValue, Field: "FILE", Message: "is missing.", Hint: "Name a manifest, for example  ./acme.yaml  or a source of the config:  --source shop"}
	}
	if m, err = sources.ReadManifest(c.Connector, dir); err != nil {
		return c, nil, dir, err
	}
	if c.Name == "" {
		c.Name = m.Name
	}
	return c, m, dir, f.fill(&c)
}

// configured gives the source of the config.
func (f *systemFlags) configured() (config.Source, string, error) {
	cfg, err := config.Load(f.Config, os.LookupEnv)
	if err != nil {
		return config.Source{}, "", err
	}
	i := slices.IndexFunc(cfg.Sources, func(s config.Source) bool { return s.Name == f.Source })
	if i < 0 {
		return config.Source{}, "", &tutti.Error{Code: tutti.UnknownSource, Field: "--source", Message: "the config has no source “" + f.Source + "”."}
	}
	return cfg.Sources[i], filepath.Dir(cfg.Path), nil
}

// fill takes over what the flags say.
func (f *systemFlags) fill(c *config.Source) error {
	if f.URL != "" {
		c.URL = f.URL
		if u, err := url.Parse(f.URL); err == nil && u.Hostname() != "" { // who names it on the command line allows it
			host := u.Hostname()
			if u.Port() != "" {
				host = net.JoinHostPort(host, u.Port())
			}
			c.AllowPrivate = append(slices.Clone(c.AllowPrivate), host)
		}
	}
	c.AllowPrivate = append(c.AllowPrivate, f.AllowPrivate...)
	var problems []error
	for _, name := range sortedNames(f.Set) {
		if c.Settings == nil {
			c.Settings = map[string]string{}
		}
		c.Settings[name] = f.Set[name]
	}
	for _, name := range sortedNames(f.Secret) {
		v, ok := os.LookupEnv(f.Secret[name])
		if !ok || v == "" {
			problems = append(problems, &tutti.Error{Code: tutti.InvalidValue, Field: "--secret", Message: "the environment variable " + f.Secret[name] + " is not set."})
			continue
		}
		if c.Secrets == nil {
			c.Secrets = map[string]tutti.Secret{}
		}
		c.Secrets[name] = tutti.NewSecret(v)
	}
	return errors.Join(problems...)
}

// itemFlags say what a system holds, where it cannot be listed or a recording does not say.
type itemFlags struct {
	ID      []string `name:"id" help:"An item that exists, kind/id. May be given several times." placeholder:"KIND/ID"`
	Missing []string `help:"An id that does not exist, kind/id." placeholder:"KIND/ID"`
	Locale  []string `help:"Locales to ask in; the first is asked everywhere." placeholder:"LOCALE"`
	Kind    []string `help:"Only these kinds." placeholder:"KIND"`
}

// into puts what the flags say beside what is known.
func (f *itemFlags) into(kinds map[string]contract.Kind, m *sources.Manifest) (map[string]contract.Kind, error) {
	all := map[string]contract.Kind{}
	for _, d := range m.Definitions() {
		k := kinds[d.Name]
		if len(f.Locale) > 0 {
			k.Locales = f.Locale
		}
		if len(f.Kind) > 0 && !slices.Contains(f.Kind, d.Name) {
			k = contract.Kind{Without: "it is not among --kind"}
		}
		all[d.Name] = k
	}
	add := func(flag, ref string, put func(k *contract.Kind, id string)) error {
		kind, id, ok := strings.Cut(ref, "/")
		k, known := all[kind]
		if !ok || !known || id == "" {
			return &tutti.Error{Code: tutti.InvalidValue, Field: flag, Message: "“" + ref + "” names no item.", Hint: "Write the kind and an id, for example  " + m.Definitions()[0].Name + "/1"}
		}
		put(&k, id)
		all[kind] = k
		return nil
	}
	for _, ref := range f.ID {
		if err := add("--id", ref, func(k *contract.Kind, id string) { k.IDs = append(k.IDs, id) }); err != nil {
			return nil, err
		}
	}
	for _, ref := range f.Missing {
		if err := add("--missing", ref, func(k *contract.Kind, id string) { k.Missing = id }); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// readRecording reads a recording by the path that a person writes, or a connector's own by its name.
func readRecording(name string) (*recording.Recording, error) {
	if tutti.IsName(name) {
		return sources.ReadRecording(name, "")
	}
	return sources.ReadRecording(name, "")
}

func sortedNames[V any](m map[string]V) []string {
	all := make([]string, 0, len(m))
	for name := range m {
		all = append(all, name)
	}
	slices.Sort(all)
	return all
}
