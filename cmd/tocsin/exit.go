package main

import (
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/tocsin-noc/tocsin/internal/terminal"
)

// Exit codes; `tocsin help exit-codes` documents them.
const (
	exitOK          = 0
	exitFailed      = 1
	exitUsage       = 2
	exitUnreachable = 3
	exitNotFound    = 4
	exitRefused     = 5
)

func newExitCodesTopic() *cobra.Command {
	return &cobra.Command{
		Use:   "exit-codes",
		Short: "What the exit codes mean",
		Long: `Exit codes of tocsin:

  0  done, or everything is right
  1  failed, or the check found differences (replay, verify, rules test)
  2  the command line or the configuration is wrong
  3  the daemon cannot be reached
  4  what was named does not exist
  5  the daemon refused: a conflict, or the token may not do it

A command that is given several names tries each and ends with the code of the first that failed.`,
	}
}

// fault is an error with an exit code and what to do about it.
type fault struct {
	code    int
	message string // empty: everything has been said
	hint    string
	details []string // one line each
	cause   error
}

func (f *fault) Error() string { return f.message }

func (f *fault) Unwrap() error { return f.cause }

func usage(message, hint string) *fault { return &fault{code: exitUsage, message: message, hint: hint} }

// said ends with a code when the output itself has told why.
func said(code int) *fault { return &fault{code: code} }

// report prints err for people and returns its exit code.
func report(w io.Writer, err error) int {
	if err == nil {
		return exitOK
	}
	f, ok := errors.AsType[*fault](err)
	if !ok {
		f = &fault{code: exitFailed, message: err.Error()}
	}
	if f.message != "" {
		fmt.Fprintln(w, "tocsin: "+terminal.Clean(f.message))
	}
	for _, d := range f.details {
		fmt.Fprintln(w, "  "+terminal.Clean(d))
	}
	if f.hint != "" {
		fmt.Fprintln(w, "hint: "+terminal.Clean(f.hint))
	}
	return f.code
}

// each does something for every name, goes on after an error, and ends with the code of the first.
func each(w io.Writer, names []string, do func(name string) error) error {
	first := 0
	for _, name := range names {
		if err := do(name); err != nil {
			if code := report(w, err); first == 0 {
				first = code
			}
		}
	}
	if first == 0 {
		return nil
	}
	return said(first)
}

func quote(s string) string { return strconv.Quote(s) }

// mayPass tells whether the same request may succeed later: the daemon was away or broken, and did not refuse.
func mayPass(err error) bool {
	f, ok := errors.AsType[*fault](err)
	return ok && (f.code == exitUnreachable || f.code == exitFailed)
}
