package correlate

import "github.com/tocsin-noc/tocsin/event"

// What one source says about one label set is a claim. Its merge is commutative: the same events in any order inside the
// lateness bound leave the same claim, so a late or doubled message decides nothing.

// effect is what an event did to a claim.
type effect uint8

const (
	effectNone   effect = iota // nothing but the time it was heard
	effectMoved                // a bound moved, the phase did not
	effectOnset                // a new occurrence began
	effectReturn               // an expired claim was heard of again: the same occurrence goes on
	effectEnd                  // it is over
	effectText                 // other annotations or another URL, the phase as before
)

// heard is an event with what was left unsaid filled in.
type heard struct {
	at       event.Time // arrival
	startsAt event.Time
	endsAt   event.Time // firing: valid until; cleared: when it ended
	said     bool       // the source gave startsAt
	timeout  bool       // endsAt is arrival + resolve_timeout
	cleared  bool
	guessed  bool       // the source gave no end: endsAt is the arrival
	confirm  event.Time // a stale firing is believed when it comes again this much later
}

// saidStart returns the start that the source gave, 0 when it gave none: only such a start can outlive an end.
func (h heard) saidStart() event.Time {
	if h.said {
		return h.startsAt
	}
	return 0
}

// fill completes an event as Alertmanager does: a missing start is the arrival (or the end), a missing end of a firing alert
// is arrival + timeout for a source that repeats itself, and never for one that speaks once.
func fill(ev *event.Event, kind event.SourceKind, at, timeout, confirm event.Time) heard {
	h := heard{at: at, startsAt: ev.StartsAt, endsAt: ev.EndsAt, said: ev.StartsAt != 0, cleared: ev.Cleared, confirm: confirm}
	switch {
	case h.cleared:
		if h.endsAt == 0 {
			h.endsAt, h.guessed = at, true
		}
	case kind == event.SendOnce:
		h.endsAt = event.Never
	case h.endsAt == 0:
		h.endsAt, h.timeout = at+timeout, true
	}
	if !h.said {
		h.startsAt = at
		if h.cleared {
			h.startsAt = min(at, h.endsAt)
		}
	}
	return h
}

// first returns the claim that an event begins.
func first(h heard) event.ClaimState {
	if h.cleared {
		return event.ClaimState{Phase: event.Cleared, StartsAt: h.startsAt, EndsAt: h.endsAt, LastStart: h.saidStart(), ClearedAt: h.endsAt}
	}
	var c event.ClaimState
	begin(&c, h)
	return c
}

// merge applies an event to the claim it is about.
func merge(c *event.ClaimState, h heard) effect {
	if h.cleared {
		return mergeCleared(c, h)
	}
	return mergeFiring(c, h)
}

func mergeFiring(c *event.ClaimState, h heard) effect {
	if h.startsAt < c.ClearedAt {
		return mergeStale(c, h)
	}
	switch {
	case c.Phase == event.Cleared, h.startsAt > c.EndsAt:
		begin(c, h)
		return effectOnset
	case c.Phase == event.Expired:
		extend(c, h)
		c.Phase = event.Firing
		return effectReturn
	default:
		return extend(c, h)
	}
}

// quietGap is how long a source must have said nothing of an alert before a later start means that it ended in between. The replicas
// of one Prometheus begin an alert up to an evaluation apart, and each repeats it every minute or two.
// Half of that will do for an alert that was never repeated.
const quietGap = 2 * event.Minute

// endedUnsaid tells whether a claim that still counts as firing had ended when its source says that it began: the source names a start
// that lies well after its last word, and never said how long the first was valid.
func endedUnsaid(c *claimRec, firingAt event.Time, h heard) bool {
	gap := quietGap
	if c.seenAt <= firingAt {
		gap /= 2
	}
	return c.phase == event.Firing && c.flags&flagTimeout != 0 && !h.cleared && h.said && c.lastStart != 0 && h.startsAt > c.seenAt+gap
}

// mergeStale judges a firing that began before the last clear: a batch that was held up somewhere, or an alert that the
// source still means. It is believed when it is said again a while later.
func mergeStale(c *event.ClaimState, h heard) effect {
	switch {
	case c.Phase == event.Firing:
		return effectNone
	case c.StaleAt == 0:
		c.StaleAt = h.at
		return effectMoved
	case h.at-c.StaleAt < h.confirm:
		return effectNone
	}
	begin(c, h)
	c.ClearedAt = 0
	return effectOnset
}

func begin(c *event.ClaimState, h heard) {
	c.Phase = event.Firing
	c.StartsAt, c.EndsAt, c.Timeout = h.startsAt, h.endsAt, h.timeout
	c.LastStart, c.StaleAt, c.Unconfirmed = h.saidStart(), 0, false
}

// extend merges overlapping intervals: the earliest start, and the later end; an end that the source gave is not taken back
// by one that we made up.
func extend(c *event.ClaimState, h heard) effect {
	before := *c
	c.StartsAt = min(c.StartsAt, h.startsAt)
	c.LastStart = max(c.LastStart, h.saidStart())
	if c.Timeout || h.endsAt > c.EndsAt {
		c.EndsAt, c.Timeout = h.endsAt, h.timeout
	}
	c.Unconfirmed = false
	if sameTimes(c, &before) {
		return effectNone
	}
	return effectMoved
}

// endSlack is how far the end that a source gives may lie before the start that it gave: clocks that differ by less are one.
// A source that speaks once would not say it again.
const endSlack = 2 * event.Second

func mergeCleared(c *event.ClaimState, h heard) effect {
	before := *c
	what := effectMoved
	if h.guessed { // its clock may run ahead of ours: what it ends is what it began last
		h.endsAt = max(h.endsAt, c.LastStart)
	}
	c.ClearedAt = max(c.ClearedAt, h.endsAt)
	switch {
	case h.endsAt+endSlack < c.LastStart: // the end of an occurrence before this one, read late
		if c.StartsAt <= h.endsAt {
			c.StartsAt = c.LastStart
		}
	case c.Phase == event.Cleared:
		clearAgain(c, h)
	default:
		c.Phase, c.EndsAt, c.Timeout, c.StaleAt, c.Unconfirmed = event.Cleared, h.endsAt, false, 0, false
		c.StartsAt = min(c.StartsAt, h.startsAt)
		c.LastStart = max(c.LastStart, h.saidStart())
		c.ClearedAt = max(c.ClearedAt, c.LastStart+1) // the firing that it ended is over, whatever the clocks say
		return effectEnd
	}
	if sameTimes(c, &before) {
		what = effectNone
	}
	return what
}

// clearAgain takes a second clear: of the same occurrence, or of a later one whose firing is still on its way.
func clearAgain(c *event.ClaimState, h heard) {
	if h.startsAt > c.EndsAt {
		c.StartsAt = h.startsAt
	}
	c.StartsAt, c.EndsAt = min(c.StartsAt, h.startsAt), max(c.EndsAt, h.endsAt)
	c.LastStart, c.StaleAt = max(c.LastStart, h.saidStart()), 0
}

func sameTimes(c, before *event.ClaimState) bool {
	return c.StartsAt == before.StartsAt && c.EndsAt == before.EndsAt && c.LastStart == before.LastStart &&
		c.ClearedAt == before.ClearedAt && c.StaleAt == before.StaleAt && c.Timeout == before.Timeout && c.Unconfirmed == before.Unconfirmed
}
