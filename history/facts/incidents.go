package facts

import (
	"strconv"
	"strings"

	"github.com/tocsin-noc/tocsin/event"
)

// incidentVersions is the table of the same name: each change of an incident with the state after it.
type incidentVersions struct {
	table
	origin                                   *values[string]
	shard                                    *values[uint32]
	incident, seq                            *values[uint64]
	n                                        *values[uint32]
	at                                       *times
	kind, actor, text, number, tenant, phase *values[string]
	severity, priority, impact, urgency      *values[uint8]
	title, rule                              *values[string]
	labels                                   *values[event.Labels]
	ci                                       *values[string]
	services, down                           *values[[]string]
	team, assignee                           *values[string]
	openedAt                                 *times
	openedBy, openedName, openedResource     *values[string]
	continues                                *values[uint64]
	ackedAt                                  *times
	ackedBy                                  *values[string]
	begunAt, clearSince, heldUntil           *times
	heldAs                                   *values[string]
	resolvedAt                               *times
	resolvedBy                               *values[string]
	closedAt                                 *times
	reopened                                 *values[uint32]
	recurs, mergedInto, parent               *values[uint64]
	storm, heartbeat                         *values[uint32]
	signalLost, unbound, major               *values[bool]
	rating                                   *values[uint8]
	reported                                 *values[uint32]
}

func newIncidentVersions() *incidentVersions {
	t := &incidentVersions{table: table{name: "incident_versions"}}
	text := func(name string) *values[string] { return column[string](&t.table, name) }
	small := func(name string) *values[uint8] { return column[uint8](&t.table, name) }
	number := func(name string) *values[uint32] { return column[uint32](&t.table, name) }
	id := func(name string) *values[uint64] { return column[uint64](&t.table, name) }
	flag := func(name string) *values[bool] { return column[bool](&t.table, name) }
	t.origin, t.shard, t.incident, t.seq, t.n = text("origin"), number("shard"), id("incident"), id("seq"), number("n")
	t.at = moments(&t.table, "at")
	t.kind, t.actor, t.text, t.number, t.tenant, t.phase = text("kind"), text("actor"), text("text"), text("number"), text("tenant"), text("phase")
	t.severity, t.priority, t.impact, t.urgency = small("severity"), small("priority"), small("impact"), small("urgency")
	t.title, t.rule, t.labels = text("title"), text("rule"), column[event.Labels](&t.table, "labels")
	t.ci, t.services, t.down = text("ci"), column[[]string](&t.table, "services"), column[[]string](&t.table, "services_down")
	t.team, t.assignee = text("team"), text("assignee")
	t.openedAt = moments(&t.table, "opened_at")
	t.openedBy, t.openedName, t.openedResource = text("opened_by"), text("opened_name"), text("opened_resource")
	t.continues = id("continues")
	t.ackedAt, t.ackedBy = optional(&t.table, "acked_at"), text("acked_by")
	t.begunAt, t.clearSince, t.heldUntil = optional(&t.table, "begun_at"), optional(&t.table, "clear_since"), optional(&t.table, "held_until")
	t.heldAs = text("held_as")
	t.resolvedAt, t.resolvedBy, t.closedAt = optional(&t.table, "resolved_at"), text("resolved_by"), optional(&t.table, "closed_at")
	t.reopened = number("reopened")
	t.recurs, t.mergedInto, t.parent = id("recurs"), id("merged_into"), id("parent")
	t.storm, t.heartbeat = number("storm"), number("heartbeat")
	t.signalLost, t.unbound, t.major = flag("signal_lost"), flag("unbound"), flag("major")
	t.rating, t.reported = small("rating"), number("reported")
	return t
}

