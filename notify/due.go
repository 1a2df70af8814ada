package notify

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/notify/message"
)

// again is how soon an escalation looks again at an incident that is quiet or clear just now.
const again = time.Minute

// maxDue bounds the subjects that one transaction looks at.
const maxDue = 500

// untilDue returns how long the loop may sleep.
func (n *Notifier) untilDue() time.Duration {
	next := n.o.Now().Add(time.Hour)
	_ = n.store.view(func(t *tx) error { // a fault shows when it is written
		if _, at := t.dueSubjects(time.Time{}, 0); !at.IsZero() && at.Before(next) {
			next = at
		}
		return each(t.Bucket([]byte("digests")), func(team []byte, g digest) error {
			if at := n.digestDue(string(team), &g); at.Before(next) {
				next = at
			}
			return nil
		})
	})
	return max(next.Sub(n.o.Now()), 10*time.Millisecond)
}

// runDue carries out escalations and digests whose time has come. Until the changes of before have been read, it waits: they may
// hold the acknowledgement.
func (n *Notifier) runDue(ctx context.Context) {
	if n.behind.Load() {
		return
	}
	var subjects, digests []string
	if err := n.store.view(func(t *tx) error {
		now := n.o.Now()
		subjects, _ = t.dueSubjects(now, maxDue)
		return each(t.Bucket([]byte("digests")), func(team []byte, g digest) error {
			if !n.digestDue(string(team), &g).After(now) {
				digests = append(digests, string(team))
			}
			return nil
		})
	}); err != nil {
		n.log.Error("outbox cannot be read", "error", err)
		return
	}
	if len(subjects)+len(digests) == 0 {
		return
	}
	n.commit(ctx, func(t *tx) error {
		d := n.decider(ctx, t)
		for _, key := range subjects {
			if err := d.escalate(key); err != nil {
				return err
			}
		}
		for _, team := range digests {
			if err := d.digest(team); err != nil {
				return err
			}
		}
		return d.flush()
	})
	n.pokeQueues()
}

// escalate takes a subject's due steps, and forgets a subject that has long been over.
func (d *decider) escalate(key string) error {
	sub, err := d.tx.subject(key)
	if err != nil {
		return err
	}
	if sub.Storm != nil {
		return d.escalateStorm(key)
	}
	if !sub.Done.IsZero() && d.now.Sub(sub.Done) >= keptSubject {
		return d.tx.dropSubject(key, sub)
	}
	if err := d.payOwed(key, &sub); err != nil {
		return err
	}
	if err := d.steps(key, &sub); err != nil {
		return err
	}
	return d.tx.putSubject(key, sub)
}

// escalateStorm is escalate for a storm, which is written with all that the transaction does to it.
func (d *decider) escalateStorm(key string) error {
	st, err := d.loadStorm(key)
	if err != nil {
		return err
	}
	if done := st.sub.Done; !done.IsZero() && d.now.Sub(done) >= keptSubject {
		delete(d.storms, key)
		return d.tx.dropSubject(key, *st.sub)
	}
	return d.steps(key, st.sub)
}

// steps takes the steps of every team that are due.
func (d *decider) steps(key string, sub *subject) error {
	for _, name := range slices.Sorted(maps.Keys(sub.Escalation)) {
		r := sub.Escalation[name]
		if r.Due.After(d.now) {
			continue
		}
		next, err := d.step(key, name, r, sub)
		if err != nil {
			return err
		}
		if next == nil {
			delete(sub.Escalation, name)
		} else {
			sub.Escalation[name] = *next
		}
	}
	return nil
}

// payOwed rings what had to wait for an end of the quiet.
func (d *decider) payOwed(key string, sub *subject) error {
	o := sub.Owed
	if o == nil || o.Due.After(d.now) {
		return nil
	}
	_, _, state, err := d.present(key, "", sub)
	if err != nil {
		return err
	}
	now, err := d.incident(incidentOf(key))
	if errors.Is(err, ErrNoIncident) {
		sub.Owed = nil
		return nil
	}
	if err != nil {
		return err
	}
	if o.Event == message.SignalLost { // an acknowledgement of before does not cover it
		state = signalState(now)
	}
	switch state {
	case over:
		sub.Owed = nil
		return nil
	case quiet:
		o.Due = d.now.Add(again)
		return nil
	case rings:
	}
	sub.Owed = nil
	ch := &event.Change{Shard: o.Shard, Seq: o.Seq, N: o.N, At: event.FromTime(d.now), Incident: &now.State}
	return d.ring(ch, sub, o.Event, o.Reason+"; until now it was kept quiet")
}

