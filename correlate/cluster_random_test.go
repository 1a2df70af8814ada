package correlate

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/rules"
)

// faults makes cascades along relations, faults that shake an environment, noise, and people who have their own mind about them, by seed.
type faults struct {
	r    *rand.Rand
	seq  uint64
	now  event.Time
	open []event.Labels // alerts that fire
	fate []uint32       // items that a fault will reach next
}

const (
	estateSize = 40
	tenants    = 2
)

func newFaults(seed uint64) *faults {
	return &faults{r: rand.New(rand.NewPCG(seed, 17)), now: scriptStart}
}

func (g *faults) tenant() string { return []string{"main", "acme"}[g.r.IntN(tenants)] }

func itemID(n uint32) string { return fmt.Sprintf("n-%d", n) }

// above is what an item rests on: a tree of items by threes.
func above(n uint32) uint32 { return (n - 1) / 3 }

func (g *faults) input(s *State) *event.Input {
	g.seq++
	g.now += event.Time(g.r.IntN(int(4 * event.Second)))
	in := &event.Input{Seq: g.seq, Writer: event.Writer{ID: 7, Epoch: 1, N: g.seq}}
	switch n := g.r.IntN(1000); {
	case g.seq <= tenants:
		in.Kind, in.Command = event.InputCommand, estateCommand(g.seq)
	case g.seq == tenants+1:
		in.Kind, in.Rules = event.InputRules, g.rules()
	case n < 600:
		in.Kind, in.Batch = event.InputEvents, g.batch()
	case n < 900:
		in.Kind = event.InputTick
		g.now = max(g.now, min(s.Next(), g.now+10*event.Minute))
	case n < 980:
		in.Kind, in.Command = event.InputCommand, g.command(s)
	case n < 985:
		in.Kind = event.InputTick
		g.now += event.Time(g.r.IntN(int(event.Hour)))
	case n < 990:
		in.Kind, in.Rules = event.InputRules, g.rules()
	default:
		in.Kind, in.Gap = event.InputResumed, event.Minute
	}
	in.At = g.now
	return in
}

// estateCommand tells of the items of a tenant: but for the last ten, which are discovered.
func estateCommand(n uint64) *event.Command {
	e := &event.CIEdit{Source: "cmdb.yml"}
	for i := range uint32(estateSize - 10) {
		ci := event.CI{ID: itemID(i), Class: "host"}
		if i > 0 {
			kind := []event.RelationKind{event.DependsOn, event.HostedOn, event.PartOf}[i%3]
			ci.Relations = []event.Relation{{Kind: kind, To: itemID(above(i)), Source: e.Source}}
		}
		e.Set = append(e.Set, ci)
	}
	return &event.Command{Kind: event.EditCIs, Actor: "cmdb.yml", Tenant: []string{"main", "acme"}[n-1], CIs: e}
}

func (g *faults) rules() []byte {
	text := []string{
		"settings: {discovered_for: 5m, retain_cleared: 4m, reopen_within: 3m, correlation: {settle_after: 1d}}\n",
		"settings: {discovered_for: 1h, correlation: {reonset_age: 20s, reonset_items: 2, reonset_excess_millinats: 3000}}\n",
		"settings: {correlation: {topology: off}}\n",
		"grouping:\n  - {name: by-team, group_by: [team]}\n",
	}[g.r.IntN(4)]
	return rules.Bundle([]rules.File{{Name: "r.yml", Text: []byte(text)}})
}

func (g *faults) batch() *event.Batch {
	tenant := g.tenant()
	b := &event.Batch{Source: event.Source{Name: "prometheus-" + tenant, Tenant: tenant, Kind: event.Resender}}
	for range 1 + g.r.IntN(3) {
		b.Add(g.event())
	}
	return b
}

