package e2e_test

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/internal/peers"
)

// smallDisk mounts a file system of so many MiB.
func smallDisk(t *testing.T, mebibytes int) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%dm", mebibytes)); err != nil {
		t.Skipf("NOT TESTED: a full disk: mounting a tmpfs needs root (%v)", err)
	}
	t.Cleanup(func() { require.NoError(t, syscall.Unmount(dir, syscall.MNT_DETACH)) })
	return dir
}

// fill writes a file until the disk has no room for another byte.
func fill(t *testing.T, path string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	require.NoError(t, err)
	for chunk := make([]byte, 64<<10); err == nil; {
		_, err = f.Write(chunk)
	}
	require.ErrorIs(t, err, syscall.ENOSPC)
	require.NoError(t, f.Close())
}

func TestAFullDiskRefusesAndLosesNothing(t *testing.T) {
	t.Parallel()
	disk := smallDisk(t, 24)
	data, ballast := filepath.Join(disk, "data"), filepath.Join(disk, "ballast")
	args := append(config(t, "journal: {segment_bytes: 1MiB}\nchanges: {segment_bytes: 1MiB}\n"), "--data", data)
	d := peers.Tocsin(t, args...)
	taken := names("before", 50)
	mustPost(t, d.URL, bulky("before", 50, 100)...)

	var refusal []byte
	for i := 0; refusal == nil; i++ {
		fill(t, ballast) // the daemon has laid hands on room ahead; what it frees by itself is taken away again
		require.Less(t, i, 200, "the disk never was full")
		name := fmt.Sprintf("full-%d", i)
		switch status, answer := post(d.URL, bulky(name, 50, 4000)...); status {
		case http.StatusOK:
			taken = append(taken, names(name, 50)...)
		case http.StatusServiceUnavailable:
			refusal = answer
		default:
			require.Failf(t, "unexpected answer", "%d %s", status, answer)
		}
	}
	require.Contains(t, strings.ToLower(string(refusal)), "disk")
	status, _ := send(http.MethodGet, d.URL+"/-/healthy", nil)
	require.Equal(t, http.StatusOK, status)

	require.NoError(t, os.Remove(ballast))
	await(t, "alerts to be taken again", func() bool {
		status, _ := post(d.URL, bulky("after", 50, 100)...)
		return status == http.StatusOK
	})
	taken = append(taken, names("after", 50)...)
	requireOnce(t, taken, instances(t, d.URL))
	d.Kill9()
	requireSound(t, data)
	d.Restart()
	requireOnce(t, taken, instances(t, d.URL))
}

// journalEnd returns the only segment of a journal and where its last commit ends.
func journalEnd(t *testing.T, data string) (path string, offset int64) {
	t.Helper()
	segments, err := filepath.Glob(filepath.Join(data, "journal", "*.seg"))
	require.NoError(t, err)
	require.Len(t, segments, 1)
	out, code := tool(t, "verify", "--json", "--data", data)
	require.Zero(t, code, out)
	first, _, _ := strings.Cut(out, "\n")
	var log struct {
		Log   string `json:"log"`
		Bytes int64  `json:"bytes"`
	}
	require.NoError(t, json.Unmarshal([]byte(first), &log), out)
	require.Equal(t, "journal", log.Log)
	return segments[0], log.Bytes
}

func TestATornWriteAtTheEndCostsNothingAcknowledged(t *testing.T) {
	t.Parallel()
	for name, torn := range map[string]func(committed []byte) []byte{
		"noise":         func([]byte) []byte { return noise(777) },
		"half a record": func([]byte) []byte { return slices.Concat([]byte{1, 0, 0, 0, 0xff, 1, 0, 0}, noise(100)) },
		"half a copy":   func(committed []byte) []byte { return committed[len(committed)-2000 : len(committed)-500] },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := peers.Tocsin(t)
			mustPost(t, d.URL, bulky("before", 20, 500)...)
			d.Kill9()
			appendTo(t, d.Data, torn)
			d.Restart()
			require.Contains(t, d.Log(), "torn tail repaired")
			mustPost(t, d.URL, bulky("after", 20, 500)...)
			requireOnce(t, append(names("before", 20), names("after", 20)...), instances(t, d.URL))
			d.Stop()
			requireSound(t, d.Data)
		})
	}
}

// appendTo writes after the last commit of a journal what torn makes of the bytes before it.
func appendTo(t *testing.T, data string, torn func(committed []byte) []byte) {
	t.Helper()
	path, end := journalEnd(t, data)
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	require.NoError(t, err)
	_, err = f.WriteAt(torn(content[:end]), end)
	require.NoError(t, err)
	require.NoError(t, f.Close())
}

func noise(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails
	b[0] |= 0x80        // no kind of frame
	return b
}
