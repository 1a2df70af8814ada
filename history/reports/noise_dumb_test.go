package reports_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/tocsin-noc/tocsin/history/reports"
)

// deaf calculates the reports on noise once more, as dumb as can be.
type deaf struct {
	*din
	*dumb
	in map[string]uint32
}

func newDeaf(d *din, p reports.Params) *deaf { return &deaf{d, newDumb(&world{}, p), d.final()} }

func (d *deaf) narrowed() bool { return d.p.Service != "" || d.p.Team != "" || d.p.Priority != 0 }

func (d *deaf) incident(id uint32) *outbreak {
	for _, i := range d.din.incidents {
		if i.Incident == uint64(id) {
			return i
		}
	}
	return nil
}

// about tells whether an alert is meant: it has been in an incident that is.
func (d *deaf) about(alert uint64) bool {
	if !d.narrowed() {
		return true
	}
	for _, h := range d.heard {
		if i := d.incident(h.Incident); h.Alert == alert && i != nil && i.Origin == "" && d.meant(&i.trouble) {
			return true
		}
	}
	return false
}

// said are the transitions of the period that are meant.
func (d *deaf) said(keep func(*heard) bool) (found []*heard) {
	for _, h := range d.heard {
		if h.Tenant == d.p.Tenant && d.dumb.in(&h.At) && keep(h) && d.about(h.Alert) {
			found = append(found, h)
		}
	}
	return found
}

func event(h *heard) bool   { return h.Event }
func opening(h *heard) bool { return h.Kind == "alert_firing" }

func (d *deaf) within(bucket string, at stamp) bool {
	return bucket == whole || d.bucket(at.Time) == bucket
}

// sizes are the alerts opened in a bucket by their incident, and how many distinct ones.
func (d *deaf) sizes(bucket string) (sizes map[uint32]int, distinct map[uint32]map[uint64]bool, all int) {
	sizes, distinct = map[uint32]int{}, map[uint32]map[uint64]bool{}
	for _, h := range d.said(opening) {
		if !d.within(bucket, h.At) {
			continue
		}
		all++
		if in := d.in[h.key()]; in != 0 {
			sizes[in]++
			if distinct[in] == nil {
				distinct[in] = map[uint64]bool{}
			}
			distinct[in][h.Alert] = true
		}
	}
	return sizes, distinct, all
}

// made are the incidents that the machine opened in the period.
func (d *deaf) made() (found []*outbreak) {
	for _, i := range d.din.incidents {
		if d.meant(&i.trouble) && i.MergedInto == 0 && i.Origin == "" && i.Automatic && d.dumb.in(&i.Opened) {
			found = append(found, i)
		}
	}
	return found
}

func (d *deaf) funnel() figures {
	f := figures{}
	for _, b := range d.buckets() {
		row := f.row(b)
		events, repeats, incidents := 0, 0, 0
		for _, h := range d.said(event) {
			if d.within(b, h.At) {
				events++
			}
		}
		for _, a := range d.repeats {
			hour, _ := time.Parse(time.DateTime, a.Hour)
			if s := (stamp{hour}); a.Tenant == d.p.Tenant && d.dumb.in(&s) && d.within(b, s) && !d.narrowed() {
				repeats += int(a.Repeats)
			}
		}
		for _, i := range d.made() {
			if d.within(b, i.Opened) {
				incidents++
			}
		}
		sizes, _, opened := d.sizes(b)
		groups, grouped := 0, 0
		for _, n := range sizes {
			if n >= 2 {
				groups++
				grouped += n
			}
		}
		row["n"], row["repeats"], row["opened"], row["groups"], row["ungrouped"], row["incidents"] = events, repeats, opened, groups, opened-grouped, incidents
		row["opened_per_event"], row["grouped"], row["incident_per_group"] = quotient(opened, events), quotient(groups+opened-grouped, opened), quotient(incidents, groups+opened-grouped)
		row["share"] = quotient(incidents, events)
		_, row["lo"], row["hi"] = wilson(min(incidents, events), events)
	}
	return f
}

