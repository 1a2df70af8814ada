package evaluate

import "github.com/tocsin-noc/tocsin/event"

// churnAfter is how long after an alert's first incident a change of its id counts: by then people have seen it.
const churnAfter = event.Minute

// follower learns from changes alone, as any reader of the changes log can, in which incident each occurrence of each alert is.
type follower struct {
	alerts      map[uint64]event.AlertID // by identity; a claim that is told in full says whose it is
	current     map[event.AlertID]int32  // its latest occurrence
	occurrences []occurrence
	lines       []int32 // occurrence of each line, -1 while none is known
	alias       map[event.IncidentID]merged
	causes      map[event.IncidentID]event.Causes
	scratch     []byte
}

// occurrence is one time that an alert fired.
type occurrence struct {
	incident event.IncidentID
	since    event.Time // when it got its first incident
	churned  bool
}

// merged is where an incident went.
type merged struct {
	into event.IncidentID
	at   event.Time
}

func newFollower(lines int) *follower {
	return &follower{
		alerts: map[uint64]event.AlertID{}, current: map[event.AlertID]int32{}, lines: make([]int32, lines),
		alias: map[event.IncidentID]merged{}, causes: map[event.IncidentID]event.Causes{},
	}
}

// line takes down whose the line is that was stepped just now. The same alert may fire again within one occurrence.
func (f *follower) line(i int, identity uint64) {
	id, ok := f.alerts[identity]
	if !ok {
		f.lines[i] = -1
		return
	}
	f.lines[i] = f.occurrence(id)
}

func (f *follower) occurrence(id event.AlertID) int32 {
	n, ok := f.current[id]
	if !ok {
		n = f.begin(id)
	}
	return n
}

func (f *follower) begin(id event.AlertID) int32 {
	n := int32(len(f.occurrences))
	f.occurrences = append(f.occurrences, occurrence{})
	f.current[id] = n
	return n
}

func (f *follower) change(c *event.Change) {
	switch c.Kind {
	case event.AlertFiring:
		f.begin(c.Alert.ID)
		f.claim(c)
		f.place(c)
	case event.AlertSeen, event.AlertUpdated, event.AlertCleared, event.AlertExpired, event.ClaimEnded, event.AlertUnconfirmed,
		event.AlertSuppressed, event.AlertReleased, event.AlertSeverity, event.AlertJoined, event.AlertDamped, event.AlertSteadied, event.AlertMoved:
		f.claim(c)
		f.place(c)
	case event.IncidentMerged:
		f.alias[c.Incident.ID] = merged{c.Incident.MergedInto, c.At}
	case event.IncidentUnmerged:
		if c.Incident.MergedInto == 0 {
			delete(f.alias, c.Incident.ID)
		}
	case event.IncidentCauses:
		f.causes[c.Causes.Incident] = clone(c.Causes)
	default: // says nothing of where alerts are
	}
}

// claim learns whose a label set is.
func (f *follower) claim(c *event.Change) {
	if !c.Claim.Full {
		return
	}
	identity, scratch := c.Claim.Labels.Identity(event.DefaultTenant, f.scratch)
	f.alerts[identity], f.scratch = c.Alert.ID, scratch
}

// place moves the current occurrence of an alert to the incident that the change names.
func (f *follower) place(c *event.Change) {
	o := &f.occurrences[f.occurrence(c.Alert.ID)]
	switch {
	case c.Alert.Incident == 0 || c.Alert.Incident == o.incident:
		return
	case o.incident == 0:
		o.since = c.At
	case c.At-o.since > churnAfter:
		o.churned = true
	}
	o.incident = c.Alert.Incident
}

// survivor follows aliases from an incident to the one it lives on in.
func (f *follower) survivor(id event.IncidentID) (last event.IncidentID, mergedAt event.Time) {
	for range len(f.alias) {
		next, ok := f.alias[id]
		if !ok || next.into == 0 {
			break
		}
		id, mergedAt = next.into, max(mergedAt, next.at)
	}
	return id, mergedAt
}

// finish fills in where everything ended.
func (f *follower) finish(out *Outcome) {
	placed, churned := 0, 0
	for i := range f.occurrences {
		o := &f.occurrences[i]
		if o.incident == 0 {
			continue
		}
		last, mergedAt := f.survivor(o.incident)
		if mergedAt != 0 && mergedAt-o.since > churnAfter {
			o.churned = true
		}
		o.incident = last
		if placed++; o.churned {
			churned++
		}
	}
	if placed > 0 {
		out.Churn = float64(churned) / float64(placed)
	}
	out.Incidents, out.Occurrence = make([]event.IncidentID, len(f.lines)), f.lines
	for i, n := range f.lines {
		if n >= 0 {
			out.Incidents[i] = f.occurrences[n].incident
		}
	}
	out.Causes = f.causes
}
