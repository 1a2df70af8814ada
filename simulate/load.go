// Package simulate makes load for a server that speaks Alertmanager's API v2:
// Alerts renders a seeded stream of alerts at well under a microsecond each,
// Load posts it over keep-alive connections and measures the answers.
//
// It is not a client for production use: it retries only when told to, and it
// is no model of incidents. It knows no package of this module. Run it in a
// process of its own, so that its CPU time is not the server's. Alerts may be
// shared by goroutines; a Load is a value, and each Run owns what it starts.
package simulate

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"sync"
	"sync/atomic"
	"time"
)

const (
	defaultTimeout  = 10 * time.Second // Prometheus' own
	defaultLifetime = 4 * time.Minute  // what Prometheus adds for endsAt
	retryPause      = 5 * time.Millisecond
)

// Load says what to send, to whom and how fast.
type Load struct {
	URL         string        // base of the API, such as http://127.0.0.1:9093
	Alerts      *Alerts       // what is sent
	First       uint64        // index of the first alert
	Active      uint64        // indices start again after so many; 0: never, each alert is new
	Resolved    bool          // endsAt is now instead of Lifetime ahead
	Lifetime    time.Duration // 0: 4 min
	Batch       int           // alerts per request, at least 1
	Connections int           // at least 1
	Count       uint64        // alerts to offer; 0: until Duration has passed
	Duration    time.Duration // 0: until Count is offered
	Rate        float64       // alerts per second; 0: as fast as the answers come
	Timeout     time.Duration // of one request; 0: 10 s
	// Retry repeats what 503 or 429 refused until it is acknowledged, and ends
	// the run at anything else than 2xx: for filling a server exactly.
	Retry bool
}

// Result counts alerts by what became of them. Offered is the sum of the
// others but for retries, which count in Unavailable and Throttled each time.
type Result struct {
	Offered      uint64
	Acknowledged uint64 // 2xx
	Unavailable  uint64 // 503
	Throttled    uint64 // 429
	Rejected     uint64 // any other status
	Failed       uint64 // no answer: connection or timeout
	Requests     uint64 // acknowledged requests
	Elapsed      time.Duration
	// Latency of acknowledged requests. With a Rate it counts from the moment
	// a request was due, when every connection was still busy by then.
	Latency Histogram
}

// Refusals is the share of offered alerts that were not acknowledged, 0 to 1.
func (r *Result) Refusals() float64 {
	if r.Offered == 0 {
		return 0
	}
	return float64(r.Unavailable+r.Throttled+r.Rejected+r.Failed) / float64(r.Offered)
}

// PerSecond is the rate of acknowledged alerts.
func (r *Result) PerSecond() float64 {
	if r.Elapsed <= 0 {
		return 0
	}
	return float64(r.Acknowledged) / r.Elapsed.Seconds()
}

func (r *Result) add(o *Result) {
	r.Offered += o.Offered
	r.Acknowledged += o.Acknowledged
	r.Unavailable += o.Unavailable
	r.Throttled += o.Throttled
	r.Rejected += o.Rejected
	r.Failed += o.Failed
	r.Requests += o.Requests
	r.Latency.Merge(&o.Latency)
}

