package main

import (
	"github.com/spf13/cobra"

	"github.com/tocsin-noc/tocsin/history/chdb/engine"
)

// newHistoryEngineCommand is the embedded ClickHouse's process, which `tocsin serve` starts and feeds by standard input.
func newHistoryEngineCommand() *cobra.Command {
	return &cobra.Command{
		Use:    "engine",
		Short:  "The embedded ClickHouse's process; `tocsin serve` starts it",
		Hidden: true,
		Args:   cobra.NoArgs,
		RunE:   func(cmd *cobra.Command, _ []string) error { return engine.Run(cmd.InOrStdin()) },
	}
}
