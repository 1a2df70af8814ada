package event

import (
	"hash/maphash"
	"math/rand/v2"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func batchOf(events ...Event) *Batch {
	b := &Batch{Source: Source{Name: "prometheus", Tenant: "main", Kind: Resender}}
	for _, ev := range events {
		b.Add(ev)
	}
	return b
}

func alert(instance, summary string, starts Time) Event {
	return Event{
		Labels:       Labels{{"alertname", "Down"}, {"instance", instance}, {"severity", "critical"}},
		Annotations:  Labels{{"summary", summary}},
		GeneratorURL: "http://prom/graph", StartsAt: starts, EndsAt: starts + 4*Minute,
	}
}

// said is an event without what the codec keeps to itself.
func said(in *Input) *Input {
	out := *in
	if in.Batch != nil {
		b := &Batch{Source: in.Batch.Source, Position: in.Batch.Position, Sent: in.Batch.Sent}
		for _, ev := range in.Batch.Events {
			ev.content = nil
			b.Events = append(b.Events, ev)
		}
		out.Batch = b
	}
	return &out
}

func TestARepeatIsATouchAndDecodesToTheWholeEvent(t *testing.T) {
	enc, dec := NewEncoder(maphash.MakeSeed()), &Decoder{}
	first := &Input{Kind: InputEvents, Batch: batchOf(alert("a", "disk is full", 1000), alert("b", "disk is full", 1000))}
	again := &Input{Kind: InputEvents, Batch: batchOf(alert("b", "disk is full", 1000), alert("a", "disk is full", 2000))}
	full, touch := enc.Append(nil, first), enc.Append(nil, again)
	require.Greater(t, len(full), 180)
	require.Less(t, len(touch), 60)
	for record, want := range map[string]*Input{string(full): first} {
		got, err := dec.Decode([]byte(record))
		require.NoError(t, err)
		require.Equal(t, said(want), said(got))
	}
	got, err := dec.Decode(touch)
	require.NoError(t, err)
	require.Equal(t, said(again), said(got))
}

func TestANewSegmentStandsAlone(t *testing.T) {
	enc, dec := NewEncoder(maphash.MakeSeed()), &Decoder{}
	in := &Input{Kind: InputEvents, Batch: batchOf(alert("a", "x", 1000))}
	enc.Append(nil, in)
	touch := enc.Append(nil, in)
	_, err := dec.Decode(touch)
	require.ErrorIs(t, err, ErrMalformed)
	enc.Reset()
	got, err := dec.Decode(enc.Append(nil, in))
	require.NoError(t, err)
	require.Equal(t, said(in), said(got))
}

func TestTheEncoderRemembersManyContents(t *testing.T) {
	enc := NewEncoder(maphash.MakeSeed())
	var batches []*Batch
	for i := range 5000 {
		b := batchOf(alert(string(rune('a'+i%26)), "text "+string(rune(0x100+i)), Time(i)))
		batches = append(batches, b)
		enc.Append(nil, &Input{Kind: InputEvents, Batch: b})
	}
	for _, b := range batches {
		require.Less(t, len(enc.Append(nil, &Input{Kind: InputEvents, Batch: b})), 60)
	}
}

func inputs() []*Input {
	return []*Input{
		{Kind: InputEvents, Shard: 3, Writer: Writer{1 << 60, 2, 3}, Batch: &Batch{
			Source: Source{"k", "acme", SendOnce}, Position: Position{"c", "t", 7, 1 << 40}, Sent: 12345, Events: []Event{},
		}},
		{Kind: InputCommand, Command: &Command{Kind: Resolve, Actor: "u1", Tenant: "main", Incident: 42, Text: "done", Assignee: "x", Team: "y"}},
		{Kind: InputCommand, Command: &Command{Kind: SetSilence, Silence: &Silence{
			ID: "i", Tenant: "main", Matchers: []Matcher{{"a", "b|c", true, false}}, StartsAt: 1, EndsAt: 2, UpdatedAt: 3,
			CreatedBy: "me", Actor: "u", Comment: "c", Annotations: Labels{{"k", "v"}},
		}}},
		{Kind: InputCommand, Command: &Command{Kind: Snooze, Actor: "ann", Tenant: "main", Incident: 3, Until: 9}},
		{Kind: InputCommand, Command: &Command{Kind: SetWindow, WindowID: "w", Window: window()}},
		{Kind: InputCommand, Command: filled[Command]()},
		{Kind: InputTick},
		{Kind: InputResumed, Gap: 10 * Minute, Source: Source{"s", "main", Resender}},
		{Kind: InputCore, Version: "1.2.3"},
		{Kind: InputRules, Rules: []byte("grouping: []")},
		{Kind: InputOverCap, Source: Source{"s", "main", Resender}, Refused: 9, Limit: 10},
	}
}

func window() *Window {
	return &Window{
		ID: "w", Tenant: "main", Name: "n", Matchers: []Matcher{{"a", "b", false, true}}, CIs: []string{"db-1"}, StartsAt: 1, EndsAt: 2,
		Intervals: "[]", Zone: "Europe/Berlin", ZoneData: []byte("TZif"), Reason: "r", CreatedBy: "me", Actor: "u", UpdatedAt: 3, OpenAt: 4, CloseAt: 5,
	}
}

func TestEveryKindOfInputComesBackAsItWas(t *testing.T) {
	for _, in := range inputs() {
		enc := NewEncoder(maphash.MakeSeed())
		got, err := new(Decoder).Decode(enc.Append(nil, in))
		require.NoError(t, err)
		require.Equal(t, said(in), said(got))
	}
}

func FuzzDecode(f *testing.F) {
	enc := NewEncoder(maphash.MakeSeed())
	for _, in := range inputs() {
		f.Add(enc.Append(nil, in))
	}
	f.Add(enc.Append(nil, &Input{Kind: InputEvents, Batch: batchOf(alert("a", "x", 1000), alert("a", "x", 1000), alert("b", "y", 5))}))
	f.Fuzz(func(t *testing.T, record []byte) {
		in, err := new(Decoder).Decode(record)
		if err != nil {
			require.ErrorIs(t, err, ErrMalformed)
			return
		}
		again, err := new(Decoder).Decode(NewEncoder(maphash.MakeSeed()).Append(nil, in))
		require.NoError(t, err)
		require.Equal(t, said(in), said(again))
	})
}

// filled returns a T in which every field says something.
func filled[T any]() *T {
	out := new(T)
	fill(reflect.ValueOf(out).Elem(), "x")
	return out
}

func fill(v reflect.Value, name string) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(name)
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int64:
		v.SetInt(7)
	case reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(2)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range v.Len() {
			fill(v.Index(i), name+strconv.Itoa(i))
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), name)
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i), v.Type().Field(i).Name)
		}
	default:
		panic("no filling for " + v.Kind().String())
	}
}

