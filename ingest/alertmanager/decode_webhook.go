package alertmanager

import (
	"cmp"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/ingest/internal/alertjson"
)

// Message is what a webhook says about the group its alerts came in. Its strings alias the batch's body.
type Message struct {
	ExternalURL     string // of the Alertmanager or Grafana that sent it
	Receiver        string
	GroupKey        string // unique together with both of the above, not alone
	TruncatedAlerts uint64 // alerts of the group that were left out: their absence says nothing
	Grafana         bool   // Grafana's superset of the format
}

// DecodeWebhook reads b.Body, a webhook of Alertmanager (version 4) or Grafana (version 1, told by its orgId), and adds its
// alerts to b; b.Source.Tenant must be set, the rest of b.Source may follow from the Message. Whether an alert is over is
// taken from its own status and nothing else: the group's status lies when alerts were truncated.
//
// A bad alert never takes its neighbours down: the Rejection then has Code 0 and counts what was Kept, and as no later try
// can mend a bad alert, the caller may well answer 2xx to such a message. With any other Code nothing was kept.
//
// b.Body is overwritten where it holds escapes, the events alias it.
func DecodeWebhook(b *event.Batch, lim Limits) (Message, *Rejection) {
	d := webhookDecoder{Reader: alertjson.NewReader(b, webhookFormat(), lim), kept: len(b.Events)}
	rejection := d.body(b)
	if rejection == nil || rejection.Code == 0 {
		return d.message, rejection.Finish(len(b.Events) - d.kept)
	}
	d.drop(b)
	return Message{}, rejection
}

func webhookFormat() alertjson.Format {
	return alertjson.Format{Names: [8]alertjson.Name{
		{Text: "status", Field: alertjson.Status},
		{Text: "labels", Field: alertjson.Labels},
		{Text: "annotations", Field: alertjson.Annotations},
		{Text: "startsAt", Field: alertjson.StartsAt},
		{Text: "endsAt", Field: alertjson.EndsAt},
		{Text: "generatorURL", Field: alertjson.URL},
		{Text: "fingerprint", Field: alertjson.Ignored},
		{Text: "values", Field: alertjson.Ignored},
	}}
}

type webhookDecoder struct {
	alertjson.Reader
	message Message
	version string
	hasList bool // the message has a field alerts
	kept    int  // events of the batch that are not ours

	wrong   *alertjson.Fault // the first field of the message that has a wrong type
	tooMany *Rejection
	refused *Rejection // of single alerts
}

func (d *webhookDecoder) body(b *event.Batch) *Rejection {
	s := &d.Scanner
	c := s.Peek()
	if c == '{' {
		s.Enter()
		for name, ok := s.Member(true); ok && d.tooMany == nil; name, ok = s.Member(false) {
			d.field(b, name)
		}
	} else {
		s.Skip()
	}
	if d.tooMany != nil {
		return d.tooMany
	}
	s.End()
	if s.Err() != nil {
		return notWebhook(s.Err().Error(), s.Err().Offset)
	}
	if f := d.wrong; f != nil {
		r := notWebhook(f.Message, f.Offset)
		r.Place = f.Field
		return r
	}
	return cmp.Or(d.foreign(), d.refused)
}

// field reads a field of the message. Names match as encoding/json matches them.
func (d *webhookDecoder) field(b *event.Batch, name string) {
	m := &d.message
	switch {
	case strings.EqualFold(name, "alerts"):
		d.alerts(b)
	case strings.EqualFold(name, "version"):
		d.text(&d.version, name)
	case strings.EqualFold(name, "receiver"):
		d.text(&m.Receiver, name)
	case strings.EqualFold(name, "externalURL"):
		d.text(&m.ExternalURL, name)
	case strings.EqualFold(name, "groupKey"):
		d.text(&m.GroupKey, name)
	case strings.EqualFold(name, "truncatedAlerts"):
		m.TruncatedAlerts = d.Uint(name)
		d.noteWrong()
	case strings.EqualFold(name, "orgId"):
		m.Grafana = true
		d.Scanner.Skip()
	default:
		d.Scanner.Skip()
	}
}

func (d *webhookDecoder) text(field *string, name string) {
	d.Text(field, name)
	d.noteWrong()
}

// noteWrong keeps the first fault outside of the alerts.
func (d *webhookDecoder) noteWrong() {
	d.wrong = cmp.Or(d.wrong, d.TakeFault())
}

// alerts reads the list of alerts; a second list replaces the first, as in encoding/json.
func (d *webhookDecoder) alerts(b *event.Batch) {
	d.hasList = true
	d.refused = nil
	d.drop(b)
	switch c := d.Scanner.Peek(); c {
	case '[':
	case 'n':
		d.Scanner.Skip()
		return
	default:
		d.Mismatch("alerts", "an array", c)
		d.noteWrong()
		return
	}
	d.Scanner.Enter()
	i := 0
	for ok := d.Scanner.Element(true); ok; ok = d.Scanner.Element(false) {
		if i == d.Limits.AlertsPerRequest {
			d.tooMany = alertjson.TooMany(i, d.Scanner.Offset())
			return
		}
		if f := d.alert(); f == nil {
			b.Add(d.Event(d.Alert.Status == resolved))
		} else {
			d.refused = alertjson.Refuse(d.refused, i, f)
		}
		i++
	}
}

// The two states of an alert in a webhook.
const (
	firing   = "firing"
	resolved = "resolved"
)

func (d *webhookDecoder) alert() *alertjson.Fault {
	d.Read()
	a := &d.Alert
	if a.Status != firing && a.Status != resolved {
		d.Report(alertjson.Missing, "status", fmt.Sprintf("status must be %q or %q (got %.40q)", firing, resolved, a.Status), "")
	}
	if a.EndsAt.Before(a.StartsAt) {
		a.EndsAt = time.Time{} // clocks differ, and the status tells whether it is over
	}
	d.Seal()
	return d.TakeFault()
}

// foreign returns a rejection unless the message is of a format and version that this decoder knows.
func (d *webhookDecoder) foreign() *Rejection {
	switch {
	case d.version == "" && !d.message.Grafana:
		return notWebhook("the field version is missing", 0)
	case !d.hasList:
		return notWebhook("the field alerts is missing", 0)
	case d.version == "4" || d.version == "1" && d.message.Grafana:
		return nil
	}
	r := notWebhook(fmt.Sprintf("version is %.40q", d.version), 0)
	r.Hint = "Alertmanager 0.6 and later send version 4"
	return r
}

func (d *webhookDecoder) drop(b *event.Batch) {
	clear(b.Events[d.kept:])
	b.Events = b.Events[:d.kept]
}

// notWebhook is the rejection of a message as a whole.
func notWebhook(reason string, offset int) *Rejection {
	return &Rejection{
		Status:  http.StatusBadRequest,
		Code:    http.StatusBadRequest,
		Message: "not a webhook of Alertmanager, version 4: " + reason,
		Offset:  offset,
		Hint:    "a receiver with payload: in its webhook_configs writes a body of its own; remove payload: or send it to the generic webhook",
	}
}
