package cause

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/event"
)

const noon = event.Time(1_795_176_000_000)

// shelf is a book, and the words of the items that speak in it.
type shelf struct {
	t     *testing.T
	b     *Book
	p     Params
	alert uint32
	runs  uint32 // clusters so far
}

const component = 3

func newShelf(t *testing.T) *shelf { return &shelf{t: t, b: New(), p: shipped()} }

// shipped returns the numbers of the shipped rules.
func shipped() Params {
	return Params{Metric: 1000, Trace: 300, Other: 1000, Instance: 600, InstanceCost: 750, Margin: 2000}
}

// sign is what an item says; what items of a kind say alike has one word.
func sign(item uint32, word uint64, kind Kind, population uint32) *Signature {
	return &Signature{Item: item, Hash: uint64(item)<<32 | word<<8, KindHash: 1<<60 | word<<8, Kind: kind, Population: population}
}

// says lets an item say something in a cluster, so long after noon, and returns what that is charged to it.
func (s *shelf) says(cluster uint32, g *Signature, after event.Time) int64 {
	s.alert++
	before := s.b.suspects.At(s.b.suspect(cluster, g.Item)).sum
	s.b.Observe(cluster, component, s.alert, g, noon+after, noon+after, &s.p)
	consistent(s.t, s.b)
	return s.b.suspects.At(s.b.suspect(cluster, g.Item)).sum - before
}

// past lets clusters come and go in each of which an item said something.
func (s *shelf) past(n int, g *Signature, after event.Time) {
	for range n {
		s.runs++
		cluster := 100 + s.runs%3
		s.says(cluster, sign(99, 99, Other, 1), 0) // it begins
		if g != nil {
			s.says(cluster, g, after)
		}
		s.b.Learn(cluster, component)
		consistent(s.t, s.b)
	}
}

// weight is the formula in floats: n clusters in all, in own of which an item said it and in kind of which its like did.
func weight(n, own, kind, population float64, since float64) float64 {
	pk := min((kind+4*.05)/(n*population+4), 1)
	p := (own + 16*pk) / (n + 16)
	return 1000 * min(max(math.Log(.7/p), 0), 6) * max(.1, math.Exp(-since/90))
}

const exact = 5

func TestWhatWasNeverHeardIsSurprising(t *testing.T) {
	s := newShelf(t)
	require.InDelta(t, weight(0, 0, 0, 10, 0), s.says(1, sign(1, 7, Other, 10), 0), exact)
	require.InDelta(t, 1000*math.Log(.7/.05), weight(0, 0, 0, 10, 0), .1, "one in twenty, before anything is learned")
	s.past(50, nil, 0)
	require.InDelta(t, weight(50, 0, 0, 10, 0), s.says(2, sign(1, 7, Other, 10), 0), exact)
}

func TestWhatWasOftenHeardIsNot(t *testing.T) {
	last := int64(math.MaxInt64)
	for _, own := range []int{0, 1, 3, 10, 40} {
		s := newShelf(t)
		s.past(own, sign(1, 7, Metric, 10), 0)
		s.past(40-own, nil, 0)
		got := s.says(1, sign(1, 7, Metric, 10), 0)
		require.InDelta(t, weight(40, float64(own), float64(own), 10, 0), got, exact, "%d of 40", own)
		require.Less(t, got, last)
		last = got
	}
	require.Zero(t, last, "what all clusters show is no evidence")
}

func TestWhatItsLikeSayIsLessSurprising(t *testing.T) {
	s := newShelf(t)
	for item := range uint32(5) {
		s.past(8, sign(10+item, 7, Metric, 10), 0)
	}
	got := s.says(1, sign(1, 7, Metric, 10), 0)
	require.InDelta(t, weight(40, 0, 40, 10, 0), got, exact)
	require.Less(t, got, s.says(1, sign(1, 8, Metric, 10), 0))
}

func TestOneClusterMakesNothingOrdinaryForItsOtherItems(t *testing.T) {
	s := newShelf(t)
	for item := range uint32(5) {
		require.InDelta(t, weight(0, 0, 0, 10, 0), s.says(1, sign(item+1, 7, Metric, 10), 0), exact, "only what is over is learned")
	}
}

