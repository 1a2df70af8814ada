package correlate

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/itsm"
)

// What follows are the lines of a script about an incident's life. Options are key=value, a value with spaces in quotes.
//
//	begin|cancel|close|reopen|unmerge INC-1 by NAME [text]
//	open by NAME title="…" [impact=1] [urgency=1] [severity=major] [ci=ID] [text]
//	set INC-1 by NAME [title="…"] [impact=1] [urgency=1] [ci=ID] [release=impact,urgency]
//	watch|unwatch INC-1 by NAME WHO
//	task INC-1 by NAME [number=2] [done=yes] [for=WHO] [title]
//	parent INC-2 by NAME INC-1|none
//	relate|unrelate INC-1 by NAME INC-2 [text]
//	merge INC-1 by NAME INC-2 [text]       INC-2 goes into INC-1
//	split INC-1 by NAME {a="b"} [{…}] [title]
//	answer INC-1 by NAME 1 yes|no
//	major INC-1 by NAME [commander=WHO] [comms=WHO] [bridge=URL] [update=20m] [end=yes] [text]
//	tell INC-1 by NAME [update=20m] text
//	review INC-1 by NAME [done=yes] [summary]
//	report INC-1 by NAME CALLER [text]
//	ticket INC-1 by NAME none | supplier=NAME ref=X [word="…"] [chase=2h]
//	rate INC-1 by NAME 4 [text]
//	machine INC-1 takes INC-2 why          the machine finds that they are one
//	status INC-1                           where it is in its life, and what can come next
//	dossier INC-1                          what people keep on it
//	alerts INC-1                           which are in it
//	fields INC-1                           what a person can set
func (p *player) life(word, rest string) {
	switch word {
	case "status":
		i := p.incident(rest)
		fmt.Fprintf(&p.out, "    | %s: %s\n", itsm.StatusOf(&i), strings.Join(itsm.Next(&i, event.Day, p.now), ", "))
	case "dossier":
		i := p.incident(rest)
		for l := range strings.SplitSeq(strings.TrimRight(kept(i.Dossier), "\n"), "\n") {
			fmt.Fprintf(&p.out, "    | %s\n", l)
		}
	case "alerts":
		for a := range p.state.View().Members(p.id(rest)) {
			fmt.Fprintf(&p.out, "    | %s %s\n", a.Labels(), a.Phase())
		}
	case "fields":
		i := p.incident(rest)
		fmt.Fprintf(&p.out, "    | %q %s P%d, impact %d, urgency %d, about %q, pins %04b\n", i.Title, i.Severity, i.Priority, i.Impact, i.Urgency, i.CI, i.Pins)
	case "machine":
		p.machine(rest)
	default:
		p.ask(word, rest)
	}
}

// kept prints a dossier, a line for each thing in it.
func kept(d *event.Dossier) string {
	if d == nil {
		return "nothing"
	}
	var b strings.Builder
	for _, part := range []struct {
		name string
		v    any
		no   bool
	}{
		{"watchers", d.Watchers, d.Watchers == nil}, {"tasks", d.Tasks, d.Tasks == nil}, {"related", d.Related, d.Related == nil},
		{"children", d.Children, d.Children == nil}, {"ticket", d.Ticket, d.Ticket == nil}, {"major", d.Major, d.Major == nil},
		{"review", d.Review, d.Review == nil}, {"reports", d.Reports, d.Reports == nil}, {"reported", d.Reported, d.Reported == 0},
		{"proposals", d.Proposals, d.Proposals == nil}, {"absorbed", d.Absorbed, d.Absorbed == nil},
		{"rating", d.Rating, d.Rating == 0}, {"rated with", d.RatedWith, d.RatedWith == ""},
	} {
		if text, err := json.Marshal(part.v); err == nil && !part.no {
			fmt.Fprintf(&b, "%s %s\n", part.name, text)
		}
	}
	return b.String()
}

func (p *player) incident(name string) event.IncidentState {
	i, ok := p.state.View().Incident(p.id(name))
	require.True(p.t, ok, name)
	return i.IncidentState
}

func (p *player) id(name string) event.IncidentID {
	var id event.IncidentID
	_, err := fmt.Sscanf(name, "INC-%d", &id)
	require.NoError(p.t, err, name)
	return id
}