// step carries out the next step of an escalation. It returns what comes after it, nil when nothing does.
func (d *decider) step(key, name string, r run, sub *subject) (*run, error) {
	team := d.config.Settings.Team(name)
	if team == nil || r.Next >= len(team.Steps()) {
		return nil, nil
	}
	data, priority, state, err := d.present(key, name, sub)
	if err != nil {
		return nil, err
	}
	steps := team.Steps()
	switch state {
	case over:
		return nil, nil
	case quiet:
		r.Quiet += d.now.Add(again).Sub(r.Due)
		r.Due = d.now.Add(again)
		return &r, nil
	case rings:
	}
	if due := r.Began.Add(steps[r.Next].After[clamp(priority)] + r.Quiet); sub.Storm != nil && due.After(d.now) {
		r.Due = due // what hastened it is over, or somebody's
		return &r, nil
	}
	data.At, data.Step, data.Since = d.now, r.Next, r.Began
	data.Reason = fmt.Sprintf("%s: step %d of %d", unanswered(&data), r.Next+1, len(steps))
	if late := d.now.Sub(r.Due); late > 10*time.Second {
		data.Reason += fmt.Sprintf(", late by %s", roughly(late))
	}
	for _, t := range d.reachAll(team, steps[r.Next].Notify) {
		if err := d.enqueue(data, r.Key, t); err != nil {
			return nil, err
		}
		if f := sub.Fronts["team/"+name]; f != nil {
			f.remember(t)
		} else {
			sub.remember(t)
		}
	}
	d.tx.OnCommit(d.n.metrics.escalations.Inc)
	r.Next++
	if r.Next >= len(steps) {
		return nil, nil
	}
	r.Due = r.Began.Add(steps[r.Next].After[clamp(priority)] + r.Quiet)
	return &r, nil
}

// state is whether an escalation should go on.
type state uint8

const (
	rings state = iota + 1
	quiet       // not just now
	over        // not any more
)

// signalState tells whether it should still be told that an incident's last alerts expired.
func signalState(now *Subject) state {
	switch {
	case now.State.Phase != event.IncidentOpen, !now.State.SignalLost:
		return over
	case now.Quiet:
		return quiet
	}
	return rings
}

// tenantOf returns the tenant of a subject's key.
func tenantOf(key string) string {
	tenant, _, _ := strings.Cut(key, "/")
	return tenant
}

// present looks at what a team's escalation is about as it is now.
func (d *decider) present(key, team string, sub *subject) (data message.Data, priority uint8, s state, err error) {
	data.Tenant = tenantOf(key)
	if sub.Storm != nil {
		return d.presentStorm(data, key, team)
	}
	now, err := d.incident(incidentOf(key))
	if errors.Is(err, ErrNoIncident) {
		return data, 0, over, nil
	}
	if err != nil {
		return data, 0, over, err
	}
	data.Event = message.Escalated
	i := now.Data
	i.AcknowledgedBy, i.Assignee = d.n.person(now.State.AckedBy), d.n.person(now.State.Assignee)
	data.Incident = &i
	switch {
	case now.State.Phase != event.IncidentOpen, now.State.AckedAt != 0 && now.State.WorseAt == 0:
		return data, 0, over, nil
	case now.Quiet, now.State.ClearSince != 0:
		return data, 0, quiet, nil
	}
	return data, now.State.Priority, rings, nil
}

// incidentOf returns which incident a subject is, 0 when it is none.
func incidentOf(key string) event.IncidentID {
	_, name, _ := strings.Cut(key, "/")
	id, err := strconv.ParseUint(strings.TrimPrefix(name, "INC-"), 10, 32)
	if err != nil {
		return 0
	}
	return event.IncidentID(id)
}

// roughly writes a span as people say it.
func roughly(t time.Duration) string {
	switch {
	case t < time.Minute:
		return fmt.Sprintf("%d s", int(t.Seconds()))
	case t < 2*time.Hour:
		return fmt.Sprintf("%d min", int(t.Minutes()))
	}
	return fmt.Sprintf("%d h", int(t.Hours()))
}
