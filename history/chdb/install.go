package chdb

import (
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// InstallOptions say where the library comes from and goes to.
type InstallOptions struct {
	Dir      string    // the cache folder; "" is CacheDir
	From     string    // a file: the package (.tgz) or the library; "" asks npm
	Progress io.Writer // where it is told how far it is; nil: nowhere

	pin *pin // of tests
}

// Install puts the library into the cache folder and returns its path. Nothing is put there that is not what this binary was made for: its
// digest is checked before it is unpacked. Several installs at once wait for each other; an interrupted download goes on where it ended.
func Install(ctx context.Context, o InstallOptions) (path string, err error) {
	p, err := thisPlatform()
	if o.pin != nil {
		p, err = *o.pin, nil
	}
	if err != nil {
		return "", err
	}
	if o.Dir == "" {
		if o.Dir, err = CacheDir(); err != nil {
			return "", err
		}
	}
	if o.Progress == nil {
		o.Progress = io.Discard
	}
	path = libraryPath(o.Dir)
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return "", fmt.Errorf("chdb: install: %w", err)
	}
	unlock, err := lockInstall(ctx, dir)
	if err != nil {
		return "", err
	}
	defer unlock()
	if installed(path, p) {
		return path, nil
	}
	source := o.From
	if source == "" {
		if source, err = download(ctx, dir, p, o.Progress); err != nil {
			return "", err
		}
	}
	if err := put(ctx, source, path, p, o.Progress); err != nil {
		return "", err
	}
	if o.From == "" {
		_ = os.Remove(source) // it is only room on the disk
	}
	return path, nil
}

// installed reports whether the library lies there whole. It is renamed into place once it was checked, so its size is proof.
func installed(path string, p pin) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Size() == p.size
}

// lockInstall waits until no other install runs on the folder.
func lockInstall(ctx context.Context, dir string) (unlock func(), err error) {
	f, err := os.OpenFile(filepath.Join(dir, "install.lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("chdb: install: %w", err)
	}
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return func() { _ = f.Close() }, nil // which gives the lock back; nothing was written
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			_ = f.Close() // the first error says more
			return nil, fmt.Errorf("chdb: install: lock: %w", err)
		}
		select {
		case <-ctx.Done():
			_ = f.Close() // likewise
			return nil, ctx.Err()
		case <-time.After(lockPause):
		}
	}
}

// checkPackage compares a file with the package's digest.
func checkPackage(ctx context.Context, path string, p pin) error {
	sum, err := digest(ctx, path, sha512.New())
	if err != nil {
		return fmt.Errorf("chdb: install: %w", err)
	}
	if got := "sha512-" + base64.StdEncoding.EncodeToString(sum); got != p.integrity {
		return fmt.Errorf("chdb: %s is not %s: its digest is %s, and %s is expected", path, p.spec(), got, p.integrity)
	}
	return nil
}

func digest(ctx context.Context, path string, h hash.Hash) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if _, err := io.Copy(h, &interruptible{ctx: ctx, r: f}); err != nil {
		return nil, err
	}
	return h.Sum(nil), nil
}

// interruptible ends a long copy with ctx.
type interruptible struct {
	ctx context.Context //nolint:containedctx // as long as one copy
	r   io.Reader
}

func (i *interruptible) Read(p []byte) (int, error) {
	if err := i.ctx.Err(); err != nil {
		return 0, err
	}
	return i.r.Read(p)
}

// put brings the library of source, a package or the library itself, to path: checked, synced, and then under its name.
func put(ctx context.Context, source, path string, p pin, progress io.Writer) (err error) {
	isPackage, err := isGzip(source)
	if err != nil {
		return fmt.Errorf("chdb: install: %w", err)
	}
	f, err := os.CreateTemp(filepath.Dir(path), "new-*")
	if err != nil {
		return fmt.Errorf("chdb: install: %w", err)
	}
	defer func() {
		_ = f.Close()           // closed where it counts
		_ = os.Remove(f.Name()) // gone when it has its name
	}()
	sum := sha256.New()
	out := io.MultiWriter(f, sum)
	show := newProgress(progress, "unpacking", p.size, 0)
	if isPackage {
		if err := checkPackage(ctx, source, p); err != nil {
			return err
		}
		err = unpack(ctx, source, io.MultiWriter(out, show), p)
	} else {
		err = copyLibrary(ctx, source, io.MultiWriter(out, show), p)
	}
	show.end()
	if err != nil {
		return err
	}
	if got := hex.EncodeToString(sum.Sum(nil)); got != p.sha256 {
		return fmt.Errorf("chdb: the library in %s is not the one of %s: its SHA-256 is %s, and %s is expected", source, p.spec(), got, p.sha256)
	}
	if err := errors.Join(f.Chmod(0o644), f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("chdb: install: %w", err)
	}
	return os.Rename(f.Name(), path)
}
