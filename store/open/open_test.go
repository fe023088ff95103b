package open

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/tuttihq/tutti"
	"github.com/tuttihq/tutti/store"
	"github.com/tuttihq/tutti/store/storetest"
)

// holdVariable makes this test's program a process that serves the database it names.
const holdVariable = "TUTTI_TEST_HOLD"

func TestMain(m *testing.M) {
	if address := os.Getenv(holdVariable); address != "" {
		hold(address)
	}
	goleak.VerifyTestMain(m)
}

func hold(address string) {
	s, err := Store(context.Background(), address)
	if err == nil {
		_, err = s.Lock(context.Background())
	}
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println("held")
	_, _ = io.Copy(io.Discard, os.Stdin) // until it is killed
	os.Exit(0)
}

func TestAddresses(t *testing.T) {
	for _, address := range []string{"tutti.db", "sqlite", "sqlite:", "sqlite::memory:", "mysql://u:hunter2@h/d", "postgre://u:hunter2@h/d", "/tmp/hunter2"} {
		_, err := Store(t.Context(), address)
		var e *tutti.Error
		if !errors.As(err, &e) || e.Code != tutti.Invalid || !strings.Contains(e.Hint, "sqlite:./tutti.db") || strings.Contains(e.Error(), "hunter2") {
			t.Errorf("%s: got error %v", address, err)
		}
	}
	t.Chdir(t.TempDir())
	for _, address := range []string{"", "sqlite:./tutti.db", "sqlite:" + filepath.Join(t.TempDir(), "x.db"), storetest.Postgres(t)} {
		s := open(t, address)
		if _, err := s.Changed(t.Context()); err != nil {
			t.Errorf("%s: %v", address, err)
		}
	}
	if _, err := os.Stat("tutti.db"); err != nil {
		t.Errorf("the default: %v", err)
	}
}

func TestDeadProcessHoldsNoLock(t *testing.T) {
	address := addresses(t)["sqlite"]
	s := open(t, address)
	process := exec.Command(os.Args[0])
	process.Env = append(os.Environ(), holdVariable+"="+address)
	_, err := process.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := process.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil || line != "held\n" {
		t.Errorf("the other process says %q, %v", line, err)
	}
	_, err = s.Lock(t.Context())
	if want := fmt.Sprintf("pid %d", process.Process.Pid); !errors.Is(err, tutti.Locked) || !strings.Contains(err.Error(), want) {
		t.Errorf("got error %v, want code %s and %q", err, tutti.Locked, want)
	}
	if err := process.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = process.Wait()
	lock, err := s.Lock(t.Context())
	for errors.Is(err, tutti.Locked) && t.Context().Err() == nil {
		lock, err = s.Lock(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	lock.Release()
}

// TestBackupMovesBetweenEngines is the way from SQLite to Postgres, and back.
func TestBackupMovesBetweenEngines(t *testing.T) {
	one, other := addresses(t), addresses(t)
	t.Run("sqlite to postgres", func(t *testing.T) {
		storetest.CheckMove(t, open(t, one["sqlite"]), open(t, one["postgres"]))
	})
	t.Run("postgres to sqlite", func(t *testing.T) {
		storetest.CheckMove(t, open(t, other["postgres"]), open(t, other["sqlite"]))
	})
}

func TestMigrationsHaveTheSameNames(t *testing.T) {
	names := func(engine string) string {
		files, err := filepath.Glob("../" + engine + "/migrations/*.sql")
		if err != nil || len(files) == 0 {
			t.Fatalf("no migrations of %s: %v", engine, err)
		}
		for i, f := range files {
			files[i] = filepath.Base(f)
			if want := fmt.Sprintf("%05d_", i+1); !strings.HasPrefix(files[i], want) {
				t.Errorf("%s does not start with %s: they are numbered one by one", f, want)
			}
		}
		return strings.Join(files, "\n")
	}
	if s, p := names("sqlite"), names("postgres"); s != p {
		t.Errorf("sqlite has\n%s\npostgres has\n%s", s, p)
	}
}

func addresses(t *testing.T) map[string]string {
	return map[string]string{
		"sqlite":   "sqlite:" + filepath.Join(t.TempDir(), "tutti.db"),
		"postgres": storetest.Postgres(t),
	}
}

func open(t *testing.T, address string) store.Store {
	t.Helper()
	s, err := Store(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}
