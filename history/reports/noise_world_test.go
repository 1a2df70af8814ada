package reports_test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// heard is a row of transitions.
type heard struct {
	At         stamp  `json:"at"`
	Shard      uint32 `json:"shard"`
	Seq        uint64 `json:"seq"`
	Kind       string `json:"kind"`
	Event      bool   `json:"event"`
	Tenant     string `json:"tenant"`
	Source     string `json:"source"`
	Alert      uint64 `json:"alert"`
	Name       string `json:"name"`
	Resource   string `json:"resource"`
	CI         string `json:"ci"`
	Bound      string `json:"bound"`
	Decided    string `json:"decided"`
	Occurrence uint32 `json:"occurrence"`
	Incident   uint32 `json:"incident"`
	Actor      string `json:"actor"`
}

// joined is a row of members.
type joined struct {
	Shard      uint32 `json:"shard"`
	Incident   uint32 `json:"incident"`
	Alert      uint64 `json:"alert"`
	Occurrence uint32 `json:"occurrence"`
	Place      uint64 `json:"place"`
	Phase      string `json:"phase"`
	Firing     *stamp `json:"firing_at"`
	Ended      *stamp `json:"ended_at"`
}

// moved is a row of moves.
type moved struct {
	Shard      uint32 `json:"shard"`
	Alert      uint64 `json:"alert"`
	Occurrence uint32 `json:"occurrence"`
	Place      uint64 `json:"place"`
	At         stamp  `json:"at"`
	Incident   uint32 `json:"incident"`
	Actor      string `json:"actor"`
}

// known is a row of alerts.
type known struct {
	Shard  uint32 `json:"shard"`
	Alert  uint64 `json:"alert"`
	Tenant string `json:"tenant"`
	Name   string `json:"name"`
}

// again is a row of repeats.
type again struct {
	Hour    string `json:"hour"`
	Shard   uint32 `json:"shard"`
	Block   uint64 `json:"block"`
	Tenant  string `json:"tenant"`
	Repeats uint64 `json:"repeats"`
}

// entry is a row of log.
type entry struct {
	At     stamp  `json:"at"`
	Shard  uint32 `json:"shard"`
	Seq    uint64 `json:"seq"`
	Kind   string `json:"kind"`
	Tenant string `json:"tenant"`
	ID     string `json:"id"`
	Name   string `json:"name"`
	Source string `json:"source"`
	Since  *stamp `json:"since"`
}

// outbreak is a row of incidents, with what the reports on noise read besides.
type outbreak struct {
	trouble
	Touched bool   `json:"touched"`
	Merges  uint32 `json:"merges"`
	Verdict string `json:"verdict"`
	Alerts  uint32 `json:"alerts"`
}

// begun is the row of incident_versions that opened an incident.
type begun struct {
	Shard     uint32 `json:"shard"`
	Incident  uint64 `json:"incident"`
	At        stamp  `json:"at"`
	Kind      string `json:"kind"`
	Tenant    string `json:"tenant"`
	Continues uint64 `json:"continues"`
	Opened    stamp  `json:"opened_at"`
}

// din is a small history of alerts.
type din struct {
	heard     []*heard
	members   []*joined
	moves     []*moved
	alerts    []*known
	repeats   []*again
	log       []*entry
	incidents []*outbreak
	begun     []*begun
	items     []*item
	seq       uint64
}

// hear adds a transition, and what the projection makes of it.
func (d *din) hear(h heard) *heard {
	d.seq++
	h.Seq = d.seq
	d.heard = append(d.heard, &h)
	place := h.Seq * 1048576
	if h.Kind == "alert_moved" {
		d.moves = append(d.moves, &moved{h.Shard, h.Alert, h.Occurrence, place, h.At, h.Incident, h.Actor})
	}
	if h.Incident != 0 {
		m := &joined{Shard: h.Shard, Incident: h.Incident, Alert: h.Alert, Occurrence: h.Occurrence, Place: place, Phase: "firing", Firing: d.firing(&h)}
		if end := d.end(h.Shard, h.Alert, h.Occurrence); end != nil {
			m.Phase, m.Ended = "cleared", end
		}
		d.members = append(d.members, m)
	}
	return &h
}

// firing is when an occurrence began.
func (d *din) firing(of *heard) *stamp {
	for _, h := range d.heard {
		if h.Kind == "alert_firing" && h.Shard == of.Shard && h.Alert == of.Alert && h.Occurrence == of.Occurrence {
			return &h.At
		}
	}
	return nil
}

