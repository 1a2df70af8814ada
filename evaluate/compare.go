package evaluate

import "math"

// Score is how much of what was put together belongs together, how much of what belongs together was put together, and the harmonic
// mean of both. All are between 0 and 1.
type Score struct {
	Precision float64 `json:"precision"`
	Recall    float64 `json:"recall"`
	F1        float64 `json:"f1"`
}

func newScore(precision, recall float64) Score {
	s := Score{Precision: precision, Recall: recall}
	if precision+recall > 0 {
		s.F1 = 2 * precision * recall / (precision + recall)
	}
	return s
}

// Agreement is how alike two clusterings are.
type Agreement struct {
	Pairwise     Score   `json:"pairwise"` // over pairs of lines
	BCubed       Score   `json:"bcubed"`   // the mean over lines (Bagga and Baldwin 1998)
	ARI          float64 `json:"ari"`      // adjusted Rand index: 0 is chance (Hubert and Arabie 1985)
	AMI          float64 `json:"ami"`      // adjusted mutual information, arithmetic mean (Vinh, Epps and Bailey 2010)
	Homogeneity  float64 `json:"homogeneity"`
	Completeness float64 `json:"completeness"` // both after Rosenberg and Hirschberg 2007
}

// Compare measures a clustering against the true one of the same lines. It takes time in proportion to the lines and memory in
// proportion to the clusters; a share of nothing counts as 1.
func Compare(truth, predicted Clustering) Agreement {
	t := newTable(truth, predicted)
	together := 0.0
	for _, c := range t.cells {
		together += pairs(c.lines)
	}
	inTruth, inPredicted := pairsIn(t.truthSizes), pairsIn(t.predictedSizes)
	a := Agreement{
		Pairwise: newScore(share(together, inPredicted), share(together, inTruth)),
		BCubed:   t.bcubed(),
		ARI:      adjustedRand(together, inTruth, inPredicted, pairs(t.n)),
	}
	hTruth, hPredicted, mutual := entropy(t.truthSizes, t.n), entropy(t.predictedSizes, t.n), t.mutual()
	a.Homogeneity, a.Completeness = share(mutual, hTruth), share(mutual, hPredicted)
	a.AMI = adjustedMutual(mutual, hTruth, hPredicted, func() float64 { return expectedMutual(t.truthSizes, t.predictedSizes, t.n) })
	return a
}

// share returns part/whole; all of nothing is 1.
func share(part, whole float64) float64 {
	if whole == 0 {
		return 1
	}
	return part / whole
}

func (t *table) bcubed() Score {
	if t.n == 0 {
		return newScore(1, 1)
	}
	var precision, recall float64
	for _, c := range t.cells {
		square := float64(c.lines) * float64(c.lines)
		precision += square / float64(t.predictedSizes[c.predicted])
		recall += square / float64(t.truthSizes[c.truth])
	}
	return newScore(precision/float64(t.n), recall/float64(t.n))
}

func adjustedRand(together, inTruth, inPredicted, all float64) float64 {
	if all == 0 {
		return 1
	}
	expected := inTruth * inPredicted / all
	most := (inTruth + inPredicted) / 2
	if most == expected {
		return 1 // both are all alone, or both all in one
	}
	return (together - expected) / (most - expected)
}

// entropy of a clustering in nats.
func entropy(sizes []int, n int) (h float64) {
	for _, size := range sizes {
		p := float64(size) / float64(n)
		h -= p * math.Log(p)
	}
	return math.Max(h, 0)
}

// mutual is the mutual information of both clusterings in nats.
func (t *table) mutual() (sum float64) {
	n := float64(t.n)
	for _, c := range t.cells {
		lines := float64(c.lines)
		sum += lines / n * math.Log(lines*n/(float64(t.truthSizes[c.truth])*float64(t.predictedSizes[c.predicted])))
	}
	return math.Max(sum, 0)
}
