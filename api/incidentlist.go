package api

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/prometheus/alertmanager/pkg/labels"

	"github.com/tocsin-noc/tocsin/correlate"
	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/internal/auth"
	"github.com/tocsin-noc/tocsin/itsm"
)

// IncidentQuery is how the list of incidents is asked for. All conditions must hold.
type IncidentQuery struct {
	Paging
	Status   []string `query:"status,explode" doc:"any of open (all that are not over), acknowledged, unacknowledged, worse (than what was acknowledged), snoozed, held, flapping, signal_lost, resolved (closed ones too), closed, cancelled, merged, all; open when neither status nor state is given"`
	State    []string `query:"state,explode" doc:"any of new, acknowledged, in_progress, on_hold, resolved, closed, cancelled, merged: the station of its life, each incident has one"`
	Severity []string `query:"severity,explode" doc:"any of critical, major, minor, warning, info"`
	Priority []string `query:"priority,explode" doc:"any of 1 to 5, also written P1 to P5"`
	Q        string   `query:"q" maxLength:"200" doc:"part of the id, the title or a label's value, in any case"`
	Filter   []string `query:"filter,explode" doc:"one matcher over the incident's labels each, as in service=~\"shop|cart\""`
	Team     string   `query:"team"`
	Assignee string   `query:"assignee" doc:"login, name or id; me: who asks"`
	Watcher  string   `query:"watcher" doc:"who watches it: login, name or id; me: who asks"`
	Tasks    string   `query:"tasks" doc:"who has an open task on it: login, name or id; me: who asks"`
	OpenedBy string   `query:"opened_by" doc:"login, name or id; me: who asks; machine: nobody"`
	Service  string   `query:"service" doc:"id of a service that it hurts, or is about"`
	CI       string   `query:"ci" doc:"id of the configuration item that it is about"`
	Major    string   `query:"major" enum:"true,false" doc:"whether it is a major incident now"`
	Parent   string   `query:"parent" doc:"children of this incident"`
	Since    string   `query:"since" doc:"updated at this time or later: RFC 3339, or a span before now such as 8h"`
	Sort     string   `query:"sort" default:"-opened_at" enum:"opened_at,-opened_at,updated,-updated,severity,-severity,priority,-priority" doc:"- in front turns it round; severity and priority begin with the worst"`
}

// IncidentList is one page.
type IncidentList struct {
	Incidents  []Incident `json:"incidents"`
	Total      int        `json:"total" doc:"how many match, on all pages"`
	NextCursor string     `json:"next_cursor" doc:"empty on the last page"`
}

// incidentTest is an IncidentQuery that was read. rough looks at what a row tells, and there may be a million rows; deep builds the
// incident, and is asked only where something needs it.
type incidentTest struct {
	q        *IncidentQuery
	tenant   string
	status   []string
	state    []string
	severity []string
	priority []string
	text     string
	matchers labels.Matchers
	parent   event.IncidentID
	since    event.Time

	assignee, watcher, tasks, openedBy string // ids
}

func (q *IncidentQuery) parse(tenant string, now event.Time) (*incidentTest, error) {
	t := &incidentTest{q: q, tenant: tenant, status: words(q.Status), state: words(q.State), severity: words(q.Severity), text: strings.ToLower(q.Q)}
	for _, p := range words(q.Priority) {
		t.priority = append(t.priority, strings.TrimPrefix(strings.ToUpper(p), "P"))
	}
	for _, err := range []error{
		oneOf("status", t.status, statuses()...),
		oneOf("state", t.state, itsm.Statuses()...),
		oneOf("severity", t.severity, "critical", "major", "minor", "warning", "info"),
		oneOf("priority", t.priority, "1", "2", "3", "4", "5"),
	} {
		if err != nil {
			return nil, err
		}
	}
	if len(t.status)+len(t.state) == 0 {
		t.status = []string{"open"}
	}
	var err error
	if q.Parent != "" {
		if t.parent, err = parseIncident(q.Parent); err != nil {
			return nil, invalid("parent: "+q.Parent+" is no incident", "write it as in INC-42")
		}
	}
	if t.matchers, err = parseFilter(q.Filter); err != nil {
		return nil, err
	}
	t.since, err = parseSince(q.Since, now)
	return t, err
}

