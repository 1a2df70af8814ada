package api

import (
	"context"
	"time"

	"github.com/tocsin-noc/tocsin/event"
)

// Pause says until when: a time, or a span from now.
type Pause struct {
	Until    time.Time `json:"until,omitzero" doc:"this or duration"`
	Duration string    `json:"duration,omitempty" example:"2h" doc:"from now, as Prometheus writes it"`
}

// end returns what the pause means at now.
func (p *Pause) end(now event.Time) (event.Time, error) {
	if p.Until.IsZero() == (p.Duration == "") {
		return 0, invalid("give either until or duration", "a pause has an end, such as {\"duration\": \"2h\"}")
	}
	if p.Duration == "" {
		return event.FromTime(p.Until), nil
	}
	d, err := parseSpan(p.Duration)
	if err != nil || d <= 0 {
		return 0, invalid("duration: must be a time such as 90s, 2h or 1d", "")
	}
	return now + event.FromDuration(d), nil
}

// Snooze acknowledges an incident until a time; then, or when it gets worse, it rings again.
func (d *Desk) Snooze(ctx context.Context, incident string, p Pause) (*Incident, error) {
	until, err := p.end(d.now())
	if err != nil {
		return nil, err
	}
	return d.Act(ctx, incident, event.Command{Kind: event.Snooze, Until: until})
}

// Hold keeps an incident open, waiting for what its kind ("" is other) and reason say, until a time.
func (d *Desk) Hold(ctx context.Context, incident string, p Pause, kind, reason string) (*Incident, error) {
	until, err := p.end(d.now())
	if err != nil {
		return nil, err
	}
	return d.Act(ctx, incident, event.Command{Kind: event.Hold, Until: until, HeldAs: event.ParseHoldReason(kind), Text: reason})
}

// Unhold ends an incident's hold.
func (d *Desk) Unhold(ctx context.Context, incident string) (*Incident, error) {
	return d.Act(ctx, incident, event.Command{Kind: event.Hold})
}
