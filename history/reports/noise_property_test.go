package reports_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/history/reports"
)

// noiseReports are the reports on noise: which columns name a row, the same once more without an engine, and how many rows of the
// list a number of the report stands for (nil where the list has rows of another kind).
func noiseReports() map[string]struct {
	keys  []string
	dumb  func(*deaf) figures
	count func(*reports.Result) int
} {
	type report = struct {
		keys  []string
		dumb  func(*deaf) figures
		count func(*reports.Result) int
	}
	first := func(name string) func(*reports.Result) int {
		return func(r *reports.Result) int {
			n, _ := number(r.Table.Rows[0][r.Table.Index(name)])
			return int(n)
		}
	}
	return map[string]report{
		"funnel":        {[]string{"bucket"}, (*deaf).funnel, first("incidents")},
		"suppression":   {[]string{"bucket", "effect", "reason"}, (*deaf).suppression, nil},
		"grouping":      {[]string{"bucket"}, (*deaf).grouping, first("groups")},
		"correlation":   {[]string{"bucket", "stratum"}, (*deaf).correlation, first("reviewed")},
		"actionability": {[]string{"bucket", "outcome"}, (*deaf).actionability, first("n")},
		"binding":       {[]string{"bucket", "binding"}, (*deaf).binding, nil},
		"item_quality":  {[]string{"finding"}, (*deaf).itemQuality, nil},
		"unwatched":     {[]string{"class"}, (*deaf).unwatched, first("unwatched")},
		"chronic_noise": {[]string{"name", "item"}, (*deaf).chronic, func(r *reports.Result) int { return len(r.Table.Rows) }},
		"noise_pareto":  {[]string{"name", "item"}, (*deaf).pareto, func(r *reports.Result) int { return len(r.Table.Rows) }},
		"noise_hours":   {[]string{"weekday", "hour"}, (*deaf).hours, nil},
		"noise_seasons": {[]string{"name", "season"}, (*deaf).seasons, nil},
		"noise_rules":   {[]string{"name", "minutes"}, (*deaf).rules, nil},
		"blindness":     {[]string{"source", "name"}, (*deaf).blindness, first("n")},
	}
}

// sums are the reports whose list has a column that adds up to a number of the report.
var sums = map[string][2]string{"suppression": {"n", "events"}, "binding": {"n", "alerts"}, "noise_hours": {"n", "opened"}, "noise_pareto": {"n", "events"}, "chronic_noise": {"n", "events"}}

func TestEveryNoiseFigureIsThatOfADumbCalculationOverRandomHistories(t *testing.T) {
	s := openStore(t)
	catalogue, err := reports.Open()
	require.NoError(t, err)
	all := &din{}
	dins := make([]*din, seeds())
	for seed := range dins {
		dins[seed] = randomDin(uint64(seed))
		all.add(dins[seed])
	}
	s.fill(all)
	for name, report := range noiseReports() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rows, took := 0, time.Duration(0)
			for seed, d := range dins {
				p := randomParams(uint64(seed))
				p.Person = ""
				result, err := catalogue.Run(t.Context(), s, name, p)
				require.NoError(t, err)
				if found := differences(keyed(result, report.keys), report.dumb(newDeaf(d, p))); len(found) > 0 {
					t.Fatalf("seed %d, %+v:\n%s", seed, p, strings.Join(found[:min(len(found), 20)], "\n"))
				}
				rows += len(result.Table.Rows)
				took += result.Took
				if seed%5 > 2 {
					continue
				}
				items, err := catalogue.Items(t.Context(), s, name, p)
				require.NoError(t, err)
				require.Len(t, items.Table.Rows, int(items.Total))
				if report.count != nil {
					require.Len(t, items.Table.Rows, report.count(result), "seed %d: the list is what the number counts", seed)
				}
				if of := sums[name]; of[0] != "" && len(result.Table.Rows) > 0 {
					want, _ := number(result.Table.Rows[0][result.Table.Index(of[0])])
					sum := 0.0
					for _, row := range items.Table.Rows {
						x, _ := number(row[items.Table.Index(of[1])])
						sum += x
					}
					require.Equal(t, want, sum, "seed %d: the list adds up to the number", seed)
				}
			}
			t.Logf("%d rows, %v in the engine", rows, took.Round(time.Millisecond))
		})
	}
}
