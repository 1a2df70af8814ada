package app

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math"
	"net"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tocsin-noc/tocsin/api"
	"github.com/tocsin-noc/tocsin/engine"
	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/history"
	"github.com/tocsin-noc/tocsin/history/chdb"
	"github.com/tocsin-noc/tocsin/history/clickhouse"
	"github.com/tocsin-noc/tocsin/history/imports"
	"github.com/tocsin-noc/tocsin/history/projection"
	"github.com/tocsin-noc/tocsin/history/reports/pack"
	"github.com/tocsin-noc/tocsin/internal/config"
	"github.com/tocsin-noc/tocsin/notify"
)

const (
	firstHistoryPause   = time.Second
	longestHistoryPause = 30 * time.Second
)

// historian is the history as those see it who ask: there once it has been opened.
type historian struct {
	db        atomic.Pointer[clickhouse.DB]
	projector atomic.Pointer[projection.Projector]
	fault     atomic.Pointer[error] // why it is not there
	once      atomic.Bool           // it has been there since the start

	mu          sync.Mutex
	imports     *imports.Importer
	importsInto *clickhouse.DB
}

// errOpening is why the history is not there for a moment after the start.
var errOpening = fmt.Errorf("%w: it is being opened", history.ErrDown)

// Query asks the history.
func (h *historian) Query(ctx context.Context, sql string, params map[string]string) (*history.Table, error) {
	db, err := h.opened()
	if err != nil {
		return nil, err
	}
	return db.Query(ctx, sql, params)
}

func (h *historian) opened() (*clickhouse.DB, error) {
	if db := h.db.Load(); db != nil {
		return db, nil
	}
	switch err := h.fault.Load(); {
	case err == nil:
		return nil, errOpening
	case errors.Is(*err, history.ErrDown):
		return nil, *err
	case errors.Is(*err, chdb.ErrNoLibrary):
		return nil, fmt.Errorf("%w: %w; %s", history.ErrDown, *err, chdb.Hint)
	default:
		return nil, fmt.Errorf("%w: %w", history.ErrDown, *err)
	}
}

// runHistory opens the history and fills it until ctx ends. Nothing waits for it: what cannot be opened is tried again.
func (a *App) runHistory(ctx context.Context) {
	c := &a.settings.config.History
	if c.URL == config.HistoryNone {
		a.history.fault.Store(new(fmt.Errorf("%w: history.url is none", history.ErrOff)))
		return
	}
	said := ""
	for pause := firstHistoryPause; ; pause = min(2*pause, longestHistoryPause) {
		err := a.keepHistory(ctx)
		if ctx.Err() != nil {
			return
		}
		a.history.db.Store(nil)
		a.history.fault.Store(&err)
		if err.Error() != said { // the same fault again and again is said once
			said = err.Error()
			hint := "it is tried again until it can be opened"
			if errors.Is(err, chdb.ErrNoLibrary) {
				hint = chdb.Hint
			}
			a.log.Warn("there is no history: alerts and incidents are not touched by that", "error", err, "hint", hint)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
	}
}

// keepHistory opens the history and fills it until ctx ends or it is lost.
func (a *App) keepHistory(ctx context.Context) error {
	o, done, err := a.historyTarget(ctx)
	if err != nil {
		return err
	}
	defer done()
	db, err := clickhouse.Open(ctx, o)
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }() // nothing is left in it: every batch was acknowledged
	a.history.db.Store(db)
	a.history.once.Store(true)
	a.log.Info("history is open")
	return a.fillHistory(ctx, db)
}

// historyTarget says where the history is, and starts the embedded engine where it is that.
func (a *App) historyTarget(ctx context.Context) (o clickhouse.Options, done func(), err error) {
	c := &a.settings.config.History
	o = clickhouse.Options{
		URL: c.URL, Cluster: c.Cluster, CAFile: c.TLS.CAFile, CertFile: c.TLS.CertFile, KeyFile: c.TLS.KeyFile,
		ServerName: c.TLS.ServerName, Unchecked: c.TLS.InsecureSkipVerify,
		Retention: clickhouse.Retention{Facts: days(c.Retention.Alerts), Incidents: days(c.Retention.Incidents)},
		Logger:    a.log, Registerer: a.registry,
	}
	if c.URL != config.HistoryEmbedded {
		o.URL = as(c.URL, c.Username, c.Password)
		if c.ReaderUsername != "" {
			o.ReaderURL = as(c.URL, c.ReaderUsername, c.ReaderSecret)
		}
		return o, func() {}, nil
	}
	engine, err := chdb.Start(ctx, chdb.Options{
		Dir: filepath.Join(a.settings.config.Data, "history"), Library: c.Library, Listen: a.historyAddress(), MemoryBytes: int64(c.Memory),
		Logger: a.log, Registerer: a.registry,
	})
	if err != nil {
		return o, nil, err
	}
	o.URL = as(engine.URL()+"/"+clickhouse.DefaultDatabase, engine.Writer().User, engine.Writer().Password)
	o.ReaderURL = as(engine.URL()+"/"+clickhouse.DefaultDatabase, engine.Reader().User, engine.Reader().Password)
	a.log.Info("history is embedded", "url", engine.URL(), "reader", filepath.Join(a.settings.config.Data, "history", "reader.json"))
	return o, func() {
		if err := engine.Close(); err != nil {
			a.log.Error("the embedded engine did not stop", "error", err)
		}
	}, nil
}

