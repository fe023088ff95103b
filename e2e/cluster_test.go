//go:build e2e

package e2e

import (
	"bytes"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// cluster is a PostgreSQL server of the test's own, that keeps what it has committed: it can be
// killed, frozen and started again.
type cluster struct {
	t        *testing.T
	bin, dir string
	as       *syscall.SysProcAttr
	server   *exec.Cmd
	log      bytes.Buffer
}

// startCluster makes a cluster with fsync on, and removes it with the test.
func startCluster(t *testing.T) *cluster {
	t.Helper()
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if len(found) == 0 {
		t.Fatal("PostgreSQL is missing: run make e2e")
	}
	dir, err := os.MkdirTemp("/tmp", "tutti-pg.") // short: the path of a socket has at most 107 characters
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	c := &cluster{t: t, bin: filepath.Dir(slices.Max(found)), dir: dir, as: &syscall.SysProcAttr{Setpgid: true}}
	if os.Getuid() == 0 { // it refuses to run as root
		u, err := user.Lookup("postgres")
		if err != nil {
			t.Fatal(err)
		}
		uid, _ := strconv.Atoi(u.Uid)
		gid, _ := strconv.Atoi(u.Gid)
		c.as.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
		if err := os.Chown(dir, uid, gid); err != nil {
			t.Fatal(err)
		}
	}
	init := c.command("initdb", "-D", filepath.Join(dir, "data"), "-U", "tutti", "-A", "trust", "-E", "UTF8", "--locale=C")
	if err := init.Run(); err != nil {
		t.Fatalf("making a cluster: %v\n%s", err, c.log.String())
	}
	t.Cleanup(c.kill)
	c.start()
	return c
}

func (c *cluster) command(program string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(c.bin, program), args...)
	attributes := *c.as
	cmd.Dir, cmd.SysProcAttr, cmd.Stdout, cmd.Stderr = c.dir, &attributes, &c.log, &c.log
	return cmd
}

// address is that of the database.
func (c *cluster) address() string { return "postgres:///postgres?host=" + c.dir + "&user=tutti" }

// start starts the server and waits until it answers.
func (c *cluster) start() {
	c.t.Helper()
	c.server = c.command("postgres", "-D", filepath.Join(c.dir, "data"), "-k", c.dir, "-c", "listen_addresses=", "-c", "max_connections=100")
	if err := c.server.Start(); err != nil {
		c.t.Fatal(err)
	}
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		conn, err := pgx.Connect(c.t.Context(), c.address())
		if err == nil {
			_ = conn.Close(c.t.Context())
			return
		}
		if time.Now().After(deadline) {
			c.t.Fatalf("the cluster did not start: %v", err)
		}
	}
}

// kill ends the server at once, without letting it tidy up.
func (c *cluster) kill() {
	if c.server == nil {
		return
	}
	_ = c.server.Process.Signal(syscall.SIGQUIT)
	_ = c.server.Wait()
	c.server = nil
}

// freeze stops all of the server's processes where they are; thaw lets them go on.
func (c *cluster) freeze() { c.all(syscall.SIGSTOP) }

func (c *cluster) thaw() { c.all(syscall.SIGCONT) }

func (c *cluster) all(sign syscall.Signal) {
	c.t.Helper()
	// The children of the server lead process groups of their own.
	pids := []int{c.server.Process.Pid}
	out, _ := exec.Command("pgrep", "-P", strconv.Itoa(c.server.Process.Pid)).Output()
	for _, field := range bytes.Fields(out) {
		if pid, err := strconv.Atoi(string(field)); err == nil {
			pids = append(pids, pid)
		}
	}
	for _, pid := range pids {
		_ = syscall.Kill(pid, sign)
	}
}

// killListeners ends connections that wait for notifications, again and again, until the test is
// over or stop is closed; the channel that it gives is closed then.
func (c *cluster) killListeners(every time.Duration, stop <-chan struct{}) <-chan int {
	c.t.Helper()
	conn, err := pgx.Connect(c.t.Context(), c.address())
	if err != nil {
		c.t.Fatal(err)
	}
	killed := make(chan int, 1)
	go func() {
		defer conn.Close(c.t.Context())
		tick := time.NewTicker(every)
		defer tick.Stop()
		sum := 0
		for {
			select {
			case <-stop:
				killed <- sum
				return
			case <-tick.C:
			}
			n := 0
			_ = conn.QueryRow(c.t.Context(), "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'tutti listens'").Scan(&n)
			sum += n
		}
	}()
	return killed
}
