package imports

import (
	"encoding/binary"
	"slices"

	"github.com/cespare/xxhash/v2"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/history/clickhouse"
)

// incident is what an export says of one incident as a whole.
type incident struct {
	id         uint64
	number     string
	tenant     string
	openedAt   int64 // ms since 1970, as all times here
	openedBy   string
	firstEvent int64  // 0: not said
	kind       string // of the signature
	line       int    // of its first row

	reopens, reassignments int32 // as the export says; -1: it does not
}

// identity is the number of an incident within its origin: the same file gives the same one.
func identity(tenant, number string) uint64 {
	return max(1, xxhash.Sum64String(tenant+"\x00"+number)) // 0 marks imports that came to their end
}

// state is an incident after one of its moments.
type state struct {
	at       int64
	kind     event.ChangeKind
	actor    string
	text     string
	phase    string
	severity int32
	priority int32
	impact   int32
	urgency  int32
	title    string
	labels   map[string]string
	ci       string
	services []string
	team     string
	assignee string

	ackedAt, begunAt, resolvedAt, closedAt int64 // 0: it did not happen

	ackedBy, resolvedBy, heldAs string
	reopened                    uint32
}

// story is an incident with its versions in order.
type story struct {
	incident
	versions []state
	digest   uint64
}

// sum hashes all that will be stored of a story but the generation, so that what was read before is known again.
func (s *story) sum() uint64 {
	d := xxhash.New()
	text := func(parts ...string) {
		for _, p := range parts {
			_, _ = d.Write(binary.AppendUvarint(nil, uint64(len(p)))) // a digest takes all
			_, _ = d.WriteString(p)
		}
	}
	numbers := func(list ...int64) {
		var b []byte
		for _, n := range list {
			b = binary.AppendVarint(b, n)
		}
		_, _ = d.Write(b)
	}
	text(s.number, s.tenant, s.openedBy, s.kind)
	numbers(s.openedAt, s.firstEvent, int64(s.reopens), int64(s.reassignments), int64(len(s.versions)))
	for i := range s.versions {
		v := &s.versions[i]
		text(v.kind.String(), v.actor, v.text, v.phase, v.title, v.ci, v.team, v.assignee, v.ackedBy, v.resolvedBy, v.heldAs)
		numbers(v.at, int64(v.severity), int64(v.priority), int64(v.impact), int64(v.urgency), v.ackedAt, v.begunAt, v.resolvedAt, v.closedAt, int64(v.reopened))
		text(v.services...)
		numbers(int64(len(v.labels)))
		for _, name := range sortedKeys(v.labels) {
			text(name, v.labels[name])
		}
	}
	return d.Sum64()
}

func sortedKeys(m map[string]string) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// batch holds versions by column, as they are inserted.
type batch struct {
	origin, actor, kind, text, number, tenant, phase, title, ci, team, assignee, openedBy, openedName, openedResource, ackedBy, heldAs, resolvedBy []string

	incident, seq                          []uint64
	n, reopened                            []uint32
	at, openedAt                           []int64
	severity, priority, impact, urgency    []uint8
	labels                                 []map[string]string
	services                               [][]string
	ackedAt, begunAt, resolvedAt, closedAt []*int64
	firstEventSaid                         []*int64
	reopensSaid, reassignmentsSaid         []*uint32
}

// add appends a version of a story.
func (b *batch) add(origin string, generation uint64, s *story, i int) {
	v := &s.versions[i]
	openedName, openedResource := "", ""
	if v.kind == event.IncidentOpened {
		openedName, openedResource = s.kind, v.ci
	}
	b.origin, b.incident, b.seq, b.n = append(b.origin, origin), append(b.incident, s.id), append(b.seq, generation), append(b.n, uint32(i))
	b.at, b.kind, b.actor, b.text = append(b.at, v.at), append(b.kind, v.kind.String()), append(b.actor, v.actor), append(b.text, v.text)
	b.number, b.tenant, b.phase = append(b.number, s.number), append(b.tenant, s.tenant), append(b.phase, v.phase)
	b.severity, b.priority = append(b.severity, uint8(v.severity)), append(b.priority, uint8(v.priority))
	b.impact, b.urgency = append(b.impact, uint8(v.impact)), append(b.urgency, uint8(v.urgency))
	b.title, b.labels, b.ci, b.services = append(b.title, v.title), append(b.labels, v.labels), append(b.ci, v.ci), append(b.services, v.services)
	b.team, b.assignee, b.openedAt, b.openedBy = append(b.team, v.team), append(b.assignee, v.assignee), append(b.openedAt, s.openedAt), append(b.openedBy, s.openedBy)
	b.openedName, b.openedResource = append(b.openedName, openedName), append(b.openedResource, openedResource)
	b.ackedAt, b.ackedBy, b.begunAt = append(b.ackedAt, orNull(v.ackedAt)), append(b.ackedBy, v.ackedBy), append(b.begunAt, orNull(v.begunAt))
	b.heldAs, b.resolvedAt, b.resolvedBy = append(b.heldAs, v.heldAs), append(b.resolvedAt, orNull(v.resolvedAt)), append(b.resolvedBy, v.resolvedBy)
	b.closedAt, b.reopened = append(b.closedAt, orNull(v.closedAt)), append(b.reopened, v.reopened)
	b.firstEventSaid = append(b.firstEventSaid, orNull(s.firstEvent))
	b.reopensSaid, b.reassignmentsSaid = append(b.reopensSaid, said(s.reopens)), append(b.reassignmentsSaid, said(s.reassignments))
}

func orNull(at int64) *int64 {
	if at == 0 {
		return nil
	}
	return &at
}

func said(n int32) *uint32 {
	if n < 0 {
		return nil
	}
	return new(uint32(n))
}

// columns returns the batch for the table incident_versions.
func (b *batch) columns() []clickhouse.Column {
	return []clickhouse.Column{
		{Name: "origin", Data: b.origin}, {Name: "incident", Data: b.incident}, {Name: "seq", Data: b.seq}, {Name: "n", Data: b.n}, {Name: "at", Data: b.at},
		{Name: "kind", Data: b.kind}, {Name: "actor", Data: b.actor}, {Name: "text", Data: b.text}, {Name: "number", Data: b.number},
		{Name: "tenant", Data: b.tenant}, {Name: "phase", Data: b.phase}, {Name: "severity", Data: b.severity}, {Name: "priority", Data: b.priority},
		{Name: "impact", Data: b.impact}, {Name: "urgency", Data: b.urgency}, {Name: "title", Data: b.title}, {Name: "labels", Data: b.labels},
		{Name: "ci", Data: b.ci}, {Name: "services", Data: b.services}, {Name: "team", Data: b.team}, {Name: "assignee", Data: b.assignee},
		{Name: "opened_at", Data: b.openedAt}, {Name: "opened_by", Data: b.openedBy}, {Name: "opened_name", Data: b.openedName},
		{Name: "opened_resource", Data: b.openedResource}, {Name: "acked_at", Data: b.ackedAt}, {Name: "acked_by", Data: b.ackedBy},
		{Name: "begun_at", Data: b.begunAt}, {Name: "held_as", Data: b.heldAs}, {Name: "resolved_at", Data: b.resolvedAt},
		{Name: "resolved_by", Data: b.resolvedBy}, {Name: "closed_at", Data: b.closedAt}, {Name: "reopened", Data: b.reopened},
		{Name: "first_event_said", Data: b.firstEventSaid}, {Name: "reopens_said", Data: b.reopensSaid},
		{Name: "reassignments_said", Data: b.reassignmentsSaid},
	}
}
