package notify

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/mail"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/notify/message"
	"github.com/tocsin-noc/tocsin/notify/oncall"
	"github.com/tocsin-noc/tocsin/notify/receivers"
	"github.com/tocsin-noc/tocsin/notify/settings"
)

// What callers decide on.
var (
	ErrNoReceiver = errors.New("notify: there is no such receiver")
	ErrNoTeam     = errors.New("notify: there is no such team")
	ErrNoOverride = errors.New("notify: there is no such override")
)

// Refusal says what is wrong with what was asked for, and what would be right.
type Refusal struct{ Message, Hint string }

func (r *Refusal) Error() string { return "notify: " + r.Message }

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
	Aside       int       `json:"aside"` // of those pending: the receiver fails at them while it takes others
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
		st.Pending, st.Aside, st.Oldest = n.pending(name)
		out = append(out, st)
	}
	return out
}

// pending returns how many messages wait for a receiver, how many of them were set aside, and since when the first waits.
func (n *Notifier) pending(receiver string) (count, aside int, oldest time.Time) {
	_ = n.store.view(func(t *tx) error { // a fault shows when it is written
		list, err := t.aside(receiver)
		if err != nil {
			return err
		}
		count, aside = len(list), len(list)
		head, err := t.first(receiver, 1)
		if err != nil {
			return err
		}
		if len(head) > 0 {
			count += waiting(t.Bucket([]byte("messages")).Bucket([]byte(receiver)))
		}
		for _, it := range append(head, list...) {
			if oldest.IsZero() || it.Queued.Before(oldest) {
				oldest = it.Queued
			}
		}
		return nil
	})
	return count, aside, oldest
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
			out = append(out, statusOf(team, overrides, now))
		}
		return nil
	})
	return out, err
}

// statusOf returns a team's on-call. Where a team has no rotation everybody is told: nobody is missed while no override is in force.
func statusOf(team *settings.Team, overrides []oncall.Override, now time.Time) TeamStatus {
	st := TeamStatus{Name: team.Name, Zone: team.Zone.String(), Shifts: []oncall.Shift{}, Gaps: []oncall.Shift{}}
	shifts := team.Schedule(overrides).Shifts(now, now.Add(ahead))
	if len(team.Rotation) == 0 {
		shifts = slices.DeleteFunc(shifts, func(s oncall.Shift) bool { return s.Who == "" })
		st.Shifts = append(st.Shifts, shifts...)
		if len(shifts) > 0 && !shifts[0].From.After(now) {
			st.OnCall, st.Until = shifts[0].Who, shifts[0].Until
		}
		return st
	}
	st.OnCall, st.Until, st.Shifts = shifts[0].Who, shifts[0].Until, shifts
	for _, s := range shifts {
		if s.Who == "" {
			st.Gaps = append(st.Gaps, s)
		}
	}
	return st
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

// maxOverride bounds an override: what lasts longer is a rotation.
const maxOverride = 90 * 24 * time.Hour

// check tells what is wrong with an override.
func (o *Override) check(s *settings.Settings, now time.Time) error {
	team := s.Team(o.Team)
	switch {
	case team == nil:
		return fmt.Errorf("%w %q", ErrNoTeam, o.Team)
	case s.Contact(o.Who) == nil:
		names := make([]string, len(s.Contacts))
		for i := range s.Contacts {
			names[i] = s.Contacts[i].Name
		}
		return &Refusal{fmt.Sprintf("there is no contact %q", o.Who), "the notify_file's contacts: " + cmp.Or(strings.Join(names, ", "), "none")}
	case o.Until.Before(now):
		return &Refusal{"the override is over already: it would have ended at " + moment(o.Until), ""}
	case !o.From.Before(o.Until):
		return &Refusal{"the override must end after it starts", "it would last from " + moment(o.From) + " until " + moment(o.Until)}
	case o.Until.Sub(o.From) > maxOverride:
		return &Refusal{
			fmt.Sprintf("the override lasts %.0f days, and at most 90 are taken", o.Until.Sub(o.From).Hours()/24), "what lasts longer belongs into the team's rotation",
		}
	case len(team.Rotation) == 0 && !asksOnCall(team):
		return &Refusal{
			"team " + team.Name + " has no rotation, and nothing asks who is on call: everybody is told, with an override too",
			"give the team a rotation, or notify oncall in a step of its escalation",
		}
	}
	return nil
}

func moment(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 MST") }

// asksOnCall tells whether a step of the team's escalation tells who is on call.
func asksOnCall(team *settings.Team) bool {
	return slices.ContainsFunc(team.Steps(), func(s settings.Step) bool {
		return slices.ContainsFunc(s.Notify, func(w settings.Whom) bool { return w.Kind == settings.OnCall })
	})
}

// SetOverride puts a contact on call out of turn, and returns the override's id.
func (n *Notifier) SetOverride(o Override) (id string, err error) {
	if err := o.check(n.config.Load().Settings, n.o.Now()); err != nil {
		return "", err
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

// Test sends a message to a receiver at once and returns what became of it. to are addresses, for receivers that reach people. When
// the receiver's templates fail on an incident, the message's TemplateError says how.
func (n *Notifier) Test(ctx context.Context, receiver string, to []string) (message.Message, error) {
	c := n.config.Load()
	r, set := c.Receivers[receiver], c.Settings.Receiver(receiver)
	if r == nil || set == nil {
		return message.Message{}, ErrNoReceiver
	}
	if len(to) == 0 && receivers.NeedsPeople(&set.Spec) {
		return message.Message{}, &Refusal{receiver + " reaches people: a test needs somebody to send it to", "name them, as in `tocsin notify test " + receiver + " --to ann@example.org`"}
	}
	for _, address := range to {
		if _, err := mail.ParseAddress(address); err != nil {
			return message.Message{}, &Refusal{fmt.Sprintf("%q is no e-mail address", address), "write it as in ann@example.org"}
		}
	}
	data := message.Data{
		Event: message.Test, Key: fmt.Sprintf("test/%d/%s", n.o.Now().UnixNano(), receiver), At: n.o.Now(), Tenant: event.DefaultTenant, Receiver: receiver,
	}
	m := c.Templates.Render(data)
	_, err := r.Send(ctx, m, to)
	m.TemplateError = "" // a test is about nothing; what counts is whether an incident can be told of
	for _, e := range []message.Event{message.Opened, message.Resolved} {
		data.Event, data.Incident = e, message.Sample(n.o.Now())
		if m.TemplateError == "" {
			m.TemplateError = c.Templates.Render(data).TemplateError
		}
	}
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
