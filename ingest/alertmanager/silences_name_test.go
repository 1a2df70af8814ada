package alertmanager

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/event"
)

func TestASilenceOfAPersonShowsTheName(t *testing.T) {
	a := &API{opts: Options{PersonName: func(id string) string {
		if id == "u-ann" {
			return "Ann Berg"
		}
		return id
	}}}
	require.Equal(t, "Ann Berg", a.gettable(&event.Silence{CreatedBy: "u-ann"}, 1).CreatedBy)
	require.Equal(t, "amtool", a.gettable(&event.Silence{CreatedBy: "amtool"}, 1).CreatedBy)
	require.Equal(t, "u-ann", (&API{}).gettable(&event.Silence{CreatedBy: "u-ann"}, 1).CreatedBy)
}
