package vfs

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"slices"
	"syscall"
)

// memFile is one handle of a Mem file.
type memFile struct {
	m      *Mem
	name   string
	node   *inode
	life   int
	closed bool
}

// begin locks the file system and refuses handles that are closed or from
// before a crash.
func (f *memFile) begin() error {
	f.m.mu.Lock()
	switch {
	case f.life != f.m.life:
		return ErrPowerCut
	case f.closed:
		return fs.ErrClosed
	}
	return nil
}

func (f *memFile) ReadAt(p []byte, off int64) (int, error) {
	defer f.m.mu.Unlock()
	if err := f.begin(); err != nil {
		return 0, err
	}
	if off >= int64(len(f.node.data)) {
		return 0, io.EOF
	}
	n := copy(p, f.node.data[off:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func (f *memFile) WriteAt(p []byte, off int64) (int, error) {
	defer f.m.mu.Unlock()
	if err := f.begin(); err != nil {
		return 0, err
	}
	err := f.m.record("write", f.name, off, len(p))
	if err != nil && !errors.Is(err, errCutNow) {
		if errors.Is(err, ErrPowerCut) {
			return 0, err
		}
		p = p[:len(p)/2]
	}
	n := f.m.grow(f.node, off, len(p))
	if n > 0 {
		copy(f.node.data[off:], p[:n])
		f.node.pending = append(f.node.pending, change{len(f.m.calls), off, bytes.Clone(p[:n])})
	}
	if err == nil && n < len(p) {
		err = &fs.PathError{Op: "write", Path: f.name, Err: syscall.ENOSPC}
	}
	return n, err
}

func (f *memFile) Truncate(size int64) error {
	defer f.m.mu.Unlock()
	if err := f.begin(); err != nil {
		return err
	}
	err := f.m.record("truncate", f.name, size, 0)
	if err != nil && !errors.Is(err, errCutNow) {
		return err
	}
	f.node.data = resize(f.node.data, size)
	f.node.pending = append(f.node.pending, change{call: len(f.m.calls), off: size})
	return err
}

func (f *memFile) Sync() error {
	defer f.m.mu.Unlock()
	if err := f.begin(); err != nil {
		return err
	}
	err := f.m.record("sync", f.name, 0, 0)
	switch {
	case errors.Is(err, ErrPowerCut):
		return err
	case err != nil:
		f.node.pending = nil // marked clean, never written
		return err
	}
	for _, c := range f.node.pending {
		f.node.synced = c.apply(f.node.synced, 0, len(c.data))
	}
	f.node.pending = nil
	return nil
}

func (f *memFile) Size() (int64, error) {
	defer f.m.mu.Unlock()
	if err := f.begin(); err != nil {
		return 0, err
	}
	return int64(len(f.node.data)), nil
}

func (f *memFile) Close() error {
	f.m.mu.Lock()
	defer f.m.mu.Unlock()
	f.closed = true
	return nil
}

// apply returns image with bytes [from,to) of the write in it, or truncated.
func (c change) apply(image []byte, from, to int) []byte {
	if c.data == nil {
		return resize(image, c.off)
	}
	if from >= to {
		return image
	}
	image = resize(image, max(int64(len(image)), c.off+int64(to)))
	copy(image[c.off+int64(from):], c.data[from:to])
	return image
}

func resize(b []byte, size int64) []byte {
	if size <= int64(len(b)) {
		return slices.Clone(b[:size])
	}
	return append(b, make([]byte, size-int64(len(b)))...)
}
