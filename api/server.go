package api

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/tocsin-noc/tocsin/internal/auth"
)

// New returns the daemon's HTTP handler.
//
//	recover → log, metrics → route prefix → guard → deadlines → mux ─▶ /api/v1, /-/…, /metrics, mounts
//
// Nothing answers for paths that nobody has: clients find out what a server is by what it does not serve.
func New(o Options) (http.Handler, error) {
	o, err := o.check()
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	s := &server{Options: o, desk: NewDesk(o.Engine, o.ExternalURL)}
	s.desk.history = o.Redactions
	if o.People != nil {
		s.desk.Knowing(o.People)
	}
	s.streams = &streams{desk: s.desk, log: o.Logger, most: int64(o.MaxStreams)}
	s.routes(mux)
	s.health(mux)
	if err := mount(mux, o.Mounts); err != nil {
		return nil, err
	}
	m, err := newMetrics(o.Registerer, o.Guard, s.streams)
	if err != nil {
		return nil, err
	}
	var h http.Handler = problemMux{mux}
	h = o.Guard.Middleware(deadlines(h))
	h = withPrefix(o.RoutePrefix, h)
	return observe(h, mux, o.RoutePrefix, m, o.Logger), nil
}

// server is what the routes share. It does not change after New.
type server struct {
	Options
	desk    *Desk
	streams *streams
}

// NewServer returns a server with the limits that a listener open to others needs. The handler sets its own write deadlines.
// Shutdown ends the streams at once and lets other requests finish.
func NewServer(h http.Handler) *http.Server {
	closing, shut := context.WithCancel(context.Background())
	srv := &http.Server{
		Handler: h, ReadHeaderTimeout: 5 * time.Second, IdleTimeout: 5 * time.Minute, MaxHeaderBytes: 64 << 10,
		BaseContext: func(net.Listener) context.Context {
			return context.WithValue(context.Background(), closingKey{}, closing.Done())
		},
	}
	srv.RegisterOnShutdown(shut)
	return srv
}

type closingKey struct{}

// closing returns a channel that is closed when the server shuts down; nil, which never is, under a server of another making.
func closing(ctx context.Context) <-chan struct{} {
	done, _ := ctx.Value(closingKey{}).(<-chan struct{})
	return done
}

// mount adds other packages' handlers; a pattern that conflicts is an error, not a panic.
func mount(mux *http.ServeMux, mounts []Mount) (err error) {
	for _, m := range mounts {
		h := m.Handler
		switch m.Access {
		case ByMethod:
			h = auth.RequireByMethod(h)
		case Send:
			h = auth.RequireSend(h)
		case Admins:
			h = auth.RequireHouse(auth.Admin, h)
		case Checked:
		}
		if err := handle(mux, m.Pattern, h); err != nil {
			return err
		}
	}
	return nil
}

func handle(mux *http.ServeMux, pattern string, h http.Handler) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("api: mount %s: %v", pattern, r)
		}
	}()
	mux.Handle(pattern, h)
	return nil
}

func cleanPrefix(prefix string) (string, error) {
	prefix = strings.TrimRight(prefix, "/")
	if prefix == "" {
		return "", nil
	}
	if !strings.HasPrefix(prefix, "/") || strings.ContainsAny(prefix, "?#{} ") || strings.Contains(prefix, "//") {
		return "", fmt.Errorf("api: route prefix %q: must be a path such as /tocsin", prefix)
	}
	return prefix, nil
}

// withPrefix serves next under prefix and nothing beside it, but for the prefix itself without its slash.
func withPrefix(prefix string, next http.Handler) http.Handler {
	if prefix == "" {
		return next
	}
	stripped := http.StripPrefix(prefix, next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == prefix:
			http.Redirect(w, r, prefix+"/", http.StatusMovedPermanently)
		case strings.HasPrefix(r.URL.Path, prefix+"/"):
			stripped.ServeHTTP(w, r)
		default:
			(&auth.Problem{Status: http.StatusNotFound, Code: "not_found", Detail: "everything here lies under " + prefix + "/"}).Write(w, r)
		}
	})
}

// health adds what the machinery around the daemon asks for.
func (s *server) health(mux *http.ServeMux) {
	mux.HandleFunc("GET /-/healthy", func(w http.ResponseWriter, _ *http.Request) { plain(w, http.StatusOK, "OK") })
	mux.HandleFunc("GET /-/ready", func(w http.ResponseWriter, _ *http.Request) {
		if reason := s.notReady(); reason != "" {
			plain(w, http.StatusServiceUnavailable, "not ready: "+reason)
			return
		}
		plain(w, http.StatusOK, "OK")
	})
	if s.Registry != nil {
		mux.Handle("GET /metrics", auth.RequireHouse(auth.Viewer, promhttp.HandlerFor(s.Registry, promhttp.HandlerOpts{})))
	}
	if s.Reload != nil {
		reload := auth.RequireHouse(auth.Admin, http.HandlerFunc(s.reload))
		mux.Handle("POST /-/reload", reload)
		mux.Handle("PUT /-/reload", reload)
	}
}

// notReady returns why the daemon should get no traffic, "" when it should.
func (s *server) notReady() string {
	if reason := s.Engine.Status().NotReady; reason != "" {
		return reason
	}
	if s.Ready != nil {
		if err := s.Ready(); err != nil {
			return err.Error()
		}
	}
	return ""
}

func (s *server) reload(w http.ResponseWriter, r *http.Request) {
	if err := s.Reload(r.Context()); err != nil {
		(&auth.Problem{Status: http.StatusInternalServerError, Code: "reload_failed", Detail: err.Error(),
			Hint: "what was in force before stays in force"}).Write(w, r)
		return
	}
	plain(w, http.StatusOK, "OK")
}

func plain(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	fmt.Fprintln(w, text)
}
