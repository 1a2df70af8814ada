package dashboards

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/api"
)

func TestItemsAndOutagesAreToldInWords(t *testing.T) {
	ci, o := &api.CIBrief{ID: "db-3", Class: "host", State: "retired"}, &api.Outage{ID: "OUT-3", Service: "shop", Kind: "down", State: "proposed"}
	require.Equal(t, "host db-3 is retired now by ann", sentence(api.Change{Kind: "ci_set", Actor: "ann", CI: ci}))
	require.Equal(t, "host db-3 left memory", sentence(api.Change{Kind: "ci_dropped", CI: ci}))
	require.Equal(t, "OUT-3: shop is down, not confirmed", sentence(api.Change{Kind: "outage_set", Outage: o}))
	require.Equal(t, "OUT-3: shop is down no more", sentence(api.Change{Kind: "outage_ended", Outage: o}))
	confirmed := *o
	confirmed.State = "confirmed"
	require.Equal(t, "OUT-3: shop is down, confirmed by ann", sentence(api.Change{Kind: "outage_set", Actor: "ann", Outage: &confirmed}))
	require.NotContains(t, liveKinds(), "ci_")
	require.Contains(t, liveKinds(), "outage_set")
}
