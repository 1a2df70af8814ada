// Package peers starts the real programs the end-to-end tests talk to: Prometheus, Alertmanager, a Kafka broker,
// Chromium, amtool and Tocsin's own binary. Everything listens on loopback, lives in t.TempDir() and dies with the
// test; its log is shown when the test failed.
//
// It holds no fake of any of them and no assertion about them. Call it from the test's own goroutine only, as with
// every helper that may end the test; the started processes' methods have the same rule.
//
// A peer that is not installed skips the test with a line that names the cure, and fails it where CI=true.
package peers

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Root returns the folder of the module's go.mod, found upwards from the working directory.
func Root(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatalf("peers: working directory: %v", err)
	}
	for {
		data, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if err == nil && strings.HasPrefix(string(data), "module github.com/tocsin-noc/tocsin\n") {
			return dir
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			t.Fatal("peers: not inside the tocsin module")
		}
		dir = parent
	}
}

// Cache returns the folder that scripts/deps fills: $TOCSIN_CACHE or ~/.cache/tocsin.
func Cache(t testing.TB) string {
	t.Helper()
	if dir := os.Getenv("TOCSIN_CACHE"); dir != "" {
		return dir
	}
	home, err := os.UserHomeDir()
	if err != nil {
		t.Fatalf("peers: no TOCSIN_CACHE and no home folder: %v", err)
	}
	return filepath.Join(home, ".cache", "tocsin")
}

// Amtool returns the path of an amtool of the pinned Alertmanager version.
func Amtool(t testing.TB) string {
	t.Helper()
	path := filepath.Join(Cache(t), "amtool", pinned(t, "AMTOOL_VERSION"), "amtool")
	if _, err := os.Stat(path); err != nil {
		missing(t, "amtool", err)
	}
	return path
}

// pinned reads one NAME=value of scripts/versions.env.
func pinned(t testing.TB, name string) string {
	t.Helper()
	file := filepath.Join(Root(t), "scripts", "versions.env")
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("peers: %v", err)
	}
	for line := range strings.Lines(string(data)) {
		if value, ok := strings.CutPrefix(line, name+"="); ok {
			return strings.TrimSpace(value)
		}
	}
	t.Fatalf("peers: %s: no %s", file, name)
	return ""
}

// program finds the first of names in PATH.
func program(t testing.TB, names ...string) string {
	t.Helper()
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	missing(t, names[0], exec.ErrNotFound)
	return ""
}

// missing ends the test: a laptop may lack a peer, the pipeline may not.
func missing(t testing.TB, name string, err error) {
	t.Helper()
	message := fmt.Sprintf("PEER MISSING: %s (%v): run `make deps`", name, err)
	if os.Getenv("CI") == "true" {
		t.Fatal(message)
	}
	t.Skip(message)
}

// freePort returns a loopback port nobody listens on. It draws below the ephemeral range, so that no outgoing
// connection takes the port between this look and the peer's own bind.
func freePort(t testing.TB) int {
	t.Helper()
	for range 100 {
		port := 20000 + rand.IntN(12000)
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			continue
		}
		if err := l.Close(); err != nil {
			t.Fatalf("peers: free port: %v", err)
		}
		return port
	}
	t.Fatal("peers: no free port on loopback after 100 draws")
	return 0
}

// write puts text into dir/name and returns the path.
func write(t testing.TB, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatalf("peers: %v", err)
	}
	return path
}
