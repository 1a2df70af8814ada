package api

import (
	"fmt"
	"net/url"
	"time"

	"github.com/tocsin-noc/tocsin/correlate"
	"github.com/tocsin-noc/tocsin/event"
)

// Alert is an alert as the API shows it.
type Alert struct {
	Tenant      string            `json:"tenant"`
	ID          string            `json:"id"`
	Identity    string            `json:"identity" doc:"Tocsin's fingerprint: all labels without replica, prometheus_replica and severity"`
	Name        string            `json:"name" doc:"the label alertname"`
	Resource    string            `json:"resource" doc:"the thing that is ill, as far as the labels tell"`
	State       string            `json:"state" enum:"firing,cleared,expired"`
	Severity    string            `json:"severity" enum:"critical,major,minor,warning,info,clear"`
	Suppressed  bool              `json:"suppressed" doc:"silences, maintenance windows or other alerts quiet every live claim of it"`
	Reason      string            `json:"reason" doc:"why it is where it is, for machines"`
	Why         string            `json:"why" doc:"the same in a sentence"`
	Incident    string            `json:"incident" doc:"empty: in none"`
	CI          string            `json:"ci" doc:"id of the configuration item it is bound to; empty: to none"`
	Bound       string            `json:"bound" enum:"unbound,id,label,discovered,ambiguous" doc:"how it is bound, or why to none"`
	BoundBy     string            `json:"bound_by" doc:"the label whose value named the item, or several"`
	Rule        string            `json:"rule" doc:"grouping rule; empty when none has looked at it"`
	Key         map[string]string `json:"key" doc:"what it is grouped by"`
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations" doc:"of the source that spoke last"`
	URL         string            `json:"url" doc:"where it comes from; http or https, else empty"`
	StartsAt    *time.Time        `json:"starts_at"`
	FiringAt    *time.Time        `json:"firing_at" doc:"when this occurrence arrived"`
	EndedAt     *time.Time        `json:"ended_at"`
	EasesAt     *time.Time        `json:"eases_at" doc:"when the severity falls to what the sources say now"`
	FirstAt     *time.Time        `json:"first_at" doc:"when the first occurrence arrived"`
	Occurrences uint32            `json:"occurrences"`
	SilencedBy  []string          `json:"silenced_by" doc:"ids of silences"`
	InhibitedBy map[string]string `json:"inhibited_by" doc:"labels of an alert that inhibits it; empty: none"`
	Maintenance []WindowBrief     `json:"maintenance" doc:"maintenance windows that quiet it"`
	Flapping    *Flapping         `json:"flapping,omitempty" doc:"left out: it does not change often"`
	Claims      []Claim           `json:"claims" doc:"what each source says, the latest first"`
}

// Flapping is an alert's record of going up and down.
type Flapping struct {
	Damped   bool       `json:"damped" doc:"it changes so often that what it says now does not count"`
	Changes  uint32     `json:"changes" doc:"in this bout"`
	Since    *time.Time `json:"since" doc:"when this bout began"`
	CalmAt   *time.Time `json:"calm_at" doc:"when the damping ends if it does not change again; null: not damped"`
	Sentence string     `json:"sentence" example:"flapping: 14 changes in 20 min, quiet for 9 min more"`
}

// flapping returns an alert's record at now, nil when there is none to speak of.
func flapping(f event.Flap, now event.Time) *Flapping {
	if !f.Damped && f.Changes < 2 {
		return nil
	}
	out := &Flapping{Damped: f.Damped, Changes: f.Changes, Since: stamp(f.Since), CalmAt: stamp(correlate.CalmAt(f))}
	out.Sentence = fmt.Sprintf("%d changes in %s", f.Changes, minutes(f.At-f.Since))
	if f.Damped {
		out.Sentence = "flapping: " + out.Sentence + ", quiet for " + minutes(correlate.CalmAt(f)-now) + " more"
	}
	return out
}

