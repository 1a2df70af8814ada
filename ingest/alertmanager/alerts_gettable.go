package alertmanager

import (
	"slices"
	"strings"
	"time"

	"github.com/tocsin-noc/tocsin/correlate"
	"github.com/tocsin-noc/tocsin/event"
)

// gettableAlert is an alert as Alertmanager's clients see it: one label set of theirs, whoever claims it.
type gettableAlert struct {
	Annotations  map[string]string `json:"annotations"`
	EndsAt       stamp             `json:"endsAt"`
	Fingerprint  string            `json:"fingerprint"`
	Receivers    []receiverName    `json:"receivers"`
	StartsAt     stamp             `json:"startsAt"`
	Status       alertStatus       `json:"status"`
	UpdatedAt    stamp             `json:"updatedAt"`
	GeneratorURL string            `json:"generatorURL,omitempty"`
	Labels       map[string]string `json:"labels"`

	set event.Labels
}

type alertStatus struct {
	InhibitedBy []string `json:"inhibitedBy"` // fingerprints
	MutedBy     []string `json:"mutedBy"`     // names of maintenance windows
	SilencedBy  []string `json:"silencedBy"`  // ids
	State       string   `json:"state"`
}

// The states of an alert; "unprocessed" does not occur, since an answer shows what was decided.
const (
	stateActive     = "active"
	stateSuppressed = "suppressed"
)

// reader turns a view's alerts into what a client asked for.
type reader struct {
	view   *correlate.View
	tenant string
	now    event.Time
	query  *alertQuery

	// unsure: a silence that had been pending began so lately that the core may not have counted it yet
	unsure bool
}

func newReader(v *correlate.View, tenant string, now time.Time, q *alertQuery) *reader {
	rd := &reader{view: v, tenant: tenant, now: event.FromTime(now), query: q}
	for s := range v.Silences(tenant) {
		rd.unsure = rd.unsure || s.UpdatedAt < s.StartsAt && s.StartsAt <= rd.now && s.StartsAt > rd.now-countedWithin
	}
	return rd
}

// countedWithin is how long after its start the core has surely counted a pending silence on every claim that it matches. Until
// then, each is compared with each, which takes seconds for many thousands. A silence that begins when it is made is counted
// at once.
const countedWithin = event.Minute

// silencedBy returns the silences that quiet a label set right now.
func (rd *reader) silencedBy(tenant string, same []correlate.Claim) []string {
	if !rd.unsure && !slices.ContainsFunc(same, func(c correlate.Claim) bool { return c.Silences > 0 }) {
		return nil
	}
	return rd.view.SilencedBy(tenant, same[0].Labels, rd.now)
}

// of returns the label sets that fire of one alert, as far as the query wants them.
func (rd *reader) of(alert correlate.Alert) []*gettableAlert {
	if alert.Phase() != event.Firing || rd.query.nothing || !event.InTenant(rd.tenant, alert.Tenant()) {
		return nil
	}
	var out []*gettableAlert
	for _, same := range rd.sets(alert) {
		set := same[0].Labels
		if !passes(rd.query.filters, valueIn(set)) {
			continue
		}
		if status, wanted := rd.status(alert.Tenant(), same); wanted {
			g := merge(same, rd.endOf)
			g.Status = status
			out = append(out, g)
		}
	}
	return out
}

func valueIn(set event.Labels) func(string) (string, bool) {
	return func(name string) (string, bool) {
		v := set.Get(name)
		return v, v != ""
	}
}

// sets returns the firing claims of an alert, grouped by their exact label sets.
func (rd *reader) sets(alert correlate.Alert) (sets [][]correlate.Claim) {
	for c := range alert.Claims() {
		if c.Phase != event.Firing {
			continue
		}
		i := slices.IndexFunc(sets, func(same []correlate.Claim) bool { return same[0].Labels.Equal(c.Labels) })
		if i < 0 {
			sets = append(sets, []correlate.Claim{c})
			continue
		}
		sets[i] = append(sets[i], c)
	}
	return sets
}

// status computes what quiets a label set right now, and whether the query wants to see such an alert.
func (rd *reader) status(tenant string, same []correlate.Claim) (st alertStatus, wanted bool) {
	st = alertStatus{InhibitedBy: []string{}, MutedBy: []string{}, SilencedBy: []string{}, State: stateActive}
	st.SilencedBy = append(st.SilencedBy, rd.silencedBy(tenant, same)...)
	if by := rd.view.InhibitedBy(tenant, same[0].Labels); by != nil {
		st.InhibitedBy = append(st.InhibitedBy, fingerprint(by))
	}
	if slices.ContainsFunc(same, func(c correlate.Claim) bool { return c.Maintenance }) {
		for _, w := range rd.view.WindowsOver(tenant, same[0].Labels) {
			st.MutedBy = append(st.MutedBy, w.Name)
		}
	}
	silenced, inhibited := len(st.SilencedBy) > 0, len(st.InhibitedBy) > 0
	if silenced || inhibited || len(st.MutedBy) > 0 {
		st.State = stateSuppressed
	}
	q := rd.query
	wanted = (q.active || st.State != stateActive) && (q.silenced || !silenced) && (q.inhibited || !inhibited)
	return st, wanted
}

// endOf returns until when a firing claim is valid. A source that speaks on changes only names no end: its alert is shown as
// one that was repeated just now.
func (rd *reader) endOf(c *correlate.Claim) event.Time {
	if c.EndsAt == event.Never {
		return rd.now + rd.view.Rules.Settings.ResolveTimeout
	}
	return c.EndsAt
}

// merge makes one alert of what several sources say of one label set: the earliest start, the latest end, the newest text.
func merge(same []correlate.Claim, endOf func(*correlate.Claim) event.Time) *gettableAlert {
	newest, start, end := &same[0], same[0].StartsAt, endOf(&same[0])
	for i := range same[1:] {
		c := &same[1+i]
		start, end = min(start, c.StartsAt), max(end, endOf(c))
		if c.SeenAt > newest.SeenAt {
			newest = c
		}
	}
	return &gettableAlert{
		Annotations: newest.Annotations.Map(), EndsAt: stamp(end), Fingerprint: fingerprint(newest.Labels),
		Receivers: []receiverName{{receiver}}, StartsAt: stamp(start), UpdatedAt: stamp(newest.SeenAt),
		GeneratorURL: newest.GeneratorURL, Labels: newest.Labels.Map(), set: newest.Labels,
	}
}

func sortByFingerprint(list []*gettableAlert) {
	slices.SortFunc(list, func(a, b *gettableAlert) int { return strings.Compare(a.Fingerprint, b.Fingerprint) })
}
