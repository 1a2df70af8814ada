package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/tocsin-noc/tocsin/api"
	"github.com/tocsin-noc/tocsin/internal/terminal"
)

func newSourcesCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "sources",
		Short:   "List senders: their last word, rates and errors",
		Example: "  tocsin sources",
		Args:    cobra.NoArgs,
	}
	cmd.RunE = addRemote(cmd.Flags()).run(func(ctx context.Context, t *tool, _ []string) error {
		items, _, err := t.api.page(ctx, "sources", nil, "sources")
		if err != nil {
			return err
		}
		if t.json {
			return t.rawList(items)
		}
		sources, err := decodeAll[api.Source](items)
		if err != nil {
			return err
		}
		if len(sources) == 0 {
			t.note("nobody has sent an alert yet")
			return nil
		}
		return t.table(sourceTable(t.printer, sources), "")
	})
	return cmd
}

func sourceTable(p *printer, sources []api.Source) *grid {
	table := p.grid("NAME", "KIND", "LAST WORD", "ACTIVE", "RATE 1M", "EVENTS", "OVER CAP", "ERRORS", "LAST ERROR")
	for i := range sources {
		s := &sources[i]
		errors := alarming(errorCount(s))
		last := s.LastError
		if s.LastErrorAt != nil {
			last = p.at(s.LastErrorAt) + ": " + last
		}
		table.add(s.Tenant,
			terminal.Text(s.Name), terminal.Text(s.Kind), terminal.Text(p.at(s.LastWord)), terminal.Text(fmt.Sprint(s.Active)),
			terminal.Text(fmt.Sprintf("%.1f/s", s.Rate1m)), terminal.Text(fmt.Sprint(s.Events)), alarming(s.OverCap), errors, terminal.Text(last),
		)
	}
	return table
}

func errorCount(s *api.Source) (n uint64) {
	for _, of := range s.Errors {
		n += of
	}
	return n
}

// alarming is a count that should be 0.
func alarming(n uint64) terminal.Cell {
	c := terminal.Text(fmt.Sprint(n))
	if n > 0 {
		c.Style = terminal.Red
	}
	return c
}