func changesOf(kind ChangeKind) Change {
	ch := Change{Seq: 9, At: 1_000_000, Kind: kind, Shard: 2, Actor: "ann"}
	switch {
	case kind == AlertSeen || kind == AlertUnconfirmed:
		ch.Alert = AlertState{ID: NewAlertID(5, 6), Incident: 3}
		ch.Claim = ClaimState{ID: 4, Phase: Firing, StartsAt: 1, EndsAt: Never, LastStart: 999_999, ClearedAt: 1_000_001, StaleAt: 1_000_000, Silences: 2, Timeout: true, Unconfirmed: true, Inhibited: true}
	case kind >= AlertFiring && kind <= AlertDropped:
		ch.Alert = AlertState{ID: NewAlertID(5, 6), Phase: Firing, Severity: Major, Reason: ReasonHeld, Ghost: true, Suppressed: true, Occurrences: 3, Incident: 7, StartsAt: 1, FiringAt: 1_000_000, EndedAt: 0, EasesAt: 1_060_000, FirstAt: 5, Name: "n", Resource: "r"}
		if kind != AlertSeverity && kind != AlertJoined && kind != AlertDropped {
			ch.Claim = ClaimState{ID: 4, Full: true, Source: 1, Labels: Labels{{"a", "b"}}, Annotations: Labels{{"c", "d"}}, GeneratorURL: "u", Content: 1 << 63, Phase: Expired, Severity: Info, SeverityUnknown: true}
		}
	case kind >= IncidentOpened && kind <= IncidentReopened:
		ch.Incident = &IncidentState{ID: 7, Tenant: "main", Phase: IncidentDone, Severity: Major, Priority: 3, Unbound: true, SignalLost: true, Recovered: true, Title: "t", Rule: "r", Labels: Labels{{"a", "b"}}, OpenedAt: 1, LastOnset: 2, ClearSince: 3, AckedAt: 4, AckedBy: "x", Assignee: "y", Team: "z", ResolvedAt: 5, ResolvedBy: "w", Reopened: 6, Recurs: 5, Notes: 8}
		ch.Text = "because"
		ch.Ledger = []LedgerEntry{{Kind: "rule", Operands: []string{"a", "b"}, MilliNats: -5, RuleSource: "r.yml:1"}}
	case kind >= SilenceSet && kind <= SilenceDropped:
		ch.Silence = inputs()[2].Command.Silence
	case kind == AlertDamped, kind == AlertSteadied:
		ch.Alert = AlertState{ID: NewAlertID(5, 6), Phase: Firing, Severity: Major, Flap: Flap{Penalty: 3_000_000, At: 1_000_000, Since: 900_000, Changes: 14, Damped: true}}
	case kind >= IncidentFlapping && kind <= IncidentUnheld:
		ch.Incident = &IncidentState{ID: 7, Phase: IncidentOpen, WorseAt: 1, SnoozedUntil: 2, HeldUntil: 3, HeldFor: "vendor", Storm: 4, Heartbeat: 5}
		ch.Text = "because"
	case kind == SilenceEnding:
		ch.Silence, ch.Count = inputs()[2].Command.Silence, 3
	case kind >= WindowSet && kind <= WindowDropped:
		ch.Window, ch.Count = window(), 3
	case kind == StormBegan, kind == StormEnded:
		ch.Storm = &Storm{Number: 1, Tenant: "main", BeganAt: 2, EndedAt: 3, Openings: 4, Held: 5, Worst: 2}
	case kind >= HeartbeatSet && kind <= HeartbeatDropped:
		ch.Beat = &Heartbeat{Number: 1, Tenant: "main", Rule: "r", Name: "n", Source: "s", Labels: Labels{{"a", "b"}}, Alert: NewAlertID(1, 2), Since: 3, LastWord: 4, LostAt: 5}
		ch.Ledger = []LedgerEntry{{Kind: "unwatched", Operands: []string{"a"}}}
	case kind == HandoverNoted, kind == HandoverSigned:
		ch.Handover = &Handover{Tenant: "main", Team: "db", At: 1, Actor: "u", Text: "t"}
	case kind == CISet, kind == CIDropped:
		ch.CI, ch.Text = filled[CI](), "because"
	case kind == CIRedacted:
		ch.CI, ch.Text, ch.Count = filled[CI](), "contact", 7
	case kind == OutageSet, kind == OutageEnded:
		ch.Outage, ch.Text = filled[Outage](), "because"
	case kind == AlertMoved:
		ch.Alert = AlertState{ID: NewAlertID(5, 6), Phase: Firing, Incident: 8, CI: 4, Bound: BoundFound}
	case kind >= IncidentEdited && kind <= IncidentHit:
		ch.Incident, ch.Text = filled[IncidentState](), "because"
	case kind == IncidentCauses:
		ch.Causes = filled[Causes]()
	case kind == ComponentAdded:
		ch.Source, ch.Text = Source{"s", "main", Resender}, "system=shop"
	case kind >= ItemPlaced && kind <= ClusterSettled:
		ch.Place = filled[Placement]()
	case kind == AlertReviewed:
		ch.Alert = AlertState{ID: NewAlertID(5, 6), Phase: Firing, Severity: Minor, Quiet: QuietFilter | QuietSilence, Bound: BoundByRule}
		ch.Claim = ClaimState{ID: 4, Phase: Firing, Severity: Minor, Filtered: true}
	case kind >= TraceNoted && kind <= AbsenceRaised:
		ch.Trace = filled[Trace]()
	case kind == SourceAdded:
		ch.Source = Source{"s", "main", Resender}
	case kind == SourceOverCap:
		ch.Source, ch.Count, ch.Limit = Source{"s", "main", Resender}, 4, 5
	case kind == PositionMoved:
		ch.Position = Position{"c", "t", 3, 99}
	case kind == GraceStarted:
		ch.Source, ch.Until = Source{"s", "main", Resender}, 77
	default:
		ch.Text = "text"
	}
	return ch
}

