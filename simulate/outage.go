package simulate

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"
)

// An outage for newcomers: a database runs out of disk, and what rests on it complains. It is sent to the public endpoints as
// Prometheus and Alertmanager would, over HTTP, and repeats until it is over.

const (
	outageLasts  = 15 * time.Minute
	outageRepeat = time.Minute
)

type promAlert struct {
	Labels       map[string]string `json:"labels"`
	Annotations  map[string]string `json:"annotations"`
	StartsAt     time.Time         `json:"startsAt"`
	EndsAt       time.Time         `json:"endsAt,omitzero"`
	GeneratorURL string            `json:"generatorURL,omitempty"`
	Status       string            `json:"status,omitempty"` // webhooks only
}

// line is one alert of the story: how long after the beginning it starts, and what it says.
type line struct {
	after                     time.Duration
	name, severity, who, text string
}

var outage = []line{
	{0, "DiskFull", "critical", "db-3", "/var/lib/postgresql on db-3 is 100 % full"},
	{1 * time.Second, "PostgresDown", "critical", "db-3", "postgres on db-3 refuses connections: no space left on device"},
	{2 * time.Second, "HighErrorRate", "critical", "checkout-7f9c-1", "41 % of requests fail with 500"},
	{2 * time.Second, "HighErrorRate", "critical", "checkout-7f9c-2", "39 % of requests fail with 500"},
	{2 * time.Second, "HighLatency", "warning", "checkout-7f9c-1", "p99 is 8.2 s"},
	{3 * time.Second, "HighLatency", "warning", "checkout-7f9c-2", "p99 is 9.1 s"},
	{3 * time.Second, "QueueGrowing", "warning", "orders-0", "12,400 orders wait"},
	{3 * time.Second, "PodRestarting", "info", "checkout-7f9c-2", "restarted 3 times in 5 min"},
}

// estate is what the outage happens to.
const estate = `# what the demo outage happens to
services:
  - {id: checkout, name: Checkout, criticality: 1, owner: the shop's team, team: shop, depends_on: [checkout-app, orders-db]}
cis:
  - {id: orders-db, class: database, hosted_on: db-3}
  - {id: db-3, class: host}
  - {id: checkout-app, class: deployment, depends_on: orders-db}
  - {id: checkout-7f9c-1, class: pod, part_of: checkout-app}
  - {id: checkout-7f9c-2, class: pod, part_of: checkout-app}
  - {id: orders, class: queue, depends_on: orders-db}
  - {id: orders-0, class: pod, part_of: orders}
`

// PlayOutage plays the outage into the daemon at base, tells out what to look at, and returns when it is over or ctx ends.
func PlayOutage(ctx context.Context, base string, out io.Writer) error {
	if err := post(ctx, base+"/api/v1/cmdb/import?source=demo", "text/yaml", []byte(estate)); err != nil {
		return err
	}
	began := time.Now()
	for _, l := range outage {
		if !sleep(ctx, time.Until(began.Add(l.after))) {
			return ctx.Err()
		}
		if err := sendPrometheus(ctx, base, began, []line{l}, false); err != nil {
			return err
		}
	}
	if err := sendWebhook(ctx, base, began, "firing"); err != nil {
		return err
	}
	if err := report(ctx, base, out); err != nil {
		return err
	}
	for time.Since(began) < outageLasts {
		if !sleep(ctx, outageRepeat) {
			return ctx.Err()
		}
		if err := sendPrometheus(ctx, base, began, outage, false); err != nil {
			return err
		}
	}
	if err := sendPrometheus(ctx, base, began, outage, true); err != nil {
		return err
	}
	return sendWebhook(ctx, base, began, "resolved")
}

func sleep(ctx context.Context, d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-ctx.Done():
		return false
	}
}

func sendPrometheus(ctx context.Context, base string, began time.Time, lines []line, over bool) error {
	var alerts []promAlert
	for _, l := range lines {
		ends := time.Now().Add(4 * outageRepeat)
		if over {
			ends = time.Now()
		}
		alerts = append(alerts, promAlert{
			Labels: map[string]string{
				"alertname": l.name, "severity": l.severity, "instance": l.who, "service": "checkout", "cluster": "eu-1",
				"replica": "prometheus-0",
			},
			Annotations:  map[string]string{"summary": l.text},
			StartsAt:     began.Add(l.after),
			EndsAt:       ends,
			GeneratorURL: "http://prometheus.example/graph?g0.expr=" + l.name,
		})
	}
	return postJSON(ctx, base+"/api/v2/alerts", alerts)
}

func sendWebhook(ctx context.Context, base string, began time.Time, status string) error {
	alert := promAlert{
		Status: status,
		Labels: map[string]string{
			"alertname": "ProbeFailed", "severity": "critical", "instance": "https://shop.example/checkout",
			"service": "checkout", "cluster": "eu-1",
		},
		Annotations: map[string]string{"summary": "the checkout page does not answer"},
		StartsAt:    began.Add(3 * time.Second),
	}
	if status == "resolved" {
		alert.EndsAt = time.Now()
	}
	return postJSON(ctx, base+"/webhook/alertmanager", map[string]any{
		"version": "4", "status": status, "receiver": "tocsin", "groupKey": "{}:{alertname=\"ProbeFailed\"}", "truncatedAlerts": 0,
		"groupLabels": map[string]string{"alertname": "ProbeFailed"}, "commonLabels": alert.Labels, "commonAnnotations": alert.Annotations,
		"externalURL": "http://alertmanager.example", "alerts": []promAlert{alert},
	})
}

func postJSON(ctx context.Context, url string, body any) error {
	b, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("simulate: outage: %w", err)
	}
	return post(ctx, url, "application/json", b)
}

func post(ctx context.Context, url, contentType string, body []byte) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("simulate: outage: %w", err)
	}
	req.Header.Set("Content-Type", contentType)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("simulate: outage: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK && resp.StatusCode != http.StatusNoContent && resp.StatusCode != http.StatusAccepted {
		text, _ := io.ReadAll(io.LimitReader(resp.Body, 512))
		return fmt.Errorf("simulate: outage: %s answered %s: %s", url, resp.Status, text)
	}
	return nil
}

// report reads the incident back through the API and says where to look.
func report(ctx context.Context, base string, out io.Writer) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, base+"/api/v1/incidents?status=open&limit=1", nil)
	if err != nil {
		return fmt.Errorf("simulate: outage: %w", err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("simulate: outage: %w", err)
	}
	defer resp.Body.Close()
	var list struct {
		Incidents []struct {
			ID       string `json:"id"`
			Title    string `json:"title"`
			Severity string `json:"severity"`
			Priority int    `json:"priority"`
			Alerts   struct {
				Total int `json:"total"`
			} `json:"alerts"`
			Services []struct {
				Service string `json:"service"`
			} `json:"services"`
		} `json:"incidents"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&list); err != nil {
		return fmt.Errorf("simulate: outage: %w", err)
	}
	if len(list.Incidents) == 0 {
		return fmt.Errorf("simulate: outage: no incident was opened")
	}
	i := list.Incidents[0]
	hurts := "nobody"
	if len(i.Services) > 0 {
		hurts = i.Services[0].Service
	}
	_, err = fmt.Fprintf(out, `
A demo outage is playing (DEMO=0 starts without it): %d alerts, one incident.

  %s  P%d %s  %s  hurts %s

  in the browser   %s/
  on the terminal  bin/tocsin incident show %s
  and why          bin/tocsin explain %s

`, i.Alerts.Total, i.ID, i.Priority, i.Severity, i.Title, hurts, base, i.ID, i.ID)
	return err
}
