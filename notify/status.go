package notify

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/notify/message"
	"github.com/tocsin-noc/tocsin/notify/oncall"
)

// What callers decide on.
var (
	ErrNoReceiver = errors.New("notify: there is no such receiver")
	ErrNoTeam     = errors.New("notify: there is no such team")
	ErrNoOverride = errors.New("notify: there is no such override")
	ErrOverride   = errors.New("notify: an override needs a contact of the settings and an end after its start")
)

// ReceiverStatus is how a receiver does.
type ReceiverStatus struct {
	Name        string    `json:"name"`
	Kind        string    `json:"kind"`
	Pending     int       `json:"pending"`
	Oldest      time.Time `json:"oldest,omitzero"` // when the first of these was enqueued
	LastSuccess time.Time `json:"last_success,omitzero"`
	LastFailure time.Time `json:"last_failure,omitzero"`
	LastError   string    `json:"last_error,omitempty"`
	Failures    int       `json:"failures"` // in a row
	RetryAt     time.Time `json:"retry_at,omitzero"`
}

// Receivers returns how every receiver does.
func (n *Notifier) Receivers() []ReceiverStatus {
	var out []ReceiverStatus
	names := n.receiverNames()
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		st := ReceiverStatus{}
		n.mu.Lock()
		q := n.queues[name]
		n.mu.Unlock()
		if q != nil {
			q.mu.Lock()
			st = q.st
			q.mu.Unlock()
		}
		st.Name = name
		if r := n.config.Load().Settings.Receiver(name); r != nil {
			st.Kind = r.Kind
		}
		st.Pending, st.Oldest = n.pending(name)
		out = append(out, st)
	}
	return out
}

// pending returns how many messages wait for a receiver, and since when the first does.
func (n *Notifier) pending(receiver string) (count int, oldest time.Time) {
	_ = n.store.view(func(t *tx) error { // a fault shows when it is written
		_, e, err := t.head(receiver)
		if err != nil || e == nil {
			return err
		}
		oldest, count = e.Queued, waiting(t.Bucket([]byte("messages")).Bucket([]byte(receiver)))
		return nil
	})
	return count, oldest
}

// Stalled returns why the outbox cannot be written, "" when it can.
func (n *Notifier) Stalled() string {
	if text := n.stalled.Load(); text != nil {
		return *text
	}
	return ""
}

// Lag returns how many entries of the log of changes have not been decided on.
func (n *Notifier) Lag() uint64 {
	head, read := sequence(n.o.Source.Head()), n.read.Load()
	return head - min(head, read)
}

// History returns the latest outcomes, the newest first: of each receiver at most 200 that were sent, and as many that were not.
func (n *Notifier) History(limit int) (out []Sent, err error) {
	err = n.store.view(func(t *tx) (err error) {
		out, err = t.history(limit)
		return err
	})
	return out, err
}

// TeamStatus is a team's on-call.
type TeamStatus struct {
	Name   string         `json:"name"`
	Zone   string         `json:"zone"`
	OnCall string         `json:"on_call"` // contact, "" when nobody is
	Until  time.Time      `json:"until,omitzero"`
	Shifts []oncall.Shift `json:"shifts"` // that follow
	Gaps   []oncall.Shift `json:"gaps"`   // when nobody is on call
}

// ahead is how far rotations are shown.
const ahead = 14 * 24 * time.Hour

// Teams returns every team's on-call for the next two weeks.
func (n *Notifier) Teams() (out []TeamStatus, err error) {
	now := n.o.Now()
	err = n.store.view(func(t *tx) error {
		teams := n.config.Load().Settings.Teams
		for i := range teams {
			team := &teams[i]
			overrides, err := t.overrides(team.Name)
			if err != nil {
				return err
			}
			st := TeamStatus{Name: team.Name, Zone: team.Zone.String(), Shifts: []oncall.Shift{}, Gaps: []oncall.Shift{}}
			if len(team.Rotation) > 0 || len(overrides) > 0 {
				shifts := team.Schedule(overrides).Shifts(now, now.Add(ahead))
				st.OnCall, st.Until, st.Shifts = shifts[0].Who, shifts[0].Until, shifts
				for _, s := range shifts {
					if s.Who == "" {
						st.Gaps = append(st.Gaps, s)
					}
				}
			}
			out = append(out, st)
		}
		return nil
	})
	return out, err
}

