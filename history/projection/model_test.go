package projection_test

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/history/clickhouse"
)

// model is the same history counted by a dumb program in memory, without a database, a batch or a cursor.
type model struct {
	kinds     map[string]int // rows of transitions by kind and whether a sender said it
	repeats   map[string]int // by hour, tenant and source
	hours     map[string]*[8]int
	incidents map[event.IncidentID]*story
	places    map[[2]uint64]event.IncidentID // of occurrences of alerts
	seen      map[event.IncidentID]map[[2]uint64]event.AlertState
	alerts    map[event.AlertID]bool
}

type story struct {
	versions []event.Change
	causes   []event.Change
	last     uint64
}

func count(changes []event.Change) *model {
	m := &model{
		kinds: map[string]int{}, repeats: map[string]int{}, hours: map[string]*[8]int{}, incidents: map[event.IncidentID]*story{},
		places: map[[2]uint64]event.IncidentID{}, seen: map[event.IncidentID]map[[2]uint64]event.AlertState{}, alerts: map[event.AlertID]bool{},
	}
	for i := range changes {
		m.take(&changes[i])
	}
	return m
}

func (m *model) story(id event.IncidentID) *story {
	if m.incidents[id] == nil {
		m.incidents[id] = &story{}
	}
	return m.incidents[id]
}

func hourOf(at event.Time) string { return at.Time().Truncate(time.Hour).Format("2006-01-02 15:04:05") }

func (m *model) take(ch *event.Change) {
	switch {
	case ch.Incident != nil:
		s := m.story(ch.Incident.ID)
		s.versions, s.last = append(s.versions, *ch), ch.Seq
	case ch.Causes != nil:
		s := m.story(ch.Causes.Incident)
		s.causes, s.last = append(s.causes, *ch), ch.Seq
	case ch.Alert.ID != 0:
		m.takeAlert(ch)
	}
}

func (m *model) takeAlert(ch *event.Change) {
	a, from := ch.Alert, senders()[ch.Alert.Source-1]
	if ch.Kind == event.AlertSeen {
		m.repeats[fmt.Sprint(hourOf(ch.At), from.Tenant, from.Name)]++
		return
	}
	m.alerts[a.ID] = true
	said := from.Name != "tocsin" && (ch.Kind == event.AlertFiring || ch.Kind == event.AlertCleared || ch.Kind == event.AlertUpdated && ch.Claim.ID != 0)
	m.kinds[fmt.Sprintln(ch.Kind, said)]++
	where := a.Item
	if where == "" {
		where = a.Resource
	}
	k := fmt.Sprintln(hourOf(ch.At), from.Tenant, from.Name, a.Name, where)
	if m.hours[k] == nil {
		m.hours[k] = &[8]int{}
	}
	for i, is := range [8]bool{
		said, ch.Kind == event.AlertFiring, ch.Kind == event.AlertCleared, ch.Kind == event.AlertExpired, ch.Kind == event.AlertDamped,
		ch.Kind == event.AlertFiring && a.Quiet != 0, ch.Kind == event.AlertFiring && a.Incident != 0, ch.Kind == event.AlertFiring && a.Reason == event.ReasonOpened,
	} {
		if is {
			m.hours[k][i]++
		}
	}
	if a.Incident == 0 {
		return
	}
	occurrence := [2]uint64{uint64(a.ID), uint64(a.Occurrences)}
	m.places[occurrence] = a.Incident
	if m.seen[a.Incident] == nil {
		m.seen[a.Incident] = map[[2]uint64]event.AlertState{}
	}
	m.seen[a.Incident][occurrence] = a
	m.story(a.Incident)
}

// lines writes down what the reports rest on, one line each.
func (m *model) lines(now event.Time) (out []string) {
	for k, n := range m.kinds {
		out = append(out, fmt.Sprintln("transitions", strings.TrimSpace(k), n))
	}
	for k, n := range m.repeats {
		out = append(out, fmt.Sprintln("repeats", k, n))
	}
	for k, n := range m.hours {
		if k >= hourOf(now) {
			continue // that hour is not over
		}
		out = append(out, fmt.Sprintln("hour", strings.TrimSpace(k), *n))
	}
	for id, s := range m.incidents {
		if len(s.versions) > 0 {
			out = append(out, m.incident(id, s))
		}
	}
	out = append(out, fmt.Sprintln("alerts", len(m.alerts)))
	slices.Sort(out)
	return out
}

func (m *model) incident(id event.IncidentID, s *story) string {
	alerts, occurrences, first, lastEnd, fires := map[uint64]bool{}, 0, event.Time(0), event.Time(0), false
	for occurrence, a := range m.seen[id] {
		if m.places[occurrence] != id {
			continue
		}
		alerts[occurrence[0]] = true
		occurrences++
		if first == 0 || a.StartsAt < first {
			first = a.StartsAt
		}
		lastEnd, fires = max(lastEnd, a.EndedAt), fires || a.Phase == event.Firing
	}
	if fires {
		lastEnd = 0
	}
	end := s.versions[len(s.versions)-1].Incident
	firstAck, touched, merges := event.Time(0), false, 0
	var ends, returns []string
	before := event.IncidentOpen
	for _, v := range s.versions {
		touched = touched || v.Actor != ""
		if firstAck == 0 {
			firstAck = v.Incident.AckedAt
		}
		if v.Actor != "" && (v.Kind == event.IncidentMerged || v.Kind == event.IncidentAbsorbed) {
			merges++
		}
		phase := v.Incident.Phase
		if phase == event.PhaseMerged {
			continue
		}
		over := phase == event.IncidentDone || phase == event.PhaseClosed
		if before == event.IncidentOpen && over {
			ends = append(ends, fmt.Sprint(v.At, v.Actor != ""))
		}
		if phase == event.IncidentOpen && (before == event.IncidentDone || before == event.PhaseClosed) {
			returns = append(returns, v.At.String())
		}
		before = phase
	}
	verdict := ""
	for _, c := range s.causes {
		touched = touched || c.Causes.VerdictBy != ""
		if c.Causes.Verdict != 0 {
			verdict = c.Causes.Verdict.String()
		}
	}
	resolved := event.Time(0)
	if end.Phase == event.IncidentDone || end.Phase == event.PhaseClosed {
		resolved = end.ResolvedAt
	}
	return fmt.Sprintln("incident", id, end.Phase, end.Priority, s.versions[0].Incident.Priority, end.Title, first, lastEnd, firstAck, resolved, touched, ends, returns,
		m.teams(s, end), m.reassignments(s), len(alerts), occurrences, merges, verdict)
}

