package ingest

import (
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tocsin-noc/tocsin/event"
)

// Class says what kind of trouble a sender had.
type Class uint8

// The classes of trouble, as metrics and the API name them.
const (
	Malformed Class = iota + 1 // the request could not be read
	Invalid                    // alerts of the request were refused
	TooLarge                   // a limit of the request was exceeded
	OverCap                    // the source is at its cap of active alerts
	Overload                   // nothing could be taken: slow disk, full disk, rate limit
	Overflow                   // there are too many sources to tell them apart
	Truncated                  // the sender left alerts out
	maxClass
)

// String returns the class's name in metrics and the API.
func (c Class) String() string {
	switch c {
	case Malformed:
		return "malformed"
	case Invalid:
		return "invalid"
	case TooLarge:
		return "too_large"
	case OverCap:
		return "over_cap"
	case Overload:
		return "overload"
	case Overflow:
		return "overflow"
	case Truncated:
		return "truncated"
	default:
		return "unknown"
	}
}

// Sender is one source and what it did since the start.
type Sender struct {
	event.Source
	configured bool
	metrics    *sourceMetrics

	active atomic.Int64 // firing alerts in the last view
	since  atomic.Int64 // alerts let in after it

	mu         sync.Mutex
	stats      Stats
	rates      ring
	unreported uint64 // refused over the cap and not journaled yet
	reportedAt time.Time
}

// Stats are a source's figures since the start.
type Stats struct {
	event.Source
	Configured  bool // has a key of its own
	Events      uint64
	PerSecond1m float64 // events, over the last minute
	PerSecond5m float64
	OverCap     uint64 // alerts refused at the cap
	Errors      map[string]uint64
	LastError   string
	LastErrorAt time.Time // zero: none
	LastWord    time.Time // of events that were taken; zero: none
}

// maxErrorText bounds what is kept of an error in bytes; it may quote the sender.
const maxErrorText = 512

// Stats returns the figures at now.
func (s *Sender) Stats(now time.Time) Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := s.stats
	out.Source, out.Configured = s.Source, s.configured
	out.Errors = maps.Clone(s.stats.Errors)
	out.PerSecond1m, out.PerSecond5m = s.rates.perSecond(now, time.Minute), s.rates.perSecond(now, 5*time.Minute)
	return out
}

// Failed notes trouble with what s sent.
func (s *Sender) Failed(class Class, text string, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failLocked(class, 1, text, now)
}

func (s *Sender) failLocked(class Class, n int, text string, now time.Time) {
	if s.stats.Errors == nil {
		s.stats.Errors = map[string]uint64{}
	}
	s.stats.Errors[class.String()] += uint64(n)
	s.stats.LastError, s.stats.LastErrorAt = string([]byte(text[:min(len(text), maxErrorText)])), now
	s.metrics.errors[class].Add(float64(n))
}

// Refused notes that n alerts of a request were no alerts.
func (s *Sender) Refused(n int, text string, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failLocked(Invalid, n, text, now)
}

// Took notes events that became durable.
func (s *Sender) Took(events int, now time.Time) {
	s.metrics.events.Add(float64(events))
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stats.Events += uint64(events)
	s.stats.LastWord = now
	s.rates.add(now, events)
}

// reportEvery is how often the journal hears that a source is at its cap.
const reportEvery = time.Minute

// overCap notes alerts refused at the cap. report says that it is time to tell the journal, of unreported in all.
func (s *Sender) overCap(refused, limit int, now time.Time) (report bool, unreported uint64) {
	s.metrics.overCap.Add(float64(refused))
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stats.OverCap += uint64(refused)
	s.failLocked(OverCap, refused, Outcome{OverCap: refused, Limit: limit}.OverCapMessage(s.Name), now)
	s.unreported += uint64(refused)
	if now.Sub(s.reportedAt) < reportEvery {
		return false, 0
	}
	unreported, s.unreported, s.reportedAt = s.unreported, 0, now
	return true, unreported
}
