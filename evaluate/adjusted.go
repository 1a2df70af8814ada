package evaluate

import (
	"maps"
	"math"
	"slices"
)

// adjustedMutual is the share of the mutual information beyond what chance gives.
func adjustedMutual(mutual, hTruth, hPredicted float64, expected func() float64) float64 {
	if hTruth == 0 && hPredicted == 0 {
		return 1
	}
	chance := expected()
	above, below := mutual-chance, (hTruth+hPredicted)/2-chance
	nothing := 1e-9 * math.Max(1, hTruth+hPredicted) // what rounding leaves of many terms
	switch {
	case math.Abs(below) < nothing:
		return 1 // nothing but lines alone on both sides
	case math.Abs(above) < nothing:
		return 0
	}
	return above / below
}

// sized is how many clusters have a size.
type sized struct{ size, clusters int }

func bySize(sizes []int) (out []sized) {
	counts := map[int]int{}
	for _, size := range sizes {
		counts[size]++
	}
	for _, size := range slices.Sorted(maps.Keys(counts)) { // one order, one sum
		out = append(out, sized{size, counts[size]})
	}
	return out
}

// expectedMutual is the mutual information that two clusterings with these sizes have by chance, in nats (Vinh, Epps and Bailey 2010,
// equation 24). Clusters of the same size are worked out once, and of the hypergeometric terms those that weigh.
func expectedMutual(truth, predicted []int, n int) (sum float64) {
	logs := logFactorials(n)
	rows, columns := bySize(truth), bySize(predicted)
	for _, a := range rows {
		for _, b := range columns {
			sum += float64(a.clusters) * float64(b.clusters) * expectedCell(a.size, b.size, n, logs)
		}
	}
	return sum
}

// expectedCell goes up and down from the likeliest overlap until the terms weigh nothing.
func expectedCell(a, b, n int, logs []float64) (sum float64) {
	low, high := max(1, a+b-n), min(a, b)
	fixed := logs[a] + logs[b] + logs[n-a] + logs[n-b] - logs[n]
	term := func(k int) float64 {
		p := math.Exp(fixed - logs[k] - logs[a-k] - logs[b-k] - logs[n-a-b+k])
		return p * float64(k) / float64(n) * math.Log(float64(n)*float64(k)/(float64(a)*float64(b)))
	}
	const nothing = 1e-18
	mode := min(max((a+1)*(b+1)/(n+2), low), high)
	for k := mode; k <= high; k++ {
		t := term(k)
		sum += t
		if k > mode+4 && math.Abs(t) < nothing {
			break
		}
	}
	for k := mode - 1; k >= low; k-- {
		t := term(k)
		sum += t
		if k < mode-4 && math.Abs(t) < nothing {
			break
		}
	}
	return sum
}

// logFactorials returns ln(k!) for k up to n.
func logFactorials(n int) []float64 {
	logs := make([]float64, n+1)
	for k := 2; k <= n; k++ {
		logs[k] = logs[k-1] + math.Log(float64(k))
	}
	return logs
}
