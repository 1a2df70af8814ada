// Package ingest is the door for alerts: what every format shares between the network and the engine. It bounds what one
// request and one source may bring, hands batches over, and keeps count of who sends what.
//
// It knows no format and decides nothing about alerts; the packages below it decode, and package correlate decides. All
// exported methods may be called from any goroutine.
package ingest

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/tocsin-noc/tocsin/correlate"
	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/internal/auth"
)

// Sink takes batches; it is the engine, as far as senders see it.
type Sink interface {
	// NewBatch returns an empty batch, to be handed back by Submit or Recycle.
	NewBatch() *event.Batch
	// Submit takes b over, whatever the outcome. nil says that the batch is durable.
	Submit(ctx context.Context, b *event.Batch) error
	// Recycle takes a batch back that is not submitted.
	Recycle(b *event.Batch)
	// View returns the state with everything acknowledged before the call.
	View(ctx context.Context) (*correlate.View, error)
	// ReportOverCap journals that a source is held at its cap.
	ReportOverCap(ctx context.Context, src event.Source, refused, limit uint64) error
}

// Limits bound what is taken in; a field that is 0 stands for its default.
type Limits struct {
	BodyBytes       int64 // limits.body_bytes, 16 MiB
	AlertsPerSource int   // limits.alerts_per_source, 100,000 firing at a time
}

const (
	defaultBodyBytes       = 16 << 20
	defaultAlertsPerSource = 100_000

	// submitWithin is how long a sender waits for the journal. Alertmanager and Prometheus give up after 10 s, and an answer
	// has to come within 5.
	submitWithin = 4 * time.Second
	// retryAfter is what a sender that was turned away is asked to wait.
	retryAfter = 5 * time.Second
)

// Admission lets batches in. NewAdmission makes it.
type Admission struct {
	sink    Sink
	sources *Sources
	limits  Limits
	now     func() time.Time
	caps    caps
}

// NewAdmission returns the door to sink; now is the clock.
func NewAdmission(sink Sink, sources *Sources, limits Limits, now func() time.Time) *Admission {
	if limits.BodyBytes == 0 {
		limits.BodyBytes = defaultBodyBytes
	}
	if limits.AlertsPerSource == 0 {
		limits.AlertsPerSource = defaultAlertsPerSource
	}
	return &Admission{sink: sink, sources: sources, limits: limits, now: now}
}

// Now returns the time by the admission's clock.
func (a *Admission) Now() event.Time { return event.FromTime(a.now()) }

// Sources returns the registry of senders.
func (a *Admission) Sources() *Sources { return a.sources }

// Sender finds out who sends r: the owner of its ingest key, else a source of that name that is made on first sight. The kind
// counts where the key's configuration leaves it open. It refuses principals that may not send.
func (a *Admission) Sender(r *http.Request, name string, kind event.SourceKind) (*Sender, *auth.Problem) {
	ctx := r.Context()
	if p := auth.CheckSend(ctx); p != nil {
		return nil, p
	}
	if src, ok := auth.SourceFromContext(ctx); ok {
		if src.Kind == 0 {
			src.Kind = kind
		}
		return a.sources.Configured(src.Source), nil
	}
	return a.sources.Seen(event.Source{Name: name, Tenant: auth.FromContext(ctx).Tenant, Kind: kind}, a.now()), nil
}

// Begin returns a batch that holds r's body. The caller hands it to Submit or Drop.
func (a *Admission) Begin(r *http.Request) (*event.Batch, *auth.Problem) {
	b := a.sink.NewBatch()
	if p := readBody(b, r, a.limits.BodyBytes); p != nil {
		a.sink.Recycle(b)
		return nil, p
	}
	return b, nil
}

// Drop gives up a batch that Begin returned.
func (a *Admission) Drop(b *event.Batch) { a.sink.Recycle(b) }

// Outcome is what became of a batch that was let in.
type Outcome struct {
	Taken   int // events that are durable
	OverCap int // events refused because their source is at its cap
	Limit   int // the cap
}

// OverCapMessage names the limit that refused alerts, its key and the count.
func (o Outcome) OverCapMessage(source string) string {
	return fmt.Sprintf("%d new alerts refused: source %s is at its limit of %d active alerts (limits.alerts_per_source); known alerts were taken",
		o.OverCap, source, o.Limit)
}

// Submit makes b's events durable: all that fit under the cap of s. It takes b over. overloaded is the status of a sender that
// is to come later: 503 for Prometheus and Alertmanager, which do not know 429.
func (a *Admission) Submit(ctx context.Context, s *Sender, b *event.Batch, overloaded int) (Outcome, *auth.Problem) {
	b.Source = s.Source
	if src, ok := auth.SourceFromContext(ctx); ok {
		if wait, ok := src.Take(len(b.Events)); !ok {
			a.sink.Recycle(b)
			s.Failed(Overload, "rate limit of the source", a.now())
			return Outcome{}, auth.RateProblem(src, overloaded, wait)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, submitWithin)
	defer cancel()
	out := Outcome{Limit: a.limits.AlertsPerSource}
	out.OverCap = a.holdAtCap(ctx, s, b)
	out.Taken = len(b.Events)
	if out.Taken == 0 {
		a.sink.Recycle(b)
		return out, nil
	}
	if err := a.sink.Submit(ctx, b); err != nil {
		s.Failed(Overload, err.Error(), a.now())
		return Outcome{}, Unavailable(err, overloaded)
	}
	s.Took(out.Taken, a.now())
	return out, nil
}

// Unavailable is the answer while the engine cannot take anything.
func Unavailable(err error, status int) *auth.Problem {
	return &auth.Problem{
		Status: status, Code: "overloaded", Detail: err.Error(), RetryAfter: retryAfter,
		Hint: "send it again; nothing of this request was kept",
	}
}
