package kafka

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/segmentio/kafka-go"
)

// The group's times. A daemon that was killed keeps its partitions for the session timeout.
const (
	sessionTimeout   = 10 * time.Second
	heartbeat        = 2 * time.Second
	rebalanceTimeout = 15 * time.Second
	joinBackoff      = time.Second
	commitInterval   = time.Second
)

// consume reads the topics as a member of the group, until ctx ends or the cluster's layout changes.
func (c *Consumer) consume(ctx context.Context, topics []string) error {
	group, err := kafka.NewConsumerGroup(kafka.ConsumerGroupConfig{
		ID: c.cfg.Group, Brokers: c.cfg.Brokers, Dialer: c.dialer, Topics: topics, StartOffset: kafka.FirstOffset,
		GroupBalancers: []kafka.GroupBalancer{kafka.RangeGroupBalancer{}, kafka.RoundRobinGroupBalancer{}},
		SessionTimeout: sessionTimeout, HeartbeatInterval: heartbeat,
		RebalanceTimeout: rebalanceTimeout, JoinGroupBackoff: joinBackoff,
	})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	var members sync.WaitGroup
	members.Go(func() {
		c.awaitChange(ctx)
		cancel()
	})
	defer members.Wait()
	defer cancel()
	defer group.Close() // always nil; waits until the generation has ended and the group is left
	for {
		gen, err := group.Next(ctx)
		if ctx.Err() != nil {
			return nil
		}
		switch {
		case err == nil:
			c.begin(gen)
		case !errors.Is(err, kafka.RebalanceInProgress): // which is how members come and go
			c.noteFault(&c.outside, "cannot join the consumer group", err)
		}
	}
}

// begin starts reading what the generation assigns. kafka-go forms no next generation before it has ended here.
func (c *Consumer) begin(gen *kafka.Generation) {
	var assigned []*partition
	for name, list := range gen.Assignments {
		for _, a := range list {
			assigned = append(assigned, newPartition(c, c.topics[name], a.ID, a.Offset))
		}
	}
	c.log.Info("partitions assigned", "generation", gen.ID, "partitions", len(assigned))
	c.mu.Lock()
	c.partitions, c.outside = assigned, fault{}
	c.mu.Unlock()
	gen.Start(func(ctx context.Context) {
		ctx, cancel := context.WithCancel(ctx)
		var reading sync.WaitGroup
		for _, p := range assigned {
			reading.Go(func() { p.run(ctx) })
		}
		c.commitWhile(ctx, gen, assigned)
		cancel()
		reading.Wait()
		c.commit(gen, assigned)
	})
}

func (c *Consumer) commitWhile(ctx context.Context, gen *kafka.Generation, assigned []*partition) {
	tick := time.NewTicker(commitInterval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			c.commit(gen, assigned)
		}
	}
}

// commit moves the group's offsets to what is durable. A commit that fails is made up for by the next one or, after a
// rebalance, by reading again what the core has seen.
func (c *Consumer) commit(gen *kafka.Generation, assigned []*partition) {
	offsets := map[string]map[int]int64{}
	for _, p := range assigned {
		if next, moved := p.uncommitted(); moved {
			if offsets[p.topic.name] == nil {
				offsets[p.topic.name] = map[int]int64{}
			}
			offsets[p.topic.name][p.id] = next
		}
	}
	if len(offsets) == 0 {
		return
	}
	if err := gen.CommitOffsets(offsets); err != nil {
		c.metrics.commitErrors.Inc()
		c.log.Warn("offsets not committed", "err", err)
		return
	}
	for _, p := range assigned {
		if next, ok := offsets[p.topic.name][p.id]; ok {
			p.setCommitted(next)
		}
	}
}
