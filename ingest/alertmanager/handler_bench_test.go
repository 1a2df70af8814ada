package alertmanager

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/tocsin-noc/tocsin/correlate"
	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/ingest"
	"github.com/tocsin-noc/tocsin/internal/auth"
)

// pooledSink takes batches and forgets them, so that what is measured is the handler's.
type pooledSink struct {
	view *correlate.View
	free *event.Batch
}

func (s *pooledSink) NewBatch() *event.Batch { return s.free }

func (s *pooledSink) Recycle(b *event.Batch) { b.Reset() }

func (s *pooledSink) Submit(_ context.Context, b *event.Batch) error {
	b.Reset()
	return nil
}

func (s *pooledSink) View(context.Context) (*correlate.View, error) { return s.view, nil }

func (s *pooledSink) ReportOverCap(context.Context, event.Source, uint64, uint64) error { return nil }

// discard is a response that costs nothing.
type discard struct{ header http.Header }

func (d discard) Header() http.Header         { return d.header }
func (d discard) Write(b []byte) (int, error) { return len(b), nil }
func (d discard) WriteHeader(int)             {}

func benchmarkPost(b *testing.B, alerts int) {
	d := newDaemon(b, time.Now)
	sink := &pooledSink{view: correlate.New().View(), free: &event.Batch{}}
	d.opts.Admission = ingest.NewAdmission(sink, d.sources, ingest.Limits{}, time.Now)
	body := alertsOfUsualSize(b, alerts)
	reader := bytes.NewReader(body)
	ctx := auth.NewContext(b.Context(), auth.Principal{ID: "x", Role: auth.Admin, Tenant: event.DefaultTenant})
	r := httptest.NewRequestWithContext(ctx, "POST", alertsPath, nil)
	r.Header.Set("Content-Type", jsonType)
	r.Body, r.ContentLength = io.NopCloser(reader), int64(len(body))
	w := discard{http.Header{}}
	b.ReportAllocs()
	for b.Loop() {
		_, _ = reader.Seek(0, io.SeekStart)
		d.v2.ServeHTTP(w, r)
	}
}

func BenchmarkPostOneAlert(b *testing.B)           { benchmarkPost(b, 1) }
func BenchmarkPost64AlertsOf860Bytes(b *testing.B) { benchmarkPost(b, 64) }
