package flat

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPlacesAreForgottenAtAReset(t *testing.T) {
	var p Places
	p.Reset()
	_, found := p.Find(9)
	require.False(t, found)
	p.Put(9, 3)
	place, found := p.Find(9)
	require.True(t, found)
	require.Equal(t, uint32(3), place)

	p.Reset()
	_, found = p.Find(9)
	require.False(t, found)
	p.Put(19, 0)
	place, found = p.Find(19)
	require.True(t, found)
	require.Zero(t, place)
}

func TestPlacesSurviveTheirLastStamp(t *testing.T) {
	p := Places{stamp: 1<<32 - 2}
	p.Reset()
	p.Put(1, 1)
	p.Reset()
	_, found := p.Find(1)
	require.False(t, found)
	_, found = p.Find(0)
	require.False(t, found, "what nobody put has no place after the stamps began anew")
}
