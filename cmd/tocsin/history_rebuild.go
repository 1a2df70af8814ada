package main

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/tocsin-noc/tocsin/api"
	"github.com/tocsin-noc/tocsin/internal/terminal"
)

// rebuildEvery is how often the daemon is asked how far it is.
const rebuildEvery = time.Second

func newHistoryRebuildCommand() *cobra.Command {
	var leave bool
	cmd := &cobra.Command{
		Use:   "rebuild",
		Short: "Empty the history and fill it again from the changes that are kept",
		Long: `Empty the history and fill it again from the changes that are kept. What was imported stays, and so does what receivers took. What happened
before the oldest change that is kept is gone from the history then: it says since when. Reports are incomplete until it is done. It takes
an admin of the first tenant, and goes on in the daemon when this command is stopped.`,
		Example: "  tocsin history rebuild\n  tocsin history rebuild --no-wait",
		Args:    cobra.NoArgs,
	}
	fl := cmd.Flags()
	fl.BoolVar(&leave, "no-wait", false, "do not wait until it is done")
	cmd.RunE = addRemote(fl).run(func(ctx context.Context, t *tool, _ []string) error {
		text, s, err := act[api.HistoryStatus](ctx, t.api, nil, "history", "rebuild")
		if err != nil {
			return err
		}
		if !leave {
			if text, s, err = t.followRebuild(ctx); err != nil {
				return err
			}
		}
		switch {
		case t.json:
			return t.raw(text)
		case leave:
			t.note("the history is rebuilt; `tocsin history status` shows how far it is")
		default:
			t.line("rebuilt: %s", t.rebuilt(s.Rebuild))
		}
		return nil
	})
	return cmd
}

// followRebuild shows how far it is until it is done.
func (t *tool) followRebuild(ctx context.Context) (text []byte, s *api.HistoryStatus, err error) {
	b := newBar(t.printer)
	defer b.clear()
	tick := time.NewTicker(rebuildEvery)
	defer tick.Stop()
	told := ""
	for {
		if text, s, err = fetch[api.HistoryStatus](ctx, t.api, nil, "history"); err != nil {
			return nil, nil, err
		}
		if s.Rebuild == nil {
			return nil, nil, &fault{code: exitFailed, message: "the daemon was started again meanwhile", hint: "`tocsin history status` shows how the history does"}
		}
		if !s.Rebuild.Running {
			return text, s, nil
		}
		if s.Fault != told && s.Fault != "" {
			b.clear()
			t.note("it waits: %s", s.Fault)
		}
		told = s.Fault
		what := "rebuilding"
		if s.Rebuild.PerSecond > 0 {
			what += ", " + terminal.Span(secondsOf(s.Rebuild.LeftSeconds)) + " to go"
		}
		b.show(what, int(s.Rebuild.Done), int(s.Rebuild.Total))
		select {
		case <-ctx.Done():
			return nil, nil, ctx.Err()
		case <-tick.C:
		}
	}
}