func TestEveryKindOfChangeComesBackAsItWas(t *testing.T) {
	var all []Change
	for kind := AlertFiring; kind < maxChangeKind; kind++ {
		ch := changesOf(kind)
		ch.N = uint32(len(all))
		all = append(all, ch)
		require.NotEqual(t, "unknown", kind.String())
	}
	got, err := DecodeChanges(AppendChanges(nil, all), 9, 1_000_000)
	require.NoError(t, err)
	require.Equal(t, all, got)
}

func TestAVisitorGetsTheChangesItWants(t *testing.T) {
	all := []Change{changesOf(AlertSeen), changesOf(IncidentOpened), changesOf(AlertFiring), changesOf(IncidentResolved)}
	for i := range all {
		all[i].N = uint32(i)
	}
	var got []Change
	wanted := func(k ChangeKind) bool { return k == IncidentOpened || k == IncidentResolved }
	require.NoError(t, VisitChanges(AppendChanges(nil, all), 9, 1_000_000, wanted, func(ch *Change) bool {
		got = append(got, *ch)
		return true
	}))
	require.Equal(t, []Change{all[1], all[3]}, got)
	require.Error(t, VisitChanges([]byte{99}, 9, 1, wanted, nil))
}

func TestAVisitorOfAnOlderRecordGetsTheSame(t *testing.T) {
	c := coder{buf: []byte{4}, version: 4}
	c.count(2)
	seen, opened := changesOf(AlertSeen), changesOf(IncidentOpened)
	codeChange(&c, &seen)
	codeChange(&c, &opened)
	var got []Change
	require.NoError(t, VisitChanges(c.buf, opened.Seq, opened.At, func(k ChangeKind) bool { return k == IncidentOpened }, func(ch *Change) bool {
		got = append(got, *ch)
		return true
	}))
	opened.N = 1
	require.Equal(t, []Change{opened}, got)
}

