package reports_test

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/tocsin-noc/tocsin/history/reports"
)

// The reports once more, as dumb as can be: one pass for each figure, on slices, with the clocks of package time.

// figures are the rows of a report by their texts, and in each the figures that are known.
type figures map[string]map[string]any

func (f figures) row(key ...string) map[string]any {
	k := strings.Join(key, "|")
	if f[k] == nil {
		f[k] = map[string]any{}
	}
	return f[k]
}

type dumb struct {
	*world
	p    reports.Params
	zone *time.Location
	now  time.Time
}

const day = 24 * time.Hour

func newDumb(w *world, p reports.Params) *dumb {
	zone, err := time.LoadLocation(p.Zone)
	if err != nil {
		panic(err)
	}
	return &dumb{world: w, p: p, zone: zone, now: time.Now()}
}

func (d *dumb) in(s *stamp) bool { return s != nil && !s.Before(d.p.From) && s.Before(d.p.To) }

func (d *dumb) meant(i *trouble) bool {
	return i.Tenant == d.p.Tenant && (d.p.Service == "" || slices.Contains(i.Services, d.p.Service)) && (d.p.Team == "" || i.Team == d.p.Team) &&
		(d.p.Priority == 0 || i.Priority == d.p.Priority)
}

func (d *dumb) opened() (found []*trouble) {
	for _, i := range d.incidents {
		if d.meant(i) && i.MergedInto == 0 && i.Phase != "cancelled" && d.in(&i.Opened) {
			found = append(found, i)
		}
	}
	return found
}

func (d *dumb) resolved() (found []*trouble) {
	for _, i := range d.incidents {
		if d.meant(i) && i.MergedInto == 0 && i.Phase != "cancelled" && d.in(i.Resolved) {
			found = append(found, i)
		}
	}
	return found
}

func (d *dumb) date(t time.Time) time.Time {
	y, m, day := t.In(d.zone).Date()
	date := time.Date(y, m, day, 0, 0, 0, 0, time.UTC)
	switch d.p.Bucket {
	case "week":
		return date.AddDate(0, 0, -(int(date.Weekday())+6)%7)
	case "month":
		return date.AddDate(0, 0, 1-date.Day())
	}
	return date
}

func (d *dumb) bucket(t time.Time) string { return d.date(t).Format(time.DateOnly) }

const whole = "whole"

// buckets lists the whole period and its buckets.
func (d *dumb) buckets() []string {
	all := []string{whole}
	for date := d.date(d.p.From); !date.After(d.date(d.p.To.Add(-time.Millisecond))); date = d.next(date) {
		all = append(all, date.Format(time.DateOnly))
	}
	return all
}

func (d *dumb) next(date time.Time) time.Time {
	switch d.p.Bucket {
	case "week":
		return date.AddDate(0, 0, 7)
	case "month":
		return date.AddDate(0, 1, 0)
	}
	return date.AddDate(0, 0, 1)
}

