package facts

import "github.com/tocsin-noc/tocsin/event"

// cis is the table of the same name: configuration items, one row per version.
type cis struct {
	table
	tenant, id         *values[string]
	knownAt            *times
	key                key
	validFrom          *times
	gone               *values[bool]
	class, name, state *values[string]
	needs              *values[uint16]
	attributes         *values[event.Labels]
	relations          *values[[]Relation]
	source             *values[string]
	confidence         *values[uint8]
	pinned             *values[[]string]
	actor              *values[string]
}

// Relation is how one item stands to another.
type Relation struct {
	Kind   string `ch:"kind"`
	To     string `ch:"to"`
	Source string `ch:"source"`
}

func newCIs() *cis {
	t := &cis{table: table{name: "cis"}}
	text := func(name string) *values[string] { return column[string](&t.table, name) }
	t.tenant, t.id, t.knownAt = text("tenant"), text("id"), moments(&t.table, "known_at")
	t.key, t.validFrom = keyOf(&t.table), moments(&t.table, "valid_from")
	t.gone, t.class, t.name, t.state = column[bool](&t.table, "gone"), text("class"), text("name"), text("state")
	t.needs, t.attributes = column[uint16](&t.table, "needs"), column[event.Labels](&t.table, "attributes")
	t.relations, t.source = column[[]Relation](&t.table, "relations"), text("source")
	t.confidence, t.pinned, t.actor = column[uint8](&t.table, "confidence"), column[[]string](&t.table, "pinned"), text("actor")
	return t
}

func (t *cis) add(ch *event.Change) {
	ci := ch.CI
	t.rows++
	t.tenant.add(ci.Tenant)
	t.id.add(ci.ID)
	known := ci.KnownAt
	if ch.Kind == event.CIDropped {
		known = ch.At
	}
	t.knownAt.add(known)
	t.key.add(ch)
	t.validFrom.add(ci.ValidFrom)
	t.gone.add(ch.Kind == event.CIDropped)
	t.class.add(ci.Class)
	t.name.add(ci.Name)
	t.state.add(ci.State.String())
	t.needs.add(ci.Needs)
	t.attributes.add(ci.Attributes)
	var relations []Relation
	for _, r := range ci.Relations {
		relations = append(relations, Relation{r.Kind.String(), r.To, r.Source})
	}
	t.relations.add(relations)
	t.source.add(ci.Source)
	t.confidence.add(ci.Confidence)
	t.pinned.add(ci.Pinned)
	t.actor.add(ch.Actor)
}

// outages is the table of the same name: outages of services, one row per version.
type outages struct {
	table
	shard, outage    *values[uint32]
	version          *values[uint64]
	n                *values[uint32]
	at               *times
	tenant, service  *values[string]
	kind, state      *values[string]
	beganAt, endedAt *times
	cause            *values[string]
	byMachine        *values[bool]
	knownAt          *times
	confirmedBy      *values[string]
	confirmedAt      *times
	incidents        *values[[]uint64]
}

func newOutages() *outages {
	t := &outages{table: table{name: "outages"}}
	text := func(name string) *values[string] { return column[string](&t.table, name) }
	t.shard, t.outage = column[uint32](&t.table, "shard"), column[uint32](&t.table, "outage")
	t.version, t.n = column[uint64](&t.table, "version"), column[uint32](&t.table, "n")
	t.at, t.tenant, t.service, t.kind, t.state = moments(&t.table, "at"), text("tenant"), text("service"), text("kind"), text("state")
	t.beganAt, t.endedAt = moments(&t.table, "began_at"), optional(&t.table, "ended_at")
	t.cause, t.byMachine, t.knownAt = text("cause"), column[bool](&t.table, "by_machine"), moments(&t.table, "known_at")
	t.confirmedBy, t.confirmedAt = text("confirmed_by"), optional(&t.table, "confirmed_at")
	t.incidents = column[[]uint64](&t.table, "incidents")
	return t
}

func (t *outages) add(ch *event.Change) {
	o := ch.Outage
	t.rows++
	t.shard.add(ch.Shard)
	t.outage.add(o.Number)
	t.version.add(place(ch))
	t.n.add(ch.N)
	t.at.add(ch.At)
	t.tenant.add(o.Tenant)
	t.service.add(o.Service)
	t.kind.add(o.Kind.String())
	t.state.add(o.State.String())
	t.beganAt.add(o.BeganAt)
	t.endedAt.add(o.EndedAt)
	t.cause.add(o.Cause)
	t.byMachine.add(o.ByMachine)
	t.knownAt.add(o.Known)
	t.confirmedBy.add(o.ConfirmedBy)
	t.confirmedAt.add(o.ConfirmedAt)
	ids := make([]uint64, 0, len(o.Incidents))
	for _, id := range o.Incidents {
		ids = append(ids, uint64(id))
	}
	t.incidents.add(ids)
}

// sources is the table of the same name: senders by their numbers.
type sources struct {
	table
	shard, source      *values[uint32]
	seq                *values[uint64]
	n                  *values[uint32]
	name, tenant, kind *values[string]
}

func newSources() *sources {
	t := &sources{table: table{name: "sources"}}
	text := func(name string) *values[string] { return column[string](&t.table, name) }
	t.shard, t.source = column[uint32](&t.table, "shard"), column[uint32](&t.table, "source")
	t.seq, t.n = column[uint64](&t.table, "seq"), column[uint32](&t.table, "n")
	t.name, t.tenant, t.kind = text("name"), text("tenant"), text("kind")
	return t
}

func (t *sources) add(ch *event.Change, number uint32, from event.Source) {
	t.rows++
	t.shard.add(ch.Shard)
	t.source.add(number)
	t.seq.add(ch.Seq)
	t.n.add(ch.N)
	t.name.add(from.Name)
	t.tenant.add(from.Tenant)
	t.kind.add(from.Kind.String())
}
