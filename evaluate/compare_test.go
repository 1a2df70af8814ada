package evaluate

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

const exact = 1e-9

// Six lines of two faults and one of noise, in incidents that cut the first fault and mix in the noise:
//
//	truth      a a a b b b .
//	predicted  1 1 2 2 2 2 2
func worked() (truth, predicted Clustering) {
	return Clustering{0, 0, 0, 1, 1, 1, Alone}, Clustering{1, 1, 2, 2, 2, 2, 2}
}

func TestEveryFigureOfAWorkedExample(t *testing.T) {
	a := Compare(worked())
	// Pairs: 6 in truth, 1+10 in the prediction, 1+3 in both.
	require.InDelta(t, 4./11, a.Pairwise.Precision, exact)
	require.InDelta(t, 4./6, a.Pairwise.Recall, exact)
	require.InDelta(t, 8./17, a.Pairwise.F1, exact)
	// By line: precision 2/2 2/2 1/5 3/5 3/5 3/5 1/5; recall 2/3 2/3 1/3 1 1 1 1.
	require.InDelta(t, 4.2/7, a.BCubed.Precision, exact)
	require.InDelta(t, (5./3+4)/7, a.BCubed.Recall, exact)
	// Expected pairs 6·11/21; (4 − 22/7) / (17/2 − 22/7).
	require.InDelta(t, (4-22./7)/(8.5-22./7), a.ARI, exact)
	h := func(sizes ...float64) (sum float64) {
		for _, s := range sizes {
			sum -= s / 7 * math.Log(s/7)
		}
		return sum
	}
	mutual := h(3, 3, 1) + h(2, 5) - h(2, 1, 3, 1)
	require.InDelta(t, mutual/h(3, 3, 1), a.Homogeneity, exact)
	require.InDelta(t, mutual/h(2, 5), a.Completeness, exact)
}

func TestTheSameClusteringUnderOtherNumbersAgreesWholly(t *testing.T) {
	a := Compare(Clustering{0, 0, 1, 1, Alone, Alone}, Clustering{7, 7, 3, 3, Alone, 9})
	one := Score{1, 1, 1}
	require.Equal(t, one, a.Pairwise)
	require.Equal(t, one, a.BCubed)
	for _, v := range []float64{a.ARI, a.AMI, a.Homogeneity, a.Completeness} {
		require.InDelta(t, 1, v, exact)
	}
}

func TestOneIncidentForAllAndOneForEachAreBothFound(t *testing.T) {
	truth := Clustering{0, 0, 1, 1}
	all := Compare(truth, Clustering{5, 5, 5, 5})
	require.InDelta(t, 2./6, all.Pairwise.Precision, exact)
	require.InDelta(t, 1, all.Pairwise.Recall, exact)
	require.InDelta(t, 0, all.Homogeneity, exact)
	require.InDelta(t, 1, all.Completeness, exact)
	require.InDelta(t, 0, all.AMI, exact)
	each := Compare(truth, Clustering{Alone, Alone, Alone, Alone})
	require.InDelta(t, 1, each.Pairwise.Precision, exact, "nothing was put together, and so nothing wrong")
	require.Zero(t, each.Pairwise.Recall)
	require.Zero(t, each.Pairwise.F1)
	require.InDelta(t, 1, each.Homogeneity, exact)
	require.InDelta(t, 0, each.AMI, 1e-6)
	require.InDelta(t, 0, each.ARI, exact)
}

func TestNothingAndNoiseAloneAreNoDivisionByZero(t *testing.T) {
	many := make(Clustering, 5000)
	for i := range many {
		many[i] = Alone
	}
	for _, c := range []Clustering{{}, {Alone}, {Alone, Alone, Alone}, many} {
		a := Compare(c, c)
		for _, v := range []float64{a.Pairwise.F1, a.BCubed.F1, a.ARI, a.AMI, a.Homogeneity, a.Completeness} {
			require.InDelta(t, 1, v, exact)
		}
	}
}

// The example with which scikit-learn tests its own functions.
func TestAdjustedMutualInformationIsThatOfTheField(t *testing.T) {
	truth := Clustering{1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 3, 3, 3, 3, 3}
	predicted := Clustering{1, 1, 1, 1, 2, 1, 2, 2, 2, 2, 3, 1, 3, 3, 3, 2, 2}
	tab := newTable(truth, predicted)
	require.InDelta(t, 0.41022, tab.mutual(), 1e-5)
	require.InDelta(t, 0.15042, expectedMutual(tab.truthSizes, tab.predictedSizes, tab.n), 1e-5)
	require.InDelta(t, 0.27821, Compare(truth, predicted).AMI, 1e-5)
}

