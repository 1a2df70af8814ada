package receivers

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	amtemplate "github.com/prometheus/alertmanager/template"
	commoncfg "github.com/prometheus/common/config"
	"gopkg.in/yaml.v3"

	"github.com/tocsin-noc/tocsin/notify/message"
)

// Webhook is the configuration of a webhook.
type Webhook struct {
	URL        string                      `yaml:"url"`
	URLFile    string                      `yaml:"url_file"`
	Format     string                      `yaml:"format"` // see the Format constants
	HTTPConfig *commoncfg.HTTPClientConfig `yaml:"http_config"`
}

// The formats of a webhook's body.
const (
	FormatAlertmanager    = "alertmanager"     // the body of Alertmanager's webhook, version 4
	FormatAlertmanagerAPI = "alertmanager_api" // what Alertmanager's own API v2 takes: one alert for the incident
	FormatTocsin          = "tocsin"           // message.Data
)

func formats() []string { return []string{FormatAlertmanager, FormatAlertmanagerAPI, FormatTocsin} }

// webhook posts JSON.
type webhook struct {
	name, url, format, agent string
	client                   *http.Client
	timeout                  time.Duration
}

func scalar(text string) *yaml.Node { return &yaml.Node{Kind: yaml.ScalarNode, Value: text} }

func newWebhook(s Spec, o Options) (Receiver, error) {
	wrong := func(err error) error { return fmt.Errorf("%w: receiver %s: webhook: %w", ErrConfig, s.Name, err) }
	c := Webhook{Format: FormatTocsin}
	if err := decode(s.Config, &c); err != nil {
		return nil, wrong(err)
	}
	if (c.URL == "") == (c.URLFile == "") {
		return nil, wrong(errors.New("needs exactly one of url and url_file"))
	}
	if c.URLFile != "" {
		path := c.URLFile
		if !filepath.IsAbs(path) {
			path = filepath.Join(s.Dir, path)
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, wrong(err)
		}
		c.URL = strings.TrimSpace(string(text))
	}
	if u, err := url.Parse(c.URL); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, wrong(errors.New("url must be an http or https URL"))
	}
	if !slices.Contains(formats(), c.Format) {
		return nil, wrong(fmt.Errorf("format must be one of %s", strings.Join(formats(), ", ")))
	}
	h, opts, err := httpConfig(c.HTTPConfig, o)
	if err != nil {
		return nil, wrong(err)
	}
	h.SetDirectory(s.Dir)
	client, err := commoncfg.NewClientFromConfig(*h, "webhook", opts...)
	if err != nil {
		return nil, wrong(err)
	}
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &webhook{s.Name, c.URL, c.Format, "Tocsin/" + o.Version, client, o.Timeout}, nil
}

func (r *webhook) Name() string { return r.name }

