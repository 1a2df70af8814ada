package correlate

import (
	"bufio"
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/alertmanager/matcher/parse"
	"github.com/prometheus/alertmanager/pkg/labels"
	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/internal/zoneinfo"
	"github.com/tocsin-noc/tocsin/rules"
)

var update = flag.Bool("update", false, "write the golden scripts anew")

// A script is a story: each line of input is followed by the changes it caused, indented. `# …` is a comment.
//
//	source NAME resender|send_once        who speaks from here on
//	fire {a="b",…} [starts=-1m] [ends=+4m] [note=text]     what it says; times are relative to now
//	clear {a="b",…} [ends=-1s]
//	wait 5m                                time passes, deadlines become due one by one
//	away 10m                               the daemon was down for so long
//	late 30m                               from here on batches were sent that long ago (0s: no more)
//	ack|assign|resolve|note INC-1 by NAME [text]
//	snooze|hold INC-1 by NAME 1h [as=vendor] [text]    0s: the hold ends
//	silence {a="b"} 1h by NAME             amtool's way; prints its number
//	edit S1 {a="b"} 1h by NAME             that silence, with these matchers and this end
//	expire S1
//	window {a="b"} 1h by NAME [in 10m]     a maintenance window; prints its number
//	window {a="b"} every JSON in ZONE by NAME    a recurring one, with Alertmanager's time intervals
//	extend W1 {a="b"} 2h by NAME [in 10m]  this window in its place
//	end W1                                 no more of it
//	at 2026-11-22T03:00:00Z                time passes until then
//	times 21 fire {…%d…}                   the line, with a number in it, so many times
//	flap 4 1m {…}                          clear and fire again so often, so far apart
//	overcap 3 of 9                         the source was held at its bound of 9, 3 alerts were refused
//	handover note|sign TEAM by NAME [text]
//	items                                                  discovered items are told of from here on
//	ci ID CLASS [depends_on=a,b] [key=value…] by NAME      what is said of a configuration item; NAME.yml is an import
//	outage confirm|reject O1 by NAME
//	outage report SERVICE KIND 20m by NAME                 it began so long ago
//	verdict INC-1 right|wrong|other by NAME [ITEM]         what a person says of its cause
//	components                                             what is learned of what shares its faults
//	rules … (indented block until an empty line)
//	quiet                                  what is kept quiet by what, and for how long
//	show                                   incidents and alerts as they are
//
// Those about an incident's life are listed in lifecycle_test.go.
func TestScripts(t *testing.T) {
	files, err := filepath.Glob("testdata/[a-z]*_*.txt")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			want, err := os.ReadFile(file)
			require.NoError(t, err)
			got := play(t, want)
			if *update {
				require.NoError(t, os.WriteFile(file, got, 0o644))
			}
			require.Equal(t, string(want), string(got), "run with -update when the new story is right")
		})
	}
}

// oldAnswer is a line that an earlier run wrote.
var oldAnswer = regexp.MustCompile(`^ {4}(\d\d:\d\d:\d\d|\d\d-\d\d|\||refused:)`)

func play(t *testing.T, script []byte) []byte {
	p := newPlayer(t)
	sc := bufio.NewScanner(bytes.NewReader(script))
	var block []string
	for sc.Scan() {
		line := sc.Text()
		if oldAnswer.MatchString(line) {
			continue
		}
		switch {
		case block != nil && strings.HasPrefix(line, "  "):
			block = append(block, line[2:])
			fmt.Fprintln(&p.out, line)
			continue
		case block != nil:
			p.rules(strings.Join(block, "\n"))
			p.compare()
			block = nil
		}
		fmt.Fprintln(&p.out, line)
		switch {
		case line == "rules":
			block = []string{}
		case line != "" && !strings.HasPrefix(line, "#"):
			p.line(line)
			p.compare()
		}
	}
	return p.out.Bytes()
}

// player steps a state, folds the encoded changes into a second one, and holds both against each other.
type player struct {
	t        *testing.T
	state    *State
	folded   *State
	now      event.Time
	seq      uint64
	source   event.Source
	sent     event.Time
	silences []string
	windows  []string
	dated    bool // the story spans days
	items    bool // the story is about configuration items
	out      bytes.Buffer
}

