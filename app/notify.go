package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/tocsin-noc/tocsin/api"
	"github.com/tocsin-noc/tocsin/correlate"
	"github.com/tocsin-noc/tocsin/engine"
	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/internal/auth"
	"github.com/tocsin-noc/tocsin/internal/outbound"
	"github.com/tocsin-noc/tocsin/internal/people"
	"github.com/tocsin-noc/tocsin/notify"
	"github.com/tocsin-noc/tocsin/notify/message"
	"github.com/tocsin-noc/tocsin/notify/receivers"
	"github.com/tocsin-noc/tocsin/notify/settings"
)

// loadNotify reads the file that says who is told, with its templates, and makes the receivers.
func (s *loaded) loadNotify(o *Options) error {
	c := s.config
	text, err := []byte(nil), error(nil)
	if c.NotifyFile != "" {
		if text, err = os.ReadFile(c.NotifyFile); err != nil {
			return fmt.Errorf("app: notify_file: %w", err)
		}
	}
	set, err := settings.Parse(cmp.Or(c.NotifyFile, "notify.yml"), text)
	if err != nil {
		return err
	}
	if c.NotifyFile != "" {
		for _, w := range set.Warnings {
			o.Logger.Warn("notifications", "warning", w.String())
		}
		if c.ExternalURL == "" {
			o.Logger.Warn("messages have no links: external_url is not set")
		}
	} else {
		o.Logger.Warn("nobody is told of incidents: notify_file names no settings")
	}
	var files []message.Source
	for _, name := range set.Templates {
		text, err := os.ReadFile(name)
		if err != nil {
			return fmt.Errorf("app: templates: %w", err)
		}
		files = append(files, message.Source{Name: name, Text: string(text)})
	}
	overrides := map[string]message.Override{}
	for i := range set.Receivers {
		overrides[set.Receivers[i].Name] = set.Receivers[i].Override
	}
	s.notify.Settings = set
	if s.notify.Templates, err = message.New(c.ExternalURL, files, overrides); err != nil {
		return err
	}
	policy, err := outbound.New(set.Allow)
	if err != nil {
		return err
	}
	s.notify.Receivers = map[string]receivers.Receiver{}
	for i := range set.Receivers {
		r, err := receivers.New(set.Receivers[i].Spec, receivers.Options{Outbound: policy, Logger: o.Logger, Version: o.Version})
		if err != nil {
			return err
		}
		s.notify.Receivers[r.Name()] = r
	}
	return nil
}

// warnOfGaps says where nobody will be on call in the next two weeks.
func (a *App) warnOfGaps() {
	teams, err := a.notifier.Teams()
	if err != nil {
		a.log.Error("rotations cannot be read", "error", err)
	}
	for _, t := range teams {
		for _, gap := range t.Gaps {
			a.log.Warn("nobody is on call", "team", t.Name, "from", gap.From, "until", gap.Until)
		}
	}
}

func (a *App) openNotify() (err error) {
	a.notifier, err = notify.Open(notify.Options{
		Path: filepath.Join(a.settings.config.Data, "notify.db"), Source: feed{a.engine, a.desk()}, Config: a.settings.notify,
		People: persons{a.people}, Instance: a.engine.Instance(), Logger: a.log, Registerer: a.registry,
	})
	if err != nil {
		return err
	}
	a.later("notify", a.notifier.Close)
	a.warnOfGaps()
	return nil
}

func (a *App) openPeople() (err error) {
	if a.people, err = people.Open(filepath.Join(a.settings.config.Data, "people.db")); err != nil {
		return err
	}
	a.later("people", a.people.Close)
	return nil
}

// known adds the table of people to what the files say.
func (a *App) known(c auth.Credentials) auth.Credentials {
	c.People = a.people
	return c
}

// persons is the table of people as notify sees it.
type persons struct{ store *people.Store }

func (p persons) Person(login string) (notify.Person, bool) {
	who, ok := p.store.ByLogin(login)
	if name := p.store.Name(login); !ok && name != login { // an id whose owner was forgotten
		return notify.Person{Name: name}, true
	}
	return notify.Person{Name: who.Name, Addresses: who.Addresses}, ok
}

