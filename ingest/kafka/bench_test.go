package kafka_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tocsin-noc/tocsin/event"
)

// drain is a sink that takes everything, as fast as the journal would, and counts it down.
type drain struct {
	left atomic.Int64
	done chan struct{}  // closed when nothing is left
	pool []*event.Batch // of the one partition's goroutine
}

func (d *drain) NewBatch() *event.Batch {
	if n := len(d.pool); n > 0 {
		b := d.pool[n-1]
		d.pool = d.pool[:n-1]
		b.Reset()
		return b
	}
	return &event.Batch{}
}

func (d *drain) Recycle(b *event.Batch) { d.pool = append(d.pool, b) }

func (d *drain) SubmitAll(_ context.Context, batches []*event.Batch) error {
	time.Sleep(300 * time.Microsecond) // the journal's group commit
	d.pool = append(d.pool, batches...)
	if d.left.Add(-int64(len(batches))) == 0 {
		close(d.done)
	}
	return nil
}

func (*drain) Resumed(context.Context, event.Source, event.Time) error { return nil }

func BenchmarkAPartitionIsReadUpToItsEnd(b *testing.B) {
	w := onTCP(b)
	sink := &drain{done: make(chan struct{})}
	w.sink = sink
	values := make([]string, 1000)
	for i := range values {
		values[i] = native("Alert")
	}
	produced := 0
	for ; produced < b.N; produced += len(values) {
		w.produce("native", 0, values...)
	}
	sink.left.Store(int64(produced))
	b.ResetTimer()
	_, stop := w.consume()
	<-sink.done
	b.StopTimer()
	stop()
}
