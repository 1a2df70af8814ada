package ingest

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tocsin-noc/tocsin/correlate"
	"github.com/tocsin-noc/tocsin/event"
)

const (
	// countsAge is how old the counts of active alerts may be while a source is far from its cap.
	countsAge = time.Second
	// closeAge is how old they may be when it is near: a source at its cap must not make the engine answer every request.
	closeAge = 100 * time.Millisecond
)

// caps is the latest view and what was counted in it. Each Sender holds its own count.
type caps struct {
	mu   sync.Mutex   // held by whoever asks for the next view
	at   atomic.Int64 // when the view was taken, Unix nanoseconds
	view atomic.Pointer[correlate.View]
}

// holdAtCap removes from b what its source has no room for and returns how much that was. Alerts that are known need no room.
//
// Far from the cap it costs an addition: the count of the last view and everything let in since stay below the cap. Only else
// it looks at each alert.
func (a *Admission) holdAtCap(ctx context.Context, s *Sender, b *event.Batch) (refused int) {
	limit, n := int64(a.limits.AlertsPerSource), int64(len(b.Events))
	a.refresh(ctx, countsAge)
	if s.active.Load()+s.since.Load()+n <= limit {
		s.since.Add(n)
		return 0
	}
	view := a.refresh(ctx, closeAge)
	if view == nil {
		return 0 // the engine does not answer: it will say so when the batch is submitted
	}
	room, unknown := max(0, limit-s.active.Load()-s.since.Load()), int64(0)
	b.Events = slices.DeleteFunc(b.Events, func(ev event.Event) bool {
		if view.Known(b.Source.Tenant, &ev) {
			return false
		}
		unknown++
		return unknown > room
	})
	s.since.Add(min(unknown, room))
	refused = int(n) - len(b.Events)
	if refused > 0 {
		a.reportOverCap(ctx, s, refused)
	}
	return refused
}

// refresh returns a view that is no older than maxAge, or the last one while the engine does not answer. One caller asks for
// it, the others go on with the old one.
func (a *Admission) refresh(ctx context.Context, maxAge time.Duration) *correlate.View {
	now := a.now().UnixNano()
	if now-a.caps.at.Load() < int64(maxAge) || !a.caps.mu.TryLock() {
		return a.caps.view.Load()
	}
	defer a.caps.mu.Unlock()
	view, err := a.sink.View(ctx)
	a.caps.at.Store(now)
	if err != nil {
		return a.caps.view.Load()
	}
	a.caps.view.Store(view)
	a.sources.count(view)
	return view
}

// reportOverCap tells the operator and, once a minute, the journal.
func (a *Admission) reportOverCap(ctx context.Context, s *Sender, refused int) {
	now := a.now()
	report, sum := s.overCap(refused, a.limits.AlertsPerSource, now)
	if !report {
		return
	}
	if err := a.sink.ReportOverCap(ctx, s.Source, sum, uint64(a.limits.AlertsPerSource)); err != nil {
		s.Failed(Overload, err.Error(), now)
	}
}
