package scenario

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/event"
)

func preset(t testing.TB, name string, seed uint64) (Spec, *Scenario) {
	spec, ok := FindPreset(name)
	require.True(t, ok, name)
	spec.Seed = seed
	s, err := Generate(spec)
	require.NoError(t, err, name)
	return spec, s
}

// same compares what is too long to be shown.
func same(a, b any) bool { return reflect.DeepEqual(a, b) }

func folder(t *testing.T, s *Scenario) map[string]string {
	dir, files := t.TempDir(), map[string]string{}
	require.NoError(t, s.Write(dir))
	list, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, f := range list {
		text, err := os.ReadFile(filepath.Join(dir, f.Name()))
		require.NoError(t, err)
		files[f.Name()] = string(text)
	}
	return files
}

func TestTheSameSeedWritesTheSameBytesAndAnotherOneOthers(t *testing.T) {
	for _, p := range Presets() {
		spec := p.Spec
		spec.CIs, spec.Seed = 600, 7
		once, err := Generate(spec)
		require.NoError(t, err, p.Name)
		again, err := Generate(spec)
		require.NoError(t, err, p.Name)
		require.True(t, same(folder(t, once), folder(t, again)), p.Name)
		spec.Seed++
		other, err := Generate(spec)
		require.NoError(t, err, p.Name)
		require.False(t, same(once.Alerts, other.Alerts), p.Name)
		require.False(t, same(once.Topology, other.Topology), p.Name)
	}
}

func TestAnotherRunHappensInTheSameEstate(t *testing.T) {
	spec, one := preset(t, "medium", 3)
	spec.Run = 1
	two, err := Generate(spec)
	require.NoError(t, err)
	require.True(t, same(one.Topology, two.Topology))
	require.False(t, same(one.Alerts, two.Alerts))
}

func TestWhatIsWrittenIsReadAsItWas(t *testing.T) {
	for _, name := range []string{"late", "null"} {
		_, s := preset(t, name, 5)
		s.Rules = []byte("settings:\n  resolve_hold: 1m\n")
		dir := t.TempDir()
		require.NoError(t, s.Write(dir))
		got, err := Read(dir)
		require.NoError(t, err)
		require.True(t, same(s.Alerts, got.Alerts))
		require.True(t, same(s.Truth, got.Truth))
		require.True(t, same(s.Topology, got.Topology))
		require.True(t, same(s.Faults, got.Faults))
		require.Equal(t, s.Rules, got.Rules)
		s.Rules = nil
		require.NoError(t, s.Write(dir), "over the one before")
		require.NoFileExists(t, filepath.Join(dir, RulesFile))
	}
}

func TestAnEstateHasTheFanOutOfARealOne(t *testing.T) {
	for _, n := range []int{MinCIs, 2500, 50_000} {
		spec, _ := FindPreset("light")
		spec.CIs = n
		s, err := Generate(spec)
		require.NoError(t, err)
		require.Len(t, s.Topology.CIs, n)
		class, bears, serves := map[string]string{}, map[string]int{}, map[string]int{}
		for _, ci := range s.Topology.CIs {
			class[ci.ID] = ci.Class
		}
		require.Len(t, class, n, "no ID is given twice")
		for _, r := range s.Topology.Relations {
			if class[r.From] == "" || class[r.To] == "" || r.From == r.To {
				t.Fatalf("%s %s %s", r.From, r.Type, r.To)
			}
			if r.Type == event.HostedOn && class[r.To] == classHost {
				bears[r.To]++
			}
			if class[r.To] == classDatabase {
				serves[r.To]++
			}
		}
		few := 0
		for _, n := range bears {
			require.LessOrEqual(t, n, mostPerHost)
			if n < fewestPerHost {
				few++
			}
		}
		require.LessOrEqual(t, few, 1, "the last host bears what is left")
		if n >= 2500 {
			most := 0
			for _, n := range serves {
				most = max(most, n)
			}
			require.GreaterOrEqual(t, most, 8, "some database serves many")
		}
	}
}

