// Package vfs is the seam between the journal and the file system: the few
// calls durable storage needs, the operating system's implementation, and one
// in memory (Mem) that can lose power, tear writes and run out of space.
//
// It is not a general file system: no seeking, no permissions, no links.
// Implementations may be used from any goroutine.
package vfs

import (
	"errors"
	"io"
)

// ErrLocked is returned by FS.Lock when somebody else holds the lock.
var ErrLocked = errors.New("vfs: locked")

// FS creates, names and removes files.
type FS interface {
	// MkdirAll creates dir and its parents, durably.
	MkdirAll(dir string) error
	// Create makes an empty file for reading and writing, replacing any of
	// that name. The name is durable only after SyncDir.
	Create(name string) (File, error)
	// Open opens a file for reading, OpenWrite for reading and writing. A
	// missing file is fs.ErrNotExist.
	Open(name string) (File, error)
	OpenWrite(name string) (File, error)
	// Rename and Remove are durable only after SyncDir.
	Rename(from, to string) error
	Remove(name string) error
	// List returns the names (not paths) in dir, sorted.
	List(dir string) ([]string, error)
	// SyncDir makes the directory's entries durable.
	SyncDir(dir string) error
	// Lock takes an exclusive lock that ends with the process, or returns
	// ErrLocked at once.
	Lock(name string) (io.Closer, error)
}

// File is one open file. Writes are durable only after Sync.
type File interface {
	io.ReaderAt
	io.WriterAt
	io.Closer
	Truncate(size int64) error
	// Sync makes the content and size durable (fdatasync).
	Sync() error
	Size() (int64, error)
}
