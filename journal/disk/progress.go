package disk

import (
	"context"
	"sync"

	"github.com/tocsin-noc/tocsin/journal"
)

// progress is the durable end of the log, which readers wait on.
type progress struct {
	mu      sync.Mutex
	head    journal.Head
	at      int64
	closed  bool
	changed chan struct{} // closed at the next change; nil while nobody waits
}

func (p *progress) load() (journal.Head, int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.head, p.at
}

func (p *progress) advance(head journal.Head, at int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.head, p.at = head, at
	p.wakeLocked()
}

func (p *progress) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	p.wakeLocked()
}

func (p *progress) wakeLocked() {
	if p.changed != nil {
		close(p.changed)
		p.changed = nil
	}
}

func (p *progress) wait(ctx context.Context, seq uint64) error {
	for {
		changed, err := p.poll(seq)
		if changed == nil {
			return err
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// poll returns nil when waiting is over, or what to wait for.
func (p *progress) poll(seq uint64) (<-chan struct{}, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.head.Seq > seq {
		return nil, nil
	}
	if p.closed {
		return nil, journal.ErrClosed
	}
	if p.changed == nil {
		p.changed = make(chan struct{})
	}
	return p.changed, nil
}
