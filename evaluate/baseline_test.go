package evaluate

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/simulate/scenario"
)

// chain is web → app → db → vm → host, cache → vm2 → host, and lone; the last line says that the first is over.
func chain(lines ...any) *scenario.Scenario {
	s := &scenario.Scenario{}
	for _, r := range [][2]string{{"web", "app"}, {"app", "db"}, {"db", "vm"}, {"vm", "host"}, {"cache", "vm2"}, {"vm2", "host"}} {
		s.Topology.Relations = append(s.Topology.Relations, scenario.Relation{From: r[0], Type: event.DependsOn, To: r[1]})
	}
	for i := 0; i < len(lines); i += 2 {
		at := event.Time(lines[i].(int)) * event.Second
		s.Alerts = append(s.Alerts, scenario.Alert{At: at, StartsAt: at, Labels: event.Labels{{Name: "ci", Value: lines[i+1].(string)}}})
	}
	return s
}

// alike renames clusters by their first line.
func alike(c Clustering) Clustering {
	first, out := map[int32]int32{}, make(Clustering, len(c))
	for i, cluster := range c {
		if _, ok := first[cluster]; !ok {
			first[cluster] = int32(i)
		}
		out[i] = first[cluster]
	}
	return out
}

func TestBaselinesPutTogetherWhatTheyClaimTo(t *testing.T) {
	s := chain(0, "web", 10, "db", 20, "lone", 40, "host", 50, "cache", 200, "web")
	require.Equal(t, Clustering{0, 0, 0, 0, 0, 5}, alike(TimeGap(s, Gap)))
	require.Equal(t, Clustering{0, 0, 2, 0, 0, 5}, alike(ComponentGap(s, Gap)))
	require.Equal(t, Clustering{0, 0, 2, 0, 0, 5}, alike(TwoHops(s, Gap)), "web–db, db–host and host–cache are two apart")
	require.Equal(t, Clustering{0, 0, 2, 0, 0, 0}, alike(SharedAncestor(s, 200*event.Second)))

	s = chain(0, "web", 10, "vm", 15, "cache", 100, "host")
	require.Equal(t, Clustering{0, 1, 2, 3}, alike(TwoHops(s, Gap)), "three apart, three apart, and too late")
	require.Equal(t, Clustering{0, 0, 0, 0}, alike(SingleLinkage(s, 2*Gap)))
	require.Equal(t, Clustering{0, 0, 0, 3}, alike(SharedAncestor(s, Gap)), "all rest on the host")
}

func TestSystemsAreApartAndAnEndIsNoNewTrouble(t *testing.T) {
	s := chain(0, "web", 1, "web", 100, "web")
	s.Alerts[1].Labels = event.Labels{{Name: "ci", Value: "web"}, {Name: "system", Value: "b"}}
	s.Alerts[2].EndsAt = s.Alerts[2].At
	for _, b := range Baselines() {
		c := alike(b.Group(s))
		require.Equal(t, c[0], c[2], b.Name)
		require.Equal(t, b.Name == "time_gap" || b.Name == "component_gap", c[0] != c[1], b.Name)
	}
}

func TestAPeerIsWhatAnAlertIsAbout(t *testing.T) {
	s := chain(0, "lone", 1, "db")
	s.Alerts[0].Labels = event.Labels{{Name: "ci", Value: "lone"}, {Name: "peer", Value: "web"}}
	require.Equal(t, Clustering{0, 0}, alike(TwoHops(s, Gap)))
}
