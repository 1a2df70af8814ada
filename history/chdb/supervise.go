package chdb

import (
	"context"
	"fmt"
	"time"
)

// supervise owns the children from the first one on.
func (e *Engine) supervise(ctx context.Context, c *child) {
	defer close(e.over)
	pause := min(firstPause, e.o.LongestWait)
	for {
		began := time.Now()
		reason := e.watch(ctx, c)
		if reason == nil { // Close
			c.end()
			e.unwell(errEnded)
			return
		}
		c.kill()
		if time.Since(began) > healthyAfter {
			pause = min(firstPause, e.o.LongestWait)
		}
		e.unwell(reason)
		for c = nil; c == nil; {
			e.log.Error("history engine failed, starting it again", "err", reason, "in", pause.String())
			select {
			case <-ctx.Done():
				return
			case <-time.After(pause):
			}
			pause = min(2*pause, e.o.LongestWait)
			e.mu.Lock()
			e.restarts++
			e.mu.Unlock()
			if c, reason = e.launch(ctx); reason != nil {
				if ctx.Err() != nil {
					return
				}
				e.unwell(reason)
			}
		}
		e.log.Info("history engine is back", "restarts", e.Restarts())
	}
}

// watch returns why the child has to be replaced, nil when ctx is over.
func (e *Engine) watch(ctx context.Context, c *child) error {
	tick := time.NewTicker(e.o.HealthEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-c.gone:
			return fmt.Errorf("%w (%s): %s", errEnded, c.cmd.ProcessState, c.said.tail())
		case <-tick.C:
		}
		if limit := e.o.MemoryBytes + e.o.MemoryBytes/2; residentBytes(c.cmd.Process.Pid) > limit {
			return fmt.Errorf("chdb: the engine uses more memory than %d bytes", limit)
		}
		if err := e.look(ctx, e.o.HealthTime); err != nil && ctx.Err() == nil {
			return err
		}
	}
}

func (e *Engine) unwell(reason error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.healthy, e.pid = reason, 0
}
