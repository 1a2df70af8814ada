package api

import (
	"context"
	"errors"
	"slices"

	"github.com/tocsin-noc/tocsin/engine"
	"github.com/tocsin-noc/tocsin/event"
)

// past is what is kept of how items were placed: what the timelines of an incident have, and of the log of changes what they lack. An
// alert that waited was placed before it had an incident, and what becomes of whole groups stands on no timeline.
type past struct {
	firing map[event.AlertID]*event.Change // the latest onset of each alert
	moves  []event.Change                  // groups that went into others, silent causes, second faults
	spoke  map[uint32][]event.Time         // by item: when its alerts began
	silent map[uint32]bool                 // items that were found to be the cause though they say nothing
	cut    bool                            // not all of it was looked at, or is kept
}

func newPast() *past {
	return &past{firing: map[event.AlertID]*event.Change{}, spoke: map[uint32][]event.Time{}, silent: map[uint32]bool{}}
}

// take looks at one change.
func (p *past) take(ch *event.Change) {
	switch ch.Kind {
	case event.AlertFiring:
		if old := p.firing[ch.Alert.ID]; old == nil || old.Seq < ch.Seq {
			p.firing[ch.Alert.ID] = ch
		}
		if ch.Place != nil {
			p.spoke[ch.Place.Item] = append(p.spoke[ch.Place.Item], ch.Place.At)
		}
	case event.ItemPlaced, event.ClusterParted:
		if ch.Place.Kind == event.PlaceVirtual {
			p.silent[ch.Place.Item] = true
		}
		if !slices.ContainsFunc(p.moves, func(have event.Change) bool { return have.Seq == ch.Seq && have.N == ch.N }) {
			p.moves = append(p.moves, *ch)
		}
	default:
	}
}

// placement returns how an alert's item was placed when it began to fire last; false: that is not kept.
func (p *past) placement(a *event.AlertState) (*event.Placement, bool) {
	ch := p.firing[a.ID]
	if ch == nil || ch.At < a.FiringAt {
		return nil, false
	}
	return ch.Place, true
}

// orderOf says whether what explains an item by a relation alarmed before or after it, "" when that is not known.
func (p *past) orderOf(d *event.Placement) string {
	for _, at := range p.spoke[d.From] {
		switch {
		case at <= d.At && d.At-at == d.Gap:
			return "before"
		case at > d.At && at-d.At == d.Gap:
			return "after"
		}
	}
	return ""
}

// timeline takes in the timelines of an incident and of those that were merged into it, and returns its own entries.
func (d *Desk) timeline(ctx context.Context, p *past, i *event.IncidentState) ([]event.Change, error) {
	entries, _, more, err := d.engine.Timeline(ctx, i.ID, engine.Cursor{}, maxDecisions)
	if err != nil {
		return nil, failure(err)
	}
	p.cut = p.cut || more
	for n := range entries {
		p.take(&entries[n])
	}
	for _, other := range absorbed(i) {
		theirs, _, more, err := d.engine.Timeline(ctx, other, engine.Cursor{}, maxDecisions)
		if err != nil {
			return nil, failure(err)
		}
		p.cut = p.cut || more
		for n := range theirs {
			p.take(&theirs[n])
		}
	}
	return entries, nil
}

const maxAbsorbed = 20 // incidents that were merged into one and whose timelines are looked at

// absorbed lists the latest incidents that were merged into one and are still in it.
func absorbed(i *event.IncidentState) (list []event.IncidentID) {
	if i.Dossier == nil {
		return nil
	}
	for _, a := range i.Dossier.Absorbed {
		if !a.Undone {
			list = append(list, a.Other)
		}
	}
	return list[max(0, len(list)-maxAbsorbed):]
}

const maxLooked = 500_000 // changes of the log that one answer looks at

// log takes in what the log of changes holds of the time from one instant to another, as far as maxLooked goes. near is the number of an
// input at or after from; 0: the latest.
func (d *Desk) log(ctx context.Context, p *past, near uint64, from, to event.Time) error {
	begin, err := d.before(ctx, near, from)
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	looked, done := 0, false
	wanted := func(k event.ChangeKind) bool {
		if looked++; looked > maxLooked {
			stop()
		}
		return k == event.AlertFiring || k == event.ItemPlaced || k == event.ClusterParted
	}
	for ch, err := range d.engine.FollowSome(ctx, begin, wanted) {
		switch {
		case errors.Is(err, engine.ErrTruncated):
			p.cut = true
			return nil
		case err != nil:
			return failure(err)
		case ch.Kind == 0 || ch.At > to:
			done = true
		case ch.At >= from:
			p.take(ch)
		}
		if done {
			break
		}
	}
	p.cut = p.cut || !done
	return nil
}

// before finds a place in the log of changes before an instant, by looking farther and farther back from an input.
func (d *Desk) before(ctx context.Context, near uint64, from event.Time) (engine.Cursor, error) {
	oldest, newest := d.engine.Oldest(), d.engine.Head().Seq
	if near == 0 || near > newest {
		near = newest
	}
	for step := uint64(64); ; step *= 16 {
		if near <= oldest.Seq+step {
			return oldest, nil
		}
		at := engine.Cursor{Seq: near - step}
		for ch, err := range d.engine.FollowSome(ctx, at, func(event.ChangeKind) bool { return true }) {
			if errors.Is(err, engine.ErrTruncated) {
				return d.engine.Oldest(), nil
			}
			if err != nil {
				return at, failure(err)
			}
			if ch.Kind != 0 && ch.At < from {
				return at, nil
			}
			break
		}
		if ctx.Err() != nil {
			return at, failure(ctx.Err())
		}
	}
}

// about keeps of the moves those that concern an incident: the items of its alerts, or itself and what was merged into it.
func (p *past) about(items map[uint32]bool, family []event.IncidentID) (list []event.Change) {
	causes := map[uint32]bool{} // items that say nothing themselves
	for n := range p.moves {
		if m := p.moves[n].Place; items[m.Item] && m.Kind != event.PlaceVirtual {
			causes[m.From] = true
		}
	}
	for n := range p.moves {
		m := p.moves[n].Place
		part := p.moves[n].Kind == event.ClusterParted && slices.Contains(family, m.NearIn)
		if part || items[m.Item] || m.Kind == event.PlaceVirtual && causes[m.Item] {
			list = append(list, p.moves[n])
		}
	}
	slices.SortFunc(list, func(a, b event.Change) int {
		if after(cursorOf(&a), cursorOf(&b)) {
			return 1
		}
		return -1
	})
	return list
}

// after tells whether a change came after another.
func after(c, than engine.Cursor) bool { return c.Seq > than.Seq || c.Seq == than.Seq && c.N > than.N }
