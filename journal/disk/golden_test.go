package disk

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/journal/vfs"
)

var update = flag.Bool("update", false, "write the golden files anew")

// script notes, step by step, the calls that reach the file system.
type script struct {
	t    *testing.T
	mem  *vfs.Mem
	seen int
	text strings.Builder
}

func (s *script) step(what string, do func() error) {
	err := do()
	fmt.Fprintf(&s.text, "# %s", what)
	if err != nil {
		fmt.Fprintf(&s.text, ": %v", err)
	}
	s.text.WriteByte('\n')
	calls := s.mem.Calls()
	for _, c := range calls[s.seen:] {
		fmt.Fprintln(&s.text, c)
	}
	s.seen = len(calls)
	s.text.WriteByte('\n')
}

func (s *script) compare(name string) {
	if *update {
		require.NoError(s.t, os.WriteFile(name, []byte(s.text.String()), 0o644))
	}
	want, err := os.ReadFile(name)
	require.NoError(s.t, err)
	require.Equal(s.t, string(want), s.text.String())
}

func TestTheSequenceOfFileSystemCalls(t *testing.T) {
	mem := vfs.NewMem()
	s := &script{t: t, mem: mem}
	var l *Log
	reopen := func() (err error) {
		l, err = Open(dir, small(mem))
		return err
	}
	appending := func(n, size int) func() error {
		return func() error { return write(l, batch(l.Last()+1, n, size)) }
	}
	s.step("open an empty folder", reopen)
	s.step("append one record of 100 bytes", appending(1, 100))
	s.step("append five records of 100 bytes: one write, one sync, then the zeros ahead", appending(5, 100))
	s.step("append five records of 250 bytes: the segment is left, a new one begun", appending(5, 250))
	s.step("disk full half way through a write: what was written is removed", func() error {
		mem.FailWith(func(c vfs.Call) error {
			if c.Op == "write" {
				return syscall.ENOSPC
			}
			return nil
		})
		defer mem.FailWith(nil)
		return appending(2, 100)()
	})
	s.step("append again when there is room", appending(2, 100))
	s.step("redact a record of the first segment", func() error { return l.Redact(2, nil, "asked to") })
	s.step("truncate the first segment", func() error {
		_, err := l.Truncate(7)
		return err
	})
	s.step("close", func() error { return l.Close() })
	s.step("open: the last commit is written again and synced", reopen)
	s.step("close and tear the last commit frame", func() error {
		path := l.tail.seg.path
		size := l.tail.seg.size.Load()
		if err := l.Close(); err != nil {
			return err
		}
		content, err := mem.ReadFile(path)
		if err != nil {
			return err
		}
		mem.WriteFile(path, content[:size-20])
		return nil
	})
	s.step("open: the rest is cleared, then the whole records get a commit frame", reopen)
	s.compare("testdata/calls.txt")
}

func TestTheFormatOnDiskStaysAsItIs(t *testing.T) {
	mem := vfs.NewMem()
	l := open(t, small(mem))
	require.NoError(t, l.Append(batch(1, 2, 20)))
	require.NoError(t, l.Append(batch(7, 1, 5)))
	_, err := l.Roll()
	require.NoError(t, err)
	require.NoError(t, l.Redact(2, []byte("new"), "why"))
	require.NoError(t, l.Append(batch(8, 1, 9)))
	require.NoError(t, l.Close())
	s := &script{t: t, mem: mem}
	for _, base := range []uint64{1, 8} {
		raw, err := mem.ReadFile(segmentPath(dir, base))
		require.NoError(t, err)
		fmt.Fprintf(&s.text, "# %s\n%x\n", segmentName(base), strings.TrimRight(string(raw), "\x00"))
	}
	s.compare("testdata/format.txt")
}
