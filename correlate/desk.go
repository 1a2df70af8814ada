package correlate

import (
	"slices"

	"github.com/tocsin-noc/tocsin/event"
)

// desk is what a tenant's operators keep besides alerts, incidents and silences. There is little of each, so lists do. A view
// shares them: entries and lists are replaced, never written.
type desk struct {
	Windows []*window
	Storms  []*storm
	Beats   []*event.Heartbeat
	Books   []*book
	Outages []*event.Outage
	Schemes [][]string // labels that identity leaves out, by scheme from 1; nil: free

	StormNumber, BeatNumber, OutageNumber uint32     // given out so far
	WatchAt                               event.Time // when its timer is due

	byService     map[[2]string][]*event.Outage // outages that last, by tenant and service, the latest last
	lasting       []*event.Outage               // those that last and that the machine looks after
	endedFirst    event.Time                    // no outage that is kept ended before
	outagesShared bool                          // a view holds Outages
	lost          map[event.AlertID][]uint32    // numbers of the heartbeats that are lost, by alert; 0: those of sources
}

// Bounds of the lists; what would exceed one is refused by name, or the oldest goes.
const (
	maxWindows    = 5_000
	maxHeartbeats = 10_000
	keptStorms    = 100 // ended ones
	keptNotes     = 200 // of one book
)

// replaced returns a copy of list with entry i replaced, or item appended when i is negative.
func replaced[T any](list []T, i int, item T) []T {
	list = slices.Clone(list)
	if i < 0 {
		return append(list, item)
	}
	list[i] = item
	return list
}

// without returns a copy of list without entry i.
func without[T any](list []T, i int) []T { return slices.Concat(list[:i], list[i+1:]) }

// watchDue looks at everything on the desk that has a deadline.
func (s *State) watchDue() {
	s.windowsDue()
	s.heartbeatsDue()
	s.stormsDue()
	s.cmdbDue()
	s.scheduleWatch()
}

// scheduleWatch sets the one timer of the desk to its earliest deadline.
func (s *State) scheduleWatch() {
	deadline := event.Never
	for _, w := range s.desk.Windows {
		deadline = min(deadline, w.deadline(s.settings()))
	}
	for _, b := range s.desk.Beats {
		deadline = min(deadline, s.beatDeadline(b))
	}
	for _, t := range s.desk.Storms {
		deadline = min(deadline, t.deadline(s.settings()))
	}
	s.watchAt(min(deadline, s.cmdb.NextDue()))
}

// watchBy makes the timer of the desk due at the deadline of one thing, unless it is due before: then all are looked at.
func (s *State) watchBy(deadline event.Time) {
	switch {
	case s.meta.Watch == 0 || deadline < s.desk.WatchAt:
		s.watchAt(deadline)
	case s.desk.WatchAt == 0: // a snapshot of before did not say
		s.scheduleWatch()
	}
}

func (s *State) watchAt(deadline event.Time) {
	s.desk.WatchAt = wholeSecond(deadline)
	s.schedule(&s.meta.Watch, timerWatch, 0, s.desk.WatchAt)
}