func TestTheStreamIsWhatItsSpecSays(t *testing.T) {
	for _, name := range []string{"light", "medium", "heavy", "late", "noise10", "overlap60", "chain60", "missing10"} {
		t.Run(name, func(t *testing.T) {
			spec, s := preset(t, name, 11)
			require.Len(t, s.Faults, spec.Faults)
			require.Len(t, s.Truth, len(s.Alerts))
			require.True(t, slices.IsSortedFunc(s.Alerts, func(a, b Alert) int { return int(a.At - b.At) }), "in the order of arrival")
			noise, spoke, clears, late := 0, map[string]bool{}, 0, 0
			root := map[string]string{}
			for _, f := range s.Faults {
				root[f.ID] = f.Root[0]
				require.Greater(t, f.End, f.Start)
			}
			for i, a := range s.Alerts {
				require.Empty(t, a.Labels.Get(SystemLabel))
				if s.Truth[i] == "" {
					noise++
					continue
				}
				if a.Labels.Get(CILabel) == root[s.Truth[i]] {
					spoke[s.Truth[i]] = true
				}
				if a.EndsAt != 0 {
					clears++
					require.LessOrEqual(t, a.EndsAt, a.At, "an end is told when it has come")
				}
				if a.StartsAt != 0 && a.EndsAt == 0 && a.At-a.StartsAt > 10*event.Second {
					late++
				}
			}
			lines := float64(len(s.Alerts))
			require.InDelta(t, spec.Noise, float64(noise)/lines, .02)
			require.InDelta(t, spec.SilentRoots, 1-float64(len(spoke))/float64(spec.Faults), .15)
			require.InDelta(t, (1-spec.Uncleared)/(2-spec.Uncleared), float64(clears)/(lines-float64(noise)), .1)
			if spec.Late > 0 {
				require.InDelta(t, spec.Late, float64(late)/(lines-float64(clears)), .2)
			} else {
				require.Zero(t, late)
			}
		})
	}
}

// overlaps returns by how much each fault overlaps the one before; less than nothing is a pause.
func overlaps(t *testing.T, name string) []event.Time {
	spec, ok := FindPreset(name)
	require.True(t, ok)
	spec.Lost, spec.Flapping = 0, 0
	s, err := Generate(spec)
	require.NoError(t, err)
	last := map[string]event.Time{}
	for i, a := range s.Alerts {
		if a.EndsAt == 0 {
			last[s.Truth[i]] = max(last[s.Truth[i]], a.StartsAt)
		}
	}
	by := make([]event.Time, len(s.Faults))
	for i := 1; i < len(s.Faults); i++ {
		by[i] = last[s.Faults[i-1].ID] - s.Faults[i].Start
	}
	return by
}

func TestFaultsOverlapByWhatWasAskedFor(t *testing.T) {
	exact := 0
	by := overlaps(t, "chain60")
	for _, b := range by[1:] {
		if b == event.Minute {
			exact++
		}
	}
	require.Greater(t, exact, 2*len(by)/3, "but for those that were shorter")
}

func TestOfPairsOnlyTheTwoOverlap(t *testing.T) {
	exact, apart := 0, 0
	by := overlaps(t, "overlap60")
	for i := 1; i < len(by); i++ {
		switch {
		case i%2 == 1 && by[i] == event.Minute:
			exact++
		case i%2 == 0:
			require.Negative(t, by[i], "fault %d", i+1)
			if by[i] < -event.Minute {
				apart++
			}
		}
	}
	require.Greater(t, exact, len(by)/4, "but for those that were shorter")
	require.Greater(t, apart, len(by)/3, "few come at once")
}

func TestANullStreamHasNoFaultAndAStormOneThatHitsThousands(t *testing.T) {
	_, null := preset(t, "null", 1)
	require.Empty(t, null.Faults)
	require.Greater(t, len(null.Alerts), 3000)
	_, storm := preset(t, "storm", 1)
	hit := map[string]int{}
	for _, fault := range storm.Truth {
		hit[fault]++
	}
	require.Greater(t, hit["fault-1"], 2000)
}

func TestRelationsThatAreLeftOutAreAsManyAsAskedFor(t *testing.T) {
	whole, _ := FindPreset("medium")
	all, err := Generate(whole)
	require.NoError(t, err)
	whole.Missing = .1
	part, err := Generate(whole)
	require.NoError(t, err)
	require.InDelta(t, .9, float64(len(part.Topology.Relations))/float64(len(all.Topology.Relations)), .02)
	require.True(t, same(all.Alerts, part.Alerts), "what happens does not depend on what is known")
}

func TestASpecThatMakesNoSenseIsRefused(t *testing.T) {
	for name, spoil := range map[string]func(*Spec){
		"at least 200 items":     func(s *Spec) { s.CIs = 10 },
		"need a time":            func(s *Spec) { s.Every = 0 },
		"noise must be a share":  func(s *Spec) { s.Noise = .95 },
		"lost must be a share":   func(s *Spec) { s.Lost = -.1 },
		"needs a start":          func(s *Spec) { s.Start = 0 },
		"needs a length":         func(s *Spec) { s.Faults = 0 },
		"silent roots must be a": func(s *Spec) { s.SilentRoots = 2 },
	} {
		spec, _ := FindPreset("light")
		spoil(&spec)
		_, err := Generate(spec)
		require.ErrorContains(t, err, name)
	}
	_, known := FindPreset("calm")
	require.False(t, known)
}
