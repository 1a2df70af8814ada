package notify

import (
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
)

// queue sends one receiver's messages, one after the other.
type queue struct {
	n        *Notifier
	receiver string
	wake     chan struct{}
	limiter  *rate.Limiter
	rateN    int
	ratePer  time.Duration

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
		return t.Bucket([]byte("messages")).ForEachBucket(func(k []byte) error {
			names = append(names, string(k))
			return nil
		})
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
		var key []byte
		var e *envelope
		if err := q.n.store.view(func(t *tx) (err error) {
			key, e, err = t.head(q.receiver)
			return err
		}); err != nil {
			q.n.log.Error("outbox cannot be read", "receiver", q.receiver, "error", err)
			return time.Minute
		}
		if e == nil {
			return time.Hour
		}
		if wait := e.After.Sub(q.n.o.Now()); wait > 0 {
			return wait
		}
		if wait := q.throttle(); wait > 0 {
			return wait
		}
		q.attempt(ctx, key, e)
	}
	return time.Hour
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
func (q *queue) attempt(ctx context.Context, key []byte, e *envelope) {
	retry, err := false, error(nil)
	r := q.n.config.Load().Receivers[q.receiver]
	switch {
	case r == nil:
		err = errors.New("there is no such receiver any more")
	case q.n.o.Now().Sub(e.Queued) > expireAfter:
		q.finish(ctx, key, e, "expired", fmt.Sprintf("not taken within %s; last: %s", expireAfter, e.Error))
		return
	default:
		retry, err = r.Send(ctx, e.Message, e.To)
	}
	if ctx.Err() != nil && err != nil {
		return // the daemon stops: it was not the receiver's fault
	}
	e.Attempts++
	switch {
	case err == nil:
		q.finish(ctx, key, e, "sent", "")
	case !retry:
		q.finish(ctx, key, e, "failed", err.Error())
	default:
		q.later(ctx, key, e, err)
	}
}

// finish takes a message out of the queue and remembers what became of it.
func (q *queue) finish(ctx context.Context, key []byte, e *envelope, outcome, why string) {
	now := q.n.o.Now()
	q.n.commit(ctx, func(t *tx) error {
		if b := t.Bucket([]byte("messages")).Bucket([]byte(q.receiver)); b != nil {
			if err := b.Delete(key); err != nil {
				return err
			}
		}
		return t.remember(sent(q.receiver, e, outcome, why, now))
	})
	q.n.metrics.sent.WithLabelValues(q.receiver, outcome).Inc()
	if outcome != "sent" {
		q.n.log.Error("a message was not delivered", "receiver", q.receiver, "subject", e.Message.Subject, "event", e.Message.Event, "outcome", outcome, "error", why)
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

// later leaves a message where it is, to be tried again.
func (q *queue) later(ctx context.Context, key []byte, e *envelope, err error) {
	now := q.n.o.Now()
	wait := backoff(e.Attempts, e.Message.Key)
	if late, ok := errors.AsType[*receivers.RetryLater](err); ok {
		wait = max(wait, late.After)
	}
	e.After, e.Error = now.Add(wait), err.Error()
	q.n.commit(ctx, func(t *tx) error {
		b := t.Bucket([]byte("messages")).Bucket([]byte(q.receiver))
		if b == nil {
			return nil
		}
		return put(b, key, e)
	})
	q.n.metrics.retries.WithLabelValues(q.receiver).Inc()
	q.mu.Lock()
	defer q.mu.Unlock()
	q.st.LastError, q.st.LastFailure, q.st.RetryAt = err.Error(), now, e.After
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
