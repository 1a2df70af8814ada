package correlate

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/itsm"
)

func TestWhatIsKeptOfTheTopologyIsWhatTheCMDBSays(t *testing.T) {
	for seed := range uint64(5) {
		r, s, seq := rand.New(rand.NewPCG(seed, 21)), New(), uint64(0)
		said := 0
		for range 400 {
			ci := event.CI{ID: fmt.Sprintf("ci-%d", r.IntN(120)), Class: "host", State: event.CIState(1 + r.IntN(5)), Source: fmt.Sprintf("import-%d", r.IntN(2))}
			for range r.IntN(4) {
				ci.Relations = append(ci.Relations, event.Relation{
					Kind: event.RelationKind(1 + r.IntN(5)), To: fmt.Sprintf("ci-%d", r.IntN(120)), Source: ci.Source,
				})
			}
			seq++
			_, res := s.Step(&event.Input{
				Kind: event.InputCommand, Seq: seq, At: scriptStart + event.Time(seq), Writer: event.Writer{ID: 1, Epoch: 1, N: seq},
				Command: &event.Command{Kind: event.EditCIs, Tenant: event.DefaultTenant, CIs: &event.CIEdit{Source: ci.Source, Set: []event.CI{ci}, Loose: true}},
			}, nil)
			if res.Err == nil {
				said++
			}
			for range 10 {
				item, hops, limit := 1+r.Uint32N(130), uint8(1+r.IntN(farthest)), 1+r.IntN(maxAbove)
				want := s.cmdb.Upstream(item, hops, limit, nil)
				got := s.topology.Upstream(item, hops, limit, nil)
				require.Equal(t, far(want), far(got), "seed %d: %d hops, %d of item %d", seed, hops, limit, item)
				if item < s.cis.Len() {
					require.Equal(t, s.cmdb.DependentCount(item), s.topology.DependentCount(item), "seed %d", seed)
					require.Equal(t, uint32(len(s.cmdb.Parts(item, nil))), s.topology.PartCount(item), "seed %d", seed)
				}
			}
		}
		require.Greater(t, said, 100)
	}
}

// far tells items and how far away they are.
func far(list []itsm.Near) (out [][2]uint32) {
	for _, n := range list {
		out = append(out, [2]uint32{n.Item, uint32(n.Hops)})
	}
	return out
}