func (p *player) machine(rest string) {
	f := strings.SplitN(rest, " ", 4)
	p.act(event.Input{Kind: event.InputTick}, func(s *State) event.Result {
		if !s.machineMerge(p.id(f[0]), p.id(f[2]), f[3]) {
			fmt.Fprintln(&p.out, "    | they stay two")
		}
		return event.Result{}
	})
}

// ask sends the command that a line is about.
func (p *player) ask(word, rest string) {
	c := event.Command{}
	if word != "open" {
		name, more, _ := strings.Cut(rest, " ")
		c.Incident, rest = uint64(p.id(name)), more
	}
	rest = strings.TrimPrefix(rest, "by ")
	c.Actor, rest, _ = strings.Cut(rest, " ")
	opts, words := options(rest)
	kinds := map[string]event.CommandKind{
		"begin": event.Begin, "cancel": event.Cancel, "close": event.CloseIncident, "reopen": event.ReopenIncident, "unmerge": event.Unmerge,
		"open": event.OpenIncident, "set": event.EditIncident, "watch": event.Watch, "unwatch": event.Unwatch, "task": event.SetTask,
		"parent": event.SetParent, "relate": event.Relate, "unrelate": event.Unrelate, "merge": event.Merge, "split": event.Split,
		"answer": event.AnswerProposal, "major": event.SetMajor, "tell": event.TellUpdate, "review": event.SetReview,
		"report": event.TakeReport, "ticket": event.SetTicket, "rate": event.Rate,
	}
	c.Kind, c.Text = kinds[word], words
	require.NotZero(p.t, c.Kind, "unknown line %q", word)
	p.fill(&c, opts)
	if res := p.do(c); res.Err == nil && word == "merge" && res.Number != 0 {
		fmt.Fprintf(&p.out, "    | proposed, as number %d of %s\n", res.Number, res.Incident)
	}
}

// options takes key=value words from the front of a line.
func options(rest string) (opts map[string]string, words string) {
	opts = map[string]string{}
	for {
		key, value, found := strings.Cut(rest, "=")
		if !found || strings.ContainsAny(key, " \"{") {
			return opts, rest
		}
		if quoted, ok := strings.CutPrefix(value, `"`); ok {
			opts[key], rest, _ = strings.Cut(quoted, `"`)
			rest = strings.TrimPrefix(rest, " ")
			continue
		}
		opts[key], rest, _ = strings.Cut(value, " ")
	}
}

// fill makes of a line's options and words what its command needs.
func (p *player) fill(c *event.Command, opts map[string]string) {
	first := func() (word string) {
		word, c.Text, _ = strings.Cut(c.Text, " ")
		return word
	}
	ahead := func(key string) event.Time {
		if opts[key] == "" {
			return 0
		}
		return p.now + p.span(opts[key])
	}
	yes := func(key string) (at event.Time) {
		if opts[key] == "yes" {
			at = p.now
		}
		return at
	}
	switch c.Kind {
	case event.OpenIncident, event.EditIncident:
		c.Edit = p.fields(opts)
	case event.Watch, event.Unwatch:
		c.Assignee = first()
	case event.SetTask:
		c.Task = &event.Task{Title: c.Text, Assignee: opts["for"], Done: opts["done"] == "yes"}
		_, _ = fmt.Sscan(opts["number"], &c.Task.Number)
	case event.SetParent:
		if other := first(); other != "none" {
			c.Other = uint64(p.id(other))
		}
	case event.Relate, event.Unrelate, event.Merge:
		c.Other = uint64(p.id(first()))
	case event.Split:
		c.Alerts, c.Text = p.chosen(c.Text)
	case event.AnswerProposal:
		_, err := fmt.Sscan(first(), &c.Number)
		require.NoError(p.t, err)
		c.Accept = first() == "yes"
	case event.SetMajor:
		c.Major = &event.MajorIncident{Commander: opts["commander"], Comms: opts["comms"], Bridge: opts["bridge"], NextUpdate: ahead("update"), EndedAt: yes("end")}
	case event.TellUpdate:
		c.Until = ahead("update")
	case event.SetReview:
		c.Review = &event.Review{Summary: c.Text, DoneAt: yes("done")}
	case event.TakeReport:
		caller := first()
		c.Report = &event.Report{Caller: caller, Text: c.Text}
	case event.SetTicket:
		if opts["supplier"] != "" {
			c.Ticket = &event.Ticket{Supplier: opts["supplier"], Reference: opts["ref"], LastWord: opts["word"], ChaseAt: ahead("chase")}
		} else {
			c.Text = ""
		}
	case event.Rate:
		_, err := fmt.Sscan(first(), &c.Number)
		require.NoError(p.t, err)
	default: // the words are all
	}
}

