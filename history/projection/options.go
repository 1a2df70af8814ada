package projection

import (
	"context"
	"errors"
	"iter"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/history"
	"github.com/tocsin-noc/tocsin/history/clickhouse"
)

// ErrGone is what a Source says when the place is older than what it keeps.
var ErrGone = errors.New("projection: the changes log begins later")

// ErrInstance says that the database holds the history of another data folder.
var ErrInstance = errors.New("projection: the database holds the history of another data folder")

// ErrBusy says that a rebuild is under way.
var ErrBusy = errors.New("projection: a rebuild is under way")

// Source is the changes log as the projection sees it.
type Source interface {
	// Changes yields the durable changes of all inputs after seq, and goes on with those to come until ctx ends. Whenever it has come to the
	// end it yields a change of kind 0 whose Seq is the last. A change may be kept. ErrGone: the log begins later.
	Changes(ctx context.Context, after uint64) iter.Seq2[*event.Change, error]
	Head() uint64     // the last durable change
	Oldest() uint64   // the last change that is kept no more, 0 when all are
	Instance() string // tells this data folder from others
	// Senders lists every sender that was ever heard, in the order of its first word.
	Senders(ctx context.Context) ([]event.Source, error)
}

// Target is the database as the projection sees it: *clickhouse.DB.
type Target interface {
	Insert(ctx context.Context, table string, columns []clickhouse.Column) error
	Exec(ctx context.Context, sql string, params map[string]string) error
	Own(ctx context.Context, sql string, params map[string]string) (*history.Table, error)
	Recompute(ctx context.Context, origin string, shard uint32, incidents []uint64) error
	Empty(ctx context.Context, shard uint32) error
	RedactAttribute(ctx context.Context, r *clickhouse.Redaction) error
	RecomputeHours(ctx context.Context, shard uint32, from, to time.Time, seq uint64) error
}

// Options of a projection.
type Options struct {
	Shard      uint32
	Source     Source
	Target     Target
	Deliveries Deliveries  // what receivers took; nil: there is nothing to tell
	Busy       func() bool // the daemon needs the machine: the history steps aside, for a while; nil: never
	Logger     *slog.Logger
	Registerer prometheus.Registerer

	BatchRows int           // a batch is cut when it has so many rows; default 100,000
	Pace      time.Duration // rest between batches when all is read, and the longest that a batch gathers; default 1 s
}

func (o *Options) fill() {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Registerer == nil {
		o.Registerer = prometheus.NewRegistry()
	}
	if o.BatchRows == 0 {
		o.BatchRows = 100_000
	}
	if o.Pace == 0 {
		o.Pace = time.Second
	}
	if o.Busy == nil {
		o.Busy = func() bool { return false }
	}
}
