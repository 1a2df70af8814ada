package correlate

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/event"
)

// TestWhatIsNotLookedAtOfALargeGroupIsTold: more items than are asked what they rest on, and more neighbours than are looked at for pairs.
func TestWhatIsNotLookedAtOfALargeGroupIsTold(t *testing.T) {
	p := newPlayer(t)
	topology := func(web int) (operands []string) {
		for i := range p.state.View().Incidents() {
			causes, _ := p.state.View().Causes(i.ID)
			require.NotEmpty(t, causes.Candidates)
			require.Equal(t, "db-1", causes.Candidates[0].CI)
			for _, l := range causes.Candidates[0].Ledger {
				if l.Kind == "topology" {
					operands = l.Operands
				}
			}
			require.EqualValues(t, web+1, i.Alerts)
		}
		return operands
	}
	cis := []event.CI{{ID: "db-1", Class: "database"}}
	for i := range 600 {
		cis = append(cis, event.CI{ID: fmt.Sprintf("web-%d", i), Class: "host", Relations: []event.Relation{{Kind: event.DependsOn, To: "db-1", Source: "cmdb.yml"}}})
	}
	p.do(event.Command{Kind: event.EditCIs, Actor: "cmdb.yml", CIs: &event.CIEdit{Source: "cmdb.yml", Set: cis}})
	slow := func(from, to int) {
		b := &event.Batch{Source: p.source}
		for i := from; i < to; i++ {
			b.Add(event.Event{Labels: p.labels(fmt.Sprintf(`{alertname="Slow",ci="web-%d",severity="critical"}`, i))})
		}
		p.step(event.Input{Kind: event.InputEvents, Batch: b})
		p.wait(event.Minute)
	}
	p.line(`fire {alertname="Disk",ci="db-1",severity="critical"}`)
	slow(0, 20)
	require.Equal(t, []string{"20", "580", "false"}, topology(20), "all of it was looked at")
	require.EqualValues(t, 597, passedNeighbours(p.state.View()), "of the database; 3 of those that rest on it were looked at")

	slow(20, 600)
	require.Equal(t, []string{"511", "89", "false", "512", "601"}, topology(600))
}

// passedNeighbours is how many neighbours the learning of pairs did not look at.
func passedNeighbours(v *View) uint64 {
	c := v.PairCounters()
	for _, p := range c.Passed() {
		if p.Kind == "neighbour" {
			return p.Count
		}
	}
	return 0
}
