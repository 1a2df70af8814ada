package kafka_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	kafkago "github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/sasl"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/tocsin-noc/tocsin/correlate"
	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/ingest/kafka"
	"github.com/tocsin-noc/tocsin/ingest/kafka/deadletters"
	"github.com/tocsin-noc/tocsin/internal/config"
)

// core is a sink that is a whole correlator, without the journal.
type core struct {
	mu        sync.Mutex
	refuse    error // what SubmitAll answers
	submitted int   // batches handed over, taken or not
	state     *correlate.State
	seq       uint64
	positions []event.Position // in the order in which the core took them
	counts    map[event.ChangeKind]int
	gaps      map[string][]event.Time // by source, what Resumed was called with
}

func newCore() *core {
	return &core{state: correlate.New(), counts: map[event.ChangeKind]int{}, gaps: map[string][]event.Time{}}
}

func (*core) NewBatch() *event.Batch { return &event.Batch{} }

func (*core) Recycle(*event.Batch) {}

func (c *core) SubmitAll(ctx context.Context, batches []*event.Batch) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.submitted += len(batches)
	if err := cmpErr(ctx.Err(), c.refuse); err != nil {
		for _, b := range batches { // they are the sink's now, and are used for something else
			clear(b.Body)
			clear(b.Events)
		}
		return err
	}
	for _, b := range batches {
		c.stepLocked(&event.Input{Kind: event.InputEvents, Batch: b})
	}
	return nil
}

func cmpErr(a, b error) error {
	if a != nil {
		return a
	}
	return b
}

func (c *core) Resumed(_ context.Context, source event.Source, gap event.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.gaps[source.Name] = append(c.gaps[source.Name], gap)
	c.stepLocked(&event.Input{Kind: event.InputResumed, Source: source, Gap: gap})
	return nil
}

func (c *core) stepLocked(in *event.Input) {
	c.seq++
	in.Seq, in.At = c.seq, event.FromTime(time.Now())
	changes, _ := c.state.Step(in, nil)
	for _, ch := range changes {
		c.counts[ch.Kind]++
		if ch.Kind == event.PositionMoved {
			c.positions = append(c.positions, ch.Position)
		}
	}
}

func (c *core) answer(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.refuse = err
}

func (c *core) count(kind event.ChangeKind) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.counts[kind]
}

func (c *core) tries() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.submitted
}

func (c *core) gapsOf(source string) []event.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.gaps[source])
}

func (c *core) alerts() (found []correlate.Alert) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Collect(c.state.View().Alerts())
}

// requireOnceInOrder checks that the core took the n messages of a topic once each, and each partition's in order.
func (c *core) requireOnceInOrder(t testing.TB, n int) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	require.Len(t, c.positions, n)
	next := map[int32]int64{}
	for _, p := range c.positions {
		require.Equal(t, next[p.Partition], p.Offset, "partition %d", p.Partition)
		next[p.Partition]++
	}
}

// world is a cluster and what reads it. In a synctest bubble, its network is in memory.
type world struct {
	t       testing.TB
	dial    func(ctx context.Context, network, address string) (net.Conn, error)
	addrs   []string
	cluster *kfake.Cluster
	options []kfake.Opt
	tls     *tls.Config    // of the test's own producer
	sasl    sasl.Mechanism // and how it is let in
	account *ledger        // of all sources; nil: none
	core    *core
	sink    kafka.Sink // core, if nil
	letters *deadletters.Store
	cfg     config.Kafka
	metrics *prometheus.Registry // of the consumer made last
}

// bubble runs a test against a cluster with the topics "hooks", "api" and "native", of one partition each, and "wide" of six.
func bubble(t *testing.T, test func(w *world), options ...kfake.Opt) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		network := &kfake.VirtualNetwork{}
		w := &world{t: t, dial: network.DialContext, core: newCore()}
		w.options = append([]kfake.Opt{
			kfake.ListenFn(network.Listen), kfake.NumBrokers(1), kfake.Ports(9092),
			kfake.SeedTopics(1, "hooks", "api", "native"), kfake.SeedTopics(6, "wide"), kfake.DataDir(t.TempDir()),
		}, options...)
		w.start()
		t.Cleanup(func() { w.cluster.Close() })
		var err error
		w.letters, err = deadletters.Open(t.TempDir(), deadletters.Bounds{})
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, w.letters.Close()) })
		w.cfg = config.Kafka{Name: "test", Brokers: w.addrs, Group: "tocsin", Topics: []config.Topic{
			{Topic: "hooks", Format: config.AlertmanagerWebhook, Source: "am"},
			{Topic: "api", Format: config.AlertmanagerAPI, Source: "prom", Tenant: "eu"},
			{Topic: "native", Format: config.Native},
			{Topic: "wide", Format: config.Native, Source: "wide"},
		}}
		test(w)
	})
}

