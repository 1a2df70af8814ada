package projection

import (
	"context"
	"time"

	"github.com/tocsin-noc/tocsin/event"
)

// Status is how far the history is.
type Status struct {
	Off      bool      // nobody wants a history
	Up       bool      // the database answers
	Fault    string    // why it does not, or why the projection stands still
	Since    time.Time // up or down since then
	Instance string
	Cursor   uint64     // all changes up to here are in
	At       event.Time // of that change
	Head     uint64     // of the changes log
	Even     bool       // all that was in the log when it was looked at last is in, and so is what follows from it
	Lag      time.Duration
	Gaps     []Gap // changes that were dropped before they were read, of this run
	Rebuild  *Rebuild
}

// Entries counts the inputs whose changes are not in yet.
func (s Status) Entries() uint64 { return s.Head - min(s.Cursor, s.Head) }

// Gap is a part of the changes log that was dropped before it was read.
type Gap struct {
	From, To uint64     // inputs, both included
	Since    event.Time // of the last change before it, 0 unknown
	Until    event.Time // of the first after it, 0 unknown
}

// Rebuild is how far a rebuild is.
type Rebuild struct {
	Began time.Time
	Ended time.Time  // zero while it runs
	From  uint64     // the first change that is still kept
	Until uint64     // the last one when it began
	Done  uint64     // changes are in up to here
	Kept  event.Time // time of the first change that is kept; what was before is lost
	Rate  float64    // inputs per second
	Left  time.Duration
}

// state is what Status reads; Run writes it.
type state struct {
	up      bool
	fault   string
	since   time.Time
	cursor  uint64 // read up to here
	kept    uint64 // the database says so
	at      event.Time
	even    uint64    // all up to here is in, and so is what follows from it
	evenAt  time.Time // when that was the end of the log
	gaps    []Gap
	rebuild *Rebuild
}

// maxGaps bounds the gaps that a run remembers; the table log has all.
const maxGaps = 20

func (p *Projector) update(change func(s *state)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change(&p.state)
}

// Status returns how far the history is.
func (p *Projector) Status() Status {
	head := p.o.Source.Head()
	p.mu.Lock()
	defer p.mu.Unlock()
	s := &p.state
	out := Status{Up: s.up, Fault: s.fault, Since: s.since, Instance: p.o.Source.Instance(), Cursor: s.cursor, At: s.at, Head: head, Gaps: append([]Gap(nil), s.gaps...)}
	out.Even = s.even == s.cursor && s.even > 0
	if out.Entries() > 0 {
		out.Lag = p.now().Sub(s.evenAt)
	}
	if s.rebuild != nil {
		r := *s.rebuild
		r.progress(s.cursor, p.now())
		out.Rebuild = &r
	}
	return out
}

// progress fills in what follows from how far it is.
func (r *Rebuild) progress(cursor uint64, now time.Time) {
	r.Done = max(min(cursor, r.Until), r.From)
	if !r.Ended.IsZero() {
		now = r.Ended
	}
	took := now.Sub(r.Began).Seconds()
	if took <= 0 || r.Done <= r.From {
		return
	}
	r.Rate = float64(r.Done-r.From) / took
	r.Left = time.Duration(float64(r.Until-r.Done) / r.Rate * float64(time.Second))
}

// Kept returns the first change that the projection still needs: the log may drop what is before.
func (p *Projector) Kept() uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.state.kept + 1
}

// Rebuild has Run empty what it has written and fill it again from the oldest change that is kept. What was imported stays, and so do
// deliveries. Status tells how far it is.
func (p *Projector) Rebuild(ctx context.Context) error {
	p.mu.Lock()
	if p.state.rebuild != nil && p.state.rebuild.Ended.IsZero() {
		p.mu.Unlock()
		return ErrBusy
	}
	p.state.rebuild = &Rebuild{Began: p.now(), From: p.o.Source.Oldest(), Until: p.o.Source.Head()}
	p.mu.Unlock()
	select {
	case p.again <- struct{}{}:
	default:
	}
	if stop := p.interrupt.Load(); stop != nil {
		(*stop)()
	}
	return ctx.Err()
}
