package rulecheck

import (
	"context"
	"fmt"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/correlate"
	"github.com/tocsin-noc/tocsin/engine"
	"github.com/tocsin-noc/tocsin/engine/contrast"
	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/rules"
)

// estate is a data directory in the making, whose clock is set by hand.
type estate struct {
	t   *testing.T
	dir string
	e   *engine.Engine
	now time.Time

	clock atomic.Int64 // now, as the engine reads it
}

func newEstate(t *testing.T, version string, text string) *estate {
	s := &estate{t: t, dir: t.TempDir(), now: time.Date(2026, 11, 1, 8, 0, 0, 0, time.UTC)}
	s.open(version, text)
	return s
}

func (s *estate) open(version, text string) {
	began := s.now
	s.wait(0)
	e, err := engine.Open(engine.Options{Dir: s.dir, Version: version, Rules: rules.Bundle(ruleFiles(text)), Clock: func() (time.Time, time.Duration) {
		now := time.UnixMilli(s.clock.Load())
		return now, now.Sub(began)
	}})
	require.NoError(s.t, err)
	s.e = e
	s.t.Cleanup(func() { _ = e.Close() })
}

func (s *estate) wait(d time.Duration) {
	s.now = s.now.Add(d)
	s.clock.Store(s.now.UnixMilli())
}

func ruleFiles(text string) []rules.File {
	if text == "" {
		return nil
	}
	return []rules.File{{Name: "rules.yml", Text: []byte(text)}}
}

func (s *estate) fire(after time.Duration, pairs ...string) {
	s.wait(after)
	var ls event.Labels
	for i := 0; i < len(pairs); i += 2 {
		ls = append(ls, event.Label{Name: pairs[i], Value: pairs[i+1]})
	}
	ls, _ = event.SortLabels(ls)
	b := s.e.NewBatch()
	b.Source = event.Source{Name: "webhook", Tenant: "main", Kind: event.SendOnce}
	b.Add(event.Event{Labels: ls})
	require.NoError(s.t, s.e.Submit(s.t.Context(), b))
}

func (s *estate) do(c event.Command) {
	c.Tenant, c.Actor = "main", "ann"
	res, err := s.e.Do(s.t.Context(), c)
	require.NoError(s.t, err)
	require.Nil(s.t, res.Err)
}

func (s *estate) view() *correlate.View {
	v, err := s.e.View(context.Background())
	require.NoError(s.t, err)
	return v
}

func (s *estate) members(id event.IncidentID) (ids []event.AlertID) {
	for a := range s.view().Members(id) {
		ids = append(ids, a.ID())
	}
	return ids
}

func (s *estate) backtest(text string, edit ...func(*BacktestOptions)) *Report {
	o := BacktestOptions{Dir: s.dir, Rules: ruleFiles(text), Version: "v1"}
	for _, f := range edit {
		f(&o)
	}
	r, err := Backtest(o)
	require.NoError(s.t, err)
	return r
}

const (
	byHost = "grouping: [{name: host, group_by: [host]}]\n"
	byRack = "grouping: [{name: rack, group_by: [rack]}]\n"
)

// rack lets hosts of two racks fail: three in r1, one in r2.
func (s *estate) rack() {
	for i, rack := range []string{"r1", "r1", "r2", "r1"} {
		s.fire(10*time.Second, "alertname", "HostDown", "rack", rack, "host", fmt.Sprintf("h%d", i), "severity", "critical")
	}
}

