package reports

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/tocsin-noc/tocsin/history"
)

// MaxItems is how many rows of the list behind a report are returned.
const MaxItems = 10_000

// Result is what a report says of a period.
type Result struct {
	Report  *Report
	Params  Params // with the defaults put in
	Columns []Column
	Table   *history.Table // its columns are Columns, in order; no value is a NaN
	SQL     string         // that was run
	List    bool           // it is the list behind a report's numbers
	Total   uint64         // of a list: rows there are, of which Table holds at most MaxItems
	Took    time.Duration
}

// Run asks a report.
func (c *Catalogue) Run(ctx context.Context, q history.Querier, name string, p Params) (*Result, error) {
	r, p, err := c.prepare(name, p)
	if err != nil {
		return nil, err
	}
	return ask(ctx, q, &Result{Report: r, Params: p, Columns: r.Columns, SQL: r.sql})
}

// Items asks for the list behind a report: one row for each incident, alert or whatever it counts.
func (c *Catalogue) Items(ctx context.Context, q history.Querier, name string, p Params) (*Result, error) {
	return c.Top(ctx, q, name, p, MaxItems)
}

// Top is Items with at most so many rows; Total still says how many there are.
func (c *Catalogue) Top(ctx context.Context, q history.Querier, name string, p Params, limit int) (*Result, error) {
	r, p, err := c.prepare(name, p)
	if err != nil {
		return nil, err
	}
	start := time.Now()
	result, err := ask(ctx, q, &Result{Report: r, Params: p, Columns: r.Items, List: true, SQL: fmt.Sprintf("%s\nLIMIT %d", r.list, limit)})
	if err != nil {
		return nil, err
	}
	if result.Total = uint64(len(result.Table.Rows)); result.Total == uint64(limit) { // there may be more
		count, err := q.Query(ctx, "SELECT count() FROM\n(\n"+r.list+"\n)", p.values())
		if err != nil {
			return nil, fmt.Errorf("reports: %s: %w", r.Name, err)
		}
		if len(count.Rows) == 1 && len(count.Rows[0]) == 1 {
			total, _ := count.Rows[0][0].(uint64)
			result.Total = max(total, result.Total) // rows may have gone between the two
		}
	}
	result.Took = time.Since(start)
	return result, nil
}

// prepare finds a report and checks what it is asked for.
func (c *Catalogue) prepare(name string, p Params) (*Report, Params, error) {
	r, err := c.Find(name)
	if err != nil {
		return nil, p, err
	}
	if r.Waits != "" {
		return nil, p, fmt.Errorf("%w: %s waits for %s", ErrWaits, r.Name, r.Waits)
	}
	p, err = p.check()
	return r, p, err
}

// ask runs the statement of a result and holds the answer against the columns that were promised.
func ask(ctx context.Context, q history.Querier, result *Result) (*Result, error) {
	start := time.Now()
	t, err := q.Query(ctx, result.SQL, result.Params.values())
	if err != nil {
		return nil, fmt.Errorf("reports: %s: %w", result.Report.Name, err)
	}
	result.Took = time.Since(start)
	if len(t.Rows) == 0 && len(t.Columns) == 0 { // an answer without rows may come without its columns
		for _, c := range result.Columns {
			t.Columns = append(t.Columns, history.Column{Name: c.Name})
		}
	}
	if len(t.Columns) != len(result.Columns) {
		return nil, fmt.Errorf("reports: %s: %d columns came back, its header names %d", result.Report.Name, len(t.Columns), len(result.Columns))
	}
	for i, c := range result.Columns {
		if t.Columns[i].Name != c.Name {
			return nil, fmt.Errorf("reports: %s: column %d came back as %q, its header names it %q", result.Report.Name, i+1, t.Columns[i].Name, c.Name)
		}
	}
	for _, row := range t.Rows {
		for i, value := range row {
			if f, ok := value.(float64); ok && (math.IsNaN(f) || math.IsInf(f, 0)) {
				row[i] = nil
			}
		}
	}
	result.Table = t
	return result, nil
}