// Run sends the load and blocks until it is done or ctx ends. The result holds
// what was counted until then, also with an error.
func (l Load) Run(ctx context.Context) (*Result, error) {
	target, err := l.check()
	if err != nil {
		return &Result{}, err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var (
		group  sync.WaitGroup
		mu     sync.Mutex
		result Result
		run    = &run{Load: l, start: time.Now()}
	)
	for range l.Connections {
		group.Go(func() {
			s := &sender{run: run, conn: newConn(target, l.Timeout)}
			if err := s.send(ctx); err != nil {
				cancel(err)
			}
			mu.Lock()
			defer mu.Unlock()
			result.add(&s.result)
		})
	}
	group.Wait()
	result.Elapsed = time.Since(run.start)
	return &result, context.Cause(ctx)
}

// check fills in defaults and returns the address to post to.
func (l *Load) check() (*url.URL, error) {
	target, err := url.Parse(l.URL)
	switch {
	case err != nil:
		return nil, fmt.Errorf("simulate: url: %w", err)
	case target.Scheme != "http" || target.Host == "":
		return nil, fmt.Errorf("simulate: url: want http://host:port (got %q)", l.URL)
	case l.Alerts == nil, l.Batch < 1, l.Connections < 1, l.Rate < 0:
		return nil, errors.New("simulate: load needs alerts, a batch and connections of at least 1, and no negative rate")
	case l.Count == 0 && l.Duration <= 0:
		return nil, errors.New("simulate: load needs a count or a duration")
	}
	if l.Timeout <= 0 {
		l.Timeout = defaultTimeout
	}
	if l.Lifetime <= 0 {
		l.Lifetime = defaultLifetime
	}
	target.Path = path.Join("/", target.Path, "api/v2/alerts")
	return target, nil
}

// run is what the connections of one Run share.
type run struct {
	Load
	start time.Time
	next  atomic.Uint64 // alerts handed out so far
}

// take hands out the next batch: n alerts from position from, due at due.
// n is 0 when the run is over.
func (r *run) take() (from uint64, n int, due time.Time) {
	from = r.next.Add(uint64(r.Batch)) - uint64(r.Batch)
	due = time.Now()
	if r.Rate > 0 {
		due = r.start.Add(time.Duration(float64(from) / r.Rate * float64(time.Second)))
	}
	if r.Count > 0 && from >= r.Count || r.Duration > 0 && max(due.Sub(r.start), time.Since(r.start)) >= r.Duration {
		return from, 0, due
	}
	n = r.Batch
	if r.Count > 0 {
		n = int(min(uint64(n), r.Count-from))
	}
	return from, n, due
}

// body renders a batch into dst.
func (r *run) body(dst []byte, from uint64, n int) []byte {
	ends := time.Now()
	if !r.Resolved {
		ends = ends.Add(r.Lifetime)
	}
	stamp := Stamp(ends)
	dst = append(dst, '[')
	for i := range uint64(n) {
		if i > 0 {
			dst = append(dst, ',')
		}
		at := from + i
		if r.Active > 0 {
			at %= r.Active
		}
		dst = r.Alerts.Append(dst, r.First+at, stamp)
	}
	return append(dst, ']')
}

// sender drives one connection.
type sender struct {
	*run
	conn   *conn
	result Result
	buffer []byte
}

func (s *sender) send(ctx context.Context) error {
	defer s.conn.close()
	for {
		from, n, due := s.take()
		if n == 0 {
			return nil
		}
		late := s.Rate > 0 && time.Now().After(due)
		if err := pause(ctx, time.Until(due)); err != nil {
			return err
		}
		s.buffer = s.body(s.buffer[:0], from, n)
		s.result.Offered += uint64(n)
		since := time.Now() // neither the timer's slack nor rendering is the server's time
		if late {
			since = due // but waiting for a free connection is
		}
		if err := s.post(ctx, uint64(n), since); err != nil {
			return err
		}
	}
}

// post sends the buffer, again while Retry asks for it, and counts the answers.
func (s *sender) post(ctx context.Context, n uint64, since time.Time) error {
	for {
		status, err := s.conn.post(ctx, s.buffer)
		s.count(status, n, since)
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case err != nil && !s.Retry:
			return pause(ctx, retryPause) // a dead server must not be hammered
		case !s.Retry || status/100 == 2:
			return nil
		case err != nil:
			return fmt.Errorf("simulate: send: %w", err)
		case status != http.StatusServiceUnavailable && status != http.StatusTooManyRequests:
			return fmt.Errorf("simulate: send: server answered %d", status)
		}
		if err := pause(ctx, retryPause); err != nil {
			return err
		}
	}
}

// count books n alerts under a status; 0 stands for no answer.
func (s *sender) count(status int, n uint64, since time.Time) {
	switch {
	case status == 0:
		s.result.Failed += n
	case status/100 == 2:
		s.result.Acknowledged += n
		s.result.Requests++
		s.result.Latency.Record(time.Since(since))
	case status == http.StatusServiceUnavailable:
		s.result.Unavailable += n
	case status == http.StatusTooManyRequests:
		s.result.Throttled += n
	default:
		s.result.Rejected += n
	}
}

// pause waits for d, or less when ctx ends.
func pause(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return context.Cause(ctx)
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}
