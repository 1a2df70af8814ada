package contrast

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/correlate"
	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/rules"
)

// bench is a state under some rules with a rival beside it.
type bench struct {
	t     *testing.T
	state *correlate.State
	pair  *Pair
	rival *Rival
	seq   uint64
	now   event.Time
}

func written(text string) []byte {
	return rules.Bundle([]rules.File{{Name: "rules.yml", Text: []byte(text)}})
}

const (
	byHost = "grouping: [{name: host, group_by: [host]}]\n"
	byRack = "grouping: [{name: rack, group_by: [rack]}]\n"
)

func newBench(t *testing.T, live, other string) *bench {
	b := &bench{t: t, state: correlate.New(), now: 1_000 * event.Hour}
	b.pair = NewPair(NewWorld(b.state.View()), NewWorld(b.state.View()))
	b.rival = NewRival(correlate.New(), b.pair, written(other), b.now)
	b.step(event.Input{Kind: event.InputRules, Rules: written(live)})
	return b
}

func (b *bench) step(in event.Input) event.Result {
	b.seq++
	in.Seq, in.At, in.Writer = b.seq, b.now, event.Writer{ID: 1, Epoch: 1, N: b.seq}
	prepared := b.rival.Prepare(&in)
	changes, res := b.state.Step(&in, nil)
	for i := range changes {
		b.pair.Base.Change(&changes[i])
	}
	b.rival.Step(&in, prepared)
	return res
}

// say lets a sender say several things at once; a label set that begins with ! is cleared.
func (b *bench) say(sets ...[3]string) {
	batch := &event.Batch{Source: event.Source{Name: "webhook", Tenant: "main", Kind: event.SendOnce}}
	for _, s := range sets {
		ls, _ := event.SortLabels(event.Labels{{Name: "alertname", Value: "Down"}, {Name: "host", Value: s[1]}, {Name: "rack", Value: s[2]}, {Name: "severity", Value: "critical"}})
		batch.Add(event.Event{Labels: ls, Cleared: s[0] == "clear"})
	}
	b.step(event.Input{Kind: event.InputEvents, Batch: batch})
}

func (b *bench) do(c event.Command) {
	c.Tenant, c.Actor = "main", "ann"
	require.Nil(b.t, b.step(event.Input{Kind: event.InputCommand, Command: &c}).Err)
}

func (b *bench) differences() []Difference {
	return b.pair.Differences(func(string) bool { return true })
}

func TestAnAlertThatBeginsTwiceInOneInputIsPairedInOrder(t *testing.T) {
	b := newBench(t, byHost, byHost)
	b.say([3]string{"fire", "a", "r"}, [3]string{"clear", "a", "r"}, [3]string{"fire", "a", "r"}, [3]string{"fire", "b", "r"})
	b.say([3]string{"clear", "c", "r"}) // it was over before anybody saw it begin
	b.say([3]string{"fire", "c", "r"})
	require.Empty(t, b.differences())
	for _, u := range b.pair.units {
		require.Equal(t, u.base, u.other)
	}
	require.Equal(t, b.pair.Base.Figures(), b.pair.Other.Figures())
}

func TestADeadlineOfOtherRulesComesInItsTime(t *testing.T) {
	b := newBench(t, byHost+"settings: {resolve_hold: 1h}\n", byHost+"settings: {resolve_hold: 1m}\n")
	b.say([3]string{"fire", "a", "r"})
	b.say([3]string{"clear", "a", "r"})
	b.now += 30 * event.Minute
	b.say([3]string{"fire", "z", "r"}) // nothing ticks here, but time has passed
	require.Equal(t, event.IncidentOpen, b.pair.Base.incidents[1].Phase)
	require.Equal(t, event.IncidentDone, b.pair.Other.incidents[1].Phase)
}

func TestNothingBecomesDueWhileTheDaemonWasAway(t *testing.T) {
	b := newBench(t, byHost, byHost)
	batch := &event.Batch{Source: event.Source{Name: "prometheus", Tenant: "main", Kind: event.Resender}}
	batch.Add(event.Event{Labels: event.Labels{{Name: "alertname", Value: "Down"}, {Name: "severity", Value: "critical"}}})
	b.step(event.Input{Kind: event.InputEvents, Batch: batch})
	b.now += event.Hour
	b.step(event.Input{Kind: event.InputCore, Version: "next"})
	b.step(event.Input{Kind: event.InputResumed, Gap: event.Hour})
	b.step(event.Input{Kind: event.InputTick})
	for _, w := range []*World{b.pair.Base, b.pair.Other} {
		require.Equal(t, event.IncidentOpen, w.incidents[1].Phase)
		require.Zero(t, w.occurrences[0].before)
	}
	require.Empty(t, b.differences())
}

func TestCommandsAreTranslated(t *testing.T) {
	for name, c := range map[string]struct {
		do             func(b *bench)
		applied, extra int
		not            map[string]int
	}{
		"a merge of what is one already": {do: func(b *bench) { b.do(event.Command{Kind: event.Merge, Incident: 1, Other: 2}) }, extra: 1},
		"a merge of what is two":         {do: func(b *bench) { b.do(event.Command{Kind: event.Merge, Incident: 1, Other: 3}) }, applied: 1},
		"an undone merge": {do: func(b *bench) {
			b.do(event.Command{Kind: event.Merge, Incident: 1, Other: 3})
			b.do(event.Command{Kind: event.Unmerge, Incident: 3})
		}, applied: 2},
		"a parent and a relation": {do: func(b *bench) {
			b.do(event.Command{Kind: event.SetParent, Incident: 3, Other: 1})
			b.do(event.Command{Kind: event.Relate, Incident: 1, Other: 3})
		}, applied: 2},
		"an incident by hand": {do: func(b *bench) {
			b.do(event.Command{Kind: event.OpenIncident, Edit: &event.IncidentEdit{Fields: event.PinTitle, Title: "Mail is slow", Severity: event.Minor}})
			b.do(event.Command{Kind: event.Note, Incident: 4, Text: "looking"})
		}, applied: 1},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, byHost, byRack)
			b.say([3]string{"fire", "a", "r1"}, [3]string{"fire", "b", "r1"}, [3]string{"fire", "c", "r2"})
			c.do(b)
			require.Equal(t, c.applied, b.rival.Asked.Applied)
			require.Equal(t, c.extra, b.rival.Asked.Already)
			require.Empty(t, b.rival.Asked.Not)
		})
	}
}

func TestAnIncidentThatIsOnlyUrgentUnderOtherRulesIsChanged(t *testing.T) {
	b := newBench(t, byHost, byHost)
	b.say([3]string{"fire", "a", "r1"})
	b.pair.Other.incidents[1].Priority, b.pair.Other.incidents[1].Team = 1, "dba"
	d := b.differences()
	require.Len(t, d, 1)
	require.Equal(t, Changed, d[0].Kind)
	require.Equal(t, []string{"priority P1, was P2", `team "dba", was ""`}, d[0].Words)
	require.Zero(t, d[0].Moved)
}

func TestDifferencesAreInOneOrder(t *testing.T) {
	var first string
	for range 5 {
		b := newBench(t, byHost, byRack)
		for i := range 40 {
			b.say([3]string{"fire", fmt.Sprintf("h%d", i), fmt.Sprintf("r%d", i%7)})
		}
		text := fmt.Sprintf("%+v", b.differences())
		if first == "" {
			first = text
		}
		require.Equal(t, first, text)
		require.Len(t, b.differences(), 7)
	}
}
