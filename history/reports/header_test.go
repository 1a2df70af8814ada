package reports

import (
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const good = `-- id: R8
-- name: x
-- title: Title
-- question: Question?
-- anchor: opened
-- population: all,
--   but some
-- zone: not used
-- formula: a / b
-- columns:
--   bucket | bucket | period
--   n | count | all
-- items:
--   number | text | incident
-- chart: line bucket: n
-- packs: monthly
SELECT 1
-- list
SELECT 2
`

func TestAHeaderIsReadStrictly(t *testing.T) {
	r, err := parse("r08_x.sql", good, nil)
	require.NoError(t, err)
	require.Equal(t, "all, but some", r.Population)
	require.Equal(t, []Column{{"bucket", Bucket, "period"}, {"n", Count, "all"}}, r.Columns)
	require.Equal(t, []Chart{{Kind: Line, Labels: []string{"bucket"}, Figures: []string{"n"}}}, r.Charts)
	require.Equal(t, "SELECT 1", r.SQL())
	require.Equal(t, "SELECT 2", r.ListSQL())
	for want, change := range map[string][2]string{
		"header: unknown key author":                {"-- title: Title", "-- title: Title\n-- author: me"},
		"header: zone is missing":                   {"-- zone: not used\n", ""},
		"header: title stands twice":                {"-- title: Title", "-- title: Title\n-- title: Title"},
		"is no line of the form -- key: value":      {"-- title: Title", "-- Title"},
		"header: id: must be R and a number":        {"-- id: R8", "-- id: 8"},
		"name: the file must end in y.sql":          {"-- name: x", "-- name: y"},
		"unknown unit \"apples\"":                   {"n | count", "n | apples"},
		"is not of the form name | unit | meaning":  {"n | count | all", "n | count"},
		"no column is called z":                     {"line bucket: n", "line bucket: z"},
		"line: is drawn over bucket, not over n":    {"line bucket: n", "line n: n"},
		"heat: needs two labels":                    {"line bucket: n", "heat bucket: n"},
		"no line \"-- list\"":                       {"-- list\n", ""},
		"no fragment is called \"nothing\"":         {"SELECT 1", "SELECT {{nothing}}"},
		"without a semicolon":                       {"SELECT 2", "SELECT 2;"},
		"parameter {from:DateTime64(3)}: must be":   {"SELECT 1", "SELECT {from:DateTime64(3)}"},
		"parameter {secret:String}: must be one of": {"SELECT 1", "SELECT {secret:String}"},
		"a report with SQL waits for nothing":       {"-- packs: monthly", "-- waits: facts"},
	} {
		_, err := parse("r08_x.sql", strings.Replace(good, change[0], change[1], 1), nil)
		require.ErrorContains(t, err, want)
		require.ErrorContains(t, err, "sql/r08_x.sql")
	}
}

func TestFragmentsArePutInWithTheirArguments(t *testing.T) {
	all, err := readFragments("-- Text.\n\n-- fragment: half(x)\n-- Why.\n($x / 2)\n\n-- fragment: quarter(x)\n{{half {{half $x}}}}\n-- fragment: scope\n(a = {zone:String}\n  AND b)\n")
	require.NoError(t, err)
	for in, want := range map[string]string{
		"SELECT {{half n}}":                "SELECT (n / 2)",
		"{{quarter f(a, b)}}":              "((f(a, b) / 2) / 2)",
		"{{half {zone:String}}}":           "({zone:String} / 2)",
		"  WHERE {{scope}} AND {{half 1}}": "  WHERE (a = {zone:String}\n    AND b) AND (1 / 2)",
	} {
		got, err := all.expand(in)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	for in, want := range map[string]string{"{{half}}": "0 arguments given", "{{half a, b}}": "2 arguments given", "{{half a": "has no end", "{{what a}}": "no fragment"} {
		_, err := all.expand(in)
		require.ErrorContains(t, err, want)
	}
	_, err = readFragments("-- fragment: a\n1\n-- fragment: a\n2\n")
	require.ErrorContains(t, err, "a stands twice")
	_, err = readFragments("-- fragment: Bad Name\n1\n")
	require.ErrorContains(t, err, "is not of the form")
	loop, err := readFragments("-- fragment: a\n{{a}}\n")
	require.NoError(t, err)
	_, err = loop.expand("{{a}}")
	require.ErrorContains(t, err, "more than 8 times")
}

// TestTheIntervalOfTheMedianCovers holds the rank that p50_lo takes against the binomial distribution: the interval from that rank to its
// mirror covers the median with at least 94.8 %, and with ranks one closer to the middle it would cover it with less than 95.2.
func TestTheIntervalOfTheMedianCovers(t *testing.T) {
	covers := func(n, l int) float64 { // 1 − 2·P(X < l), X binomial with one half
		below, logHalf := 0.0, float64(n)*math.Log(0.5)
		for k := range l {
			a, _ := math.Lgamma(float64(n + 1))
			b, _ := math.Lgamma(float64(k + 1))
			c, _ := math.Lgamma(float64(n - k + 1))
			below += math.Exp(a - b - c + logHalf)
		}
		return 1 - 2*below
	}
	for n := 6; n <= 3000; n++ {
		l := int(math.Floor((float64(n)+1)/2 - 0.979982*math.Sqrt(float64(n))))
		require.Positive(t, l)
		require.GreaterOrEqual(t, covers(n, l), 0.948, "n = %d", n)
		require.Less(t, covers(n, l+1), 0.952, "n = %d", n)
	}
}
