package ingest

import (
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/tocsin-noc/tocsin/correlate"
	"github.com/tocsin-noc/tocsin/event"
)

// maxSeen is how many sources without a key are told apart; later ones share one of their kind.
const maxSeen = 1000

// maxName bounds a source's name in bytes: names of sources without a key are the senders' own words.
const maxName = 128

// Sources is the registry of everybody who ever sent something since the start.
type Sources struct {
	log     *slog.Logger
	metrics *metrics

	mu       sync.RWMutex
	byName   map[sourceName]*Sender
	seen     int  // senders that no configuration names
	overflow bool // maxSeen was exceeded, and people were told
}

type sourceName struct{ tenant, name string }

// NewSources returns an empty registry with its metrics registered.
func NewSources(log *slog.Logger, reg prometheus.Registerer) (*Sources, error) {
	s := &Sources{log: log, byName: map[sourceName]*Sender{}}
	m, err := newMetrics(reg, s)
	if err != nil {
		return nil, fmt.Errorf("ingest: metrics: %w", err)
	}
	s.metrics = m
	return s, nil
}

// Configured returns the sender of a source that the configuration names; it counts under its own name in metrics. Another
// kind than before takes effect.
func (s *Sources) Configured(src event.Source) *Sender {
	if found := s.find(src); found != nil && found.configured && found.Kind == src.Kind {
		return found
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	old := s.byName[sourceName{src.Tenant, src.Name}]
	if old != nil && old.configured && old.Kind == src.Kind {
		return old
	}
	return s.add(src, true, s.metrics.of(src.Name))
}

// Seen returns the sender of a source that nobody configured, making it on first sight. Beyond 1,000 of them the sender is
// the one that all later ones of the kind share.
func (s *Sources) Seen(src event.Source, now time.Time) *Sender {
	src.Name = strings.ToValidUTF8(src.Name[:min(len(src.Name), maxName)], "") // a rune may have been cut
	if found := s.find(src); found != nil {
		return found
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if found := s.byName[sourceName{src.Tenant, src.Name}]; found != nil {
		return found
	}
	if s.seen < maxSeen {
		s.seen++
		src.Name = strings.Clone(src.Name)
		return s.add(src, false, s.metrics.of(seenSources))
	}
	return s.overflowed(src, now)
}

// overflowed returns the sender that stands for all that are too many. Its name says so, and so does its last error.
func (s *Sources) overflowed(src event.Source, now time.Time) *Sender {
	message := fmt.Sprintf("more than %d sources without a key: %.64q and others are counted as one", maxSeen, src.Name)
	if !s.overflow {
		s.overflow = true
		s.log.Warn("too many sources without a key", "limit", maxSeen, "source", src.Name)
	}
	src.Name = "overflow:" + src.Kind.String()
	sender := s.byName[sourceName{src.Tenant, src.Name}]
	if sender == nil {
		sender = s.add(src, false, s.metrics.of(seenSources))
	}
	sender.Failed(Overflow, message, now)
	return sender
}

func (s *Sources) find(src event.Source) *Sender {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.byName[sourceName{src.Tenant, src.Name}]
}

func (s *Sources) add(src event.Source, configured bool, m *sourceMetrics) *Sender {
	sender := &Sender{Source: src, configured: configured, metrics: m}
	s.byName[sourceName{src.Tenant, src.Name}] = sender
	return sender
}

// count takes over how many alerts of each source fire.
func (s *Sources) count(view *correlate.View) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for src := range view.Sources() {
		if sender := s.byName[sourceName{src.Tenant, src.Name}]; sender != nil {
			sender.active.Store(int64(src.Active))
			sender.since.Store(0)
		}
	}
}

// Stats returns the figures of a tenant's sources at now, by name.
func (s *Sources) Stats(tenant string, now time.Time) []Stats {
	s.mu.RLock()
	defer s.mu.RUnlock()
	out := []Stats{}
	for name, sender := range s.byName {
		if name.tenant == tenant {
			out = append(out, sender.Stats(now))
		}
	}
	slices.SortFunc(out, func(a, b Stats) int { return strings.Compare(a.Name, b.Name) })
	return out
}
