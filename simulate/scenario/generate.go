package scenario

import (
	"math/rand/v2"
	"time"

	"github.com/tocsin-noc/tocsin/event"
)

// Generate makes up a scenario. It is a function of its spec.
func Generate(spec Spec) (*Scenario, error) {
	if err := spec.check(); err != nil {
		return nil, err
	}
	estate := newEstate(spec.CIs, rand.New(rand.NewPCG(spec.Seed, 0)))
	g := &generator{spec: spec, estate: estate, random: rand.New(rand.NewPCG(spec.Seed, 1+spec.Run)), out: &Scenario{}}
	g.out.Topology = estate.topology(spec.Missing)
	w := newWire(g)
	onsets := g.faults()
	w.alarms(onsets)
	w.alarms(g.noise(onsets, len(w.lines)))
	g.out.Alerts, g.out.Truth = w.inOrder()
	return g.out, nil
}

// generator makes one scenario.
type generator struct {
	spec   Spec
	random *rand.Rand
	estate *estate
	out    *Scenario
}

// faults lets everything break, and returns the alarms that follow.
func (g *generator) faults() (onsets []onset) {
	at := g.spec.Start
	for i := range g.spec.Faults {
		switch last := lastOf(onsets, i-1); {
		case g.spec.Overlap == 0 || i == 0:
			at += g.wait(g.spec.Every)
		case g.spec.Pairs && i%2 == 0:
			at = max(at, last, lastOf(onsets, i-2)) + g.wait(g.spec.Every)
		default:
			at = max(at, last-event.FromDuration(g.spec.Overlap))
		}
		f, found := g.fault(at)
		g.out.Faults = append(g.out.Faults, f)
		onsets = append(onsets, found...)
	}
	return onsets
}

// lastOf returns when the last alarm of a fault begins.
func lastOf(onsets []onset, fault int) (last event.Time) {
	for i := len(onsets) - 1; i >= 0 && onsets[i].fault >= fault; i-- {
		if onsets[i].fault == fault {
			last = max(last, onsets[i].at)
		}
	}
	return last
}

// noise returns alarms that belong to no fault, spread over the time of those that do, of which there are so many lines.
func (g *generator) noise(onsets []onset, lines int) (noise []onset) {
	first, last := g.spec.Start, g.spec.Start+event.FromDuration(g.spec.Quiet)
	every := g.spec.NoiseEvery
	if len(onsets) > 0 {
		for _, o := range onsets {
			last = max(last, o.at)
		}
		alarms := g.spec.Noise / (1 - g.spec.Noise) * float64(lines)
		if alarms < 1 {
			return nil
		}
		every = time.Duration(float64((last - first).Duration()) / alarms)
	}
	for at := first + g.wait(every); at < last; at += g.wait(every) {
		noise = append(noise, onset{at, g.random.IntN(len(g.estate.cis)), pick(g.random, murmurs()), -1})
	}
	return noise
}

// wait draws the time to the next event of a Poisson process.
func (g *generator) wait(mean time.Duration) event.Time {
	return event.FromDuration(time.Duration(g.random.ExpFloat64() * float64(mean)))
}
