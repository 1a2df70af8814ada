package imports

import "github.com/tocsin-noc/tocsin/event"

// Flags are what an import makes of incidents whose times do not go together, by rules that the manual states. Each is counted.
const (
	flagCloseMoved      = "closed before it was resolved: the close is taken at the resolve"
	flagCloseResolves   = "closed without a time of resolving: resolved at the close (closed_resolves)"
	flagUnresolved      = "closed without a time of resolving: it counts in no time to resolve (closed_resolves: true takes the close)"
	flagNoTime          = "resolved, closed or cancelled without any time of that: only its state is taken"
	flagOpenAgain       = "open, and yet with a time of resolving or closing: when it was opened again is not known, and that time is left out"
	flagReopenedFirst   = "reopened, and when it was resolved before that is not known: only the count tells"
	flagReopenedLast    = "reopened after its last known resolve, and yet over: the later resolve has no time"
	flagBeforeOpening   = "acknowledged, assigned or begun before it was opened: that is left out"
	flagEventEarly      = "an event before the opening: it is taken at the opening"
	flagResolveIgnored  = "the time of resolving lies before the last reopening of the log: the log counts"
	flagNoPriority      = "without a priority: taken as 4"
	flagDropped         = "older than the history is kept (history.retention), and so not there"
	flagFirstEventLater = "its trouble began after it was opened, as the export says: that is left out"
)

// whole makes the story of an incident of which one row tells everything. A rejected one has none.
func (m *Map) whole(r *reading, tenant string, flag func(string)) (story, *Reject) {
	opened := r.at[factOpenedAt]
	for _, f := range []fact{factResolvedAt, factClosedAt, factReopenedAt} {
		if r.at[f] != 0 && r.at[f] < opened {
			return story{}, m.before(r, f)
		}
	}
	i := m.head(r, tenant)
	m.soundHead(&i, r, flag)
	list := []moment{{at: opened, kind: event.IncidentOpened, actor: i.openedBy, row: r, team: r.at[factAssignedAt] == 0}}
	early := func(f fact, o moment) {
		switch at := r.at[f]; {
		case at == 0:
		case at < opened:
			flag(flagBeforeOpening)
		default:
			o.at = at
			list = append(list, o)
		}
	}
	early(factAssignedAt, moment{kind: event.IncidentAssigned, actor: unknown, row: r, team: true})
	early(factAcknowledgedAt, moment{kind: event.IncidentAcknowledged, actor: m.actor(r, factAcknowledgedBy, factAssignee)})
	early(factBegunAt, moment{kind: event.IncidentBegun, actor: m.actor(r, factAssignee)})
	return m.replay(i, append(list, m.ending(r, flag)...)), nil
}

// before rejects a row because of a time before the opening.
func (m *Map) before(r *reading, f fact) *Reject {
	return &Reject{Line: r.line, Column: m.facts[f].columns[0], Value: showTime(r.at[f]), Reason: factNames[f].name + ": before it was opened, " + showTime(r.at[factOpenedAt])}
}

// soundHead drops what cannot be of the incident as a whole.
func (m *Map) soundHead(i *incident, r *reading, flag func(string)) {
	if i.firstEvent > i.openedAt {
		i.firstEvent = 0
		flag(flagFirstEventLater)
	}
	if r.at[factReopenedAt] != 0 {
		i.reopens = max(i.reopens, 1)
	}
	if m.facts[factPriority].stated() && r.num[factPriority] < 0 {
		flag(flagNoPriority)
	}
}

// ending returns how an incident of one row ended, as far as it did.
func (m *Map) ending(r *reading, flag func(string)) (list []moment) {
	resolved, closed, reopened := r.at[factResolvedAt], r.at[factClosedAt], r.at[factReopenedAt]
	by, text := m.actor(r, factResolvedBy, factAssignee), r.text[factText]
	over, reason := station(m.stateOf(r))
	add := func(at int64, kind event.ChangeKind) {
		list = append(list, moment{at: at, kind: kind, actor: by, text: text})
	}
	again := resolved != 0 && reopened >= resolved // the resolve that is known was undone
	if reopened != 0 && !again {
		flag(flagReopenedFirst)
		add(reopened, event.IncidentReopened)
	}
	switch {
	case resolved == 0:
	case again:
		add(resolved, event.IncidentResolved)
		add(reopened, event.IncidentReopened)
	case isOver(over):
		add(resolved, event.IncidentResolved)
	default:
		flag(flagOpenAgain)
	}
	if resolved == 0 && closed != 0 && !isOver(over) {
		flag(flagOpenAgain)
	}
	unresolved := resolved == 0 || again
	switch over {
	case phaseResolved:
		if unresolved {
			m.untimed(r, &list, phaseResolved, again, flag)
		}
	case phaseClosed:
		m.close(r, &list, closed, unresolved, again, flag)
	case phaseCancelled:
		if closed = max(closed, resolved, reopened); closed == 0 {
			m.untimed(r, &list, phaseCancelled, false, flag)
			break
		}
		add(closed, event.IncidentCancelled)
	case "on_hold":
		list = append(list, moment{at: max(r.at[factOpenedAt], r.at[factUpdatedAt], reopened), kind: event.IncidentHeld, actor: unknown, held: reason})
	}
	return list
}

// close ends the list with the close of the incident.
func (m *Map) close(r *reading, list *[]moment, closed int64, unresolved, again bool, flag func(string)) {
	resolved := max(r.at[factResolvedAt], r.at[factReopenedAt])
	if closed == 0 {
		m.untimed(r, list, phaseClosed, false, flag)
		return
	}
	if closed < resolved {
		flag(flagCloseMoved)
		closed = resolved
	}
	by := m.actor(r, factResolvedBy, factAssignee)
	switch {
	case unresolved && m.ClosedResolves:
		flag(flagCloseResolves)
		*list = append(*list, moment{at: closed, kind: event.IncidentResolved, actor: by})
	case again:
		flag(flagReopenedLast)
	case unresolved:
		flag(flagUnresolved)
	}
	*list = append(*list, moment{at: closed, kind: event.IncidentClosed, actor: by, text: r.text[factText]})
}

// untimed says what an incident is that got there at no known time.
func (m *Map) untimed(r *reading, list *[]moment, phase string, again bool, flag func(string)) {
	if flag(flagNoTime); again {
		flag(flagReopenedLast)
	}
	at := max(r.at[factOpenedAt], r.at[factResolvedAt], r.at[factReopenedAt], r.at[factUpdatedAt])
	*list = append(*list, moment{at: at, kind: event.IncidentUpdated, actor: unknown, phase: phase})
}

// stateOf returns where an incident is. A map without states lets its times tell.
func (m *Map) stateOf(r *reading) string {
	switch {
	case r.words[factState] != "":
		return r.words[factState]
	case r.at[factClosedAt] != 0:
		return phaseClosed
	case r.at[factResolvedAt] != 0:
		return phaseResolved
	}
	return "new"
}
