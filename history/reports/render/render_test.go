package render

import (
	"bytes"
	"encoding/csv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/history"
	"github.com/tocsin-noc/tocsin/history/reports"
	"github.com/tocsin-noc/tocsin/internal/terminal"
)

const hostile = "=HYPERLINK(\"http://x\")<script>alert(1)</script>\x1b[31m\u202Egnp"

// trendOf is a result with a trend: a whole period, four days, the third of them empty.
func trendOf() *reports.Result {
	columns := []reports.Column{
		{Name: "bucket", Unit: reports.Bucket, Meaning: "period"}, {Name: "stratum", Unit: reports.Text, Meaning: "who"}, {Name: "n", Unit: reports.Count, Meaning: "incidents"},
		{Name: "p50", Unit: reports.Seconds, Meaning: "median"}, {Name: "p50_lo", Unit: reports.Seconds, Meaning: "lower end"}, {Name: "p50_hi", Unit: reports.Seconds, Meaning: "upper end"},
		{Name: "share", Unit: reports.Ratio, Meaning: "share"}, {Name: "lo", Unit: reports.Ratio, Meaning: "lower end"}, {Name: "hi", Unit: reports.Ratio, Meaning: "upper end"},
		{Name: "last_at", Unit: reports.Time, Meaning: "last"},
	}
	day := func(n int) time.Time { return time.Date(2026, 3, n, 0, 0, 0, 0, time.UTC) }
	at := time.Date(2026, 3, 29, 1, 30, 0, 0, time.UTC)
	return &reports.Result{
		Report: &reports.Report{
			ID: "R8", Name: "mtta", Title: "Time to acknowledge <b>", Question: "How long?", Anchor: "opened", Population: "all", Formula: "a − b", Zone: "buckets", Columns: columns,
			Charts: []reports.Chart{
				{Kind: reports.Line, Labels: []string{"bucket"}, Figures: []string{"p50"}}, {Kind: reports.Bars, Labels: []string{"stratum"}, Figures: []string{"share"}},
				{Kind: reports.Heat, Labels: []string{"n", "stratum"}, Figures: []string{"p50"}},
			},
		},
		Params: reports.Params{From: day(1), To: day(5), Zone: "Europe/Berlin", Bucket: "day", Team: "db"}, Columns: columns, SQL: "SELECT '</pre>', {from:DateTime64(3, 'UTC')}",
		Table: &history.Table{Rows: [][]any{
			{nil, hostile, uint64(1234567), 552.0, 420.0, 720.0, 0.371, 0.35, 0.394, at},
			{day(1), hostile, uint64(3), 60.0, 30.0, 70.0, 0.5, 0.2, 0.8, at},
			{day(2), hostile, uint64(4), 90.5, 50.0, 100.0, 0.00016, 0.0001, 0.0002, nil},
			{day(3), hostile, uint64(0), nil, nil, nil, nil, nil, nil, nil},
			{day(4), hostile, uint64(5), 7200.0, 60.0, 90000.0, 1.0, 0.9, 1.0, at},
		}},
	}
}

func TestValuesAreWrittenInTheirUnits(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	require.NoError(t, err)
	for _, c := range []struct {
		value any
		unit  reports.Unit
		want  string
	}{
		{552.0, reports.Seconds, "9m 12s"}, {0.4, reports.Seconds, "0.4s"}, {59.6, reports.Seconds, "1m"}, {90000.0, reports.Seconds, "1d 1h"}, {-30.0, reports.Seconds, "-30s"}, {uint32(60), reports.Seconds, "1m"},
		{0.371, reports.Ratio, "37.1 %"}, {0.00016, reports.Ratio, "0.016 %"}, {0.0, reports.Ratio, "0.0 %"}, {12.5, reports.Ratio, "1,250.0 %"},
		{uint64(1234567), reports.Count, "1,234,567"}, {int64(-1234), reports.Count, "-1,234"}, {uint8(7), reports.Count, "7"}, {3.14159, reports.Number, "3.142"},
		{nil, reports.Seconds, "–"}, {nil, reports.Bucket, "all"}, {true, reports.Flag, "yes"}, {uint8(0), reports.Flag, "no"},
		{time.Date(2026, 3, 29, 1, 30, 0, 0, time.UTC), reports.Time, "2026-03-29 03:30:00"}, {time.Date(2026, 3, 29, 0, 0, 0, 0, time.UTC), reports.Bucket, "2026-03-29"},
	} {
		require.Equal(t, c.want, Cell(c.value, reports.Column{Unit: c.unit}, berlin), "%v", c)
	}
}

