package main

import (
	"context"
	"fmt"
	"time"

	"github.com/tocsin-noc/tocsin/simulate"
)

const (
	tolerated  = .001 // share of refused alerts at a reachable rate
	keptUp     = .98  // share of a rate that must be acknowledged in time
	resolution = .05  // of the search for the rate
	maxSteps   = 8
	samples    = 16
)

func newInBatches(ctx context.Context, t *trial) error {
	return t.measured(ctx, t.load(t.sizes.fresh))
}

func newOneByOne(ctx context.Context, t *trial) error {
	load := t.load(t.sizes.singles)
	load.Batch, load.Connections = 1, soloSender
	return t.measured(ctx, load)
}

func repeatsInBatches(ctx context.Context, t *trial) error {
	return t.repeats(ctx, t.load(t.sizes.repeats))
}

func repeatsOneByOne(ctx context.Context, t *trial) error {
	load := t.load(t.sizes.singles)
	load.Batch, load.Connections = 1, soloSender
	return t.repeats(ctx, load)
}

func (t *trial) repeats(ctx context.Context, load simulate.Load) error {
	if err := t.fill(ctx, t.sizes.active, 0); err != nil {
		return err
	}
	load.Active = t.sizes.active
	return t.measured(ctx, load)
}

// memory compares a server that holds many alerts, after three rounds of
// repeats and a snapshot, with itself when empty.
func memory(ctx context.Context, t *trial) error {
	n := t.sizes.peer
	if t.subject.name == tocsinName {
		n = t.sizes.memory
	}
	empty, err := t.settled(ctx)
	if err != nil {
		return err
	}
	if err := t.fill(ctx, 4*n, n); err != nil {
		return err
	}
	if err := t.snapshot(ctx); err != nil {
		return err
	}
	full, err := t.settled(ctx)
	if err != nil {
		return err
	}
	t.got[bytesPerAlert] = (full.rss - empty.rss) / float64(n)
	t.got[rssEmpty] = empty.rss / 1e6
	t.got.memory(full)
	return nil
}

// reachable searches the highest rate of repeats that holds, then measures
// latencies at half of it.
func reachable(ctx context.Context, t *trial) error {
	if err := t.fill(ctx, t.sizes.active, 0); err != nil {
		return err
	}
	top, err := t.at(ctx, 0, t.sizes.flatOut)
	if err != nil {
		return err
	}
	low, high := 0.0, 1.1*top.PerSecond()
	for try, step := .95*top.PerSecond(), 0; step < maxSteps && high-low > resolution*high; step++ {
		result, err := t.at(ctx, try, t.sizes.step)
		if err != nil {
			return err
		}
		holds := result.Refusals() < tolerated && result.PerSecond() >= keptUp*try
		fmt.Fprintf(t.progress, "  %.0f/s: %.0f/s acknowledged, %.3f %% refused, p99 %s\n",
			try, result.PerSecond(), 100*result.Refusals(), result.Latency.Quantile(.99).Round(10*time.Microsecond))
		if holds {
			low = try
		} else {
			high = try
		}
		try = (low + high) / 2
	}
	if low == 0 {
		return fmt.Errorf("no rate held, not even %.0f/s", high)
	}
	t.got[rate] = low
	half, err := t.at(ctx, low/2, t.sizes.step)
	if err != nil {
		return err
	}
	t.got[refused] = 100 * half.Refusals()
	t.got.latencies(&half.Latency)
	return nil
}

// at sends repeats at a rate, 0 for as fast as possible, for d.
func (t *trial) at(ctx context.Context, perSecond float64, d time.Duration) (*simulate.Result, error) {
	load := t.load(0)
	load.Active, load.Rate, load.Duration = t.sizes.active, perSecond, d
	if perSecond > 0 {
		load.Connections = rateSender
	}
	return load.Run(ctx)
}

// recovery kills a full server with a tail after its snapshot, and times the
// next start.
func recovery(ctx context.Context, t *trial) error {
	n := t.sizes.memory
	if err := t.fill(ctx, n, 0); err != nil {
		return err
	}
	if err := t.snapshot(ctx); err != nil {
		return err
	}
	if _, err := t.settled(ctx); err != nil {
		return err
	}
	if err := t.fill(ctx, t.sizes.tail, n); err != nil {
		return err
	}
	t.server.kill()
	t.got[coldCache] = 0
	if t.sizes.dropping && dropCaches(t.progress) {
		t.got[coldCache] = 1
	}
	start := time.Now()
	again, err := t.subject.start(ctx, t.server.dir)
	if err != nil {
		return err
	}
	t.got[recoverySeconds] = time.Since(start).Seconds()
	t.server = again
	return t.sample(ctx, n)
}

// sample asks for alerts spread over the n acknowledged ones and counts those
// that are gone.
func (t *trial) sample(ctx context.Context, n uint64) error {
	t.got[lost] = 0
	for i := range uint64(samples) {
		found, err := t.server.has(ctx, t.alerts.Instance(i*(n-1)/(samples-1)))
		if err != nil {
			return err
		}
		if !found {
			t.got[lost]++
		}
	}
	return nil
}

// snapshot asks Tocsin for one; Alertmanager has nothing of the kind.
func (t *trial) snapshot(ctx context.Context) error {
	if t.subject.name != tocsinName {
		return nil
	}
	taken, err := t.server.snapshot(ctx)
	if err == nil && !taken {
		fmt.Fprintln(t.progress, "  no snapshot endpoint: measured without one")
	}
	return err
}
