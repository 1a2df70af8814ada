package disk

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/journal"
	"github.com/tocsin-noc/tocsin/journal/vfs"
)

func TestALogOpenedReadOnlyShowsWhatIsDurableAndRefusesWrites(t *testing.T) {
	mem := vfs.NewMem()
	l := open(t, small(mem))
	fill(t, l, 3)
	want := readAll(t, l)

	ro, err := OpenReadOnly(dir, small(mem))
	require.NoError(t, err)
	got, err := drain(ro.Reader(1))
	require.NoError(t, err)
	require.Equal(t, want, got)
	require.Equal(t, l.Head(), ro.Head())
	_, err = ro.Prepare(1)
	require.ErrorIs(t, err, journal.ErrClosed)
	require.ErrorIs(t, ro.Append(batch(l.Last()+1, 1, 10)), journal.ErrClosed)
	require.NoError(t, ro.Close())
	require.NoError(t, write(l, batch(l.Last()+1, 1, 10)), "the writer goes on")

	_, err = OpenReadOnly("nowhere", small(mem))
	require.ErrorIs(t, err, journal.ErrUnknown)
}
