package cause

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/internal/flat"
)

func TestClustersThatBecomeOneHaveTheEvidenceOfBoth(t *testing.T) {
	s := newShelf(t)
	a := s.says(1, sign(1, 7, Other, 10), 20*event.Second)
	b := s.says(2, sign(1, 8, Other, 10), 0)
	c := s.says(2, sign(2, 7, Other, 10), 0)
	s.b.Merge(1, 2)
	consistent(t, s.b)
	list, _ := s.b.Rank(1, parts{}, nil, &s.p, 9)
	require.Equal(t, []uint32{1, 2}, items(list))
	require.Equal(t, []int64{a + b, c}, []int64{list[0].Score, list[1].Score})
	require.Equal(t, noon, list[0].First)
	list, _ = s.b.Rank(2, parts{}, nil, &s.p, 9)
	require.Empty(t, list)
	require.Zero(t, s.says(1, sign(1, 8, Other, 10), 0), "what the other heard is heard")
	require.InDelta(t, weight(0, 0, 0, 10, 30), s.says(1, sign(3, 7, Other, 10), 30*event.Second), exact, "it began when the first of both did")
}

func TestWhatAnItemSaidInBothCountsOnce(t *testing.T) {
	s := newShelf(t)
	said := s.says(1, sign(1, 7, Other, 10), 0)
	s.says(2, sign(9, 9, Other, 10), 0)
	require.Positive(t, s.says(2, sign(1, 7, Other, 10), 2*event.Minute), "late there")
	more := s.says(2, sign(1, 8, Other, 10), 0)
	s.b.Merge(1, 2)
	consistent(t, s.b)
	list, _ := s.b.Rank(1, parts{}, nil, &s.p, 9)
	require.Equal(t, uint32(1), list[0].Item)
	require.Equal(t, said+more, list[0].Score)
	require.Equal(t, uint32(2), list[0].Number)
	require.Len(t, list[0].Signs, 2)
	s.b.Learn(1, component)
	require.Equal(t, [2]uint32{1, 0}, s.b.find(sign(1, 7, 0, 0).Hash).n)
}

func TestAMergeOfNothingOrOfItselfChangesNothing(t *testing.T) {
	s := newShelf(t)
	said := s.says(1, sign(1, 7, Other, 10), 0)
	s.b.Merge(1, 1)
	s.b.Merge(1, 900)
	s.b.Merge(1, 0)
	consistent(t, s.b)
	list, _ := s.b.Rank(1, parts{}, nil, &s.p, 9)
	require.Equal(t, said, list[0].Score)
}

func TestEvidenceThatCameByAMergeIsNews(t *testing.T) {
	s := newShelf(t)
	s.says(1, sign(1, 7, Other, 10), 0)
	s.b.Ranked(1, noon+5*event.Second)
	s.says(2, sign(2, 7, Other, 10), event.Second)
	s.b.Ranked(2, noon+6*event.Second)
	require.Equal(t, event.Never, s.b.Due(1))
	s.b.Merge(1, 2)
	require.Equal(t, noon+10*event.Second, s.b.Due(1), "though either was weighed alone")
}

func TestNoMoreThanAMillionSignaturesAreRemembered(t *testing.T) {
	s := newShelf(t)
	for hash := uint64(1); hash < maxCounts; hash++ {
		s.b.tally(hash<<1, false, 1)
	}
	require.Equal(t, maxCounts-1, int(s.b.byHash.Len()))
	s.says(1, sign(1, 7, Trace, 10), 0)
	s.b.Learn(1, component) // room for what was said, none for its kind
	require.Equal(t, maxCounts, int(s.b.byHash.Len()))
	consistent(t, s.b)
	require.True(t, s.b.slot(sign(1, 7, 0, 0).Hash) != 0 && s.b.slot(sign(1, 7, 0, 0).KindHash) == 0)
	s.says(1, sign(2, 7, Other, 10), 0)
	s.b.Learn(1, component)
	s.b.Judge(component, event.CauseWrong, []uint64{5<<40 | 1})
	require.Equal(t, maxCounts, int(s.b.byHash.Len()))
	require.Equal(t, uint32(2), s.b.Learned(component), "clusters are counted on")
	s.b.Halve()
	require.Zero(t, s.b.byHash.Len(), "in a month there is room again")
}

