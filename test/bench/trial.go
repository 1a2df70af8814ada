package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/tocsin-noc/tocsin/simulate"
)

const (
	batch       = 64
	batchSender = 8         // connections that send batches, as so many Prometheus servers
	soloSender  = 64        // connections that send alerts one by one
	rateSender  = 64        // connections when the rate is given
	lifetime    = time.Hour // nothing may expire while it is measured
	calmCPU     = .10       // of one core: below it a server has settled
	calmLooks   = 2         // in a row
	calmLimit   = time.Minute
)

// trial is one scenario on one fresh server.
type trial struct {
	sizes    sizes
	subject  subject
	seed     uint64
	base     string // folder for the trial's own
	progress io.Writer

	alerts *simulate.Alerts
	server *process
	got    measures
}

// run starts a server, measures s on it and ends it. What was measured is
// returned with an error too.
func (t *trial) run(ctx context.Context, s scenario) (_ measures, err error) {
	dir, err := os.MkdirTemp(t.base, s.id+"-"+t.subject.name+"-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	t.alerts, t.got = simulate.NewAlerts(t.seed, time.Now()), measures{}
	if t.server, err = t.subject.start(ctx, dir); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, t.server.stop()) }()
	if err := s.measure(ctx, t); err != nil {
		return t.got, fmt.Errorf("%w\n%s", err, t.server.lastWords())
	}
	return t.got, nil
}

// load is a load for this trial's server; the callers change what they need.
func (t *trial) load(count uint64) simulate.Load {
	return simulate.Load{
		URL: t.server.url, Alerts: t.alerts, Count: count, Batch: batch, Connections: batchSender, Lifetime: lifetime,
	}
}

// fill sends count alerts, going round active, until every one is acknowledged.
func (t *trial) fill(ctx context.Context, count, active uint64) error {
	load := t.load(count)
	load.Active, load.Retry = active, true
	_, err := load.Run(ctx)
	return err
}

// measured runs load and books what it cost the server, the work it does after
// its last answer included.
func (t *trial) measured(ctx context.Context, load simulate.Load) error {
	before, err := t.settled(ctx)
	if err != nil {
		return err
	}
	own := ownCPU()
	result, err := load.Run(ctx)
	if err != nil {
		return err
	}
	own = ownCPU() - own
	after, err := t.settled(ctx)
	if err != nil {
		return err
	}
	if result.Acknowledged == 0 {
		return fmt.Errorf("no alert of %d was acknowledged", result.Offered)
	}
	millions := float64(result.Acknowledged) / 1e6
	t.got[cpuPerMillion] = (after.cpu - before.cpu) / millions
	t.got[generatorCPU] = own / millions
	t.got[rate] = result.PerSecond()
	t.got[refused] = 100 * result.Refusals()
	t.got.latencies(&result.Latency)
	t.got.memory(after)
	return nil
}

// settled waits until the server is idle and returns its usage then.
func (t *trial) settled(ctx context.Context) (usage, error) {
	last, err := t.server.usage()
	calm, deadline := 0, time.Now().Add(calmLimit)
	for err == nil && calm < calmLooks {
		if time.Now().After(deadline) {
			fmt.Fprintf(t.progress, "  %s is not idle after %s: measured as it is\n", t.subject.name, calmLimit)
			break
		}
		if err := sleep(ctx, t.sizes.settle); err != nil {
			return last, err
		}
		var now usage
		now, err = t.server.usage()
		calm++
		if now.cpu-last.cpu > calmCPU*t.sizes.settle.Seconds() {
			calm = 0
		}
		last = now
	}
	return last, err
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(d):
		return nil
	}
}
