package render

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tocsin-noc/tocsin/history/reports"
	"github.com/tocsin-noc/tocsin/internal/terminal"
)

// trend is one line of a chart: a value for each bucket, in order.
type trend struct {
	name    string
	unit    reports.Unit
	buckets []time.Time
	values  []*float64 // nil where there is none
	lo, hi  []*float64 // ends of the interval; empty where there is no such column
}

const maxTrends = 8 // lines in one picture

// series reads what a line chart draws out of a result: one line per figure, or per value of the column By, those with the greatest sum first.
func series(r *reports.Result, c reports.Chart) []trend {
	at := index(r.Columns, "bucket")
	if at < 0 {
		return nil
	}
	by := index(r.Columns, c.By)
	var all []trend
	for _, name := range c.Figures {
		column := index(r.Columns, name)
		lo, hi := Interval(name)
		l, h := index(r.Columns, lo), index(r.Columns, hi)
		for _, row := range r.Table.Rows {
			start, ok := row[at].(time.Time)
			if !ok || !draws(r, c, row) {
				continue
			}
			key := strings.ReplaceAll(name, "_", " ")
			if by >= 0 {
				key = terminal.Clean(fmt.Sprint(row[by]))
			}
			i := slices.IndexFunc(all, func(t trend) bool { return t.name == key })
			if i < 0 {
				i = len(all)
				all = append(all, trend{name: key, unit: r.Columns[column].Unit})
			}
			t := &all[i]
			t.buckets, t.values = append(t.buckets, start), append(t.values, float(row[column]))
			if l >= 0 && h >= 0 {
				t.lo, t.hi = append(t.lo, float(row[l])), append(t.hi, float(row[h]))
			}
		}
	}
	if by >= 0 {
		slices.SortStableFunc(all, func(a, b trend) int { return -cmpFloat(a.sum(), b.sum()) })
	}
	return all[:min(len(all), maxTrends)]
}

func (t *trend) sum() (sum float64) {
	for _, v := range t.values {
		if v != nil {
			sum += *v
		}
	}
	return sum
}

func cmpFloat(a, b float64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

func float(value any) *float64 {
	if f, ok := number(value); ok {
		return &f
	}
	return nil
}

// chosen returns the rows that a chart of labels draws: of the whole period, those that it asks for.
func chosen(r *reports.Result, c reports.Chart) [][]any {
	at := index(r.Columns, "bucket")
	var rows [][]any
	for _, row := range r.Table.Rows {
		if (at < 0 || row[at] == nil) && draws(r, c, row) {
			rows = append(rows, row)
		}
	}
	return rows
}

// draws tells whether a chart draws a row.
func draws(r *reports.Result, c reports.Chart, row []any) bool {
	for _, w := range c.Where {
		if i := index(r.Columns, w.Column); i < 0 || fmt.Sprint(row[i]) != w.Value {
			return false
		}
	}
	return true
}

// label joins the values of a chart's labels.
func label(r *reports.Result, names []string, row []any) string {
	loc := location(r)
	var parts []string
	for _, name := range names {
		if i := index(r.Columns, name); i >= 0 {
			if text := terminal.Clean(Cell(row[i], r.Columns[i], loc)); text != "" && text != none {
				parts = append(parts, text)
			}
		}
	}
	return strings.Join(parts, " · ")
}
