package disk

import (
	"errors"
	"fmt"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/journal"
	"github.com/tocsin-noc/tocsin/journal/vfs"
)

func TestAFullDiskRefusesAndTakesAppendsAgainWhenThereIsRoom(t *testing.T) {
	for capacity := int64(1000); capacity < 9000; capacity += 97 {
		mem := vfs.NewMem()
		mem.SetCapacity(capacity)
		l, err := Open(dir, small(mem))
		require.NoError(t, err)
		var all []journal.Record
		for {
			recs := batch(l.Last()+1, 3, 150)
			if err = write(l, recs); err != nil {
				break
			}
			all = append(all, recs...)
		}
		require.ErrorIs(t, err, journal.ErrFull)
		require.ErrorIs(t, err, syscall.ENOSPC)
		require.Equal(t, all, readAll(t, l), "nothing of the batch was kept")
		require.ErrorIs(t, write(l, batch(l.Last()+1, 3, 150)), journal.ErrFull, "still full")

		mem.SetCapacity(0)
		more := batch(l.Last()+1, 3, 150)
		require.NoError(t, write(l, more))
		all = append(all, more...)
		mem.Crash(vfs.Nothing)
		l = open(t, small(mem))
		require.Equal(t, all, readAll(t, l), "capacity %d", capacity)
		_, err = Verify(dir, small(mem), l.Head())
		require.NoError(t, err)
	}
}

func TestNoSpaceOrAnErrorAtAnyWriteLeavesTheLogUsable(t *testing.T) {
	ioError := errors.New("input/output error")
	for _, cause := range []error{syscall.ENOSPC, syscall.EDQUOT, ioError} {
		for n := 1; n <= callsOfStory(t); n++ {
			mem := vfs.NewMem()
			hit := false
			mem.FailWith(func(c vfs.Call) error {
				if c.N != n || c.Op == "sync" || c.Op == "syncdir" || c.Op == "remove" || c.Op == "truncate" {
					return nil
				}
				hit = true
				return cause
			})
			s := new(story)
			l, err := Open(dir, small(mem))
			if err == nil {
				err = s.run(l)
				require.NotErrorIs(t, err, journal.ErrFailed)
			}
			if err == nil {
				continue // the zeros ahead: the disk is asked again later
			}
			require.True(t, hit, "%v", err)
			require.ErrorIs(t, err, cause)
			require.Equal(t, cause != ioError, errors.Is(err, journal.ErrFull), "call %d: %v", n, err)
			if l != nil {
				s.written = s.written[:s.acked]
				require.NoError(t, s.append(l, 2, 99), "the same log goes on")
				require.NoError(t, l.Close())
			}
			t.Run(fmt.Sprintf("call %d %v", n, cause), func(t *testing.T) { s.check(t, small(mem)) })
		}
	}
}

func TestAWriteThatCannotBeUndoneFailsTheLog(t *testing.T) {
	mem := vfs.NewMem()
	l := open(t, small(mem))
	require.NoError(t, l.Append(batch(1, 1, 100)))
	mem.FailWith(func(c vfs.Call) error { return syscall.EIO })
	require.ErrorIs(t, l.Append(batch(2, 1, 100)), journal.ErrFailed)
	mem.FailWith(nil)
	require.ErrorIs(t, l.Append(batch(2, 1, 100)), journal.ErrFailed, "until reopened")
	_, err := l.Roll()
	require.ErrorIs(t, err, journal.ErrFailed)
	require.NoError(t, l.Close())
	l = open(t, small(mem))
	require.NoError(t, l.Append(batch(l.Last()+1, 1, 100)))
}

// The limit on a file's size is the one way an ordinary process can make a
// real file system refuse to write.
func TestARealFileSizeLimitIsDiskFull(t *testing.T) {
	l, err := Open(t.TempDir(), Options{Ahead: 4096})
	require.NoError(t, err)
	defer l.Close()
	require.NoError(t, l.Append(batch(1, 10, 300)))

	var old syscall.Rlimit
	require.NoError(t, syscall.Getrlimit(syscall.RLIMIT_FSIZE, &old))
	require.NoError(t, syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 32 << 10, Max: old.Max}))
	defer func() { require.NoError(t, syscall.Setrlimit(syscall.RLIMIT_FSIZE, &old)) }()
	for err == nil {
		err = l.Append(batch(l.Last()+1, 10, 300))
	}
	require.ErrorIs(t, err, journal.ErrFull)
	last := l.Last()
	require.Len(t, readAll(t, l), int(last))
	require.NoError(t, syscall.Setrlimit(syscall.RLIMIT_FSIZE, &old))
	require.NoError(t, l.Append(batch(last+1, 10, 300)))
	require.Len(t, readAll(t, l), int(last)+10)
}
