package imports

import (
	"cmp"
	"slices"
	"strings"

	"github.com/tocsin-noc/tocsin/event"
)

// logged makes the story of an incident of the rows of a log, whatever order they came in. None of the rows is of another incident.
func (m *Map) logged(rows []*reading, tenant string, flag func(string)) (story, *Reject) {
	slices.SortFunc(rows, compareRows)
	first := rows[0]
	i := m.head(first, tenant)
	said := m.stated(rows, &i)
	if i.openedAt == 0 {
		i.openedAt = first.at[factAt]
	}
	for _, f := range []fact{factResolvedAt, factClosedAt} {
		if said.at[f] != 0 && said.at[f] < i.openedAt {
			said.at[factOpenedAt] = i.openedAt
			return story{}, m.before(said, f)
		}
	}
	m.soundHead(&i, said, flag)
	l := &logReader{m: m, openedAt: i.openedAt, phase: phaseOpen}
	for n, r := range rows {
		if n == 0 {
			l.add(moment{at: i.openedAt, kind: event.IncidentOpened, actor: i.openedBy, row: r, team: true})
		}
		if m.facts[factActivity].stated() {
			l.activity(r)
		} else {
			l.state(r, n == 0)
		}
	}
	l.end(said, flag)
	if l.early {
		flag(flagEventEarly)
	}
	i.reassignments = max(i.reassignments, l.reassigned)
	return m.replay(i, l.list), nil
}

// compareRows orders the rows of a log by their time; within one instant by the export's own order, then by what they say, so that the order
// of the file does not count.
func compareRows(a, b *reading) int {
	if c := cmp.Or(cmp.Compare(a.at[factAt], b.at[factAt]), strings.Compare(ordinal(a.text[factOrder]), ordinal(b.text[factOrder]))); c != 0 {
		return c
	}
	return cmp.Or(
		slices.Compare(a.words[:], b.words[:]), slices.Compare(a.text[:], b.text[:]), slices.Compare(a.at[:], b.at[:]), slices.Compare(a.num[:], b.num[:]),
		strings.Compare(a.kind, b.kind), slices.CompareFunc(sortedKeys(a.label), sortedKeys(b.label), func(x, y string) int {
			return cmp.Or(strings.Compare(x, y), strings.Compare(a.label[x], b.label[y]))
		}),
	)
}

// ordinal makes counts comparable as text.
func ordinal(s string) string {
	const width = 20
	if len(s) < width && strings.Trim(s, "0123456789") == "" {
		return strings.Repeat("0", width-len(s)) + s
	}
	return s
}

// stated gathers what any row says of the incident as a whole: the latest word counts, of counts the greatest. A row that says nothing of a
// time takes nothing back.
func (m *Map) stated(rows []*reading, i *incident) *reading {
	out := *rows[len(rows)-1]
	for _, r := range rows {
		for _, f := range []fact{factResolvedAt, factClosedAt, factAcknowledgedAt, factFirstEventAt} {
			out.at[f] = cmp.Or(r.at[f], out.at[f])
		}
		for _, f := range []fact{factResolvedBy, factAcknowledgedBy, factAssignee} {
			out.text[f] = cmp.Or(r.text[f], out.text[f])
		}
		i.openedAt = cmp.Or(i.openedAt, r.at[factOpenedAt])
		i.reopens, i.reassignments = max(i.reopens, r.num[factReopens]), max(i.reassignments, r.num[factReassignments])
		i.kind = cmp.Or(i.kind, r.kind)
		out.num[factPriority] = max(out.num[factPriority], r.num[factPriority])
	}
	i.firstEvent = out.at[factFirstEventAt]
	return &out
}

// logReader makes moments of a log's rows, in their order.
type logReader struct {
	m        *Map
	openedAt int64
	list     []moment
	now      state  // team and person as of the last row
	phase    string // as of the last row
	held     string // on hold for; empty: it is not
	acked    bool
	begun    bool

	reassigned int32 // rows that say so
	early      bool
}

func (l *logReader) add(o moment) {
	if o.at < l.openedAt {
		o.at, l.early = l.openedAt, true
	}
	if o.row != nil {
		l.m.learn(&l.now, o.row, o.team)
	}
	l.list = append(l.list, o)
}

// state reads a row that says what holds after something.
func (l *logReader) state(r *reading, first bool) {
	before := len(l.list)
	at, by := r.at[factAt], l.m.actor(r, factBy)
	to, reason := station(r.words[factState])
	if l.phase != phaseOpen && to != "" && !isOver(to) { // who has it now is told of an incident that is open
		l.goTo("new", "", moment{at: at, actor: by, text: r.text[factText]})
	}
	if !first && l.now.handedOver(r) {
		l.add(moment{at: at, kind: event.IncidentAssigned, actor: by, row: r, team: true})
	}
	if to != "" {
		l.goTo(to, reason, moment{at: at, actor: by, text: r.text[factText], row: r})
	}
	if len(l.list) == before && !first {
		l.add(moment{at: at, kind: l.m.news(&l.now, r), actor: by, text: r.text[factText], row: r})
	}
}

// news tells what kind of change a row is that moves nothing else.
func (m *Map) news(s *state, r *reading) event.ChangeKind {
	was := *s
	m.learn(&was, r, false)
	switch {
	case was.priority != s.priority || was.severity != s.severity:
		return event.IncidentUpdated
	case was.title != s.title || was.ci != s.ci || was.impact != s.impact || was.urgency != s.urgency:
		return event.IncidentEdited
	}
	return event.IncidentNoted
}

