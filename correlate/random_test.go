package correlate

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/rules"
)

// gen makes inputs such as a busy day brings, by seed.
type gen struct {
	r        *rand.Rand
	seq      uint64
	now      event.Time
	silences []string
	windows  []string
	lively   bool // people do a lot with incidents
}

func newGen(seed uint64) *gen { return &gen{r: rand.New(rand.NewPCG(seed, 1)), now: scriptStart} }

func (g *gen) input(s *State) *event.Input {
	g.seq++
	g.now += event.Time(g.r.IntN(int(20 * event.Second)))
	in := &event.Input{Seq: g.seq, Writer: event.Writer{ID: 7, Epoch: 1, N: g.seq}}
	switch n := g.r.IntN(100); {
	case g.lively && g.r.IntN(2) == 0:
		in.Kind, in.Command = event.InputCommand, g.lifeCommand(s)
	case n < 60:
		in.Kind, in.Batch = event.InputEvents, g.batch()
	case n < 88:
		in.Kind = event.InputTick
		g.now = max(g.now, min(s.Next(), g.now+event.Hour))
	case n < 95:
		in.Kind, in.Command = event.InputCommand, g.command(s)
	case n < 97:
		in.Kind, in.Gap = event.InputResumed, event.Minute
	case n < 98:
		in.Kind, in.Version = event.InputCore, fmt.Sprint("v", g.r.IntN(3))
	case n < 99:
		in.Kind, in.Source, in.Refused, in.Limit = event.InputOverCap, event.Source{Name: "s1", Tenant: "main", Kind: event.Resender}, 3, 9
	default:
		in.Kind, in.Rules = event.InputRules, g.rules()
	}
	in.At = g.now
	return in
}

func (g *gen) rules() []byte {
	text := "settings: {storm_openings: 3, storm_within: 10m}\nheartbeats: [{name: s1, source: s1-resender, interval: 1m}]\ninhibit_rules:\n  - {source_matchers: [severity=critical], target_matchers: [severity=~\"warning|info\"], equal: [service]}\n"
	if g.r.IntN(2) == 0 {
		text = "grouping:\n  - {name: by-name, group_by: [alertname], window: 10m}\n"
	}
	return rules.Bundle([]rules.File{{Name: "r.yml", Text: []byte(text)}})
}

func (g *gen) batch() *event.Batch {
	kind := event.SourceKind(1 + g.r.IntN(2))
	b := &event.Batch{Source: event.Source{Name: fmt.Sprintf("s%d-%s", g.r.IntN(2), kind), Tenant: "main", Kind: kind}}
	if g.r.IntN(10) == 0 {
		b.Position = event.Position{Cluster: "k", Topic: "alerts", Offset: int64(g.seq) - int64(g.r.IntN(30))}
		b.Sent = g.now - event.Time(g.r.IntN(int(30*event.Minute)))
	}
	for range 1 + g.r.IntN(4) {
		b.Add(g.event())
	}
	return b
}

func (g *gen) event() event.Event {
	pick := func(words ...string) string { return words[g.r.IntN(len(words))] }
	ls := event.Labels{
		{Name: "alertname", Value: pick("Down", "Slow", "Disk", "Watchdog")}, {Name: "instance", Value: pick("a", "b", "c", "d")},
		{Name: "service", Value: pick("", "", "shop", "pay")}, {Name: "severity", Value: pick("critical", "critical", "warning", "info", "")},
	}
	ls, _ = event.SortLabels(ls)
	ev := event.Event{Labels: ls, Cleared: g.r.IntN(3) == 0}
	if g.r.IntN(3) > 0 {
		ev.StartsAt = g.now - event.Time(g.r.IntN(int(10*event.Minute)))
	}
	if ev.Cleared || g.r.IntN(2) == 0 {
		ev.EndsAt = max(ev.StartsAt, g.now) + event.Time(g.r.IntN(int(4*event.Minute)))
		if ev.Cleared {
			ev.EndsAt = max(ev.StartsAt, g.now-event.Time(g.r.IntN(int(event.Minute))))
		}
	}
	if g.r.IntN(4) == 0 {
		ev.Annotations = event.Labels{{Name: "summary", Value: pick("one", "two", "three")}}
	}
	return ev
}

