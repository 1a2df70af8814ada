package api

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/tocsin-noc/tocsin/internal/auth"
)

// metrics of all requests. The label route is a pattern of the mux, so that there are as many as there are routes.
type metrics struct {
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	panics   prometheus.Counter
}

func newMetrics(r prometheus.Registerer, g *auth.Guard, s *streams) (*metrics, error) {
	m := &metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "tocsin_api_requests_total", Help: "Requests answered, by route and class of status.",
		}, []string{"route", "code"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "tocsin_api_request_seconds", Help: "Time to answer, by route; streams are not counted.",
			Buckets: []float64{.0005, .002, .01, .05, .2, 1, 5},
		}, []string{"route"}),
		panics: prometheus.NewCounter(prometheus.CounterOpts{Name: "tocsin_api_panics_total", Help: "Requests whose handler panicked."}),
	}
	if r == nil {
		return m, nil
	}
	streams := prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "tocsin_api_streams", Help: "Clients that follow the stream of changes."},
		func() float64 { return float64(s.open.Load()) })
	capacity := prometheus.NewGauge(prometheus.GaugeOpts{Name: "tocsin_api_streams_max", Help: "Clients that can follow the stream at a time."})
	capacity.Set(float64(s.most))
	for _, c := range []prometheus.Collector{m.requests, m.seconds, m.panics, streams, capacity, refusals{g, refusedDesc()}} {
		if err := r.Register(c); err != nil {
			return nil, fmt.Errorf("api: metrics: %w", err)
		}
	}
	return m, nil
}

// refusals shows what the guard counts.
type refusals struct {
	guard *auth.Guard
	desc  *prometheus.Desc
}

func refusedDesc() *prometheus.Desc {
	return prometheus.NewDesc("tocsin_auth_refused_total", "Requests refused before they reached a handler, by reason.", []string{"reason"}, nil)
}

// Describe sends the one description.
func (r refusals) Describe(ch chan<- *prometheus.Desc) { ch <- r.desc }

// Collect sends a counter for each reason seen so far.
func (r refusals) Collect(ch chan<- prometheus.Metric) {
	for reason, n := range r.guard.Refusals() {
		ch <- prometheus.MustNewConstMetric(r.desc, prometheus.CounterValue, float64(n), reason)
	}
}

// observe counts, times and logs requests, and turns panics into a 500.
func observe(next http.Handler, mux *http.ServeMux, prefix string, m *metrics, log *slog.Logger) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rec, began := &recorder{ResponseWriter: w}, time.Now()
		route := pattern(mux, prefix, r)
		defer func() {
			if p := recover(); p != nil {
				if err, ok := p.(error); ok && errors.Is(err, http.ErrAbortHandler) {
					panic(p)
				}
				m.panics.Inc()
				log.Error("handler panicked", "panic", fmt.Sprint(p), "route", route, "stack", string(debug.Stack()))
				if rec.status == 0 {
					(&auth.Problem{Status: http.StatusInternalServerError, Code: "internal", Detail: "this went wrong inside; the log tells more"}).Write(rec, r)
				}
			}
			took := time.Since(began)
			m.requests.WithLabelValues(route, strconv.Itoa(rec.code()/100)+"xx").Inc()
			if route != streamRoute {
				m.seconds.WithLabelValues(route).Observe(took.Seconds())
			}
			log.Debug("request", "method", r.Method, "path", auth.SafePath(r), "status", rec.code(), "bytes", rec.bytes, "took", took, "remote", r.RemoteAddr)
		}()
		next.ServeHTTP(rec, r)
		if rec.status == 0 {
			rec.WriteHeader(http.StatusOK) // the connection may still have the deadline of the answer before
		}
	})
}

// pattern returns the mux's pattern for r as the handlers will see it: without prefix and ingest key.
func pattern(mux *http.ServeMux, prefix string, r *http.Request) string {
	path, ok := strings.CutPrefix(r.URL.Path, prefix)
	if rest, keyed := strings.CutPrefix(path, "/ingest/"); keyed {
		_, rest, _ = strings.Cut(rest, "/")
		path = "/" + rest
	}
	probe := &http.Request{Method: r.Method, Host: r.Host, URL: new(*r.URL)}
	probe.URL.Path, probe.URL.RawPath = path, rawPath(r, prefix, path)
	_, route := mux.Handler(probe)
	if !ok || route == "" {
		return "none"
	}
	return route
}

