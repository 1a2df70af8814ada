package correlate

import (
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

// goldenSnapshot was written by the first version that has this format: a change of layout that forgets to move the format's
// number, or to read the old one, fails here.
const goldenSnapshot = "testdata/snapshot-1.gz"

func TestASnapshotOfThisFormatStaysReadable(t *testing.T) {
	s, g := New(), newGen(11)
	g.run(t, s, 200, nil)
	if *update {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		require.NoError(t, s.View().Save(z))
		require.NoError(t, z.Close())
		require.NoError(t, os.WriteFile(goldenSnapshot, b.Bytes(), 0o644))
		require.NoError(t, os.WriteFile(goldenSnapshot+".txt", []byte(dump(s.View())), 0o644))
	}
	f, err := os.Open(goldenSnapshot)
	require.NoError(t, err)
	defer f.Close()
	z, err := gzip.NewReader(f)
	require.NoError(t, err)
	loaded, err := Load(z)
	require.NoError(t, err)
	want, err := os.ReadFile(goldenSnapshot + ".txt")
	require.NoError(t, err)
	require.Equal(t, string(want), dump(loaded.View()))
}

func TestADamagedSnapshotIsRefused(t *testing.T) {
	s, g := New(), newGen(12)
	g.run(t, s, 50, nil)
	var b bytes.Buffer
	require.NoError(t, s.View().Save(&b))
	for _, at := range []int{10, b.Len() / 3, b.Len() / 2, b.Len() - 10} {
		damaged := bytes.Clone(b.Bytes())
		damaged[at] ^= 1
		_, err := Load(bytes.NewReader(damaged))
		require.Error(t, err, "byte %d", at)
	}
	_, err := Load(io.LimitReader(&b, int64(b.Len()/2)))
	require.Error(t, err)
}