func (g *gen) command(s *State) *event.Command {
	if g.r.IntN(2) == 0 {
		return g.lifeCommand(s)
	}
	c := &event.Command{Kind: event.CommandKind(1 + g.r.IntN(int(event.SignHandover))), Actor: "ann", Tenant: "main", Text: "because", Assignee: "bob"}
	c.Incident = uint64(1 + g.r.IntN(max(1, int(s.incidents.Next()))))
	switch c.Kind {
	case event.SetSilence:
		c.Silence = &event.Silence{
			Matchers: []event.Matcher{{Name: "instance", Value: "a|b", IsRegex: true, IsEqual: g.r.IntN(2) == 0}},
			StartsAt: g.now + event.Time(g.r.IntN(int(event.Minute))), EndsAt: g.now + event.Minute + event.Time(g.r.IntN(int(event.Hour))), CreatedBy: "ann",
		}
		if len(g.silences) > 0 && g.r.IntN(3) == 0 {
			c.Silence.ID = g.silences[g.r.IntN(len(g.silences))]
		}
	case event.SetWindow:
		c.Window = &event.Window{
			Name: "w", Reason: "r", Matchers: []event.Matcher{{Name: "instance", Value: "c", IsEqual: true}},
			StartsAt: g.now + event.Time(g.r.IntN(int(event.Minute))), EndsAt: g.now + event.Minute + event.Time(g.r.IntN(int(event.Hour))),
		}
		if g.r.IntN(2) == 0 {
			c.Window.EndsAt, c.Window.Intervals = 0, `[{"times":[{"start_time":"10:10","end_time":"10:50"},{"start_time":"12:00","end_time":"12:01"}]}]`
		}
		if len(g.windows) > 0 && g.r.IntN(3) == 0 {
			c.Window.ID = g.windows[g.r.IntN(len(g.windows))]
		}
	case event.EndWindow:
		c.WindowID = "unknown"
		if len(g.windows) > 0 {
			c.WindowID = g.windows[g.r.IntN(len(g.windows))]
		}
	case event.Snooze, event.Hold:
		c.Until = g.now + event.Time(g.r.IntN(int(30*event.Minute)))
	case event.ExpireSilence:
		c.SilenceID = "unknown"
		if len(g.silences) > 0 {
			c.SilenceID = g.silences[g.r.IntN(len(g.silences))]
		}
	}
	return c
}

// run steps n inputs and returns the encoded changes of each.
func (g *gen) run(t *testing.T, s *State, n int, each func(*event.Input, []event.Change)) [][]byte {
	var out [][]byte
	for range n {
		in := g.input(s)
		changes, res := s.Step(in, nil)
		if res.SilenceID != "" && in.Command.Kind == event.SetSilence {
			g.silences = append(g.silences, res.SilenceID)
		}
		if res.WindowID != "" && in.Command.Kind == event.SetWindow {
			g.windows = append(g.windows, res.WindowID)
		}
		record := event.AppendChanges(nil, changes)
		if each != nil {
			decoded, err := event.DecodeChanges(record, in.Seq, in.At)
			require.NoError(t, err)
			each(in, decoded)
		}
		out = append(out, record)
	}
	return out
}

func TestTheStateIsTheFoldOfItsChanges(t *testing.T) {
	for seed := range seeds(6, 25) {
		s, folded := New(), New()
		newGen(seed).run(t, s, 300, func(in *event.Input, changes []event.Change) {
			require.NoError(t, folded.Fold(in, changes), "seed %d", seed)
			if in.Seq%10 == 0 {
				check(t, s, seed)
			}
		})
		require.Equal(t, dump(s.View()), dump(folded.View()), "seed %d", seed)
	}
}

// check compares the counts kept along the way with a count from scratch.
func check(t *testing.T, s *State, seed uint64) {
	v := s.View()
	type counts struct{ alerts, firing, expired, suppressed, damped uint32 }
	want := map[event.IncidentID]counts{}
	firing, active := uint32(0), map[string]uint32{}
	for a := range v.Alerts() {
		st := a.State()
		c := want[st.Incident]
		c.alerts++
		if st.Flap.Damped {
			c.damped++
		}
		live := 0
		for claim := range a.Claims() {
			if claim.Phase == event.Firing {
				active[claim.SourceName]++
				live++
			}
		}
		require.Equal(t, st.Phase == event.Firing, live > 0, "seed %d: alert %s", seed, st.ID)
		switch st.Phase {
		case event.Firing:
			firing++
			c.firing++
			if st.Suppressed {
				c.suppressed++
			}
		case event.Expired:
			c.expired++
		}
		want[st.Incident] = c
	}
	require.Equal(t, firing, v.Firing, "seed %d", seed)
	checkLife(t, v, seed)
	for i := range v.Incidents() {
		require.Equal(t, counts{i.Alerts, i.Firing, i.Expired, i.Suppressed, i.Damped}, want[i.ID], "seed %d: %s", seed, i.ID)
		require.Equal(t, int(i.Alerts), length(v, i.ID), "seed %d: members of %s", seed, i.ID)
		if i.Phase == event.IncidentOpen {
			clear := i.Alerts > 0 && i.Firing == 0 && i.Expired == 0 && i.Damped == 0
			held := i.Reopened > 0 && i.ClearSince == 0                       // a person took it back though all is clear
			unheard := i.Alerts == 0 && i.OpenedBy == "" && i.ClearSince != 0 // taken out again after its alerts were forgotten
			require.True(t, held || unheard || clear == (i.ClearSince != 0), "seed %d: %s %+v", seed, i.ID, i)
		}
	}
	for src := range v.Sources() {
		require.Equal(t, active[src.Name], src.Active, "seed %d: source %s", seed, src.Name)
	}
	checkSuppression(t, v, seed)
}

