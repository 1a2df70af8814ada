package chdb

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

const (
	startTime     = 30 * time.Second // an engine that opens a large folder needs seconds
	healthEvery   = 5 * time.Second
	healthTime    = 10 * time.Second
	firstPause    = 500 * time.Millisecond
	longestWait   = 30 * time.Second
	healthyAfter  = time.Minute // of health, and the pauses begin small again
	defaultMemory = 2 << 30
)

// Options say what runs where. Only Dir is needed.
type Options struct {
	Dir     string   // the history's folder; made where it is not there
	Library string   // path of libchdb; "" finds it
	Listen  string   // loopback address; "" is 127.0.0.1 and any free port
	Command []string // the child's argv; nil is this binary's `history engine`
	// MemoryBytes is what the engine may use: it refuses queries above it, and is started again when its resident size passes it by half.
	// 0 is 2 GiB.
	MemoryBytes int64
	Logger      *slog.Logger          // nil: none
	Registerer  prometheus.Registerer // nil: no metrics

	HealthEvery time.Duration // between two looks; 0 is 5 s
	HealthTime  time.Duration // without an answer the engine is hung, and killed; 0 is 10 s
	LongestWait time.Duration // before it is started again after failures in a row; 0 is 30 s
}

// Engine is the embedded ClickHouse under supervision.
type Engine struct {
	o              Options
	log            *slog.Logger
	lock           *os.File
	listener       *net.TCPListener
	socket         *os.File // the listener's, which children inherit
	writer, reader Credentials
	client         *http.Client
	metrics        *metrics

	stop context.CancelFunc
	over chan struct{} // closed when the supervisor is

	mu       sync.Mutex
	healthy  error // nil: the last look found it well
	restarts int
	pid      int
}

// errStarting is the health before the first look.
var errStarting = errors.New("chdb: the engine is starting")

// Start runs the engine on o.Dir and returns once it answers. ctx bounds the start alone; Close ends what was started. ErrNoLibrary and
// ErrInUse are for callers to decide on. Once it has answered it is started again whenever it fails, until Close.
func Start(ctx context.Context, o Options) (_ *Engine, err error) {
	if o.Library, err = Find(o.Library); err != nil {
		return nil, err
	}
	if o.Dir, err = filepath.Abs(o.Dir); err != nil {
		return nil, err
	}
	o.Listen = cmp.Or(o.Listen, "127.0.0.1:0")
	o.MemoryBytes = cmp.Or(o.MemoryBytes, defaultMemory)
	o.HealthEvery, o.HealthTime = cmp.Or(o.HealthEvery, healthEvery), cmp.Or(o.HealthTime, healthTime)
	o.LongestWait = cmp.Or(o.LongestWait, longestWait)
	if o.Command == nil {
		self, err := os.Executable()
		if err != nil {
			return nil, fmt.Errorf("chdb: this binary: %w", err)
		}
		o.Command = []string{self, "history", "engine"}
	}
	e := &Engine{
		o: o, log: o.Logger, writer: newWriter(), over: make(chan struct{}), healthy: errStarting,
		client: &http.Client{Transport: &http.Transport{MaxIdleConns: 1}},
	}
	if e.log == nil {
		e.log = slog.New(slog.DiscardHandler)
	}
	defer func() {
		if err != nil {
			e.release()
		}
	}()
	if err := e.takeFolder(ctx); err != nil {
		return nil, err
	}
	if err := e.listen(ctx); err != nil {
		return nil, err
	}
	if e.metrics, err = newMetrics(o.Registerer, e); err != nil {
		return nil, err
	}
	first, err := e.launch(ctx)
	if err != nil {
		return nil, err
	}
	run, stop := context.WithCancel(context.Background())
	e.stop = stop
	go e.supervise(run, first)
	return e, nil
}

// takeFolder makes the folder this engine's own.
func (e *Engine) takeFolder(ctx context.Context) (err error) {
	if err := os.MkdirAll(filepath.Join(e.o.Dir, engineDir), 0o700); err != nil {
		return fmt.Errorf("chdb: folder: %w", err)
	}
	if e.lock, err = lock(ctx, e.o.Dir); err != nil {
		return err
	}
	if err := checkVersion(e.o.Dir, Version); err != nil {
		return err
	}
	e.reader, err = keptReader(e.o.Dir)
	return err
}

// listen opens the address. The parent holds it and never accepts: children do, one after the other, and between two of them clients wait in
// the kernel's queue.
func (e *Engine) listen(ctx context.Context) error {
	host, _, err := net.SplitHostPort(e.o.Listen)
	if ip := net.ParseIP(host); err != nil || ip == nil || !ip.IsLoopback() {
		return fmt.Errorf("chdb: the engine listens on loopback only, as in 127.0.0.1:8123 (got %q)", e.o.Listen)
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", e.o.Listen)
	if err != nil {
		return fmt.Errorf("chdb: listen: %w", err)
	}
	e.listener = l.(*net.TCPListener) // of a tcp address
	if e.socket, err = e.listener.File(); err != nil {
		return fmt.Errorf("chdb: listen: %w", err)
	}
	return nil
}

// release gives back what Start took.
func (e *Engine) release() {
	e.metrics.unregister()
	e.client.CloseIdleConnections()
	if e.socket != nil {
		_ = e.socket.Close() // nothing was written to it; likewise below
	}
	if e.listener != nil {
		_ = e.listener.Close()
	}
	if e.lock != nil {
		_ = e.lock.Close()
	}
}

// Close ends the engine and waits for it.
func (e *Engine) Close() error {
	e.stop()
	<-e.over
	e.release()
	return nil
}

// URL returns the address, as in http://127.0.0.1:41231. It stays the same until Close.
func (e *Engine) URL() string { return "http://" + e.listener.Addr().String() }

// Addr returns the address as HOST:PORT.
func (e *Engine) Addr() string { return e.listener.Addr().String() }

// Writer returns the credential that may do all.
func (e *Engine) Writer() Credentials { return e.writer }

// Reader returns the credential that may read the history.
func (e *Engine) Reader() Credentials { return e.reader }

// Healthy returns nil when the last look, some seconds ago at most, found the engine well, and else what it found.
func (e *Engine) Healthy() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.healthy
}

// Restarts counts how often the engine was started again.
func (e *Engine) Restarts() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.restarts
}

// PID returns the child's process, 0 while there is none.
func (e *Engine) PID() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.pid
}
