// Command tocsin is the daemon and its tool in one binary: `tocsin serve` correlates, everything else asks the daemon through its
// API, or looks at files where no daemon is needed.
//
// What the commands print for machines (--json, exit codes, the NDJSON of lists) stays compatible within a major version; text
// for people may change at any time. Each command is one small file; main decides nothing.
package main

import (
	"context"
	"io"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // for images without a zone database
)

func main() { os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }

// run carries out one command line and returns the exit code. The first interrupt asks it to end, the second ends the process.
func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)

	root := newRootCommand()
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	begun := false
	noteBegin(root, &begun)
	cmd, err := root.ExecuteContextC(ctx)
	if err != nil && !begun {
		err = usage(usageWords(err.Error(), cmd.CommandPath()), "write `"+cmd.UseLine()+"`; with --help it says more")
	}
	return report(stderr, err)
}
