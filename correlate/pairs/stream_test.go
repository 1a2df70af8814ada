package pairs

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

const start = 1_790_000_000_000 // an arbitrary day

// stream is a list of alerts that is being made.
type stream struct {
	rng *rand.Rand
	all []Observation
}

func newStream(seed uint64) *stream { return &stream{rng: rand.New(rand.NewPCG(seed, 5))} }

func (s *stream) add(typ, ci int, at int64) {
	s.all = append(s.all, Observation{Type: uint64(typ), Name: fmt.Sprintf("type %d", typ), CI: uint32(ci), At: start + at})
}

// bursts adds alerts of a type on a CI: bursts begin at random, rate a day, and have alerts each with a mean gap.
func (s *stream) bursts(typ, ci int, days, rate, alerts float64, gap int64) {
	for at := s.wait(day / rate); float64(at) < days*day; at += s.wait(day / rate) {
		for when := at; ; when += s.wait(float64(gap)) {
			s.add(typ, ci, when)
			if s.rng.Float64() < 1/alerts {
				break
			}
		}
	}
}

func (s *stream) wait(mean float64) int64 { return int64(s.rng.ExpFloat64() * mean) }

// feed observes all in the order of their times.
func (s *stream) feed(t *Table) {
	slices.SortStableFunc(s.all, func(a, b Observation) int { return int(a.At - b.At) })
	for i := range s.all {
		t.Observe(&s.all[i])
	}
}

func suggested(t *Table) []Pair {
	return slices.DeleteFunc(t.View().List(), func(p Pair) bool { return p.Status != Suggested })
}

const (
	nullTypes = 40
	nullCIs   = 30
)

// nulls are streams in which nothing leads to anything.
func nulls() map[string]func(s *stream) {
	each := func(s *stream, do func(typ, ci int)) {
		for ci := 1; ci <= nullCIs; ci++ {
			for typ := 1; typ <= nullTypes; typ++ {
				if (typ*7+ci)%3 == 0 { // some 13 types to a CI
					do(typ, ci)
				}
			}
		}
	}
	return map[string]func(s *stream){
		"single alerts": func(s *stream) { each(s, func(typ, ci int) { s.bursts(typ, ci, 60, 1, 1, minute) }) },
		"bursts":        func(s *stream) { each(s, func(typ, ci int) { s.bursts(typ, ci, 60, 0.5, 20, 3*minute) }) },
		"long bursts":   func(s *stream) { each(s, func(typ, ci int) { s.bursts(typ, ci, 60, 0.3, 12, 15*minute) }) },
		"bursts of different rates": func(s *stream) {
			each(s, func(typ, ci int) { s.bursts(typ, ci, 60, 3/float64(typ), 10, int64(1+ci%10)*minute) })
		},
		"rare alerts on busy and quiet CIs": func(s *stream) {
			each(s, func(typ, ci int) { s.bursts(typ, ci, 60, 4/float64(1+ci%20), 3, 12*minute) })
		},
		"hours of the day": func(s *stream) {
			each(s, func(typ, ci int) {
				for d := range int64(60) {
					if s.rng.IntN(2) == 0 {
						s.add(typ, ci, d*day+9*hour+s.rng.Int64N(2*hour))
					}
				}
			})
		},
	}
}

// Jobs that start every 25 hours come together time after time; neither the time of day nor the last hours explain that. Decoys 25 hours
// later do.
func TestDecoysShowUpWhatTheModelDoesNotExplain(t *testing.T) {
	set := Default()
	set.Shift = 25 * hour
	s, learned := newStream(1), New(set)
	for typ := 1; typ <= 8; typ++ {
		for ci := 1; ci <= 5; ci++ {
			for n := range int64(28) {
				if s.rng.IntN(3) > 0 {
					s.add(typ, ci, n*set.Shift+s.rng.Int64N(minute))
				}
			}
		}
	}
	s.feed(learned)
	found := suggested(learned)
	t.Logf("%d suggested", len(found))
	require.Greater(t, len(found), 10)
	low := 0
	for _, p := range found {
		require.True(t, p.DecoyKnown)
		require.Greater(t, 3*p.DecoyCredits, p.Credits)
		if p.DecoyRate < 500 {
			low++
		}
	}
	require.LessOrEqual(t, low, 2, "but for the few that are beyond all decoys")
}

// What runs by the clock is explained by the time of day.
func TestWhatRunsByTheClockIsNotSuggested(t *testing.T) {
	s, learned := newStream(1), New(Default())
	for typ := 1; typ <= 30; typ++ {
		for ci := 1; ci <= 10; ci++ {
			for d := range int64(60) {
				if s.rng.IntN(3) > 0 {
					s.add(typ, ci, d*day+2*hour+s.rng.Int64N(minute))
				}
			}
		}
	}
	s.feed(learned)
	require.Zero(t, learned.Counters().Suggestions)
}