// ends returns the part of the period that a bucket is.
func (d *dumb) ends(bucket string) (from, to time.Time) {
	if bucket == whole {
		return d.p.From, d.p.To
	}
	date, err := time.Parse(time.DateOnly, bucket)
	if err != nil {
		panic(err)
	}
	n := d.next(date)
	from = time.Date(date.Year(), date.Month(), date.Day(), 0, 0, 0, 0, d.zone)
	to = time.Date(n.Year(), n.Month(), n.Day(), 0, 0, 0, 0, d.zone)
	return latest(from, d.p.From), earliest(to, d.p.To)
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func earliest(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

func seconds(from, to *stamp) (float64, bool) {
	if from == nil || to == nil {
		return 0, false
	}
	return float64(to.Sub(from.Time).Milliseconds()) / 1000, true
}

// business counts business seconds, day by day. Both ends lie on the clock, and no clock is changed in business hours.
func (d *dumb) business(from, to stamp) float64 {
	var sum time.Duration
	first := from.In(d.zone)
	for date := time.Date(first.Year(), first.Month(), first.Day(), 0, 0, 0, 0, d.zone); date.Before(to.Time); date = date.AddDate(0, 0, 1) {
		if w := date.Weekday(); w == time.Saturday || w == time.Sunday {
			continue
		}
		open := latest(time.Date(date.Year(), date.Month(), date.Day(), 9, 0, 0, 0, d.zone), from.Time)
		shut := earliest(time.Date(date.Year(), date.Month(), date.Day(), 17, 0, 0, 0, d.zone), to.Time)
		if open.Before(shut) {
			sum += shut.Sub(open)
		}
	}
	return float64(sum.Milliseconds()) / 1000
}

// quantiles writes n, p50, p90, gmean and the interval of p50 into a row.
func quantiles(row map[string]any, xs []float64) {
	slices.Sort(xs)
	n := len(xs)
	row["n"] = n
	for _, name := range []string{"p50", "p90", "gmean", "p50_lo", "p50_hi"} {
		row[name] = nil
	}
	if n == 0 {
		return
	}
	row["p50"], row["p90"] = xs[int(math.Ceil(float64(n)/2))-1], xs[(9*n+9)/10-1]
	logs := 0.0
	for _, x := range xs {
		logs += math.Log(max(x, 1))
	}
	row["gmean"] = math.Exp(logs / float64(n))
	if n >= 6 {
		l := int(math.Floor((float64(n)+1)/2 - 1.959964/2*math.Sqrt(float64(n))))
		row["p50_lo"], row["p50_hi"] = xs[l-1], xs[n-l]
	}
}

// rate writes a share and its interval into a row.
func rate(row map[string]any, part, all int) {
	row["share"], row["lo"], row["hi"] = wilson(part, all)
}

func wilson(part, all int) (share, lo, hi any) {
	if all == 0 {
		return nil, nil, nil
	}
	const z = 1.959964
	n, p := float64(all), float64(part)/float64(all)
	middle, width := p+z*z/(2*n), z*math.Sqrt(p*(1-p)/n+z*z/(4*n*n))
	return p, max(0, (middle-width)/(1+z*z/n)), min(1, (middle+width)/(1+z*z/n))
}

func (d *dumb) detection() figures {
	f := figures{}
	for _, b := range d.buckets() {
		var steps [4][]float64
		first, all := 0, 0
		for _, i := range d.opened() {
			if b != whole && d.bucket(i.Opened.Time) != b {
				continue
			}
			all++
			if i.Automatic || i.Received != nil && !i.Received.After(i.Opened.Time) {
				first++
			}
			var broken, told *stamp
			for _, o := range d.outages {
				if i.Origin == "" && o.Shard == i.Shard && o.State == "confirmed" && o.Kind != "planned" && slices.Contains(o.Incidents, i.Incident) && (broken == nil || o.Began.Before(broken.Time)) {
					broken = &o.Began
				}
			}
			for _, m := range d.messages {
				if i.Origin == "" && m.Shard == i.Shard && m.Incident == i.Incident && !m.At.Before(d.p.From) && (told == nil || m.At.Before(told.Time)) {
					told = &m.At
				}
			}
			for n, ends := range [][2]*stamp{{broken, i.FirstEvent}, {i.FirstEvent, i.Received}, {i.Received, &i.Opened}, {&i.Opened, told}} {
				if x, ok := seconds(ends[0], ends[1]); ok {
					steps[n] = append(steps[n], max(0, x))
				}
			}
		}
		for n, step := range []string{"outage to event", "event to arrival", "arrival to incident", "incident to message"} {
			quantiles(f.row(b, step), steps[n])
		}
		row := f.row(b, "monitoring first")
		row["n"] = all
		rate(row, first, all)
	}
	return f
}

func (d *dumb) mtta() figures {
	f := figures{}
	strata := map[string][]string{}
	for _, b := range d.buckets() {
		strata[b] = []string{"all"}
	}
	strata[whole] = append(strata[whole], "P1", "P2", "P3", "P4", "P5")
	for b, strata := range strata {
		for _, s := range strata {
			var opened, event []float64
			taken, all := 0, 0
			for _, i := range d.resolved() {
				if b != whole && d.bucket(i.Resolved.Time) != b || s != "all" && s != fmt.Sprintf("P%d", i.Priority) {
					continue
				}
				all++
				if i.Acked == nil {
					continue
				}
				taken++
				x, _ := seconds(&i.Opened, i.Acked)
				opened = append(opened, max(x, 0))
				if x, ok := seconds(i.FirstEvent, i.Acked); ok {
					event = append(event, max(x, 0))
				}
			}
			for clock, xs := range map[string][]float64{"opened": opened, "first event": event} {
				row := f.row(b, clock, s)
				quantiles(row, xs)
				row["censored"] = all - taken
				rate(row, taken, all)
			}
		}
	}
	return f
}

func resolver(human bool) string {
	if human {
		return "person"
	}
	return "machine"
}

func (d *dumb) mttr() figures {
	found := map[string][]float64{}
	add := func(x float64, key ...string) {
		k := strings.Join(key, "|")
		found[k] = append(found[k], x)
	}
	for _, b := range d.buckets() {
		for _, hours := range []string{"elapsed", "business"} {
			for _, clock := range []string{"resolve", "repair"} {
				for by, stratum := range map[string]string{"all|all": "", "resolver|person": "", "resolver|machine": ""} {
					found[strings.Join([]string{b, clock, hours, by, stratum}, "|")] = nil
				}
			}
			found[strings.Join([]string{b, "restore", hours, "all|all", ""}, "|")] = nil
		}
	}
	for _, i := range d.resolved() {
		x, _ := seconds(&i.Opened, i.Resolved)
		who := resolver(i.ResolvedHuman)
		for _, b := range []string{whole, d.bucket(i.Resolved.Time)} {
			for _, by := range [][2]string{{"all", "all"}, {"resolver", who}} {
				add(x, b, "resolve", "elapsed", by[0], by[1], "")
				add(d.business(i.Opened, *i.Resolved), b, "resolve", "business", by[0], by[1], "")
				if y, ok := seconds(i.FirstEvent, i.LastClear); ok {
					add(y, b, "repair", "elapsed", by[0], by[1], "")
					add(d.business(*i.FirstEvent, *i.LastClear), b, "repair", "business", by[0], by[1], "")
				}
			}
		}
		add(x, whole, "resolve", "elapsed", "priority", fmt.Sprintf("P%d", i.Priority), "")
		for _, s := range i.Services {
			add(x, whole, "resolve", "elapsed", "service", s, "")
		}
		local := i.Opened.In(d.zone)
		add(x, whole, "resolve", "elapsed", "weekday", local.Format("Mon"), local.Format("15"))
	}
	for _, o := range d.outages {
		if o.Tenant != d.p.Tenant || o.State != "confirmed" || o.Kind != "down" || !d.in(o.Ended) || d.p.Service != "" && o.Service != d.p.Service {
			continue
		}
		x, _ := seconds(&o.Began, o.Ended)
		for hours, x := range map[string]float64{"elapsed": x, "business": d.business(o.Began, *o.Ended)} {
			add(x, whole, "restore", hours, "all", "all", "")
			add(x, d.bucket(o.Ended.Time), "restore", hours, "all", "all", "")
			add(x, whole, "restore", hours, "service", o.Service, "")
		}
	}
	f := figures{}
	for key, xs := range found {
		quantiles(f.row(key), xs)
	}
	return f
}

func (d *dumb) ownership() figures {
	f := figures{}
	for _, b := range d.buckets() {
		type sum struct {
			elapsed, business float64
			each              []float64
		}
		sums := map[string]*sum{"all|all": {}}
		for _, i := range d.resolved() {
			if b != whole && d.bucket(i.Resolved.Time) != b {
				continue
			}
			mine := map[string][2]float64{}
			add := func(key string, since, until stamp) {
				if until.Before(since.Time) {
					return
				}
				x, _ := seconds(&since, &until)
				mine[key] = [2]float64{mine[key][0] + x, mine[key][1] + d.business(since, until)}
			}
			end := func(until *stamp) stamp {
				if until == nil || until.After(i.Resolved.Time) {
					return *i.Resolved
				}
				return *until
			}
			add("all|all", i.Opened, *i.Resolved)
			for _, t := range i.Teams {
				add("team|"+cmp.Or(t.Team, "nobody"), t.Since, end(t.Until))
			}
			if len(i.Teams) == 0 {
				add("team|nobody", i.Opened, *i.Resolved)
			}
			for _, h := range i.Holds {
				add("pause|"+h.Reason, h.Since, end(h.Until))
			}
			for key, x := range mine {
				if sums[key] == nil {
					sums[key] = &sum{}
				}
				sums[key].elapsed += x[0]
				sums[key].business += x[1]
				sums[key].each = append(sums[key].each, x[0])
			}
		}
		for key, s := range sums {
			row := f.row(b, key)
			quantiles(row, s.each)
			row["elapsed"], row["business"], row["share"], row["business_share"] = nil, nil, nil, nil
			if len(s.each) > 0 {
				row["elapsed"], row["business"] = s.elapsed, s.business
			}
			if all := sums["all|all"]; all.elapsed > 0 {
				row["share"] = s.elapsed / all.elapsed
			}
			if all := sums["all|all"]; all.business > 0 {
				row["business_share"] = s.business / all.business
			}
		}
	}
	return f
}

func (d *dumb) reopens() figures {
	f := figures{}
	counts, times := map[string]int{}, map[string]int{}
	for _, i := range d.incidents {
		counts[i.Tenant+i.Origin] += int(i.ReopenCount)
		times[i.Tenant+i.Origin] += len(i.Reopens)
	}
	for _, b := range d.buckets() {
		for _, human := range []bool{true, false} {
			for _, days := range []int{1, 7, 30} {
				n, again, fresh := 0, 0, 0
				limit := time.Duration(days) * day
				for _, i := range d.incidents {
					if !d.meant(i) || i.MergedInto != 0 || i.Phase == "cancelled" {
						continue
					}
					unknown := int(i.ReopenCount) > len(i.Reopens) || i.Origin != "" && counts[i.Tenant+i.Origin] > 0 && times[i.Tenant+i.Origin] == 0
					ends := i.Resolves
					if len(ends) == 0 && i.Resolved != nil {
						ends = []resolve{{*i.Resolved, i.ResolvedHuman}}
					}
					for _, r := range ends {
						if r.Human != human || !d.in(&r.At) || b != whole && d.bucket(r.At.Time) != b {
							continue
						}
						if unknown || r.At.Add(limit).After(d.now) {
							fresh++
							continue
						}
						n++
						if slices.ContainsFunc(i.Reopens, func(at stamp) bool { return !at.Before(r.At.Time) && !at.After(r.At.Add(limit)) }) {
							again++
						}
					}
				}
				row := f.row(b, resolver(human), map[int]string{1: "1 day", 7: "7 days", 30: "30 days"}[days])
				row["n"], row["reopened"], row["immature"] = n, again, fresh
				rate(row, again, n)
			}
			n, again := 0, 0
			for _, i := range d.resolved() {
				if i.ResolvedHuman == human && (b == whole || d.bucket(i.Resolved.Time) == b) {
					n++
					if i.ReopenCount > 0 {
						again++
					}
				}
			}
			row := f.row(b, resolver(human), "ever")
			row["n"], row["reopened"], row["immature"] = n, again, 0
			rate(row, again, n)
		}
	}
	return f
}

func (d *dumb) reassignments() figures {
	type sum struct{ n, right, passes, incidents, returns int }
	sums := map[string]*sum{}
	add := func(key string, i *trouble, returns int) {
		if sums[key] == nil {
			sums[key] = &sum{}
		}
		s := sums[key]
		s.n++
		s.passes += int(i.Reassignments)
		s.returns += returns
		if i.Reassignments == 0 {
			s.right++
		}
		if returns > 0 {
			s.incidents++
		}
	}
	for _, b := range d.buckets() {
		sums[b+"|all|all"] = &sum{}
	}
	for _, i := range d.resolved() {
		var path []string
		for _, t := range i.Teams {
			if t.Team != "" && (len(path) == 0 || path[len(path)-1] != t.Team) {
				path = append(path, t.Team)
			}
		}
		pairs, returns := map[string]int{}, 0
		for n := 2; n < len(path); n++ {
			if path[n] == path[n-2] {
				returns++
				pairs[min(path[n], path[n-1])+" ⇄ "+max(path[n], path[n-1])]++
			}
		}
		add(whole+"|all|all", i, returns)
		add(d.bucket(i.Resolved.Time)+"|all|all", i, returns)
		add(whole+"|first team|"+append(path, "nobody")[0], i, returns)
		for pair, n := range pairs {
			add(whole+"|pair|"+pair, i, n)
		}
	}
	f := figures{}
	for key, s := range sums {
		row := f.row(key)
		row["n"], row["first_right"], row["passes"], row["ping_pong"], row["returns"] = s.n, s.right, s.passes, s.incidents, s.returns
		rate(row, s.right, s.n)
	}
	return f
}

func (d *dumb) fixes() figures {
	f := figures{}
	for _, b := range d.buckets() {
		for _, who := range []string{"all", "person", "machine"} {
			n, reopened, back, fresh := 0, 0, 0, 0
			for _, i := range d.resolved() {
				if b != whole && d.bucket(i.Resolved.Time) != b || who != "all" && who != resolver(i.ResolvedHuman) {
					continue
				}
				limit := i.Resolved.Add(14 * day)
				switch {
				case limit.After(d.now):
					fresh++
					continue
				case i.ReopenCount > 0:
					reopened++
				case slices.ContainsFunc(d.incidents, func(o *trouble) bool {
					return o.Tenant == i.Tenant && o.MergedInto == 0 && o.Phase != "cancelled" && o.Signature != 0 && o.Signature == i.Signature &&
						o.Opened.After(i.Resolved.Time) && !o.Opened.After(limit)
				}):
					back++
				}
				n++
			}
			row := f.row(b, who)
			row["n"], row["reopened"], row["came_back"], row["immature"], row["fixed"] = n, reopened, back, fresh, n-reopened-back
			rate(row, n-reopened-back, n)
		}
	}
	return f
}

// openAt tells whether an incident was open, and since when nothing had changed.
func openAt(i *trouble, t time.Time) bool {
	if i.Opened.After(t) {
		return false
	}
	open := true
	moments := []struct {
		at   time.Time
		open bool
	}{}
	for _, r := range i.Resolves {
		moments = append(moments, struct {
			at   time.Time
			open bool
		}{r.At.Time, false})
	}
	for _, r := range i.Reopens {
		moments = append(moments, struct {
			at   time.Time
			open bool
		}{r.Time, true})
	}
	slices.SortStableFunc(moments, func(a, b struct {
		at   time.Time
		open bool
	}) int {
		return a.at.Compare(b.at)
	})
	for _, m := range moments {
		if !m.at.After(t) {
			open = m.open
		}
	}
	if i.Closed != nil && (i.Phase == "cancelled" || i.Phase == "merged" || len(i.Resolves) == 0) && !i.Closed.After(t) {
		open = false
	}
	return open
}

func (d *dumb) backlog() figures {
	f := figures{}
	for _, b := range d.buckets() {
		from, to := d.ends(b)
		if from.After(d.now) && b != whole {
			continue
		}
		t := to.Add(-time.Millisecond)
		for _, s := range []string{"all", "P1", "P2", "P3", "P4", "P5"} {
			row := f.row(b, s)
			for _, name := range []string{"n", "under_1_day", "days_1_5", "days_6_30", "days_31_90", "over_90_days", "stale_5", "stale_30", "opened", "resolved", "net"} {
				row[name] = 0
			}
			count := func(name string) { row[name] = row[name].(int) + 1 }
			for _, i := range d.incidents {
				if !d.meant(i) || s != "all" && s != fmt.Sprintf("P%d", i.Priority) {
					continue
				}
				if i.MergedInto == 0 && i.Phase != "cancelled" {
					if !i.Opened.Before(from) && i.Opened.Before(to) {
						count("opened")
					}
					if i.Resolved != nil && !i.Resolved.Before(from) && i.Resolved.Before(to) {
						count("resolved")
					}
				}
				if !openAt(i, t) {
					continue
				}
				count("n")
				switch days := int(t.Sub(i.Opened.Time) / day); {
				case days < 1:
					count("under_1_day")
				case days < 6:
					count("days_1_5")
				case days < 31:
					count("days_6_30")
				case days < 91:
					count("days_31_90")
				default:
					count("over_90_days")
				}
				last := i.Opened.Time
				for _, c := range i.changes {
					if !c.At.After(t) {
						last = latest(last, c.At.Time)
					}
				}
				if t.Sub(last) >= 5*day {
					count("stale_5")
				}
				if t.Sub(last) >= 30*day {
					count("stale_30")
				}
			}
			row["net"] = row["opened"].(int) - row["resolved"].(int)
		}
	}
	return f
}

// seenBefore tells when the same was opened last, nil when not in 30 days.
func (d *dumb) seenBefore(i *trouble) *stamp {
	var last *stamp
	for _, o := range d.incidents {
		if o == i || o.Tenant != i.Tenant || o.MergedInto != 0 || o.Phase == "cancelled" || o.Signature != i.Signature || o.Signature == 0 || o.Opened.After(i.Opened.Time) ||
			o.Opened.Before(i.Opened.Add(-30*day)) || o.Opened.Equal(i.Opened.Time) && o.Incident > i.Incident {
			continue
		}
		if last == nil || o.Opened.After(last.Time) {
			last = &o.Opened
		}
	}
	return last
}

func (d *dumb) lost(i *trouble) float64 {
	end := stamp{earliest(d.p.To, d.now)}
	if i.Closed != nil {
		end = *i.Closed
	}
	if i.Resolved != nil {
		end = *i.Resolved
	}
	x, _ := seconds(&i.Opened, &end)
	return max(0, x)
}

func (d *dumb) recurrence() figures {
	f := figures{}
	type sum struct {
		n, again int
		lost     float64
		newest   *trouble
	}
	add := func(sums map[string]*sum, key string, i *trouble) {
		if sums[key] == nil {
			sums[key] = &sum{}
		}
		s := sums[key]
		s.n++
		s.lost += d.lost(i)
		if d.seenBefore(i) != nil {
			s.again++
		}
		if s.newest == nil || i.Opened.After(s.newest.Opened.Time) || i.Opened.Equal(s.newest.Opened.Time) && i.Incident > s.newest.Incident {
			s.newest = i
		}
	}
	trend, kinds := map[string]*sum{}, map[string]*sum{}
	for _, b := range d.buckets() {
		trend[b] = &sum{}
	}
	for _, i := range d.opened() {
		add(trend, whole, i)
		add(trend, d.bucket(i.Opened.Time), i)
		add(kinds, fmt.Sprint(i.Signature), i)
	}
	for b, s := range trend {
		row := f.row(b, "all", "all", "")
		row["n"], row["recurring"] = s.n, s.again
		rate(row, s.again, s.n)
		if s.n > 0 {
			row["lost"] = s.lost
		}
	}
	for _, s := range kinds {
		row := f.row(whole, "signature", s.newest.Title, s.newest.CI)
		row["n"], row["recurring"], row["lost"], row["of_all"] = s.n, s.again, s.lost, float64(s.n)/float64(trend[whole].n)
		rate(row, s.again, s.n)
		row["class"] = "regular"
		if 5*s.n >= trend[whole].n {
			row["class"] = "frequent"
		} else if 20*s.n <= trend[whole].n {
			row["class"] = "rare"
		}
		running := 0.0
		for _, o := range kinds {
			if o.lost >= s.lost {
				running += o.lost
			}
		}
		if trend[whole].lost > 0 {
			row["lost_share"], row["running"] = s.lost/trend[whole].lost, running/trend[whole].lost
		}
	}
	return f
}

func (d *dumb) interruptions() figures {
	f := figures{}
	type load struct {
		n, business, off, asleep int
		each                     map[string]int
	}
	loads := map[[2]string]*load{}
	add := func(team, b string, m *message) {
		l := loads[[2]string{team, b}]
		if l == nil {
			l = &load{each: map[string]int{}}
			loads[[2]string{team, b}] = l
		}
		l.n++
		if m.Person != "" {
			l.each[m.Person]++
		}
		local := m.At.In(d.zone)
		switch h, w := local.Hour(), local.Weekday(); {
		case h >= 22 || h < 8:
			l.asleep++
		case w != time.Saturday && w != time.Sunday && h >= 9 && h < 17:
			l.business++
		default:
			l.off++
		}
	}
	var rang []*message
	for _, m := range d.messages {
		if m.Rings && m.Tenant == d.p.Tenant && d.in(&m.At) && (d.p.Team == "" || m.Team == d.p.Team) && (d.p.Person == "" || m.Person == d.p.Person) {
			rang = append(rang, m)
			add(m.Team, whole, m)
			add(m.Team, d.bucket(m.At.Time), m)
		}
	}
	enough, each := map[string]bool{}, map[string]bool{}
	for key, l := range loads {
		if key[1] == whole {
			enough[key[0]] = len(l.each) >= 5
		}
		if before, ok := each[key[0]]; !ok || before {
			each[key[0]] = len(l.each) >= 5
		}
	}
	sum := "all"
	if d.p.Person != "" {
		sum, loads = "you", map[[2]string]*load{}
	}
	for _, b := range d.buckets() {
		loads[[2]string{sum, b}] = &load{each: map[string]int{}}
	}
	for _, m := range rang {
		if d.p.Person != "" || enough[m.Team] {
			add(sum, whole, m)
		}
		if d.p.Person != "" || enough[m.Team] && each[m.Team] {
			add(sum, d.bucket(m.At.Time), m)
		}
	}
	for key, l := range loads {
		team, b := key[0], key[1]
		if team != sum && !enough[team] {
			if b == whole {
				f.row(b, team, "too few people")["n"] = nil
			}
			continue
		}
		if team != sum && b != whole && !each[team] {
			continue
		}
		row := f.row(b, team, "")
		rate(row, l.asleep, l.n)
		row["people"], row["business"], row["off_hours"], row["asleep"] = len(l.each), l.business, l.off, l.asleep
		counts := slices.Sorted(maps.Values(l.each))
		row["p50"], row["p90"] = nil, nil
		if n := len(counts); n > 0 {
			row["p50"], row["p90"] = counts[(n+1)/2-1], counts[(9*n+9)/10-1]
		}
		row["n"] = l.n
	}
	return f
}
