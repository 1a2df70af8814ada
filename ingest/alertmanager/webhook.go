package alertmanager

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/ingest"
	"github.com/tocsin-noc/tocsin/internal/auth"
)

// webhookSource is the source of a webhook that does not say whose it is, and the start of every other's name.
const webhookSource = "webhook"

// postWebhook takes in a webhook. Alertmanager tries 5xx again and drops 4xx, so 2xx means durable, 503 means come again, and
// 400 that no later try can help. Bad alerts do not take their neighbours down: what was kept of a message is answered 200,
// and the rest is in the source's figures.
func (a *API) postWebhook(w http.ResponseWriter, r *http.Request) {
	if p := auth.CheckSend(r.Context()); p != nil {
		p.Write(w, r)
		return
	}
	adm := a.opts.Admission
	b, p := adm.Begin(r)
	if p != nil {
		a.webhookFailed(w, r, p)
		return
	}
	b.Source.Tenant = auth.FromContext(r.Context()).Tenant
	message, rejected := DecodeWebhook(b, a.opts.Limits)
	sender, p := adm.Sender(r, sourceName(message.ExternalURL), event.SendOnce)
	if p != nil {
		adm.Drop(b)
		p.Write(w, r)
		return
	}
	if n := message.TruncatedAlerts; n > 0 {
		sender.Failed(ingest.Truncated, fmt.Sprintf("receiver %.64q left out %d alerts of a group: set max_alerts: 0 there", message.Receiver, n), adm.Now().Time())
	}
	if rejected != nil {
		a.rejected(r.Context(), sender, rejected)
		if rejected.Kept == 0 {
			adm.Drop(b)
			rejectionProblem(rejected).Write(w, r)
			return
		}
	}
	out, p := adm.Submit(r.Context(), sender, b, http.StatusServiceUnavailable)
	switch {
	case p != nil:
		p.Write(w, r)
	case out.OverCap > 0:
		overCapProblem(sender, out).Write(w, r)
	default:
		answerEmpty(w, http.StatusOK)
	}
}

// webhookFailed answers for a webhook that could not be read.
func (a *API) webhookFailed(w http.ResponseWriter, r *http.Request, p *auth.Problem) {
	if sender, denied := a.opts.Admission.Sender(r, webhookSource, event.SendOnce); denied == nil {
		a.failed(sender, p)
	}
	p.Write(w, r)
}

func overCapProblem(sender *ingest.Sender, out ingest.Outcome) *auth.Problem {
	return &auth.Problem{
		Status: http.StatusBadRequest, Code: "over_cap", Detail: out.OverCapMessage(sender.Name),
		Hint: "find out why the source has so many alerts, or raise limits.alerts_per_source",
	}
}

func rejectionProblem(r *Rejection) *auth.Problem {
	p := &auth.Problem{Status: r.Status, Code: "invalid_alerts", Detail: r.Message, Hint: r.Hint}
	if r.Place != "" {
		p.Detail = r.Place + ": " + r.Message
	}
	if r.Code != 0 {
		p.Code = "malformed"
	}
	for _, alert := range r.Alerts {
		p.Errors = append(p.Errors, alert.Place+": "+alert.Message)
	}
	return p
}

// sourceName returns the name of the source whose external URL that is: host, port and path. Highly available twins that name
// one external URL are one source.
func sourceName(externalURL string) string {
	if externalURL == "" {
		return webhookSource
	}
	u, err := url.Parse(externalURL)
	if err != nil || u.Host == "" {
		return webhookSource + ":" + externalURL
	}
	return webhookSource + ":" + strings.ToLower(u.Host) + strings.TrimRight(u.Path, "/")
}
