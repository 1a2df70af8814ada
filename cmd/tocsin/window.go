package main

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tocsin-noc/tocsin/api"
	"github.com/tocsin-noc/tocsin/internal/terminal"
)

func newWindowCommand() *cobra.Command {
	cmd := newParent("window", "Plan maintenance: what begins in a window rings nobody",
		"  tocsin window add 'disk swap' --ci db-3 --duration 2h --reason CHG-7\n  tocsin window list")
	r := addRemote(cmd.PersistentFlags())
	cmd.AddCommand(newWindowAddCommand(r), newWindowListCommand(r), newWindowShowCommand(r), newWindowEndCommand(r))
	return cmd
}

func newWindowListCommand(r *remote) *cobra.Command {
	var states []string
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List maintenance windows: those that run, then by what comes next",
		Example: "  tocsin window list\n  tocsin window list --state over",
		Args:    cobra.NoArgs,
		RunE: r.run(func(ctx context.Context, t *tool, _ []string) error {
			items, _, err := t.api.page(ctx, "windows", url.Values{"state": states}, "windows")
			if err != nil {
				return err
			}
			if t.json {
				return t.rawList(items)
			}
			return showWindows(t.printer, items)
		}),
	}
	cmd.Flags().StringSliceVar(&states, "state", []string{"running", "scheduled"}, "`STATE`: running, scheduled or over")
	complete(cmd, "state", "running", "scheduled", "over")
	return cmd
}

func showWindows(p *printer, items []json.RawMessage) error {
	windows, err := decodeAll[api.Window](items)
	if err != nil {
		return err
	}
	if len(windows) == 0 {
		p.note("no window matches")
		return nil
	}
	table := p.grid("ID", "STATE", "NEXT", "UNTIL", "BY", "ABOUT", "NAME")
	for i := range windows {
		w := &windows[i]
		next, until := p.at(w.NextAt), p.at(w.EndsAt)
		if w.OpenAt != nil {
			next, until = p.at(w.OpenAt), p.at(w.CloseAt)
		}
		table.add(w.Tenant,
			terminal.Text(w.ID), terminal.Text(w.State), terminal.Text(next), terminal.Text(until), terminal.Text(w.CreatedBy),
			terminal.Text(about(w.Matchers, w.CIs)), terminal.Text(w.Name),
		)
	}
	return p.table(table, "")
}

// about says what a window or a silence is about.
func about(ms []api.Matcher, cis []string) string {
	var parts []string
	if len(cis) > 0 {
		parts = append(parts, strings.Join(cis, ", "))
	}
	if len(ms) > 0 {
		parts = append(parts, matcherText(ms))
	}
	return strings.Join(parts, " with ")
}

func newWindowShowCommand(r *remote) *cobra.Command {
	return &cobra.Command{
		Use:     "show ID",
		Short:   "Show a maintenance window",
		Example: "  tocsin window show 1d3c5ea0-4d0e-8f37-9a5b-2f6a0c8e7b11",
		Args:    cobra.ExactArgs(1),
		RunE: r.run(func(ctx context.Context, t *tool, args []string) error {
			text, w, err := fetch[api.Window](ctx, t.api, nil, "windows", args[0])
			if err != nil {
				return err
			}
			if t.json {
				return t.raw(text)
			}
			t.line("%s  %s", t.paint(terminal.Bold, w.ID), t.paint(terminal.Bold, w.Name))
			return t.pairs("  ",
				"State", w.State, "Reason", w.Reason, "About", about(w.Matchers, w.CIs),
				"Runs since", unless(w.OpenAt == nil, t.at(w.OpenAt)), "Until", unless(w.CloseAt == nil, t.clock(w.CloseAt)),
				"Next", unless(w.NextAt == nil, t.clock(w.NextAt)), "Starts", t.clock(&w.StartsAt),
				"Ends", unless(w.EndsAt == nil, t.clock(w.EndsAt)), "Recurs", recurrence(w),
				"Made by", cmp.Or(w.CreatedBy, w.Actor), "Changed", t.time(w.UpdatedAt),
			)
		}),
	}
}

// recurrence says when a window recurs, "" when it does not.
func recurrence(w *api.Window) string {
	parts := make([]string, len(w.Intervals))
	for i, iv := range w.Intervals {
		var times []string
		for _, r := range iv.Times {
			times = append(times, r.StartTime+"–"+r.EndTime)
		}
		var words []string
		for _, list := range [][]string{iv.Weekdays, iv.DaysOfMonth, iv.Months, iv.Years, times} {
			if len(list) > 0 {
				words = append(words, strings.Join(list, ","))
			}
		}
		parts[i] = strings.Join(words, " ")
	}
	if len(parts) == 0 {
		return ""
	}
	return strings.Join(parts, "; ") + " in " + cmp.Or(w.Zone, "UTC")
}

func newWindowEndCommand(r *remote) *cobra.Command {
	return &cobra.Command{
		Use:     "end ID…",
		Short:   "End maintenance windows for good; what they quieted rings if it still fires",
		Example: "  tocsin window end 1d3c5ea0-4d0e-8f37-9a5b-2f6a0c8e7b11",
		Args:    cobra.MinimumNArgs(1),
		RunE: r.run(func(ctx context.Context, t *tool, args []string) error {
			return each(t.err, args, func(id string) error {
				if _, err := t.api.do(ctx, http.MethodDelete, []string{"windows", id}, nil, nil); err != nil {
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
