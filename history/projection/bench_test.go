package projection_test

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/history/chdb/chdbtest"
	"github.com/tocsin-noc/tocsin/history/projection"
)

// busyLog is a changes log of so many inputs as a storm writes them: each with an alert that begins, is heard again or ends; one in twenty opens an
// incident that is acknowledged and resolved later.
func busyLog(inputs int) []event.Change {
	out := []event.Change{}
	for _, s := range senders() {
		out = append(out, event.Change{Seq: 1, N: uint32(len(out)), At: begin, Kind: event.SourceAdded, Source: s})
	}
	for i := range inputs {
		seq, at := uint64(i+2), begin+event.Time(i)*5
		slot := uint32(i%50_000 + 1)
		a := event.AlertState{
			ID: event.NewAlertID(slot, uint32(i/100_000)+1), Phase: event.Firing, Severity: event.Severity(slot%5 + 1), Occurrences: 1, FirstAt: at, StartsAt: at - 3000,
			FiringAt: at, Name: fmt.Sprint("Alert", slot%300), Resource: fmt.Sprint("host-", slot%5000), Item: fmt.Sprint("ci-", slot%5000), Bound: event.BoundByLabel,
			Source: slot%3 + 1, Incident: event.IncidentID(i/2000 + 1), Reason: event.ReasonJoined,
		}
		ch := event.Change{Seq: seq, At: at, Kind: event.AlertFiring, Alert: a, Claim: event.ClaimState{ID: slot, Full: true, Labels: event.Labels{
			{Name: "alertname", Value: a.Name}, {Name: "cluster", Value: "eu-1"}, {Name: "instance", Value: a.Resource}, {Name: "severity", Value: "warning"},
		}, Annotations: event.Labels{{Name: "summary", Value: a.Name + " on " + a.Resource}}}}
		if i/50_000%2 == 1 {
			ch.Kind, ch.Alert.Phase, ch.Alert.EndedAt, ch.Claim = event.AlertCleared, event.Cleared, at, event.ClaimState{ID: slot, Phase: event.Cleared}
			ch.Alert.FirstAt = at - 250_000
		}
		out = append(out, ch)
		if i%2000 == 0 {
			state := event.IncidentState{ID: a.Incident, Tenant: "main", Phase: event.IncidentOpen, Priority: 2, Title: a.Name, OpenedAt: at, CI: a.Item}
			out = append(out, event.Change{Seq: seq, N: 1, At: at, Kind: event.IncidentOpened, Incident: &state})
		}
	}
	return out
}

func BenchmarkFactsPerSecondIntoTheEmbeddedEngine(b *testing.B) {
	changes := busyLog(2_000_000)
	for b.Loop() {
		e, database := chdbtest.Database(b)
		db := openOn(b, e, database)
		log := newLog(changes)
		began, before := time.Now(), cpu(b, e.PID())
		p, stop := begun(b, projection.Options{Source: log, Target: db, Pace: time.Second})
		for s := p.Status(); s.Entries() > 0; s = p.Status() {
			time.Sleep(10 * time.Millisecond)
		}
		took := time.Since(began)
		stop()
		rows := 0.0
		for _, table := range []string{"transitions", "members", "alerts", "incident_versions"} {
			answer, err := db.Own(b.Context(), "SELECT count() FROM "+table, nil)
			require.NoError(b, err)
			rows += float64(answer.Rows[0][0].(uint64))
		}
		b.ReportMetric(float64(len(changes))/took.Seconds(), "changes/s")
		b.ReportMetric(rows/took.Seconds(), "rows/s")
		b.ReportMetric((cpu(b, e.PID())-before)/float64(len(changes))*1e6, "engine-µs/change")
	}
}

// cpu returns the seconds of processor time that a process has taken: what other work on the machine does not distort.
func cpu(b *testing.B, pid int) float64 {
	b.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		b.Skip("no /proc here")
	}
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+2:]))
	user, err := strconv.ParseFloat(fields[11], 64)
	require.NoError(b, err)
	system, err := strconv.ParseFloat(fields[12], 64)
	require.NoError(b, err)
	return (user + system) / 100
}