func TestTheSameRulesDifferInNothing(t *testing.T) {
	s := newEstate(t, "v1", byRack)
	s.rack()
	s.do(event.Command{Kind: event.Acknowledge, Incident: 1})
	s.do(event.Command{Kind: event.Merge, Incident: 1, Other: 2})
	s.do(event.Command{Kind: event.Unmerge, Incident: 2})
	s.do(event.Command{Kind: event.Split, Incident: 1, Alerts: s.members(1)[:1]})
	s.do(event.Command{Kind: event.Note, Incident: 3, Text: "of the part"})
	s.fire(2*time.Hour, "alertname", "HostDown", "rack", "r3", "host", "h9", "severity", "warning")
	r := s.backtest(byRack)
	require.Empty(t, r.Differences)
	require.Equal(t, r.Before.Figures, r.After.Figures)
	require.Equal(t, contrast.Figures{
		Alerts: 5, Incidents: 2, Pages: 2, InIncidents: 4, PerIncident: 4. / 3, Quiet: map[string]int{"waiting": 1}, Compression: r.Before.Compression,
	}, r.Before.Figures)
	require.InDelta(t, 0.2, r.Before.Compression, 1e-9)
	require.Equal(t, 5, r.Asked.Commands)
	require.Equal(t, 5, r.Asked.Applied)
	require.Empty(t, r.Asked.Not)
}

func TestWhatIsSplitJoinedNewAndGoneIsListedTheMostDifferentFirst(t *testing.T) {
	s := newEstate(t, "v1", byHost)
	s.rack()
	s.fire(time.Second, "alertname", "Slow", "host", "w", "severity", "critical", "rack", "r7")
	r := s.backtest(byRack + "settings: {open_after: {critical: 0s}}\n")
	require.Equal(t, 5, r.Before.Incidents)
	require.Equal(t, 3, r.After.Incidents)
	require.Len(t, r.Differences, 1)
	require.Equal(t, contrast.Joined, r.Differences[0].Kind)
	require.Len(t, r.Differences[0].Before, 3)
	require.Len(t, r.Differences[0].After, 1)
	require.Equal(t, 3, r.Differences[0].After[0].Alerts)
	require.Equal(t, 2, r.Differences[0].Moved)
	require.Greater(t, r.After.Compression, r.Before.Compression)

	quiet := s.backtest(byRack + "inhibit_rules:\n  - {name: slow, source_matchers: ['host=\"h0\"'], target_matchers: ['host=\"w\"']}\n")
	require.Equal(t, []contrast.Kind{contrast.Joined, contrast.Gone}, kinds(quiet))
	require.Equal(t, 1, quiet.After.Quiet["inhibited"])

	other := newEstate(t, "v1", byRack)
	other.rack()
	split := other.backtest(byHost)
	require.Equal(t, []contrast.Kind{contrast.Split}, kinds(split))
	other.fire(time.Second, "alertname", "Low", "host", "w", "severity", "warning", "rack", "r8")
	eager := other.backtest(byRack + "settings: {open_after: {warning: 0s}}\n")
	require.Equal(t, []contrast.Kind{contrast.New}, kinds(eager))
}

func kinds(r *Report) (list []contrast.Kind) {
	for _, d := range r.Differences {
		list = append(list, d.Kind)
	}
	return list
}

func TestRulesAreHeldAgainstWhatPeopleMergedAndSplit(t *testing.T) {
	s := newEstate(t, "v1", byHost)
	s.rack()
	for _, other := range []uint64{2, 4} { // what hangs together is the rack
		s.do(event.Command{Kind: event.Merge, Incident: 1, Other: other})
	}
	r := s.backtest(byRack)
	require.Equal(t, 3, r.Corrected, "nobody said anything of the host in the other rack")
	require.Zero(t, r.Before.People.Recall)
	require.EqualValues(t, 1, r.After.People.Recall)
	require.EqualValues(t, 1, r.After.People.Precision)
	require.Equal(t, 2, r.Asked.Already)

	s = newEstate(t, "v1", byRack)
	s.rack()
	s.do(event.Command{Kind: event.Split, Incident: 1, Alerts: s.members(1)[2:]})
	r = s.backtest(byHost)
	require.InDelta(t, 1./3, r.Before.People.Precision, 1e-9)
	require.EqualValues(t, 1, r.After.People.Precision)
	require.Zero(t, r.After.People.Recall, "the two that people left together are apart")
	require.Nil(t, newTrouble(t).backtest(byRack).Before.People, "where nobody merged or split anything there is nothing to hold against")
}

