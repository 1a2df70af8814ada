package pairs

import (
	"cmp"
	"encoding/csv"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

const telecom = "../../../shared/data/alarms-18v"

// table reads a CSV file of numbers, without its heading.
func numbers(tb testing.TB, name string) [][]int64 {
	tb.Helper()
	file, err := os.Open(filepath.Join(telecom, name))
	if os.IsNotExist(err) {
		tb.Skip("the telecom alarms are not there")
	}
	require.NoError(tb, err)
	rows, err := csv.NewReader(file).ReadAll()
	require.NoError(tb, err)
	require.NoError(tb, file.Close())
	var out [][]int64
	for _, row := range rows[1:] {
		values := make([]int64, len(row))
		for i, text := range row {
			values[i], err = strconv.ParseInt(text, 10, 64)
			require.NoError(tb, err)
		}
		out = append(out, values)
	}
	return out
}

// precision is the average precision of a ranking against the pairs that are true.
func precision(ranked []Pair, truth map[[2]uint64]bool) float64 {
	found, sum := 0.0, 0.0
	for i, p := range ranked {
		if truth[[2]uint64{p.Parent, p.Child}] {
			found++
			sum += found / float64(i+1)
		}
	}
	return sum / float64(len(truth))
}

// The devices' topology is not in the data: pairs are of alarms on the same device. The experts' graph holds no pair of a type with
// itself.
func TestLearnedPairsOnTelecomAlarms(t *testing.T) {
	learned := New(Default())
	for _, row := range numbers(t, "alarms.csv") {
		learned.Observe(&Observation{
			Type: uint64(row[0]) + 1, Name: "alarm " + strconv.FormatInt(row[0], 10), CI: uint32(row[1]) + 1, At: row[2] * second, Resolution: second,
		})
	}
	truth := map[[2]uint64]bool{}
	for _, row := range numbers(t, "dag.csv") {
		truth[[2]uint64{uint64(row[0]) + 1, uint64(row[1]) + 1}] = true
	}
	require.Len(t, truth, 69)

	all := learned.View().All()
	by := func(score func(p Pair) int64) float64 {
		ranked := slices.Clone(all)
		slices.SortStableFunc(ranked, func(a, b Pair) int { return cmp.Compare(score(b), score(a)) })
		return precision(ranked, truth)
	}
	got := precision(all, truth)
	t.Logf("average precision %.3f; by ratio alone %.3f, by order alone %.3f, by credits %.3f, by buckets %.3f; chance %.3f", got,
		by(func(p Pair) int64 { return p.Ratio }), by(func(p Pair) int64 { return p.Order }),
		by(func(p Pair) int64 { return int64(p.Credits) }), by(func(p Pair) int64 { return int64(p.Buckets) }), 69.0/306)
	suggested, right, directed, rightDirected := 0, 0, 0, 0
	for _, p := range learned.View().List() {
		suggested++
		is := truth[[2]uint64{p.Parent, p.Child}]
		if is {
			right++
		}
		if p.Directed {
			directed++
			if is {
				rightDirected++
			}
		}
		if suggested <= 12 {
			t.Logf("%s, then %s: in the graph %v; %d buckets, %d CIs, credits %d, expected %d, back %d, ratio %d, order %d, decoys %d ‰, lag %d ms",
				p.ParentName, p.ChildName, is, p.Buckets, p.CIs, p.Credits, p.Expected, p.Back, p.Ratio, p.Order, p.DecoyRate, p.LagMS)
		}
	}
	t.Logf("suggested %d, %d of them in the graph; directed %d, %d of them in the graph; %+v", suggested, right, directed, rightDirected, learned.Counters())
	require.GreaterOrEqual(t, got, 0.55)
}