// teams lists who had it, in the words of the database.
func (m *model) teams(s *story, end *event.IncidentState) (out []string) {
	done := event.Time(0)
	switch end.Phase {
	case event.IncidentDone, event.PhaseClosed:
		done = end.ResolvedAt
	case event.PhaseCancelled, event.PhaseMerged:
		done = end.ClosedAt
	}
	type segment struct {
		team  string
		since event.Time
	}
	var list []segment
	for i, v := range s.versions {
		if i+1 < len(s.versions) && s.versions[i+1].At == v.At {
			continue
		}
		if n := len(list); n == 0 || list[n-1].team != v.Incident.Team {
			list = append(list, segment{v.Incident.Team, v.At})
		}
	}
	list[0].since = s.versions[0].Incident.OpenedAt
	for i, x := range list {
		until := done
		if i+1 < len(list) && (done == 0 || list[i+1].since < done) {
			until = list[i+1].since
		}
		if done == 0 || x.since < done {
			out = append(out, fmt.Sprint(x.team, x.since, until))
		}
	}
	return out
}

func (m *model) reassignments(s *story) (n int) {
	team, who := "", ""
	for i, v := range s.versions {
		if i+1 < len(s.versions) && s.versions[i+1].At == v.At {
			continue
		}
		now := cmp.Or(v.Incident.Team, team)
		switch {
		case now != team && team != "":
			n++
			who = v.Incident.Assignee
		case now != team:
			who = v.Incident.Assignee
		case v.Incident.Assignee != "" && who != "" && v.Incident.Assignee != who:
			n++
			who = v.Incident.Assignee
		case v.Incident.Assignee != "":
			who = v.Incident.Assignee
		}
		team = now
	}
	return n
}

// linesOf reads the same from the database.
func linesOf(t *testing.T, db *clickhouse.DB) (out []string) {
	t.Helper()
	ask := func(sql string) [][]any {
		answer, err := db.Own(t.Context(), sql, nil)
		require.NoError(t, err)
		return answer.Rows
	}
	for _, r := range ask("SELECT toString(kind), event, count() FROM transitions FINAL GROUP BY ALL") {
		out = append(out, fmt.Sprintln("transitions", r[0], r[1], r[2]))
	}
	for _, r := range ask("SELECT toString(hour), toString(tenant), toString(source), sum(repeats) FROM repeats FINAL GROUP BY ALL") {
		out = append(out, fmt.Sprintln("repeats", fmt.Sprint(r[0].(string), r[1].(string), r[2].(string)), r[3]))
	}
	for _, r := range ask("SELECT toString(hour), toString(tenant), toString(source), toString(name), ci, toString([events, opened, cleared, expired, flaps, quiet, joined, incidents]) FROM alert_hours FINAL") {
		out = append(out, fmt.Sprintln("hour", r[0], r[1], r[2], r[3], r[4], strings.ReplaceAll(r[5].(string), ",", " ")))
	}
	const iso = "2006-01-02T15:04:05.000Z07:00"
	at := func(v any) string {
		if v == nil {
			return "-"
		}
		return v.(time.Time).Format(iso)
	}
	for _, r := range ask(`SELECT incident, toString(phase), priority, first_priority, title, first_event_at, last_clear_at, first_acked_at, resolved_at, touched,
		arrayMap(x -> (toUnixTimestamp64Milli(x.1), x.2), resolves), arrayMap(x -> toUnixTimestamp64Milli(x), reopens),
		arrayMap(x -> (toString(x.1), toUnixTimestamp64Milli(x.2), toUnixTimestamp64Milli(ifNull(x.3, toDateTime64(0, 3)))), teams),
		reassignments, alerts, occurrences, merges, toString(verdict), number FROM incidents FINAL`) {
		var ends, returns, teams []string
		for _, e := range r[10].([][]any) {
			ends = append(ends, fmt.Sprint(event.Time(e[0].(int64)), e[1].(bool)))
		}
		for _, e := range r[11].([]int64) {
			returns = append(returns, event.Time(e).String())
		}
		for _, e := range r[12].([][]any) {
			teams = append(teams, fmt.Sprint(e[0].(string), event.Time(e[1].(int64)), event.Time(e[2].(int64))))
		}
		out = append(out, fmt.Sprintln("incident", r[18], r[1], r[2], r[3], r[4], at(r[5]), at(r[6]), at(r[7]), at(r[8]), r[9], ends, returns, teams, r[13], r[14], r[15], r[16], r[17]))
	}
	out = append(out, fmt.Sprintln("alerts", ask("SELECT count() FROM alerts FINAL")[0][0]))
	slices.Sort(out)
	return out
}
