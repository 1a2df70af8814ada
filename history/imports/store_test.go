package imports

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/history/clickhouse"
)

// faulty is a history that fails from its n-th write on.
type faulty struct {
	*clickhouse.DB
	left int
}

var errCut = errors.New("cut off")

func (f *faulty) spend() error {
	if f.left--; f.left < 0 {
		return errCut
	}
	return nil
}

func (f *faulty) Exec(ctx context.Context, sql string, params map[string]string) error {
	if err := f.spend(); err != nil {
		return err
	}
	return f.DB.Exec(ctx, sql, params)
}

func (f *faulty) Insert(ctx context.Context, table string, columns []clickhouse.Column) error {
	if err := f.spend(); err != nil {
		return err
	}
	return f.DB.Insert(ctx, table, columns)
}

func (f *faulty) Recompute(ctx context.Context, origin string, shard uint32, incidents []uint64) error {
	if err := f.spend(); err != nil {
		return err
	}
	return f.DB.Recompute(ctx, origin, shard, incidents)
}

// TestAnImportThatIsCutOffAnywhereIsFinishedByTheNext fails the second import of an origin at each of its writes, imports again, and
// compares with an import that was not cut off.
func TestAnImportThatIsCutOffAnywhereIsFinishedByTheNext(t *testing.T) {
	db := opened(t)
	m := mapOf(t, "servicenow", Override{})
	const header = "number,opened_at,resolved_at,closed_at,state,priority,assignment_group\n"
	first, second := header, header
	for i := range 12 {
		row := fmt.Sprintf("INC%02d,2026-10-%02d 08:00:00,2026-10-%02d 09:00:00,2026-10-20 09:00:00,Closed,3,dba\n", i, i+1, i+1)
		if first += row; i%3 == 0 { // the second file tells every third otherwise, and leaves another out
			row = strings.ReplaceAll(row, "09:00:00", "10:00:00")
		}
		if i%3 != 1 {
			second += row
		}
	}
	second += strings.ReplaceAll(strings.TrimPrefix(first, header), "INC0", "NEW0")
	tables := func(origin string) (all [][][]any) {
		for _, sql := range []string{
			`SELECT number, n, toString(at), kind, phase, team, toString(resolved_at) FROM incident_versions FINAL WHERE origin = '%s' ORDER BY number, at, n`,
			`SELECT number, phase, team, toString(resolved_at), reassignments, reopen_count, signature FROM incidents FINAL WHERE origin = '%s' ORDER BY number`,
			`SELECT number, digest FROM imports FINAL WHERE origin = '%s' AND incident != 0 ORDER BY number`,
		} {
			all = append(all, ask(t, db, fmt.Sprintf(sql, origin)))
		}
		return all
	}
	as := func(origin string) func(*Input) { return func(in *Input) { in.Origin = origin } }
	bring(t, db, m, first, as("whole"))
	bring(t, db, m, second, as("whole"))
	want := tables("whole")
	require.Len(t, want[1], 22)
	for n := 0; ; n++ {
		origin := fmt.Sprintf("cut-%d", n)
		bring(t, db, m, first, as(origin))
		_, err := New(&faulty{db, n}).Run(t.Context(), Input{Map: m, Body: strings.NewReader(second), Origin: origin, Tenant: "main", Now: now})
		if err == nil {
			require.Equal(t, 5, n, "writes of an import: versions, digests, what was replaced, computing, the mark")
			break
		}
		require.ErrorIs(t, err, errCut)
		bring(t, db, m, second, as(origin))
		require.Equal(t, want, tables(origin), "cut off at write %d", n)
	}
}

func TestOneImportRunsAtATime(t *testing.T) {
	x := New(nil)
	x.turn <- struct{}{}
	_, err := x.Run(t.Context(), Input{Origin: "old"})
	require.ErrorIs(t, err, ErrBusy)
	<-x.turn
	_, err = x.Run(t.Context(), Input{Origin: "../old"})
	require.EqualError(t, err, `"../old" cannot be the name of an import; letters, digits and ._- as in servicenow-2026, at most 64`)
}

func TestYearsOfIncidentsGoInWhateverTheEngineTakesAtOnce(t *testing.T) {
	db := opened(t)
	var b strings.Builder
	b.WriteString("number,opened_at,resolved_at,closed_at,state\n")
	for year := 1995; year < 2026; year++ {
		for month := 1; month <= 12; month++ {
			fmt.Fprintf(&b, "INC%d-%d,%d-%02d-03 04:05:06,%d-%02d-03 05:05:06,%d-%02d-09 05:05:06,Closed\n", year, month, year, month, year, month, year, month)
		}
	}
	out := bring(t, db, mapOf(t, "servicenow", Override{}), b.String())
	require.Equal(t, []any{372, 372, []Flag{{flagNoPriority, 372}}}, []any{out.Incidents, out.New, out.Flags})
	require.Equal(t, [][]any{{uint64(372)}}, ask(t, db, "SELECT count() FROM incidents FINAL WHERE resolved_at = opened_at + 3600"))
}