// Override is somebody on call out of turn.
type Override struct {
	ID    string    `json:"id"`
	Team  string    `json:"team"`
	Who   string    `json:"who"`
	From  time.Time `json:"from"`
	Until time.Time `json:"until"`
	By    string    `json:"by"`
}

// SetOverride puts a contact on call out of turn, and returns the override's id.
func (n *Notifier) SetOverride(o Override) (id string, err error) {
	s := n.config.Load().Settings
	switch {
	case s.Team(o.Team) == nil:
		return "", ErrNoTeam
	case s.Contact(o.Who) == nil, !o.From.Before(o.Until):
		return "", ErrOverride
	}
	err = n.store.update(func(t *tx) error {
		b := t.Bucket([]byte("overrides"))
		seq, err := b.NextSequence()
		if err != nil {
			return err
		}
		o.ID = fmt.Sprintf("override-%d", seq)
		return put(b, number(seq), o)
	})
	return o.ID, err
}

// DropOverride ends an override.
func (n *Notifier) DropOverride(id string) error {
	found := false
	err := n.store.update(func(t *tx) error {
		b := t.Bucket([]byte("overrides"))
		return each(b, func(k []byte, o Override) error {
			if o.ID != id {
				return nil
			}
			found = true
			return b.Delete(k)
		})
	})
	if err == nil && !found {
		return ErrNoOverride
	}
	return err
}

// Overrides returns those that are not over.
func (n *Notifier) Overrides() (out []Override, err error) {
	err = n.store.view(func(t *tx) error {
		return each(t.Bucket([]byte("overrides")), func(_ []byte, o Override) error {
			if o.Until.After(n.o.Now()) {
				out = append(out, o)
			}
			return nil
		})
	})
	return out, err
}

func (t *tx) overrides(team string) (out []oncall.Override, err error) {
	err = each(t.Bucket([]byte("overrides")), func(_ []byte, o Override) error {
		if o.Team == team {
			out = append(out, oncall.Override{ID: o.ID, Who: o.Who, From: o.From, Until: o.Until, By: o.By})
		}
		return nil
	})
	return out, err
}

// Preview renders what a receiver would be told of an incident; nothing is sent.
func (n *Notifier) Preview(ctx context.Context, id event.IncidentID, receiver string, e message.Event) (message.Message, error) {
	c := n.config.Load()
	if c.Settings.Receiver(receiver) == nil {
		return message.Message{}, ErrNoReceiver
	}
	now, err := n.o.Source.Incident(ctx, id)
	if err != nil {
		return message.Message{}, err
	}
	i := now.Data
	i.AcknowledgedBy, i.Assignee, i.ResolvedBy = n.person(now.State.AckedBy), n.person(now.State.Assignee), n.person(now.State.ResolvedBy)
	return c.Templates.Render(message.Data{
		Event: e, Key: "preview", At: n.o.Now(), Tenant: now.State.Tenant, Receiver: receiver, Incident: &i,
	}), nil
}

// Test sends a message to a receiver at once and returns what became of it. to are addresses, for receivers that reach people.
func (n *Notifier) Test(ctx context.Context, receiver string, to []string) (message.Message, error) {
	c := n.config.Load()
	r := c.Receivers[receiver]
	if r == nil {
		return message.Message{}, ErrNoReceiver
	}
	m := c.Templates.Render(message.Data{
		Event: message.Test, Key: fmt.Sprintf("test/%d/%s", n.o.Now().UnixNano(), receiver), At: n.o.Now(), Tenant: event.DefaultTenant, Receiver: receiver,
	})
	_, err := r.Send(ctx, m, to)
	return m, err
}

