// Package app wires Tocsin together and runs it: the only package that knows all others. It decides nothing about alerts.
//
// New reads the configuration, binds the listener and recovers the engine; Run serves until its context ends; Reload may be
// called meanwhile from any goroutine.
package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/tocsin-noc/tocsin/api"
	"github.com/tocsin-noc/tocsin/dashboards"
	"github.com/tocsin-noc/tocsin/engine"
	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/ingest"
	"github.com/tocsin-noc/tocsin/ingest/alertmanager"
	"github.com/tocsin-noc/tocsin/ingest/kafka"
	"github.com/tocsin-noc/tocsin/ingest/kafka/deadletters"
	"github.com/tocsin-noc/tocsin/internal/auth"
	"github.com/tocsin-noc/tocsin/internal/config"
	"github.com/tocsin-noc/tocsin/internal/people"
	"github.com/tocsin-noc/tocsin/notify"
	"github.com/tocsin-noc/tocsin/search"
)

// App is a daemon that is ready to run.
type App struct {
	o         Options
	log       *slog.Logger
	settings  *loaded
	registry  *prometheus.Registry
	listener  net.Listener
	server    *http.Server
	handler   atomic.Pointer[http.Handler]
	engine    *engine.Engine
	guard     *auth.Guard
	v2        *alertmanager.API
	sources   *ingest.Sources
	kafka     []*kafka.Consumer
	people    *people.Store
	notifier  *notify.Notifier
	search    searcher
	history   historian
	metrics   *ownMetrics
	redacting sync.Mutex   // one redaction at a time changes how the history keeps its files
	hurry     atomic.Int32 // how many wait for the history, which steps aside for nobody meanwhile
	closers   []closer     // undone in reverse
}

// closer undoes one step of the start; its name is for the log.
type closer struct {
	name  string
	close func() error
}

// New starts everything but the serving of requests: until it returns, the listener says that the daemon is starting.
func New(o Options) (_ *App, err error) {
	a := &App{o: o, log: o.Logger, registry: prometheus.NewRegistry(), search: searcher{gone: make(chan search.Entry, 100)}}
	defer func() {
		if err != nil {
			err = errors.Join(err, a.close())
		}
	}()
	if a.settings, err = a.o.load(); err != nil {
		return nil, err
	}
	a.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), buildInfo(o))
	a.metrics = newOwnMetrics(a.registry, a)
	if err = a.listen(); err != nil {
		return nil, err
	}
	if a.sources, err = ingest.NewSources(a.log, a.registry); err != nil {
		return nil, err
	}
	if err = a.openEngine(); err != nil {
		return nil, err
	}
	if err = a.openPeople(); err != nil {
		return nil, err
	}
	if err = a.openNotify(); err != nil {
		return nil, err
	}
	if err = a.openKafka(); err != nil {
		return nil, err
	}
	return a, a.openAPI()
}

func buildInfo(o Options) prometheus.Collector {
	g := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "tocsin_build_info", Help: "Always 1; the labels say what runs.",
		ConstLabels: prometheus.Labels{"version": o.Version, "revision": o.Revision},
	})
	g.Set(1)
	return g
}

// later registers how a step is undone.
func (a *App) later(name string, fn func() error) { a.closers = append(a.closers, closer{name, fn}) }

// close undoes what was started, the last first.
func (a *App) close() error {
	var errs []error
	for _, v := range slices.Backward(a.closers) {
		if err := v.close(); err != nil {
			errs = append(errs, fmt.Errorf("app: stop %s: %w", v.name, err))
		}
	}
	a.closers = nil
	return errors.Join(errs...)
}

func (a *App) openEngine() (err error) {
	eo := a.settings.engineOptions(&a.o)
	eo.Registerer = a.registry
	if a.engine, err = engine.Open(eo); err != nil {
		return err
	}
	a.later("engine", a.engine.Close)
	return nil
}

func (a *App) openKafka() error {
	if len(a.settings.config.Kafka) == 0 {
		return nil
	}
	letters, err := deadletters.Open(filepath.Join(a.settings.config.Data, "deadletters"), deadletters.Bounds{})
	if err != nil {
		return err
	}
	a.later("dead letters", letters.Close)
	for _, cluster := range a.settings.config.Kafka {
		c, err := kafka.New(cluster, a.engine, kafka.Options{
			Logger: a.log, Registerer: a.registry, DeadLetters: letters, Limits: a.settings.decoderLimits(),
			MaxMessageBytes: int(a.settings.config.Limits.BodyBytes),
			Account:         func(src event.Source) kafka.Account { return a.sources.Configured(src) },
		})
		if err != nil {
			return err
		}
		a.kafka = append(a.kafka, c)
	}
	return nil
}

