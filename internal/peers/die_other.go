//go:build !linux

package peers

import "syscall"

// dieWithTest has no counterpart here: a test binary that panics leaves its peers running.
func dieWithTest() *syscall.SysProcAttr { return nil }
