package peers

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Daemon is a running `tocsin serve`. It keeps its address and its data over Stop or Kill9 and Restart.
type Daemon struct {
	*Proc
	Addr string // 127.0.0.1:PORT
	Data string // the data folder

	args []string
}

// Tocsin builds the binary and runs `tocsin serve` on a free port and an empty data folder, with more args; it returns
// when the daemon is ready. It must serve at the root: with --route-prefix the readiness probe would not find it. It keeps no history
// unless args say so with --history: an engine for each daemon would cost more than the rest.
func Tocsin(t testing.TB, args ...string) *Daemon {
	t.Helper()
	if !slices.ContainsFunc(args, func(arg string) bool { return strings.HasPrefix(arg, "--history") }) {
		args = append([]string{"--history=none"}, args...)
	}
	d := &Daemon{Proc: newProc(t, "tocsin", TocsinBinary(t), "serve"), Addr: "127.0.0.1:0", args: args}
	d.Data = filepath.Join(d.Dir, "data")
	d.Restart()
	return d
}

// Restart runs the daemon again after Stop or Kill9 (of a running one: stops it first), with the same arguments.
func (d *Daemon) Restart() {
	d.t.Helper()
	d.Stop()
	from := d.log.len()
	d.start(append([]string{"--data", d.Data, "--listen", d.Addr}, d.args...)...)
	d.Addr = d.awaitLog(from, regexp.MustCompile(`Listening on.* address="?([0-9.]+:\d+)`))[1]
	d.URL = "http://" + d.Addr
	d.awaitReady("/-/ready")
}

// TocsinBinary returns the path of the binary under test: $TOCSIN_BIN, or one built from this module as it is shipped.
//
// The Go toolchain finds an unchanged output by itself, but it takes a second of a busy machine to say so: each test binary asks once. The
// copy that is run is named by its content, so a build of changed sources never replaces the file of a running daemon.
func TocsinBinary(t testing.TB) string {
	t.Helper()
	if path := os.Getenv("TOCSIN_BIN"); path != "" {
		return path
	}
	built.Lock()
	defer built.Unlock()
	if built.path == "" {
		built.path = build(t)
	}
	return built.path
}

// built is the binary that this process has built.
var built struct {
	sync.Mutex
	path string
}

func build(t testing.TB) string {
	t.Helper()
	root := Root(t)
	dir := filepath.Join(Cache(t), "tocsin", fmt.Sprintf("%.4x", sha256.Sum256([]byte(root))))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatalf("peers: %v", err)
	}
	defer lock(t, filepath.Join(dir, ".lock"))()
	path := filepath.Join(dir, "tocsin")
	cmd := exec.Command("go", "build", "-trimpath", "-o", path, "./cmd/tocsin")
	cmd.Dir, cmd.Env = root, append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("peers: build tocsin: %v\n%s", err, out)
	}
	named, err := nameByContent(path, time.Now().Add(-24*time.Hour))
	if err != nil {
		t.Fatalf("peers: build tocsin: %v", err)
	}
	return named
}

// nameByContent links path to path-DIGEST and removes such links older than expired: no test runs that long.
func nameByContent(path string, expired time.Time) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	digest := sha256.New()
	if _, err := io.Copy(digest, f); err != nil {
		return "", err
	}
	named := fmt.Sprintf("%s-%.8x", path, digest.Sum(nil))
	if err := os.Link(path, named); err != nil && !errors.Is(err, fs.ErrExist) {
		return "", err
	}
	return named, removeOlder(filepath.Dir(path), filepath.Base(path)+"-", filepath.Base(named), expired)
}

func removeOlder(dir, prefix, keep string, expired time.Time) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			return err
		}
		if e.Name() != keep && strings.HasPrefix(e.Name(), prefix) && info.ModTime().Before(expired) {
			if err := os.Remove(filepath.Join(dir, e.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}

// lock takes the file lock that test binaries of several packages share, and returns its release.
func lock(t testing.TB, path string) func() {
	t.Helper()
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		t.Fatalf("peers: %v", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatalf("peers: lock: %v", err)
	}
	return func() { _ = f.Close() } // closing releases the lock
}
