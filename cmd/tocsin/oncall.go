package main

import (
	"cmp"
	"context"
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"github.com/tocsin-noc/tocsin/api"
	"github.com/tocsin-noc/tocsin/internal/terminal"
)

func newOnCallCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "oncall", Short: "Show who is on call, who is next, and when nobody is",
		Example: "  tocsin oncall\n  tocsin oncall override db --who bob --duration 8h\n  tocsin oncall drop override-3",
		Args:    cobra.NoArgs,
	}
	r := addRemote(cmd.PersistentFlags())
	cmd.RunE = r.run(showOnCall)
	cmd.AddCommand(newOverrideCommand(r), newDropOverrideCommand(r))
	return cmd
}

// shiftsShown bounds the shifts of a team that are listed.
const shiftsShown = 4

func showOnCall(ctx context.Context, t *tool, _ []string) error {
	text, got, err := fetch[api.OnCallList](ctx, t.api, nil, "oncall")
	if err != nil {
		return err
	}
	if t.json {
		return t.raw(text)
	}
	if len(got.Teams) == 0 {
		t.note("there are no teams; the configuration's notify_file names them")
		return nil
	}
	for i := range got.Teams {
		showTeam(t, &got.Teams[i])
	}
	if len(got.Overrides) == 0 {
		return nil
	}
	t.section("Out of turn")
	table := terminal.NewTable("ID", "TEAM", "WHO", "FROM", "UNTIL", "BY")
	for _, o := range got.Overrides {
		table.Add(terminal.Text(o.ID), terminal.Text(o.Team), terminal.Text(o.Who), terminal.Text(local(o.From, "")), terminal.Text(local(o.Until, "")), terminal.Text(o.By))
	}
	return t.table(table, "")
}

func showTeam(t *tool, team *api.OnCall) {
	now := "has no rotation: everybody is told"
	switch {
	case team.OnCall != "" && team.Until != nil:
		now = team.OnCall + " is on call until " + local(*team.Until, team.Zone)
	case len(team.Gaps) > 0 && len(team.Shifts) > 0 && team.Shifts[0].Who == "":
		now = "NOBODY is on call: everybody is told"
	}
	t.line("%s: %s", t.paint(terminal.Bold, team.Team), now)
	for i, s := range team.Shifts {
		if team.OnCall == "" && s.Who != "" && len(team.Gaps) == 0 && i < shiftsShown { // an override where there is no rotation
			t.line("  %s from %s until %s", s.Who, local(s.From, team.Zone), local(s.Until, team.Zone))
		} else if i > 0 && i <= shiftsShown {
			t.line("  then %s from %s", cmp.Or(s.Who, "nobody"), local(s.From, team.Zone))
		}
	}
	for _, g := range team.Gaps {
		t.line("  %s", t.paint(terminal.BoldRed, "nobody is on call "+local(g.From, team.Zone)+" – "+local(g.Until, team.Zone)))
	}
}

// local shows an instant in a zone, by default that of the reader.
func local(at time.Time, zone string) string {
	loc := time.Local
	if zone != "" {
		if l, err := time.LoadLocation(zone); err == nil {
			loc = l
		}
	}
	return at.In(loc).Format("Mon 2006-01-02 15:04 MST")
}

func newOverrideCommand(r *remote) *cobra.Command {
	var who, from, until, duration string
	cmd := &cobra.Command{
		Use: "override TEAM --who CONTACT", Short: "Put somebody on call out of turn; prints the override's id",
		Example: "  tocsin oncall override db --who bob --duration 8h\n  tocsin oncall override db --who bob --from '2026-11-24 09:00' --until '2026-11-24 17:00'", Args: cobra.ExactArgs(1),
		RunE: r.run(func(ctx context.Context, t *tool, args []string) error {
			payload := map[string]any{"team": args[0], "who": who}
			for name, text := range map[string]string{"from": from, "until": until} {
				at, err := parseInstant("--"+name, text)
				if err != nil {
					return err
				}
				if !at.IsZero() {
					payload[name] = at
				}
			}
			if duration != "" {
				payload["duration"] = duration
			}
			text, made, err := act[struct{ ID string }](ctx, t.api, payload, "oncall", "overrides")
			if err != nil {
				return err
			}
			if t.json {
				return t.raw(text)
			}
			t.line("%s", made.ID)
			return nil
		}),
	}
	fl := cmd.Flags()
	fl.StringVar(&who, "who", "", "`CONTACT` of the notify file")
	fl.StringVar(&from, "from", "", "`TIME` it starts (default now)")
	fl.StringVar(&until, "until", "", "`TIME` it ends")
	fl.StringVar(&duration, "duration", "", "`SPAN` it lasts, as in 8h")
	cmd.MarkFlagsOneRequired("who")
	cmd.MarkFlagsOneRequired("until", "duration")
	cmd.MarkFlagsMutuallyExclusive("until", "duration")
	return cmd
}

func newDropOverrideCommand(r *remote) *cobra.Command {
	return &cobra.Command{
		Use: "drop ID…", Short: "End overrides now", Example: "  tocsin oncall drop override-3", Args: cobra.MinimumNArgs(1),
		RunE: r.run(func(ctx context.Context, t *tool, args []string) error {
			return each(t.err, args, func(id string) error {
				if _, err := t.api.do(ctx, http.MethodDelete, []string{"oncall", "overrides", id}, nil, nil); err != nil {
					return err
				}
				if !t.json {
					t.line("%s ended", id)
				}
				return nil
			})
		}),
	}
}
