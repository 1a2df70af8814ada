package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tocsin-noc/tocsin/internal/terminal"
)

// Rules of output:
//
//   - What was asked for goes to standard output, and nothing else does: notes, hints, counts and errors go to standard error.
//   - An error is one line, "tocsin: what is wrong", and one with "hint: what to do" where something can be done. No stack, no
//     usage text, no question. Nothing waits for an answer.
//   - Text that came from outside is cleaned (terminal.Clean) wherever it is printed for people, in errors too.
//   - Colours only on a terminal, never with NO_COLOR or TERM=dumb, and never as the only carrier of a meaning.
//   - Tables have aligned columns; the last one is cut on a terminal that is too narrow and never in a pipe.
//   - Times are distances from now; --absolute shows them as date and time of the local zone.
//   - --json prints what the API said: an object as it came, a list as one object per line. Nothing is cut or coloured; on a
//     terminal characters that could act are escaped, which leaves the value the same.
//   - A secret is printed once, alone on standard output.
//   - Exit codes tell machines what happened (exit.go); they never have to read text.

// tool is what a command that asks the daemon works with.
type tool struct {
	*printer
	api *client
	in  io.Reader
}

// printer writes by the rules above.
type printer struct {
	out, err io.Writer
	columns  int // of the terminal, 0: no terminal
	colour   bool
	json     bool
	absolute bool
	wide     bool // the answer is about all tenants: lists say whose an entry is
	now      time.Time
}

func newPrinter(cmd *cobra.Command, json, absolute bool) *printer {
	p := &printer{out: cmd.OutOrStdout(), err: cmd.ErrOrStderr(), json: json, absolute: absolute, now: time.Now()}
	if f, ok := p.out.(*os.File); ok {
		if columns, ok := terminal.Columns(f); ok {
			p.columns = cmp.Or(columns, 80) // some know no size
			p.colour = os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
		}
	}
	return p
}

// line prints a line; arguments are cleaned.
func (p *printer) line(format string, args ...any) { printLine(p.out, format, args) }

// note prints a line beside what was asked for.
func (p *printer) note(format string, args ...any) { printLine(p.err, format, args) }

func printLine(w io.Writer, format string, args []any) {
	for i, a := range args {
		if s, ok := a.(string); ok {
			args[i] = terminal.Clean(s)
		}
	}
	fmt.Fprintf(w, format+"\n", args...)
}

// section begins a part of an answer.
func (p *printer) section(title string) {
	fmt.Fprintln(p.out, "\n"+terminal.Bold.Paint(title, p.colour))
}

// text prints text of several lines, each with indent in front.
func (p *printer) text(indent, s string) {
	for _, line := range terminal.CleanLines(s) {
		fmt.Fprintln(p.out, strings.TrimRight(indent+line, " "))
	}
}

// grid is a table whose rows begin with the tenant where the answer is about all.
type grid struct {
	*terminal.Table
	wide bool
}

func (p *printer) grid(heading ...string) *grid {
	if p.wide {
		heading = append([]string{"TENANT"}, heading...)
	}
	return &grid{terminal.NewTable(heading...), p.wide}
}

func (g *grid) add(tenant string, cells ...terminal.Cell) {
	if g.wide {
		cells = append([]terminal.Cell{terminal.Text(tenant)}, cells...)
	}
	g.Add(cells...)
}

func (p *printer) table(t interface {
	Write(w io.Writer, indent string, columns int, colour bool) error
}, indent string) error {
	return t.Write(p.out, indent, p.columns, p.colour)
}

// pairs prints names and values below each other; a pair with an empty value is left out.
func (p *printer) pairs(indent string, namesAndValues ...string) error {
	t := terminal.NewTable("", "")
	for i := 0; i < len(namesAndValues); i += 2 {
		if namesAndValues[i+1] != "" {
			t.Add(terminal.Cell{Text: namesAndValues[i], Style: terminal.Dim}, terminal.Text(namesAndValues[i+1]))
		}
	}
	return t.Write(p.out, indent, 0, p.colour)
}

// painted is text that has been cleaned; what is left in it that acts is ours.
type painted string

// paint cleans and colours a word inside a line.
func (p *printer) paint(style terminal.Style, s string) painted {
	return painted(style.Paint(terminal.Clean(s), p.colour))
}

// raw prints one JSON value as it came.
func (p *printer) raw(text []byte) error {
	if p.columns > 0 {
		text = terminal.EscapeJSON(text)
	}
	_, err := fmt.Fprintln(p.out, strings.TrimRight(string(text), "\n"))
	return err
}

// rawList prints the entries of a list, one per line.
func (p *printer) rawList(items []json.RawMessage) error {
	for _, item := range items {
		if err := p.raw(item); err != nil {
			return err
		}
	}
	return nil
}

// value prints v, which a command made itself, as JSON.
func (p *printer) value(v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return p.raw(text)
}

// time shows an instant.
func (p *printer) time(t time.Time) string {
	if p.absolute {
		return terminal.Clock(t.Local())
	}
	return terminal.Ago(t, p.now)
}

// at shows an instant that may not have come.
func (p *printer) at(t *time.Time) string {
	if t == nil {
		return "-"
	}
	return p.time(*t)
}

// more says on standard error that a list went on.
func (p *printer) more(shown, total int, what string) {
	if shown < total {
		p.note("%d of %d %s; --limit 0 shows all", shown, total, what)
	}
}
