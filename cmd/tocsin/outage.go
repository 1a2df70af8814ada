package main

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/tocsin-noc/tocsin/api"
	"github.com/tocsin-noc/tocsin/internal/terminal"
)

func newOutageCommand() *cobra.Command {
	cmd := newParent("outage", "Keep outages of services: what availability is computed from",
		"  tocsin outage list --state proposed\n  tocsin outage confirm OUT-3 --cause 'disk full'\n  tocsin outage report shop --began '2026-11-21 08:00' --ended '2026-11-21 08:20'")
	r := addRemote(cmd.PersistentFlags())
	cmd.AddCommand(
		newOutageListCommand(r), newOutageShowCommand(r), newOutageReportCommand(r), newOutageConfirmCommand(r), newOutageRejectCommand(r), newOutageCorrectCommand(r),
	)
	return cmd
}

func newOutageListCommand(r *remote) *cobra.Command {
	var service, running, from, to string
	var states, kinds []string
	var limit int
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List outages, the latest first",
		Example: "  tocsin outage list --running true\n  tocsin outage list --service shop --from 2026-11-01",
		Args:    cobra.NoArgs,
	}
	f := cmd.Flags()
	f.StringVar(&service, "service", "", "`ID` of the service")
	f.StringSliceVar(&states, "state", nil, "`STATE`: proposed, confirmed or rejected")
	f.StringSliceVar(&kinds, "kind", nil, "`KIND`: down, degraded or planned")
	f.StringVar(&running, "running", "", "`true` for those that last, false for the rest")
	f.StringVar(&from, "from", "", "`TIME` at which, or after which, they lasted")
	f.StringVar(&to, "to", "", "`TIME` before which they began")
	f.IntVar(&limit, "limit", 50, "`N` outages at most; 0 for all")
	complete(cmd, "state", "proposed", "confirmed", "rejected")
	complete(cmd, "kind", "down", "degraded", "planned")
	complete(cmd, "running", "true", "false")
	cmd.RunE = r.run(func(ctx context.Context, t *tool, _ []string) error {
		query := url.Values{}
		setText(query, "service", service, "running", running)
		for name, list := range map[string][]string{"state": states, "kind": kinds} {
			if len(list) > 0 {
				query[name] = list
			}
		}
		for flag, text := range map[string]string{"from": from, "to": to} {
			at, err := parseInstant("--"+flag, text)
			if err != nil {
				return err
			}
			if !at.IsZero() {
				query.Set(flag, at.UTC().Format(time.RFC3339))
			}
		}
		found, err := t.api.list(ctx, "outages", limit, query, "outages")
		if err != nil {
			return err
		}
		if t.json {
			return t.rawList(found.items)
		}
		outages, err := decodeAll[api.Outage](found.items)
		if err != nil {
			return err
		}
		if len(outages) == 0 {
			t.note("no outage matches")
			return nil
		}
		if err := t.outages(outages, ""); err != nil {
			return err
		}
		t.more(len(outages), found.total, "outages")
		return nil
	})
	return cmd
}

// outages shows a table of them.
func (t *tool) outages(list []api.Outage, indent string) error {
	table := t.grid("ID", "SERVICE", "KIND", "STATE", "BEGAN", "LASTED", "INCIDENTS", "CAUSE")
	for i := range list {
		o := &list[i]
		state := o.State
		if o.State == "proposed" {
			state = "not confirmed"
		}
		table.add(o.Tenant, terminal.Text(o.ID), terminal.Text(o.Service), terminal.Cell{Text: o.Kind, Style: statusStyle(o.Kind)}, terminal.Text(state),
			terminal.Text(t.time(o.BeganAt)), terminal.Text(t.lasted(o)), terminal.Text(strings.Join(o.Incidents, ",")), terminal.Text(o.Cause))
	}
	return t.table(table, indent)
}

// lasted says how long an outage was, or is so far.
func (t *tool) lasted(o *api.Outage) string {
	switch {
	case o.Running:
		return length(t.now.Sub(o.BeganAt).Milliseconds()) + ", runs"
	case o.EndedAt == nil:
		return ""
	}
	return length(o.EndedAt.Sub(o.BeganAt).Milliseconds())
}

func newOutageShowCommand(r *remote) *cobra.Command {
	return &cobra.Command{
		Use:     "show OUT-1",
		Short:   "Show an outage",
		Example: "  tocsin outage show OUT-3",
		Args:    cobra.ExactArgs(1),
		RunE: r.run(func(ctx context.Context, t *tool, args []string) error {
			text, o, err := fetch[api.Outage](ctx, t.api, nil, "outages", args[0])
			if err != nil {
				return err
			}
			if t.json {
				return t.raw(text)
			}
			t.line("%s  %s %s", t.paint(terminal.Bold, o.ID), t.paint(terminal.Bold, o.Service), o.Kind)
			return t.pairs("  ",
				"Tenant", unless(!t.wide, o.Tenant), "State", o.State+unless(o.ConfirmedBy == "", by(o.ConfirmedBy)), "Began", t.clock(&o.BeganAt),
				"Ended", unless(o.EndedAt == nil, t.clock(o.EndedAt)), "Lasted", t.lasted(o), "Cause", o.Cause, "Told by", "a "+o.Source, "Known since", t.clock(&o.KnownAt),
				"Incidents", strings.Join(o.Incidents, ", "),
			)
		}),
	}
}

