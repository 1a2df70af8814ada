//go:build !linux

package chdb

import "syscall"

// attributes give the child a process group of its own: an interrupt typed on the terminal is for the daemon, which then ends the child. It
// ends by itself when its standard input does.
func attributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// residentBytes is not known here; the engine's own limit holds.
func residentBytes(int) int64 { return 0 }
