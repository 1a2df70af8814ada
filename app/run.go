package app

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/tocsin-noc/tocsin/api"
	"github.com/tocsin-noc/tocsin/internal/config"
	"github.com/tocsin-noc/tocsin/simulate"
)

func duration(d config.Duration) time.Duration { return time.Duration(d) }

// listen binds the address and answers "starting" until serve is called.
func (a *App) listen() (err error) {
	if a.listener, err = net.Listen("tcp", a.settings.config.Listen); err != nil {
		return fmt.Errorf("app: %w", err)
	}
	a.later("listener", func() error {
		if err := a.listener.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
			return err
		}
		return nil
	})
	a.serve(http.HandlerFunc(starting))
	a.server = api.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { (*a.handler.Load()).ServeHTTP(w, r) }))
	listener, scheme := a.listener, "http"
	if a.settings.web != nil {
		a.server.Handler = a.settings.web.Wrap(a.server.Handler)
		if cfg := a.settings.web.TLS(); cfg != nil {
			listener, scheme = tls.NewListener(listener, cfg), "https"
			a.server.TLSConfig = cfg
		}
	}
	go func() { _ = a.server.Serve(listener) }() // ends with Shutdown
	a.later("server", a.shutdown)
	a.log.Info("Listening on", "address", a.Address(), "scheme", scheme) //nolint:sloglint // tools of Alertmanager look for these words
	return nil
}

// shutdown lets requests under way finish; streams are cut.
func (a *App) shutdown() error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := a.server.Shutdown(ctx); err != nil {
		return a.server.Close()
	}
	return nil
}

func (a *App) serve(h http.Handler) { a.handler.Store(&h) }

// starting answers while the engine recovers.
func starting(w http.ResponseWriter, r *http.Request) {
	if strings.HasSuffix(r.URL.Path, "/-/healthy") {
		fmt.Fprintln(w, "OK")
		return
	}
	w.Header().Set("Retry-After", "1")
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(http.StatusServiceUnavailable)
	fmt.Fprintln(w, `{"type":"about:blank","title":"Service Unavailable","status":503,"code":"unavailable","detail":"starting: the state is being recovered","hint":"try again in a moment"}`)
}

// Address returns host:port as bound.
func (a *App) Address() string { return a.listener.Addr().String() }

// URL returns how to reach the daemon from this machine.
func (a *App) URL() string {
	scheme := "http"
	if a.settings.web != nil && a.settings.web.TLS() != nil {
		scheme = "https"
	}
	return scheme + "://" + a.Address() + strings.TrimSuffix(a.o.RoutePrefix, "/")
}

// Run serves until ctx ends or the engine fails, and stops everything in order.
func (a *App) Run(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var wg sync.WaitGroup
	for _, c := range a.kafka {
		wg.Go(func() {
			if err := c.Run(ctx); err != nil && ctx.Err() == nil {
				a.log.Error("kafka consumer ended", "error", err)
			}
		})
	}
	wg.Go(func() { _ = a.notifier.Run(ctx) }) // ends with ctx only
	wg.Go(func() { a.runSearch(ctx) })
	wg.Go(func() { a.runHistory(ctx) })
	wg.Go(func() { a.beat(ctx) })
	wg.Go(func() { tuneMemory(ctx) })
	wg.Go(func() { a.logHead(ctx) })
	if a.o.Demo {
		wg.Go(func() { a.demo(ctx) })
	}
	var err error
	select {
	case <-ctx.Done():
		a.log.Info("stopping")
	case <-a.engine.Failed():
		err = a.engine.Err()
	}
	stop()
	wg.Wait()
	return errors.Join(err, a.close())
}

func (a *App) demo(ctx context.Context) {
	if err := simulate.PlayOutage(ctx, a.URL(), a.o.Stdout); err != nil && ctx.Err() == nil {
		a.log.Error("demo", "error", err)
	}
}

// logHead writes the head of the journal's hash chain into the log once an hour: kept elsewhere it proves, with
// `tocsin verify --since`, that nothing before it was changed.
func (a *App) logHead(ctx context.Context) {
	t := time.NewTicker(time.Hour)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			a.log.Info("journal head", "head", a.engine.Status().JournalHead)
		}
	}
}