func TestExpectedMutualInformationIsTheMeanOverAllOrders(t *testing.T) {
	truth, predicted := Clustering{0, 0, 0, 1, 1, 2}, Clustering{0, 0, 1, 1, 1, Alone}
	sum, n := 0.0, 0
	permute(predicted, 0, func(p Clustering) {
		sum += newTable(truth, p).mutual()
		n++
	})
	tab := newTable(truth, predicted)
	got := expectedMutual(tab.truthSizes, tab.predictedSizes, tab.n)
	require.InDelta(t, sum/float64(n), got, exact)
}

func permute(c Clustering, from int, visit func(Clustering)) {
	if from == len(c) {
		visit(c)
		return
	}
	for i := from; i < len(c); i++ {
		c[from], c[i] = c[i], c[from]
		permute(c, from+1, visit)
		c[from], c[i] = c[i], c[from]
	}
}

func TestFiguresAreThoseOfCountingEveryPair(t *testing.T) {
	for seed := range uint64(300) {
		random := rand.New(rand.NewPCG(seed, 1))
		n := 2 + random.IntN(60)
		truth, predicted := drawn(random, n), drawn(random, n)
		a := Compare(truth, predicted)
		pairwise, bcubed, ari := slowly(truth, predicted)
		for _, v := range [][2]float64{
			{pairwise.Precision, a.Pairwise.Precision}, {pairwise.Recall, a.Pairwise.Recall}, {pairwise.F1, a.Pairwise.F1},
			{bcubed.Precision, a.BCubed.Precision}, {bcubed.Recall, a.BCubed.Recall}, {bcubed.F1, a.BCubed.F1}, {ari, a.ARI},
		} {
			require.InDelta(t, v[0], v[1], 1e-9, "seed %d", seed)
		}
		turned := Compare(predicted, truth)
		require.InDelta(t, a.Pairwise.Precision, turned.Pairwise.Recall, exact)
		require.InDelta(t, a.Homogeneity, turned.Completeness, exact)
		require.InDelta(t, a.AMI, turned.AMI, 1e-7)
	}
}

func drawn(random *rand.Rand, n int) Clustering {
	c, clusters := make(Clustering, n), 1+random.IntN(8)
	for i := range c {
		c[i] = int32(random.IntN(clusters+1)) - 1
	}
	return c
}

// slowly is the definition.
func slowly(truth, predicted Clustering) (pairwise, bcubed Score, ari float64) {
	same := func(c Clustering, i, j int) bool { return i == j || c[i] >= 0 && c[i] == c[j] }
	n := len(truth)
	var both, inTruth, inPredicted, precision, recall float64
	for i := range n {
		var b, t, p float64
		for j := range n {
			st, sp := same(truth, i, j), same(predicted, i, j)
			if st {
				t++
			}
			if sp {
				p++
			}
			if st && sp {
				b++
			}
		}
		both, inTruth, inPredicted = both+b-1, inTruth+t-1, inPredicted+p-1
		precision, recall = precision+b/p, recall+b/t
	}
	both, inTruth, inPredicted = both/2, inTruth/2, inPredicted/2
	all := float64(n*(n-1)) / 2
	expected := inTruth * inPredicted / all
	ari = 1
	if most := (inTruth + inPredicted) / 2; most != expected {
		ari = (both - expected) / (most - expected)
	}
	return newScore(share(both, inPredicted), share(both, inTruth)), newScore(precision/float64(n), recall/float64(n)), ari
}

func BenchmarkCompareAMillionLines(b *testing.B) {
	random := rand.New(rand.NewPCG(1, 1))
	truth, predicted := make(Clustering, 1_000_000), make(Clustering, 1_000_000)
	for i := range truth {
		truth[i] = int32(i/300) + int32(random.IntN(2))
		predicted[i] = int32(i/500) + int32(random.IntN(3)) - 1
		if random.IntN(5) == 0 {
			truth[i] = Alone
		}
	}
	for b.Loop() {
		Compare(truth, predicted)
	}
}
