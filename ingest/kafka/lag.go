package kafka

import (
	"context"
	"time"

	"github.com/tocsin-noc/tocsin/event"
)

const (
	watchInterval = 10 * time.Second
	lagsAfter     = time.Minute      // a topic this far behind lags
	caughtUpAt    = 10 * time.Second // and one this near has caught up
	lagReminder   = time.Minute      // how often a lagging topic is told of again: well below any resolve timeout
)

// lagging is what is known about a topic that is behind.
type lagging struct {
	gap      float64   // seconds it was behind at most; 0 when it does not lag
	reminded time.Time // when the sink was told that it lags
	resumed  time.Time // when the sink was told that it has caught up
}

// watch looks at the cluster and at the lag until ctx ends.
func (c *Consumer) watch(ctx context.Context) {
	tick := time.NewTicker(watchInterval)
	defer tick.Stop()
	for {
		c.probe(ctx)
		c.judgeLag(ctx)
		if err := c.opts.DeadLetters.Prune(time.Now()); err != nil {
			c.log.Warn("old dead letters not dropped", "err", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// judgeLag tells the sink of every topic that lags: what is not read must not expire. It is told while the lag lasts, as the
// grace that it gives ends, and once more when the topic has caught up.
func (c *Consumer) judgeLag(ctx context.Context) {
	now := time.Now()
	for _, t := range c.topics {
		current, peak := c.topicLag(now, t)
		if gap, caughtUp := c.judge(now, t, current, peak); gap > 0 {
			c.tellLag(ctx, t, now, gap, caughtUp)
		}
	}
}

// topicLag returns how far the topic's assigned partitions are behind, and were at most since the last call, in seconds. A
// cluster that does not answer may hold anything that was sent since it did.
func (c *Consumer) topicLag(now time.Time, t *topic) (current, peak float64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if away := now.Sub(c.contact); away > 2*watchInterval {
		current = away.Seconds()
	}
	for _, p := range c.partitions {
		if p.topic != t {
			continue
		}
		_, seconds := p.behind(now)
		current, peak = max(current, seconds), max(peak, p.takePeak())
	}
	return current, max(current, peak)
}

// judge returns the gap to tell the sink of now, 0 for none.
func (c *Consumer) judge(now time.Time, t *topic, current, peak float64) (gap float64, caughtUp bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	l := &t.lag
	if peak > lagsAfter.Seconds() {
		l.gap = max(l.gap, peak)
	}
	if l.gap == 0 {
		return 0, false
	}
	if current < caughtUpAt.Seconds() {
		// A producer whose records are always old must not fill the journal with it.
		if now.Sub(l.resumed) < lagReminder {
			return 0, false
		}
		return l.gap, true
	}
	if now.Sub(l.reminded) < lagReminder {
		return 0, false
	}
	return l.gap, false
}

func (c *Consumer) tellLag(ctx context.Context, t *topic, now time.Time, gap float64, caughtUp bool) {
	if err := c.sink.Resumed(ctx, t.source, event.Time(gap*1000)); err != nil {
		c.log.Warn("lag not told, trying again", "topic", t.name, "err", err)
		return
	}
	c.mu.Lock()
	if caughtUp {
		t.lag = lagging{resumed: now}
	} else {
		t.lag.reminded = now
	}
	c.mu.Unlock()
	if caughtUp {
		c.log.Info("topic caught up", "topic", t.name, "gap_seconds", gap)
	} else {
		c.log.Warn("topic lags", "topic", t.name, "gap_seconds", gap)
	}
}
