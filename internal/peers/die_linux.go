package peers

import "syscall"

// dieWithTest makes the kernel kill the peer when the test binary dies without running its cleanups (a panic, a
// -timeout). It goes by thread; the Go runtime ends none that a test goroutine has not locked.
func dieWithTest() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