// end is when an occurrence ended, nil while it fires.
func (d *din) end(shard uint32, alert uint64, occurrence uint32) *stamp {
	for _, h := range d.heard {
		if h.Kind == "alert_cleared" && h.Shard == shard && h.Alert == alert && h.Occurrence == occurrence {
			return &h.At
		}
	}
	return nil
}

func (d *din) add(o *din) {
	d.heard, d.members, d.moves, d.alerts = append(d.heard, o.heard...), append(d.members, o.members...), append(d.moves, o.moves...), append(d.alerts, o.alerts...)
	d.repeats, d.log, d.incidents, d.begun = append(d.repeats, o.repeats...), append(d.log, o.log...), append(d.incidents, o.incidents...), append(d.begun, o.begun...)
	d.items = append(d.items, o.items...)
}

// fill inserts a history. Facts that the projection inserted twice are the same facts.
func (s *store) fill(d *din) {
	insert(s, "transitions", d.heard)
	insert(s, "transitions", d.heard[:len(d.heard)/3])
	insert(s, "members", d.members)
	insert(s, "moves", d.moves)
	insert(s, "moves", d.moves)
	insert(s, "alerts", d.alerts)
	insert(s, "repeats", d.repeats)
	insert(s, "log", d.log)
	insert(s, "incidents", d.incidents)
	insert(s, "incident_versions", d.begun)
	insert(s, "cis", d.items)
}

// randomDin is 90 days of noise, with all that machine and people do to it.
func randomDin(seed uint64) *din {
	r := rand.New(rand.NewPCG(seed, 3))
	tenant := fmt.Sprintf("seed-%d", seed)
	sec := func(most int) time.Duration { return time.Duration(r.IntN(most*1000)) * time.Millisecond }
	d := &din{seq: seed * 100000}
	incidents := r.IntN(60)
	if seed%10 < 2 {
		incidents = int(seed % 10) // nothing, or next to nothing
	}
	for k := range incidents {
		d.randomIncident(r, seed, k, tenant, sec)
	}
	alerts := 2 * incidents
	for k := range alerts {
		d.randomAlert(r, seed, k, tenant, sec)
	}
	slices.SortStableFunc(d.heard, func(a, b *heard) int { return cmp.Compare(a.Seq, b.Seq) })
	for k := range r.IntN(20) {
		d.repeats = append(d.repeats, &again{worldStart.plus(time.Duration(r.IntN(100*24)) * time.Hour).UTC().Format(time.DateTime), 1, seed*100 + uint64(k), tenant, uint64(r.IntN(500))})
	}
	for k := range r.IntN(40) {
		id := fmt.Sprintf("ci-%d", r.IntN(12))
		d.items = append(d.items, &item{
			Tenant: tenant, ID: id, Known: worldStart.plus(sec(110*86400) - 300*24*time.Hour*time.Duration(r.IntN(2))), Shard: 1, Seq: seed*1000 + uint64(k), ValidFrom: worldStart, Gone: r.IntN(6) == 0,
			Class: pick(r, "host", "pod"), Name: pick(r, "a", "b", "c", "d"), State: pick(r, "live", "live", "live", "retired", "discovered"),
		})
	}
	for k := range r.IntN(5) {
		d.randomBeat(r, seed, k, tenant, sec)
	}
	return d
}

func (d *din) randomIncident(r *rand.Rand, seed uint64, k int, tenant string, sec func(int) time.Duration) {
	i := &outbreak{trouble: trouble{
		Shard: 1, Incident: seed*1000 + uint64(k) + 1, Version: 1, Tenant: tenant, Phase: pick(r, "open", "resolved", "closed", "cancelled", "resolved"), Priority: uint8(1 + r.IntN(5)),
		Title: "trouble", Team: pick(r, "", "net", "db"), Automatic: r.IntN(5) > 0, Opened: worldStart.plus(sec(90 * 86400)),
	}, Touched: r.IntN(3) == 0, Alerts: uint32(r.IntN(4))}
	i.Number = fmt.Sprintf("INC-%d", i.Incident)
	for _, s := range []string{"shop", "pay"} {
		if r.IntN(3) == 0 {
			i.Services = append(i.Services, s)
		}
	}
	if r.IntN(4) == 0 {
		i.Merges = uint32(1 + r.IntN(3))
	}
	i.Verdict = pick(r, "", "", "", "right", "wrong")
	if k > 0 && r.IntN(10) == 0 {
		i.Phase, i.MergedInto = "merged", seed*1000+uint64(r.IntN(k))+1
	}
	if r.IntN(10) == 0 {
		i.Origin, i.Automatic = "snow", false
	}
	d.incidents = append(d.incidents, i)
	b := &begun{Shard: 1, Incident: i.Incident, At: i.Opened, Kind: "incident_opened", Tenant: tenant, Opened: i.Opened}
	if r.IntN(5) == 0 && i.Origin == "" {
		b.Continues = seed*1000 + 1
	}
	if i.Origin == "" {
		d.begun = append(d.begun, b)
	}
}

