package simulate

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestQuantilesAreWithinTwoPercentAndTheMaximumExact(t *testing.T) {
	var even, odd Histogram
	for i := range 100_000 {
		h := &even
		if i%2 == 1 {
			h = &odd
		}
		h.Record(time.Duration(i+1) * time.Microsecond)
	}
	even.Merge(&odd)
	require.EqualValues(t, 100_000, even.Count())
	for _, q := range []float64{.5, .99, .999} {
		want := q * float64(100*time.Millisecond)
		require.InEpsilon(t, want, float64(even.Quantile(q)), .02)
		require.GreaterOrEqual(t, float64(even.Quantile(q)), want)
	}
	require.Equal(t, 100*time.Millisecond, even.Max())
	require.Equal(t, even.Max(), even.Quantile(1))
}

func TestEveryBucketEndsWhereTheNextBegins(t *testing.T) {
	last := bucket(1<<64 - 1)
	require.Len(t, Histogram{}.counts, last+1)
	for i := range last {
		require.Equal(t, i, bucket(upper(i)))
		require.Equal(t, i+1, bucket(upper(i)+1))
	}
}

func TestAnEmptyHistogramIsZero(t *testing.T) {
	var h Histogram
	require.Zero(t, h.Quantile(.99))
	h.Record(-time.Second)
	require.EqualValues(t, 1, h.Count())
	require.Zero(t, h.Max())
}
