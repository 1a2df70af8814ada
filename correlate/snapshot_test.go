package correlate

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

// goldenSnapshot names the snapshot that the first version of a format wrote: a change of layout that forgets to move the
// format's number, or to read an old one, fails here.
func goldenSnapshot(format int) string { return fmt.Sprintf("testdata/snapshot-%d.gz", format) }

func TestSnapshotsOfTheFormatsSoFarStayReadable(t *testing.T) {
	if *update {
		s, g := New(), newGen(11)
		g.run(t, s, 200, nil)
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		require.NoError(t, s.View().Save(z))
		require.NoError(t, z.Close())
		require.NoError(t, os.WriteFile(goldenSnapshot(snapshotFormat), b.Bytes(), 0o644))
		require.NoError(t, os.WriteFile(goldenSnapshot(snapshotFormat)+".txt", []byte(dump(s.View())), 0o644))
	}
	for format := oldestSnapshot; format <= snapshotFormat; format++ {
		f, err := os.Open(goldenSnapshot(format))
		require.NoError(t, err)
		defer f.Close()
		z, err := gzip.NewReader(f)
		require.NoError(t, err)
		loaded, err := Load(z)
		require.NoError(t, err)
		want, err := os.ReadFile(goldenSnapshot(format) + ".txt")
		require.NoError(t, err)
		require.Equal(t, string(want), dump(loaded.View()), "format %d", format)
		var again bytes.Buffer
		require.NoError(t, loaded.View().Save(&again))
		g := newGen(13)
		g.seq, g.now = loaded.Seq(), loaded.At()
		g.run(t, loaded, 100, nil) // and can be gone on from
	}
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
