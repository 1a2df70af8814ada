package ingest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/correlate"
	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/internal/auth"
)

// coreSink is the real core behind the engine's methods, without a journal. It has one owner at a time, the test.
type coreSink struct {
	state    *correlate.State
	seq      uint64
	views    int
	recycled int
	refuses  error
	reports  []uint64
	now      func() time.Time
}

func (s *coreSink) NewBatch() *event.Batch { return &event.Batch{} }

func (s *coreSink) Recycle(*event.Batch) { s.recycled++ }

func (s *coreSink) Submit(_ context.Context, b *event.Batch) error {
	if s.refuses != nil {
		return s.refuses
	}
	s.step(&event.Input{Kind: event.InputEvents, Batch: b})
	return nil
}

func (s *coreSink) View(context.Context) (*correlate.View, error) {
	s.views++
	return s.state.View(), s.refuses
}

func (s *coreSink) ReportOverCap(_ context.Context, _ event.Source, refused, _ uint64) error {
	s.reports = append(s.reports, refused)
	return nil
}

func (s *coreSink) step(in *event.Input) {
	s.seq++
	in.Seq, in.At = s.seq, event.FromTime(s.now())
	s.state.Step(in, nil)
}

// door is an Admission with everything behind it.
type door struct {
	*Admission
	t    *testing.T
	sink *coreSink
	reg  *prometheus.Registry
	at   time.Time // the clock
}

func newDoor(t *testing.T, limits Limits) *door {
	d := &door{t: t, reg: prometheus.NewRegistry(), at: time.Date(2026, 11, 21, 3, 0, 0, 0, time.UTC)}
	now := func() time.Time { return d.at }
	d.sink = &coreSink{state: correlate.New(), now: now}
	sources, err := NewSources(slog.New(slog.DiscardHandler), d.reg)
	require.NoError(t, err)
	d.Admission = NewAdmission(d.sink, sources, limits, now)
	return d
}

// batch returns a batch of alerts of these numbers.
func (d *door) batch(numbers ...int) *event.Batch {
	b := d.sink.NewBatch()
	b.Source.Tenant = event.DefaultTenant
	for _, n := range numbers {
		b.Add(event.Event{Labels: event.Labels{{Name: "alertname", Value: "A"}, {Name: "n", Value: fmt.Sprint(n)}}})
	}
	return b
}

func (d *door) prometheus() *Sender {
	return d.sources.Seen(event.Source{Name: "prometheus", Tenant: event.DefaultTenant, Kind: event.Resender}, d.at)
}

// submit sends alerts of these numbers and returns how many were taken and how many refused at the cap.
func (d *door) submit(numbers ...int) (taken, overCap int) {
	d.t.Helper()
	out, p := d.Submit(d.t.Context(), d.prometheus(), d.batch(numbers...), http.StatusServiceUnavailable)
	require.Nil(d.t, p)
	return out.Taken, out.OverCap
}

func request(ctx context.Context, body string) *http.Request {
	return httptest.NewRequestWithContext(ctx, http.MethodPost, "/api/v2/alerts", strings.NewReader(body))
}

var errDisk = errors.New("journal: write: no space left on device")

func asAdmin(ctx context.Context) context.Context {
	return auth.NewContext(ctx, auth.Principal{ID: "anna", Role: auth.Admin, Tenant: event.DefaultTenant})
}
