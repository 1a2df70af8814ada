package correlate

import (
	"bufio"
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/alertmanager/matcher/parse"
	"github.com/prometheus/alertmanager/pkg/labels"
	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/event"
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
//	silence {a="b"} 1h by NAME             amtool's way; prints its number
//	expire S1
//	rules … (indented block until an empty line)
//	show                                   incidents and alerts as they are
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

func play(t *testing.T, script []byte) []byte {
	p := newPlayer(t)
	sc := bufio.NewScanner(bytes.NewReader(script))
	var block []string
	for sc.Scan() {
		line := sc.Text()
		switch {
		case block != nil && strings.HasPrefix(line, "  "):
			block = append(block, line[2:])
			fmt.Fprintln(&p.out, line)
			continue
		case block != nil:
			p.rules(strings.Join(block, "\n"))
			block = nil
		}
		if strings.HasPrefix(line, "    ") {
			continue // an old answer
		}
		fmt.Fprintln(&p.out, line)
		switch {
		case line == "rules":
			block = []string{}
		case line != "" && !strings.HasPrefix(line, "#"):
			p.line(line)
		}
	}
	return p.out.Bytes()
}

// player steps a state, folds the encoded changes into a second one, and keeps both equal.
type player struct {
	t        *testing.T
	state    *State
	folded   *State
	now      event.Time
	seq      uint64
	source   event.Source
	sent     event.Time
	silences []string
	out      bytes.Buffer
}

var scriptStart = event.FromTime(time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC))

func newPlayer(t *testing.T) *player {
	return &player{
		t: t, state: New(), folded: New(), now: scriptStart,
		source: event.Source{Name: "prometheus", Tenant: "main", Kind: event.Resender},
	}
}

func (p *player) step(in event.Input) event.Result {
	p.seq++
	in.Seq, in.At, in.Writer = p.seq, p.now, event.Writer{ID: 1, Epoch: 1, N: p.seq}
	changes, res := p.state.Step(&in, nil)
	record := event.AppendChanges(nil, changes)
	decoded, err := event.DecodeChanges(record, in.Seq, in.At)
	require.NoError(p.t, err)
	require.NoError(p.t, p.folded.Fold(&in, decoded))
	require.Equal(p.t, dump(p.state.View()), dump(p.folded.View()), "the state is the fold of its changes")
	for i := range decoded {
		if line := p.describe(&decoded[i]); line != "" {
			fmt.Fprintf(&p.out, "    %s  %s\n", p.clock(), line)
		}
	}
	return res
}

func (p *player) clock() string { return p.now.Time().Format("15:04:05") }

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
	case "silence":
		p.silence(rest)
	case "expire":
		var n int
		_, err := fmt.Sscanf(rest, "S%d", &n)
		require.NoError(p.t, err)
		p.do(event.Command{Kind: event.ExpireSilence, SilenceID: p.silences[n-1]})
	case "show":
		for l := range strings.SplitSeq(strings.TrimRight(dump(p.state.View()), "\n"), "\n") {
			fmt.Fprintf(&p.out, "    | %s\n", l)
		}
	default:
		p.t.Fatalf("unknown line %q", line)
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

func (p *player) silence(rest string) {
	end := strings.LastIndex(rest, "}") + 1
	f := strings.Fields(rest[end:])
	sil := &event.Silence{StartsAt: p.now, EndsAt: p.now + p.span(f[0]), CreatedBy: f[2], Comment: "quiet"}
	for _, l := range p.labels(rest[:end]) {
		sil.Matchers = append(sil.Matchers, event.Matcher{Name: l.Name, Value: l.Value, IsEqual: true})
	}
	if res := p.do(event.Command{Kind: event.SetSilence, Actor: f[2], Silence: sil}); res.Err == nil {
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
	if ch.Kind == event.IncidentOpened {
		s += fmt.Sprintf(" %q by rule %s %s", i.Title, i.Rule, i.Labels)
	}
	if i.Recurs != 0 && ch.Kind == event.IncidentOpened {
		s += " after " + i.Recurs.String()
	}
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
	if a.Occurrences > 1 {
		s += fmt.Sprintf(", occurrence %d", a.Occurrences)
	}
	return s
}
