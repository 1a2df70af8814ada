package notify

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/tocsin-noc/tocsin/notify/receivers"
)

const (
	firstRetry = time.Second
	maxRetry   = 5 * time.Minute
	// expireAfter is how long a message is tried: what is older would mislead whoever reads it.
	expireAfter = 24 * time.Hour
	// A message that a receiver has answered with one and the same 5xx so often and for so long may itself be the reason.
	poisonTimes = 10
	poisonAfter = 10 * time.Minute
	// looksBehind bounds the messages among which one is looked for that a receiver might take all the same.
	looksBehind = 20
)

// queue sends one receiver's messages, one after the other.
type queue struct {
	n        *Notifier
	receiver string
	wake     chan struct{}
	limiter  *rate.Limiter
	rateN    int
	ratePer  time.Duration
	probed   int // attempts of the head when another was last tried in its place

	mu sync.Mutex
	st ReceiverStatus
}

func (q *queue) poke() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// startQueues starts a goroutine for every receiver that is configured or has messages.
func (n *Notifier) startQueues(ctx context.Context, wg *sync.WaitGroup) {
	names := n.receiverNames()
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, name := range names {
		if n.queues[name] != nil {
			continue
		}
		q := &queue{n: n, receiver: name, wake: make(chan struct{}, 1)}
		n.queues[name] = q
		wg.Go(func() { q.run(ctx) })
	}
}

// receiverNames lists the configured receivers and those that messages still wait for.
func (n *Notifier) receiverNames() []string {
	var names []string
	for i := range n.config.Load().Settings.Receivers {
		names = append(names, n.config.Load().Settings.Receivers[i].Name)
	}
	_ = n.store.view(func(t *tx) error { // a fault shows when it is written
		for _, bucket := range []string{"messages", "aside"} {
			if err := t.Bucket([]byte(bucket)).ForEachBucket(func(k []byte) error {
				names = append(names, string(k))
				return nil
			}); err != nil {
				return err
			}
		}
		return nil
	})
	return names
}

func (q *queue) run(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-q.wake:
		case <-timer.C:
		}
		wait := q.drain(ctx)
		timer.Reset(wait)
	}
}

// drain sends until nothing can be sent, and returns how long to wait.
func (q *queue) drain(ctx context.Context) time.Duration {
	for ctx.Err() == nil {
		next, wait, err := q.pick()
		switch {
		case err != nil:
			q.n.log.Error("outbox cannot be read", "receiver", q.receiver, "error", err)
			return time.Minute
		case next == nil:
			return wait
		}
		if wait := q.throttle(); wait > 0 {
			return wait
		}
		q.attempt(ctx, next)
	}
	return time.Hour
}

// pick is a message to be sent.
type pick struct {
	item
	past *item // the head of the queue, which the receiver may be failing at: this one is tried in its place
}

// pick returns the message to be sent next: the head of the queue; while that waits to be tried again, one of those behind it if it
// may itself be the reason that it is not taken; and one of those set aside. When there is none it returns how long to wait.
func (q *queue) pick() (next *pick, wait time.Duration, err error) {
	now := q.n.o.Now()
	wait = time.Hour
	err = q.n.store.view(func(t *tx) error {
		list, err := t.first(q.receiver, looksBehind)
		if err != nil {
			return err
		}
		aside, err := t.aside(q.receiver)
		if err != nil {
			return err
		}
		if len(list) > 0 {
			head := &list[0]
			if !head.After.After(now) {
				next = &pick{item: *head}
				return nil
			}
			wait = head.After.Sub(now)
			if len(aside) < maxAside && head.poisonous(now) && q.probed != head.Attempts {
				q.probed = head.Attempts
				if it := behind(list, now); it != nil {
					next = &pick{*it, head}
					return nil
				}
			}
		}
		for _, it := range aside {
			if !it.After.After(now) {
				next = &pick{item: it}
				return nil
			}
			wait = min(wait, it.After.Sub(now))
		}
		return nil
	})
	return next, wait, err
}

// poisonous tells whether a message has got one and the same 5xx so often that it may be the reason.
func (e *envelope) poisonous(now time.Time) bool {
	return e.Same >= poisonTimes && now.Sub(e.Since) >= poisonAfter
}

// behind returns a message that can be tried now and is about something else than all before it: what is told of one incident
// stays in order. Of several it is the one that was tried least, for it may be like the head.
func behind(list []item, now time.Time) (best *item) {
	subjects := map[string]bool{list[0].Message.Subject: true}
	for i := 1; i < len(list); i++ {
		it := &list[i]
		if !subjects[it.Message.Subject] && !it.After.After(now) && (best == nil || it.Attempts < best.Attempts) {
			best = it
		}
		subjects[it.Message.Subject] = true
	}
	return best
}

// throttle returns how long the receiver's rate wants the next message to wait.
func (q *queue) throttle() time.Duration {
	r := q.n.config.Load().Settings.Receiver(q.receiver)
	if r == nil || r.RateN == 0 {
		q.limiter = nil
		return 0
	}
	if q.limiter == nil || q.rateN != r.RateN || q.ratePer != r.RatePer {
		q.rateN, q.ratePer = r.RateN, r.RatePer
		q.limiter = rate.NewLimiter(rate.Limit(float64(r.RateN)/r.RatePer.Seconds()), r.RateN)
	}
	now := q.n.o.Now()
	res := q.limiter.ReserveN(now, 1)
	if wait := res.DelayFrom(now); wait > 0 {
		res.CancelAt(now)
		return wait
	}
	return 0
}