// statuses returns the words that the filter knows.
func statuses() []string {
	return []string{
		"open", "acknowledged", "unacknowledged", "worse", "snoozed", "held", "flapping", "signal_lost",
		"resolved", "closed", "cancelled", "merged", "all",
	}
}

// over tells whether a word of a status or a state is one of incidents that are not open.
func over(word string) bool {
	switch word {
	case "resolved", "closed", "cancelled", "merged", "all":
		return true
	}
	return false
}

// onlyOpen tells whether nothing but open incidents can match.
func (t *incidentTest) onlyOpen() bool {
	allOpen := func(words []string) bool { return len(words) > 0 && !slices.ContainsFunc(words, over) }
	return allOpen(t.status) || allOpen(t.state)
}

func (t *incidentTest) match(r *correlate.Row) bool {
	return t.rough(r) && (t.shallow() || t.deep(r.Incident()))
}

func (t *incidentTest) rough(r *correlate.Row) bool {
	if !event.InTenant(t.tenant, r.Tenant()) || r.Updated < t.since {
		return false
	}
	return (len(t.severity) == 0 || slices.Contains(t.severity, r.Severity.String())) &&
		(len(t.priority) == 0 || slices.Contains(t.priority, strconv.Itoa(int(r.Priority)))) &&
		(t.q.Team == "" || r.Team() == t.q.Team) && (t.assignee == "" || r.Assignee() == t.assignee) &&
		(r.Dossier || t.watcher == "" && t.tasks == "" && t.q.Major != "true") &&
		(len(t.status) == 0 || slices.ContainsFunc(t.status, func(s string) bool { return hasStatus(r, s) })) &&
		(len(t.state) == 0 || slices.Contains(t.state, stateOf(r)))
}

// shallow tells whether a row says all that is asked for.
func (t *incidentTest) shallow() bool {
	return t.text == "" && len(t.matchers) == 0 && t.watcher == "" && t.tasks == "" && t.openedBy == "" && t.q.Service == "" && t.q.CI == "" &&
		t.q.Major == "" && t.parent == 0
}

func (t *incidentTest) deep(i correlate.Incident) bool {
	if t.openedBy != "" && cmp.Or(i.OpenedBy, machine) != t.openedBy || t.parent != 0 && i.Parent != t.parent || t.q.CI != "" && i.CI != t.q.CI {
		return false
	}
	d := i.Dossier
	if d == nil {
		d = &event.Dossier{}
	}
	_, watched := slices.BinarySearch(d.Watchers, t.watcher)
	return (t.watcher == "" || watched) && (t.tasks == "" || hasTask(d, t.tasks)) &&
		(t.q.Major == "" || (t.q.Major == "true") == itsm.MajorRuns(&i.IncidentState)) &&
		(t.q.Service == "" || touchesService(&i.IncidentState, t.q.Service)) && matches(t.matchers, shared(&i.IncidentState)) && t.contains(&i.IncidentState)
}

// machine stands for nobody where a person is asked for.
const machine = "machine"

func hasTask(d *event.Dossier, who string) bool {
	return slices.ContainsFunc(d.Tasks, func(t event.Task) bool { return !t.Done && t.Assignee == who })
}

func touchesService(i *event.IncidentState, service string) bool {
	return i.CI == service || slices.ContainsFunc(i.Services, func(a event.Affected) bool { return a.Service == service })
}

// hasStatus is the filter: open is everything not over, and an acknowledged incident whose signal was lost is both.
func hasStatus(r *correlate.Row, status string) bool {
	switch status {
	case "all":
		return true
	case "resolved":
		return r.Phase == event.IncidentDone || r.Phase == event.PhaseClosed
	case "closed", "cancelled", "merged":
		return r.Phase.String() == status
	}
	if r.Phase != event.IncidentOpen {
		return false
	}
	b := r.Brief()
	switch status {
	case "acknowledged":
		return b.AckedAt != 0
	case "unacknowledged":
		return b.AckedAt == 0
	case "signal_lost":
		return b.SignalLost
	case "worse":
		return b.WorseAt != 0
	case "snoozed":
		return b.SnoozedUntil != 0
	case "held":
		return b.HeldUntil != 0
	case "flapping":
		return r.Damped() > 0
	}
	return true
}

