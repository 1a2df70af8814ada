package correlate

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/event"
)

// itemCommand says something of items and outages, sense or nonsense.
func itemCommand(r *rand.Rand, now event.Time) *event.Command {
	pick := func(words ...string) string { return words[r.IntN(len(words))] }
	c := &event.Command{Kind: event.EditCIs, Actor: "ann", Tenant: "main"}
	if r.IntN(5) == 0 {
		c.Kind = event.SetOutage
		c.Outage = &event.Outage{
			Number: uint32(r.IntN(4)), Service: pick("shop", "pay", "a"), Kind: event.OutageKind(r.IntN(4)),
			State: event.OutageState(r.IntN(4)), BeganAt: now - event.Time(r.IntN(int(event.Hour))),
		}
		return c
	}
	e := &event.CIEdit{Source: pick("one.yml", "two.yml", event.PeopleSource)}
	for range 1 + r.IntN(3) {
		ci := event.CI{ID: pick("a", "b", "c", "d", "rack", "net"), Class: "host"}
		if r.IntN(3) == 0 {
			ci = event.CI{ID: pick("shop", "pay"), Class: event.ServiceClass, Attributes: event.Labels{{Name: "criticality", Value: pick("1", "2", "4")}}}
		}
		for range r.IntN(3) {
			ci.Relations = append(ci.Relations, event.Relation{
				Kind: event.RelationKind(1 + r.IntN(5)), To: pick("a", "b", "c", "d", "rack", "net"), Source: e.Source,
			})
		}
		if r.IntN(4) == 0 {
			ci.ValidFrom = now + event.Time(r.IntN(int(event.Hour))) - 30*event.Minute
		}
		ci.State = event.CIState(r.IntN(5))
		e.Set = append(e.Set, ci)
	}
	if r.IntN(4) == 0 {
		e.Retire = []string{pick("a", "b", "rack")}
	}
	if r.IntN(4) == 0 {
		e.Release = []string{pick("a", "shop")}
	}
	c.CIs = e
	return c
}

func TestItemsOverARandomDay(t *testing.T) {
	for seed := range seeds(3, 6) {
		g, s, folded := newGen(seed+100), New(), New()
		r := rand.New(rand.NewPCG(seed, 9))
		p := &player{}
		accepted := 0
		for n := range seeds(2000, 3000) {
			in := g.input(s)
			if r.IntN(8) == 0 {
				in.Kind, in.Batch, in.Command = event.InputCommand, nil, itemCommand(r, g.now)
			}
			changes, res := s.Step(in, nil)
			if in.Kind == event.InputCommand && in.Command.Kind == event.EditCIs && res.Err == nil {
				accepted++
			}
			decoded, err := event.DecodeChanges(event.AppendChanges(nil, changes), in.Seq, in.At)
			require.NoError(t, err)
			require.NoError(t, folded.Fold(in, decoded))
			if n%200 == 0 {
				require.Equal(t, p.dump(s), p.dump(folded), "the state is the fold of its changes")
				checkItems(t, s)
				var saved bytes.Buffer
				require.NoError(t, s.View().Save(&saved))
				loaded, err := Load(&saved)
				require.NoError(t, err)
				require.Equal(t, p.dump(s), p.dump(loaded))
				checkItems(t, loaded)
			}
		}
		require.Greater(t, accepted, 50)
		require.NotEmpty(t, s.desk.Outages)
	}
}

// checkItems counts anew what is kept of items.
func checkItems(t *testing.T, s *State) {
	t.Helper()
	alerts, failed := map[uint32]uint32{}, map[uint32]int32{}
	for slot := uint32(1); slot < s.alerts.Len(); slot++ {
		if a := s.alerts.At(slot); a.firstAt != 0 && a.ci != 0 {
			alerts[a.ci]++
			if s.failing(a) {
				failed[a.ci]++
			}
		}
	}
	discovered := uint32(0)
	for slot := range s.cmdb.Slots() {
		require.Equal(t, alerts[slot], s.use(slot).alerts)
		require.Equal(t, failed[slot], s.cmdb.Failing(slot))
		if s.cmdb.State(slot).State == event.CIDiscovered {
			discovered++
			require.True(t, alerts[slot] > 0 || s.use(slot).timer != 0, "it will leave")
		}
		delete(alerts, slot)
	}
	require.Empty(t, alerts, "nothing is bound to what is not there")
	require.Equal(t, discovered, s.meta.Discovered)
}
