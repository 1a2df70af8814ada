// Package chdbtest gives tests the embedded ClickHouse: the real engine, in a child process that is built without the race detector whatever
// the tests are built with.
//
// The library comes from the cache folder that `tocsin history install` and scripts/deps fill. Where it is missing a test is skipped with a
// line that names the cure, and fails where CI=true.
package chdbtest

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/tocsin-noc/tocsin/history/chdb"
)

// Start returns the engine that all tests of the test binary share. It is started by the first call, lives in a temporary folder, and ends
// with the test binary: do not close it. Tests that share it keep apart by Database.
func Start(t testing.TB) *chdb.Engine {
	t.Helper()
	Library(t)
	s, err := shared()
	if err != nil {
		t.Fatalf("chdbtest: %v", err)
	}
	return s.engine
}

// Database returns the shared engine and the name of an empty database that is t's alone, and is dropped with it. It costs some milliseconds.
func Database(t testing.TB) (*chdb.Engine, string) {
	t.Helper()
	e := Start(t)
	name := fmt.Sprintf("%s_%d", strings.ToLower(unfit.ReplaceAllString(t.Name(), "_")), databases.Add(1))
	Exec(t, e, "CREATE DATABASE "+name)
	t.Cleanup(func() { Exec(t, e, "DROP DATABASE "+name+" SYNC") })
	return e, name
}

var (
	unfit     = regexp.MustCompile(`[^A-Za-z0-9]+`)
	databases atomic.Int64
)

// New starts an engine of t's own in dir, for tests that break it; it ends with t.
func New(t testing.TB, o chdb.Options) *chdb.Engine {
	t.Helper()
	Library(t)
	o.Command = Command(t)
	e, err := chdb.Start(t.Context(), o)
	if err != nil {
		t.Fatalf("chdbtest: %v", err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Errorf("chdbtest: close: %v", err)
		}
	})
	return e
}

// Library returns the library's path, and ends the test where there is none.
func Library(t testing.TB) string {
	t.Helper()
	path, err := chdb.Find("")
	if err == nil {
		return path
	}
	message := fmt.Sprintf("CLICKHOUSE LIBRARY MISSING (%v): run `make deps` or `tocsin history install`", err)
	if os.Getenv("CI") == "true" {
		t.Fatal(message)
	}
	t.Skip(message)
	return ""
}

// Command returns the argv of a child that is fit for tests, for chdb.Options.Command.
func Command(t testing.TB) []string {
	t.Helper()
	path, err := build()
	if err != nil {
		t.Fatalf("chdbtest: build the child: %v", err)
	}
	return []string{path}
}

// Exec runs statements as the writer, one after the other.
func Exec(t testing.TB, e *chdb.Engine, statements ...string) {
	t.Helper()
	for _, s := range statements {
		if _, err := Ask(context.WithoutCancel(t.Context()), e, e.Writer(), s); err != nil {
			t.Fatalf("chdbtest: %s: %v", s, err)
		}
	}
}

// Ask runs one statement over HTTP and returns the answer, as in `curl`; tab separated unless it names a FORMAT.
func Ask(ctx context.Context, e *chdb.Engine, who chdb.Credentials, statement string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, e.URL(), strings.NewReader(statement))
	if err != nil {
		return "", err
	}
	req.URL.User = url.UserPassword(who.User, who.Password)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", res.Status, text)
	}
	return string(text), err
}

// sharing is the engine of the test binary, and what holds its folder.
type sharing struct {
	engine *chdb.Engine
	guard  io.Closer // never closed: its end is the binary's
}

// shared starts the engine of the test binary. Nobody closes it: the child sees the end of the binary, and a guard removes its folder.
var shared = sync.OnceValues(func() (*sharing, error) {
	command, err := build()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "tocsin-chdb-*")
	if err != nil {
		return nil, err
	}
	s := &sharing{}
	if s.guard, err = removeAtEnd(dir); err != nil {
		return nil, err
	}
	s.engine, err = chdb.Start(context.Background(), chdb.Options{Dir: dir, Command: []string{command}})
	return s, err
})

// removeAtEnd starts a shell that waits for the end of its standard input, which comes with the end of this process, and then removes dir.
func removeAtEnd(dir string) (io.Closer, error) {
	guard := exec.Command("sh", "-c", `cat >/dev/null; for i in 1 2 3 4 5 6 7 8 9; do rm -rf -- "$1"; sleep 1; [ -e "$1" ] || exit 0; done`, "sh", dir)
	guard.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // what ends the tests is not to end it
	in, err := guard.StdinPipe()
	if err != nil {
		return nil, err
	}
	return in, guard.Start()
}

// build compiles the child once per test binary, into the cache under the name of its content. Those that nobody has made for a day go.
var build = sync.OnceValues(func() (string, error) {
	cache, err := chdb.CacheDir()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(cache, "chdb", "child")
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return "", err
	}
	made, err := os.CreateTemp(dir, "new-*")
	if err != nil {
		return "", err
	}
	if err := made.Close(); err != nil {
		return "", err
	}
	defer os.Remove(made.Name()) // nothing, once it has its name
	cmd := exec.Command("go", "build", "-o", made.Name(), "github.com/tocsin-noc/tocsin/history/chdb/chdbtest/child")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	name, err := nameByContent(dir, made.Name())
	if err != nil {
		return "", err
	}
	return name, removeOld(dir, time.Now().Add(-24*time.Hour))
})

// removeOld removes what was made before then. Others may do the same at the same time.
func removeOld(dir string, then time.Time) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		info, err := e.Info()
		if err == nil && info.ModTime().Before(then) {
			err = os.Remove(filepath.Join(dir, e.Name()))
		}
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return nil
}

func nameByContent(dir, path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	digest := sha256.New()
	if _, err := io.Copy(digest, bufio.NewReader(f)); err != nil {
		return "", err
	}
	name := filepath.Join(dir, "child-"+hex.EncodeToString(digest.Sum(nil))[:16])
	return name, os.Rename(path, name)
}
