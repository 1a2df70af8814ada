package alertmanager

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/ingest"
	"github.com/tocsin-noc/tocsin/internal/auth"
)

// apiSource is the source of alerts that come without an ingest key. Prometheus does not say who it is.
const apiSource = "api-v2"

// postAlerts takes in alerts. Senders accept nothing but 200 with an empty body, and it means durable.
func (a *API) postAlerts(w http.ResponseWriter, r *http.Request) {
	adm := a.opts.Admission
	sender, p := adm.Sender(r, apiSource, event.Resender)
	if p != nil {
		p.Write(w, r)
		return
	}
	b, p := adm.Begin(r)
	if p != nil {
		a.failed(sender, p)
		answerProblem(w, r, p)
		return
	}
	b.Source = sender.Source
	rejected := DecodeAlerts(b, adm.Now(), a.opts.Limits)
	if rejected != nil {
		a.rejected(r.Context(), sender, rejected)
		if rejected.Code != 0 {
			adm.Drop(b)
			answerRejection(w, rejected)
			return
		}
	}
	if a.opts.ClassicMatchers {
		rejected = a.refuseNames(b, sender, rejected)
	}
	out, p := adm.Submit(r.Context(), sender, b, http.StatusServiceUnavailable)
	if p != nil {
		answerProblem(w, r, p)
		return
	}
	answerTaken(w, sender, rejected, out)
}

// refuseNames takes out the alerts with label names that classic mode does not know, and adds them to what was rejected.
func (a *API) refuseNames(b *event.Batch, sender *ingest.Sender, rejected *Rejection) *Rejection {
	var refused []string
	b.Events = slices.DeleteFunc(b.Events, func(ev event.Event) bool {
		i := slices.IndexFunc(ev.Labels, func(l event.Label) bool { return !a.validLabelName(l.Name) })
		if i >= 0 {
			refused = append(refused, fmt.Sprintf("invalid label set: invalid name %q", ev.Labels[i].Name))
		}
		return i >= 0
	})
	if len(refused) == 0 {
		return rejected
	}
	sender.Refused(len(refused), refused[0], a.now())
	if rejected == nil {
		rejected = &Rejection{Status: http.StatusBadRequest}
	} else {
		refused = append([]string{rejected.Message}, refused...)
	}
	rejected.Message = strings.Join(refused, "\n")
	return rejected
}

// answerTaken answers for a batch of which all valid alerts that fit were taken.
func answerTaken(w http.ResponseWriter, sender *ingest.Sender, rejected *Rejection, out ingest.Outcome) {
	if rejected == nil && out.OverCap == 0 {
		w.Header().Set("Content-Length", "0")
		w.WriteHeader(http.StatusOK)
		return
	}
	var messages []string
	if rejected != nil {
		messages = append(messages, rejected.Message)
	}
	if out.OverCap > 0 {
		messages = append(messages, out.OverCapMessage(sender.Name))
	}
	answer(w, http.StatusBadRequest, strings.Join(messages, "\n"))
}

// rejected notes in the source's figures what a decoder refused.
func (a *API) rejected(ctx context.Context, sender *ingest.Sender, r *Rejection) {
	now := a.opts.Admission.Now().Time()
	switch {
	case r.Code == 0:
		sender.Refused(r.Refused, r.Error(), now)
	case r.Status == http.StatusRequestEntityTooLarge:
		sender.Failed(ingest.TooLarge, r.Error(), now)
	default:
		sender.Failed(ingest.Malformed, r.Error(), now)
	}
	a.opts.Logger.LogAttrs(ctx, slog.LevelDebug, "alerts refused",
		slog.String("source", sender.Name), slog.String("err", r.Error()), slog.Int("kept", r.Kept))
}

// failed notes that a request could not be read.
func (a *API) failed(sender *ingest.Sender, p *auth.Problem) {
	class := ingest.Malformed
	if p.Status == http.StatusRequestEntityTooLarge {
		class = ingest.TooLarge
	}
	sender.Failed(class, p.Error(), a.opts.Admission.Now().Time())
}

// getAlerts lists the alerts that fire, by fingerprint.
func (a *API) getAlerts(w http.ResponseWriter, r *http.Request) {
	q, ok := a.alertQuery(w, r)
	if !ok {
		return
	}
	v := a.view(w, r)
	if v == nil {
		return
	}
	list := []*gettableAlert{}
	reader := newReader(v, tenant(r), a.now(), &q)
	for alert := range v.Alerts() {
		list = append(list, reader.of(alert)...)
	}
	sortByFingerprint(list)
	answer(w, http.StatusOK, list)
}

// fingerprint writes a fingerprint as Alertmanager does.
func fingerprint(ls event.Labels) string { return fmt.Sprintf("%016x", ls.Fingerprint()) }
