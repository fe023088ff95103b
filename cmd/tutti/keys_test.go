package main

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/graph"
	"github.com/tuttihq/tutti/store/open"
)

// validity gives the stored key of a text and whether it is valid at an instant.
func validity(t *testing.T, database, plain string, at time.Time) (tutti.Key, bool) {
	t.Helper()
	st, err := open.Store(t.Context(), database)
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	k, err := st.KeyByHash(t.Context(), graph.HashKey(plain))
	if err != nil {
		t.Fatal(err)
	}
	return k, k.Valid(at)
}

func TestKeyIsShownOnceAndWorks(t *testing.T) {
	database := "sqlite:" + filepath.Join(t.TempDir(), "tutti.db")
	out, errs := succeed(t, "keys", "create", "website", "--class", "browser", "--origin", "https://www.example.com", "--origin", "https://example.com", "--expires", "2160h", "--database", database)
	plain := strings.TrimSpace(out)
	if strings.ContainsAny(plain, " \n") || !strings.HasPrefix(plain, "tutti_browser_") || strings.Contains(errs, plain) {
		t.Errorf("printed %q and %q", out, errs)
	}
	now := time.Now()
	k, valid := validity(t, database, plain, now)
	if !valid || k.Name != "website" || k.Class != tutti.BrowserKey || len(k.Origins) != 2 || k.ExpiresAt.Sub(k.CreatedAt) != 2160*time.Hour {
		t.Errorf("stored %+v, valid %v", k, valid)
	}
	list, _ := succeed(t, "keys", "list", "--database", database)
	wants(t, "the list", list, k.ID, "website", "browser", "valid", "https://www.example.com")
	if strings.Contains(list, plain) {
		t.Error("the list shows the key")
	}
}

func TestABrowserKeyWithoutOriginsSaysThatNoPageMayUseIt(t *testing.T) {
	database := "sqlite:" + filepath.Join(t.TempDir(), "tutti.db")
	_, errs := succeed(t, "keys", "create", "app", "--class", "browser", "--database", database)
	wants(t, "creating it", errs, "no page", "--origin https://")
}

func TestRevokedKeyIsEndedAtOnce(t *testing.T) {
	database := "sqlite:" + filepath.Join(t.TempDir(), "tutti.db")
	out, _ := succeed(t, "keys", "create", "backend", "--class", "server", "--database", database)
	succeed(t, "keys", "revoke", "backend", "--database", database)
	if _, valid := validity(t, database, strings.TrimSpace(out), time.Now()); valid {
		t.Error("the key still works")
	}
	list, _ := succeed(t, "keys", "list", "--database", database)
	wants(t, "the list", list, "revoked")
	code, _, errs := call(t, "keys", "revoke", "backend", "--database", database)
	if code != failed {
		t.Errorf("revoking it again by name ends with %d", code)
	}
	wants(t, "revoking it again", errs, "no valid key")
}

func TestRotatedKeyOverlapsTheNewOne(t *testing.T) {
	database := "sqlite:" + filepath.Join(t.TempDir(), "tutti.db")
	old, _ := succeed(t, "keys", "create", "website", "--class", "browser", "--origin", "*", "--expires", "240h", "--database", database)
	fresh, errs := succeed(t, "keys", "rotate", "website", "--overlap", "2h", "--database", database)
	wants(t, "rotate", errs, "ends at")
	now := time.Now()
	if _, valid := validity(t, database, strings.TrimSpace(old), now.Add(time.Hour)); !valid {
		t.Error("the old key ended before the overlap was over")
	}
	if _, valid := validity(t, database, strings.TrimSpace(old), now.Add(3*time.Hour)); valid {
		t.Error("the old key outlives the overlap")
	}
	k, valid := validity(t, database, strings.TrimSpace(fresh), now.Add(200*time.Hour))
	if !valid || k.Name != "website" || k.Class != tutti.BrowserKey || len(k.Origins) != 1 || k.ExpiresAt.Sub(k.CreatedAt) != 240*time.Hour {
		t.Errorf("the new key is %+v, valid %v", k, valid)
	}
	list, _ := succeed(t, "keys", "list", "--database", database)
	wants(t, "the list", list, "ending")
	succeed(t, "keys", "revoke", "website", "--database", database) // the new one: the other is ending
	if _, valid := validity(t, database, strings.TrimSpace(fresh), now.Add(time.Minute)); valid {
		t.Error("the name means the key that is ending")
	}
	k, _ = validity(t, database, strings.TrimSpace(old), now)
	succeed(t, "keys", "revoke", k.ID, "--database", database)
	if _, valid := validity(t, database, strings.TrimSpace(old), now.Add(time.Minute)); valid {
		t.Error("a key that is ending cannot be ended at once")
	}
}

func TestWrongKeysAreRefused(t *testing.T) {
	database := "sqlite:" + filepath.Join(t.TempDir(), "tutti.db")
	for args, says := range map[string]string{
		"create a --class server --origin https://x.example":       "is for browser keys",
		"create a --class browser --origin https://x.example/path": "is no web origin",
		"create a --class browser --origin x.example":              "is no web origin",
		"create a --class server --expires=-1h":                    "negative",
		"rotate nobody":                                            "no valid key",
	} {
		code, out, errs := call(t, append([]string{"keys"}, append(strings.Fields(args), "--database", database)...)...)
		if code == done || out != "" {
			t.Errorf("tutti keys %s ends with %d and prints %q", args, code, out)
		}
		wants(t, "tutti keys "+args, errs, says)
	}
}

func TestNamesThatTwoKeysHaveAreAskedBack(t *testing.T) {
	database := "sqlite:" + filepath.Join(t.TempDir(), "tutti.db")
	succeed(t, "keys", "create", "same", "--class", "server", "--database", database)
	succeed(t, "keys", "create", "same", "--class", "preview", "--database", database)
	code, _, errs := call(t, "keys", "revoke", "same", "--database", database)
	if code != failed {
		t.Errorf("ends with %d", code)
	}
	wants(t, "revoke", errs, "Several valid keys", "by its id")
}

func TestBackupIsNeverOverwritten(t *testing.T) {
	dir := t.TempDir()
	database, file := "sqlite:"+filepath.Join(dir, "tutti.db"), filepath.Join(dir, "backup.jsonl")
	plain, _ := succeed(t, "keys", "create", "a", "--class", "server", "--database", database)
	out, _ := succeed(t, "backup", file, "--database", database)
	wants(t, "backup", out, "Written")
	content := read(t, file)
	if strings.Contains(content, strings.TrimSpace(plain)) || !strings.Contains(content, `"a"`) {
		t.Error("the backup holds the key itself, or not its row")
	}
	if code, _, errs := call(t, "backup", file, "--database", database); code != failed || !strings.Contains(errs, "already") || read(t, file) != content {
		t.Errorf("ends with %d: %s", code, errs)
	}
}
