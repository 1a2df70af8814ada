package correlate

import (
	"fmt"
	"strings"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/event"
)

// ci carries out `ci ID CLASS key=value… by NAME`. Keys are relations (depends_on=a,b), needs, state, name, from (a span from now) and
// attributes; NAME is an import, or a person when it begins with a small letter and is no import: `by ann`.
func (p *player) ci(rest string) {
	f := strings.Fields(rest)
	ci := event.CI{ID: f[0], Class: f[1]}
	source, actor := event.PeopleSource, f[len(f)-1]
	if strings.HasSuffix(actor, ".yml") {
		source = actor
	}
	for _, opt := range f[2 : len(f)-2] {
		key, value, _ := strings.Cut(opt, "=")
		kind := event.ParseRelationKind(key)
		switch {
		case kind != 0:
			for to := range strings.SplitSeq(value, ",") {
				ci.Relations = append(ci.Relations, event.Relation{Kind: kind, To: to, Source: source})
			}
		case key == "needs":
			_, err := fmt.Sscan(value, &ci.Needs)
			require.NoError(p.t, err)
		case key == "state":
			ci.State = event.ParseCIState(value)
		case key == "name":
			ci.Name = value
		case key == "from":
			ci.ValidFrom = p.now + p.span(value)
		default:
			ci.Attributes = append(ci.Attributes, event.Label{Name: key, Value: value})
		}
	}
	p.do(event.Command{Kind: event.EditCIs, Actor: actor, CIs: &event.CIEdit{Source: source, Set: []event.CI{ci}}})
}

// outage carries out `outage confirm|reject O1 by NAME` and `outage report SERVICE KIND 20m by NAME`, which began so long ago.
func (p *player) outage(rest string) {
	f := strings.Fields(rest)
	o := &event.Outage{}
	switch f[0] {
	case "report":
		o.Service, o.Kind, o.BeganAt = f[1], event.ParseOutageKind(f[2]), p.now-p.span(f[3])
	default:
		_, err := fmt.Sscanf(f[1], "O%d", &o.Number)
		require.NoError(p.t, err)
		o.State = map[string]event.OutageState{"confirm": event.OutageConfirmed, "reject": event.OutageRejected}[f[0]]
	}
	p.do(event.Command{Kind: event.SetOutage, Actor: f[len(f)-1], Outage: o})
}

func describeCI(name string, ch *event.Change) string {
	s := fmt.Sprintf("%s %s %s %s", name, ch.CI.ID, ch.CI.Class, ch.CI.State)
	for _, r := range ch.CI.Relations {
		s += fmt.Sprintf(" %s=%s", r.Kind, r.To)
	}
	if ch.CI.ValidFrom > ch.At {
		s += " from " + ch.CI.ValidFrom.Time().Format("15:04:05")
	}
	if len(ch.CI.Pinned) > 0 {
		s += " pinned " + strings.Join(ch.CI.Pinned, ",")
	}
	return byWhom(s, ch)
}

func (p *player) describeOutage(name string, ch *event.Change) string {
	o := ch.Outage
	s := fmt.Sprintf("%s O%d %s %s %s since %s", name, o.Number, o.Service, o.Kind, o.State, o.BeganAt.Time().Format("15:04:05"))
	if o.EndedAt != 0 {
		s += " until " + o.EndedAt.Time().Format("15:04:05")
	}
	if o.Cause != "" {
		s += fmt.Sprintf(" %q", o.Cause)
	}
	return byWhom(fmt.Sprintf("%s %v", s, o.Incidents), ch)
}

func byWhom(s string, ch *event.Change) string {
	if ch.Actor != "" {
		s += " by " + ch.Actor
	}
	if ch.Text != "" {
		s += ": " + ch.Text
	}
	return s
}

// hurts lists the services of an incident.
func hurts(i *event.IncidentState) string {
	var list []string
	for _, a := range i.Services {
		word := a.Service
		switch {
		case a.Down:
			word += " down"
		case a.Spare:
			word += " has others"
		}
		list = append(list, word)
	}
	return fmt.Sprintf("impact %d, hurts %s", i.Impact, strings.Join(list, ", "))
}

func (p *player) dump(s *State) string {
	return dump(s.View()) + dumpCMDB(s.View()) + dumpClusters(s.View()) + dumpRules(s.View())
}

// dumpCMDB prints the items and outages of a view.
func dumpCMDB(v *View) string {
	var b strings.Builder
	for slot := range v.CMDB().Slots() {
		ci := v.CMDB().State(slot)
		fmt.Fprintf(&b, "ci %s %s %s alerts=%d failing=%d %s\n", ci.ID, ci.Class, ci.State, v.AlertsOf(slot), v.CMDB().Failing(slot), v.CMDB().Status(slot))
	}
	for o := range v.Outages(event.AllTenants) {
		fmt.Fprintf(&b, "outage %d %s %s %s %s–%s %v\n", o.Number, o.Service, o.Kind, o.State, o.BeganAt, o.EndedAt, o.Incidents)
	}
	return b.String()
}
