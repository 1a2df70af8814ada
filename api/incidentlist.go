package api

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/prometheus/alertmanager/pkg/labels"

	"github.com/tocsin-noc/tocsin/correlate"
	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/internal/auth"
)

// IncidentQuery is how the list of incidents is asked for. All conditions must hold.
type IncidentQuery struct {
	Paging
	Status   []string `query:"status,explode" doc:"any of open (all that are not resolved), acknowledged, unacknowledged, worse (than what was acknowledged), snoozed, held, flapping, signal_lost, resolved"`
	Severity []string `query:"severity,explode" doc:"any of critical, major, minor, warning, info"`
	Priority []string `query:"priority,explode" doc:"any of 1 to 5, also written P1 to P5"`
	Q        string   `query:"q" maxLength:"200" doc:"part of the id, the title or a label's value, in any case"`
	Filter   []string `query:"filter,explode" doc:"one matcher over the incident's labels each, as in service=~\"shop|cart\""`
	Team     string   `query:"team"`
	Assignee string   `query:"assignee" doc:"login, name or id"`
	Since    string   `query:"since" doc:"updated at this time or later: RFC 3339, or a span before now such as 8h"`
	Sort     string   `query:"sort" default:"-opened_at" enum:"opened_at,-opened_at,updated,-updated,severity,-severity,priority,-priority" doc:"- in front turns it round; severity and priority begin with the worst"`
}

// IncidentList is one page.
type IncidentList struct {
	Incidents  []Incident `json:"incidents"`
	Total      int        `json:"total" doc:"how many match, on all pages"`
	NextCursor string     `json:"next_cursor" doc:"empty on the last page"`
}

// incidentTest is an IncidentQuery that was read.
type incidentTest struct {
	q        *IncidentQuery
	tenant   string
	assignee string // id
	status   []string
	severity []string
	priority []string
	text     string
	matchers labels.Matchers
	since    event.Time
}

func (q *IncidentQuery) parse(tenant string, now event.Time) (*incidentTest, error) {
	t := &incidentTest{q: q, tenant: tenant, status: words(q.Status), severity: words(q.Severity), text: strings.ToLower(q.Q)}
	for _, p := range words(q.Priority) {
		t.priority = append(t.priority, strings.TrimPrefix(strings.ToUpper(p), "P"))
	}
	for _, err := range []error{
		oneOf("status", t.status, statuses()...),
		oneOf("severity", t.severity, "critical", "major", "minor", "warning", "info"),
		oneOf("priority", t.priority, "1", "2", "3", "4", "5"),
	} {
		if err != nil {
			return nil, err
		}
	}
	var err error
	if t.matchers, err = parseFilter(q.Filter); err != nil {
		return nil, err
	}
	t.since, err = parseSince(q.Since, now)
	return t, err
}

func (t *incidentTest) match(i *correlate.Incident) bool {
	return event.InTenant(t.tenant, i.Tenant) &&
		(len(t.status) == 0 || slices.ContainsFunc(t.status, func(s string) bool { return hasStatus(i, s) })) &&
		(len(t.severity) == 0 || slices.Contains(t.severity, i.Severity.String())) &&
		(len(t.priority) == 0 || slices.Contains(t.priority, strconv.Itoa(int(i.Priority)))) &&
		(t.q.Team == "" || i.Team == t.q.Team) && (t.assignee == "" || i.Assignee == t.assignee) &&
		updatedAt(&i.IncidentState) >= t.since && matches(t.matchers, i.Labels) && t.contains(&i.IncidentState)
}

func (t *incidentTest) contains(i *event.IncidentState) bool {
	if t.text == "" || contains(t.text, i.ID.String(), i.Title) {
		return true
	}
	return slices.ContainsFunc(i.Labels, func(l event.Label) bool { return contains(t.text, l.Value) })
}

// incidentRank places an incident in a sort; among equals the newest is first.
func incidentRank(i *event.IncidentState, sort string) rank {
	r := rank{id: ^uint64(i.ID)}
	switch strings.TrimPrefix(sort, "-") {
	case "updated":
		r.key = int64(updatedAt(i))
	case "severity":
		r.key = int64(i.Severity)
	case "priority":
		r.key = int64(i.Priority)
	default:
		r.key = int64(i.OpenedAt)
	}
	if strings.HasPrefix(sort, "-") {
		r.key = -r.key
	}
	return r
}

// countedOnLists is how many alerts of each incident a list looks at to count those since the acknowledgement.
const countedOnLists = 100

// Incidents returns a page of the incidents of ctx's tenant.
func (d *Desk) Incidents(ctx context.Context, q *IncidentQuery) (*IncidentList, error) {
	v, err := d.engine.View(ctx)
	if err != nil {
		return nil, failure(err)
	}
	test, err := q.parse(auth.FromContext(ctx).Tenant, d.now())
	if err != nil {
		return nil, err
	}
	test.assignee, _ = d.findPerson(q.Assignee)
	s, err := newSieve[correlate.Incident](q.Paging, q.Sort)
	if err != nil {
		return nil, err
	}
	for i := range v.Incidents() {
		if test.match(&i) {
			s.add(incidentRank(&i.IncidentState, q.Sort), i)
		}
	}
	return &IncidentList{items(s, func(i correlate.Incident) Incident { return d.incident(v, i, countedOnLists) }), s.total, s.next()}, nil
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
	return new(d.incident(v, i, 0)), nil
}