var scriptStart = event.FromTime(time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC))

func newPlayer(t *testing.T) *player {
	p := &player{
		t: t, state: New(), folded: New(), now: scriptStart,
		source: event.Source{Name: "prometheus", Tenant: "main", Kind: event.Resender},
	}
	t.Cleanup(p.compare)
	return p
}

func (p *player) step(in event.Input) event.Result { return p.act(in, nil) }

// act steps an input; of one that the machine is to cause something in, act is what.
func (p *player) act(in event.Input, act func(*State) event.Result) event.Result {
	p.seq++
	in.Seq, in.At, in.Writer = p.seq, p.now, event.Writer{ID: 1, Epoch: 1, N: p.seq}
	changes, res := p.state.Step(&in, nil)
	if act != nil {
		p.state.in, p.state.out = &in, changes
		res = act(p.state)
		changes = p.state.out
		p.state.in, p.state.out = nil, nil
	}
	record := event.AppendChanges(nil, changes)
	decoded, err := event.DecodeChanges(record, in.Seq, in.At)
	require.NoError(p.t, err)
	require.NoError(p.t, p.folded.Fold(&in, decoded))
	if soak() { // else after each line of the script
		p.compare()
	}
	for i := range decoded {
		if line := p.describe(&decoded[i]); line != "" {
			fmt.Fprintf(&p.out, "    %s  %s\n", p.clock(), line)
		}
	}
	return res
}

func (p *player) compare() {
	require.Equal(p.t, p.dump(p.state), p.dump(p.folded), "the state is the fold of its changes")
}

func (p *player) clock() string {
	if p.dated {
		return p.now.Time().Format("01-02 15:04:05")
	}
	return p.now.Time().Format("15:04:05")
}

func (p *player) line(line string) {
	word, rest, _ := strings.Cut(line, " ")
	switch word {
	case "source":
		name, kind, _ := strings.Cut(rest, " ")
		p.source = event.Source{Name: name, Tenant: "main", Kind: event.Resender}
		if kind == "send_once" {
			p.source.Kind = event.SendOnce
		}
	case "fire", "clear":
		p.say(rest, word == "clear")
	case "wait":
		p.wait(p.span(rest))
	case "away":
		p.now += p.span(rest)
		p.step(event.Input{Kind: event.InputResumed, Gap: p.span(rest)})
	case "late":
		p.sent = p.span(rest)
	case "ack", "assign", "resolve", "note":
		p.person(word, rest)
	case "snooze", "hold":
		p.pause(word, rest)
	case "window":
		p.window("", rest)
	case "extend":
		number, rest, _ := strings.Cut(rest, " ")
		n, err := strconv.Atoi(strings.TrimPrefix(number, "W"))
		require.NoError(p.t, err)
		p.window(p.windows[n-1], rest)
	case "end":
		var n int
		_, err := fmt.Sscanf(rest, "W%d", &n)
		require.NoError(p.t, err)
		p.do(event.Command{Kind: event.EndWindow, Actor: "ann", WindowID: p.windows[n-1]})
	case "at":
		p.dated = true
		at, err := time.Parse(time.RFC3339, rest)
		require.NoError(p.t, err)
		p.wait(event.FromTime(at) - p.now)
	case "times":
		count, what, _ := strings.Cut(rest, " ")
		n, err := strconv.Atoi(count)
		require.NoError(p.t, err)
		for i := range n {
			p.line(fmt.Sprintf(what, i))
		}
	case "flap":
		p.flap(rest)
	case "overcap":
		in := event.Input{Kind: event.InputOverCap, Source: p.source}
		_, err := fmt.Sscanf(rest, "%d of %d", &in.Refused, &in.Limit)
		require.NoError(p.t, err)
		p.step(in)
	case "handover":
		p.handover(rest)
	case "ci":
		p.items = true
		p.ci(rest)
	case "items":
		p.items = true
	case "outage":
		p.outage(rest)
	case "verdict":
		p.verdict(rest)
	case "components":
		p.components()
	case "silence":
		p.silence("", rest)
	case "edit":
		number, rest, _ := strings.Cut(rest, " ")
		n, err := strconv.Atoi(strings.TrimPrefix(number, "S"))
		require.NoError(p.t, err)
		p.silence(p.silences[n-1], rest)
	case "expire":
		var n int
		_, err := fmt.Sscanf(rest, "S%d", &n)
		require.NoError(p.t, err)
		p.do(event.Command{Kind: event.ExpireSilence, SilenceID: p.silences[n-1]})
	case "quiet":
		p.quiet()
	case "show":
		text := dump(p.state.View())
		if p.items {
			text += dumpCMDB(p.state.View())
		}
		for l := range strings.SplitSeq(strings.TrimRight(text, "\n"), "\n") {
			fmt.Fprintf(&p.out, "    | %s\n", l)
		}
	default:
		p.life(word, rest)
	}
}