func newTrouble(t *testing.T) *estate {
	s := newEstate(t, "v1", byHost)
	s.rack()
	return s
}

func TestWhatNobodyCouldAskForUnderOtherRulesIsCounted(t *testing.T) {
	s := newTrouble(t)
	s.do(event.Command{Kind: event.Acknowledge, Incident: 1})
	s.do(event.Command{Kind: event.Note, Incident: 3, Text: "looking"})
	r := s.backtest("settings: {open_after: {critical: never}}\n")
	require.Equal(t, map[string]int{"acknowledge": 1, "note": 1}, r.Asked.Not)
	require.Zero(t, r.After.Incidents)
	require.Equal(t, 4, r.After.Quiet["never_opens"])
	require.Len(t, r.Differences, 4)
}

func TestCausesAreHeldAgainstVerdicts(t *testing.T) {
	var c Causes
	for _, j := range []contrast.Judged{{On: "db", Base: "db", BaseTold: true}, {Wrong: "db", Base: "db", BaseTold: true}, {On: "db"}, {Wrong: "db", Base: "web"}} {
		c.judge(&j, j.Base, j.BaseTold)
	}
	require.Equal(t, Causes{Cases: 4, Right: 2, Told: 2, ToldRight: 1}, c)

	s := newEstate(t, "v1", byRack)
	s.do(event.Command{Kind: event.EditCIs, CIs: &event.CIEdit{Source: "import", Set: []event.CI{{ID: "h0", Name: "h0", Class: "host", State: event.CILive}}}})
	s.rack()
	s.do(event.Command{Kind: event.JudgeCause, Incident: 1, Number: uint32(event.CauseOther), Text: "h0"})
	r := s.backtest(byRack)
	require.Equal(t, 1, r.Judged)
	require.Equal(t, r.Before.Causes, r.After.Causes)
	require.Equal(t, 1, r.Before.Causes.Cases)
}

func TestOnlyWhatWasAskedForCounts(t *testing.T) {
	s := newEstate(t, "v1", byHost)
	s.rack()
	since := s.now.Add(time.Second)
	for range 3 {
		s.wait(time.Minute)
		s.rack()
	}
	s.fire(time.Hour, "alertname", "Late", "host", "z", "severity", "critical")
	r := s.backtest(byRack, func(o *BacktestOptions) { o.Since, o.Until = since, s.now.Add(-time.Minute) })
	require.Zero(t, r.Before.Alerts, "what fires already only repeats")
	r = s.backtest(byRack, func(o *BacktestOptions) { o.Since = since })
	require.Equal(t, 1, r.Before.Alerts)
	_, err := Backtest(BacktestOptions{Dir: s.dir, Since: s.now.Add(time.Hour)})
	require.ErrorIs(t, err, ErrNothing)
	_, err = Backtest(BacktestOptions{Dir: s.dir, Rules: ruleFiles("nonsense: 1\n")})
	require.ErrorContains(t, err, "rules.yml:1:1")
}

func TestANewSetStandsForAllThatWereInForceAndWhatAnotherVersionDecidedIsCounted(t *testing.T) {
	s := newEstate(t, "v0", byHost)
	s.rack()
	require.NoError(t, s.e.Close())
	s.open("v1", byRack)
	s.fire(time.Minute, "alertname", "HostDown", "rack", "r2", "host", "h8", "severity", "critical")
	before := dirSizes(t, s.dir)
	r := s.backtest(byRack)
	require.Equal(t, before, dirSizes(t, s.dir), "it only reads, beside the daemon")
	require.Equal(t, 5, r.Before.Incidents, "four hosts, and a rack")
	require.Positive(t, r.OtherVersions)
	require.Equal(t, 2, r.After.Incidents)
}

func dirSizes(t *testing.T, dir string) (files []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, e := range entries {
		files = append(files, e.Name())
	}
	return files
}
