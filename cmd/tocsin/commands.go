package main

import (
	"context"

	"github.com/spf13/cobra"
)

const (
	groupWork   = "work"
	groupCMDB   = "cmdb"
	groupDaemon = "daemon"
	groupFiles  = "files"
)

// newRootCommand returns the whole tree. A new command is one more line here.
func newRootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:           "tocsin",
		Short:         "Many alarms, one bell",
		Long:          "Tocsin correlates alerts into incidents. `tocsin serve` is the daemon; the other commands ask it, or look at its files.",
		Example:       "  tocsin serve --data /var/lib/tocsin\n  tocsin incidents --watch\n  tocsin explain INC-42",
		Version:       version,
		SilenceErrors: true, // run reports them
		SilenceUsage:  true,
		RunE:          parent,
		Args:          cobra.ArbitraryArgs,
	}
	root.CompletionOptions.SetDefaultShellCompDirective(cobra.ShellCompDirectiveNoFileComp)
	root.AddGroup(
		&cobra.Group{ID: groupWork, Title: "Incidents and alerts:"},
		&cobra.Group{ID: groupCMDB, Title: "Configuration and services:"},
		&cobra.Group{ID: groupDaemon, Title: "The daemon:"},
		&cobra.Group{ID: groupFiles, Title: "Files and data:"},
	)
	addGroup(root, groupWork,
		newIncidentsCommand(), newIncidentCommand(), newAlertsCommand(), newAlertCommand(), newExplainCommand(), newSearchCommand(), newSimilarCommand(), newSilenceCommand(),
		newWindowCommand(), newCalendarCommand(), newHeartbeatsCommand(), newStormsCommand(), newHandoverCommand(),
		newOnCallCommand(), newNotifyCommand(), newCorrelationCommand(), newPairsCommand(), newReportsCommand(),
	)
	addGroup(root, groupCMDB, newCMDBCommand(), newTimelineCommand(), newServiceCommand(), newOutageCommand())
	addGroup(root, groupDaemon,
		newServeCommand(), newStatusCommand(), newSourcesCommand(), newClockCommand(), newSnapshotCommand(), newRedactCommand(),
		newUserCommand(), newMeCommand(),
	)
	addGroup(root, groupFiles,
		newCheckCommand(), newRulesCommand(), newTokenCommand(), newIngestKeyCommand(), newReplayCommand(), newVerifyCommand(), newJournalCommand(),
		newHistoryCommand(), newImportCommand(), newEvaluateCommand(), newSimulateCommand(), newStormCommand(),
	)
	root.AddCommand(newVersionCommand(), newExitCodesTopic())
	return root
}

func addGroup(root *cobra.Command, id string, cmds ...*cobra.Command) {
	for _, c := range cmds {
		c.GroupID = id
		root.AddCommand(c)
	}
}

// parent is what a command that only holds others does: it shows its help, and refuses a word that is none of them.
func parent(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return cmd.Help()
	}
	hint := "`" + cmd.CommandPath() + " --help` lists them"
	cmd.SuggestionsMinimumDistance = 2
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		hint = "did you mean `" + cmd.CommandPath() + " " + near[0] + "`?"
	}
	return usage("there is no command "+quote(cmd.CommandPath()+" "+args[0]), hint)
}

// newParent returns a command that only holds others.
func newParent(use, short, example string, cmds ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{Use: use, Short: short, Example: example, RunE: parent, Args: cobra.ArbitraryArgs, DisableFlagsInUseLine: true}
	cmd.AddCommand(cmds...)
	return cmd
}

// noteBegin sets begun once a command's own function runs: errors before that are of the command line.
func noteBegin(cmd *cobra.Command, begun *bool) {
	if inner := cmd.RunE; inner != nil {
		cmd.RunE = func(cmd *cobra.Command, args []string) error {
			*begun = true
			return inner(cmd, args)
		}
	}
	for _, sub := range cmd.Commands() {
		noteBegin(sub, begun)
	}
}

// action is a command's function once it can ask the daemon.
type action func(ctx context.Context, t *tool, args []string) error