func (p *player) span(s string) event.Time {
	d, err := time.ParseDuration(s)
	require.NoError(p.t, err)
	return event.FromDuration(d)
}

func (p *player) labels(s string) event.Labels {
	ms, err := parse.Matchers(s)
	require.NoError(p.t, err)
	var ls event.Labels
	for _, m := range ms {
		require.Equal(p.t, labels.MatchEqual, m.Type)
		ls = append(ls, event.Label{Name: m.Name, Value: m.Value})
	}
	ls, dup := event.SortLabels(ls)
	require.Empty(p.t, dup)
	return ls
}

func (p *player) say(rest string, cleared bool) {
	end := strings.LastIndex(rest, "}") + 1
	ev := event.Event{Labels: p.labels(rest[:end]), Cleared: cleared}
	for opt := range strings.FieldsSeq(rest[end:]) {
		key, val, _ := strings.Cut(opt, "=")
		switch key {
		case "starts":
			ev.StartsAt = p.now + p.span(val)
		case "ends":
			ev.EndsAt = p.now + p.span(val)
		case "note":
			ev.Annotations = event.Labels{{Name: "summary", Value: val}}
		default:
			p.t.Fatalf("unknown option %q", opt)
		}
	}
	b := &event.Batch{Source: p.source}
	if p.sent != 0 {
		b.Sent = p.now - p.sent
	}
	b.Add(ev)
	p.step(event.Input{Kind: event.InputEvents, Batch: b})
}

// wait lets time pass as the engine does: a tick at each deadline.
func (p *player) wait(d event.Time) {
	end := p.now + d
	for p.state.Next() <= end {
		p.now = max(p.now, p.state.Next())
		p.step(event.Input{Kind: event.InputTick})
	}
	p.now = end
}

func (p *player) do(c event.Command) event.Result {
	if c.Tenant == "" {
		c.Tenant = "main"
	}
	res := p.step(event.Input{Kind: event.InputCommand, Command: &c})
	if res.Err != nil {
		fmt.Fprintf(&p.out, "    refused: %s\n", res.Err)
	}
	return res
}

func (p *player) person(word, rest string) {
	f := strings.SplitN(rest, " ", 4)
	c := event.Command{Actor: f[2]}
	_, err := fmt.Sscanf(f[0], "INC-%d", &c.Incident)
	require.NoError(p.t, err)
	if len(f) > 3 {
		c.Text = f[3]
	}
	c.Kind = map[string]event.CommandKind{
		"ack": event.Acknowledge, "assign": event.Assign, "resolve": event.Resolve, "note": event.Note,
	}[word]
	if word == "assign" {
		c.Assignee, c.Text = c.Text, ""
	}
	p.do(c)
}

func (p *player) pause(word, rest string) {
	f := strings.SplitN(rest, " ", 5)
	c := event.Command{Actor: f[2], Kind: event.Snooze}
	if word == "hold" {
		c.Kind = event.Hold
	}
	_, err := fmt.Sscanf(f[0], "INC-%d", &c.Incident)
	require.NoError(p.t, err)
	if span := p.span(f[3]); span > 0 {
		c.Until = p.now + span
	}
	if len(f) > 4 {
		opts, words := options(f[4])
		c.HeldAs, c.Text = event.ParseHoldReason(opts["as"]), words
	}
	p.do(c)
}

