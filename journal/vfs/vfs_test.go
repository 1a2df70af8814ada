package vfs_test

import (
	"io"
	"io/fs"
	"math/rand/v2"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/journal/vfs"
)

// TestBothImplementationsBehaveAlike is the contract of FS.
func TestBothImplementationsBehaveAlike(t *testing.T) {
	for name, fsys := range map[string]vfs.FS{"os": vfs.OS{}, "mem": vfs.NewMem()} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "x", "y")
			require.NoError(t, fsys.MkdirAll(dir))
			require.NoError(t, fsys.MkdirAll(dir), "already there")
			a, b := filepath.Join(dir, "a"), filepath.Join(dir, "b")
			_, err := fsys.Open(a)
			require.ErrorIs(t, err, fs.ErrNotExist)
			_, err = fsys.OpenWrite(a)
			require.ErrorIs(t, err, fs.ErrNotExist)

			f, err := fsys.Create(a)
			require.NoError(t, err)
			_, err = f.WriteAt([]byte("hello"), 3)
			require.NoError(t, err)
			require.NoError(t, f.Truncate(6))
			require.NoError(t, f.Sync())
			size, err := f.Size()
			require.NoError(t, err)
			require.EqualValues(t, 6, size)
			require.NoError(t, f.Close())
			_, err = f.ReadAt(make([]byte, 1), 0)
			require.ErrorIs(t, err, fs.ErrClosed)

			require.NoError(t, fsys.Rename(a, b))
			require.NoError(t, fsys.SyncDir(dir))
			names, err := fsys.List(dir)
			require.NoError(t, err)
			require.Equal(t, []string{"b"}, names)

			f, err = fsys.Open(b)
			require.NoError(t, err)
			buf := make([]byte, 10)
			n, err := f.ReadAt(buf, 2)
			require.ErrorIs(t, err, io.EOF)
			require.Equal(t, "\x00hel", string(buf[:n]))
			_, err = f.ReadAt(buf, 6)
			require.ErrorIs(t, err, io.EOF)
			require.NoError(t, fsys.Remove(b))
			_, err = f.ReadAt(buf[:1], 3)
			require.NoError(t, err, "an open file outlives its name")
			require.NoError(t, f.Close())
			require.ErrorIs(t, fsys.Remove(b), fs.ErrNotExist)
			require.ErrorIs(t, fsys.Rename(b, a), fs.ErrNotExist)

			lock, err := fsys.Lock(a)
			require.NoError(t, err)
			_, err = fsys.Lock(a)
			require.ErrorIs(t, err, vfs.ErrLocked)
			require.NoError(t, lock.Close())
			lock, err = fsys.Lock(a)
			require.NoError(t, err)
			require.NoError(t, lock.Close())
		})
	}
}

// durable makes a file with "old" in it that survives any crash.
func durable(t *testing.T, m *vfs.Mem) vfs.File {
	f, err := m.Create("/d/f")
	require.NoError(t, err)
	_, err = f.WriteAt([]byte("old"), 0)
	require.NoError(t, err)
	require.NoError(t, f.Sync())
	require.NoError(t, m.SyncDir("/d"))
	return f
}

func content(t *testing.T, m *vfs.Mem) string {
	b, err := m.ReadFile("/d/f")
	require.NoError(t, err)
	return string(b)
}

func TestACrashLosesWhatWasNotSynced(t *testing.T) {
	m := vfs.NewMem()
	f := durable(t, m)
	_, err := f.WriteAt([]byte("newer"), 0)
	require.NoError(t, err)
	require.NoError(t, m.Rename("/d/f", "/d/g"))
	require.NoError(t, m.Remove("/d/g"))
	m.Crash(vfs.Nothing)
	require.Equal(t, "old", content(t, m))
	_, err = f.WriteAt([]byte("x"), 0)
	require.ErrorIs(t, err, vfs.ErrPowerCut, "files from before are dead")
}

func TestACrashTearsTheLastWrite(t *testing.T) {
	m := vfs.NewMem()
	f := durable(t, m)
	_, err := f.WriteAt([]byte("NEW"), 0)
	require.NoError(t, err)
	_, err = f.WriteAt([]byte("tail"), 3)
	require.NoError(t, err)
	m.Crash(vfs.Torn(2))
	require.Equal(t, "NEWta", content(t, m))
}

func TestACrashKeepsAnySectors(t *testing.T) {
	seen := map[string]bool{}
	for seed := range uint64(40) {
		m := vfs.NewMem()
		f := durable(t, m)
		_, err := f.WriteAt(make([]byte, 1024), 3)
		require.NoError(t, err)
		_, err = f.WriteAt([]byte("A"), 511)
		require.NoError(t, err)
		_, err = f.WriteAt([]byte("B"), 512)
		require.NoError(t, err)
		m.Crash(vfs.Sectors(rand.New(rand.NewPCG(seed, 0))))
		b := content(t, m) + string(make([]byte, 600))
		seen[b[511:513]] = true
	}
	require.Len(t, seen, 4, "both, either, none")
}

func TestAFailedSyncLosesItsWritesAtTheNextCrashAlthoughTheyCanBeRead(t *testing.T) {
	m := vfs.NewMem()
	f := durable(t, m)
	_, err := f.WriteAt([]byte("new"), 0)
	require.NoError(t, err)
	m.FailWith(func(c vfs.Call) error { return syscall.EIO })
	require.ErrorIs(t, f.Sync(), syscall.EIO)
	m.FailWith(nil)
	require.NoError(t, f.Sync(), "the second sync knows nothing of it")
	require.Equal(t, "new", content(t, m))
	m.Crash(vfs.Everything)
	require.Equal(t, "old", content(t, m))
}

func TestPowerIsCutAtTheCallThatIsNamed(t *testing.T) {
	m := vfs.NewMem()
	f := durable(t, m)
	m.CutPowerAt(len(m.Calls()) + 1)
	_, err := f.WriteAt([]byte("new"), 0)
	require.ErrorIs(t, err, vfs.ErrPowerCut)
	require.ErrorIs(t, f.Sync(), vfs.ErrPowerCut)
	require.Equal(t, "write f 0+3", m.Calls()[len(m.Calls())-1].String())
	m.Crash(vfs.Everything)
	require.Equal(t, "new", content(t, m), "the write had reached the cache")
}

func TestAWriteOverTheCapacityComesUpShort(t *testing.T) {
	m := vfs.NewMem()
	f := durable(t, m)
	m.SetCapacity(5)
	n, err := f.WriteAt([]byte("12345678"), 1)
	require.Equal(t, 4, n)
	require.ErrorIs(t, err, syscall.ENOSPC)
	require.NoError(t, f.Truncate(1))
	n, err = f.WriteAt([]byte("ab"), 1)
	require.NoError(t, err)
	require.Equal(t, 2, n)
}

// Whoever syncs beside the one who closes has to know that from a fault.
func TestASyncOfAClosedFileSaysSo(t *testing.T) {
	dir := t.TempDir()
	for range 200 {
		f, err := vfs.OS{}.Create(filepath.Join(dir, "a"))
		require.NoError(t, err)
		_, err = f.WriteAt([]byte("x"), 0)
		require.NoError(t, err)
		synced := make(chan error)
		go func() {
			var err error
			for err == nil {
				err = f.Sync()
			}
			synced <- err
		}()
		require.NoError(t, f.Close())
		require.ErrorIs(t, <-synced, fs.ErrClosed)
	}
}
