package records

import (
	"errors"
	"os"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/event"
)

func FuzzDecodeFrame(f *testing.F) {
	for _, ordinal := range []uint32{0, 1, groupSize} {
		ch := note(7, 3, "a text")
		entry := frame{cursor: cursor{7, 1}, at: ch.At, id: 3, ordinal: ordinal, prev: at(1, 99), skip: at(1, 8), jump: at(1, 8)}
		b, err := appendEntry(nil, &entry, []event.Change{ch})
		require.NoError(f, err)
		f.Add(b)
	}
	f.Add(appendMark(nil, cursor{7, 1}))
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) >= frameHead { // give the fuzzer's bytes a head that checks
			seal(b)
		}
		fr, size, ok := decodeFrame(b)
		if !ok {
			return
		}
		require.LessOrEqual(t, size, len(b))
		if fr.kind == kindMark {
			require.Equal(t, b[:size], appendMark(nil, fr.cursor))
			return
		}
		changes, err := event.DecodeChanges(fr.change, fr.cursor.seq, fr.at)
		if err != nil || len(changes) != 1 {
			return
		}
		again, err := appendEntry(nil, &fr, changes)
		require.NoError(t, err)
		back, _, ok := decodeFrame(again)
		require.True(t, ok)
		fr.change, back.change = nil, nil
		require.Equal(t, fr, back)
	})
}

// FuzzOpen lets a store open on a segment whose second frame is made of the fuzzer's payload and has a head that checks, and
// whose end is the fuzzer's as it is.
func FuzzOpen(f *testing.F) {
	ch := note(7, 3, "a text")
	entry := frame{cursor: cursor{8, 0}, at: ch.At, id: 3, ordinal: 1, prev: at(1, int64(headerSize))}
	b, err := appendEntry(nil, &entry, []event.Change{ch})
	require.NoError(f, err)
	f.Add(b[frameHead:], []byte(nil))
	f.Add(appendMark(nil, cursor{8, 0})[frameHead:], b)
	f.Fuzz(func(t *testing.T, payload, end []byte) {
		second := append(make([]byte, frameHead), payload...)
		seal(second)
		b, err := appendEntry([]byte(magic), &frame{cursor: cursor{7, 0}, at: ch.At, id: 3}, []event.Change{ch})
		require.NoError(t, err)
		dir := t.TempDir()
		require.NoError(t, os.WriteFile(segmentPath(dir, 1), slices.Concat(b, second, end), 0o600))
		s, err := Open(dir, Options{})
		require.NoError(t, err)
		for id := range s.index.all {
			if _, _, _, err := s.Timeline(id, 0, 0, 100); err != nil && !errors.Is(err, event.ErrMalformed) {
				require.ErrorIs(t, err, ErrCorrupt)
			}
		}
		crash(t, s)
	})
}
