//go:build unix

package terminal

import (
	"os"

	"golang.org/x/sys/unix"
)

// Columns returns the width of the terminal that f is, false when it is none.
func Columns(f *os.File) (columns int, ok bool) {
	size, err := unix.IoctlGetWinsize(int(f.Fd()), unix.TIOCGWINSZ)
	if err != nil {
		return 0, false
	}
	return int(size.Col), true
}