func TestAChangeMayBeLong(t *testing.T) {
	for _, n := range []int{0, 1<<7 - 20, 1<<14 - 20, 1<<14 - 1, 1 << 14, 1 << 22} {
		long := changesOf(IncidentNoted)
		long.Text = strings.Repeat("x", n)
		all := []Change{long, changesOf(AlertSeen)}
		all[1].N = 1
		record := AppendChanges(nil, all)
		got, err := DecodeChanges(record, 9, 1_000_000)
		require.NoError(t, err)
		require.Equal(t, all, got)
		for cut := range min(len(record), 300) {
			_, err := DecodeChanges(record[:cut], 9, 1_000_000)
			require.ErrorIs(t, err, ErrMalformed)
			require.ErrorIs(t, VisitChanges(record[:cut], 9, 1_000_000, func(ChangeKind) bool { return false }, nil), ErrMalformed)
		}
	}
}

func FuzzDecodeChanges(f *testing.F) {
	for kind := AlertFiring; kind < maxChangeKind; kind++ {
		f.Add(AppendChanges(nil, []Change{changesOf(kind)}))
	}
	f.Fuzz(func(t *testing.T, record []byte) {
		changes, err := DecodeChanges(record, 9, 1_000_000)
		if err != nil {
			require.ErrorIs(t, err, ErrMalformed)
			return
		}
		again, err := DecodeChanges(AppendChanges(nil, changes), 9, 1_000_000)
		require.NoError(t, err)
		require.Equal(t, changes, again)
	})
}

func TestARecordOfTheVersionBeforeIsRead(t *testing.T) {
	c := coder{buf: []byte{1}, version: 1}
	c.count(1)
	old := changesOf(AlertFiring)
	codeChange(&c, &old)
	got, err := DecodeChanges(c.buf, old.Seq, old.At)
	require.NoError(t, err)
	require.Equal(t, []Change{old}, got)

	in := inputs()[2]
	c = coder{buf: []byte{1}, version: 1}
	codeHead(&c, in)
	read, err := new(Decoder).Decode(c.buf)
	require.NoError(t, err)
	require.Equal(t, said(in), said(read))
}

func TestARecordOfAnotherVersionIsRefusedByName(t *testing.T) {
	_, err := new(Decoder).Decode([]byte{99})
	require.ErrorContains(t, err, "version")
	_, err = DecodeChanges([]byte{99}, 1, 1)
	require.ErrorContains(t, err, "version")
}

func BenchmarkEncodingARepeat(b *testing.B) {
	in := &Input{Kind: InputEvents, Batch: batchOf()}
	r := rand.New(rand.NewPCG(1, 2))
	for range 64 {
		in.Batch.Add(alert(string(rune('a'+r.IntN(26))), "the disk of the host is nearly full and needs attention", 1000))
	}
	enc, buf := NewEncoder(maphash.MakeSeed()), []byte(nil)
	for b.Loop() {
		buf = enc.Append(buf[:0], in)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/64, "ns/alert")
}