// attempt sends one message and records the outcome.
func (q *queue) attempt(ctx context.Context, it *pick) {
	retry, err := false, error(nil)
	r := q.n.config.Load().Receivers[q.receiver]
	switch {
	case r == nil:
		err = errors.New("there is no such receiver any more")
	case q.n.o.Now().Sub(it.Queued) > expireAfter:
		q.finish(ctx, it, "expired", fmt.Sprintf("not taken within %s; last: %s", expireAfter, it.Error))
		return
	default:
		retry, err = r.Send(ctx, q.n.current(ctx, it.Message), it.To)
	}
	if ctx.Err() != nil && err != nil {
		return // the daemon stops: it was not the receiver's fault
	}
	it.Attempts++
	switch {
	case err == nil:
		q.finish(ctx, it, "sent", "")
	case !retry:
		q.finish(ctx, it, "failed", err.Error())
	default:
		q.later(ctx, it, err)
	}
}

// finish takes a message out of the queue and remembers what became of it.
func (q *queue) finish(ctx context.Context, it *pick, outcome, why string) {
	now := q.n.o.Now()
	var overtaken []Sent
	q.n.commit(ctx, func(t *tx) (err error) {
		if b := it.bucket(t, q.receiver); b != nil {
			if err := b.Delete(it.key); err != nil {
				return err
			}
		}
		if overtaken = nil; outcome == "sent" {
			if overtaken, err = q.passed(t, it, now); err != nil {
				return err
			}
			if err := t.feed(deliveriesOf(q.n.config.Load().Settings, q.receiver, it.envelope, now)); err != nil {
				return err
			}
		}
		for _, s := range overtaken {
			if err := t.remember(s); err != nil {
				return err
			}
		}
		return t.remember(sent(q.receiver, it.envelope, outcome, why, now))
	})
	q.probed = 0
	q.report(sent(q.receiver, it.envelope, outcome, why, now))
	for _, s := range overtaken {
		q.report(s)
	}
	if it.past != nil && outcome == "sent" {
		q.n.log.Warn("a message is set aside: the receiver fails at it and takes others", "receiver", q.receiver,
			"subject", it.past.Message.Subject, "event", it.past.Message.Event, "attempts", it.past.Attempts, "error", it.past.Error)
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if outcome == "sent" {
		q.st.LastSuccess, q.st.Failures, q.st.LastError, q.st.RetryAt = now, 0, "", time.Time{}
		return
	}
	q.st.LastError, q.st.LastFailure, q.st.RetryAt = why, now, time.Time{}
	q.st.Failures++
}

// report counts an outcome, and says so when a message was not delivered.
func (q *queue) report(s Sent) {
	q.n.metrics.sent.WithLabelValues(q.receiver, s.Outcome).Inc()
	if s.Outcome != "sent" {
		q.n.log.Error("a message was not delivered", "receiver", q.receiver, "subject", s.Subject, "event", s.Event, "outcome", s.Outcome, "error", s.Error)
	}
}

// passed does what follows from a message having been taken: the head that it was tried in place of is set aside, and what is set
// aside and was to come before it about the same is given up, for it would tell old news last.
func (q *queue) passed(t *tx, it *pick, now time.Time) (overtaken []Sent, err error) {
	if it.past != nil {
		if err := t.setAside(q.receiver, *it.past); err != nil {
			return nil, err
		}
	}
	aside, err := t.aside(q.receiver)
	if err != nil {
		return nil, err
	}
	for _, old := range aside {
		if old.Message.Subject != it.Message.Subject || bytes.Compare(old.key, it.key) >= 0 {
			continue
		}
		if err := old.bucket(t, q.receiver).Delete(old.key); err != nil {
			return nil, err
		}
		overtaken = append(overtaken, sent(q.receiver, old.envelope, "failed", "a later message about it was taken; last: "+old.Error, now))
	}
	return overtaken, nil
}

// later leaves a message where it is, to be tried again.
func (q *queue) later(ctx context.Context, it *pick, err error) {
	now := q.n.o.Now()
	wait := backoff(it.Attempts, it.Message.Key)
	if late, ok := errors.AsType[*receivers.RetryLater](err); ok {
		wait = max(wait, late.After)
	}
	it.After, it.Error = now.Add(wait), err.Error()
	if code := receivers.Refused(err); code == 0 || code != it.Code {
		it.Code, it.Same, it.Since = code, 0, now
	}
	if it.Code != 0 {
		it.Same++
	}
	q.n.commit(ctx, func(t *tx) error {
		b := it.bucket(t, q.receiver)
		if b == nil {
			return nil
		}
		return put(b, it.key, it.envelope)
	})
	q.n.metrics.retries.WithLabelValues(q.receiver).Inc()
	q.mu.Lock()
	defer q.mu.Unlock()
	q.st.LastError, q.st.LastFailure, q.st.RetryAt = err.Error(), now, it.After
	q.st.Failures++
	if q.st.Failures == 1 {
		q.n.log.Warn("a receiver does not take messages; they wait", "receiver", q.receiver, "error", err)
	}
}

// backoff doubles from a second to five minutes, less up to a tenth that follows from the key, so that receivers that fail
// together are not asked together.
func backoff(attempts int, key string) time.Duration {
	wait := min(firstRetry<<min(attempts-1, 20), maxRetry)
	h := fnv.New32a()
	_, _ = h.Write([]byte(key))
	return wait - time.Duration(int64(wait)*int64(h.Sum32()%100)/1000)
}