// Claim is what one source says about one label set of an alert.
type Claim struct {
	Source          string            `json:"source"`
	Kind            string            `json:"kind" enum:"resender,send_once,unknown"`
	State           string            `json:"state" enum:"firing,cleared,expired"`
	Severity        string            `json:"severity"`
	SeverityUnknown bool              `json:"severity_unknown" doc:"the severity is a guess: the label is missing or its word unknown"`
	Fingerprint     string            `json:"fingerprint" doc:"Alertmanager's fingerprint of the labels"`
	Labels          map[string]string `json:"labels"`
	Annotations     map[string]string `json:"annotations"`
	URL             string            `json:"url"`
	StartsAt        *time.Time        `json:"starts_at"`
	EndsAt          *time.Time        `json:"ends_at" doc:"firing: valid until, null for good; else when it ended"`
	SeenAt          *time.Time        `json:"seen_at" doc:"when the source spoke of it last"`
	Timeout         bool              `json:"timeout" doc:"the source named no end: resolve_timeout counts"`
	Unconfirmed     bool              `json:"unconfirmed" doc:"long without word from a source that speaks on changes only"`
	Silences        uint16            `json:"silences" doc:"how many active ones match"`
	Inhibited       bool              `json:"inhibited"`
	Maintenance     bool              `json:"maintenance" doc:"began inside a maintenance window that still runs"`
}

func (d *Desk) alert(v *correlate.View, a correlate.Alert) Alert {
	st, ls := a.State(), a.Labels()
	out := Alert{
		Tenant: a.Tenant(), ID: st.ID.String(), Identity: fmt.Sprintf("%016x", a.Identity()), Name: st.Name, Resource: st.Resource,
		State: st.Phase.String(), Severity: st.Severity.String(), Suppressed: st.Suppressed,
		Reason: st.Reason.String(), Why: alertWhy(v, st), Key: map[string]string{}, Labels: ls.Map(),
		StartsAt: stamp(st.StartsAt), FiringAt: stamp(st.FiringAt), EndedAt: stamp(st.EndedAt), EasesAt: stamp(st.EasesAt),
		FirstAt: stamp(st.FirstAt), Occurrences: st.Occurrences, SilencedBy: []string{}, InhibitedBy: map[string]string{},
		Maintenance: []WindowBrief{}, Flapping: flapping(st.Flap, d.now()),
	}
	ci, bound, label := a.CI()
	out.CI, out.Bound, out.BoundBy = ci, bound.String(), label
	if st.Incident != 0 {
		out.Incident = st.Incident.String()
	}
	if a.HasGroup() {
		rule, key := a.Group()
		out.Rule = rule
		if !correlate.ByTopology(rule, key) {
			out.Key = key.Map()
		}
	}
	var newest event.Time
	for c := range a.Claims() {
		out.Claims = append(out.Claims, claim(c))
		if c.SeenAt >= newest {
			newest, out.Annotations, out.URL = c.SeenAt, c.Annotations.Map(), safeURL(c.GeneratorURL)
		}
	}
	d.quieting(v, a, &out)
	return out
}

// quieting says what keeps a firing alert quiet now.
func (d *Desk) quieting(v *correlate.View, a correlate.Alert, out *Alert) {
	if a.Phase() != event.Firing {
		return
	}
	tenant, seen := a.Tenant(), map[string]bool{}
	for c := range a.Claims() {
		if c.Phase != event.Firing {
			continue
		}
		for _, id := range v.SilencedBy(tenant, c.Labels, d.now()) {
			if !seen[id] {
				seen[id], out.SilencedBy = true, append(out.SilencedBy, id)
			}
		}
		if c.Inhibited && len(out.InhibitedBy) == 0 {
			out.InhibitedBy = v.InhibitedBy(tenant, c.Labels).Map()
		}
		if !c.Maintenance {
			continue
		}
		for _, w := range v.WindowsOver(tenant, c.Labels) {
			if !seen[w.ID] {
				seen[w.ID], out.Maintenance = true, append(out.Maintenance, WindowBrief{w.ID, w.Name, stamp(w.CloseAt)})
			}
		}
	}
}

func claim(c correlate.Claim) Claim {
	return Claim{
		Source: c.SourceName, Kind: c.SourceKind.String(), State: c.Phase.String(), Severity: c.Severity.String(),
		SeverityUnknown: c.SeverityUnknown, Fingerprint: fmt.Sprintf("%016x", c.Labels.Fingerprint()),
		Labels: c.Labels.Map(), Annotations: c.Annotations.Map(), URL: safeURL(c.GeneratorURL),
		StartsAt: stamp(c.StartsAt), EndsAt: stamp(c.EndsAt), SeenAt: stamp(c.SeenAt),
		Timeout: c.Timeout, Unconfirmed: c.Unconfirmed, Silences: c.Silences, Inhibited: c.Inhibited, Maintenance: c.Maintenance,
	}
}

// safeURL lets through what a browser may open: senders write what they like, javascript: too.
func safeURL(text string) string {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return ""
	}
	return u.String()
}