func (p *player) window(id, rest string) {
	end := strings.LastIndex(rest, "}") + 1
	if every := strings.Index(rest, "every "); every > 0 {
		end = every
	}
	w := &event.Window{ID: id, Name: "work", Reason: "planned"}
	for _, l := range p.labels(strings.TrimSpace(rest[:end])) {
		w.Matchers = append(w.Matchers, event.Matcher{Name: l.Name, Value: l.Value, IsEqual: true})
	}
	if intervals, tail, recurs := strings.Cut(strings.TrimPrefix(rest[end:], "every "), " in "); recurs && strings.HasPrefix(rest[end:], "every ") {
		f := strings.Fields(tail)
		zone, err := time.LoadLocation(f[0])
		require.NoError(p.t, err)
		w.Intervals, w.Zone, w.ZoneData, w.CreatedBy = intervals, f[0], zoneinfo.Pin(zone), f[2]
	} else {
		f := strings.Fields(rest[end:])
		w.StartsAt, w.CreatedBy = p.now, f[2]
		if len(f) > 4 {
			w.StartsAt += p.span(f[4])
		}
		w.EndsAt = w.StartsAt + p.span(f[0])
	}
	if res := p.do(event.Command{Kind: event.SetWindow, Actor: w.CreatedBy, Window: w}); res.Err == nil && !slices.Contains(p.windows, res.WindowID) {
		p.windows = append(p.windows, res.WindowID)
	}
}

func (p *player) flap(rest string) {
	f := strings.SplitN(rest, " ", 3)
	n, err := strconv.Atoi(f[0])
	require.NoError(p.t, err)
	for range n {
		p.wait(p.span(f[1]))
		p.say(f[2], true)
		p.wait(p.span(f[1]))
		p.say(f[2]+" ends=+24h", false)
	}
}

func (p *player) handover(rest string) {
	f := strings.SplitN(rest, " ", 5)
	c := event.Command{Kind: event.NoteHandover, Team: f[1], Actor: f[3]}
	if f[0] == "sign" {
		c.Kind = event.SignHandover
	}
	if len(f) > 4 {
		c.Text = f[4]
	}
	p.do(c)
}

func (p *player) silence(id, rest string) {
	end := strings.LastIndex(rest, "}") + 1
	f := strings.Fields(rest[end:])
	sil := &event.Silence{ID: id, StartsAt: p.now, EndsAt: p.now + p.span(f[0]), CreatedBy: f[2], Comment: "quiet"}
	for _, l := range p.labels(rest[:end]) {
		sil.Matchers = append(sil.Matchers, event.Matcher{Name: l.Name, Value: l.Value, IsEqual: true})
	}
	if res := p.do(event.Command{Kind: event.SetSilence, Actor: f[2], Silence: sil}); res.Err == nil && res.SilenceID != id {
		p.silences = append(p.silences, res.SilenceID)
	}
}

func (p *player) rules(text string) {
	p.step(event.Input{Kind: event.InputRules, Rules: rules.Bundle([]rules.File{{Name: "rules.yml", Text: []byte(text)}})})
}

