package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tuttihq/tutti/store/open"
)

func TestABackupIsRestoredIntoAnEmptyDatabaseOnly(t *testing.T) {
	dir := t.TempDir()
	old, fresh := "sqlite:"+filepath.Join(dir, "old.db"), "sqlite:"+filepath.Join(dir, "new.db")
	file := filepath.Join(dir, "backup.jsonl")
	succeed(t, "keys", "create", "website", "--class", "browser", "--database", old)
	before, _ := succeed(t, "keys", "list", "--database", old)
	succeed(t, "backup", file, "--database", old)

	out, _ := succeed(t, "restore", file, "--database", fresh)
	wants(t, "restore", out, "Restored")
	if after, _ := succeed(t, "keys", "list", "--database", fresh); after != before {
		t.Errorf("the keys are\n%s\nthey were\n%s", after, before)
	}

	code, _, errs := call(t, "restore", file, "--database", fresh)
	if code != failed {
		t.Errorf("restoring over a database ends with %d", code)
	}
	wants(t, "restoring over a database", errs, "not empty")
}

func TestAServedDatabaseIsNotRestored(t *testing.T) {
	dir := t.TempDir()
	old, served := "sqlite:"+filepath.Join(dir, "old.db"), "sqlite:"+filepath.Join(dir, "served.db")
	file := filepath.Join(dir, "backup.jsonl")
	succeed(t, "keys", "create", "website", "--class", "browser", "--database", old)
	succeed(t, "backup", file, "--database", old)
	st, err := open.Store(context.Background(), served)
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	lock, err := st.Lock(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Release()

	code, _, errs := call(t, "restore", file, "--database", served)
	if code != failed {
		t.Errorf("ends with %d", code)
	}
	wants(t, "restore", errs, "Another Tutti process")
}

func TestHalfABackupIsRefusedWhole(t *testing.T) {
	dir := t.TempDir()
	old, fresh := "sqlite:"+filepath.Join(dir, "old.db"), "sqlite:"+filepath.Join(dir, "new.db")
	file := filepath.Join(dir, "backup.jsonl")
	succeed(t, "keys", "create", "website", "--class", "browser", "--database", old)
	succeed(t, "backup", file, "--database", old)
	lines := strings.SplitAfter(read(t, file), "\n")
	if err := os.WriteFile(file, []byte(strings.Join(lines[:len(lines)-2], "")), 0o600); err != nil {
		t.Fatal(err)
	}

	code, _, errs := call(t, "restore", file, "--database", fresh)
	if code != failed {
		t.Errorf("ends with %d: %s", code, errs)
	}
	if list, _ := succeed(t, "keys", "list", "--database", fresh); strings.Contains(list, "website") {
		t.Errorf("something was read in:\n%s", list)
	}
}