// rawPath keeps the escapes of a path whose names hold slashes, as those of configuration items do; what was cut elsewhere has none.
func rawPath(r *http.Request, prefix, path string) string {
	raw := strings.TrimPrefix(r.URL.RawPath, prefix)
	if plain, err := url.PathUnescape(raw); err != nil || plain != path {
		return ""
	}
	return raw
}

// recorder remembers what was answered, and gives each answer writeWithin to be read from its first byte on.
type recorder struct {
	http.ResponseWriter
	status int
	bytes  int64
}

// Unwrap lets http.ResponseController reach the connection.
func (w *recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// WriteHeader notes the status.
func (w *recorder) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
		_ = http.NewResponseController(w.ResponseWriter).SetWriteDeadline(time.Now().Add(writeWithin)) // not every writer can
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write counts the bytes.
func (w *recorder) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	n, err := w.ResponseWriter.Write(b)
	w.bytes += int64(n)
	return n, err
}

func (w *recorder) code() int {
	if w.status == 0 {
		return http.StatusOK
	}
	return w.status
}

const (
	answerWithin = 5 * time.Second
	bodyWithin   = 30 * time.Second // to arrive
	adminWithin  = time.Minute      // a snapshot takes as long as the disk does
	askedWithin  = 10 * time.Minute // what the history is asked: a pack is many questions, and each may take a minute
)

// asksHistory says whether a request is answered from the history, whose tables may be large.
func asksHistory(path string) bool {
	rest, ok := strings.CutPrefix(path, root+"/")
	if !ok {
		return false
	}
	kind, _, _ := strings.Cut(rest, "/")
	switch kind {
	case "reports", "report-packs", "history":
		return true
	case "incidents":
		return strings.HasSuffix(rest, "/similar")
	case "cis":
		return strings.HasSuffix(rest, "/timeline")
	}
	return false
}

// deadlines bounds how long a request may take. The stream has none: it bounds each write.
func deadlines(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rc, within, arrive := http.NewResponseController(w), answerWithin, bodyWithin
		switch {
		case r.URL.Path == streamPath:
			_ = rc.SetReadDeadline(time.Time{}) // not every writer can
			next.ServeHTTP(w, r)
			return
		case strings.HasPrefix(r.URL.Path, "/api/v1/admin/") || r.URL.Path == "/-/reload":
			within = adminWithin
		case r.URL.Path == importPath || r.URL.Path == exportPath:
			within, arrive = importAfter, importRead
		case asksHistory(r.URL.Path):
			within = askedWithin
		}
		_ = rc.SetReadDeadline(time.Now().Add(arrive))
		ctx, cancel := context.WithTimeout(r.Context(), within)
		defer cancel()
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

// problemMux answers for paths and methods that the mux does not have with a problem instead of plain text.
type problemMux struct{ mux *http.ServeMux }

// ServeHTTP asks the mux's own fallback what it would say.
func (p problemMux) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h, route := p.mux.Handler(r)
	if route != "" {
		p.mux.ServeHTTP(w, r)
		return
	}
	probe := &fallback{header: http.Header{}}
	h.ServeHTTP(probe, r)
	problem := &auth.Problem{Status: http.StatusNotFound, Code: "not_found", Detail: "there is nothing here", Hint: "the API is described at /api/v1/openapi.json"}
	if probe.status == http.StatusMethodNotAllowed {
		w.Header().Set("Allow", probe.header.Get("Allow"))
		problem = &auth.Problem{Status: probe.status, Code: "method_not_allowed", Detail: r.Method + " is not possible here", Hint: "possible: " + probe.header.Get("Allow")}
	}
	problem.Write(w, r)
}

// fallback takes the mux's own answer.
type fallback struct {
	header http.Header
	status int
}

// Header returns what the mux may write into.
func (f *fallback) Header() http.Header { return f.header }

// Write drops the mux's text.
func (f *fallback) Write(b []byte) (int, error) { return len(b), nil }

// WriteHeader notes the status.
func (f *fallback) WriteHeader(status int) { f.status = status }
