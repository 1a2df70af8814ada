package api

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/event"
)

func TestAScoreIsToldAsSoManyTimesLikelierThanChance(t *testing.T) {
	needed := int64(math.Round(1000 * math.Log(10)))
	for _, test := range []struct {
		times float64
		want  string
	}{
		{.3, "no likelier than chance"}, {1, "1.0 times likelier than chance"}, {4.26, "4.2 times likelier than chance"},
		{9.999, "9.9 times likelier than chance"}, {10.001, "10 times likelier than chance"}, {34.6, "34 times likelier than chance"},
		{347, "340 times likelier than chance"}, {12_345, "12,000 times likelier than chance"}, {5e7, "over a million times likelier than chance"},
	} {
		require.Equal(t, test.want, likelier(int64(math.Round(1000*math.Log(test.times))), needed), test.times)
	}
	require.Equal(t, "10 is", isNeeded(needed))
	require.Equal(t, "10 times likelier than chance", likelier(needed-1, needed-1), "what was enough never seems to be too little")
	require.Equal(t, "once in 1,000", oneIn(7000))
	require.Equal(t, "less than once in a million", oneIn(20_000))
	require.Equal(t, "2.5", factor(int64(1000*math.Log(2.45))))
}

func TestAGapIsToldAsFarAsItIsKnown(t *testing.T) {
	for want, got := range map[string]string{
		"at the same moment": apart(900, "before"), "12 s before": apart(12_900, "before"), "within 12 s of it": apart(12*event.Second, ""),
		"119 s after": apart(119*event.Second, "after"), "4m before": apart(4*event.Minute, "before"),
	} {
		require.Equal(t, want, got)
	}
}

func TestWhatExplainsAnItemIsToldToBeBeforeOrAfterOnlyWhereThatIsKnown(t *testing.T) {
	p := newPast()
	p.spoke[7] = []event.Time{1_000_000}
	for _, test := range []struct {
		at, gap event.Time
		want    string
	}{{1_012_000, 12_000, "before"}, {990_000, 10_000, "after"}, {1_012_000, 5_000, ""}} {
		require.Equal(t, test.want, p.orderOf(&event.Placement{From: 7, At: test.at, Gap: test.gap}))
	}
}
