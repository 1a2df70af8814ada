package reports_test

import (
	"slices"
	"strings"
	"time"
)

// availability walks through every minute; the outages of the random worlds begin and end on whole minutes.
func (d *dumb) availability() figures {
	f := figures{}
	services := map[string]bool{}
	for _, c := range d.items {
		if c.Tenant == d.p.Tenant && c.Class == "service" && d.used(c.ID) {
			services[c.ID] = true
		}
	}
	for _, o := range d.outages {
		if o.Tenant == d.p.Tenant && o.State != "rejected" && o.Began.Before(d.now) && (o.Ended == nil || o.Ended.After(o.Began.Time)) {
			services[o.Service] = true
		}
	}
	for s := range services {
		if d.p.Service != "" && s != d.p.Service || d.p.Team != "" && d.latest(s, "team") != d.p.Team {
			delete(services, s)
		}
	}
	type sum struct {
		promised, down, degraded, proposed, planned float64
		n, begun, targets, inTime                   int
		restored                                    []float64
	}
	sums := map[string]*sum{}
	at := func(b, service string) []*sum {
		keys := []string{b + "|all|all"}
		if b == whole {
			keys = append(keys, whole+"|service|"+service)
		}
		var out []*sum
		for _, key := range keys {
			if sums[key] == nil {
				sums[key] = &sum{}
			}
			out = append(out, sums[key])
		}
		return out
	}
	for _, b := range d.buckets() {
		at(b, "")
	}
	delete(sums, whole+"|service|")
	for service := range services {
		at(whole, service)
		rto, _ := time.ParseDuration(d.latest(service, "rto"))
		var began time.Time
		down := false
		first, last := d.span()
		life, inUse := d.versions(service), d.used(service)
		for t := first; !t.After(last); t = t.Add(time.Minute) {
			now := d.minute(service, life, inUse, t)
			if now == "down" && !down {
				began, down = t, true
				for _, b := range d.buckets() {
					if from, to := d.ends(b); !t.Before(from) && t.Before(to) {
						for _, s := range at(b, service) {
							s.begun++
						}
					}
				}
			} else if now != "down" && down {
				down = false
				for _, b := range d.buckets() {
					from, to := d.ends(b)
					for _, s := range at(b, service) {
						if began.Before(to) && t.After(from) {
							s.n++
						}
						if t.After(from) && t.Before(to) {
							s.restored = append(s.restored, t.Sub(began).Seconds())
							if rto > 0 {
								s.targets++
								if t.Sub(began) <= rto {
									s.inTime++
								}
							}
						}
					}
				}
			}
			if t.Before(d.p.From) || !t.Before(d.p.To) {
				continue
			}
			for _, b := range []string{whole, d.bucket(t)} {
				for _, s := range at(b, service) {
					switch now {
					case "planned":
						s.planned += 60
						continue
					case "none":
						continue
					case "down":
						s.down += 60
					case "degraded":
						s.degraded += 60
					case "proposed":
						s.proposed += 60
					case "degraded and proposed":
						s.degraded += 60
						s.proposed += 60
					}
					s.promised += 60
				}
			}
		}
		if down {
			for _, b := range d.buckets() {
				if _, to := d.ends(b); began.Before(to) {
					for _, s := range at(b, service) {
						s.n++
					}
				}
			}
		}
	}
	for key, s := range sums {
		if !strings.HasSuffix(key, "|all|all") && s.promised+s.planned == 0 {
			continue // it was not in use in the period
		}
		row := f.row(key)
		quantiles(row, s.restored)
		row["restored"] = row["n"]
		row["n"], row["committed"], row["down"], row["degraded"], row["proposed"], row["planned"] = s.n, s.promised, s.down, s.degraded, s.proposed, s.planned
		row["share"], row["mtbf"] = nil, nil
		if s.promised > 0 {
			row["share"] = (s.promised - s.down) / s.promised
		}
		if s.begun > 0 {
			row["mtbf"] = (s.promised - s.down) / float64(s.begun)
		}
		row["rto_n"] = s.targets
		row["rto_met"], row["rto_met_lo"], row["rto_met_hi"] = wilson(s.inTime, s.targets)
	}
	return f
}

// versions lists what is known of a service, in order.
func (d *dumb) versions(service string) (found []*item) {
	for _, c := range d.items {
		if c.Tenant == d.p.Tenant && c.ID == service && c.Class == "service" {
			found = append(found, c)
		}
	}
	slices.SortStableFunc(found, func(a, b *item) int { return a.Known.Compare(b.Known.Time) })
	return found
}

func (d *dumb) latest(service, attribute string) string {
	v := d.versions(service)
	if len(v) == 0 {
		return ""
	}
	return v[len(v)-1].Attributes[attribute]
}

// used tells whether a service ever was in use.
func (d *dumb) used(service string) bool {
	return slices.ContainsFunc(d.versions(service), func(c *item) bool { return !c.Gone && c.State != "retired" && c.State != "ordered" })
}

// span is the time from the first outage to the end of the period and of all outages.
func (d *dumb) span() (first, last time.Time) {
	first, last = d.p.From, d.p.To
	for _, o := range d.outages {
		first = earliest(first, o.Began.Time)
		if o.Ended != nil {
			last = latest(last, o.Ended.Time)
		}
	}
	return first.Truncate(time.Minute), last
}

// minute is what a service with the versions v was in the minute from t on.
func (d *dumb) minute(service string, v []*item, inUse bool, t time.Time) string {
	if inUse {
		born := false
		for _, c := range v {
			born = born || !c.Gone && c.State != "retired" && c.State != "ordered" && !t.Before(c.ValidFrom.Time)
		}
		end := len(v)
		for end > 0 && (v[end-1].Gone || v[end-1].State == "retired") {
			end--
		}
		if !born || end < len(v) && !t.Before(v[end].ValidFrom.Time) {
			return "none"
		}
	}
	planned, down, degraded, proposed := false, false, false, false
	for _, o := range d.outages {
		if o.Tenant != d.p.Tenant || o.Service != service || t.Before(o.Began.Time) || o.Ended != nil && !t.Before(o.Ended.Time) {
			continue
		}
		ahead := o.Known.Before(o.Began.Time)
		planned = planned || o.State == "confirmed" && o.Kind == "planned" && ahead
		down = down || o.State == "confirmed" && (o.Kind == "down" || o.Kind == "planned" && !ahead)
		degraded = degraded || o.State == "confirmed" && o.Kind == "degraded"
		proposed = proposed || o.State == "proposed" && o.Kind != "planned"
	}
	switch {
	case planned:
		return "planned"
	case down:
		return "down"
	case degraded && proposed:
		return "degraded and proposed"
	case degraded:
		return "degraded"
	case proposed:
		return "proposed"
	}
	return "up"
}
