package projection_test

import (
	"context"
	"fmt"
	"iter"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/history/projection"
)

// changesLog is a changes log in memory. It can be cut off at its beginning, and grow.
type changesLog struct {
	mu       sync.Mutex
	changes  []event.Change
	oldest   uint64 // the last that is kept no more
	instance string
	grown    chan struct{}
	reads    atomic.Int64
}

func newLog(changes []event.Change) *changesLog {
	return &changesLog{changes: changes, instance: "0badcafe", grown: make(chan struct{}, 1)}
}

func (l *changesLog) append(changes ...event.Change) {
	l.mu.Lock()
	l.changes = append(l.changes, changes...)
	l.mu.Unlock()
	select {
	case l.grown <- struct{}{}:
	default:
	}
}

func (l *changesLog) drop(through uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.oldest = through
	l.changes = slices.DeleteFunc(slices.Clone(l.changes), func(ch event.Change) bool { return ch.Seq <= through })
}

func (l *changesLog) after(seq uint64) ([]event.Change, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	i, _ := slices.BinarySearchFunc(l.changes, seq, func(ch event.Change, seq uint64) int {
		if ch.Seq <= seq {
			return -1
		}
		return 1
	})
	return l.changes[i:], seq >= l.oldest
}

func (l *changesLog) Changes(ctx context.Context, after uint64) iter.Seq2[*event.Change, error] {
	return func(yield func(*event.Change, error) bool) {
		for {
			list, kept := l.after(after)
			if !kept {
				yield(nil, projection.ErrGone)
				return
			}
			for i := range list {
				l.reads.Add(1)
				if ctx.Err() != nil || !yield(&list[i], nil) {
					return
				}
				after = list[i].Seq
			}
			if len(list) > 0 {
				continue
			}
			if !yield(&event.Change{Seq: after}, nil) {
				return
			}
			select {
			case <-ctx.Done():
				return
			case <-l.grown:
			}
		}
	}
}

func (l *changesLog) Head() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.changes) == 0 {
		return l.oldest
	}
	return l.changes[len(l.changes)-1].Seq
}

func (l *changesLog) Oldest() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.oldest
}

func (l *changesLog) Instance() string { return l.instance }

func (l *changesLog) Senders(context.Context) ([]event.Source, error) { return senders(), nil }

func senders() []event.Source {
	return []event.Source{
		{Name: "prom-eu", Tenant: "main", Kind: event.Resender}, {Name: "zabbix", Tenant: "main", Kind: event.SendOnce},
		{Name: "prom-eu", Tenant: "other", Kind: event.Resender}, {Name: "tocsin", Tenant: "main", Kind: event.Resender},
	}
}

// world makes up a history: alerts that fire, repeat and clear, incidents that people work on, alerts that move. Every change is one that
// the core could have decided, as far as the history looks.
type world struct {
	r         *rand.Rand
	seq       uint64
	n         uint32
	at        event.Time
	alerts    []event.AlertState
	incidents []*event.IncidentState
	out       []event.Change
}

const begin = event.Time(1793440800000) // 2026-10-31 10:00

// invent returns the changes of so many inputs.
func invent(seed uint64, inputs int) []event.Change {
	w := &world{r: rand.New(rand.NewPCG(seed, 7)), seq: 1, at: begin}
	for _, s := range senders() {
		w.emit(event.Change{Kind: event.SourceAdded, Source: s})
	}
	for range inputs {
		w.seq += 1 + uint64(w.r.IntN(3))
		if w.r.IntN(300) == 0 {
			w.seq += 60_000 // blocks of inputs come to an end
		}
		w.n = 0
		w.at += event.Time(w.r.IntN(20_000))
		for range 1 + w.r.IntN(4) {
			w.step()
		}
	}
	return w.out
}

func (w *world) emit(ch event.Change) {
	ch.Seq, ch.N, ch.At = w.seq, w.n, w.at
	w.n++
	w.out = append(w.out, ch)
}

func (w *world) person() string { return []string{"", "ann", "bob"}[w.r.IntN(3)] }

