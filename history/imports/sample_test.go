package imports

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// made is an incident of a made-up export, as its maker knows it.
type made struct {
	opened, resolved, closed time.Time // the zero time: it did not happen
	priority                 int
	team, ci                 string
	reopens, reassignments   int
}

// export makes up an export of ServiceNow with n incidents over some years.
func export(seed uint64, n int) (string, []made) {
	rng := rand.New(rand.NewPCG(seed, 1))
	const form = "2006-01-02 15:04:05"
	var b strings.Builder
	b.WriteString("\ufeffnumber;short_description;incident_state;opened_at;opened_by;resolved_at;resolved_by;closed_at;sys_updated_on;priority;assignment_group;assigned_to;cmdb_ci;category;subcategory;reassignment_count;reopen_count;close_notes;sys_class_name\r\n")
	list := make([]made, 0, n)
	at := time.Date(2023, 1, 1, 0, 0, 0, 0, time.UTC)
	for i := range n {
		at = at.Add(time.Duration(rng.Int64N(int64(2 * 3 * 365 * 24 * time.Hour / time.Duration(max(n, 1)))))).Truncate(time.Second)
		m := made{opened: at, priority: 1 + rng.IntN(5), team: fmt.Sprintf("Group %d", rng.IntN(70)), ci: fmt.Sprintf("host-%d", rng.IntN(3000))}
		state := "New"
		if rng.IntN(10) > 0 {
			m.resolved = at.Add(time.Duration(rng.ExpFloat64() * float64(9*time.Hour))).Truncate(time.Second)
			state = "Resolved"
			if rng.IntN(5) > 0 {
				m.closed, state = m.resolved.Add(5*24*time.Hour), "Closed"
			}
		}
		if rng.IntN(20) == 0 {
			m.reopens = 1 + rng.IntN(3)
		}
		if rng.IntN(3) == 0 {
			m.reassignments = 1 + rng.IntN(9)
		}
		write := func(t time.Time) string {
			if t.IsZero() {
				return "?"
			}
			return t.Format(form)
		}
		fmt.Fprintf(&b, "INC%07d;\"Disk \"\"%d\"\" of %s is full;\r\nplease look\";%s;%s;Caller %d;%s;User %d;%s;%s;%d - %s;%s;User %d;%s;Category %d;Subcategory %d;%d;%d;Größe geändert;incident\r\n",
			i, rng.IntN(9), m.ci, state, write(m.opened), rng.IntN(500), write(m.resolved), rng.IntN(200), write(m.closed), write(m.opened.Add(time.Hour)),
			m.priority, []string{"Critical", "High", "Moderate", "Low", "Planning"}[m.priority-1], m.team, rng.IntN(200), m.ci, rng.IntN(50), rng.IntN(200), m.reassignments, m.reopens)
		list = append(list, m)
	}
	return b.String(), list
}

// rank is the nearest-rank quantile of sorted seconds.
func rank(sorted []float64, part, whole int) float64 {
	return sorted[(len(sorted)*part+whole-1)/whole-1]
}

// TestTwentyThousandIncidentsCountAsTheirMakerCounts compares what reports read with figures that are computed from what was made up.
func TestTwentyThousandIncidentsCountAsTheirMakerCounts(t *testing.T) {
	const n = 20_000
	text, list := export(7, n)
	db := opened(t)
	out := bring(t, db, mapOf(t, "servicenow", Override{}), text)
	require.Equal(t, []any{n, n, n, 0, 0}, []any{out.Rows, out.Incidents, out.New, out.Rejected, out.Duplicates})
	require.Equal(t, []string{"sys_class_name"}, out.Unmapped)

	months := map[string]int{}
	byPriority, reopened, reassigned, bounced := [6][]float64{}, 0, 0, 0
	for _, m := range list {
		months[m.opened.Format("2006-01")]++
		if !m.resolved.IsZero() {
			byPriority[m.priority] = append(byPriority[m.priority], m.resolved.Sub(m.opened).Seconds())
		}
		if m.reopens > 0 {
			reopened++
		}
		if m.reassignments > 0 {
			reassigned++
		}
		bounced += m.reassignments
	}
	for _, row := range ask(t, db, "SELECT formatDateTime(opened_at, '%Y-%m') AS month, count() FROM incidents FINAL GROUP BY month") {
		require.Equal(t, months[row[0].(string)], int(row[1].(uint64)), row[0])
		delete(months, row[0].(string))
	}
	require.Empty(t, months)
	for _, row := range ask(t, db, `SELECT priority, arraySort(groupArray(dateDiff('millisecond', opened_at, resolved_at) / 1000)) FROM incidents FINAL
WHERE resolved_at IS NOT NULL GROUP BY priority ORDER BY priority`) {
		want := byPriority[row[0].(uint8)]
		slices.Sort(want)
		got := row[1].([]float64)
		require.Len(t, got, len(want))
		require.Equal(t, []float64{rank(want, 1, 2), rank(want, 9, 10)}, []float64{rank(got, 1, 2), rank(got, 9, 10)}, "priority %v", row[0])
	}
	require.Equal(t, [][]any{{uint64(reopened), uint64(reassigned), uint64(bounced)}},
		ask(t, db, "SELECT countIf(reopen_count > 0), countIf(reassignments > 0), sum(reassignments) FROM incidents FINAL"))

	again := bring(t, db, mapOf(t, "servicenow", Override{}), text)
	require.Equal(t, []int{n, n, 0}, []int{again.Incidents, again.Unchanged, again.Versions})
}

func BenchmarkAMillionIncidentsOfAListAreImported(b *testing.B) {
	const n = 1_000_000
	text, _ := export(1, n)
	db := opened(b)
	m := mapOf(b, "servicenow", Override{})
	for b.Loop() {
		began := time.Now()
		out := bring(b, db, m, text, func(in *Input) {
			in.Progress = func(p Progress) {
				if p.Done == n {
					b.Logf("%s: %d after %s", p.Step, p.Done, time.Since(began).Round(time.Second))
				}
			}
		})
		b.ReportMetric(float64(out.Rows)/time.Since(began).Minutes(), "rows/min")
		began = time.Now()
		require.Equal(b, n, bring(b, db, m, text).Unchanged)
		b.ReportMetric(float64(out.Rows)/time.Since(began).Minutes(), "unchanged/min")
	}
}
