package facts

import (
	"strconv"
	"strings"

	"github.com/tocsin-noc/tocsin/event"
)

// logbook is the table log: everything else that happened.
type logbook struct {
	table
	at                                    *times
	key                                   key
	kind, tenant, id, name, source, actor *values[string]
	since, until                          *times
	count                                 *values[uint64]
	text                                  *values[string]
}

// entry is one row of it, besides where it comes from.
type entry struct {
	tenant, id, name, source, text string
	since, until                   event.Time
	count                          uint64
}

func newLogbook() *logbook {
	t := &logbook{table: table{name: "log"}}
	text := func(name string) *values[string] { return column[string](&t.table, name) }
	t.at, t.key = moments(&t.table, "at"), keyOf(&t.table)
	t.kind, t.tenant, t.id, t.name, t.source, t.actor = text("kind"), text("tenant"), text("id"), text("name"), text("source"), text("actor")
	t.since, t.until = optional(&t.table, "since"), optional(&t.table, "until")
	t.count, t.text = column[uint64](&t.table, "count"), text("text")
	return t
}

func (t *logbook) add(ch *event.Change) {
	e := entryOf(ch)
	t.rows++
	t.at.add(ch.At)
	t.key.add(ch)
	t.kind.add(ch.Kind.String())
	t.tenant.add(e.tenant)
	t.id.add(e.id)
	t.name.add(e.name)
	t.source.add(e.source)
	t.actor.add(ch.Actor)
	t.since.add(e.since)
	t.until.add(e.until)
	t.count.add(e.count)
	t.text.add(e.text)
}

func entryOf(ch *event.Change) entry {
	switch {
	case ch.Silence != nil:
		s := ch.Silence
		return entry{tenant: s.Tenant, id: s.ID, name: matchers(s.Matchers), text: s.Comment, since: s.StartsAt, until: s.EndsAt, count: ch.Count}
	case ch.Window != nil:
		return windowEntry(ch)
	case ch.Storm != nil:
		s := ch.Storm
		return entry{tenant: s.Tenant, id: decimal(s.Number), since: s.BeganAt, until: s.EndedAt, count: uint64(s.Openings)}
	case ch.Beat != nil:
		return beatEntry(ch)
	case ch.Handover != nil:
		h := ch.Handover
		return entry{tenant: h.Tenant, name: h.Team, text: h.Text, since: h.At}
	case ch.Trace != nil:
		return entry{tenant: ch.Trace.Tenant, name: ch.Trace.Rule, since: ch.Trace.At, until: ch.Trace.Due}
	}
	e := entry{tenant: ch.Source.Tenant, source: ch.Source.Name, until: ch.Until, count: ch.Count, text: ch.Text}
	if ch.Kind == event.RulesLoaded { // all of them, which are kept elsewhere
		e.count, e.text = uint64(len(ch.Text)), ""
	}
	return e
}

// windowEntry is about the occurrence that runs, or else about the window.
func windowEntry(ch *event.Change) entry {
	w := ch.Window
	e := entry{tenant: w.Tenant, id: w.ID, name: w.Name, text: w.Reason, since: w.StartsAt, until: w.EndsAt, count: ch.Count}
	if w.OpenAt != 0 {
		e.since, e.until = w.OpenAt, w.CloseAt
	}
	return e
}

// beatEntry begins, of one that is lost, with its last word.
func beatEntry(ch *event.Change) entry {
	b := ch.Beat
	e := entry{tenant: b.Tenant, id: decimal(b.Number), name: b.Name, source: b.Source, since: b.Since}
	if ch.Kind == event.HeartbeatLost {
		e.since = b.LastWord
	}
	return e
}

func decimal(n uint32) string { return strconv.FormatUint(uint64(n), 10) }

func matchers(list []event.Matcher) string {
	parts := make([]string, len(list))
	for i, m := range list {
		op := "="
		switch {
		case m.IsRegex && m.IsEqual:
			op = "=~"
		case m.IsRegex:
			op = "!~"
		case !m.IsEqual:
			op = "!="
		}
		parts[i] = m.Name + op + strconv.Quote(m.Value)
	}
	return "{" + strings.Join(parts, ",") + "}"
}
