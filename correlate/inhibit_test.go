package correlate

import (
	"encoding/binary"
	"fmt"
	"math/bits"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/rules"
)

const oneNamespace = "inhibit_rules:\n  - {source_matchers: [severity=\"critical\"], target_matchers: [severity=~\"warning|info\"], equal: [namespace]}\n"

// driver steps a state without looking at what it says.
type driver struct {
	state *State
	now   event.Time
	seq   uint64
}

func newDriver(text string) *driver {
	d := &driver{state: New(), now: scriptStart}
	d.step(event.Input{Kind: event.InputRules, Rules: rules.Bundle([]rules.File{{Name: "r.yml", Text: []byte(text)}})})
	return d
}

func (d *driver) step(in event.Input) event.Result {
	d.seq++
	in.Seq, in.At, in.Writer = d.seq, d.now, event.Writer{ID: 1, Epoch: 1, N: d.seq}
	_, res := d.state.Step(&in, nil)
	return res
}

// say says so many alerts of one name in one batch.
func (d *driver) say(name, severity string, n int) {
	b := &event.Batch{Source: event.Source{Name: "p", Tenant: "main", Kind: event.Resender}}
	for i := range n {
		b.Add(event.Event{EndsAt: d.now + event.Day, Labels: event.Labels{
			{Name: "alertname", Value: name}, {Name: "instance", Value: fmt.Sprint(name, i)}, {Name: "namespace", Value: "prod"}, {Name: "severity", Value: severity},
		}})
	}
	d.step(event.Input{Kind: event.InputEvents, Batch: b})
}

// TestAnInhibitionIsOfItsTenantAndItsValuesThoughTheirHashesCollide crafts a value whose bucket has the hash of another tenant's:
// the hash is 64 bits without a secret, so whoever may send alerts can.
func TestAnInhibitionIsOfItsTenantAndItsValuesThoughTheirHashesCollide(t *testing.T) {
	const value = "/a/long/path/of/an/object/that/is/shared/by/its/alerts/0123456789abcdef0123456789abcdef-0123456789abcd"
	in := rules.Inhibit{Equal: []string{"path"}}
	hash, bytes := inhibitHash(nil, 0, &in, "main", event.Labels{{Name: "path", Value: value}})
	evil := collision(bytes, "evil")
	same, _ := inhibitHash(nil, 0, &in, "evil", event.Labels{{Name: "path", Value: evil}})
	require.Equal(t, hash, same, "what the test rests on")

	p := newPlayer(t)
	p.rules("inhibit_rules:\n  - {source_matchers: [alertname=\"Node\"], target_matchers: [alertname=\"Pod\"], equal: [path]}\n")
	say := func(tenant, name, path string) {
		b := &event.Batch{Source: event.Source{Name: "p", Tenant: tenant, Kind: event.Resender}}
		b.Add(event.Event{Labels: event.Labels{{Name: "alertname", Value: name}, {Name: "path", Value: path}, {Name: "severity", Value: "critical"}}, EndsAt: p.now + event.Day})
		p.step(event.Input{Kind: event.InputEvents, Batch: b})
	}
	pod := func(path string) event.Labels {
		return event.Labels{{Name: "alertname", Value: "Pod"}, {Name: "path", Value: path}}
	}
	say("evil", "Node", evil)
	say("main", "Pod", value)
	require.Contains(t, p.out.String(), "alert firing Pod/ critical, opened", "another tenant mutes nothing")
	require.Nil(t, p.state.View().InhibitedBy("main", pod(value)))
	require.NotNil(t, p.state.View().InhibitedBy("evil", pod(evil)))
	// Both buckets are there now, under one hash. Each is found, and each goes with its own source.
	say("main", "Node", value)
	say("evil", "Pod", evil)
	require.Contains(t, p.out.String(), "alert suppressed Pod/ critical")
	require.Contains(t, p.out.String(), "alert firing Pod/ critical, inhibited")
	by := p.state.View().InhibitedBy("main", pod(value))
	require.Equal(t, value, by.Get("path"))
	by = p.state.View().InhibitedBy("evil", pod(evil))
	require.Equal(t, evil, by.Get("path"))
}

// collision returns what must stand in the place of the value of these bytes, for another tenant of the same length, to have
// their xxhash: the first of its four lanes is steered back by 8 bytes at 64.
func collision(victim []byte, tenant string) string {
	const prime1, prime2 uint64 = 11400714785074694791, 14029467366897019727
	round := func(acc, in uint64) uint64 { return bits.RotateLeft64(acc+in*prime2, 31) * prime1 }
	inverse := prime2
	for range 6 {
		inverse *= 2 - prime2*inverse
	}
	attack := append([]byte(nil), victim...)
	copy(attack[4:], tenant)
	le := binary.LittleEndian.Uint64
	first := uint64(0)
	first += prime1
	first += prime2
	r := rand.New(rand.NewPCG(1, 1))
	for {
		for i := 32; i < 40; i++ {
			attack[i] = byte('a' + r.IntN(26))
		}
		want, have := round(round(first, le(victim)), le(victim[32:])), round(round(first, le(attack)), le(attack[32:]))
		binary.LittleEndian.PutUint64(attack[64:], le(victim[64:])+(want-have)*inverse)
		printable := true
		for _, c := range attack[64:72] {
			printable = printable && c >= 32 && c < 127
		}
		if printable {
			return strings.TrimSuffix(string(attack[4+len(tenant)+1:]), "\xff")
		}
	}
}

func TestOnlyTheFirstSourceOfAnInhibitionAndTheLastMakeItsTargetsBeLookedAt(t *testing.T) {
	d := newDriver(oneNamespace)
	d.say("Slow", "warning", 50)
	muted := func() (n int) {
		for a := range d.state.View().Alerts() {
			if a.State().Suppressed {
				n++
			}
		}
		return n
	}
	d.say("Down", "critical", 1)
	require.Equal(t, 50, muted())
	d.say("Down", "critical", 20)
	require.Empty(t, d.state.work.targets, "nothing has changed for them")
	end := func(i int) {
		b := &event.Batch{Source: event.Source{Name: "p", Tenant: "main", Kind: event.Resender}}
		b.Add(event.Event{Cleared: true, Labels: event.Labels{
			{Name: "alertname", Value: "Down"}, {Name: "instance", Value: fmt.Sprint("Down", i)}, {Name: "namespace", Value: "prod"}, {Name: "severity", Value: "critical"},
		}})
		d.step(event.Input{Kind: event.InputEvents, Batch: b})
	}
	for i := range 19 {
		end(i)
	}
	require.Empty(t, d.state.work.targets)
	require.Equal(t, 50, muted())
	end(19)
	require.Len(t, d.state.work.targets, 50)
	require.Zero(t, muted())
}

// BenchmarkManySourcesOfOneInhibition: 4,000 criticals after 20,000 warnings that each of them mutes.
func BenchmarkManySourcesOfOneInhibition(b *testing.B) {
	for b.Loop() {
		b.StopTimer()
		d := newDriver(oneNamespace)
		d.say("Slow", "warning", 20_000)
		b.StartTimer()
		d.say("Down", "critical", 4_000)
	}
}
