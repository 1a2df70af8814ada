package chdb

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
)

// insidePackage is where npm's packages have the library.
const insidePackage = "package/" + libraryName

// maxOthers bounds what a package may hold beside the library.
const maxOthers = 64 << 20

func isGzip(path string) (bool, error) {
	f, err := os.Open(path)
	if err != nil {
		return false, err
	}
	defer f.Close()
	var head [2]byte
	if _, err := io.ReadFull(f, head[:]); err != nil {
		return false, fmt.Errorf("%s: %w", path, err)
	}
	return head == [2]byte{0x1f, 0x8b}, nil
}

// unpack writes the library of a package to w; what else is in it is passed over. It never writes more than the library has.
func unpack(ctx context.Context, path string, w io.Writer, p pin) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("chdb: install: %w", err)
	}
	defer f.Close()
	z, err := gzip.NewReader(&interruptible{ctx: ctx, r: f})
	if err != nil {
		return fmt.Errorf("chdb: install: %s: %w", path, err)
	}
	for in := tar.NewReader(io.LimitReader(z, p.size+maxOthers)); ; {
		head, err := in.Next()
		if errors.Is(err, io.EOF) {
			return fmt.Errorf("chdb: %s holds no %s", path, insidePackage)
		}
		if err != nil {
			return fmt.Errorf("chdb: install: %s: %w", path, err)
		}
		if head.Name == insidePackage && head.Typeflag == tar.TypeReg {
			return copyExactly(w, in, path, p)
		}
	}
}

// copyLibrary writes the library of a file to w.
func copyLibrary(ctx context.Context, path string, w io.Writer, p pin) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("chdb: install: %w", err)
	}
	defer f.Close()
	return copyExactly(w, &interruptible{ctx: ctx, r: f}, path, p)
}

func copyExactly(w io.Writer, r io.Reader, path string, p pin) error {
	n, err := io.Copy(w, io.LimitReader(r, p.size+1))
	if err != nil {
		return fmt.Errorf("chdb: install: %s: %w", path, err)
	}
	if n != p.size {
		return fmt.Errorf("chdb: the library in %s is not the one of %s: it has another size than %d bytes", path, p.spec(), p.size)
	}
	return nil
}
