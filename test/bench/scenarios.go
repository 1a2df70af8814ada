package main

import (
	"context"
	"fmt"
	"strconv"
	"time"
)

// sizes says how much of everything; the counts are alerts.
type sizes struct {
	fresh    uint64        // new alerts in batches
	repeats  uint64        // repeats in batches
	active   uint64        // what repeats go round
	singles  uint64        // alerts sent one by one
	memory   uint64        // active alerts of Tocsin when memory and recovery are measured
	peer     uint64        // active alerts of Alertmanager when memory is measured
	tail     uint64        // alerts after the snapshot, to be replayed
	step     time.Duration // how long a rate must hold
	flatOut  time.Duration // how long the first guess of the rate takes
	settle   time.Duration // between two looks at whether a server has calmed down
	dropping bool          // whether recovery begins with a cold page cache
}

var (
	fullSizes = sizes{
		fresh: 200_000, repeats: 1_000_000, active: 10_000, singles: 100_000,
		memory: 1_000_000, peer: 200_000, tail: 200_000,
		step: time.Minute, flatOut: 10 * time.Second, settle: 500 * time.Millisecond, dropping: true,
	}
	shortSizes = sizes{
		fresh: 20_000, repeats: 100_000, active: 1_000, singles: 10_000,
		memory: 100_000, peer: 20_000, tail: 20_000,
		step: 10 * time.Second, flatOut: 3 * time.Second, settle: 250 * time.Millisecond, dropping: true,
	}
)

// scenario is one way to use a server, always from an empty start.
type scenario struct {
	id, title  string
	tocsinOnly bool
	measure    func(context.Context, *trial) error
	rows       []row
}

// row is one measure of a scenario as the table shows it.
type row struct {
	measure string // key in the measures
	unit    string
	target  target
}

// target is what Tocsin's figure is held against; the zero value is none.
type target struct {
	sign  string // "≤" or "≥"
	value float64
	ratio bool // value is for Tocsin ÷ Alertmanager
}

func atMost(v float64) target       { return target{sign: "≤", value: v} }
func atLeastTimes(v float64) target { return target{sign: "≥", value: v, ratio: true} }

// met tells whether v is good enough.
func (t target) met(v float64) bool {
	if t.sign == "≥" {
		return v >= t.value
	}
	return v <= t.value
}

func (t target) String() string {
	switch {
	case t.sign == "":
		return ""
	case t.ratio:
		return t.sign + " " + figure(t.value, true) + " ×"
	}
	return t.sign + " " + figure(t.value, true)
}

// Targets are for the full sizes on two cores, the answer being durable. A
// repeat costs the way through (scan, hash, touch, look-up), a new alert also
// its text in journal, state and changes log; one alert per request adds
// net/http's 12 to 25 µs and a sync of its own. The others say what an
// operator notices.
func scenarios(z sizes) []scenario {
	loaded := func(cpu float64) []row {
		return []row{
			{measure: cpuPerMillion, unit: "CPU-s per million", target: atMost(cpu)},
			{measure: rss, unit: "MB RSS"},
			{measure: rate, unit: "alerts/s"},
			{measure: p50, unit: "ms p50"},
			{measure: p99, unit: "ms p99"},
			{measure: p999, unit: "ms p99.9"},
			{measure: refused, unit: "% refused"},
		}
	}
	return []scenario{
		{id: "a", title: amount(z.fresh) + " new, batch 64", rows: loaded(9), measure: newInBatches},
		{id: "b", title: fmt.Sprintf("%s repeats of %s active, batch 64", amount(z.repeats), amount(z.active)), rows: loaded(5), measure: repeatsInBatches},
		{id: "c1", title: amount(z.singles) + " repeats, one per request", rows: loaded(30), measure: repeatsOneByOne},
		{id: "c2", title: amount(z.singles) + " new, one per request", rows: loaded(30), measure: newOneByOne},
		{id: "d", title: fmt.Sprintf("memory at %s active (Alertmanager %s)", amount(z.memory), amount(z.peer)), measure: memory, rows: []row{
			{measure: bytesPerAlert, unit: "bytes per alert", target: atMost(700)},
			{measure: rss, unit: "MB RSS"},
			{measure: rssEmpty, unit: "MB RSS empty"},
			{measure: rssPeak, unit: "MB RSS peak"},
		}},
		{id: "e", title: fmt.Sprintf("reachable rate, < 0.1 %% refused for %s", z.step), measure: reachable, rows: []row{
			{measure: rate, unit: "alerts/s", target: atLeastTimes(10)},
			{measure: p50, unit: "ms p50 at half of it"},
			{measure: p99, unit: "ms p99 at half of it", target: atMost(25)},
			{measure: p999, unit: "ms p99.9 at half of it"},
			{measure: slowest, unit: "ms max at half of it"},
		}},
		{id: "f", title: fmt.Sprintf("kill -9 at %s active, %s in the tail", amount(z.memory), amount(z.tail)), tocsinOnly: true, measure: recovery, rows: []row{
			{measure: recoverySeconds, unit: "s to ready", target: atMost(5)},
			{measure: lost, unit: "of 16 sampled alerts lost", target: atMost(0)},
			{measure: coldCache, unit: "cold page cache (1 = yes)"},
		}},
	}
}

// amount writes 200000 as 200 k.
func amount(n uint64) string {
	switch {
	case n >= 1_000_000 && n%100_000 == 0:
		return strconv.FormatFloat(float64(n)/1e6, 'f', -1, 64) + " M"
	case n >= 1000 && n%100 == 0:
		return strconv.FormatFloat(float64(n)/1e3, 'f', -1, 64) + " k"
	}
	return strconv.FormatUint(n, 10)
}