func quotient(part, all int) any {
	if all == 0 {
		return nil
	}
	return float64(part) / float64(all)
}

func (d *deaf) suppression() figures {
	f := figures{}
	effects := map[string]string{"opened": "rings", "joined": "joins", "silenced": "quiet", "waiting": "waits", "over": "over", "none": "none"}
	reasons := map[string]bool{}
	for _, h := range d.said(event) {
		reasons[h.Decided] = true
	}
	if len(reasons) == 0 {
		reasons["none"] = true
	}
	for _, b := range d.buckets() {
		count, all := map[string]int{}, 0
		for _, h := range d.said(event) {
			if d.within(b, h.At) {
				count[h.Decided]++
				all++
			}
		}
		for reason := range reasons {
			row := f.row(b, effects[reason], reason)
			row["n"], row["events"] = all, count[reason]
			rate(row, count[reason], all)
		}
	}
	return f
}

func (d *deaf) grouping() figures {
	f := figures{}
	for _, b := range d.buckets() {
		row := f.row(b)
		sizes, distinct, opened := d.sizes(b)
		var large []int
		same, sum := 0, 0
		for in, n := range sizes {
			if n >= 2 {
				large = append(large, n)
				sum += n
				if len(distinct[in]) == 1 {
					same++
				}
			}
		}
		slices.Sort(large)
		row["n"], row["in_groups"], row["groups"], row["same_alert"] = opened, sum, len(large), same
		rate(row, sum, opened)
		row["size_p50"], row["size_p95"], row["size_max"] = nil, nil, nil
		if n := len(large); n > 0 {
			row["size_p50"], row["size_p95"], row["size_max"] = large[(n+1)/2-1], large[(95*n+99)/100-1], large[n-1]
		}
		over := 0
		for _, v := range d.begun {
			i := d.incident(uint32(v.Incident))
			if v.Continues != 0 && v.Tenant == d.p.Tenant && d.dumb.in(&v.At) && d.within(b, v.At) && (!d.narrowed() || d.meant(&i.trouble) && i.MergedInto == 0) {
				over++
			}
		}
		row["overflows"] = over
	}
	return f
}

// correlation counts pairs of alerts one by one. Which incidents the sample draws is the engine's business: only what all reviewed ones say is compared.
func (d *deaf) correlation() figures {
	f := figures{}
	mine := map[uint32]*outbreak{}
	for _, i := range d.din.incidents {
		if i.Origin == "" && d.meant(&i.trouble) && d.dumb.in(&i.Opened) {
			mine[uint32(i.Incident)] = i
		}
	}
	reviewed := func(id uint32) bool { return mine[id] != nil && (mine[id].Verdict != "" || mine[id].Merges > 0) }
	type unit struct {
		alert           uint64
		machine, people uint32
	}
	units := map[unit]uint32{}
	machine, frozen := map[string]uint32{}, map[string]bool{}
	for _, h := range d.heard {
		frozen[h.key()] = frozen[h.key()] || h.Kind == "alert_moved" && h.Actor != ""
		if !frozen[h.key()] {
			machine[h.key()] = h.Incident
		}
	}
	for _, h := range d.heard {
		u := unit{h.Alert, machine[h.key()], d.in[h.key()]}
		of := u.machine
		if of == 0 {
			of = u.people
		}
		if u.people != 0 && mine[of] != nil && (reviewed(u.machine) || reviewed(u.people)) {
			units[u] = of
		}
	}
	for _, b := range d.buckets() {
		row := f.row(b, "reviewed")
		f.row(b, "sample")
		all, seen := 0, 0
		for id, i := range mine {
			if d.within(b, i.Opened) {
				all++
				if reviewed(id) {
					seen++
				}
			}
		}
		var list []unit
		for u, of := range units {
			if d.within(b, mine[of].Opened) {
				list = append(list, u)
			}
		}
		both, byMachine, byPeople := 0, 0, 0
		for i, a := range list {
			for _, b := range list[:i] {
				m, p := a.machine == b.machine && (a.machine != 0 || a.alert == b.alert), a.people == b.people
				byMachine, byPeople, both = byMachine+one(m), byPeople+one(p), both+one(m && p)
			}
		}
		row["n"], row["reviewed"], row["alerts"], row["pairs_machine"], row["pairs_people"], row["pairs_both"] = all, seen, len(list), byMachine, byPeople, both
		rate(row, seen, all)
		row["precision"], row["recall"], row["f1"] = quotient(both, byMachine), quotient(both, byPeople), nil
		if byMachine > 0 && byPeople > 0 {
			row["f1"] = 2 * float64(both) / float64(byMachine+byPeople)
		}
	}
	return f
}

