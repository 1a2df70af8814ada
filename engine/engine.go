package engine

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"log/slog"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/tocsin-noc/tocsin/correlate"
	"github.com/tocsin-noc/tocsin/engine/records"
	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/journal"
	"github.com/tocsin-noc/tocsin/journal/disk"
)

// What callers decide on, with errors.Is. All of them mean "not accepted, try again".
var (
	ErrBusy   = errors.New("engine: the queue is full")
	ErrFull   = errors.New("engine: the disk is full")
	ErrClosed = errors.New("engine: closed")
	// ErrTruncated: the changes asked for are older than the oldest kept.
	ErrTruncated = errors.New("engine: older changes are no longer kept")
)

// Options of an engine. Dir and Version must be set.
type Options struct {
	Dir     string // of the data; made when it is not there
	Version string // of the core: what another version decided is taken from the changes log, not decided again
	Rules   []byte // rules.Bundle; nil: those in force stay, at first the shipped ones

	JournalSegment, ChangesSegment int64
	JournalRetention               journal.Retention
	ChangesBytes, RecordsBytes     int64
	SnapshotInterval               time.Duration // 0: only on Close and on request
	SnapshotKeep                   int
	QueueAlerts                    int // accepted and not yet durable

	Clock      Clock // nil: the machine's
	Logger     *slog.Logger
	Registerer prometheus.Registerer
}

