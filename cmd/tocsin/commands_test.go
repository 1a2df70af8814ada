package main

import (
	"iter"
	"os"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/require"
)

// tree yields a command and all below it.
func tree(cmd *cobra.Command) iter.Seq[*cobra.Command] {
	return func(yield func(*cobra.Command) bool) { walk(cmd, yield) }
}

func walk(cmd *cobra.Command, yield func(*cobra.Command) bool) bool {
	if !yield(cmd) {
		return false
	}
	for _, sub := range cmd.Commands() {
		if !walk(sub, yield) {
			return false
		}
	}
	return true
}

func TestEveryCommandHasHelpAndAnExampleThatExists(t *testing.T) {
	for cmd := range tree(newRootCommand()) {
		if !cmd.Runnable() || cmd.Hidden {
			continue // a help topic, or a process of ours that nobody starts by hand
		}
		require.NotEmpty(t, cmd.Short, cmd.CommandPath())
		require.NotEmpty(t, cmd.Example, cmd.CommandPath())
		for line := range strings.Lines(cmd.Example) {
			_, line, _ = strings.Cut(line, "tocsin ")
			found, _, err := newRootCommand().Find(strings.Fields(line))
			require.NoError(t, err, line)
			require.NotEqual(t, "tocsin", found.Name(), line)
		}
	}
}

func TestTheManualNamesEveryCommandAndItsFlags(t *testing.T) {
	text, err := os.ReadFile("../../docs/cli.md")
	require.NoError(t, err)
	manual := string(text)
	for cmd := range tree(newRootCommand()) {
		if cmd.HasSubCommands() || !cmd.Runnable() || cmd.Name() == "serve" || cmd.Hidden {
			continue // serve's flags are those of the configuration
		}
		require.Contains(t, manual, "`"+cmd.CommandPath(), cmd.CommandPath())
		for f := range flags(cmd) {
			require.Contains(t, manual, "--"+f, cmd.CommandPath())
		}
	}
}

// flags yields the names of a command's flags and those it inherits.
func flags(cmd *cobra.Command) iter.Seq[string] {
	return func(yield func(string) bool) {
		for word := range strings.FieldsSeq(cmd.LocalFlags().FlagUsages() + cmd.InheritedFlags().FlagUsages()) {
			if name, ok := strings.CutPrefix(word, "--"); ok && strings.Trim(name, "abcdefghijklmnopqrstuvwxyz-") == "" && !yield(name) {
				return
			}
		}
	}
}