func (g *faults) event() event.Event {
	if len(g.open) > 0 && g.r.IntN(3) == 0 {
		i := g.r.IntN(len(g.open))
		ls := g.open[i]
		g.open[i] = g.open[len(g.open)-1]
		g.open = g.open[:len(g.open)-1]
		return event.Event{Labels: ls, Cleared: true}
	}
	if len(g.fate) == 0 || g.r.IntN(12) == 0 {
		g.fate = append(g.fate[:0], uint32(g.r.IntN(estateSize)))
	}
	item := g.fate[0]
	g.fate = g.fate[1:]
	for n := range uint32(estateSize) {
		if n > 0 && above(n) == item && g.r.IntN(4) > 0 {
			g.fate = append(g.fate, n)
		}
	}
	pick := func(words ...string) string { return words[g.r.IntN(len(words))] }
	ls := event.Labels{
		{Name: "alertname", Value: pick("Down", "Slow", "Full")}, {Name: "instance", Value: itemID(item)}, {Name: "severity", Value: pick("critical", "critical", "major", "warning")},
	}
	for _, more := range []event.Label{
		{Name: "env", Value: pick("", "", "prod", "prod", "test")}, {Name: "team", Value: pick("", "", "", "", "net")}, {Name: "peer", Value: pick("", "", "", "", itemID(3))},
	} {
		if more.Value != "" {
			ls = append(ls, more)
		}
	}
	ls, _ = event.SortLabels(ls)
	g.open = append(g.open, ls)
	return event.Event{Labels: ls, StartsAt: g.now - event.Time(g.r.IntN(int(40*event.Second))), EndsAt: g.now + event.Hour}
}

// some returns one of the latest incidents of a tenant in a phase, or any.
func (g *faults) some(s *State, phase event.IncidentPhase, tenant string) uint64 {
	var found []uint64
	for id := s.incidents.Next() - 1; id > 0 && len(found) < 5; id-- {
		if state := s.incidents.State(id); state.Phase == phase && state.Tenant == tenant {
			found = append(found, uint64(id))
		}
	}
	if len(found) == 0 {
		return 1
	}
	return found[g.r.IntN(len(found))]
}

func (g *faults) command(s *State) *event.Command {
	c := &event.Command{Actor: []string{"ann", "bob"}[g.r.IntN(2)], Text: "because", Tenant: g.tenant()}
	c.Incident, c.Other = g.some(s, event.IncidentOpen, c.Tenant), g.some(s, event.IncidentOpen, c.Tenant)
	switch g.r.IntN(8) {
	case 0, 1:
		c.Kind = event.Merge
	case 2:
		c.Kind = event.Unmerge
		c.Incident = g.some(s, event.PhaseMerged, c.Tenant)
	case 3, 4:
		c.Kind = event.Split
		if members := s.memberIDs(event.IncidentID(c.Incident)); len(members) > 0 {
			c.Alerts = members[:g.r.IntN(len(members))]
		}
	case 5:
		c.Kind, c.Number, c.Text = event.JudgeCause, uint32(1+g.r.IntN(3)), []string{"", "n-1", "n-2"}[g.r.IntN(3)]
	case 6:
		c.Kind = event.Acknowledge
	default:
		c.Kind = event.EditCIs
		e := &event.CIEdit{Source: event.PeopleSource}
		n := uint32(1 + g.r.IntN(estateSize-1))
		if g.r.IntN(3) == 0 {
			e.Retire = []string{itemID(n)}
		} else {
			e.Set = []event.CI{{ID: itemID(n), Class: "host", Relations: []event.Relation{{Kind: event.DependsOn, To: itemID(above(n)), Source: e.Source}}}}
		}
		c.CIs = e
	}
	return c
}