// chance does anything to a book.
func chance(t *testing.T, b *Book, r *rand.Rand, seen map[string]int) {
	p := shipped()
	cluster := 1 + uint32(r.IntN(6))
	switch n := r.IntN(100); {
	case n < 75:
		kind := Kind(r.IntN(3))
		g := sign(1+uint32(r.IntN(12)), uint64(kind)*10+uint64(r.IntN(4)), kind, uint32(r.IntN(9)))
		at := noon + event.Time(r.IntN(int(4*event.Minute)))
		b.Observe(cluster, 1+uint32(r.IntN(2)), uint32(1+r.IntN(99)), g, at, at, &p)
		seen["observed"]++
	case n < 80:
		b.Learn(cluster, 1+uint32(r.IntN(2)))
		seen["learned"]++
	case n < 88:
		b.Merge(cluster, 1+uint32(r.IntN(6)))
		seen["merged"]++
	case n < 90:
		b.Halve()
		seen["halved"]++
	case n < 93:
		b.Judge(uint32(r.IntN(3)), event.Verdict(1+r.IntN(3)), []uint64{sign(1, uint64(r.IntN(4)), 0, 0).Hash | uint64(r.IntN(2))})
		seen["judged"]++
	default:
		list, margin := b.Rank(cluster, parts{of: map[uint32][]uint32{20: {1, 2}}}, nil, &p, 5)
		require.GreaterOrEqual(t, margin, int64(0))
		require.LessOrEqual(t, len(list), 5)
		for i := range list {
			require.Positive(t, list[i].Score)
			require.True(t, i == 0 || list[i].Score <= list[i-1].Score)
		}
		b.Ranked(cluster, noon)
		seen[fmt.Sprint("ranked ", len(list) > 1)]++
	}
}

func TestWhateverHappensABookAddsUp(t *testing.T) {
	seen := map[string]int{}
	for seed := range seeds(8, 30) {
		b, r := New(), rand.New(rand.NewPCG(seed, 3))
		for n := range 500 {
			chance(t, b, r, seen)
			if n%5 == 0 {
				consistent(t, b)
			}
		}
	}
	require.Len(t, seen, 7, "%v", seen)
}

func TestABookThatWasSavedGoesOnAsIfNothingHadBeen(t *testing.T) {
	for seed := range uint64(5) {
		b, r := New(), rand.New(rand.NewPCG(seed, 4))
		b.fronts.most = 3
		for range 300 {
			chance(t, b, r, map[string]int{})
		}
		saved, again := save(t, b), New()
		again.fronts.most = 3
		reader := flat.NewReader(bytes.NewReader(saved))
		require.NoError(t, again.Load(reader))
		require.NoError(t, reader.Close())
		require.Equal(t, saved, save(t, again))
		consistent(t, again)
		one, two := rand.New(rand.NewPCG(seed, 5)), rand.New(rand.NewPCG(seed, 5))
		for range 200 {
			chance(t, b, one, map[string]int{})
			chance(t, again, two, map[string]int{})
		}
		require.Equal(t, save(t, b), save(t, again), "seed %d", seed)
		for _, n := range []int{len(saved) / 3, len(saved) * 2 / 3} {
			require.Error(t, New().Load(flat.NewReader(bytes.NewReader(saved[:n]))))
		}
	}
}

func save(t *testing.T, b *Book) []byte {
	var out bytes.Buffer
	w := flat.NewWriter(&out)
	require.NoError(t, b.View().Save(w))
	require.NoError(t, w.Close())
	return out.Bytes()
}