// historyAddress is where the embedded engine answers: as configured, else at the port after the daemon's own.
func (a *App) historyAddress() string {
	c := a.settings.config
	if c.History.Listen != "" {
		return c.History.Listen
	}
	_, text, err := net.SplitHostPort(c.Listen)
	port, err2 := strconv.Atoi(text)
	if err != nil || err2 != nil || port == 0 || port == 65535 {
		return "127.0.0.1:0"
	}
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(port+1))
}

// as puts a user into a URL that has none.
func as(raw, user, password string) string {
	u, err := url.Parse(raw)
	if err != nil || user == "" {
		return raw
	}
	u.User = url.UserPassword(user, password)
	return u.String()
}

func days(d config.Duration) int { return int(duration(d) / (24 * time.Hour)) }

// fillHistory keeps the history up with what happens until ctx ends.
func (a *App) fillHistory(ctx context.Context, db *clickhouse.DB) error {
	p := projection.New(projection.Options{
		Source: changesLog{a.engine}, Target: db, Deliveries: outboxFeed{a.notifier}, Busy: a.busy().needsTheMachine, Logger: a.log, Registerer: a.registry,
	})
	a.history.projector.Store(p)
	return p.Run(ctx)
}

// changesLog is the engine as the history sees it.
type changesLog struct{ engine *engine.Engine }

func (c changesLog) Changes(ctx context.Context, after uint64) iter.Seq2[*event.Change, error] {
	return func(yield func(*event.Change, error) bool) {
		every := func(event.ChangeKind) bool { return true }
		for ch, err := range c.engine.FollowSome(ctx, engine.Cursor{Seq: after, N: math.MaxUint32}, every) {
			if errors.Is(err, engine.ErrTruncated) {
				err = projection.ErrGone
			}
			if !yield(ch, err) {
				return
			}
		}
	}
}

func (c changesLog) Head() uint64     { return c.engine.Head().Seq }
func (c changesLog) Oldest() uint64   { return c.engine.Oldest().Seq }
func (c changesLog) Instance() string { return c.engine.Instance() }

func (c changesLog) Senders(ctx context.Context) (list []event.Source, err error) {
	v, err := c.engine.View(ctx)
	if err != nil {
		return nil, err
	}
	for src := range v.Sources() {
		list = append(list, src.Source)
	}
	return list, nil
}

// outboxFeed is the outbox as the history sees it.
type outboxFeed struct{ notifier *notify.Notifier }

func (t outboxFeed) Deliveries(_ context.Context, after uint64, limit int) ([]projection.Delivery, error) {
	list, err := t.notifier.Deliveries(after, limit)
	out := make([]projection.Delivery, len(list))
	for i := range list {
		d := &list[i]
		out[i] = projection.Delivery{
			Number: d.Number, At: event.FromTime(d.At), Tenant: d.Tenant, Subject: d.Subject, Kind: string(d.Event), Receiver: d.Receiver, Integration: d.Integration,
			Team: d.Team, Person: d.Person, Rings: d.Rings, Step: uint8(min(d.Step, math.MaxUint8)), Attempts: uint16(min(d.Attempts, math.MaxUint16)), Delay: event.FromDuration(d.Delay),
		}
		if number, ok := strings.CutPrefix(d.Incident, "INC-"); ok {
			out[i].Incident, _ = strconv.ParseUint(number, 10, 64) // notify wrote it
		}
	}
	return out, err
}

// Status says how far the history is.
func (h *historian) Status() projection.Status {
	if p := h.projector.Load(); p != nil && h.db.Load() != nil {
		return p.Status()
	}
	_, err := h.opened()
	if err == nil {
		err = errOpening
	}
	if errors.Is(err, history.ErrOff) {
		return projection.Status{Off: true, Fault: "history.url is none"}
	}
	return projection.Status{Fault: err.Error()}
}

// Sizes says how much the tables hold.
func (h *historian) Sizes(ctx context.Context) ([]clickhouse.Size, error) {
	db, err := h.opened()
	if err != nil {
		return nil, err
	}
	return db.Sizes(ctx)
}

// Rebuild empties the history and fills it anew.
func (h *historian) Rebuild(ctx context.Context) error {
	if _, err := h.opened(); err != nil {
		return err
	}
	if p := h.projector.Load(); p != nil {
		return p.Rebuild(ctx)
	}
	return errOpening
}

// Run carries out an import of incidents of another system.
func (h *historian) Run(ctx context.Context, in imports.Input) (*imports.Summary, error) {
	db, err := h.opened()
	if err != nil {
		return nil, err
	}
	return h.importer(db).Run(ctx, in)
}

// importer keeps one importer for as long as the history is the same, so that two imports never run at once.
func (h *historian) importer(db *clickhouse.DB) *imports.Importer {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.imports == nil || h.importsInto != db {
		h.imports, h.importsInto = imports.New(db), db
	}
	return h.imports
}

// reports is the catalogue of reports over the history.
func (a *App) reports() (api.Reports, error) {
	return api.NewReports(&a.history, map[string]api.Pack{"monthly": pack.Monthly})
}
