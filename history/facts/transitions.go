package facts

import "github.com/tocsin-noc/tocsin/event"

// ownSource is the name under which Tocsin itself raises alerts: nobody sent those.
const ownSource = "tocsin"

// transitions is the table of the same name: everything that happened to alerts but repeats.
type transitions struct {
	table
	at                               *times
	key                              key
	kind                             *values[string]
	event                            *values[bool]
	tenant, source                   *values[string]
	alert                            *values[uint64]
	name, resource, ci, bound, phase *values[string]
	severity                         *values[uint8]
	reason                           *values[string]
	quiet                            *values[[]string]
	decided, place                   *values[string]
	suppressed                       *values[bool]
	occurrence, incident             *values[uint32]
	startedAt, firingAt, endedAt     *times
	actor                            *values[string]

	quiets [1 << event.QuietReasons][]string // the names of each set of them
}

func newTransitions() *transitions {
	t := &transitions{table: table{name: "transitions"}}
	text := func(name string) *values[string] { return column[string](&t.table, name) }
	t.at = moments(&t.table, "at")
	t.key = keyOf(&t.table)
	t.kind, t.event = text("kind"), column[bool](&t.table, "event")
	t.tenant, t.source, t.alert = text("tenant"), text("source"), column[uint64](&t.table, "alert")
	t.name, t.resource, t.ci, t.bound, t.phase = text("name"), text("resource"), text("ci"), text("bound"), text("phase")
	t.severity, t.reason = column[uint8](&t.table, "severity"), text("reason")
	t.quiet, t.decided, t.place = column[[]string](&t.table, "quiet"), text("decided"), text("place")
	t.suppressed = column[bool](&t.table, "suppressed")
	t.occurrence, t.incident = column[uint32](&t.table, "occurrence"), column[uint32](&t.table, "incident")
	t.startedAt, t.firingAt, t.endedAt = optional(&t.table, "started_at"), optional(&t.table, "firing_at"), optional(&t.table, "ended_at")
	t.actor = text("actor")
	for set := range t.quiets {
		t.quiets[set] = event.Quiet(set).Names()
	}
	return t
}

// said tells whether a sender's word caused a change that its kind can have other causes for as well:
//
//	alert_firing                 always a sender's word
//	alert_cleared                unless the alert is Tocsin's own
//	alert_updated                what the machine changes by itself (its binding, why it waits) carries no claim
//	claim_ended, alert_expired   the claim was cleared: silence leaves it expired
//
// One word of a sender is one such row, or else one repeat: alert_seen.
func said(ch *event.Change, from event.Source) bool {
	if from.Name == ownSource {
		return false
	}
	switch ch.Kind {
	case event.AlertFiring, event.AlertCleared:
		return true
	case event.AlertUpdated:
		return ch.Claim.ID != 0
	case event.ClaimEnded, event.AlertExpired:
		return ch.Claim.Phase == event.Cleared
	default:
		return false
	}
}

func (t *transitions) add(ch *event.Change, from event.Source) {
	a := &ch.Alert
	t.rows++
	t.at.add(ch.At)
	t.key.add(ch)
	t.kind.add(ch.Kind.String())
	t.event.add(said(ch, from))
	t.tenant.add(from.Tenant)
	t.source.add(from.Name)
	t.alert.add(uint64(a.ID))
	t.name.add(a.Name)
	t.resource.add(a.Resource)
	t.ci.add(a.Item)
	t.severity.add(uint8(a.Severity))
	t.suppressed.add(a.Suppressed)
	t.occurrence.add(a.Occurrences)
	t.incident.add(uint32(a.Incident))
	t.startedAt.add(a.StartsAt)
	t.firingAt.add(a.FiringAt)
	t.endedAt.add(a.EndedAt)
	t.actor.add(ch.Actor)
	if ch.Kind == event.AlertUnconfirmed { // all that it says of its alert is which
		for _, c := range []*values[string]{t.bound, t.phase, t.reason, t.decided, t.place} {
			c.add("")
		}
		t.quiet.add(nil)
		return
	}
	t.bound.add(a.Bound.String())
	t.phase.add(a.Phase.String())
	reason := ""
	if a.Reason != 0 {
		reason = a.Reason.String()
	}
	t.reason.add(reason)
	quiet := t.quiets[int(a.Quiet)%len(t.quiets)]
	t.quiet.add(quiet)
	if len(quiet) > 0 {
		reason = quiet[0]
	}
	t.decided.add(reason)
	t.place.add(placeOf(ch))
}

// placeOf names why topology put an alert that begins where it is.
func placeOf(ch *event.Change) string {
	switch {
	case ch.Kind != event.AlertFiring:
		return ""
	case ch.Place == nil:
		return event.PlaceNone.String()
	}
	return ch.Place.Kind.String()
}
