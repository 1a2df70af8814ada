package kafka

import (
	"context"
	"maps"
	"time"

	"github.com/segmentio/kafka-go"
)

const probeTimeout = 8 * time.Second

// probe asks the cluster which of the topics there are, and where their logs begin and end.
func (c *Consumer) probe(ctx context.Context) {
	running := ctx
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	transport := c.transport(c.topicNames())
	defer transport.CloseIdleConnections()
	client := &kafka.Client{Addr: kafka.TCP(c.cfg.Brokers...), Transport: transport}
	layout, err := c.lookAround(ctx, client)
	if err == nil {
		c.adopt(layout)
		err = c.measure(ctx, client)
	}
	if err == nil {
		c.noteContact()
	} else if running.Err() == nil {
		c.noteFault(&c.away, "cannot reach the cluster", err)
	}
}

func (c *Consumer) topicNames() []string {
	names := make([]string, len(c.cfg.Topics))
	for i, t := range c.cfg.Topics {
		names[i] = t.Topic
	}
	return names
}

// lookAround returns the partitions of each configured topic that exists.
func (c *Consumer) lookAround(ctx context.Context, client *kafka.Client) (map[string]int, error) {
	res, err := client.Metadata(ctx, &kafka.MetadataRequest{Topics: c.topicNames()})
	if err != nil {
		return nil, err
	}
	layout := map[string]int{}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, t := range res.Topics {
		known := c.topics[t.Name]
		switch {
		case known == nil:
		case t.Error != nil:
			known.fault = fault{t.Error.Error(), time.Now()}
		default:
			known.fault = fault{}
			layout[t.Name] = len(t.Partitions)
		}
	}
	return layout, nil
}

// adopt makes Run join anew when topics or partitions came or went.
func (c *Consumer) adopt(layout map[string]int) {
	c.mu.Lock()
	same := maps.Equal(layout, c.layout)
	c.layout = layout
	c.mu.Unlock()
	if same {
		return
	}
	c.log.Info("topics found", "topics", len(layout), "configured", len(c.topics))
	select {
	case c.changed <- struct{}{}:
	default:
	}
}

// measure asks for the bounds of the assigned partitions.
func (c *Consumer) measure(ctx context.Context, client *kafka.Client) error {
	c.mu.Lock()
	assigned := c.partitions
	c.mu.Unlock()
	if len(assigned) == 0 {
		return nil
	}
	type place struct {
		topic string
		id    int
	}
	req := &kafka.ListOffsetsRequest{Topics: map[string][]kafka.OffsetRequest{}}
	asked, at := map[place]int64{}, map[place]*partition{}
	for _, p := range assigned {
		key := place{p.topic.name, p.id}
		at[key], asked[key] = p, p.position()
		req.Topics[key.topic] = append(req.Topics[key.topic], kafka.FirstOffsetOf(p.id), kafka.LastOffsetOf(p.id))
	}
	res, err := client.ListOffsets(ctx, req)
	if err != nil {
		return err
	}
	now := time.Now()
	for topic, list := range res.Topics {
		for _, o := range list {
			if o.Error != nil {
				err = o.Error
				continue
			}
			key := place{topic, o.Partition}
			at[key].bounds(now, asked[key], o.FirstOffset, o.LastOffset)
		}
	}
	return err
}

func (c *Consumer) noteContact() {
	c.mu.Lock()
	back := c.away.text != ""
	c.contact, c.away = time.Now(), fault{}
	c.mu.Unlock()
	if back {
		c.log.Info("cluster reached")
	}
}