func (w *world) step() {
	switch k := w.r.IntN(100); {
	case k < 15 || len(w.alerts) < 3:
		w.newAlert()
	case k < 50:
		a := &w.alerts[w.r.IntN(len(w.alerts))]
		w.emit(event.Change{Kind: event.AlertSeen, Alert: event.AlertState{ID: a.ID, Incident: a.Incident, Source: a.Source}, Claim: event.ClaimState{ID: 1}})
	case k < 75:
		w.turn(&w.alerts[w.r.IntN(len(w.alerts))])
	case k < 97 && len(w.incidents) > 0:
		w.work(w.incidents[w.r.IntN(len(w.incidents))])
	case k < 98:
		w.emit(event.Change{Kind: event.SilenceSet, Silence: &event.Silence{ID: fmt.Sprint(w.seq), Tenant: "main", StartsAt: w.at, EndsAt: w.at + event.Hour}})
	default:
		w.emit(event.Change{Kind: event.CISet, CI: &event.CI{Tenant: "main", ID: fmt.Sprint("ci-", w.r.IntN(20)), State: event.CILive, KnownAt: w.at, ValidFrom: w.at}})
	}
}

func (w *world) newAlert() {
	a := event.AlertState{
		ID: event.NewAlertID(uint32(len(w.alerts)+1), 1), Phase: event.Firing, Severity: event.Severity(1 + w.r.IntN(5)), Occurrences: 1, FirstAt: w.at,
		StartsAt: w.at - event.Time(w.r.IntN(60_000)), FiringAt: w.at, Name: fmt.Sprint("Alert", w.r.IntN(6)), Resource: fmt.Sprint("host-", w.r.IntN(9)),
		Source: uint32(1 + w.r.IntN(len(senders()))),
	}
	if w.r.IntN(2) == 0 {
		a.Item = "ci-" + a.Resource
	}
	if w.r.IntN(5) == 0 {
		a.Quiet, a.Suppressed = event.Quiet(1+w.r.IntN(63)), true
	}
	w.join(&a)
	w.alerts = append(w.alerts, a)
	claim := event.ClaimState{ID: uint32(len(w.alerts)), Full: true, Labels: event.Labels{{Name: "alertname", Value: a.Name}}, Phase: event.Firing}
	w.emit(event.Change{Kind: event.AlertFiring, Alert: a, Claim: claim})
}

// join gives an alert that begins a place: a new incident, one that is open, or none.
func (w *world) join(a *event.AlertState) {
	a.Incident, a.Reason = 0, event.ReasonWaiting
	switch w.r.IntN(3) {
	case 0:
		i := &event.IncidentState{
			ID: event.IncidentID(len(w.incidents) + 1), Tenant: senders()[a.Source-1].Tenant, Phase: event.IncidentOpen, Priority: uint8(1 + w.r.IntN(5)),
			Severity: a.Severity, Title: a.Name + " on 17 hosts", Rule: "by_name", OpenedAt: w.at, CI: a.Item,
		}
		w.incidents = append(w.incidents, i)
		w.say(i, event.Change{Kind: event.IncidentOpened, Ledger: []event.LedgerEntry{{Kind: "alert", Operands: []string{a.ID.String(), a.Name, a.Resource}}}})
		a.Incident, a.Reason = i.ID, event.ReasonOpened
	case 1:
		for range 3 {
			if len(w.incidents) == 0 {
				return
			}
			if i := w.incidents[w.r.IntN(len(w.incidents))]; i.Phase == event.IncidentOpen {
				a.Incident, a.Reason = i.ID, event.ReasonJoined
				return
			}
		}
	}
}

