package facts

import "github.com/tocsin-noc/tocsin/event"

// alerts is the table of the same name: what does not change while an alert is known.
type alerts struct {
	table
	key                            key
	alert                          *values[uint64]
	firstAt                        *times
	tenant, source, name, resource *values[string]
	labels, annotations            *values[event.Labels]
}

func newAlerts() *alerts {
	t := &alerts{table: table{name: "alerts"}}
	t.key = keyOf(&t.table)
	t.alert, t.firstAt = column[uint64](&t.table, "alert"), moments(&t.table, "first_at")
	t.tenant, t.source = column[string](&t.table, "tenant"), column[string](&t.table, "source")
	t.name, t.resource = column[string](&t.table, "name"), column[string](&t.table, "resource")
	t.labels, t.annotations = column[event.Labels](&t.table, "labels"), column[event.Labels](&t.table, "annotations")
	return t
}

// begins tells whether a change is the first that is heard of an alert.
func begins(ch *event.Change) bool {
	return (ch.Kind == event.AlertFiring || ch.Kind == event.AlertCleared) && ch.Claim.Full && ch.Alert.FirstAt == ch.At && ch.Alert.Occurrences <= 1
}

func (t *alerts) add(ch *event.Change, from event.Source) {
	t.rows++
	t.key.add(ch)
	t.alert.add(uint64(ch.Alert.ID))
	t.firstAt.add(ch.Alert.FirstAt)
	t.tenant.add(from.Tenant)
	t.source.add(from.Name)
	t.name.add(ch.Alert.Name)
	t.resource.add(ch.Alert.Resource)
	t.labels.add(ch.Claim.Labels)
	t.annotations.add(ch.Claim.Annotations)
}

// members is the table of the same name: alerts in incidents.
type members struct {
	table
	shard, incident              *values[uint32]
	alert                        *values[uint64]
	occurrence                   *values[uint32]
	place                        *values[uint64]
	phase                        *values[string]
	startedAt, firingAt, endedAt *times
}

func newMembers() *members {
	t := &members{table: table{name: "members"}}
	t.shard, t.incident = column[uint32](&t.table, "shard"), column[uint32](&t.table, "incident")
	t.alert, t.occurrence = column[uint64](&t.table, "alert"), column[uint32](&t.table, "occurrence")
	t.place, t.phase = column[uint64](&t.table, "place"), column[string](&t.table, "phase")
	t.startedAt, t.firingAt, t.endedAt = optional(&t.table, "started_at"), optional(&t.table, "firing_at"), optional(&t.table, "ended_at")
	return t
}

func (t *members) add(ch *event.Change) {
	a := &ch.Alert
	t.rows++
	t.shard.add(ch.Shard)
	t.incident.add(uint32(a.Incident))
	t.alert.add(uint64(a.ID))
	t.occurrence.add(a.Occurrences)
	t.place.add(place(ch))
	t.phase.add(a.Phase.String())
	t.startedAt.add(a.StartsAt)
	t.firingAt.add(a.FiringAt)
	t.endedAt.add(a.EndedAt)
}

// moves is the table of the same name: alerts that went from one incident into another.
type moves struct {
	table
	shard      *values[uint32]
	alert      *values[uint64]
	occurrence *values[uint32]
	place      *values[uint64]
	at         *times
	incident   *values[uint32]
	actor      *values[string]
}

func newMoves() *moves {
	t := &moves{table: table{name: "moves"}}
	t.shard, t.alert = column[uint32](&t.table, "shard"), column[uint64](&t.table, "alert")
	t.occurrence, t.place = column[uint32](&t.table, "occurrence"), column[uint64](&t.table, "place")
	t.at, t.incident, t.actor = moments(&t.table, "at"), column[uint32](&t.table, "incident"), column[string](&t.table, "actor")
	return t
}

func (t *moves) add(ch *event.Change) {
	t.rows++
	t.shard.add(ch.Shard)
	t.alert.add(uint64(ch.Alert.ID))
	t.occurrence.add(ch.Alert.Occurrences)
	t.place.add(place(ch))
	t.at.add(ch.At)
	t.incident.add(uint32(ch.Alert.Incident))
	t.actor.add(ch.Actor)
}