// describe prints a change for people; repeats are not worth a line.
func (p *player) describe(ch *event.Change) string {
	name := strings.ReplaceAll(ch.Kind.String(), "_", " ")
	switch {
	case ch.Kind == event.AlertSeen || ch.Kind == event.SourceAdded || ch.Kind == event.PositionMoved:
		return ""
	case ch.Incident != nil:
		return p.describeIncident(name, ch)
	case ch.CI != nil && !p.items:
		return ""
	case ch.CI != nil:
		return describeCI(name, ch)
	case ch.Outage != nil:
		return p.describeOutage(name, ch)
	case ch.Causes != nil || ch.Place != nil && ch.Alert.ID == 0 || ch.Kind == event.ComponentAdded:
		return p.describeCluster(name, ch)
	case ch.Kind == event.SilenceEnding:
		return fmt.Sprintf("%s S%d, %d still fire", name, p.silenceNumber(ch.Silence.ID), ch.Count)
	case ch.Window != nil:
		return p.describeWindow(name, ch)
	case ch.Storm != nil:
		return fmt.Sprintf("%s STORM-%d, %d openings, %d of them held back, worst P%d", name, ch.Storm.Number, ch.Storm.Openings, ch.Storm.Held, ch.Storm.Worst)
	case ch.Beat != nil:
		return strings.TrimSpace(fmt.Sprintf("%s %q, last word %s%s", name, ch.Beat.Name, ch.Beat.LastWord.Time().Format("15:04:05"), ledgerWords(ch.Ledger)))
	case ch.Handover != nil:
		return strings.TrimSpace(fmt.Sprintf("%s %s by %s %s", name, ch.Handover.Team, ch.Handover.Actor, ch.Handover.Text))
	case ch.Trace != nil:
		return describeTrace(name, ch)
	case ch.Silence != nil:
		return fmt.Sprintf("%s S%d until %s", name, p.silenceNumber(ch.Silence.ID), ch.Silence.EndsAt.Time().Format("15:04:05"))
	case ch.Alert.ID != 0:
		return p.describeAlert(name, ch)
	case ch.Kind == event.GraceStarted:
		return name + " until " + ch.Until.Time().Format("15:04:05")
	case ch.Kind == event.RulesLoaded:
		return name
	}
	return strings.TrimSpace(name + " " + ch.Text)
}

func (p *player) describeWindow(name string, ch *event.Change) string {
	i := slices.Index(p.windows, ch.Window.ID)
	if i < 0 {
		p.windows = append(p.windows, ch.Window.ID)
		i = len(p.windows) - 1
	}
	s := fmt.Sprintf("%s W%d", name, i+1)
	if ch.Window.Runs() {
		s += " until " + ch.Window.CloseAt.Time().Format("15:04:05")
	}
	if ch.Kind == event.WindowEnding || ch.Kind == event.WindowEnded {
		s += fmt.Sprintf(", %d still fire", ch.Count)
	}
	return s
}

func ledgerWords(ledger []event.LedgerEntry) (s string) {
	for _, e := range ledger {
		s += ", " + e.Kind + " " + strings.Join(e.Operands, " ")
	}
	return s
}

func (p *player) silenceNumber(id string) int {
	for i, known := range p.silences {
		if known == id {
			return i + 1
		}
	}
	return len(p.silences) + 1
}

func (p *player) describeIncident(name string, ch *event.Change) string {
	i := ch.Incident
	s := fmt.Sprintf("%s %s P%d %s", name, i.ID, i.Priority, i.Severity)
	switch {
	case ch.Kind == event.IncidentOpened && i.Rule == "":
		s += fmt.Sprintf(" %q", i.Title)
	case ch.Kind == event.IncidentOpened:
		s += fmt.Sprintf(" %q by rule %s %s", i.Title, i.Rule, i.Labels)
	}
	if i.Storm != 0 && ch.Kind == event.IncidentOpened {
		s += fmt.Sprintf(" in STORM-%d", i.Storm)
	}
	if ch.Kind == event.IncidentHit || ch.Kind == event.IncidentOpened && len(i.Services) > 0 {
		s += ", " + hurts(i)
	}
	if i.Recurs != 0 && ch.Kind == event.IncidentOpened {
		s += " after " + i.Recurs.String()
	}
	s += ruleWords(ch)
	if ch.Actor != "" {
		s += " by " + ch.Actor
	}
	if ch.Text != "" {
		s += ": " + ch.Text
	}
	return s
}

func (p *player) describeAlert(name string, ch *event.Change) string {
	a := ch.Alert
	if ch.Kind == event.AlertUnconfirmed {
		return name
	}
	s := fmt.Sprintf("%s %s/%s %s, %s", name, a.Name, a.Resource, a.Severity, a.Reason)
	if a.Incident != 0 {
		s += " in " + a.Incident.String()
	}
	if a.Flap.Damped {
		s += fmt.Sprintf(", damped: %d changes, quiet at %s", a.Flap.Changes, CalmAt(a.Flap).Time().Format("15:04:05"))
	}
	if a.Occurrences > 1 {
		s += fmt.Sprintf(", occurrence %d", a.Occurrences)
	}
	return s + describePlace(ch.Place)
}
