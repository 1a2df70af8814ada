package projection

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tocsin-noc/tocsin/history"
)

const (
	firstWait   = 250 * time.Millisecond // after a fault
	longestWait = 30 * time.Second
)

// Projector keeps the history up with the changes log.
type Projector struct {
	o       Options
	log     *slog.Logger
	now     func() time.Time
	metrics *metrics

	again     chan struct{} // holds one while a rebuild is asked for
	interrupt atomic.Pointer[context.CancelFunc]

	mu    sync.Mutex
	state state
}

// New returns a Projector that Run sets to work.
func New(o Options) *Projector {
	o.fill()
	p := &Projector{o: o, log: o.Logger, now: time.Now, again: make(chan struct{}, 1)}
	p.state.since, p.state.evenAt = p.now(), p.now()
	p.metrics = newMetrics(p)
	return p
}

// Run follows the changes log until ctx ends. A fault delays it: it is told once, counted, and tried again.
func (p *Projector) Run(ctx context.Context) error {
	wait := firstWait
	for ctx.Err() == nil {
		before := p.progress()
		err := p.once(ctx)
		if ctx.Err() != nil || err == nil {
			continue
		}
		if p.progress() != before {
			wait = firstWait
		}
		p.metrics.errors.Inc()
		p.fault(err)
		rest(ctx, wait)
		wait = min(2*wait, longestWait)
	}
	return nil
}

// once goes on from where the database is, until a fault or a wish for a rebuild.
func (p *Projector) once(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	p.interrupt.Store(&stop)
	if err := p.rebuild(ctx); err != nil {
		return unlessStopped(ctx, err)
	}
	w, err := p.start(ctx)
	if err != nil {
		return unlessStopped(ctx, err)
	}
	return unlessStopped(ctx, w.follow(ctx))
}

func unlessStopped(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// rebuild empties the database if that was asked for. When it is cut off, the mark in the database has it done at the next start.
func (p *Projector) rebuild(ctx context.Context) error {
	select {
	case <-p.again:
	default:
		return nil
	}
	p.log.Info("history is rebuilt", "from", p.o.Source.Oldest(), "until", p.o.Source.Head())
	if err := p.empty(ctx); err != nil {
		select {
		case p.again <- struct{}{}:
		default:
		}
		return err
	}
	return nil
}

func (p *Projector) progress() uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.state.kept
}

// fault notes that it does not go on. The first of a row of faults is told.
func (p *Projector) fault(err error) {
	first := false
	p.update(func(s *state) {
		first = s.fault == ""
		if first {
			s.since = p.now()
		}
		s.up, s.fault = !errors.Is(err, history.ErrDown), err.Error()
	})
	if first {
		p.log.Warn("history stands still, and is tried again", "error", err)
	}
}

// well notes that the database has taken something.
func (p *Projector) well() {
	var since time.Time
	p.update(func(s *state) {
		if s.fault != "" {
			since = s.since
		}
		if !s.up || s.fault != "" {
			s.since = p.now()
		}
		s.up, s.fault = true, ""
	})
	if !since.IsZero() {
		p.log.Info("history goes on", "after", p.now().Sub(since).Round(time.Millisecond).String())
	}
}

func rest(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
