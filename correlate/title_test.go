package correlate

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/event"
)

func TestANameThatNobodyCanSeeIsNoTitle(t *testing.T) {
	for name, want := range map[string]string{"": "Alert on db-3", "\x01\x02 \t": "Alert on db-3", "Down": "Down on db-3"} {
		require.Equal(t, want, title(&event.AlertState{Name: name, Resource: "db-3"}, nil))
	}
}