// metrics of the outbox.
type metrics struct {
	enqueued, sent, retries *prometheus.CounterVec
	escalations, gaps       prometheus.Counter
	uncovered               prometheus.Counter
}

func newMetrics(r prometheus.Registerer, n *Notifier) *metrics {
	if r == nil {
		r = prometheus.NewRegistry()
	}
	m := &metrics{
		enqueued:    prometheus.NewCounterVec(prometheus.CounterOpts{Name: "tocsin_notify_enqueued_total", Help: "Messages put into the outbox."}, []string{"event"}),
		sent:        prometheus.NewCounterVec(prometheus.CounterOpts{Name: "tocsin_notify_finished_total", Help: "Messages that left the outbox, by outcome: sent, failed, expired, dropped."}, []string{"receiver", "outcome"}),
		retries:     prometheus.NewCounterVec(prometheus.CounterOpts{Name: "tocsin_notify_retries_total", Help: "Attempts that failed and will be repeated."}, []string{"receiver"}),
		escalations: prometheus.NewCounter(prometheus.CounterOpts{Name: "tocsin_notify_escalations_total", Help: "Escalation steps taken."}),
		gaps:        prometheus.NewCounter(prometheus.CounterOpts{Name: "tocsin_notify_truncated_total", Help: "Times that changes were dropped before anybody was told of them."}),
		uncovered:   prometheus.NewCounter(prometheus.CounterOpts{Name: "tocsin_notify_uncovered_total", Help: "Times that nobody was on call and the whole team was told."}),
	}
	r.MustRegister(m.enqueued, m.sent, m.retries, m.escalations, m.gaps, m.uncovered, &pendingCollector{n})
	return m
}

// pendingCollector shows the queues.
type pendingCollector struct{ n *Notifier }

type descs struct{ pending, oldest, lag, stalled *prometheus.Desc }

func newDescs() descs {
	return descs{
		pending: prometheus.NewDesc("tocsin_notify_pending", "Messages that wait for their receiver.", []string{"receiver"}, nil),
		oldest:  prometheus.NewDesc("tocsin_notify_oldest_seconds", "Age of the oldest of them.", []string{"receiver"}, nil),
		lag:     prometheus.NewDesc("tocsin_notify_lag_entries", "Entries of the log of changes that have not been decided on.", nil, nil),
		stalled: prometheus.NewDesc("tocsin_notify_stalled", "1 while the outbox cannot be written.", nil, nil),
	}
}

// Describe lists the collector's metrics.
func (c *pendingCollector) Describe(out chan<- *prometheus.Desc) {
	d := newDescs()
	for _, desc := range []*prometheus.Desc{d.pending, d.oldest, d.lag, d.stalled} {
		out <- desc
	}
}

// Collect reads the queues.
func (c *pendingCollector) Collect(out chan<- prometheus.Metric) {
	d := newDescs()
	stalled := 0.0
	if c.n.Stalled() != "" {
		stalled = 1
	}
	out <- prometheus.MustNewConstMetric(d.stalled, prometheus.GaugeValue, stalled)
	out <- prometheus.MustNewConstMetric(d.lag, prometheus.GaugeValue, float64(c.n.Lag()))
	for _, r := range c.n.Receivers() {
		age := 0.0
		if !r.Oldest.IsZero() {
			age = c.n.o.Now().Sub(r.Oldest).Seconds()
		}
		out <- prometheus.MustNewConstMetric(d.pending, prometheus.GaugeValue, float64(r.Pending), r.Name)
		out <- prometheus.MustNewConstMetric(d.oldest, prometheus.GaugeValue, age, r.Name)
	}
}