// start starts the cluster; after a Close, with its data and on its port.
func (w *world) start() {
	cluster, err := kfake.NewCluster(w.options...)
	require.NoError(w.t, err)
	w.cluster, w.addrs = cluster, cluster.ListenAddrs()
}

// consume runs a consumer until the returned function is called, which waits for its end.
func (w *world) consume() (*kafka.Consumer, func()) {
	w.t.Helper()
	w.metrics = prometheus.NewRegistry()
	options := kafka.Options{
		Logger: slog.New(slog.DiscardHandler), Registerer: w.metrics, MaxMessageBytes: 64 << 10,
		DeadLetters: w.letters, Dial: w.dial,
	}
	if w.account != nil {
		options.Account = func(event.Source) kafka.Account { return w.account }
	}
	var sink kafka.Sink = w.core
	if w.sink != nil {
		sink = w.sink
	}
	c, err := kafka.New(w.cfg, sink, options)
	require.NoError(w.t, err)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- c.Run(ctx) }()
	stop := sync.OnceFunc(func() {
		cancel()
		require.NoError(w.t, <-done)
	})
	w.t.Cleanup(stop)
	return c, stop
}

// produce writes messages to a topic's partition, each with the time it is written at.
func (w *world) produce(topic string, partition int, values ...string) {
	w.t.Helper()
	messages := make([]kafkago.Message, len(values))
	for i, v := range values {
		messages[i] = kafkago.Message{Topic: topic, Partition: partition, Value: []byte(v), Time: time.Now()}
	}
	w.write(messages...)
}

func (w *world) write(messages ...kafkago.Message) {
	w.t.Helper()
	transport := &kafkago.Transport{Dial: w.dial, TLS: w.tls, SASL: w.sasl}
	defer transport.CloseIdleConnections()
	writer := &kafkago.Writer{
		Addr: kafkago.TCP(w.addrs...), Transport: transport, BatchTimeout: time.Millisecond, RequiredAcks: kafkago.RequireAll,
		Balancer: kafkago.BalancerFunc(func(m kafkago.Message, _ ...int) int { return m.Partition }),
	}
	require.NoError(w.t, writer.WriteMessages(context.Background(), messages...))
	require.NoError(w.t, writer.Close())
}

// client returns the test's own client of the cluster.
func (w *world) client() *kafkago.Client {
	transport := &kafkago.Transport{Dial: w.dial}
	w.t.Cleanup(transport.CloseIdleConnections)
	return &kafkago.Client{Addr: kafkago.TCP(w.addrs...), Transport: transport}
}

// read returns the records of a topic's partition 0.
func (w *world) read(topic string, n int) (found []kafkago.Message) {
	w.t.Helper()
	r := kafkago.NewReader(kafkago.ReaderConfig{
		Brokers: w.addrs, Topic: topic, Dialer: &kafkago.Dialer{DialFunc: w.dial}, MaxWait: time.Second / 2, ReadLagInterval: -1,
	})
	defer func() { require.NoError(w.t, r.Close()) }()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for range n {
		m, err := r.FetchMessage(ctx)
		require.NoError(w.t, err)
		found = append(found, m)
	}
	return found
}

// committed returns the group's offset of a partition, -1 for none.
func (w *world) committed(topic string, partition int32) int64 {
	info := w.cluster.GroupInfo("tocsin")
	if info == nil {
		return -1
	}
	if c, ok := info.Commits[topic][partition]; ok {
		return c.Offset
	}
	return -1
}

// await waits up to two minutes, of the bubble's time where there is one, until what is asked for holds.
func (w *world) await(what string, holds func() bool) {
	w.t.Helper()
	require.Eventually(w.t, holds, 2*time.Minute, 20*time.Millisecond, what)
}

// metric returns the sum of a metric's series whose labels contain all the pairs, without its fraction.
func (w *world) metric(name string, pairs ...string) int {
	w.t.Helper()
	families, err := w.metrics.Gather()
	require.NoError(w.t, err)
	i := slices.IndexFunc(families, func(f *dto.MetricFamily) bool { return f.GetName() == name })
	require.GreaterOrEqual(w.t, i, 0, "no metric %s", name)
	sum := 0.0
	for _, m := range families[i].GetMetric() {
		if hasLabels(m, pairs) {
			sum += m.GetCounter().GetValue() + m.GetGauge().GetValue()
		}
	}
	return int(sum)
}

func hasLabels(m *dto.Metric, pairs []string) bool {
	for pair := range slices.Chunk(pairs, 2) {
		if !slices.ContainsFunc(m.GetLabel(), func(l *dto.LabelPair) bool { return l.GetName() == pair[0] && l.GetValue() == pair[1] }) {
			return false
		}
	}
	return true
}

func native(name string) string {
	return fmt.Sprintf(`{"labels":{"alertname":%q,"severity":"critical"},"status":"firing"}`, name)
}

var errBusy = errors.New("engine: busy")
