package main

import (
	"bytes"
	"cmp"
	"context"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/simulate"
	"github.com/tocsin-noc/tocsin/simulate/scenario"
)

const (
	stormBeats   = 10              // requests per second, unless they would grow too large
	stormBatch   = 500             // alerts per request at most
	stormPause   = time.Second     // after a 429 or 503 that names no time
	longestPause = 5 * time.Minute // that a receiver may ask for
)

// storm sends scenarios, one request at a time.
type storm struct {
	p       *printer
	api     *client
	rate    float64
	length  time.Duration // 0: until what is to be sent is sent
	began   time.Time
	now     func() time.Time
	offered int
	answers simulate.Histogram
	totals  stormSummary
	why     string // the first refusal
	bar     *bar
	body    []byte
}

func newStorm(p *printer, api *client, rate float64, length time.Duration) *storm {
	return &storm{p: p, api: api, rate: rate, length: length, began: time.Now(), now: time.Now, bar: newBar(p)}
}

func (s *storm) over() bool { return s.length > 0 && s.now().Sub(s.began) >= s.length }

// send sends a scenario's alerts in their order, each batch when it is due.
func (s *storm) send(ctx context.Context, list *scenario.Scenario) error {
	batch := min(max(int(s.rate/stormBeats), 1), stormBatch)
	for from := 0; from < len(list.Alerts); from += batch {
		due := s.began.Add(time.Duration(float64(s.offered) / s.rate * float64(time.Second)))
		if s.length > 0 && due.Sub(s.began) >= s.length {
			due = s.began.Add(s.length)
		}
		if err := s.wait(ctx, due.Sub(s.now())); err != nil {
			return err
		}
		if s.over() {
			return nil
		}
		alerts := list.Alerts[from:min(from+batch, len(list.Alerts))]
		s.offered += len(alerts)
		if err := s.post(ctx, alerts); err != nil {
			return err
		}
		s.bar.show(s.describe(), from+len(alerts), len(list.Alerts))
	}
	return nil
}

func (s *storm) wait(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// render writes alerts as they would be told now: what fires began just now, and what is over ended just now. The scenario's own
// distances are no use at another pace.
func (s *storm) render(alerts []scenario.Alert) []byte {
	now := event.FromTime(s.now())
	s.body = append(s.body[:0], '[')
	for i, a := range alerts {
		if i > 0 {
			s.body = append(s.body, ',')
		}
		a.StartsAt = now
		if a.EndsAt != 0 {
			a.StartsAt, a.EndsAt = now-event.Millisecond, now
		}
		s.body = a.AppendBody(s.body)
	}
	s.body = append(s.body, ']')
	return s.body
}

// post sends alerts until they are taken or refused for good. A receiver that asks for time is given it.
func (s *storm) post(ctx context.Context, alerts []scenario.Alert) error {
	body := s.render(alerts)
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.api.base.JoinPath("api/v2/alerts").String(), bytes.NewReader(body))
		if err != nil {
			return err
		}
		req.Header.Set("Content-Type", "application/json")
		began := s.now()
		resp, err := s.api.ask(req)
		if err != nil {
			return err
		}
		text, _ := io.ReadAll(io.LimitReader(resp.Body, 4<<10)) // only to say why
		_ = resp.Body.Close()                                   // nothing more is read
		switch {
		case resp.StatusCode == http.StatusTooManyRequests || resp.StatusCode == http.StatusServiceUnavailable:
			s.totals.Held++
			if err := s.wait(ctx, retryAfter(resp.Header.Get("Retry-After"), s.now())); err != nil {
				return err
			}
			if s.over() {
				return nil
			}
			continue
		case resp.StatusCode >= 300:
			s.totals.Refused += len(alerts)
			s.why = cmp.Or(s.why, resp.Status+": "+strings.TrimSpace(string(text)))
		default:
			s.totals.Sent += len(alerts)
			s.totals.Requests++
			s.answers.Record(s.now().Sub(began))
		}
		return nil
	}
}

// retryAfter reads how long a receiver wants to be left alone: seconds, or a date.
func retryAfter(text string, now time.Time) time.Duration {
	pause := stormPause
	if seconds, err := strconv.Atoi(text); err == nil && seconds >= 0 {
		pause = time.Duration(min(seconds, int(longestPause/time.Second))) * time.Second
	} else if at, err := http.ParseTime(text); err == nil {
		pause = max(at.Sub(now), 0)
	}
	return min(pause, longestPause)
}
