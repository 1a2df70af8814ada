// Package native reads Tocsin's own JSON, the format for senders that follow no other tool's: docs/formats/native.md.
//
// The decoder is a function of its input: it knows no clock, no HTTP, no Kafka and no journal, and keeps nothing. It may run
// in any goroutine that owns the batch.
package native

import (
	"fmt"
	"net/http"
	"time"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/ingest/internal/alertjson"
)

// Limits bounds what one message may hold; a field that is 0 stands for its default.
type Limits = alertjson.Limits

// Rejection is what the decoder refuses: the message, or some of its alerts.
type Rejection = alertjson.Rejection

// Decode reads b.Body, one alert or an array of alerts, and adds them to b; b.Source.Tenant must be set. A fault refuses its
// alert only (a Rejection with Code 0, the others are Kept), a message that is no JSON or too large is refused whole. nil
// means that all is well. now decides which endsAt is past where an alert gives no status. b.Body is overwritten where it
// holds escapes, the events alias it.
func Decode(b *event.Batch, now event.Time, lim Limits) *Rejection {
	d := decoder{Reader: alertjson.NewReader(b, format(), lim), now: now.Time()}
	d.latestStart = (now + d.Limits.ResolveTimeout).Time()
	kept := len(b.Events)
	rejection := d.body(b)
	if rejection == nil || rejection.Code == 0 {
		return rejection.Finish(len(b.Events) - kept)
	}
	clear(b.Events[kept:])
	b.Events = b.Events[:kept]
	return rejection
}

func format() alertjson.Format {
	return alertjson.Format{Strict: true, Names: [8]alertjson.Name{
		{Text: "labels", Field: alertjson.Labels},
		{Text: "annotations", Field: alertjson.Annotations},
		{Text: "status", Field: alertjson.Status},
		{Text: "startsAt", Field: alertjson.StartsAt},
		{Text: "endsAt", Field: alertjson.EndsAt},
		{Text: "url", Field: alertjson.URL},
		{Text: "ci", Field: alertjson.CI},
	}}
}

type decoder struct {
	alertjson.Reader
	now         time.Time
	latestStart time.Time // of an alert that names no end
	refused     *Rejection
}

func (d *decoder) body(b *event.Batch) *Rejection {
	s := &d.Scanner
	if s.Peek() == '[' {
		s.Enter()
		i := 0
		for ok := s.Element(true); ok; ok = s.Element(false) {
			if i == d.Limits.AlertsPerRequest {
				return alertjson.TooMany(i, s.Offset())
			}
			d.add(b, i)
			i++
		}
	} else {
		d.add(b, 0)
	}
	s.End()
	if err := s.Err(); err != nil {
		return &Rejection{
			Status: http.StatusBadRequest, Code: http.StatusBadRequest,
			Message: "not JSON: " + err.Error(), Offset: err.Offset,
		}
	}
	return d.refused
}

func (d *decoder) add(b *event.Batch, i int) {
	cleared, fault := d.alert()
	if fault != nil {
		d.refused = alertjson.Refuse(d.refused, i, fault)
		return
	}
	b.Add(d.Event(cleared))
}

// alert reads an alert and judges it.
func (d *decoder) alert() (cleared bool, fault *alertjson.Fault) {
	d.Read()
	a := &d.Alert
	switch a.Status {
	case "":
		cleared = a.Over(d.now)
	case "firing":
	case "resolved":
		cleared = true
	default:
		d.Report(alertjson.Inconsistent, "status", fmt.Sprintf(`status must be "firing" or "resolved" (got %.40q)`, a.Status), "")
	}
	if a.URL != "" && !alertjson.IsURL(a.URL) {
		d.Report(alertjson.WrongForm, "url", fmt.Sprintf("url must be a URL (got %.80q)", a.URL), "")
	}
	if a.EndsBeforeStart(d.latestStart) {
		d.Report(alertjson.Inconsistent, "startsAt", "start time must be before end time", "check the sender's clock")
	}
	d.ci()
	d.Seal()
	return cleared, d.TakeFault()
}

// ci makes a label of the configuration item, under the name the event package looks for first.
func (d *decoder) ci() {
	a := &d.Alert
	if a.CI == "" {
		return
	}
	const label = "ci"
	if other := a.Labels.Get(label); other != "" && other != a.CI {
		d.Report(alertjson.Inconsistent, label, fmt.Sprintf("ci is %.80q, but the label ci is %.80q", a.CI, other), "give one of them")
		return
	}
	d.SetLabel(label, a.CI)
}