func one(yes bool) int {
	if yes {
		return 1
	}
	return 0
}

func (d *deaf) actionability() figures {
	f := figures{}
	for _, b := range d.buckets() {
		count, all := map[string]int{}, 0
		for _, i := range d.made() {
			if !d.within(b, i.Opened) {
				continue
			}
			all++
			switch {
			case i.Phase == "cancelled":
				count["not_an_incident"]++
			case i.Touched:
				count["acted_on"]++
			case i.Phase == "open":
				count["open"]++
			default:
				count["transient"]++
			}
		}
		for _, outcome := range []string{"acted_on", "transient", "not_an_incident", "open"} {
			row := f.row(b, outcome)
			row["n"], row["incidents"] = all, count[outcome]
			rate(row, count[outcome], all)
		}
	}
	return f
}

func (d *deaf) binding() figures {
	f := figures{}
	for _, b := range d.buckets() {
		count, all := map[string]int{}, 0
		for _, h := range d.said(opening) {
			if d.within(b, h.At) {
				all++
				count[h.Bound]++
				if h.Bound != "unbound" && h.Bound != "ambiguous" {
					count["bound"]++
				}
			}
		}
		for _, way := range []string{"bound", "id", "label", "rule", "discovered", "ambiguous", "unbound"} {
			row := f.row(b, way)
			row["n"], row["alerts"] = all, count[way]
			rate(row, count[way], all)
		}
	}
	return f
}

// there are the items as known at the end of the period.
func (d *deaf) there() []*item {
	last := map[string]*item{}
	for _, i := range d.din.items {
		if old := last[i.ID]; i.Known.Before(d.p.To) && (old == nil || !i.Known.Before(old.Known.Time)) {
			last[i.ID] = i
		}
	}
	var found []*item
	for _, i := range last {
		if !i.Gone {
			found = append(found, i)
		}
	}
	return found
}

func (d *deaf) alarming(id string) bool {
	return slices.ContainsFunc(d.heard, func(h *heard) bool { return h.CI == id && d.dumb.in(&h.At) })
}

func (d *deaf) itemQuality() figures {
	count := map[string]int{}
	all := d.there()
	for _, i := range all {
		live, twins := i.State == "live", 0
		for _, o := range all {
			twins += one(o.State == "live" && o.Class == i.Class && o.Name == i.Name)
		}
		count["live"] += one(live)
		count["stale"] += one(live && i.Known.Before(d.p.To.Add(-180*day)))
		count["duplicate"] += one(live && twins > 1)
		count["retired"] += one(i.State == "retired")
		count["retired_alarming"] += one(i.State == "retired" && d.alarming(i.ID))
		count["unconfirmed"] += one(i.State == "discovered")
	}
	f := figures{}
	for _, finding := range []string{"live", "stale", "duplicate", "retired", "retired_alarming", "unconfirmed"} {
		row := f.row(finding)
		row["n"], row["items"] = len(all), count[finding]
		rate(row, count[finding], len(all))
	}
	return f
}

func (d *deaf) unwatched() figures {
	f := figures{}
	count, silent := map[string]int{"all": 0}, map[string]int{}
	for _, i := range d.there() {
		if i.State == "live" {
			for _, class := range []string{"all", i.Class} {
				count[class]++
				silent[class] += one(!d.alarming(i.ID))
			}
		}
	}
	for class, n := range count {
		row := f.row(class)
		row["n"], row["unwatched"] = n, silent[class]
		rate(row, silent[class], n)
	}
	return f
}

