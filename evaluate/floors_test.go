package evaluate

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/simulate/scenario"
)

// shared is where scenarios lie that are no part of the repository.
const shared = "../../shared/data/scenarios/"

// floor is what a scenario must reach. Zero is no floor.
type floor struct {
	scenario                 string // a folder below shared, or a preset
	pairwise, bcubed, ami    float64
	top1, top3, precision    float64
	falseJoins, churn        float64 // at most
	timeGap, twoHops, within float64 // how hard a preset is: pairwise F1 of the baselines, give or take
}

// floors is the one place where they are set. The baselines' figures are those that presets of growing load are meant to have; when a
// change of the generator moves them, the floors beside them mean something else.
func floors() []floor {
	return []floor{
		{scenario: "cloudbed-1", pairwise: .99, bcubed: .99, ami: .99, top1: .69, top3: .78, precision: .8, falseJoins: 1, churn: .05},
		{scenario: "light", pairwise: .93, bcubed: .95, top1: .75, falseJoins: .2, churn: .05, timeGap: .94, twoHops: .945, within: .08},
		{scenario: "medium", pairwise: .9, bcubed: .92, top1: .7, falseJoins: .1, churn: .05, timeGap: .5, twoHops: .77, within: .12},
		{scenario: "heavy", pairwise: .5, bcubed: .65, top1: .45, falseJoins: .4, churn: .05, timeGap: .03, twoHops: .04, within: .03},
		{scenario: "late", pairwise: .84, bcubed: .87, top1: .7, falseJoins: .1, churn: .05, timeGap: .42, twoHops: .71, within: .15},
		{scenario: "null", falseJoins: .02, churn: .01},
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

func TestGroupingAndRootCausesReachTheirFloors(t *testing.T) {
	if testing.Short() {
		t.Skip("replays whole scenarios")
	}
	for _, f := range floors() {
		t.Run(f.scenario, func(t *testing.T) {
			s := open(t, f.scenario)
			out, err := Replay(s, Options{})
			require.NoError(t, err)
			r := Judge(s, out)
			if f.within > 0 {
				r.Baselines = CompareBaselines(s)
			}
			t.Logf("pairwise %.3f bcubed %.3f ami %.3f top1 %.3f top3 %.3f answered %.3f right %.3f false joins %.3f churn %.3f", r.Pairwise.F1, r.BCubed.F1, r.AMI,
				r.RootCause.Top1, r.RootCause.Top3, r.RootCause.Answered, r.RootCause.PrecisionAnswered, r.FalseJoins, r.Churn)
			require.GreaterOrEqual(t, r.Pairwise.F1, f.pairwise, "pairwise F1")
			require.GreaterOrEqual(t, r.BCubed.F1, f.bcubed, "B-cubed F1")
			require.GreaterOrEqual(t, r.AMI, f.ami, "AMI")
			require.GreaterOrEqual(t, r.RootCause.Top1, f.top1, "top 1")
			require.GreaterOrEqual(t, r.RootCause.Top3, f.top3, "top 3")
			require.GreaterOrEqual(t, r.RootCause.PrecisionAnswered, f.precision, "precision of what people were told")
			require.LessOrEqual(t, r.FalseJoins, f.falseJoins, "false joins")
			require.LessOrEqual(t, r.Churn, f.churn, "id churn")
			if f.within > 0 {
				require.InDelta(t, f.timeGap, r.Baselines["time_gap"].Pairwise.F1, f.within, "time gap")
				require.InDelta(t, f.twoHops, r.Baselines["two_hops"].Pairwise.F1, f.within, "two hops")
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