func TestWhateverFailsItemsAreInOneClusterAndClustersEnd(t *testing.T) {
	p, seen := &player{}, map[event.ChangeKind]int{}
	kinds := map[event.PlaceKind]int{}
	for seed := range seeds(4, 8) {
		g, s, folded := newFaults(seed), New(), New()
		for n := range 500 {
			in := g.input(s)
			changes, _ := s.Step(in, nil)
			decoded, err := event.DecodeChanges(event.AppendChanges(nil, changes), in.Seq, in.At)
			require.NoError(t, err)
			require.NoError(t, folded.Fold(in, decoded), "seed %d", seed)
			for i := range decoded {
				seen[decoded[i].Kind]++
				if d := decoded[i].Place; d != nil {
					kinds[d.Kind]++
				}
			}
			if n%5 == 0 {
				checkClusters(t, s, seed)
			}
			if n%100 == 99 {
				require.Equal(t, p.dump(s), p.dump(folded), "seed %d: the state is the fold of its changes", seed)
				checkItems(t, s)
				var saved bytes.Buffer
				require.NoError(t, s.View().Save(&saved))
				loaded, err := Load(&saved)
				require.NoError(t, err)
				require.Equal(t, p.dump(s), p.dump(loaded), "seed %d", seed)
				checkClusters(t, loaded, seed)
			}
		}
		for n := range 400 {
			if n%10 == 0 {
				checkClusters(t, s, seed)
			}
			g.now = max(g.now+event.Minute*5, min(s.Next(), g.now+event.Day))
			g.seq++
			s.Step(&event.Input{Kind: event.InputTick, Seq: g.seq, At: g.now, Writer: event.Writer{ID: 7, Epoch: 1, N: g.seq}}, nil)
		}
		checkClusters(t, s, seed)
		for slot := uint32(1); slot < s.clusters.Len(); slot++ {
			require.False(t, s.forest.Live(slot), "seed %d: cluster %d never ends", seed, slot)
		}
	}
	for _, kind := range []event.ChangeKind{event.ItemPlaced, event.ClusterParted, event.ClusterSettled, event.IncidentCauses, event.ComponentAdded, event.CIDropped, event.IncidentMerged, event.IncidentUnmerged} {
		require.NotZero(t, seen[kind], "%s never happened", kind)
	}
	for kind := event.PlaceNone; kind <= event.PlaceHand; kind++ {
		require.NotZero(t, kinds[kind], "%s never happened", kind)
	}
}

// checkClusters holds what is known of clusters against each other and against the rest of the state.
func checkClusters(t *testing.T, s *State, seed uint64) {
	t.Helper()
	in, numbers := map[uint32]uint32{}, map[string]uint32{}
	for slot := uint32(1); slot < s.clusters.Len(); slot++ {
		if !s.forest.Live(slot) {
			require.Zero(t, *s.clusters.At(slot), "seed %d: cluster %d is over and waits for something", seed, slot)
			list, _ := s.causes.Rank(slot, suspects{s}, nil, &s.work.cause, 1)
			require.Empty(t, list, "seed %d: cluster %d is over and has evidence", seed, slot)
			continue
		}
		require.NotZero(t, *s.clusters.At(slot), "seed %d: cluster %d will never end", seed, slot)
		tenant := s.text.String(s.forest.TenantOf(slot))
		name := fmt.Sprint(tenant, " ", s.forest.Number(slot))
		require.NotContains(t, numbers, name, "seed %d", seed)
		numbers[name] = slot
		for _, ci := range s.forest.Items(slot, 1<<20, nil) {
			require.NotContains(t, in, ci, "seed %d", seed)
			in[ci] = slot
			require.Equal(t, slot, s.forest.ClusterOf(ci), "seed %d", seed)
			require.NotEmpty(t, s.cmdb.ID(ci), "seed %d: cluster %d holds an item of which nobody knows", seed, slot)
			require.Equal(t, tenant, s.cmdb.Tenant(ci), "seed %d", seed)
		}
		if id := s.incidentOfCluster(slot); id != 0 {
			require.Equal(t, tenant, s.incidents.State(id).Tenant, "seed %d", seed)
		}
	}
	for ci := range s.cmdb.Slots() {
		require.Equal(t, in[ci], s.forest.ClusterOf(ci), "seed %d: item %d", seed, ci)
	}
	for _, c := range s.View().Components(event.AllTenants) {
		require.LessOrEqual(t, c.Alpha, uint32(1_000_000), "seed %d", seed)
		require.LessOrEqual(t, c.Items, uint32(tenants*estateSize), "seed %d: %s", seed, c.Name)
		require.NotEqual(t, "around ", c.Name, "seed %d: a component has a name", seed)
	}
}