// talkers are the events by alert and item; all tells how many there are.
func (d *deaf) talkers() (by map[string]map[string]int, days map[string]map[string]bool, all int) {
	by, days = map[string]map[string]int{}, map[string]map[string]bool{}
	for _, h := range d.said(func(h *heard) bool { return h.Event || h.Kind == "alert_damped" }) {
		key := h.Name + "|" + h.item()
		if by[key] == nil {
			by[key], days[key] = map[string]int{}, map[string]bool{}
		}
		by[key]["events"] += one(h.Event)
		by[key]["flaps"] += one(h.Kind == "alert_damped")
		by[key]["opened"] += one(h.Kind == "alert_firing")
		if h.Event {
			days[key][h.At.In(d.zone).Format(time.DateOnly)] = true
			all++
		}
	}
	return by, days, all
}

func (d *deaf) chronic() figures {
	f := figures{}
	by, days, all := d.talkers()
	for key, count := range by {
		row := f.row(key)
		row["n"], row["events"], row["flaps"], row["opened"], row["days"] = all, count["events"], count["flaps"], count["opened"], len(days[key])
		rate(row, count["events"], all)
	}
	return f
}

func (d *deaf) pareto() figures {
	f := figures{}
	by, _, all := d.talkers()
	var keys []string
	for key, count := range by {
		if count["events"] > 0 {
			keys = append(keys, key)
		}
	}
	slices.SortFunc(keys, func(a, b string) int {
		if n := by[b]["events"] - by[a]["events"]; n != 0 {
			return n
		}
		return strings.Compare(a, b)
	})
	sum := 0
	for n, key := range keys {
		row := f.row(key)
		row["part"] = "C"
		if float64(sum) < float64(all)*0.8 {
			row["part"] = "A"
		} else if float64(sum) < float64(all)*0.95 {
			row["part"] = "B"
		}
		sum += by[key]["events"]
		row["rank"], row["n"], row["events"], row["cumulative"] = n+1, all, by[key]["events"], float64(sum)/float64(all)
		rate(row, by[key]["events"], all)
	}
	return f
}