func TestFewPairsAreSuggestedWhereNothingLeadsToAnything(t *testing.T) {
	for name, make := range nulls() {
		t.Run(name, func(t *testing.T) {
			found, pairs := 0, 0
			for seed := range seeds(3) {
				s, learned := newStream(seed), New(Default())
				make(s)
				s.feed(learned)
				found += int(learned.Counters().Suggestions) // also those that lapsed
				pairs += nullTypes * (nullTypes - 1)
			}
			t.Logf("%d of %d ordered pairs suggested (%.3f %%)", found, pairs, 100*float64(found)/float64(pairs))
			require.LessOrEqual(t, float64(found), 0.001*float64(pairs))
		})
	}
}

// Six pairs are planted among bursts; the rest is as above.
func TestPlantedPairsAreFoundWithTheirDirection(t *testing.T) {
	s, learned := newStream(1), New(Default())
	nulls()["bursts"](s)
	for n := range 6 {
		parent, child := 101+n, 201+n
		for ci := 1 + n; ci <= nullCIs; ci += 5 {
			for at := s.wait(5 * day); at < 60*day; at += s.wait(5 * day) {
				s.add(parent, ci, at)
				if s.rng.IntN(10) < 7 {
					s.add(child, ci, at+2*second+s.wait(20*second))
				}
			}
			s.bursts(child, ci, 60, 0.1, 2, minute)
		}
	}
	s.feed(learned)
	planted := 0
	for _, p := range suggested(learned) {
		if p.Child == p.Parent+100 {
			planted++
			require.True(t, p.Directed)
			require.Greater(t, p.Credits, p.Expected)
			require.GreaterOrEqual(t, p.Ratio, int64(neededRatio))
			require.GreaterOrEqual(t, p.CIs, uint32(neededCIs))
			require.Less(t, p.DecoyRate, uint32(100))
			require.InDelta(t, 22*second, p.LagMS, 15*second)
			require.Equal(t, fmt.Sprintf("type %d", p.Parent), p.ParentName)
		}
		require.NotEqual(t, p.Parent, p.Child+100, "the order is not turned round")
	}
	require.Equal(t, 6, planted)
	require.LessOrEqual(t, len(suggested(learned)), 6+2)
}

// link gives every alert the CIs next to its own in a row, up to some hops.
func (s *stream) link(most uint32) {
	for i := range s.all {
		o := &s.all[i]
		for hops := uint32(1); hops <= most; hops++ {
			o.Neighbours = append(o.Neighbours, Neighbour{o.CI + hops, hops})
			if o.CI > hops {
				o.Neighbours = append(o.Neighbours, Neighbour{o.CI - hops, hops})
			}
		}
	}
}

// Neighbours multiply the chances to meet by accident; only some of them are looked at for what is to be expected.
func TestFewPairsAreSuggestedAmongNeighbours(t *testing.T) {
	for _, most := range []uint32{1, 2, 5} {
		found := 0
		for seed := range seeds(2) {
			s, learned := newStream(seed), New(Default())
			for ci := 1; ci <= nullCIs; ci++ {
				for typ := 1; typ <= nullTypes; typ++ {
					if (typ*7+ci)%5 == 0 {
						s.bursts(typ, ci, 60, 0.5, 10, 4*minute*int64(1+typ%4))
					}
				}
			}
			s.link(most)
			s.feed(learned)
			found += int(learned.Counters().Suggestions)
		}
		t.Logf("%d hops: %d of %d ordered pairs suggested", most, found, seeds(2)*nullTypes*nullTypes)
		require.LessOrEqual(t, float64(found), 0.001*float64(seeds(2))*nullTypes*nullTypes)
	}
}

func TestPairsPlantedAmongNeighboursAreFound(t *testing.T) {
	s, learned := newStream(3), New(Default())
	for ci := 2; ci <= nullCIs; ci++ {
		s.bursts(ci%nullTypes, ci, 60, 1, 8, 4*minute)
		if ci%2 == 1 {
			continue
		}
		for at := s.wait(8 * day); at < 60*day; at += s.wait(8 * day) { // what hangs from ci is hit as well
			s.add(101, ci, at)
			s.add(102, ci+1, at+second+s.wait(15*second))
			s.add(101, ci+1, at+second+s.wait(15*second))
		}
	}
	s.link(2)
	s.feed(learned)
	found := map[[2]uint64]Pair{}
	for _, p := range suggested(learned) {
		found[[2]uint64{p.Parent, p.Child}] = p
	}
	require.True(t, found[[2]uint64{101, 102}].Directed)
	require.Contains(t, found, [2]uint64{101, 101}, "on another CI a type can follow itself")
	require.False(t, found[[2]uint64{101, 101}].Directed, "which way it goes only the topology tells")
	require.Len(t, found, 2)
}
