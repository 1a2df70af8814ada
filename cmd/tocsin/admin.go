package main

import (
	"context"
	"net/http"

	"github.com/spf13/cobra"
)

func newClockCommand() *cobra.Command {
	cmd := newParent("clock", "The daemon's clock", "  tocsin clock accept")
	accept := &cobra.Command{
		Use:   "accept",
		Short: "Follow the wall clock again after it jumped",
		Long: `Follow the wall clock again after it jumped. A jump of more than 5 minutes stops all deadlines and makes the daemon not ready, because
alerts would expire in crowds; look at the clock first. Takes the role admin.`,
		Example: "  timedatectl && tocsin clock accept",
		Args:    cobra.NoArgs,
	}
	accept.RunE = adminAction(accept, "accept-clock", "the wall clock is accepted")
	cmd.AddCommand(accept)
	return cmd
}

func newSnapshotCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "snapshot",
		Short:   "Write a snapshot of the state now, so that the next start is quick",
		Long:    "Write a snapshot of the state now, so that the next start is quick. The daemon writes them by itself, too. Takes the role admin.",
		Example: "  tocsin snapshot",
		Args:    cobra.NoArgs,
	}
	cmd.RunE = adminAction(cmd, "snapshot", "the snapshot is written")
	return cmd
}

// adminAction posts to a resource that answers nothing.
func adminAction(cmd *cobra.Command, resource, done string) func(*cobra.Command, []string) error {
	return addRemote(cmd.Flags()).run(func(ctx context.Context, t *tool, _ []string) error {
		if _, err := t.api.do(ctx, http.MethodPost, []string{"admin", resource}, nil, nil); err != nil {
			return err
		}
		t.note(done)
		return nil
	})
}