var weekdays = []string{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"}

func (d *deaf) hours() figures {
	f := figures{}
	opened, events := map[string]int{}, map[string]int{}
	all := 0
	for _, h := range d.said(func(h *heard) bool { return h.Event || h.Kind == "alert_firing" }) {
		at := h.At.In(d.zone)
		key := fmt.Sprintf("%s|%d", weekdays[at.Weekday()], at.Hour())
		opened[key] += one(opening(h))
		events[key] += one(h.Event)
		all += one(opening(h))
	}
	for _, w := range weekdays {
		for h := range 24 {
			row := f.row(w, fmt.Sprint(h))
			key := fmt.Sprintf("%s|%d", w, h)
			row["n"], row["opened"], row["events"] = all, opened[key], events[key]
			rate(row, opened[key], all)
		}
	}
	return f
}

func monday(t time.Time) time.Time {
	y, m, dd := t.Date()
	date := time.Date(y, m, dd, 0, 0, 0, 0, time.UTC)
	return date.AddDate(0, 0, -(int(date.Weekday())+6)%7)
}

func (d *deaf) seasons() figures {
	f := figures{}
	all := 1 + int(monday(d.p.To.Add(-time.Millisecond).In(d.zone)).Sub(monday(d.p.From.In(d.zone)))/(7*day))
	type hour struct{ name, season string }
	weeks, count := map[hour]map[time.Time]bool{}, map[hour]int{}
	for _, h := range d.said(opening) {
		at := h.At.In(d.zone)
		key := hour{h.Name, fmt.Sprintf("%s %02d:00", weekdays[at.Weekday()], at.Hour())}
		if weeks[key] == nil {
			weeks[key] = map[time.Time]bool{}
		}
		weeks[key][monday(at)] = true
		count[key]++
	}
	overall := map[string]float64{}
	for key, w := range weeks {
		overall[key.name] += float64(len(w)) / float64(168*all)
	}
	for key, w := range weeks {
		if n := len(w); all >= 4 && n >= 3 && n*10 >= all*6 && float64(n)/float64(all) >= 3*overall[key.name] {
			row := f.row(key.name, key.season)
			row["n"], row["weeks"], row["opened"], row["elsewhere"] = all, n, count[key], overall[key.name]
			rate(row, n, all)
		}
	}
	return f
}

func (d *deaf) rules() figures {
	f := figures{}
	type tally struct{ n, saved, acted, alerts int }
	tried := map[string]map[int]*tally{}
	for _, i := range d.made() {
		names, longest, alerts := map[string]bool{}, 0.0, 0
		for _, h := range d.heard {
			if !opening(h) || d.in[h.key()] != uint32(i.Incident) {
				continue
			}
			alerts++
			names[h.Name] = true
			if end := d.end(h.Shard, h.Alert, h.Occurrence); end == nil {
				longest = math.Inf(1)
			} else {
				longest = max(longest, end.Sub(h.At.Time).Seconds())
			}
		}
		if len(names) != 1 {
			continue
		}
		for name := range names {
			if tried[name] == nil {
				tried[name] = map[int]*tally{2: {}, 5: {}, 10: {}, 15: {}, 30: {}}
			}
			for minutes, t := range tried[name] {
				t.n++
				if longest < float64(minutes)*60 {
					t.saved++
					t.acted += one(i.Touched)
					t.alerts += alerts
				}
			}
		}
	}
	for name, by := range tried {
		for minutes, t := range by {
			if t.saved > 0 {
				row := f.row(name, fmt.Sprint(minutes))
				row["n"], row["saved"], row["acted_on"], row["later"], row["alerts"] = t.n, t.saved, t.acted, t.n-t.saved, t.alerts
				rate(row, t.saved, t.n)
			}
		}
	}
	return f
}

func (d *deaf) blindness() figures {
	f := figures{}
	type beat struct {
		name, source string
		entries      []*entry
	}
	beats := map[string]*beat{}
	for _, e := range d.log {
		if e.At.Before(d.p.To) {
			if beats[e.ID] == nil {
				beats[e.ID] = &beat{}
			}
			b := beats[e.ID]
			b.name, b.source, b.entries = e.Name, e.Source, append(b.entries, e)
		}
	}
	total := f.row("all", "")
	n, blind, expected, most := 0, 0.0, 0.0, 0.0
	for _, b := range beats {
		made, dropped := latest(b.entries[0].At.Time, d.p.From), d.p.To
		if last := b.entries[len(b.entries)-1]; last.Kind == "heartbeat_dropped" {
			dropped = last.At.Time
		}
		if !made.Before(dropped) {
			continue
		}
		times, sum, longest := 0, 0.0, 0.0
		for i, e := range b.entries {
			if e.Kind != "heartbeat_lost" {
				continue
			}
			end := d.p.To
			if i+1 < len(b.entries) {
				end = b.entries[i+1].At.Time
			}
			if from := latest(e.Since.Time, made); from.Before(end) {
				times++
				sum += end.Sub(from).Seconds()
				longest = max(longest, end.Sub(from).Seconds())
			}
		}
		row := f.row(b.source, b.name)
		row["n"], row["blind"], row["expected"], row["share"], row["longest"] = times, sum, dropped.Sub(made).Seconds(), sum/dropped.Sub(made).Seconds(), any(longest)
		if times == 0 {
			row["longest"] = nil
		}
		n, blind, expected, most = n+times, blind+sum, expected+dropped.Sub(made).Seconds(), max(most, longest)
	}
	total["n"], total["blind"], total["expected"], total["share"], total["longest"] = n, blind, expected, nil, any(most)
	if expected > 0 {
		total["share"] = blind / expected
	}
	if n == 0 {
		total["longest"] = nil
	}
	return f
}
