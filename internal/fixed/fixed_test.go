package fixed_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/internal/fixed"
)

func TestLogarithmsAreWithinAMilliNat(t *testing.T) {
	for x := uint64(1); x < 1<<62; x = x + x/37 + 1 {
		require.InDelta(t, 1000*math.Log(float64(x)), float64(fixed.Ln(x)), 0.6, x)
	}
	require.Zero(t, fixed.Ln(0))
	require.InDelta(t, 1000*math.Log(math.MaxUint64), float64(fixed.Ln(math.MaxUint64)), 0.6)
	require.Equal(t, int64(693), fixed.LnRatio(2_000_000, 1_000_000))
}

func TestPowersAreWithinAMillionthOrATenThousandth(t *testing.T) {
	for x := int64(-15_000); x <= 20_000; x += 7 {
		want := 1e6 * math.Exp(float64(x)/1000)
		require.InDelta(t, want, float64(fixed.Exp(x)), 1.5+want*1e-4, x)
	}
	require.Equal(t, uint64(1_000_000), fixed.Exp(0))
	require.Equal(t, fixed.Exp(20_000), fixed.Exp(30_000))
	require.Zero(t, fixed.Exp(math.MinInt64))
}

func TestAShareIsALogisticCurve(t *testing.T) {
	require.Equal(t, uint64(500_000), fixed.Share(0))
	require.Zero(t, fixed.Share(-20_000))
	require.Equal(t, uint64(1_000_000), fixed.Share(99_000))
	for x := int64(-9_000); x <= 9_000; x += 13 {
		e := math.Exp(float64(x) / 1000)
		require.InDelta(t, 1e6*e/(1+e), float64(fixed.Share(x)), 60, x)
	}
}

func TestAnExcessIsThatOfPoisson(t *testing.T) {
	require.Zero(t, fixed.Excess(500, 500))
	require.Zero(t, fixed.Excess(5000, 0))
	require.InDelta(t, 1000*(20*math.Log(20/0.5)-19.5), float64(fixed.Excess(20_000, 500)), 30)
}

func TestALogarithmOfASumIsThatOfFloats(t *testing.T) {
	for a := int64(-30_000); a <= 30_000; a += 977 {
		for _, far := range []int64{0, 1, 250, 693, 3_000, 13_999, 14_000, 14_001, 90_000} {
			want := float64(a) + 1000*math.Log1p(math.Exp(-float64(far)/1000))
			require.InDelta(t, want, float64(fixed.LnSum(a, a-far)), 1.2, "%d and %d", a, a-far)
			require.Equal(t, fixed.LnSum(a, a-far), fixed.LnSum(a-far, a))
		}
	}
	require.Equal(t, int64(693), fixed.LnSum(0, 0))
	const noScore = -1 << 62
	require.Equal(t, int64(1234), fixed.LnSum(noScore, 1234), "what has no score adds nothing")
	require.Zero(t, fixed.LnSum(0, noScore))
	require.LessOrEqual(t, fixed.LnSum(noScore, noScore), int64(noScore)+1000)
}
