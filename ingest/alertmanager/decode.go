// Package alertmanager speaks Alertmanager: the API v2 that Prometheus and other rulers post alerts to, and the webhook v4
// that Alertmanager and Grafana send.
//
// The decoders are functions of their input: they know no clock, no HTTP and no journal, and keep nothing. They may run in
// any goroutine that owns the batch.
package alertmanager

import (
	"fmt"
	"net/http"
	"time"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/ingest/internal/alertjson"
)

// Limits bounds what one request may hold; a field that is 0 stands for its default.
type Limits = alertjson.Limits

// Rejection is what a decoder refuses: the request, or some of its alerts.
type Rejection = alertjson.Rejection

// DecodeAlerts reads b.Body, the body of POST /api/v2/alerts, and adds the alerts to b; b.Source.Tenant must be set. It
// answers as Alertmanager 0.34 does: what cannot be read, an alert without labels and a malformed generator URL refuse the
// whole batch (a Code and a Message), other faults refuse their alert only and the rest is kept (Code 0, Message lines).
// nil means that all is well.
//
// Where it differs: bytes after the array are refused and not ignored, and null in place of an alert is a missing label set
// and not a crash; "" is an unset time and not 1970, and so is all of year 1.
//
// now decides which endsAt is past, and so Event.Cleared. b.Body is overwritten where it holds escapes, the events alias it.
func DecodeAlerts(b *event.Batch, now event.Time, lim Limits) *Rejection {
	d := alertsDecoder{Reader: alertjson.NewReader(b, alertsFormat(), lim), now: now.Time()}
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

func alertsFormat() alertjson.Format {
	return alertjson.Format{Names: [8]alertjson.Name{
		{Text: "annotations", Field: alertjson.Annotations},
		{Text: "endsAt", Field: alertjson.EndsAt},
		{Text: "startsAt", Field: alertjson.StartsAt},
		{Text: "generatorURL", Field: alertjson.URL},
		{Text: "labels", Field: alertjson.Labels},
	}}
}

type alertsDecoder struct {
	alertjson.Reader
	now         time.Time
	latestStart time.Time // of an alert that names no end

	grave      *alertjson.Fault // refuses the batch
	graveIndex int
	refused    *Rejection // of single alerts
}

func (d *alertsDecoder) body(b *event.Batch) *Rejection {
	s := &d.Scanner
	switch c := s.Peek(); c {
	case '[':
		if tooMany := d.alerts(b); tooMany != nil {
			return tooMany
		}
	case 0:
		if s.Err() == nil {
			return refuseBatch(http.StatusUnprocessableEntity, codeMissing, "alerts in body is required")
		}
	case 'n':
		s.Skip()
	default:
		d.Mismatch("alerts", "an array of alerts", c)
		d.grave, d.graveIndex = d.TakeFault(), -1
	}
	s.End()
	switch {
	case s.Err() != nil:
		return alertjson.NotJSON(s.Err())
	case d.grave != nil:
		return d.refuseGrave()
	}
	return d.refused
}

func (d *alertsDecoder) alerts(b *event.Batch) (tooMany *Rejection) {
	d.Scanner.Enter()
	i := 0
	for ok := d.Scanner.Element(true); ok; ok = d.Scanner.Element(false) {
		if i == d.Limits.AlertsPerRequest {
			return alertjson.TooMany(i, d.Scanner.Offset())
		}
		if f := d.alert(); f == nil {
			b.Add(d.Event(d.Alert.Over(d.now)))
		} else {
			d.fault(i, f)
		}
		i++
	}
	return nil
}

// alert reads an alert and judges it as Alertmanager does, in its order. null is an alert without anything.
func (d *alertsDecoder) alert() *alertjson.Fault {
	d.Read()
	a := &d.Alert
	if a.URL != "" && !alertjson.IsURL(a.URL) {
		d.Report(alertjson.WrongForm, "generatorURL", fmt.Sprintf("generatorURL in body must be of type uri: %q", a.URL), "")
	}
	if !a.HasLabels {
		d.Report(alertjson.Missing, "labels", "labels in body is required", "")
	}
	if a.EndsBeforeStart(d.latestStart) {
		d.Report(alertjson.Inconsistent, "startsAt", "start time must be before end time", "check the sender's clock")
	}
	d.Seal()
	return d.TakeFault()
}

// fault notes what is wrong with the alert at index i. A batch is refused for its first fault of type, else for its first
// other grave one.
func (d *alertsDecoder) fault(i int, f *alertjson.Fault) {
	switch {
	case f.Kind > alertjson.Missing:
		d.refused = alertjson.Refuse(d.refused, i, f)
	case d.grave == nil || f.Kind == alertjson.WrongType && d.grave.Kind != alertjson.WrongType:
		d.grave, d.graveIndex = f, i
	}
}

// Codes of go-swagger.
const (
	codeForm    = 601
	codeMissing = 602
)

func (d *alertsDecoder) refuseGrave() *Rejection {
	f := d.grave
	var r *Rejection
	switch f.Kind {
	case alertjson.WrongForm:
		r = refuseBatch(http.StatusUnprocessableEntity, codeForm, fmt.Sprintf("%d.%s", d.graveIndex, f.Message))
	case alertjson.Missing:
		r = refuseBatch(http.StatusUnprocessableEntity, codeMissing, fmt.Sprintf("%d.%s", d.graveIndex, f.Message))
	default:
		r = refuseBatch(http.StatusBadRequest, http.StatusBadRequest, alertjson.ParseMessage(f.Message))
	}
	if d.graveIndex >= 0 {
		r.Place = alertjson.Place(d.graveIndex, f.Field)
	}
	r.Offset, r.Hint = f.Offset, f.Hint
	return r
}

func refuseBatch(status, code int, message string) *Rejection {
	return &Rejection{Status: status, Code: code, Message: message}
}