func isOver(state string) bool {
	return state == phaseResolved || state == phaseClosed || state == phaseCancelled
}

// goTo adds what leads from where the incident is to a state.
func (l *logReader) goTo(to, reason string, o moment) {
	add := func(kind event.ChangeKind) {
		o.kind = kind
		l.add(o)
	}
	over := isOver(to)
	if l.phase != phaseOpen && !over {
		add(event.IncidentReopened)
		l.phase = phaseOpen
	}
	if l.held != "" && !over && (to != "on_hold" || l.held != reason) {
		add(event.IncidentUnheld)
		l.held = ""
	}
	switch {
	case to == "acknowledged" && !l.acked:
		add(event.IncidentAcknowledged)
		l.acked = true
	case to == "in_progress" && !l.begun:
		add(event.IncidentBegun)
		l.acked, l.begun = true, true
	case to == "on_hold" && l.held == "":
		o.held = reason
		add(event.IncidentHeld)
		l.held = reason
	case to == phaseResolved && l.phase == phaseOpen:
		add(event.IncidentResolved)
		l.phase, l.held = phaseResolved, ""
	case to == phaseClosed && (l.phase == phaseOpen || l.phase == phaseResolved):
		add(event.IncidentClosed)
		l.phase, l.held = phaseClosed, ""
	case to == phaseCancelled && (l.phase == phaseOpen || l.phase == phaseResolved):
		add(event.IncidentCancelled)
		l.phase, l.held = phaseCancelled, ""
	}
}

// activity reads a row that says what happened.
func (l *logReader) activity(r *reading) {
	what, reason := station(r.words[factActivity])
	o := moment{at: r.at[factAt], actor: l.m.actor(r, factBy), text: r.text[factText], row: r}
	switch what {
	case "ignored", "":
	case "opened":
		if len(l.list) > 1 {
			o.kind = event.IncidentNoted
			l.add(o)
		}
	case "assigned", "reassigned":
		if what == "reassigned" {
			l.reassigned++
		}
		o.kind, o.team = event.IncidentAssigned, true
		l.add(o)
	case "noted":
		o.kind = event.IncidentNoted
		l.add(o)
	case "held":
		l.goTo("on_hold", reason, o)
	case "unheld":
		if l.held != "" {
			o.kind, l.held = event.IncidentUnheld, ""
			l.add(o)
		}
	case "begun":
		l.goTo("in_progress", "", o)
	case "reopened":
		l.goTo("new", "", o)
	default: // acknowledged, resolved, closed, cancelled
		l.goTo(what, "", o)
	}
}

// end puts in what the export states of the incident as a whole: those times are the system's own, the log's those of its writing.
func (l *logReader) end(said *reading, flag func(string)) {
	if at := said.at[factAcknowledgedAt]; at != 0 && !l.acked {
		l.add(moment{at: at, kind: event.IncidentAcknowledged, actor: l.m.actor(said, factAcknowledgedBy, factAssignee)})
	}
	if l.phase != phaseResolved && l.phase != phaseClosed {
		return
	}
	reopened, resolved, closed := l.last(event.IncidentReopened), l.last(event.IncidentResolved), l.last(event.IncidentClosed)
	if resolved < reopened {
		resolved = -1
	}
	switch at := said.at[factResolvedAt]; {
	case at == 0:
		resolved = l.unresolved(resolved, closed, flag)
	case reopened >= 0 && at < l.list[reopened].at:
		flag(flagResolveIgnored)
	case resolved >= 0:
		l.list[resolved].at = at
	default:
		l.list = slices.Insert(l.list, closed, moment{at: at, kind: event.IncidentResolved, actor: l.m.actor(said, factResolvedBy, factAssignee)})
		resolved = closed
	}
	if resolved >= 0 {
		l.before(reopened, resolved)
	}
	l.closing(said, flag)
}

// unresolved deals with an incident that was closed and, as far as the log tells, never resolved.
func (l *logReader) unresolved(resolved, closed int, flag func(string)) int {
	switch {
	case resolved >= 0 || l.phase != phaseClosed:
		return resolved
	case !l.m.ClosedResolves:
		flag(flagUnresolved)
		return -1
	}
	flag(flagCloseResolves)
	o := l.list[closed]
	o.kind = event.IncidentResolved
	l.list = slices.Insert(l.list, closed, o)
	return closed
}

// before keeps what the log wrote down before a resolve in front of it, where the stated time of resolving is earlier.
func (l *logReader) before(from, resolved int) {
	at := l.list[resolved].at
	for n := max(from, 0); n < resolved; n++ {
		l.list[n].at = min(l.list[n].at, at)
	}
}

// closing puts the close at its stated time, and behind the resolve.
func (l *logReader) closing(said *reading, flag func(string)) {
	if l.phase != phaseClosed {
		return
	}
	closed, resolved, reopened := l.last(event.IncidentClosed), l.last(event.IncidentResolved), l.last(event.IncidentReopened)
	if at := said.at[factClosedAt]; at != 0 && (reopened < 0 || at >= l.list[reopened].at) {
		l.list[closed].at = at
	}
	if resolved >= 0 && l.list[closed].at < l.list[resolved].at {
		flag(flagCloseMoved)
		l.list[closed].at = l.list[resolved].at
	}
}

// last returns where the last moment of a kind is, -1 where there is none.
func (l *logReader) last(kind event.ChangeKind) int {
	for n, o := range slices.Backward(l.list) {
		if o.kind == kind {
			return n
		}
	}
	return -1
}