// Send posts the message. 2xx is taken; 408, 425, 429 and 5xx may pass; any other answer will not.
func (r *webhook) Send(ctx context.Context, m message.Message, _ []string) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, r.timeout)
	defer cancel()
	body, err := json.Marshal(r.body(&m))
	if err != nil {
		return false, fmt.Errorf("receivers: %s: %w", r.name, err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.url, bytes.NewReader(body))
	if err != nil {
		return false, fmt.Errorf("receivers: %s: %w", r.name, err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", r.agent)
	req.Header.Set("Idempotency-Key", m.Key)
	resp, err := r.client.Do(req)
	if err != nil {
		if u, ok := errors.AsType[*url.Error](err); ok { // its text holds the URL, which may be a secret
			err = u.Err
		}
		return true, fmt.Errorf("receivers: %s: %w", r.name, err)
	}
	defer resp.Body.Close()
	return r.judge(resp)
}

func (r *webhook) judge(resp *http.Response) (bool, error) {
	said, _ := io.ReadAll(io.LimitReader(resp.Body, 512)) // for people; without it the status says enough
	if resp.StatusCode/100 == 2 {
		return false, nil
	}
	err := error(&Answered{resp.StatusCode, fmt.Errorf("receivers: %s answered %s: %q", r.name, resp.Status, strings.TrimSpace(string(said)))})
	switch code := resp.StatusCode; {
	case code == http.StatusRequestTimeout, code == http.StatusTooEarly, code == http.StatusTooManyRequests, code >= 500:
		if after := retryAfter(resp.Header.Get("Retry-After")); after > 0 {
			return true, &RetryLater{after, err}
		}
		return true, err
	}
	return false, err
}

// retryAfter reads the header in seconds, bounded to an hour; 0 when it says nothing.
func retryAfter(text string) time.Duration {
	seconds, err := strconv.Atoi(text)
	if err != nil || seconds < 0 {
		return 0
	}
	return min(time.Duration(seconds)*time.Second, time.Hour)
}

func (r *webhook) body(m *message.Message) any {
	switch r.format {
	case FormatTocsin:
		return m.Data
	case FormatAlertmanagerAPI:
		return []postable{postableOf(m)}
	}
	return v4(r.name, m)
}

// postable is an alert as Alertmanager's API v2 takes it.
type postable struct {
	Labels       map[string]string `json:"labels"`
	Annotations  map[string]string `json:"annotations"`
	StartsAt     time.Time         `json:"startsAt"`
	EndsAt       time.Time         `json:"endsAt,omitzero"`
	GeneratorURL string            `json:"generatorURL,omitempty"`
}

// postableOf tells an incident as one alert, whose labels stay the same from its opening to its end.
func postableOf(m *message.Message) postable {
	out := postable{
		Labels:      map[string]string{"alertname": "TocsinIncident", "tenant": m.Data.Tenant, "subject": m.Group()},
		Annotations: map[string]string{"summary": m.Title, "description": m.Text, "priority": fmt.Sprintf("P%d", m.Priority)},
		StartsAt:    m.At, GeneratorURL: m.Link,
	}
	if i := m.Data.Incident; i != nil {
		out.StartsAt = i.OpenedAt
		for name, value := range i.Labels {
			if out.Labels[name] == "" {
				out.Labels[name] = value
			}
		}
	}
	if m.Resolved {
		out.EndsAt = m.At
	} else {
		out.EndsAt = m.At.Add(24 * time.Hour) // it is not repeated
	}
	return out
}

// v4Body is Alertmanager's webhook body, version 4.
type v4Body struct {
	*amtemplate.Data
	Version         string `json:"version"`
	GroupKey        string `json:"groupKey"`
	TruncatedAlerts uint64 `json:"truncatedAlerts"`
}

// v4 tells an incident as Alertmanager tells a group: its alerts, and as annotations what Tocsin says of it. What is no incident
// is told as one alert.
func v4(receiver string, m *message.Message) v4Body {
	data := &amtemplate.Data{
		Receiver: receiver, Status: "firing", ExternalURL: m.Data.ExternalURL, Alerts: amtemplate.Alerts{},
		GroupLabels: amtemplate.KV{}, CommonLabels: amtemplate.KV{}, CommonAnnotations: amtemplate.KV{},
	}
	if m.Resolved {
		data.Status = "resolved"
	}
	body := v4Body{Data: data, Version: "4", GroupKey: m.Group()}
	i := m.Data.Incident
	if i == nil {
		labels := amtemplate.KV{"alertname": "Tocsin " + strings.ReplaceAll(string(m.Event), "_", " "), "tenant": m.Data.Tenant, "subject": m.Group()}
		data.Alerts = append(data.Alerts, amtemplate.Alert{
			Status: data.Status, Labels: labels, StartsAt: m.At, GeneratorURL: m.Link, Fingerprint: fingerprint(labels),
			Annotations: amtemplate.KV{"summary": m.Title, "description": m.Text},
		})
		if m.Resolved {
			data.Alerts[0].EndsAt = m.At
		}
		data.CommonLabels, data.CommonAnnotations = labels, data.Alerts[0].Annotations
		return body
	}
	for _, a := range i.Alerts {
		if m.Resolved && a.Status != "resolved" { // by hand: in Alertmanager's words a group is resolved when all of it is
			a.Status, a.EndsAt = "resolved", m.At
		}
		data.Alerts = append(data.Alerts, amtemplate.Alert{
			Status: a.Status, Labels: amtemplate.KV(notNil(a.Labels)), Annotations: amtemplate.KV(notNil(a.Annotations)),
			StartsAt: a.StartsAt, EndsAt: a.EndsAt, GeneratorURL: a.GeneratorURL, Fingerprint: a.Fingerprint,
		})
	}
	body.TruncatedAlerts = uint64(max(0, i.Truncated))
	data.GroupLabels = amtemplate.KV(notNil(i.Labels))
	data.CommonLabels = shared(data.Alerts, func(a amtemplate.Alert) amtemplate.KV { return a.Labels })
	data.CommonAnnotations = shared(data.Alerts, func(a amtemplate.Alert) amtemplate.KV { return a.Annotations })
	maps.Copy(data.CommonAnnotations, map[string]string{
		"incident": i.ID, "incident_title": i.Title, "incident_event": string(m.Event), "incident_priority": fmt.Sprintf("P%d", i.Priority),
		"incident_text": m.Text,
	})
	if i.Link != "" {
		data.CommonAnnotations["incident_url"] = i.Link
	}
	return body
}

func notNil(m map[string]string) map[string]string {
	if m == nil {
		return map[string]string{}
	}
	return m
}

// shared returns the pairs that all alerts have.
func shared(alerts amtemplate.Alerts, of func(amtemplate.Alert) amtemplate.KV) amtemplate.KV {
	if len(alerts) == 0 {
		return amtemplate.KV{}
	}
	out := maps.Clone(of(alerts[0]))
	for _, a := range alerts[1:] {
		maps.DeleteFunc(out, func(name, value string) bool { v, ok := of(a)[name]; return !ok || v != value })
	}
	return out
}

// fingerprint tells the one alert of a message that is about no incident from others.
func fingerprint(labels amtemplate.KV) string {
	var h uint64 = 14695981039346656037
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		for _, b := range []byte(name + "\xff" + labels[name] + "\xff") {
			h = (h ^ uint64(b)) * 1099511628211
		}
	}
	return fmt.Sprintf("%016x", h)
}