// fields reads what a person says of an incident.
func (p *player) fields(opts map[string]string) *event.IncidentEdit {
	e := &event.IncidentEdit{Title: opts["title"], CI: opts["ci"]}
	pins := []struct {
		name string
		pin  event.Pin
	}{{"title", event.PinTitle}, {"impact", event.PinImpact}, {"urgency", event.PinUrgency}, {"ci", event.PinCI}}
	for _, f := range pins {
		if _, set := opts[f.name]; set {
			e.Fields |= f.pin
		}
		if strings.Contains(opts["release"], f.name) {
			e.Release |= f.pin
		}
	}
	_, _ = fmt.Sscan(opts["impact"], &e.Impact)
	_, _ = fmt.Sscan(opts["urgency"], &e.Urgency)
	if opts["severity"] != "" {
		e.Severity, _ = event.ParseSeverity(opts["severity"])
	}
	return e
}

// chosen finds those of the label sets in front of a line.
func (p *player) chosen(rest string) (ids []event.AlertID, words string) {
	for strings.HasPrefix(rest, "{") {
		end := strings.Index(rest, "}") + 1
		want := p.labels(rest[:end])
		rest = strings.TrimPrefix(rest[end:], " ")
		for a := range p.state.View().Alerts() {
			if a.Labels().SameIdentity(want) {
				ids = append(ids, a.ID())
			}
		}
	}
	return ids, rest
}

func TestTheMachineMergesOnlyWhatAtMostOneOfWasTouched(t *testing.T) {
	p := newPlayer(t)
	for _, name := range []string{"A", "B", "C"} {
		p.line(`fire {alertname="` + name + `", severity="critical"} ends=+24h`)
	}
	p.line("ack INC-2 by ann")
	p.line("machine INC-1 takes INC-2 same switch")
	require.Equal(t, event.PhaseMerged, p.state.incidents.Brief(1).Phase, "the one that ann knows stays")
	p.line("ack INC-3 by bob")
	p.line("machine INC-2 takes INC-3 same switch")
	i := p.incident("INC-2")
	require.Equal(t, event.IncidentOpen, p.state.incidents.Brief(3).Phase)
	require.Equal(t, event.IncidentID(3), i.Dossier.Proposals[0].Other)
	require.NotZero(t, i.WorseAt, "what came in fires, and ann has not seen it")
}

func TestWhoAcceptsAMajorIncidentThatRunsAlreadyChangesNothingOfIt(t *testing.T) {
	p := newPlayer(t)
	p.line(`fire {alertname="A", severity="critical"} ends=+24h`)
	p.line("major INC-1 by bob commander=bob comms=cy bridge=x update=20m")
	major := *p.incident("INC-1").Dossier.Major
	p.act(event.Input{Kind: event.InputTick}, func(s *State) event.Result { // as a version before this one left it
		s.change(1, event.IncidentProposed, func(i *event.IncidentState) {
			d := *i.Dossier
			d.Proposals = []event.Proposal{{Number: 1, Why: "its priority is P1", At: p.now}}
			i.Dossier = &d
		})
		return event.Result{}
	})
	p.line("answer INC-1 by zoe 1 yes")
	i := p.incident("INC-1")
	require.Equal(t, major, *i.Dossier.Major)
	require.Equal(t, event.ProposalAccepted, i.Dossier.Proposals[0].Answer)
}

func TestOneTakenOutWithNothingEndsAfterItLetGoOfAnotherToo(t *testing.T) {
	p := newPlayer(t)
	for _, name := range []string{"A", "B", "C"} {
		p.line(`fire {alertname="` + name + `", severity="critical"} ends=+24h`)
	}
	for _, line := range []string{
		"merge INC-1 by ann INC-2", `split INC-1 by ann {alertname="B", severity="critical"}`, "unmerge INC-2 by ann", "merge INC-2 by ann INC-3",
		"unmerge INC-3 by ann",
	} {
		p.line(line)
	}
	i := p.incident("INC-2")
	require.Equal(t, p.now, i.ClearSince)
	p.line("wait 10m")
	require.Equal(t, event.IncidentDone, p.state.incidents.Brief(2).Phase)
}