func (p persons) Login(id string) string { return p.store.Login(id) }

// feed is the engine as notify sees it.
type feed struct {
	engine *engine.Engine
	desk   *api.Desk
}

func (f feed) Changes(ctx context.Context, after string) iter.Seq2[*event.Change, error] {
	return func(yield func(*event.Change, error) bool) {
		from, err := engine.ParseCursor(after)
		if err != nil {
			yield(nil, err)
			return
		}
		for ch, err := range f.engine.FollowSome(ctx, from, notify.Wanted) {
			if errors.Is(err, engine.ErrTruncated) {
				err = notify.ErrGone
			}
			if !yield(ch, err) {
				return
			}
		}
	}
}

func (f feed) Head() string { return f.engine.Head().String() }

// alertsTold bounds the alerts that a message lists.
const alertsTold = 30

func (f feed) Incident(ctx context.Context, id event.IncidentID) (*notify.Subject, error) {
	v, err := f.engine.View(ctx)
	if err != nil {
		return nil, err
	}
	i, ok := v.Incident(id)
	if !ok {
		return nil, fmt.Errorf("%w: %s", notify.ErrNoIncident, id)
	}
	out := subject(v, &i)
	out.Data = message.Incident{
		ID: id.String(), Title: i.Title, Status: i.Phase.String(), Severity: i.Severity.String(), Priority: int(i.Priority), Rule: i.Rule,
		Team: i.Team, Labels: event.SharedLabels(i.Rule, i.Labels).Map(), OpenedAt: i.OpenedAt.Time(), Firing: int(i.Firing), Total: int(i.Alerts),
		Suppressed: int(i.Suppressed), Unbound: i.Unbound, SignalLost: i.SignalLost, Flapping: i.Damped > 0,
		AcknowledgedAt: moment(i.AckedAt), ResolvedAt: moment(i.ResolvedAt),
	}
	out.Data.Cause = f.desk.NamedCause(v, &i.IncidentState)
	f.alerts(v, &i, &out.Data)
	return &out, nil
}

// subject is an incident as notify asks about it, without its Data.
func subject(v *correlate.View, i *correlate.Incident) notify.Subject {
	quiet := i.Firing > 0 && i.Suppressed == i.Firing || i.Firing == 0 && i.SignalLost && hushed(v, i)
	return notify.Subject{State: i.IncidentState, Quiet: quiet, Shared: func() map[string]string { return shared(v, i) }}
}

// shared returns the labels that all alerts of an incident which fire have with one value; where none fires, all its alerts.
func shared(v *correlate.View, i *correlate.Incident) map[string]string {
	var common map[string]string
	looked := 0
	for a := range v.Members(i.ID) {
		if looked == looksAt || common != nil && len(common) == 0 {
			break
		}
		looked++
		if i.Firing > 0 && a.Phase() != event.Firing {
			continue
		}
		for c := range a.Claims() { // the latest first
			if common == nil {
				common = c.Labels.Map()
			}
			maps.DeleteFunc(common, func(name, value string) bool { return c.Labels.Get(name) != value })
			break
		}
	}
	return common
}

// hushed tells whether each of the alerts whose signal an incident has lost would be quiet if it fired now.
func hushed(v *correlate.View, i *correlate.Incident) bool {
	lost := false
	for a := range v.Members(i.ID) {
		if a.Phase() != event.Expired {
			continue
		}
		lost = true
		for c := range a.Claims() {
			quiet := c.Maintenance && len(v.WindowsOver(i.Tenant, c.Labels)) > 0
			if c.Phase == event.Expired && !quiet && len(v.SilencedBy(i.Tenant, c.Labels, v.At)) == 0 {
				return false
			}
		}
	}
	return lost
}

func moment(t event.Time) *time.Time {
	if t == 0 {
		return nil
	}
	at := t.Time()
	return &at
}

// looksAt bounds the members that are sorted for a message; of an incident with more the first are taken.
const looksAt = 2_000

