package cause

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/event"
)

// counted counts what a ranking asks of the items.
type counted struct {
	parts
	asked *int
}

func (e counted) Weight(item uint32) int64 { *e.asked++; return e.parts.Weight(item) }

func (e counted) PartCount(whole uint32) uint32 { *e.asked++; return e.parts.PartCount(whole) }

func (e counted) Wholes(part uint32, dst []uint32) []uint32 { *e.asked++; return dst }

// crowd lets n items say something in a cluster, the later ones later: less speaks against them.
func crowd(b *Book, p *Params, cluster uint32, n int) {
	for item := range n {
		at := noon + event.Time(item)*event.Millisecond
		b.Observe(cluster, component, uint32(item+1), sign(uint32(item+1), 7, Other, 10), at, at, p)
	}
}

func TestAClusterOfFiftyThousandItemsTakesNoMoreLooksThanOneOfAThousand(t *testing.T) {
	looks := func(n int) (asked int, list []Candidate) {
		b, p := New(), shipped()
		crowd(b, &p, 1, n)
		b.Observe(1, component, 1, sign(uint32(n), 8, Other, 10), noon, noon, &p) // the last item says most
		list, _ = b.Rank(1, counted{asked: &asked}, nil, &p, 5)
		looked, of := b.Suspects(1)
		require.Equal(t, []int{min(n, maxRanked), n}, []int{int(looked), int(of)})
		return asked, list
	}
	few, _ := looks(maxRanked)
	many, list := looks(50_000)
	require.LessOrEqual(t, many, few+5)
	require.Equal(t, uint32(50_000), list[0].Item, "it came last, and what speaks against it counts")
}

func TestOfACrowdThoseAreRankedAgainstWhomMostSpeaks(t *testing.T) {
	p := shipped()
	ranked := func(most uint32) []Candidate {
		b := New()
		b.fronts.most = most
		crowd(b, &p, 1, 60)
		crowd(b, &p, 2, 90)
		b.Merge(1, 2)
		consistent(t, b)
		list, _ := b.Rank(1, parts{hosts: []uint32{3}}, nil, &p, 5)
		for i := range list {
			list[i].Share = 0 // of all that were looked at
		}
		return list
	}
	require.Equal(t, ranked(1000), ranked(10))
}

func TestAnItemOfWhichTheTopologySpeaksIsChargedWithWhatItSaysThoughItIsNotAmongTheFirst(t *testing.T) {
	b, p := New(), shipped()
	b.fronts.most = 3
	crowd(b, &p, 1, 9)
	said := b.suspects.At(b.suspect(1, 9)).sum
	require.Positive(t, said)
	list, _ := b.Rank(1, parts{}, []Structure{{Item: 9, Score: 50_000}}, &p, 5)
	require.Equal(t, []uint32{9, 1, 2, 3}, items(list))
	require.Equal(t, 50_000+said, list[0].Score)
}

func TestWhateverHappensTheFrontHoldsThoseOnWhomThereIsMostEvidence(t *testing.T) {
	seen, crowded := map[string]int{}, 0
	for seed := range seeds(4, 10) {
		b, r := New(), rand.New(rand.NewPCG(seed, 6))
		b.fronts.most = 3
		for range 500 {
			chance(t, b, r, seen)
			crowded += len(b.fronts.of)
			consistent(t, b)
		}
	}
	require.Positive(t, crowded)
}

// checkFronts holds the fronts of a book against its suspects.
func checkFronts(t *testing.T, b *Book) {
	t.Helper()
	placed := 0
	for cluster := uint32(1); cluster < b.clusters.Len(); cluster++ {
		var all []uint32
		for slot := b.clusters.At(cluster).suspects; slot != 0; slot = b.suspects.At(slot).next {
			all = append(all, slot)
		}
		_, of := b.Suspects(cluster)
		require.EqualValues(t, len(all), of, "cluster %d", cluster)
		front := b.fronts.of[cluster]
		if len(all) <= int(b.fronts.most) {
			require.Nil(t, front, "cluster %d", cluster)
			continue
		}
		slices.SortFunc(all, func(x, y uint32) int {
			p, q := b.suspects.At(x), b.suspects.At(y)
			return cmp.Or(cmp.Compare(q.sum, p.sum), cmp.Compare(p.item, q.item))
		})
		require.ElementsMatch(t, all[:b.fronts.most], front, fmt.Sprint("cluster ", cluster))
		for at, slot := range front {
			require.EqualValues(t, at+1, b.fronts.place[slot])
		}
		placed += len(front)
	}
	for _, at := range b.fronts.place {
		if at != 0 {
			placed--
		}
	}
	require.Zero(t, placed, "a suspect that is in no front has a place in one")
}
