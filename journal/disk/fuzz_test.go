package disk

import (
	"bytes"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/journal"
	"github.com/tocsin-noc/tocsin/journal/vfs"
)

// FuzzOpen feeds arbitrary bytes as the only segment: opening must end in a
// working log or an error, and never in a record that no frame holds.
func FuzzOpen(f *testing.F) {
	mem := vfs.NewMem()
	l, err := Open(dir, small(mem))
	require.NoError(f, err)
	require.NoError(f, l.Append(batch(1, 3, 40)))
	require.NoError(f, l.Append(batch(4, 1, 700)))
	whole, err := mem.ReadFile(segmentPath(dir, 1))
	require.NoError(f, err)
	for _, content := range [][]byte{whole, whole[:headerSize], whole[:len(whole)/2], bytes.Repeat([]byte{1}, 200)} {
		f.Add(content, false)
		f.Add(content, true)
	}
	f.Fuzz(func(t *testing.T, content []byte, rightHeader bool) {
		if rightHeader && len(content) >= headerSize {
			content = append(slices.Clone(whole[:headerSize]), content[headerSize:]...)
		}
		mem := vfs.NewMem()
		mem.WriteFile(segmentPath(dir, 1), content)
		o := small(mem)
		l, err := Open(dir, o)
		if err != nil {
			return
		}
		found := readAll(t, l)
		for _, r := range found {
			require.True(t, r.Redacted || bytes.Contains(content, r.Payload))
		}
		more := batch(l.Last()+1, 1, 30)
		if l.LastAt() > more[0].At || l.Last() > 1<<60 {
			return
		}
		require.NoError(t, l.Append(more))
		require.Equal(t, append(found, more...), readAll(t, l))
		_, _ = Verify(dir, o, journal.Head{})
	})
}

// FuzzDecodeFrame: what decodes encodes to the same bytes.
func FuzzDecodeFrame(f *testing.F) {
	f.Add(appendFrame(nil, 9, kindRecord, 1, 2, []byte("payload")), uint32(9))
	end := commit{count: 1, bytes: 35}.encode()
	f.Add(appendFrame(nil, 0, kindCommit, 1, 2, end[:]), uint32(0))
	f.Add(appendFrame(nil, 5, kindRedacted, 3, 4, appendRedaction(nil, [32]byte{1}, "why", []byte("new"))), uint32(5))
	f.Fuzz(func(t *testing.T, b []byte, salt uint32) {
		got, ok := decodeFrame(b, salt, 0)
		if !ok {
			return
		}
		require.Equal(t, b[:got.end()], appendFrame(nil, salt, got.kind, got.seq, got.at, got.payload))
		_ = got.record()
	})
}
