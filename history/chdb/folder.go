package chdb

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/mod/semver"
)

// ErrInUse says that another process runs on the folder.
var ErrInUse = errors.New("chdb: the history folder is in use by another process")

const (
	lockFile     = "lock"
	versionFile  = "version"
	engineDir    = "engine" // the engine's own, all it may touch
	lockPatience = 5 * time.Second
	lockPause    = 100 * time.Millisecond
)

// lock takes the folder. The child inherits the open file, so that a folder whose daemon was killed stays taken until the child is gone too;
// that is a matter of moments, which are waited for.
func lock(ctx context.Context, dir string) (*os.File, error) {
	path := filepath.Join(dir, lockFile)
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("chdb: lock: %w", err)
	}
	for end := time.Now().Add(lockPatience); ; {
		err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return f, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			_ = f.Close() // the first error says more
			return nil, fmt.Errorf("chdb: lock %s: %w", path, err)
		}
		if time.Now().After(end) {
			_ = f.Close() // likewise
			return nil, fmt.Errorf("%w: %s; stop the other daemon, or give this one a folder of its own", ErrInUse, dir)
		}
		select {
		case <-ctx.Done():
			_ = f.Close() // likewise
			return nil, ctx.Err()
		case <-time.After(lockPause):
		}
	}
}

// checkVersion refuses a folder that a newer library has written: the older one may not read it. Else it notes the version.
func checkVersion(dir, version string) error {
	path := filepath.Join(dir, versionFile)
	text, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("chdb: version of the folder: %w", err)
	}
	noted := strings.TrimSpace(string(text))
	if noted == version {
		return nil
	}
	if noted != "" {
		if !semver.IsValid("v" + noted) {
			return fmt.Errorf("chdb: %s holds no version: %q", path, noted)
		}
		if semver.Compare(core(noted), core(version)) > 0 {
			return fmt.Errorf("chdb: %s was written by ClickHouse %s, and this binary brings the older %s, which may not read it: run the newer binary, or move the folder away and fill a new one with `tocsin history rebuild`", dir, noted, version)
		}
	}
	return writeFile(path, []byte(version+"\n"))
}

// core is the number alone: what stands behind it names how a version was packed.
func core(version string) string {
	number, _, _ := strings.Cut(version, "-")
	return "v" + number
}