func (o Options) withDefaults() Options {
	if o.SnapshotKeep <= 0 {
		o.SnapshotKeep = 2
	}
	if o.QueueAlerts <= 0 {
		o.QueueAlerts = 100_000
	}
	if o.Clock == nil {
		o.Clock = newMachineClock()
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Registerer == nil {
		o.Registerer = prometheus.NewRegistry()
	}
	return o
}

// Engine is a running core. Its methods may be called from any goroutine.
type Engine struct {
	o       Options
	log     *slog.Logger
	journal *disk.Log
	changes *disk.Log
	records *records.Store
	metrics *metrics
	started Started

	batches     sync.Pool
	commits     sync.Pool
	queue       chan *request
	queued      atomic.Int64 // alerts in queue
	queuedBytes atomic.Int64 // of their text
	writer      event.Writer // of the next record; the committer's
	instance    uint64       // writer's id; does not change
	clock       clock        // the committer's

	acked   atomic.Uint64 // last seq in the journal
	stepped chan []*request
	asks    chan ask
	view    atomic.Pointer[correlate.View] // the last one taken
	state   *correlate.State               // the stepper's
	toLog   chan *commit

	shadowed atomic.Bool   // every commit goes to the changes writer, so that settled moves with each
	settled  atomic.Uint64 // the changes of all inputs up to here are durable
	shadow   shadowPlace

	refused   refusals
	stalled   atomic.Bool // the changes log waits for room on the disk
	failure   atomic.Pointer[error]
	stop      context.CancelFunc
	done      chan struct{} // closed when all goroutines have ended
	saving    sync.Mutex    // one snapshot at a time
	lastSaved atomic.Pointer[Saved]
}

// Started says what the last start found.
type Started struct {
	At          time.Time
	Away        time.Duration // since the last input before
	SnapshotSeq uint64
	Replayed    int // inputs of the tail that were stepped
	Folded      int // inputs whose logged changes were applied
	Differences int // inputs whose changes came out otherwise than logged
	TornBytes   int64
	Lost        uint64 // acknowledged inputs that the changes log knows and the journal lacks: a start with any is refused
	Took        time.Duration
}

// request is what one caller waits for: an input, or several that must keep their order.
type request struct {
	inputs []event.Input
	one    [1]event.Input
	done   chan error        // told when the inputs are durable
	reply  chan event.Result // told when their changes are durable and visible; nil: nobody waits
	result event.Result
}

func single(in event.Input) *request {
	r := &request{one: [1]event.Input{in}, done: make(chan error, 1)}
	r.inputs = r.one[:]
	return r
}

// Open recovers the engine from its data and starts it.
func Open(o Options) (*Engine, error) {
	o = o.withDefaults()
	e := &Engine{
		o: o, log: o.Logger.With("component", "engine"),
		queue: make(chan *request, 4096), stepped: make(chan []*request, 4), asks: make(chan ask),
		toLog: make(chan *commit, 4), done: make(chan struct{}),
	}
	e.batches.New = func() any { return new(event.Batch) }
	began := time.Now()
	if err := e.open(); err != nil {
		return nil, errors.Join(err, e.closeLogs())
	}
	e.started.At, e.started.Took = began, time.Since(began)
	e.metrics = newMetrics(e)
	ctx, stop := context.WithCancel(context.Background())
	e.stop = stop
	inForce := e.state.Rules()
	e.recallShadow()
	e.run(ctx)
	if err := e.announce(ctx, inForce); err != nil {
		return nil, errors.Join(err, e.Close())
	}
	return e, nil
}

func (e *Engine) open() (err error) {
	jo := disk.Options{SegmentBytes: e.o.JournalSegment, Name: "journal", Logger: e.log, Registerer: e.o.Registerer}
	if e.journal, err = disk.Open(filepath.Join(e.o.Dir, "journal"), jo); err != nil {
		return err
	}
	// The changes log is synced seldom and in large pieces: zeros written ahead would double its bytes and save nothing.
	co := disk.Options{SegmentBytes: e.o.ChangesSegment, Ahead: -1, Name: "changes", Logger: e.log, Registerer: e.o.Registerer}
	if e.changes, err = disk.Open(filepath.Join(e.o.Dir, "changes"), co); err != nil {
		return err
	}
	ro := records.Options{MaxBytes: e.o.RecordsBytes, Logger: e.log, Registerer: e.o.Registerer}
	if e.records, err = records.Open(filepath.Join(e.o.Dir, "records"), ro); err != nil {
		return err
	}
	return e.recover()
}

// run starts the goroutines. They end in the order of the flow, so that what was accepted is carried through.
func (e *Engine) run(ctx context.Context) {
	var wg sync.WaitGroup
	wg.Go(func() { e.commitLoop(ctx) })
	wg.Go(func() { e.stepLoop() })
	wg.Go(func() { e.changesLoop() })
	if e.o.SnapshotInterval > 0 {
		wg.Go(func() { e.snapshotLoop(ctx) })
	}
	go func() {
		wg.Wait()
		close(e.done)
	}()
}

// announce journals the start: the version that steps from here on, how long the engine was away, and the rules in force.
func (e *Engine) announce(ctx context.Context, inForce []byte) error {
	inputs := []event.Input{{Kind: event.InputCore, Version: e.o.Version}}
	if e.acked.Load() > 0 {
		inputs = append(inputs, event.Input{Kind: event.InputResumed, Gap: event.FromDuration(e.started.Away)})
	}
	for _, in := range inputs {
		if err := e.submit(ctx, single(in)); err != nil {
			return fmt.Errorf("engine: start: %w", err)
		}
	}
	if e.o.Rules == nil || bytes.Equal(e.o.Rules, inForce) {
		return nil
	}
	return e.Reload(ctx, e.o.Rules)
}

// Close stops taking inputs, carries out what was accepted, writes a snapshot and closes the logs.
func (e *Engine) Close() error {
	if e.stop == nil {
		return nil
	}
	e.leaveShadow()
	e.stop()
	<-e.done
	var err error
	if e.failure.Load() == nil {
		err = e.save(e.state.View())
	}
	return errors.Join(err, e.closeLogs())
}

func (e *Engine) closeLogs() error {
	var errs []error
	if e.records != nil {
		errs = append(errs, e.records.Close())
	}
	if e.changes != nil {
		errs = append(errs, e.changes.Close())
	}
	if e.journal != nil {
		errs = append(errs, e.journal.Close())
	}
	return errors.Join(errs...)
}

// Failed is closed when the engine can no longer accept anything; Err tells why. The process should end and start anew.
func (e *Engine) Failed() <-chan struct{} { return e.done }

// Err returns why the engine failed, nil when it did not.
func (e *Engine) Err() error {
	if err := e.failure.Load(); err != nil {
		return *err
	}
	return nil
}

// fail stops the engine for good.
func (e *Engine) fail(err error) {
	if e.failure.CompareAndSwap(nil, &err) {
		e.log.Error("engine stops", "error", err)
	}
	e.stop()
}

func newEncoder() *event.Encoder { return event.NewEncoder(maphash.MakeSeed()) }