func TestEarlyAndLateAreLearnedApart(t *testing.T) {
	s := newShelf(t)
	s.past(20, sign(1, 7, Other, 10), 100*event.Second)
	require.InDelta(t, weight(20, 0, 0, 10, 0), s.says(1, sign(1, 7, Other, 10), 0), exact, "it never said it early")
	s.says(2, sign(99, 99, Other, 1), 0)
	require.InDelta(t, weight(20, 20, 20, 10, 100), s.says(2, sign(1, 7, Other, 10), 100*event.Second), exact)
	for _, c := range []struct {
		after event.Time
		late  float64
	}{{90 * event.Second, 0}, {90*event.Second + 1, 20}} {
		cluster := uint32(3 + c.late)
		s.says(cluster, sign(99, 98, Other, 1), 0)
		want := weight(20, c.late, c.late, 10, float64(c.after)/1000)
		require.InDelta(t, want, s.says(cluster, sign(1, 7, Other, 10), c.after), exact, "after %d", c.after)
	}
}

func TestWhatIsSaidLaterOnWeighsLessDownToATenth(t *testing.T) {
	s := newShelf(t)
	s.says(1, sign(99, 99, Other, 1), 0)
	for n, after := range []event.Time{0, event.Second, 45 * event.Second, 3 * event.Minute, 207 * event.Second, 10 * event.Minute, event.Day} {
		want := weight(0, 0, 0, 10, float64(after)/1000)
		require.InDelta(t, want, s.says(1, sign(1, uint64(n), Other, 10), after), exact, "after %d", after)
	}
	require.InDelta(t, weight(0, 0, 0, 10, 0), s.says(1, sign(2, 7, Other, 10), -event.Hour), exact, "what comes out of order counts as the first")
}

func TestNoSignatureWeighsMoreThanSixNats(t *testing.T) {
	s := newShelf(t)
	s.past(3000, nil, 0)
	require.Greater(t, math.Log(.7/((16*.2/(3000*1000+4))/(3016))), 6.)
	require.EqualValues(t, 6000, s.says(1, sign(1, 7, Other, 1000), 0))
}

func TestKindsCountAsTheyAreSet(t *testing.T) {
	s := newShelf(t)
	s.p = Params{Metric: 1500, Trace: 300, Other: 500}
	full := weight(0, 0, 0, 20, 0)
	require.InDelta(t, 1.5*full, s.says(1, sign(1, 1, Metric, 20), 0), exact)
	require.InDelta(t, .3*full, s.says(1, sign(1, 2, Trace, 0), 0), exact)
	require.InDelta(t, .5*full, s.says(1, sign(1, 3, Other, 20), 0), exact)
}

func TestWhoMayCallWhomIsCountedFromWhatWasSeen(t *testing.T) {
	s := newShelf(t)
	s.past(40, nil, 0)
	require.InDelta(t, .3*weight(40, 0, 0, 20, 0), s.says(1, sign(1, 7, Trace, 5), 0), exact, "twenty at least, whatever is told")
	for callee := range uint32(50) {
		s.past(2, sign(200+callee, 7, Trace, 0), 0)
	}
	require.InDelta(t, .3*weight(140, 0, 100, 50, 0), s.says(2, sign(1, 7, Trace, 0), 0), exact, "then as many as there were")
}

func TestOnlyTheFirstOfASignatureCounts(t *testing.T) {
	s := newShelf(t)
	require.Positive(t, s.says(1, sign(1, 7, Other, 10), 0))
	require.Zero(t, s.says(1, sign(1, 7, Other, 10), event.Second))
	odd := sign(1, 7, Other, 10)
	odd.Hash |= 1
	require.Zero(t, s.says(1, odd, event.Second), "the lowest bit is not the signature's")
	require.Equal(t, uint32(1), s.b.suspects.At(s.b.suspect(1, 1)).proofs)
	require.Positive(t, s.says(2, sign(1, 7, Other, 10), 0), "another cluster is another matter")
}

func TestAComponentLearnsOfItsOwnClustersOnly(t *testing.T) {
	s := newShelf(t)
	s.past(30, nil, 0)
	require.Equal(t, uint32(30), s.b.Learned(component))
	require.Zero(t, s.b.Learned(component+1))
	require.Zero(t, s.b.Learned(77))
	s.b.Observe(1, component+1, 1, sign(1, 7, Other, 10), noon, noon, &s.p)
	require.InDelta(t, weight(0, 0, 0, 10, 0), s.b.suspects.At(s.b.suspect(1, 1)).sum, exact)
}

func TestAClusterOfWhichNothingWasHeardTeachesNothing(t *testing.T) {
	s := newShelf(t)
	s.says(5, sign(1, 7, Other, 10), 0)
	s.b.Learn(2, component)
	s.b.Learn(500, component)
	require.Zero(t, s.b.Learned(component))
	s.b.Learn(5, component)
	s.b.Learn(5, component)
	require.Equal(t, uint32(1), s.b.Learned(component), "and one that is over is over")
	require.Zero(t, s.b.proofs.Stats().Used+s.b.suspects.Stats().Used)
}

