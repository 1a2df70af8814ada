package cause

import (
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/event"
)

// parts is an estate by what is part of what; hosts weigh double.
type parts struct {
	of    map[uint32][]uint32 // by whole
	hosts []uint32
}

func (e parts) Weight(item uint32) int64 {
	if slices.Contains(e.hosts, item) {
		return 2000
	}
	return 1000
}

func (e parts) PartCount(whole uint32) uint32 { return uint32(len(e.of[whole])) }

func (e parts) Wholes(part uint32, dst []uint32) []uint32 {
	for whole := range uint32(100) {
		if slices.Contains(e.of[whole], part) {
			dst = append(dst, whole)
		}
	}
	return dst
}

func items(list []Candidate) (ids []uint32) {
	for i := range list {
		ids = append(ids, list[i].Item)
	}
	return ids
}

func TestWhoSaysTheMostSurprisingThingsIsFirst(t *testing.T) {
	s := newShelf(t)
	s.past(80, sign(2, 7, Other, 10), 0)
	s.says(1, sign(2, 7, Other, 10), 0)
	one := s.says(1, sign(1, 21, Other, 10), event.Second)
	more := s.says(1, sign(1, 22, Other, 10), 30*event.Second)
	list, margin := s.b.Rank(1, parts{}, nil, &s.p, 5)
	require.Equal(t, []uint32{1}, items(list), "what is ordinary is no candidate")
	require.Equal(t, one+more, list[0].Score)
	require.Equal(t, list[0].Score, margin)
	require.Equal(t, Candidate{
		Item: 1, Score: one + more, Own: one + more, Share: 1000, Number: 2, Alert: s.alert - 1, Weight: one, First: noon + event.Second,
		Signs: []uint64{sign(1, 21, Other, 1).Hash, sign(1, 22, Other, 1).Hash},
	}, list[0])
	list, _ = s.b.Rank(77, parts{}, nil, &s.p, 5)
	require.Empty(t, list)
}

func TestTheMarginIsWhatTheFirstIsAhead(t *testing.T) {
	s := newShelf(t)
	for item := range uint32(7) {
		for word := range uint64(item + 1) {
			s.says(1, sign(item+1, 10*uint64(item)+word, Metric, 10), 0)
		}
	}
	list, margin := s.b.Rank(1, parts{}, nil, &s.p, 5)
	require.Equal(t, []uint32{7, 6, 5, 4, 3}, items(list))
	require.Equal(t, list[0].Score-list[1].Score, margin)
	sum, share := 0., 0
	for item := 1; item <= 7; item++ {
		sum += math.Exp(float64(item-7) * float64(list[0].Score) / 7000)
	}
	for i := range list {
		require.InDelta(t, 1000*math.Exp(float64(list[i].Score-list[0].Score)/1000)/sum, list[i].Share, 1.5)
		share += int(list[i].Share)
	}
	require.LessOrEqual(t, share, 1000)
}

func TestThoseThatAreEqualComeInTheOrderOfTheirNumbers(t *testing.T) {
	s := newShelf(t)
	for _, item := range []uint32{5, 2, 9} {
		s.says(1, sign(item, 7, Other, 10), 0)
	}
	list, margin := s.b.Rank(1, parts{}, nil, &s.p, 5)
	require.Equal(t, []uint32{2, 5, 9}, items(list))
	require.Zero(t, margin)
	require.Equal(t, uint16(333), list[0].Share)
}

func TestAWholeGetsAShareOfWhatItsPartsSay(t *testing.T) {
	s, estate := newShelf(t), parts{of: map[uint32][]uint32{50: {1, 2, 3}, 60: {3}}}
	one, two := s.says(1, sign(1, 7, Other, 10), 0), s.says(1, sign(2, 7, Other, 10), 0)
	list, _ := s.b.Rank(1, estate, nil, &s.p, 9)
	require.InDelta(t, .6*float64(one)-750+.6*float64(two)-750-750, list[slices.Index(items(list), 50)].Score, 2, "the third says nothing, and costs all the same")
	require.NotContains(t, items(list), uint32(60), "its part says nothing")
	own := s.says(1, sign(50, 8, Other, 10), 0)
	list, _ = s.b.Rank(1, estate, nil, &s.p, 9)
	require.Equal(t, uint32(50), list[0].Item)
	require.Equal(t, own, list[0].Own)
	require.Equal(t, list[0].Score, list[0].Own+list[0].Parts)
	require.Len(t, list, 3, "each once, also when it speaks itself")
}

func TestWhatIsSaidOfAHostCountsDouble(t *testing.T) {
	s := newShelf(t)
	s.says(1, sign(1, 7, Other, 10), 0)
	said := s.says(1, sign(2, 7, Other, 10), 0)
	list, margin := s.b.Rank(1, parts{hosts: []uint32{2}}, nil, &s.p, 9)
	require.Equal(t, []uint32{2, 1}, items(list))
	require.Equal(t, 2*said, list[0].Own)
	require.Equal(t, said, margin)
}

func TestWhereFaultsFollowTheTopologyItHasASay(t *testing.T) {
	s := newShelf(t)
	said := s.says(1, sign(1, 7, Other, 10), 0)
	shape := []Structure{{Item: 1, Score: -1000, Missing: 2}, {Item: 8, Score: said, Explained: 3, Silent: true}, {Item: 9, Score: 0, Silent: true}, {Item: 4, Score: -9000}}
	list, margin := s.b.Rank(1, parts{}, shape, &s.p, 9)
	require.Equal(t, []uint32{8, 1}, items(list), "one that says nothing can be first, and what comes to nothing is none")
	require.Equal(t, int64(1000), margin)
	require.Equal(t, shape[1], list[0].Shape)
	require.Equal(t, said-1000, list[1].Score)
	require.Zero(t, list[0].Alert)
}

func TestACandidateSaysInHowManyClustersItSaidTheSameBefore(t *testing.T) {
	s := newShelf(t)
	s.past(2, sign(1, 7, Other, 10), 0)
	s.past(1, sign(1, 7, Other, 10), 2*event.Minute)
	s.past(30, nil, 0)
	s.says(1, sign(1, 7, Other, 10), 0)
	list, _ := s.b.Rank(1, parts{}, nil, &s.p, 9)
	require.Equal(t, uint32(3), list[0].Before)
}

func TestACandidateListsTheFourHeaviestOfItsSigns(t *testing.T) {
	s := newShelf(t)
	s.says(1, sign(99, 99, Other, 1), 0)
	for word := range uint64(7) {
		s.says(1, sign(1, word+1, Other, 10), event.Time(60-10*word)*event.Second)
	}
	late := s.says(1, sign(1, 9, Other, 10), 2*event.Minute)
	require.Positive(t, late)
	list, _ := s.b.Rank(1, parts{}, nil, &s.p, 9)
	want := []uint64{sign(1, 7, 0, 0).Hash, sign(1, 6, 0, 0).Hash, sign(1, 5, 0, 0).Hash, sign(1, 4, 0, 0).Hash}
	require.Equal(t, want, list[0].Signs)
	require.Equal(t, uint32(8), list[0].Number)
	s.says(2, sign(99, 99, Other, 1), 0)
	s.says(2, sign(1, 9, Other, 10), 2*event.Minute)
	list, _ = s.b.Rank(2, parts{}, nil, &s.p, 9)
	require.Equal(t, []uint64{sign(1, 9, 0, 0).Hash | 1}, list[slices.Index(items(list), 1)].Signs, "its lowest bit says that it was late")
}
