package evaluate

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/simulate/scenario"
)

// shared is where scenarios lie that are no part of the repository.
const shared = "../../shared/data/scenarios/"

// floor is what a scenario must reach; of a preset the mean over heldOut. Zero is no floor.
type floor struct {
	scenario                 string // a folder below shared, or a preset
	pairwise, bcubed, ami    float64
	top1, top3, precision    float64
	churn                    float64 // at most
	unrelated                float64 // at most, of a stream without faults: share of lines that an edge or the component joined to another
	timeGap, twoHops, within float64 // how hard a preset is: pairwise F1 of the baselines, give or take
}

// heldOut are seeds by which nothing was chosen, neither the presets nor the method.
var heldOut = []uint64{11, 12, 13, 14, 15}

// floors is the one place where they are set. The baselines' figures are those that presets of growing load are meant to have; when a
// change of the generator moves them, the floors beside them mean something else.
//
// Pairwise F1 is meant to be .978, .944, .787 and .880 for light, medium, heavy and late, and .90 with noise, with pairs that overlap and
// on the real system; .944 and .787 are not reached yet. Nothing is asked of a chain of overlapping faults and of missing relations.
func floors() []floor {
	return []floor{
		{scenario: "cloudbed-1", pairwise: .99, bcubed: .99, ami: .99, top1: .69, top3: .78, precision: .8, churn: .05},
		{scenario: "light", pairwise: .978, bcubed: .98, top1: .88, churn: .05, timeGap: .94, twoHops: .945, within: .03},
		{scenario: "medium", pairwise: .93, bcubed: .945, top1: .81, churn: .05, timeGap: .5, twoHops: .77, within: .15},
		{scenario: "heavy", pairwise: .74, bcubed: .81, top1: .72, churn: .05, timeGap: .03, twoHops: .04, within: .02},
		{scenario: "late", pairwise: .88, bcubed: .92, top1: .79, churn: .05, timeGap: .42, twoHops: .71, within: .15},
		{scenario: "noise10", pairwise: .9, bcubed: .94, top1: .8, churn: .05},
		{scenario: "overlap60", pairwise: .9, bcubed: .94, top1: .81, churn: .05},
		{scenario: "chain60", pairwise: .64, bcubed: .72, top1: .64, churn: .05},
		{scenario: "missing10", pairwise: .8, bcubed: .83, top1: .8, churn: .05},
		{scenario: "null", unrelated: .005, churn: .01},
	}
}

func open(t *testing.T, name string) *scenario.Scenario {
	if spec, ok := scenario.FindPreset(name); ok {
		s, err := scenario.Generate(spec)
		require.NoError(t, err)
		return s
	}
	if _, err := os.Stat(shared + name); err != nil {
		t.Skipf("%s is not there", shared+name)
	}
	s, err := scenario.Read(shared + name)
	require.NoError(t, err)
	return s
}

// figures are means over runs.
type figures struct {
	runs                                         float64
	pairwise, bcubed, ami, top1, top3, precision float64
	answered, churn, unrelated, timeGap, twoHops float64
}

func (m *figures) add(t *testing.T, s *scenario.Scenario, baselines bool) {
	joined := 0.0
	out, err := Replay(s, Options{Change: func(c *event.Change) {
		if c.Place != nil && (c.Place.Kind == event.PlaceEdge || c.Place.Kind == event.PlaceNear) {
			joined++
		}
	}})
	require.NoError(t, err)
	r := Judge(s, out)
	add := func(to *float64, v float64) { *to = (*to*m.runs + v) / (m.runs + 1) }
	add(&m.pairwise, r.Pairwise.F1)
	add(&m.bcubed, r.BCubed.F1)
	add(&m.ami, r.AMI)
	add(&m.top1, r.RootCause.Top1)
	add(&m.top3, r.RootCause.Top3)
	add(&m.answered, r.RootCause.Answered)
	add(&m.precision, r.RootCause.PrecisionAnswered)
	add(&m.churn, r.Churn)
	add(&m.unrelated, joined/float64(len(s.Alerts)))
	if baselines {
		truth := Truth(s)
		add(&m.timeGap, Compare(truth, TimeGap(s, Gap)).Pairwise.F1)
		add(&m.twoHops, Compare(truth, TwoHops(s, Gap)).Pairwise.F1)
	}
	m.runs++
}

func TestGroupingAndRootCausesReachTheirFloors(t *testing.T) {
	if testing.Short() || underRace {
		t.Skip("replays nine scenarios five times: make test runs it by itself, without the race detector")
	}
	for _, f := range floors() {
		t.Run(f.scenario, func(t *testing.T) {
			var m figures
			if spec, ok := scenario.FindPreset(f.scenario); ok {
				for _, spec.Seed = range heldOut {
					s, err := scenario.Generate(spec)
					require.NoError(t, err)
					m.add(t, s, f.within > 0)
				}
			} else {
				m.add(t, open(t, f.scenario), false)
			}
			t.Logf("pairwise %.3f bcubed %.3f ami %.3f top1 %.3f top3 %.3f answered %.3f right %.3f churn %.3f time gap %.3f two hops %.3f", m.pairwise, m.bcubed, m.ami,
				m.top1, m.top3, m.answered, m.precision, m.churn, m.timeGap, m.twoHops)
			require.GreaterOrEqual(t, m.pairwise, f.pairwise, "pairwise F1")
			require.GreaterOrEqual(t, m.bcubed, f.bcubed, "B-cubed F1")
			require.GreaterOrEqual(t, m.ami, f.ami, "AMI")
			require.GreaterOrEqual(t, m.top1, f.top1, "top 1")
			require.GreaterOrEqual(t, m.top3, f.top3, "top 3")
			require.GreaterOrEqual(t, m.precision, f.precision, "precision of what people were told")
			require.LessOrEqual(t, m.churn, f.churn, "id churn")
			if f.unrelated > 0 {
				t.Logf("joined to what has nothing to do with it: %.4f", m.unrelated)
				require.LessOrEqual(t, m.unrelated, f.unrelated, "joined to what has nothing to do with it")
			}
			if f.within > 0 {
				require.InDelta(t, f.timeGap, m.timeGap, f.within, "time gap")
				require.InDelta(t, f.twoHops, m.twoHops, f.within, "two hops")
			}
		})
	}
}

// collapse is the pairwise F1 below which a method has put everything together.
const collapse = .2

func TestTwoMethodsCollapseUnderHeavyLoadAndTheEngineDoesNot(t *testing.T) {
	s := open(t, "heavy")
	truth := Truth(s)
	for _, b := range Baselines() {
		a := Compare(truth, b.Group(s))
		if b.Name == "single_linkage" || b.Name == "shared_ancestor" {
			require.Less(t, a.Pairwise.F1, collapse, b.Words)
			require.Less(t, a.Pairwise.Precision, collapse, b.Words)
		}
	}
	out, err := Replay(s, Options{})
	require.NoError(t, err)
	require.Greater(t, Compare(truth, out.Clustering()).Pairwise.F1, collapse)
}

func TestTheTimeGapReachesWhatItIsKnownToOnARealSystem(t *testing.T) {
	s := open(t, "cloudbed-1")
	require.InDelta(t, .895, Compare(Truth(s), TimeGap(s, Gap)).Pairwise.F1, .001)
}
