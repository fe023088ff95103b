package main

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
)

// versionCommand prints the version.
type versionCommand struct{}

// Help shows how to call it.
func (versionCommand) Help() string {
	return `Examples:
  tutti version`
}

// Run prints one line: version, commit, Go and platform.
func (versionCommand) Run(_ context.Context, out, _ io.Writer) error {
	fmt.Fprintf(out, "tutti %s %s %s/%s\n", version(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return nil
}

// version is what the build says: a released version, or the commit.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	v, commit, changed := info.Main.Version, "", ""
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision" && len(s.Value) >= 12:
			commit = s.Value[:12]
		case s.Key == "vcs.modified" && s.Value == "true":
			changed = "+changes"
		}
	}
	if v == "" || v == "(devel)" {
		v = "development"
	}
	if commit != "" && v == "development" {
		v += " (" + commit + changed + ")"
	}
	return v
}
