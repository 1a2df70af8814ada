package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/tocsin-noc/tocsin/api"
	"github.com/tocsin-noc/tocsin/internal/terminal"
)

func newStatusCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Show how the daemon does; exit code 1 when it is not ready",
		Long: `Show how the daemon does, and who it takes you for. Admins of the first tenant see the engine's figures and whether the history goes on and
how far it is behind, and with --json the configuration. What the history does never changes the exit code; that of "tocsin history status"
it does.`,
		Example: "  tocsin status\n  tocsin status --json | jq .config",
		Args:    cobra.NoArgs,
	}
	cmd.RunE = addRemote(cmd.Flags()).run(func(ctx context.Context, t *tool, _ []string) error {
		text, s, err := fetch[api.Status](ctx, t.api, nil, "status")
		if err != nil {
			return err
		}
		if t.json {
			err = t.raw(text)
		} else {
			err = showStatus(t, s)
		}
		if err == nil && !s.Ready {
			return said(exitFailed)
		}
		return err
	})
	return cmd
}

func showStatus(t *tool, s *api.Status) error {
	ready := "yes"
	if !s.Ready {
		ready = "no: " + s.Reason
	}
	if err := t.pairs("",
		"Daemon", t.api.base.String(), "Version", s.Version, "Ready", ready,
		"You are", fmt.Sprintf("%s (%s of tenant %s)", s.Principal, s.Role, s.Tenant), "Latest change", s.Head,
	); err != nil || s.Engine == nil {
		return err
	}
	t.section("Engine")
	if err := t.engine(s.Engine); err != nil || s.History == nil {
		return err
	}
	t.section("History")
	state, behind := historyState(s.History)
	return t.pairs("  ", "State", state, "Behind", behind)
}

func (p *printer) engine(e *api.EngineStatus) error {
	start := fmt.Sprintf("%s, back after %s, %d lost, took %s: snapshot %d, then %s decided and %d taken over from the log", p.time(e.StartedAt),
		seconds(e.AwaySeconds), e.Lost, seconds(e.StartSeconds), e.SnapshotSeq, plural(e.Replayed, "input", "inputs"), e.Folded)
	saved := "none since the start"
	if e.SavedAt != nil {
		saved = fmt.Sprintf("%s, at %d", p.at(e.SavedAt), e.SavedSeq)
	}
	return p.pairs("  ",
		"Started", start,
		"Journal", fmt.Sprintf("%s, head %s", terminal.Bytes(e.JournalBytes), e.JournalHead),
		"Changes", terminal.Bytes(e.ChangesBytes),
		"Snapshot", saved,
		"Queue", fmt.Sprintf("%d of %d alerts", e.Queued, e.QueueLimit),
		"Torn writes", unless(e.TornBytes == 0, terminal.Bytes(e.TornBytes)+" cut off at the start"),
		"Differences", unless(e.Differences == 0, plural(e.Differences, "input", "inputs")+" came out otherwise than logged; `tocsin replay` shows them"),
		"Clock", unless(e.ClockJumpMillis == 0, "off by "+time.Duration(e.ClockJumpMillis*int64(time.Millisecond)).String()+"; `tocsin clock accept` follows it"),
	)
}

func seconds(s float64) string {
	return time.Duration(s * float64(time.Second)).Round(time.Millisecond).String()
}
