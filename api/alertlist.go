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

// AlertQuery is how the list of alerts is asked for. All conditions must hold. The order is: firing first, the worst first, the
// newest first.
type AlertQuery struct {
	Paging
	State      []string `query:"state,explode" doc:"any of firing, cleared, expired; without it: firing"`
	Severity   []string `query:"severity,explode" doc:"any of critical, major, minor, warning, info"`
	Suppressed string   `query:"suppressed" enum:"true,false" doc:"quieted by a silence or another alert, or not"`
	Incident   string   `query:"incident" doc:"in this incident: 42, INC-42, or none"`
	Source     string   `query:"source" doc:"name of a source that speaks of it"`
	Q          string   `query:"q" maxLength:"200" doc:"part of a label's value, in any case"`
	Filter     []string `query:"filter,explode" doc:"one matcher over the labels each, as in instance=~\"db-.*\""`
}

// AlertList is one page.
type AlertList struct {
	Alerts     []Alert `json:"alerts"`
	Total      int     `json:"total" doc:"how many match, on all pages"`
	NextCursor string  `json:"next_cursor" doc:"empty on the last page"`
}

// alertTest is an AlertQuery that was read.
type alertTest struct {
	q        *AlertQuery
	tenant   string
	state    []string
	severity []string
	incident event.IncidentID
	text     string
	matchers labels.Matchers
}

func (q *AlertQuery) parse(tenant string) (*alertTest, error) {
	t := &alertTest{q: q, tenant: tenant, state: words(q.State), severity: words(q.Severity), text: strings.ToLower(q.Q)}
	if len(t.state) == 0 {
		t.state = []string{event.Firing.String()}
	}
	if err := oneOf("state", t.state, "firing", "cleared", "expired"); err != nil {
		return nil, err
	}
	if err := oneOf("severity", t.severity, "critical", "major", "minor", "warning", "info"); err != nil {
		return nil, err
	}
	var err error
	if q.Incident != "" && q.Incident != "none" {
		if t.incident, err = parseIncident(q.Incident); err != nil {
			return nil, err
		}
	}
	t.matchers, err = parseFilter(q.Filter)
	return t, err
}

// match looks at what costs nothing first: labels are put together from the view's memory.
func (t *alertTest) match(a correlate.Alert) bool {
	if !slices.Contains(t.state, a.Phase().String()) || len(t.severity) > 0 && !slices.Contains(t.severity, a.Severity().String()) {
		return false
	}
	if t.q.Incident != "" && a.Incident() != t.incident || !event.InTenant(t.tenant, a.Tenant()) {
		return false
	}
	if t.q.Suppressed != "" && strconv.FormatBool(a.State().Suppressed) != t.q.Suppressed {
		return false
	}
	if t.q.Source != "" && !spokenOfBy(a, t.q.Source) {
		return false
	}
	if t.text == "" && len(t.matchers) == 0 {
		return true
	}
	ls := a.Labels()
	return matches(t.matchers, ls) &&
		(t.text == "" || slices.ContainsFunc(ls, func(l event.Label) bool { return contains(t.text, l.Value) }))
}

func spokenOfBy(a correlate.Alert, source string) bool {
	for c := range a.Claims() {
		if c.SourceName == source {
			return true
		}
	}
	return false
}

// alertRank places an alert: by phase, severity and then the youngest id.
func alertRank(a correlate.Alert) rank {
	return rank{key: int64(a.Phase())<<8 | int64(a.Severity()), id: ^uint64(a.ID())}
}

// Alerts returns a page of the alerts of ctx's tenant.
func (d *Desk) Alerts(ctx context.Context, q *AlertQuery) (*AlertList, error) {
	v, err := d.engine.View(ctx)
	if err != nil {
		return nil, failure(err)
	}
	test, err := q.parse(auth.FromContext(ctx).Tenant)
	if err != nil {
		return nil, err
	}
	s, err := newSieve[correlate.Alert](q.Paging, "alerts")
	if err != nil {
		return nil, err
	}
	for a := range v.Alerts() {
		if test.match(a) {
			s.add(alertRank(a), a)
		}
	}
	return d.alertPage(v, s), nil
}

func (d *Desk) alertPage(v *correlate.View, s *sieve[correlate.Alert]) *AlertList {
	return &AlertList{items(s, func(a correlate.Alert) Alert { return d.alert(v, a) }), s.total, s.next()}
}

// Members returns a page of an incident's alerts, in memory, of every state.
func (d *Desk) Members(ctx context.Context, incident string, p Paging) (*AlertList, error) {
	return d.members(ctx, incident, p, false)
}

// NewMembers is Members for those alone that began to fire after the incident was acknowledged; all, if nobody did.
func (d *Desk) NewMembers(ctx context.Context, incident string, p Paging) (*AlertList, error) {
	return d.members(ctx, incident, p, true)
}

func (d *Desk) members(ctx context.Context, incident string, p Paging, unseenOnly bool) (*AlertList, error) {
	v, i, err := d.find(ctx, incident)
	if err != nil {
		return nil, err
	}
	s, err := newSieve[correlate.Alert](p, i.ID.String())
	if err != nil {
		return nil, err
	}
	for a := range v.Members(i.ID) {
		if !unseenOnly || unseen(&i, a) {
			s.add(alertRank(a), a)
		}
	}
	return d.alertPage(v, s), nil
}

// Alert returns the alert with this id or, failing that, one whose labels have this fingerprint: the firing one, if any.
func (d *Desk) Alert(ctx context.Context, text string) (*Alert, error) {
	v, a, err := d.findAlert(ctx, text)
	if err != nil {
		return nil, err
	}
	return new(d.alert(v, a)), nil
}

// alertOf returns the alert of a tenant with this id or, failing that, one whose labels have this fingerprint: the firing one, if any.
func alertOf(v *correlate.View, tenant, text string) (correlate.Alert, error) {
	n, err := strconv.ParseUint(text, 16, 64)
	if err != nil {
		return correlate.Alert{}, notFound("alert " + strconv.Quote(text))
	}
	if a, ok := v.Alert(event.AlertID(n)); ok && event.InTenant(tenant, a.Tenant()) {
		return a, nil
	}
	var found *correlate.Alert
	for a := range v.Alerts() {
		if event.InTenant(tenant, a.Tenant()) && claimed(a, n) && (found == nil || a.Phase() == event.Firing) {
			found = &a
		}
	}
	if found == nil {
		return correlate.Alert{}, notFound("alert " + text)
	}
	return *found, nil
}

// claimed tells whether a source speaks of the alert under labels with this fingerprint.
func claimed(a correlate.Alert, fingerprint uint64) bool {
	for c := range a.Claims() {
		if c.Labels.Fingerprint() == fingerprint {
			return true
		}
	}
	return false
}
