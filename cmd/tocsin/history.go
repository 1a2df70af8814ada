package main

import "github.com/spf13/cobra"

func newHistoryCommand() *cobra.Command {
	return newParent("history", "The history in ClickHouse: how it does, and its embedded engine",
		"  tocsin history install\n  tocsin history install --from lib-linux-x64-gnu.tgz",
		newHistoryInstallCommand(), newHistoryEngineCommand(), newHistoryStatusCommand(), newHistoryRebuildCommand(), newHistoryAlertsCommand())
}