// randomAlert fires some times; machine and people put it somewhere.
func (d *din) randomAlert(r *rand.Rand, seed uint64, k int, tenant string, sec func(int) time.Duration) {
	base := heard{
		Shard: 1, Tenant: tenant, Source: pick(r, "prometheus", "zabbix"), Alert: seed*1000 + uint64(k) + 1, Name: pick(r, "DiskFull", "Latency", "NodeDown", "Batch"),
		Resource: fmt.Sprintf("host-%d", r.IntN(4)), Bound: pick(r, "unbound", "label", "id", "ambiguous", "rule", "discovered"),
	}
	if base.Bound != "unbound" && base.Bound != "ambiguous" {
		base.CI = fmt.Sprintf("ci-%d", r.IntN(12))
	}
	d.alerts = append(d.alerts, &known{base.Shard, base.Alert, tenant, base.Name})
	now := worldStart.plus(sec(80 * 86400))
	anywhere := func() uint32 { // alerts are in none that was imported
		for range 20 {
			if i := d.incidents[r.IntN(len(d.incidents))]; i.Origin == "" {
				return uint32(i.Incident)
			}
		}
		return 0
	}
	for n := range 1 + r.IntN(4) {
		say := func(kind string, event bool, incident uint32, actor, decided string) {
			h := base
			h.At, h.Kind, h.Event, h.Incident, h.Actor, h.Decided, h.Occurrence = now, kind, event, incident, actor, decided, uint32(n+1)
			d.hear(h)
		}
		in := uint32(0)
		if r.IntN(2) == 0 {
			in = anywhere()
		}
		say("alert_firing", true, in, "", pick(r, "opened", "joined", "silenced", "waiting"))
		if r.IntN(3) == 0 {
			now = now.plus(sec(60))
			say("alert_updated", true, in, "", pick(r, "opened", "over"))
		}
		if in == 0 && r.IntN(2) == 0 {
			now, in = now.plus(sec(120)), anywhere()
			say("alert_joined", false, in, "", "evidence")
		}
		if r.IntN(5) == 0 {
			say("alert_damped", false, in, "", "flapping")
		}
		for in != 0 && r.IntN(3) == 0 {
			now, in = now.plus(sec(300)), anywhere()
			say("alert_moved", false, in, pick(r, "", "ann", "bob"), "joined")
		}
		if r.IntN(5) == 0 {
			break // it goes on
		}
		now = now.plus(time.Millisecond + sec(pick(r, 100, 400, 2000, 86400)))
		say("alert_cleared", true, in, "", "over")
		now = now.plus(time.Millisecond + sec(pick(r, 600, 7*86400)))
	}
}

func (d *din) randomBeat(r *rand.Rand, seed uint64, k int, tenant string, sec func(int) time.Duration) {
	now := worldStart.plus(sec(40 * 86400))
	say := func(kind string, since *stamp) {
		d.seq++
		d.log = append(d.log, &entry{now, 1, d.seq, kind, tenant, fmt.Sprint(k + 1), fmt.Sprintf("watch %d of %d", k, seed), pick(r, "prometheus", "prometheus"), since})
	}
	say("heartbeat_set", nil)
	for r.IntN(5) > 0 {
		word := now.plus(time.Millisecond + sec(10*86400))
		now = word.plus(time.Minute)
		say("heartbeat_lost", &word)
		if r.IntN(4) == 0 {
			break
		}
		now = now.plus(time.Millisecond + sec(pick(r, 3600, 5*86400)))
		say("heartbeat_back", nil)
	}
	if r.IntN(3) == 0 {
		now = now.plus(time.Millisecond + sec(86400))
		say("heartbeat_dropped", nil)
	}
}

// final is where an occurrence is for good, by transitions in their order; 0: in none.
func (d *din) final() map[string]uint32 {
	in := map[string]uint32{}
	for _, h := range d.heard {
		in[h.key()] = h.Incident
	}
	return in
}

func (h *heard) key() string {
	return strings.Join([]string{fmt.Sprint(h.Alert), fmt.Sprint(h.Occurrence)}, "/")
}

func (h *heard) item() string {
	if h.CI != "" {
		return h.CI
	}
	return h.Resource
}
