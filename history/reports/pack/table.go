package pack

import (
	"fmt"
	"slices"

	"github.com/tocsin-noc/tocsin/history"
	"github.com/tocsin-noc/tocsin/history/reports"
)

// halves cuts a result into the rows of the whole period and those by bucket. Of the latter only what the charts draw is kept: all strata
// of all days are what the export is for.
func halves(r *reports.Result) (whole, parts *reports.Result) {
	bucket := r.Table.Index("bucket")
	if bucket < 0 {
		return r, with(r, nil)
	}
	var all, cut [][]any
	for _, row := range r.Table.Rows {
		switch {
		case row[bucket] == nil:
			all = append(all, row)
		case drawn(r, row):
			cut = append(cut, row)
		}
	}
	return with(r, all), with(r, cut)
}

// shows tells whether a chart has anything to draw: an empty frame is no picture.
func shows(r *reports.Result, c reports.Chart) bool {
	bucket := r.Table.Index("bucket")
	for _, row := range r.Table.Rows {
		if bucket >= 0 && (row[bucket] == nil) == (c.Kind == reports.Line) || !fits(r, c, row) {
			continue
		}
		for _, name := range c.Figures {
			if f, ok := cell(r, row, name); ok && f != 0 {
				return true
			}
		}
	}
	return false
}

// fits tells whether a chart is about the row.
func fits(r *reports.Result, c reports.Chart, row []any) bool {
	return !slices.ContainsFunc(c.Where, func(w reports.Where) bool {
		i := r.Table.Index(w.Column)
		return i < 0 || fmt.Sprint(row[i]) != w.Value
	})
}

// drawn tells whether a line of the report's charts goes through the row.
func drawn(r *reports.Result, row []any) bool {
	return slices.ContainsFunc(r.Report.Charts, func(c reports.Chart) bool { return c.Kind == reports.Line && fits(r, c, row) })
}

// with returns a result with other rows.
func with(r *reports.Result, rows [][]any) *reports.Result {
	out := *r
	out.Table = &history.Table{Columns: r.Table.Columns, Rows: rows}
	return &out
}

// slim drops the columns in which no row has anything: half a table of dashes tells nobody anything.
func slim(r *reports.Result) *reports.Result {
	var kept []int
	for i := range r.Columns {
		if slices.ContainsFunc(r.Table.Rows, func(row []any) bool { return row[i] != nil && row[i] != "" }) {
			kept = append(kept, i)
		}
	}
	if len(kept) == 0 || len(kept) == len(r.Columns) {
		return r
	}
	out := with(r, nil)
	out.Columns, out.Table.Columns = nil, nil
	for _, i := range kept {
		out.Columns, out.Table.Columns = append(out.Columns, r.Columns[i]), append(out.Table.Columns, r.Table.Columns[i])
	}
	for _, row := range r.Table.Rows {
		var cut []any
		for _, i := range kept {
			cut = append(cut, row[i])
		}
		out.Table.Rows = append(out.Table.Rows, cut)
	}
	return out
}

// find returns the first row whose columns have these values, "" for that of the whole period.
func find(r *reports.Result, where map[string]string) []any {
	if r == nil {
		return nil
	}
	for _, row := range r.Table.Rows {
		meant := true
		for name, want := range where {
			i := r.Table.Index(name)
			meant = meant && i >= 0 && (row[i] == nil && want == "" || row[i] != nil && fmt.Sprint(row[i]) == want)
		}
		if meant {
			return row
		}
	}
	return nil
}

// cell returns a figure of a row, and whether there is one.
func cell(r *reports.Result, row []any, column string) (float64, bool) {
	i := -1
	if r != nil {
		i = r.Table.Index(column)
	}
	if i < 0 || row == nil {
		return 0, false
	}
	switch v := row[i].(type) {
	case float64:
		return v, true
	case uint64:
		return float64(v), true
	case int64:
		return float64(v), true
	case uint32:
		return float64(v), true
	case uint8:
		return float64(v), true
	}
	return 0, false
}
