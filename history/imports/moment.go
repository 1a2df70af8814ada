package imports

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/tocsin-noc/tocsin/event"
)

// moment is something that happened to an incident, and what the export said of it then.
type moment struct {
	at    int64
	kind  event.ChangeKind
	actor string
	text  string
	held  string   // IncidentHeld: what for
	phase string   // for what has no time of its own: IncidentUpdated says only what the incident is
	row   *reading // what is known from here on; nil: nothing new
	team  bool     // row tells the team and the person, too
}

// The phases of an incident that imports know.
const (
	phaseOpen      = "open"
	phaseResolved  = "resolved"
	phaseClosed    = "closed"
	phaseCancelled = "cancelled"
)

// lowestPriority is that of incidents of which the export tells none, as Tocsin gives it to what is not bound to a service.
const lowestPriority = 4

// replay makes an incident's versions of its moments: sorted by time, moments of one instant stay as they are.
func (m *Map) replay(i incident, moments []moment) story {
	slices.SortStableFunc(moments, func(a, b moment) int { return cmp.Compare(a.at, b.at) })
	out := story{incident: i, versions: make([]state, 0, len(moments))}
	var now state
	for n := range moments {
		now = m.step(now, &moments[n])
		out.versions = append(out.versions, now)
	}
	out.digest = out.sum()
	return out
}

// step returns the state after a moment.
func (m *Map) step(s state, o *moment) state {
	s.at, s.kind, s.actor, s.text = o.at, o.kind, o.actor, o.text
	if o.row != nil {
		m.learn(&s, o.row, o.team)
	}
	if s.phase == "" {
		s.phase = phaseOpen
	}
	switch o.kind {
	case event.IncidentAcknowledged:
		s.acknowledge(o)
	case event.IncidentBegun:
		s.acknowledge(o)
		s.begunAt, s.heldAs = cmp.Or(s.begunAt, o.at), ""
	case event.IncidentHeld:
		s.heldAs = o.held
	case event.IncidentUnheld:
		s.heldAs = ""
	case event.IncidentResolved:
		s.phase, s.resolvedAt, s.resolvedBy, s.heldAs = phaseResolved, o.at, o.actor, ""
	case event.IncidentReopened:
		s.phase, s.resolvedAt, s.resolvedBy, s.closedAt = phaseOpen, 0, "", 0
		s.reopened++
	case event.IncidentClosed:
		s.phase, s.closedAt, s.heldAs = phaseClosed, o.at, ""
	case event.IncidentCancelled:
		s.phase, s.closedAt, s.heldAs = phaseCancelled, o.at, ""
	default:
		s.phase = cmp.Or(o.phase, s.phase)
	}
	return s
}

func (s *state) acknowledge(o *moment) {
	if s.ackedAt == 0 {
		s.ackedAt, s.ackedBy = o.at, o.actor
	}
}

// learn takes over what a row says; what it does not say stays.
func (m *Map) learn(s *state, r *reading, team bool) {
	s.title, s.ci = cmp.Or(r.text[factTitle], s.title), cmp.Or(r.text[factCI], s.ci)
	if team {
		s.team, s.assignee = cmp.Or(r.text[factTeam], s.team), cmp.Or(r.text[factAssignee], s.assignee)
	}
	s.priority, s.severity = newer(r.num[factPriority], s.priority), newer(r.num[factSeverity], s.severity)
	s.impact, s.urgency = newer(r.num[factImpact], s.impact), newer(r.num[factUrgency], s.urgency)
	if s.priority == 0 {
		s.priority = lowestPriority
	}
	if s.severity == 0 || !m.facts[factSeverity].stated() {
		s.severity = s.priority
	}
	if list := m.services(r.text[factServices]); len(list) > 0 {
		s.services = list
	}
	if len(r.label) > 0 {
		labels := maps.Clone(s.labels)
		if labels == nil {
			labels = map[string]string{}
		}
		maps.Copy(labels, r.label)
		s.labels = labels
	}
}

// newer returns a level that was said, else the one before.
func newer(level, before int32) int32 {
	if level > 0 {
		return level
	}
	return before
}

// handedOver tells whether a row says anything of team or person that is not so already.
func (s *state) handedOver(r *reading) bool {
	return r.text[factTeam] != "" && r.text[factTeam] != s.team || r.text[factAssignee] != "" && r.text[factAssignee] != s.assignee
}

// head returns what a row says of its incident as a whole.
func (m *Map) head(r *reading, tenant string) incident {
	tenant = cmp.Or(r.text[factTenant], tenant)
	return incident{
		id: identity(tenant, r.text[factNumber]), number: r.text[factNumber], tenant: tenant, openedAt: r.at[factOpenedAt],
		openedBy: m.who(r.text[factOpenedBy]), firstEvent: r.at[factFirstEventAt], kind: r.kind, line: r.line,
		reopens: r.num[factReopens], reassignments: r.num[factReassignments],
	}
}

// actor returns who did what a row tells.
func (m *Map) actor(r *reading, facts ...fact) string {
	for _, f := range facts {
		if r.text[f] != "" {
			return m.who(r.text[f])
		}
	}
	return unknown
}

// station takes the reason off a state or an activity, as in on_hold:vendor.
func station(word string) (what, reason string) {
	what, reason, _ = strings.Cut(word, ":")
	if reason == "" {
		reason = "other"
	}
	return what, reason
}
