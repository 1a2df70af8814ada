package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/tocsin-noc/tocsin/api"
	"github.com/tocsin-noc/tocsin/internal/terminal"
)

func newHistoryStatusCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Show how the history does; exit code 1 when it stands still",
		Long: `Show how the history does: whether its database answers, how far it is behind what happens, what is missing from it, and what its tables
hold. It takes an admin of the first tenant.`,
		Example: "  tocsin history status\n  tocsin history status --json | jq .lag_entries",
		Args:    cobra.NoArgs,
	}
	cmd.RunE = addRemote(cmd.Flags()).run(func(ctx context.Context, t *tool, _ []string) error {
		text, s, err := fetch[api.HistoryStatus](ctx, t.api, nil, "history")
		if err != nil {
			return err
		}
		if t.json {
			err = t.raw(text)
		} else {
			err = t.historyStatus(s)
		}
		if err == nil && s.Fault != "" && !s.Off {
			return said(exitFailed)
		}
		return err
	})
	return cmd
}

func (p *printer) historyStatus(s *api.HistoryStatus) error {
	state, behind := historyState(&api.HistoryBrief{Off: s.Off, Fault: s.Fault, Entries: s.Entries, LagSeconds: s.LagSeconds})
	since := ""
	if s.Since != nil {
		since = p.time(*s.Since)
	}
	if err := p.pairs("", "History", state, "Since", since, "Behind", behind, "Rebuild", p.rebuilt(s.Rebuild)); err != nil {
		return err
	}
	for _, g := range s.Gaps {
		p.line("%s inputs %d to %d, from %s to %s: the changes log had dropped them", p.paint(terminal.Bold, "Missing:"), g.From, g.To, p.at(g.Since), p.at(g.Until))
	}
	if len(s.Tables) == 0 {
		return nil
	}
	p.section("Tables")
	table := terminal.NewTable("TABLE", "ROWS", "SIZE", "EACH")
	for _, size := range s.Tables {
		each := "-"
		if size.Rows > 0 {
			each = fmt.Sprintf("%.1f B", float64(size.Bytes)/float64(size.Rows))
		}
		table.Add(terminal.Text(size.Name), terminal.Text(fmt.Sprint(size.Rows)), terminal.Text(terminal.Bytes(int64(size.Bytes))), terminal.Text(each))
	}
	return p.table(table, "  ")
}

// historyState says whether the history goes on, and how far it is behind what happens.
func historyState(s *api.HistoryBrief) (state, behind string) {
	if s.Off {
		return "off: " + s.Fault, ""
	}
	state, behind = "goes on", "even with what happens"
	if s.Fault != "" {
		state = "stands still: " + s.Fault
	}
	switch {
	case s.Fault != "" && s.Entries == 0:
		behind = "how far is not known until its database answers"
	case s.Entries > 0:
		behind = fmt.Sprintf("%s, %s", plural(int(s.Entries), "input", "inputs"), terminal.Span(secondsOf(s.LagSeconds)))
	}
	return state, behind
}

// rebuilt says how far the latest rebuild is, or how it ended; empty when there was none.
func (p *printer) rebuilt(r *api.HistoryRebuild) string {
	switch {
	case r == nil:
		return ""
	case r.Running:
		return fmt.Sprintf("%d of %d inputs, %.0f a second, %s to go", r.Done, r.Total, r.PerSecond, terminal.Span(secondsOf(r.LeftSeconds)))
	}
	words := fmt.Sprintf("%s in %s", plural(int(r.Total), "input", "inputs"), terminal.Span(r.EndedAt.Sub(r.BeganAt)))
	if r.KeptSince != nil {
		words += fmt.Sprintf("; what happened before %s (input %d) is kept no more", p.at(r.KeptSince), r.First)
	}
	return words
}

func secondsOf(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