func (t *incidentVersions) add(ch *event.Change) {
	i := ch.Incident
	t.rows++
	t.origin.add("")
	t.shard.add(ch.Shard)
	t.incident.add(uint64(i.ID))
	t.seq.add(ch.Seq)
	t.n.add(ch.N)
	t.at.add(ch.At)
	t.kind.add(ch.Kind.String())
	t.actor.add(ch.Actor)
	t.text.add(ch.Text)
	t.number.add(numberOf(ch.Shard, i.ID))
	t.tenant.add(i.Tenant)
	t.phase.add(i.Phase.String())
	t.severity.add(uint8(i.Severity))
	t.priority.add(i.Priority)
	t.impact.add(i.Impact)
	t.urgency.add(i.Urgency)
	t.title.add(i.Title)
	t.rule.add(i.Rule)
	t.labels.add(event.SharedLabels(i.Rule, i.Labels))
	t.ci.add(i.CI)
	t.hit(i.Services)
	t.team.add(i.Team)
	t.assignee.add(i.Assignee)
	t.opening(ch)
	t.ackedAt.add(i.AckedAt)
	t.ackedBy.add(i.AckedBy)
	t.begunAt.add(i.BegunAt)
	t.clearSince.add(i.ClearSince)
	t.held(i)
	t.resolvedAt.add(i.ResolvedAt)
	t.resolvedBy.add(i.ResolvedBy)
	t.closedAt.add(i.ClosedAt)
	t.reopened.add(i.Reopened)
	t.recurs.add(uint64(i.Recurs))
	t.mergedInto.add(uint64(i.MergedInto))
	t.parent.add(uint64(i.Parent))
	t.storm.add(i.Storm)
	t.heartbeat.add(i.Heartbeat)
	t.signalLost.add(i.SignalLost)
	t.unbound.add(i.Unbound)
	t.dossier(i.Dossier)
}

// numberOf writes an incident's number as people do.
func numberOf(shard uint32, id event.IncidentID) string {
	if shard == 0 {
		return id.String()
	}
	return "INC-" + strconv.FormatUint(uint64(shard), 10) + "-" + strconv.FormatUint(uint64(id), 10)
}

func (t *incidentVersions) hit(services []event.Affected) {
	var all, down []string
	for _, s := range services {
		all = append(all, s.Service)
		if s.Down {
			down = append(down, s.Service)
		}
	}
	t.services.add(all)
	t.down.add(down)
}

// opening adds who or what opened it: of the alert that did, the ledger tells.
func (t *incidentVersions) opening(ch *event.Change) {
	t.openedAt.add(ch.Incident.OpenedAt)
	t.openedBy.add(ch.Incident.OpenedBy)
	name, resource, before := "", "", uint64(0)
	if ch.Kind == event.IncidentOpened {
		for _, e := range ch.Ledger {
			switch {
			case e.Kind == "alert" && len(e.Operands) == 3:
				name, resource = e.Operands[1], e.Operands[2]
			case (e.Kind == "full" || e.Kind == "too_old") && len(e.Operands) > 0:
				before, _ = strconv.ParseUint(strings.TrimPrefix(e.Operands[0], "INC-"), 10, 64) // the core wrote it
			}
		}
	}
	t.openedName.add(name)
	t.openedResource.add(resource)
	t.continues.add(before)
}

func (t *incidentVersions) held(i *event.IncidentState) {
	as := ""
	if i.HeldUntil != 0 {
		as = i.HeldAs.String()
	}
	t.heldUntil.add(i.HeldUntil)
	t.heldAs.add(as)
}

func (t *incidentVersions) dossier(d *event.Dossier) {
	if d == nil {
		d = &event.Dossier{}
	}
	t.major.add(d.Major != nil)
	t.rating.add(d.Rating)
	t.reported.add(d.Reported)
}

// causes is the table of the same name.
type causes struct {
	table
	at         *times
	key        key
	incident   *values[uint64]
	candidates *values[[]Candidate]
	margin     *values[int64]
	confident  *values[bool]
	verdict    *values[string]
	on, by     *values[string]
}

// Candidate is what may be a root cause.
type Candidate struct {
	CI    string `ch:"ci"`
	Score int64  `ch:"score"`
	Share uint16 `ch:"share"`
}

func newCauses() *causes {
	t := &causes{table: table{name: "causes"}}
	t.at, t.key = moments(&t.table, "at"), keyOf(&t.table)
	t.incident, t.candidates = column[uint64](&t.table, "incident"), column[[]Candidate](&t.table, "candidates")
	t.margin, t.confident = column[int64](&t.table, "margin"), column[bool](&t.table, "confident")
	t.verdict, t.on, t.by = column[string](&t.table, "verdict"), column[string](&t.table, "verdict_on"), column[string](&t.table, "verdict_by")
	return t
}

func (t *causes) add(ch *event.Change) {
	c := ch.Causes
	t.rows++
	t.at.add(ch.At)
	t.key.add(ch)
	t.incident.add(uint64(c.Incident))
	list := make([]Candidate, 0, len(c.Candidates))
	for _, x := range c.Candidates {
		list = append(list, Candidate{x.CI, x.Score, x.Share})
	}
	t.candidates.add(list)
	t.margin.add(c.Margin)
	t.confident.add(c.Confident)
	t.verdict.add(c.Verdict.String())
	t.on.add(c.VerdictOn)
	t.by.add(c.VerdictBy)
}