func TestEveryMonthHalfIsForgotten(t *testing.T) {
	s := newShelf(t)
	s.past(12, sign(1, 7, Other, 10), 0)
	s.past(1, sign(2, 8, Other, 10), 0)
	s.past(27, nil, 0)
	s.b.Halve()
	consistent(t, s.b)
	require.Equal(t, uint32(20), s.b.Learned(component))
	require.InDelta(t, weight(20, 6, 6, 10, 0), s.says(1, sign(1, 7, Other, 10), 0), exact)
	require.InDelta(t, weight(20, 0, 0, 10, 0), s.says(1, sign(2, 8, Other, 10), 0), exact, "what was heard once is forgotten")
	for range 6 {
		s.b.Halve()
		consistent(t, s.b)
	}
	require.Zero(t, s.b.counts.Stats().Used)
	require.Zero(t, s.b.byHash.Len())
}

func TestWhatPeopleFindRightIsNoOrdinarySign(t *testing.T) {
	for _, c := range []struct {
		verdict event.Verdict
		own     float64
		record  Record
	}{
		{event.CauseRight, 3, Record{1, 1, 30}}, {event.CauseWrong, 5, Record{1, 0, 30}}, {event.CauseOther, 3, Record{1, 0, 30}},
	} {
		s := newShelf(t)
		s.past(4, sign(1, 7, Other, 10), 0)
		s.past(26, nil, 0)
		s.b.Judge(component, c.verdict, []uint64{sign(1, 7, Other, 10).Hash})
		require.Equal(t, c.record, s.b.View().Record(component), c.verdict)
		require.InDelta(t, weight(30, c.own, 4, 10, 0), s.says(1, sign(1, 7, Other, 10), 0), exact, c.verdict)
	}
	s := newShelf(t)
	require.Equal(t, Record{}, s.b.View().Record(component))
}

func TestAVerdictIsAboutEarlyOrLateAsItWasSaid(t *testing.T) {
	s := newShelf(t)
	s.past(4, sign(1, 7, Other, 10), 0)
	late := sign(1, 7, Other, 10).Hash | 1
	for range 9 {
		s.b.Judge(component, event.CauseRight, []uint64{late})
	}
	require.Equal(t, [2]uint32{4, 0}, s.b.find(late&^1).n, "and no count goes below zero")
	s.b.Judge(component, event.CauseWrong, []uint64{late})
	require.Equal(t, [2]uint32{4, 1}, s.b.find(late&^1).n)
	s.b.Judge(component, event.CauseRight, []uint64{12 << 8})
	require.Zero(t, s.b.slot(12<<8), "what was never heard stays so")
}

func TestAVerdictOnWhatIsOfNoComponentCountsForNone(t *testing.T) {
	s := newShelf(t)
	s.b.Judge(0, event.CauseRight, nil)
	require.Zero(t, *s.b.components.At(0))
	consistent(t, s.b)
}

func TestNewsIsWeighedSoonAndThenLessAndLessOften(t *testing.T) {
	s := newShelf(t)
	news := func(word uint64, now event.Time) bool {
		return s.b.Observe(4, component, 1, sign(1, word, Other, 9), noon, now, &s.p)
	}
	require.Equal(t, event.Never, s.b.Due(4))
	require.True(t, news(1, noon))
	require.False(t, news(2, noon+1), "that news was told")
	require.Equal(t, noon+5*event.Second, s.b.Due(4))
	s.b.Ranked(4, noon+5*event.Second)
	require.Equal(t, event.Never, s.b.Due(4))
	require.False(t, news(2, noon+6*event.Second), "no news")
	require.True(t, news(3, noon+6*event.Second))
	require.Equal(t, noon+10*event.Second, s.b.Due(4))
	s.b.Ranked(4, noon+40*event.Second)
	news(4, noon+41*event.Second)
	require.Equal(t, noon+60*event.Second, s.b.Due(4), "after half the time that it has been known")
	s.b.Ranked(4, noon+event.Hour)
	news(5, noon+event.Hour)
	require.Equal(t, noon+event.Hour+event.Minute, s.b.Due(4), "but every minute")
	s.b.Ranked(4, noon+event.Hour)
	news(6, noon+3*event.Hour)
	require.Equal(t, noon+3*event.Hour+event.Second, s.b.Due(4))
}