// alerts lists the worst that fire, then the rest, and counts those that are new.
func (f feed) alerts(v *correlate.View, i *correlate.Incident, out *message.Incident) {
	var list []correlate.Alert
	for a := range v.Members(i.ID) {
		if len(list) == looksAt {
			break
		}
		if i.AckedAt != 0 && a.Phase() == event.Firing && a.State().FiringAt > i.AckedAt { // what has cleared again wakes nobody
			out.New++
		}
		list = append(list, a)
	}
	rank := func(a correlate.Alert) int {
		if a.Phase() != event.Firing {
			return 10
		}
		return int(a.Severity())
	}
	slices.SortStableFunc(list, func(a, b correlate.Alert) int { return rank(a) - rank(b) })
	out.Truncated = max(0, int(i.Alerts)-alertsTold)
	for _, a := range list[:min(len(list), alertsTold)] {
		out.Alerts = append(out.Alerts, told(a))
	}
}

func told(a correlate.Alert) message.Alert {
	st := a.State()
	out := message.Alert{Status: "firing", Severity: st.Severity.String(), StartsAt: st.StartsAt.Time()}
	if st.Phase != event.Firing {
		out.Status, out.EndsAt, out.SignalLost = "resolved", st.EndedAt.Time(), st.Phase == event.Expired
	}
	for c := range a.Claims() { // the latest first
		out.Labels, out.Annotations, out.GeneratorURL = c.Labels.Map(), c.Annotations.Map(), c.GeneratorURL
		out.Fingerprint = fmt.Sprintf("%016x", c.Labels.Fingerprint())
		break
	}
	return out
}

func (f feed) Open(ctx context.Context, tenant string) (out []notify.Subject, err error) {
	v, err := f.engine.View(ctx)
	if err != nil {
		return nil, err
	}
	for i := range v.Incidents() {
		if i.Tenant == tenant && i.Phase == event.IncidentOpen {
			out = append(out, subject(v, &i))
		}
	}
	return out, nil
}

func (f feed) Service(ctx context.Context, tenant, id string) (name, team string, err error) {
	v, err := f.engine.View(ctx)
	if err != nil {
		return "", "", err
	}
	slot := v.CMDB().Find(tenant, id)
	if slot == 0 {
		return id, "", nil
	}
	ci := v.CMDB().State(slot)
	return strings.Clone(cmp.Or(ci.Name, id)), strings.Clone(ci.Attributes.Get("team")), nil
}

// beat sends the daemon's own sign of life while it is ready.
func (a *App) beat(ctx context.Context) {
	c := a.settings.config.Heartbeat
	if c.URL == "" {
		return
	}
	policy, err := outbound.New(a.settings.notify.Settings.Allow)
	if err != nil {
		a.log.Error("own heartbeat", "error", err)
		return
	}
	client := policy.Client(10 * time.Second)
	failed := false
	t := time.NewTicker(duration(c.Interval))
	defer t.Stop()
	for {
		err := a.beatOnce(ctx, client, a.engine.Status().NotReady)
		if err != nil && !failed && ctx.Err() == nil {
			a.log.Error("own heartbeat is not taken", "error", err)
		}
		failed = err != nil
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
	}
}

// beatOnce sends one sign of life, unless the daemon is not ready.
func (a *App) beatOnce(ctx context.Context, client *http.Client, notReady string) error {
	if notReady != "" {
		a.metrics.beats.WithLabelValues(beatWithheld).Inc()
		return nil
	}
	if err := post(ctx, client, a.settings.config.Heartbeat.URL, a.o.Version); err != nil {
		if ctx.Err() == nil {
			a.metrics.beats.WithLabelValues(beatFailed).Inc()
		}
		return err
	}
	a.metrics.beats.WithLabelValues(beatTaken).Inc()
	a.metrics.lastBeat.SetToCurrentTime()
	return nil
}

func post(ctx context.Context, client *http.Client, url, version string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, nil)
	if err != nil {
		return errors.New("app: heartbeat: the URL is none")
	}
	req.Header.Set("User-Agent", "Tocsin/"+version)
	resp, err := client.Do(req)
	if err != nil {
		return fmt.Errorf("app: heartbeat: %w", errors.Unwrap(err)) // the text around it holds the URL, which may be a secret
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 4<<10))
	if resp.StatusCode/100 != 2 {
		return fmt.Errorf("app: heartbeat: answered %s", resp.Status)
	}
	return nil
}

