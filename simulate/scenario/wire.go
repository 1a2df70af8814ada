package scenario

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/tocsin-noc/tocsin/event"
)

const (
	senders    = 12
	underWay   = 2 * time.Second // at most, of an alert from a sender that works well
	twinWithin = 5 * time.Second // at most, between what both of a pair say
	lagAtMost  = 4 * time.Minute // of a sender with slow lines
	skewAtMost = 2 * time.Minute // of a sender with a wrong clock, either way
	flapsFrom  = 3               // times that a flapping alert goes up again
	flapsUpTo  = 7
)

// sender is what watches a part of the items.
type sender struct {
	name string
	twin bool
	lag  time.Duration // how long its lines are under way
	skew event.Time    // how wrong its clock is
}

// wire turns alarms into lines: what was said of them, by whom, and when that arrived.
type wire struct {
	g       *generator
	senders []sender
	lines   []sentLine
}

type sentLine struct {
	alert Alert
	fault string
	order int
}

func newWire(g *generator) *wire {
	w := &wire{g: g}
	for i := range senders {
		s := sender{name: fmt.Sprintf("prometheus-%d", i+1), twin: float64(i) < g.spec.Twins*senders}
		if float64(senders-i) <= g.spec.Late*senders+.5 {
			s.lag = time.Duration((.2 + .8*g.random.Float64()) * float64(lagAtMost))
			s.skew = event.FromDuration(time.Duration((2*g.random.Float64() - 1) * float64(skewAtMost)))
		}
		w.senders = append(w.senders, s)
	}
	return w
}

// alarms says all that is to be said of alarms.
func (w *wire) alarms(list []onset) {
	slices.SortStableFunc(list, func(a, b onset) int { return cmp.Compare(a.at, b.at) })
	for _, o := range list {
		w.alarm(o)
	}
}

// alarm says that an alarm begins and, unless nobody does, that it ends. What flaps goes up and down before. Noise comes once: each line
// of it is something of its own.
func (w *wire) alarm(o onset) {
	g := w.g
	s := &w.senders[o.ci%len(w.senders)]
	if o.fault < 0 {
		w.say(s, o, o.at, 0)
		return
	}
	at, ends := o.at, g.out.Faults[o.fault].End
	if g.random.Float64() < g.spec.Flapping {
		for range flapsFrom + g.random.IntN(flapsUpTo-flapsFrom+1) {
			down := at + event.FromDuration(time.Duration((15+45*g.random.Float64())*float64(time.Second)))
			if down >= ends {
				break
			}
			w.say(s, o, at, down)
			at = down + event.FromDuration(time.Duration((10+30*g.random.Float64())*float64(time.Second)))
		}
	}
	if g.random.Float64() < g.spec.Uncleared {
		ends = 0
	} else {
		ends += g.wait(20 * time.Second)
	}
	if ends == 0 || at < ends {
		w.say(s, o, at, ends)
	}
}

// say sends one firing and its end, 0 for none.
func (w *wire) say(s *sender, o onset, from, to event.Time) {
	w.send(s, o, from, Alert{StartsAt: from + s.skew})
	if to != 0 {
		w.send(s, o, to, Alert{StartsAt: from + s.skew, EndsAt: to + s.skew})
	}
}

// send puts a line on its way, from both of a pair.
func (w *wire) send(s *sender, o onset, at event.Time, a Alert) {
	replicas := []string{""}
	if s.twin {
		replicas = []string{"a", "b"}
		if o.fault < 0 {
			replicas = replicas[:1]
		}
	}
	for i, replica := range replicas {
		if w.g.random.Float64() < w.g.spec.Lost {
			continue
		}
		a.At = at + w.under(underWay)
		if i > 0 {
			a.At += w.under(twinWithin)
		}
		if s.lag > 0 { // some wait in a queue for longer, and so the order is not that of the moments
			a.At += event.FromDuration(s.lag/2) + w.under(s.lag/2)
		}
		a.At = max(a.At, a.EndsAt) // an end that lies ahead is none yet
		a.Labels, a.Annotations = w.labels(s, o, replica), event.Labels{{Name: "summary", Value: o.says.summary}}
		fault := ""
		if o.fault >= 0 {
			fault = w.g.out.Faults[o.fault].ID
		}
		w.lines = append(w.lines, sentLine{a, fault, len(w.lines)})
	}
}

func (w *wire) under(most time.Duration) event.Time {
	return event.FromDuration(time.Duration(w.g.random.Float64() * float64(most)))
}

func (w *wire) labels(s *sender, o onset, replica string) event.Labels {
	ci := &w.g.estate.cis[o.ci]
	ls := event.Labels{
		{Name: "alertname", Value: o.says.name}, {Name: CILabel, Value: ci.ID}, {Name: "class", Value: ci.Class},
		{Name: "instance", Value: ci.ID + ".example.net:9100"}, {Name: "severity", Value: o.says.severity}, {Name: "source", Value: s.name},
	}
	if replica != "" {
		ls = append(ls, event.Label{Name: "replica", Value: replica})
	}
	if w.g.spec.System != "" {
		ls = append(ls, event.Label{Name: SystemLabel, Value: w.g.spec.System})
	}
	slices.SortFunc(ls, func(a, b event.Label) int { return cmp.Compare(a.Name, b.Name) })
	return ls
}

// inOrder returns the lines as they arrive.
func (w *wire) inOrder() (alerts []Alert, truth []string) {
	slices.SortFunc(w.lines, func(a, b sentLine) int {
		return cmp.Or(cmp.Compare(a.alert.At, b.alert.At), cmp.Compare(a.order, b.order))
	})
	alerts, truth = make([]Alert, len(w.lines)), make([]string, len(w.lines))
	for i := range w.lines {
		alerts[i], truth[i] = w.lines[i].alert, w.lines[i].fault
	}
	return alerts, truth
}
