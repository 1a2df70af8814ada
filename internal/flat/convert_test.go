package flat

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestConvertKeepsNumbersAndTheOrderOfFreedSlots(t *testing.T) {
	old := NewSlab[uint32]()
	for i := uint32(1); i <= 5000; i++ {
		*old.Mut(old.Alloc()) = i
	}
	for _, i := range []uint32{7, 4000, 3} {
		old.Free(i)
	}
	made := Convert(old, func(v *uint32) [3]uint64 { return [3]uint64{uint64(*v), 0, uint64(*v)} })
	require.Equal(t, old.Len(), made.Len())
	require.Equal(t, [3]uint64{4999, 0, 4999}, *made.At(4999))
	require.Zero(t, *made.At(7))
	for range 4 {
		require.Equal(t, old.Alloc(), made.Alloc())
	}
}