// outbox is the notifier as the API shows it.
type outbox struct{ n *notify.Notifier }

func (o outbox) Receivers() []api.ReceiverStatus {
	var out []api.ReceiverStatus
	for _, r := range o.n.Receivers() {
		out = append(out, api.ReceiverStatus{
			Name: r.Name, Kind: r.Kind, Pending: r.Pending, Oldest: instant(r.Oldest), LastSuccess: instant(r.LastSuccess),
			LastFailure: instant(r.LastFailure), LastError: r.LastError, Failures: r.Failures, RetryAt: instant(r.RetryAt), Aside: r.Aside,
		})
	}
	return out
}

func instant(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

func (o outbox) Stalled() string { return o.n.Stalled() }

func (o outbox) History(limit int) ([]api.SentMessage, error) {
	list, err := o.n.History(limit)
	var out []api.SentMessage
	for _, s := range list {
		out = append(out, api.SentMessage{
			At: s.At, Receiver: s.Receiver, Who: s.Who, Key: s.Key, Event: string(s.Event), Subject: s.Subject, Title: s.Title,
			Attempts: s.Attempts, Outcome: s.Outcome, Error: s.Error, TemplateError: s.TemplateError,
		})
	}
	return out, err
}

func (o outbox) Teams() ([]api.OnCall, error) {
	list, err := o.n.Teams()
	var out []api.OnCall
	for _, t := range list {
		team := api.OnCall{Team: t.Name, Zone: t.Zone, OnCall: t.OnCall, Until: instant(t.Until), Shifts: []api.Shift{}, Gaps: []api.Shift{}}
		for _, s := range t.Shifts {
			team.Shifts = append(team.Shifts, api.Shift{Who: s.Who, From: s.From, Until: s.Until})
		}
		for _, s := range t.Gaps {
			team.Gaps = append(team.Gaps, api.Shift{From: s.From, Until: s.Until})
		}
		out = append(out, team)
	}
	return out, err
}

func (o outbox) Overrides() ([]api.Override, error) {
	list, err := o.n.Overrides()
	var out []api.Override
	for _, v := range list {
		out = append(out, api.Override(v))
	}
	return out, err
}

func (o outbox) SetOverride(v api.Override) (string, error) {
	id, err := o.n.SetOverride(notify.Override(v))
	return id, outboxError(err)
}

func (o outbox) DropOverride(id string) error { return outboxError(o.n.DropOverride(id)) }

func (o outbox) Preview(ctx context.Context, id event.IncidentID, receiver, about string) (*api.Preview, error) {
	m, err := o.n.Preview(ctx, id, receiver, message.Event(about))
	return preview(m), outboxError(err)
}

func (o outbox) Test(ctx context.Context, receiver string, to []string) (*api.Preview, error) {
	m, err := o.n.Test(ctx, receiver, to)
	return preview(m), outboxError(err)
}

func preview(m message.Message) *api.Preview {
	return &api.Preview{
		Receiver: m.Data.Receiver, Event: string(m.Event), Subject: m.Subject, Title: m.Title, Text: m.Text, HTML: m.HTML, Link: m.Link,
		TemplateError: m.TemplateError,
	}
}

// outboxError puts notify's errors into the API's words.
func outboxError(err error) error {
	refused, ok := errors.AsType[*notify.Refusal](err)
	switch {
	case ok:
		return &api.OutboxError{Invalid: true, Hint: refused.Hint, Err: err}
	case errors.Is(err, notify.ErrNoReceiver):
		return &api.OutboxError{NotFound: true, Hint: "`tocsin notify receivers` lists them; the configuration's notify_file names them", Err: err}
	case errors.Is(err, notify.ErrNoTeam):
		return &api.OutboxError{NotFound: true, Hint: "`tocsin oncall` lists them; the configuration's notify_file names them", Err: err}
	case errors.Is(err, notify.ErrNoOverride):
		return &api.OutboxError{NotFound: true, Hint: "`tocsin oncall` lists the overrides that are not over", Err: err}
	case errors.Is(err, notify.ErrNoIncident):
		return &api.OutboxError{NotFound: true, Err: err}
	case err != nil:
		return &api.OutboxError{Err: err}
	}
	return nil
}
