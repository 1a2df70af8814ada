package auth

import (
	"crypto/sha256"
	"net/http"
	"strconv"
	"time"

	"golang.org/x/time/rate"

	"github.com/tocsin-noc/tocsin/event"
)

// Source is a sender that an ingest key names. Kind is 0 when the format of what it sends decides.
type Source struct {
	event.Source
	RatePerSecond int // alerts; 0: no limit
	Burst         int // alerts that may come at once; 0: RatePerSecond

	bucket *rate.Limiter // nil: no limit
}

// Key is a sender and the SHA-256 of its ingest key.
type Key struct {
	Source
	Digest [sha256.Size]byte
}

// Take charges the source for alerts that arrived together. When its bucket is empty it charges nothing and returns how long
// to wait. A request larger than the burst passes when the bucket is full and leaves a debt, so that the mean rate holds.
func (s Source) Take(alerts int) (wait time.Duration, ok bool) {
	if s.bucket == nil || alerts <= 0 {
		return 0, true
	}
	now, burst := time.Now(), s.bucket.Burst()
	first := s.bucket.ReserveN(now, min(alerts, burst))
	if wait := first.DelayFrom(now); wait > 0 {
		first.CancelAt(now)
		return wait, false
	}
	for alerts -= burst; alerts > 0; alerts -= burst {
		s.bucket.ReserveN(now, min(alerts, burst))
	}
	return 0, true
}

// RateProblem is the answer to a source that Take turned away. status is 503 towards Prometheus and Alertmanager, which do not
// know 429, and 429 towards everybody else.
func RateProblem(s Source, status int, wait time.Duration) *Problem {
	return &Problem{
		Status: status, Code: "rate_limited",
		Detail:     "source " + s.Name + " sends more than its " + strconv.Itoa(s.RatePerSecond) + " alerts per second",
		Hint:       "send less, or raise sources[].rate_per_second and burst of this source",
		RetryAfter: wait,
	}
}

// withBucket returns s with a limiter; the one of the same sender before a reload goes on when its figures are the same.
func (s Source) withBucket(before *rate.Limiter) Source {
	if s.RatePerSecond <= 0 {
		return s
	}
	if s.Burst <= 0 {
		s.Burst = s.RatePerSecond
	}
	s.bucket = before
	if before == nil || before.Burst() != s.Burst || before.Limit() != rate.Limit(s.RatePerSecond) {
		s.bucket = rate.NewLimiter(rate.Limit(s.RatePerSecond), s.Burst)
	}
	return s
}

// retryAfter writes the header in whole seconds, at least one.
func retryAfter(h http.Header, wait time.Duration) {
	if wait > 0 {
		h.Set("Retry-After", strconv.FormatInt(int64((wait+time.Second-1)/time.Second), 10))
	}
}