// outageFlags are the facts of an outage.
func outageFlags(f *pflag.FlagSet, kind bool) {
	if kind {
		f.String("kind", "", "`KIND`: down, degraded or planned")
		f.String("began", "", "`TIME` it began, as in '2026-11-21 08:00'")
		f.String("ended", "", "`TIME` it ended")
	}
	f.String("cause", "", "`TEXT`")
	f.StringSlice("incident", nil, "`INC-1` that belongs to it; may be repeated")
}

// outageFacts are the facts on the command line.
func outageFacts(f *pflag.FlagSet) (map[string]any, error) {
	payload := given(f, "cause")
	if f.Lookup("kind") != nil {
		if f.Changed("kind") {
			payload["kind"] = f.Lookup("kind").Value.String()
		}
		for flag, field := range map[string]string{"began": "began_at", "ended": "ended_at"} {
			at, err := parseInstant("--"+flag, f.Lookup(flag).Value.String())
			if err != nil {
				return nil, err
			}
			if !at.IsZero() {
				payload[field] = at
			}
		}
	}
	if ids, _ := f.GetStringSlice("incident"); len(ids) > 0 {
		payload["incidents"] = ids
	}
	return payload, nil
}

// outageDone shows what became of an outage.
func (t *tool) outageDone(text []byte) error {
	if t.json {
		return t.raw(text)
	}
	o, err := decode[api.Outage](text)
	if err != nil {
		return err
	}
	t.line("%s %s: %s is %s since %s%s", o.ID, o.State, o.Service, o.Kind, t.clock(&o.BeganAt), unless(o.EndedAt == nil, " until "+t.clock(o.EndedAt)))
	return nil
}

func newOutageReportCommand(r *remote) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "report SERVICE",
		Short: "Report an outage that Tocsin did not see, or one that is planned",
		Long:  "Report an outage of a service: one that Tocsin did not see, or one that is planned. What is planned before it begins does not count as down.",
		Example: `  tocsin outage report shop --began '2026-11-21 08:00' --ended '2026-11-21 08:20' --cause 'expired certificate'
  tocsin outage report shop --kind planned --began '2026-12-01 02:00' --ended '2026-12-01 04:00'`,
		Args: cobra.ExactArgs(1),
	}
	outageFlags(cmd.Flags(), true)
	complete(cmd, "kind", "down", "degraded", "planned")
	cmd.RunE = r.run(func(ctx context.Context, t *tool, args []string) error {
		payload, err := outageFacts(cmd.Flags())
		if err != nil {
			return err
		}
		payload["service"] = args[0]
		text, err := t.api.do(ctx, http.MethodPost, []string{"outages"}, nil, payload)
		if err != nil {
			return err
		}
		return t.outageDone(text)
	})
	return cmd
}

func newOutageConfirmCommand(r *remote) *cobra.Command {
	return newOutageAnswerCommand(r, "confirm", "confirmed", "Confirm outages that the machine proposed", "  tocsin outage confirm OUT-3 --cause 'disk full'")
}

func newOutageRejectCommand(r *remote) *cobra.Command {
	return newOutageAnswerCommand(r, "reject", "rejected", "Reject outages that were none", "  tocsin outage reject OUT-3 --cause 'a test'")
}

func newOutageAnswerCommand(r *remote, verb, state, short, example string) *cobra.Command {
	cmd := &cobra.Command{Use: verb + " OUT-1…", Short: short, Example: example, Args: cobra.MinimumNArgs(1)}
	outageFlags(cmd.Flags(), false)
	cmd.RunE = r.run(func(ctx context.Context, t *tool, args []string) error {
		payload, err := outageFacts(cmd.Flags())
		if err != nil {
			return err
		}
		payload["state"] = state
		return each(t.err, args, func(id string) error { return t.changeOutage(ctx, id, payload) })
	})
	return cmd
}

func newOutageCorrectCommand(r *remote) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "correct OUT-1",
		Short:   "Correct an outage's kind, times or cause, or link incidents; that confirms it",
		Example: "  tocsin outage correct OUT-3 --began '2026-11-21 07:55' --kind degraded\n  tocsin outage correct OUT-3 --incident INC-42",
		Args:    cobra.ExactArgs(1),
	}
	outageFlags(cmd.Flags(), true)
	complete(cmd, "kind", "down", "degraded", "planned")
	cmd.RunE = r.run(func(ctx context.Context, t *tool, args []string) error {
		payload, err := outageFacts(cmd.Flags())
		if err != nil {
			return err
		}
		if len(payload) == 0 {
			return usage("there is nothing to correct", "`tocsin outage correct --help` shows what can be")
		}
		return t.changeOutage(ctx, args[0], payload)
	})
	return cmd
}

func (t *tool) changeOutage(ctx context.Context, id string, payload any) error {
	text, err := t.api.do(ctx, http.MethodPatch, []string{"outages", id}, nil, payload)
	if err != nil {
		return err
	}
	return t.outageDone(text)
}
