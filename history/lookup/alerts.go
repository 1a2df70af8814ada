package lookup

import (
	"context"
	_ "embed"
	"fmt"
	"strings"
	"time"

	"github.com/prometheus/alertmanager/pkg/labels"

	"github.com/tocsin-noc/tocsin/history"
)

//go:embed alerts.sql
var alertsSQL string

// AlertsAsk says which alerts are looked for.
type AlertsAsk struct {
	Tenant   string // that may be seen; event.AllTenants for all
	Matchers labels.Matchers
	From, To time.Time // in which it began to fire
	CI       string
	Phase    string // firing, cleared, expired: how it stood at the end of the time asked for; empty: any
	Limit    int
}

// Alerts are the occurrences that were found, the latest first.
type Alerts struct {
	Total int
	List  []Occurrence
}

// Occurrence is one time that an alert fired.
type Occurrence struct {
	Alert      uint64
	Tenant     string
	Source     string
	Name       string
	Resource   string
	Labels     map[string]string
	CI         string
	Severity   uint8 // 1 critical to 5 info
	Phase      string
	FiringAt   time.Time // arrival
	StartedAt  *time.Time
	EndedAt    *time.Time
	Incident   uint64 // 0: in none
	Occurrence uint32
	Quiet      []string
}

// MaxMatchers bounds one question.
const MaxMatchers = 20

// FindAlerts looks for alerts that began to fire in a time.
func FindAlerts(ctx context.Context, q history.Querier, ask AlertsAsk) (*Alerts, error) {
	if len(ask.Matchers) > MaxMatchers {
		return nil, fmt.Errorf("lookup: %d matchers; %d are the most", len(ask.Matchers), MaxMatchers)
	}
	p := scoped(ask.Tenant).time("from", ask.From).time("to", ask.To).text("ci", ask.CI).text("phase", ask.Phase).number("limit", uint64(ask.Limit))
	t, err := q.Query(ctx, strings.Replace(alertsSQL, "/* matchers */", conditions(p, ask.Matchers), 1), p)
	if err != nil {
		return nil, err
	}
	out := &Alerts{List: []Occurrence{}}
	for _, r := range rows(t) {
		out.Total = int(r.number("total"))
		out.List = append(out.List, Occurrence{
			Alert: r.number("alert"), Tenant: r.text("tenant"), Source: r.text("source"), Name: r.text("name"), Resource: r.text("resource"),
			Labels: r.labels("labels"), CI: r.text("ci"), Severity: uint8(r.number("severity")), Phase: r.text("phase"), FiringAt: *r.at("firing_at"),
			StartedAt: r.at("started_at"), EndedAt: r.at("ended_at"), Incident: r.number("incident"), Occurrence: uint32(r.number("occurrence")),
			Quiet: r.list("quiet"),
		})
	}
	return out, nil
}

// conditions writes matchers as SQL that holds only the names of parameters. A label that is not there is the empty text, as for Alertmanager;
// a pattern must match all of a value, and its dot no line break.
func conditions(p params, ms labels.Matchers) string {
	var b strings.Builder
	for i, m := range ms {
		name, value := fmt.Sprintf("label%d", i), fmt.Sprintf("value%d", i)
		p.text(name, m.Name)
		label := "labels[{" + name + ":String}]"
		switch m.Type {
		case labels.MatchEqual, labels.MatchNotEqual:
			p.text(value, m.Value)
			fmt.Fprintf(&b, " AND %s %s {%s:String}", label, m.Type, value)
		case labels.MatchRegexp, labels.MatchNotRegexp:
			p.text(value, "(?-s)^(?:"+m.Value+")$")
			fmt.Fprintf(&b, " AND %smatch(%s, {%s:String})", map[bool]string{true: "NOT "}[m.Type == labels.MatchNotRegexp], label, value)
		}
	}
	return b.String()
}