func TestATableFitsTheTerminalAndOnlyReads(t *testing.T) {
	for _, width := range []int{0, 200, 100, 60, 20} {
		var b bytes.Buffer
		require.NoError(t, Table(&b, trendOf(), TableOptions{Width: width}))
		text := b.String()
		require.NotContains(t, text, "\x1b")
		require.NotContains(t, text, "\u202E")
		if width == 0 {
			require.Contains(t, text, "9m 12s [7m–12m]")
			require.Contains(t, text, "37.1 % [35.0–39.4 %]")
			require.Contains(t, text, "▁▁ █", "a gap where there is nothing")
			continue
		}
		for line := range strings.Lines(text) {
			if !strings.Contains(line, "terminal is too narrow") {
				require.LessOrEqual(t, terminal.Width(strings.TrimSuffix(line, "\n")), max(width, 62), "%d: %s", width, line)
			}
		}
	}
	var b bytes.Buffer
	require.NoError(t, Table(&b, trendOf(), TableOptions{Width: 60}))
	require.Contains(t, b.String(), "the terminal is too narrow")
}

func TestCSVIsForMachinesAndNoFormula(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, CSV(&b, trendOf()))
	require.Contains(t, b.String(), "\r\n")
	rows, err := csv.NewReader(&b).ReadAll()
	require.NoError(t, err)
	require.Len(t, rows, 6)
	require.Equal(t, []string{"bucket", "stratum", "n", "p50"}, rows[0][:4])
	require.Equal(t, []string{"", "'" + hostile, "1234567", "552", "420", "720", "0.371", "0.35", "0.394", "2026-03-29T01:30:00.000Z"}, rows[1])
	require.Equal(t, "2026-03-03", rows[4][0])
	require.Empty(t, rows[4][3])
	for text, want := range map[string]string{"+1": "'+1", "-1": "'-1", "@x": "'@x", "\tx": "'\tx", "a=b": "a=b", "": ""} {
		require.Equal(t, want, plain(text, reports.Column{Unit: reports.Text}))
	}
	require.Equal(t, "-1.5", plain(-1.5, reports.Column{Unit: reports.Seconds}), "a number is none")
}

func TestWhatJSONWroteIsReadAgain(t *testing.T) {
	r := trendOf()
	var b bytes.Buffer
	require.NoError(t, JSON(&b, r))
	back, err := ReadJSON(b.Bytes())
	require.NoError(t, err)
	var first, second bytes.Buffer
	require.NoError(t, Table(&first, r, TableOptions{}))
	require.NoError(t, Table(&second, back, TableOptions{}))
	require.Equal(t, first.String(), second.String())
	_, err = ReadJSON([]byte(`{"columns":[{"name":"a"}],"rows":[[1,2]]}`))
	require.ErrorContains(t, err, "2 values for 1 columns")
}

func TestAPageIsWholeAndHarmless(t *testing.T) {
	items := &reports.Result{
		Report: trendOf().Report, Params: trendOf().Params, List: true, Total: 12345, Columns: []reports.Column{{Name: "title", Unit: reports.Text, Meaning: "title"}},
		Table: &history.Table{Rows: [][]any{{hostile}}},
	}
	var b bytes.Buffer
	require.NoError(t, HTML(&b, trendOf(), items))
	page := b.String()
	require.NotContains(t, page, "<script")
	require.NotContains(t, page, "<b>")
	require.NotContains(t, page, "\u202E")
	for _, outside := range []string{"src=", "href=", "@import", "url("} {
		require.NotContains(t, page, outside)
	}
	for _, want := range []string{"<svg", "prefers-color-scheme: dark", "@media print", "1 of 12,345", "SET param_from", "&lt;/pre&gt;", "team db", "9m 12s", "[7m–12m]", "polygon"} {
		require.Contains(t, page, want)
	}
	require.NotContains(t, page, "NaN")
	require.Equal(t, 3, strings.Count(page, "<svg"))
}

func TestPicturesOfNothingSaySo(t *testing.T) {
	r := trendOf()
	r.Table.Rows = nil
	for _, c := range r.Report.Charts {
		require.Contains(t, SVG(r, c), "Nothing to draw")
	}
	r.Table.Rows = [][]any{{time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC), "x", uint64(0), nil, nil, nil, nil, nil, nil, nil}}
	require.NotContains(t, SVG(r, r.Report.Charts[0]), "NaN")
}

func TestAxesHaveRoundTicks(t *testing.T) {
	require.Equal(t, []float64{0, 120, 240, 360, 480}, ticks(420, reports.Seconds))
	require.Equal(t, []float64{0, 1}, ticks(1, reports.Count))
	require.Equal(t, []float64{0, 86400, 172800, 259200}, ticks(200000, reports.Seconds))
	require.Equal(t, 0.4, ticks(0.371, reports.Ratio)[4])
	require.NotEmpty(t, ticks(0, reports.Ratio))
}