// checkSuppression compares what the index says with what the rules and silences say one by one.
func checkSuppression(t *testing.T, v *View, seed uint64) {
	var firing []Claim
	for a := range v.Alerts() {
		for c := range a.Claims() {
			if c.Phase == event.Firing {
				firing = append(firing, c)
			}
		}
	}
	for _, c := range firing {
		want := false
		for i := range v.Rules.Inhibit {
			in := &v.Rules.Inhibit[i]
			for _, src := range firing {
				both := in.MatchesSource(c.Labels) && in.MatchesTarget(src.Labels)
				same := bytes.Equal(in.AppendEqual(nil, src.Labels), in.AppendEqual(nil, c.Labels))
				want = want || in.MatchesTarget(c.Labels) && in.MatchesSource(src.Labels) && same && !both
			}
		}
		require.Equal(t, want, c.Inhibited, "seed %d: %s", seed, c.Labels)
		require.Equal(t, want, v.InhibitedBy("main", c.Labels) != nil, "seed %d: %s", seed, c.Labels)
		silences := uint16(0)
		for _, sil := range v.silences {
			if sil.active && sil.matches("main", c.Labels) {
				silences++
			}
		}
		require.Equal(t, silences, c.Silences, "seed %d: %s", seed, c.Labels)
		inside := slices.ContainsFunc(v.desk.Windows, func(w *window) bool { return w.Runs() && w.matches("main", c.Labels) })
		require.True(t, inside || !c.Maintenance, "seed %d: %s", seed, c.Labels)
	}
}

func length(v *View, id event.IncidentID) (n int) {
	for range v.Members(id) {
		n++
	}
	return n
}

func TestTheSameInputsGiveTheSameBytesAlsoAfterASnapshot(t *testing.T) {
	for seed := range seeds(5, 20) {
		one, two := New(), New()
		g, h := newGen(seed), newGen(seed)
		g.lively, h.lively = seed%2 == 0, seed%2 == 0
		require.Equal(t, g.run(t, one, 300, nil), h.run(t, two, 300, nil), "seed %d", seed)
		var snap, again bytes.Buffer
		require.NoError(t, one.View().Save(&snap))
		require.NoError(t, two.View().Save(&again))
		require.True(t, bytes.Equal(snap.Bytes(), again.Bytes()), "seed %d: snapshots differ", seed)
		restored, err := Load(&snap)
		require.NoError(t, err)
		require.Equal(t, dump(two.View()), dump(restored.View()), "seed %d", seed)
		h.seq, h.now = g.seq, g.now
		require.Equal(t, g.run(t, restored, 300, nil), h.run(t, two, 300, nil), "seed %d: after the snapshot", seed)
	}
}

func TestARecordThatWasSteppedIsNotSteppedAgain(t *testing.T) {
	s, g := New(), newGen(1)
	in := g.input(s)
	s.Step(in, nil)
	before := dump(s.View())
	changes, _ := s.Step(in, nil)
	require.Empty(t, changes)
	require.Equal(t, before, dump(s.View()))
}

func TestTheOrderOfEventsDoesNotMatter(t *testing.T) {
	for seed := range seeds(100, 300) {
		r := rand.New(rand.NewPCG(seed, 2))
		events := occurrences(r)
		want := claimAfter(events)
		for range 20 {
			r.Shuffle(len(events), func(i, j int) { events[i], events[j] = events[j], events[i] })
			require.Equal(t, want, claimAfter(events), "seed %d", seed)
		}
	}
}

// occurrences returns what a resending source says of one alert: one firing after another, each said several times, all but
// perhaps the last ended.
func occurrences(r *rand.Rand) (events []heard) {
	start, open := scriptStart, r.IntN(2) == 0
	n := 1 + r.IntN(2)
	for i := range n {
		end := start + event.Time(1+r.IntN(int(2*event.Minute)))
		for range 1 + r.IntN(3) {
			events = append(events, heard{at: scriptStart + 5*event.Minute, startsAt: start, endsAt: scriptStart + event.Hour, said: true, confirm: event.Minute})
		}
		if i < n-1 || !open {
			events = append(events, heard{at: scriptStart + 5*event.Minute, startsAt: start, endsAt: end, said: true, cleared: true})
		}
		start = end + endSlack + event.Time(1+r.IntN(int(event.Minute)))
	}
	return events
}

func claimAfter(events []heard) event.ClaimState {
	c := first(events[0])
	for _, h := range events[1:] {
		merge(&c, h)
	}
	return event.ClaimState{Phase: c.Phase, StartsAt: c.StartsAt, EndsAt: c.EndsAt}
}