// stateOf is itsm.StatusOf of a row.
func stateOf(r *correlate.Row) string {
	i := event.IncidentState{Phase: r.Phase}
	if r.Phase == event.IncidentOpen {
		b := r.Brief()
		i.HeldUntil, i.BegunAt, i.AckedAt = b.HeldUntil, b.BegunAt, b.AckedAt
	}
	return itsm.StatusOf(&i)
}

func (t *incidentTest) contains(i *event.IncidentState) bool {
	if t.text == "" || contains(t.text, i.ID.String(), i.Title) {
		return true
	}
	return slices.ContainsFunc(shared(i), func(l event.Label) bool { return contains(t.text, l.Value) })
}

// incidentRank places an incident in a sort; among equals the newest is first. Incidents are numbered as they open.
func incidentRank(r *correlate.Row, sort string) rank {
	out := rank{id: ^uint64(r.ID)}
	switch strings.TrimPrefix(sort, "-") {
	case "updated":
		out.key = int64(r.Updated)
	case "severity":
		out.key = int64(r.Severity)
	case "priority":
		out.key = int64(r.Priority)
	default:
		out.key = int64(r.ID)
	}
	if strings.HasPrefix(sort, "-") {
		out.key = -out.key
	}
	return out
}

// countedOnLists is how many alerts of each incident a list looks at to count those since the acknowledgement.
const countedOnLists = 100

// Incidents returns a page of the incidents of ctx's tenant.
func (d *Desk) Incidents(ctx context.Context, q *IncidentQuery) (*IncidentList, error) {
	v, err := d.engine.View(ctx)
	if err != nil {
		return nil, failure(err)
	}
	p := auth.FromContext(ctx)
	test, err := q.parse(p.Tenant, d.now())
	if err != nil {
		return nil, err
	}
	for who, name := range map[*string]string{&test.assignee: q.Assignee, &test.watcher: q.Watcher, &test.tasks: q.Tasks, &test.openedBy: q.OpenedBy} {
		*who = d.whom(p, name)
	}
	s, err := newSieve[event.IncidentID](q.Paging, q.Sort)
	if err != nil {
		return nil, err
	}
	rows := v.Rows()
	if test.onlyOpen() {
		rows = v.OpenRows()
	}
	looked := 0
	for r := range rows {
		if looked++; looked%1024 == 0 && ctx.Err() != nil {
			return nil, failure(ctx.Err())
		}
		if test.match(r) {
			s.add(incidentRank(r, q.Sort), r.ID)
		}
	}
	return &IncidentList{items(s, func(id event.IncidentID) Incident {
		i, _ := v.Incident(id)
		return d.seenBy(p, v, i, countedOnLists)
	}), s.total, s.next()}, nil
}

// whom returns the id of the person that a filter names; me is who asks.
func (d *Desk) whom(p auth.Principal, name string) string {
	if name == "me" {
		return p.ID
	}
	id, _ := d.findPerson(name)
	return id
}

// seenBy is incident as a person sees it.
func (d *Desk) seenBy(p auth.Principal, v *correlate.View, i correlate.Incident, most uint32) Incident {
	out := d.incident(v, i, most)
	if i.Dossier != nil {
		_, out.Watching = slices.BinarySearch(i.Dossier.Watchers, p.ID)
	}
	return out
}

// find returns an incident of ctx's tenant, with the view it lies in. One of another tenant does not exist.
func (d *Desk) find(ctx context.Context, text string) (*correlate.View, correlate.Incident, error) {
	id, err := parseIncident(text)
	if err != nil {
		return nil, correlate.Incident{}, err
	}
	v, err := d.engine.View(ctx)
	if err != nil {
		return nil, correlate.Incident{}, failure(err)
	}
	i, ok := v.Incident(id)
	if !ok || !event.InTenant(auth.FromContext(ctx).Tenant, i.Tenant) {
		return nil, correlate.Incident{}, notFound("incident " + id.String())
	}
	return v, i, nil
}

// Incident returns the incident that text names: 42 or INC-42.
func (d *Desk) Incident(ctx context.Context, text string) (*Incident, error) {
	v, i, err := d.find(ctx, text)
	if err != nil {
		return nil, err
	}
	return new(d.seenBy(auth.FromContext(ctx), v, i, 0)), nil
}
