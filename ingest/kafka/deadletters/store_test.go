package deadletters_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/ingest/kafka/deadletters"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func letter(offset int64, at time.Time, value string) deadletters.Letter {
	return deadletters.Letter{
		Time: at, Cluster: "main", Topic: "alerts", Partition: 3, Offset: offset, Sent: at.Add(-time.Second),
		Source: "am", Tenant: "main", Format: "tocsin", Reason: "not JSON", Place: "alerts[0]", Hint: "quote it", Refused: 1,
		Headers: []deadletters.Header{{Name: "trace", Value: []byte{0, 1}}}, Key: []byte("k"), Value: []byte(value),
	}
}

func offsets(t *testing.T, s *deadletters.Store) (found []int64) {
	t.Helper()
	for l, err := range s.All() {
		require.NoError(t, err)
		found = append(found, l.Offset)
	}
	return found
}

func TestALetterIsReadAsItWasWrittenAlsoAfterAReopen(t *testing.T) {
	dir := t.TempDir()
	s, err := deadletters.Open(dir, deadletters.Bounds{})
	require.NoError(t, err)
	want := letter(7, noon, "\xff{\"no\n")
	require.NoError(t, s.Add(want))
	require.NoError(t, s.Close())

	s, err = deadletters.Open(dir, deadletters.Bounds{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	for got, err := range s.All() {
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	require.NoError(t, s.Add(letter(8, noon, "x")))
	require.Equal(t, []int64{7, 8}, offsets(t, s))
}

func TestTheOldestGoWhenTheBytesAreUsedUp(t *testing.T) {
	dir := t.TempDir()
	const bound = 64 << 10
	s, err := deadletters.Open(dir, deadletters.Bounds{Bytes: bound})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	for i := range int64(200) {
		require.NoError(t, s.Add(letter(i, noon, strings.Repeat("x", 600))))
		require.LessOrEqual(t, s.Bytes(), int64(bound))
	}
	kept := offsets(t, s)
	require.Equal(t, int64(199), kept[len(kept)-1])
	require.Greater(t, len(kept), 40, "no more than a file was dropped at a time")
	require.Less(t, len(kept), 80)
	onDisk := int64(0)
	files, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, f := range files {
		info, err := f.Info()
		require.NoError(t, err)
		onDisk += info.Size()
	}
	require.Equal(t, s.Bytes(), onDisk)
}

func TestLettersGoWhenTheyAreTooOld(t *testing.T) {
	s, err := deadletters.Open(t.TempDir(), deadletters.Bounds{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	day := 24 * time.Hour
	require.NoError(t, s.Add(letter(1, noon, "x")))
	require.NoError(t, s.Add(letter(2, noon.Add(3*day), "x")))
	require.NoError(t, s.Prune(noon.Add(7*day)))
	require.Equal(t, []int64{1, 2}, offsets(t, s))
	require.NoError(t, s.Prune(noon.Add(8*day)))
	require.Equal(t, []int64{2}, offsets(t, s))
	require.NoError(t, s.Prune(noon.Add(11*day)))
	require.Empty(t, offsets(t, s))
	require.NoError(t, s.Add(letter(3, noon.Add(11*day), "x")))
	require.Equal(t, []int64{3}, offsets(t, s))
}

func TestALineThatACrashCutOffIsLeftOut(t *testing.T) {
	dir := t.TempDir()
	s, err := deadletters.Open(dir, deadletters.Bounds{})
	require.NoError(t, err)
	require.NoError(t, s.Add(letter(1, noon, "x"), letter(2, noon, "y")))
	require.NoError(t, s.Close())
	path := filepath.Join(dir, "00000001.ndjson")
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.NoError(t, os.Truncate(path, info.Size()-5))

	s, err = deadletters.Open(dir, deadletters.Bounds{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	require.NoError(t, s.Add(letter(3, noon, "z")))
	require.Equal(t, []int64{1, 3}, offsets(t, s))
}

func TestHeadersWithCredentialsAreKnown(t *testing.T) {
	for _, name := range []string{"Authorization", "proxy-authorization", "Set-Cookie", "X-Api-Key", "x-auth-token"} {
		require.True(t, deadletters.Secret(name), name)
	}
	require.False(t, deadletters.Secret("traceparent"))
}
