// Package kafka takes alerts from Kafka topics, as a member of a consumer group.
//
// A message becomes one batch that carries its position. Its offset is committed only after the sink has the batch durable;
// what is read twice because a commit was lost, the core recognises by the position. What cannot be read becomes a dead
// letter and never blocks its partition.
//
// It is no Kafka client: kafka-go is. And it decides nothing about alerts. A Consumer's Run is called once; Status may be
// called from any goroutine.
package kafka

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/segmentio/kafka-go"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/ingest/alertmanager"
	"github.com/tocsin-noc/tocsin/ingest/kafka/deadletters"
	"github.com/tocsin-noc/tocsin/internal/config"
)

// Sink is where batches go: the engine.
type Sink interface {
	// NewBatch returns an empty batch; it goes back by SubmitAll or Recycle.
	NewBatch() *event.Batch
	Recycle(b *event.Batch)
	// SubmitAll takes the batches over, whatever the outcome. nil means that all are durable, in order. After an error some
	// may be: they are sent again, and the sink must recognise their positions.
	SubmitAll(ctx context.Context, batches []*event.Batch) error
	// Resumed says that what the source sent was not read for as long as gap, so that its silence means nothing.
	Resumed(ctx context.Context, source event.Source, gap event.Time) error
}

// Options are what a Consumer needs besides its configuration.
type Options struct {
	Logger      *slog.Logger
	Registerer  prometheus.Registerer
	DeadLetters *deadletters.Store // for what the dead letter topic does not take
	Limits      alertmanager.Limits

	// Account returns who keeps the figures of a source; nil: nobody.
	Account func(event.Source) Account

	// MaxMessageBytes bounds a message, 16 MiB by default; a larger one becomes a dead letter.
	MaxMessageBytes int

	// Dial opens a connection to a broker; nil: net.Dialer.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

const defaultMaxMessageBytes = 16 << 20

// Consumer reads the topics of one cluster.
type Consumer struct {
	cfg     config.Kafka
	sink    Sink
	opts    Options
	log     *slog.Logger
	dialer  *kafka.Dialer
	topics  map[string]*topic
	box     *letterBox
	metrics *metrics

	changed chan struct{} // has an element when the layout is not the one that was joined with

	mu         sync.Mutex
	layout     map[string]int // partitions of each configured topic that exists
	partitions []*partition   // assigned last; they stay while the group cannot be reached
	contact    time.Time      // when the cluster answered last; at first, when Run began
	away       fault          // why the cluster cannot be reached
	outside    fault          // why the group cannot be joined
}

// fault is an error with its time.
type fault struct {
	text string
	at   time.Time
}

// New returns a consumer of the cluster's topics. It does not connect yet.
func New(cfg config.Kafka, sink Sink, opts Options) (*Consumer, error) {
	if opts.DeadLetters == nil {
		return nil, errors.New("kafka: new: no store for dead letters")
	}
	opts.MaxMessageBytes = cmp.Or(opts.MaxMessageBytes, defaultMaxMessageBytes)
	dialer, err := newDialer(&cfg, opts.Dial)
	if err != nil {
		return nil, fmt.Errorf("kafka: %s: %w", cfg.Name, err)
	}
	c := &Consumer{
		cfg: cfg, sink: sink, opts: opts, dialer: dialer, topics: map[string]*topic{},
		log:     opts.Logger.With("component", "kafka", "cluster", cfg.Name),
		changed: make(chan struct{}, 1),
	}
	for i := range cfg.Topics {
		t, err := newTopic(&cfg, &cfg.Topics[i])
		if err != nil {
			return nil, err
		}
		if opts.Account != nil {
			t.account = opts.Account(t.source)
		}
		c.topics[t.name] = t
	}
	c.metrics = newMetrics(c)
	if err := c.metrics.register(prometheus.WrapRegistererWith(prometheus.Labels{"cluster": cfg.Name}, opts.Registerer)); err != nil {
		return nil, fmt.Errorf("kafka: %s: metrics: %w", cfg.Name, err)
	}
	c.box = &letterBox{c: c}
	return c, nil
}

// Run reads until ctx ends, and returns when the offsets of all that is durable are committed and the group is left. A
// cluster that is away is no error: it shows in Status, and Run goes on trying.
func (c *Consumer) Run(ctx context.Context) error {
	c.mu.Lock()
	c.contact = time.Now()
	c.mu.Unlock()
	var watching sync.WaitGroup
	watching.Go(func() { c.watch(ctx) })
	defer watching.Wait()
	for ctx.Err() == nil {
		topics := c.existing()
		if len(topics) == 0 {
			c.awaitChange(ctx)
			continue
		}
		if err := c.consume(ctx, topics); err != nil {
			return fmt.Errorf("kafka: %s: %w", c.cfg.Name, err)
		}
	}
	return nil
}

// existing returns the configured topics that are there. Only they are joined for: kafka-go assigns nothing at all to a
// group that names one topic too many.
func (c *Consumer) existing() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	select {
	case <-c.changed: // seen herewith
	default:
	}
	return slices.Sorted(maps.Keys(c.layout))
}

func (c *Consumer) awaitChange(ctx context.Context) {
	select {
	case <-ctx.Done():
	case <-c.changed:
	}
}

// noteFault keeps an error of the cluster for Status in f, which is a field of c. The log has it once, until it is over.
func (c *Consumer) noteFault(f *fault, what string, err error) {
	c.mu.Lock()
	known := f.text != ""
	*f = fault{what + ": " + err.Error(), time.Now()}
	c.mu.Unlock()
	level := slog.LevelWarn
	if known {
		level = slog.LevelDebug
	}
	c.log.Log(context.Background(), level, "kafka not available", "what", what, "err", err)
}
