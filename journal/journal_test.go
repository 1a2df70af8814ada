package journal_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/journal"
)

func TestAHeadReadsBackFromItsText(t *testing.T) {
	h := journal.Head{Seq: 42, Link: [32]byte{0: 0xab, 31: 0x01}}
	require.Regexp(t, `^42:ab0{60}01$`, h.String())
	got, err := journal.ParseHead(h.String())
	require.NoError(t, err)
	require.Equal(t, h, got)
}

func TestABadHeadIsRefusedWithTheReason(t *testing.T) {
	for text, reason := range map[string]string{
		"42":     "want seq:hex",
		"x:00":   "sequence number",
		"42:00":  "64 hex digits",
		"42:xyz": "64 hex digits",
	} {
		_, err := journal.ParseHead(text)
		require.ErrorContains(t, err, reason, text)
	}
}

func TestACorruptErrorNamesPlaceAndHint(t *testing.T) {
	err := fmt.Errorf("engine: start: %w", &journal.CorruptError{File: "a.seg", Offset: 7, Reason: "bad", Hint: "do this"})
	require.ErrorIs(t, err, journal.ErrCorrupt)
	require.NotErrorIs(t, err, journal.ErrFull)
	require.EqualError(t, err, "engine: start: journal: corrupt: a.seg: offset 7: bad; do this")
}