func (w *world) turn(a *event.AlertState) {
	claim := event.ClaimState{ID: a.ID.Slot(), Phase: event.Cleared}
	switch {
	case a.Phase != event.Firing:
		a.Phase, a.Occurrences, a.EndedAt, a.StartsAt, a.FiringAt = event.Firing, a.Occurrences+1, 0, w.at, w.at
		w.join(a)
		w.emit(event.Change{Kind: event.AlertFiring, Alert: *a, Claim: event.ClaimState{ID: claim.ID, Phase: event.Firing}})
	case w.r.IntN(4) == 0:
		a.Severity = event.Severity(1 + w.r.IntN(5))
		if w.r.IntN(2) == 0 {
			claim = event.ClaimState{}
		}
		w.emit(event.Change{Kind: event.AlertUpdated, Alert: *a, Claim: claim})
	case w.r.IntN(4) == 0:
		a.Phase, a.EndedAt = event.Expired, w.at
		claim.Phase = event.Expired
		w.emit(event.Change{Kind: event.AlertExpired, Alert: *a, Claim: claim})
	case w.r.IntN(6) == 0:
		w.emit(event.Change{Kind: event.AlertDamped, Alert: *a})
	default:
		a.Phase, a.EndedAt = event.Cleared, w.at
		w.emit(event.Change{Kind: event.AlertCleared, Alert: *a, Claim: claim})
	}
}

func (w *world) say(i *event.IncidentState, ch event.Change) {
	state := *i
	ch.Incident = &state
	w.emit(ch)
}

// work is one step in the life of an incident.
func (w *world) work(i *event.IncidentState) {
	who := w.person()
	switch k := w.r.IntN(12); {
	case i.Phase == event.IncidentDone && k < 4:
		i.Phase, i.ResolvedAt, i.ResolvedBy, i.Reopened = event.IncidentOpen, 0, "", i.Reopened+1
		w.say(i, event.Change{Kind: event.IncidentReopened, Actor: who})
	case i.Phase == event.IncidentDone && k < 7:
		i.Phase, i.ClosedAt = event.PhaseClosed, w.at
		w.say(i, event.Change{Kind: event.IncidentClosed, Actor: who})
	case i.Phase != event.IncidentOpen:
		return
	case k < 2:
		i.Team = []string{"", "net", "db"}[w.r.IntN(3)]
		i.Assignee = []string{"", "ann", "bob"}[w.r.IntN(3)]
		w.say(i, event.Change{Kind: event.IncidentAssigned, Actor: "ann"})
	case k == 2 && i.AckedAt == 0:
		i.AckedAt, i.AckedBy = w.at, "bob"
		w.say(i, event.Change{Kind: event.IncidentAcknowledged, Actor: "bob"})
	case k == 3:
		i.HeldUntil, i.HeldAs = w.at+event.Hour, event.HoldVendor
		w.say(i, event.Change{Kind: event.IncidentHeld, Actor: "bob"})
	case k == 4 && i.HeldUntil != 0:
		i.HeldUntil = 0
		w.say(i, event.Change{Kind: event.IncidentUnheld})
	case k < 8:
		i.Phase, i.ResolvedAt, i.ResolvedBy, i.HeldUntil = event.IncidentDone, w.at, who, 0
		w.say(i, event.Change{Kind: event.IncidentResolved, Actor: who})
	case k == 8:
		i.Phase, i.ClosedAt = event.PhaseCancelled, w.at
		w.say(i, event.Change{Kind: event.IncidentCancelled, Actor: "ann"})
	case k == 9:
		verdict := event.Verdict(w.r.IntN(4))
		by := ""
		if verdict != 0 {
			by = "ann"
		}
		w.emit(event.Change{Kind: event.IncidentCauses, Causes: &event.Causes{Incident: i.ID, Verdict: verdict, VerdictBy: by}})
	default:
		w.regroup(i, who)
	}
}

// regroup moves an incident's alerts into another, and with luck ends it.
func (w *world) regroup(i *event.IncidentState, who string) {
	into := w.incidents[w.r.IntN(len(w.incidents))]
	if into == i || into.Phase != event.IncidentOpen {
		return
	}
	for n := range w.alerts {
		if w.alerts[n].Incident == i.ID {
			w.alerts[n].Incident = into.ID
			w.emit(event.Change{Kind: event.AlertMoved, Alert: w.alerts[n], Actor: who})
		}
	}
	i.Phase, i.MergedInto, i.ClosedAt = event.PhaseMerged, into.ID, w.at
	w.say(i, event.Change{Kind: event.IncidentMerged, Actor: who})
	w.say(into, event.Change{Kind: event.IncidentAbsorbed, Actor: who})
}
