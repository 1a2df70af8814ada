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