func (a *App) openAPI() (err error) {
	c := a.settings.config
	a.guard, err = auth.NewGuard(auth.Options{
		Listen: a.Address(), ExternalURL: c.ExternalURL, AllowedHosts: c.Auth.AllowedHosts, InsecureOpen: c.Auth.InsecureNoAuth,
	}, a.known(a.settings.credentials))
	if err != nil {
		return err
	}
	admission := ingest.NewAdmission(a.engine, a.sources, ingest.Limits{
		BodyBytes: int64(c.Limits.BodyBytes), AlertsPerSource: c.Limits.AlertsPerSource,
	}, time.Now)
	a.v2 = alertmanager.New(alertmanager.Options{
		Engine: a.engine, Admission: admission, Limits: a.settings.decoderLimits(), Logger: a.log, PersonName: a.people.Name,
		Version: a.o.Version, Revision: a.o.Revision, Address: a.Address(), Started: time.Now(),
		Config: a.settings.original, ClassicMatchers: a.o.ClassicMatchers,
	})
	var mounts []api.Mount
	for pattern, handler := range a.v2.Handlers() {
		mounts = append(mounts, api.Mount{Pattern: pattern, Handler: handler, Access: api.Checked})
	}
	console, err := dashboards.New(dashboards.Options{
		Desk: a.desk(), RoutePrefix: a.o.RoutePrefix, ExternalURL: c.ExternalURL,
		Version: a.o.Version, Logger: a.log,
	})
	if err != nil {
		return err
	}
	mounts = append(mounts, console.Mounts()...)
	catalogue, err := a.reports()
	if err != nil {
		return err
	}
	h, err := api.New(api.Options{
		Engine: a.engine, Guard: a.guard, Registry: a.registry, Registerer: a.registry, Logger: a.log, Mounts: mounts,
		SourceStats: a.sourceStats, People: a.people, Outbox: outbox{a.notifier}, CIFiles: ciFiles{}, Searcher: &a.search,
		History: &a.history, Redactions: redactor{a}, Keeper: &a.history, Reports: catalogue, Imports: &a.history, Config: string(c.Redacted()), Reload: a.Reload,
		ExternalURL: c.ExternalURL, RoutePrefix: a.o.RoutePrefix, Version: a.o.Version,
	})
	if err != nil {
		return err
	}
	a.serve(h)
	return nil
}

// desk answers what pages and messages ask.
func (a *App) desk() *api.Desk {
	return api.NewDesk(a.engine, base(a.settings.config.ExternalURL, a.o.RoutePrefix)).Knowing(a.people)
}

// base is what stands in front of links: the external URL, else the route prefix.
func base(externalURL, prefix string) string {
	return cmp.Or(externalURL, strings.TrimSuffix(prefix, "/"))
}

// Reload reads the files again: rules, tokens, ingest keys, who is told. Everything else waits for a restart. When anything is wrong
// nothing changes.
func (a *App) Reload(ctx context.Context) error {
	o := a.o
	fresh, err := o.load()
	if err != nil {
		a.log.Error("reload failed, all stays as it was", "error", err)
		return err
	}
	if err := a.engine.Reload(ctx, fresh.rules); err != nil {
		return err
	}
	a.guard.Use(a.known(fresh.credentials))
	a.v2.SetConfig(fresh.original)
	a.notifier.Reload(fresh.notify)
	a.warnOfGaps()
	if restartNeeded(a.settings.config, fresh.config) {
		a.log.Warn("some settings take effect at the next start only", "settings", "listen, data, external_url, limits, kafka, heartbeat, journal, changes, records, snapshot, history")
	}
	a.log.Info("configuration reloaded")
	return nil
}

// restartNeeded tells whether settings differ that reload does not touch.
func restartNeeded(old, fresh *config.Config) bool {
	strip := func(c config.Config) string {
		c.Sources, c.RuleFiles, c.Auth, c.NotifyFile = nil, nil, config.Auth{}, ""
		return string(c.Redacted())
	}
	return strip(*old) != strip(*fresh)
}
