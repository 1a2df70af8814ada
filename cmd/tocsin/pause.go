package main

import (
	"context"
	"strings"
	"time"

	"github.com/prometheus/common/model"
	"github.com/spf13/cobra"

	"github.com/tocsin-noc/tocsin/api"
	"github.com/tocsin-noc/tocsin/internal/terminal"
)

func newSnoozeCommand(r *remote) *cobra.Command {
	return &cobra.Command{
		Use:   "snooze INC-1… SPAN",
		Short: "Acknowledge incidents for a while; then, or when they get worse, they ring again",
		Long: `Acknowledge incidents for a while. When it is over they ring again; when they get worse they ring at once. The last argument is a SPAN,
as in 90s, 2h or 1d, or the time at which it ends, as in 2026-11-21T06:00:00Z.`,
		Example: "  tocsin incident snooze INC-42 2h\n  tocsin incident snooze INC-42 INC-43 '2026-11-21 06:00'",
		Args:    cobra.MinimumNArgs(2),
		RunE: r.run(func(ctx context.Context, t *tool, args []string) error {
			payload, err := pause(args[len(args)-1])
			if err != nil {
				return err
			}
			return onEach(ctx, t, args[:len(args)-1], payload, "snooze", func(i *api.Incident) string { return "snoozed until " + t.clock(i.SnoozedUntil) })
		}),
	}
}

func newHoldCommand(r *remote) *cobra.Command {
	var reason, kind string
	cmd := &cobra.Command{
		Use:   "hold INC-1… SPAN",
		Short: "Put incidents on hold: they wait for something until a time",
		Long: `Put incidents on hold: they stay open, wait for something, and say when it is due. The last argument is a SPAN, as in 90s, 2h or 1d, or the
time at which it is due, as in 2026-11-21T06:00:00Z.`,
		Example: "  tocsin incident hold INC-42 4h --for vendor --reason 'they bring a disk'",
		Args:    cobra.MinimumNArgs(2),
		RunE: r.run(func(ctx context.Context, t *tool, args []string) error {
			payload, err := pause(args[len(args)-1])
			if err != nil {
				return err
			}
			payload["reason"] = reason
			if kind != "" {
				payload["reason_kind"] = kind
			}
			return onEach(ctx, t, args[:len(args)-1], payload, "hold", func(i *api.Incident) string { return "on hold until " + t.clock(i.HeldUntil) })
		}),
	}
	cmd.Flags().StringVar(&reason, "reason", "", "`TEXT` that says what it waits for")
	cmd.Flags().StringVar(&kind, "for", "", "`KIND` of thing it waits for: caller, vendor, change, problem or other (default other, which takes a --reason)")
	complete(cmd, "for", "caller", "vendor", "change", "problem", "other")
	cmd.MarkFlagsOneRequired("reason", "for")
	return cmd
}

func newUnholdCommand(r *remote) *cobra.Command {
	return &cobra.Command{
		Use:     "unhold INC-1…",
		Short:   "End the hold of incidents",
		Example: "  tocsin incident unhold INC-42",
		Args:    cobra.MinimumNArgs(1),
		RunE: r.run(func(ctx context.Context, t *tool, args []string) error {
			return onEach(ctx, t, args, nil, "unhold", func(*api.Incident) string { return "no longer on hold" })
		}),
	}
}

// pause reads a span or a time as the API takes it.
func pause(text string) (map[string]string, error) {
	if _, err := model.ParseDuration(text); err == nil {
		return map[string]string{"duration": text}, nil
	}
	if at, err := parseInstant("", text); err == nil {
		return map[string]string{"until": at.Format(time.RFC3339)}, nil
	}
	if strings.HasPrefix(text, "-") {
		return nil, usage(quote(text)+": a span cannot be negative", "the last argument is how long from now, as in 2h, or until when, as in 2026-11-21T06:00:00Z")
	}
	return nil, usage(quote(text)+" is neither a span nor a time", "the last argument is how long, as in 2h, or until when, as in 2026-11-21T06:00:00Z")
}

// clock shows when something ends: the time of day matters more than the distance.
func (p *printer) clock(t *time.Time) string {
	if t == nil {
		return "-"
	}
	if p.absolute {
		return terminal.Clock(t.Local())
	}
	return dayClock(t.Local()) + " (" + terminal.Ago(*t, p.now) + ")"
}

// dayClock shows an instant to the minute with its weekday, in its own zone.
func dayClock(t time.Time) string { return t.Format("Mon 2006-01-02 15:04 MST") }
