package main

import (
	"context"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/tocsin-noc/tocsin/api"
	"github.com/tocsin-noc/tocsin/internal/terminal"
)

func newHeartbeatsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "heartbeats",
		Short:   "List signs of life that are expected, lost ones first",
		Example: "  tocsin heartbeats",
		Args:    cobra.NoArgs,
	}
	cmd.RunE = addRemote(cmd.Flags()).run(func(ctx context.Context, t *tool, _ []string) error {
		items, _, err := t.api.page(ctx, "heartbeats", nil, "heartbeats")
		if err != nil {
			return err
		}
		if t.json {
			return t.rawList(items)
		}
		if len(items) == 0 {
			t.note("no heartbeat is expected")
			return nil
		}
		beats, err := decodeAll[api.Heartbeat](items)
		if err != nil {
			return err
		}
		table := t.grid("STATE", "LAST WORD", "DUE", "RULE", "INCIDENT", "NAME")
		for i := range beats {
			b := &beats[i]
			table.add(b.Tenant,
				terminal.Cell{Text: b.State, Style: beatStyle(b)}, terminal.Text(t.at(b.LastWord)), terminal.Text(t.at(b.DueAt)),
				terminal.Text(b.Rule), terminal.Text(b.Incident), terminal.Text(b.Name),
			)
		}
		return t.table(table, "")
	})
	return cmd
}

func beatStyle(b *api.Heartbeat) terminal.Style {
	if b.LostAt != nil {
		return terminal.BoldRed
	}
	return terminal.Green
}

func newStormsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "storms",
		Short:   "List storms: times in which so many incidents opened that they were told of together",
		Example: "  tocsin storms",
		Args:    cobra.NoArgs,
	}
	cmd.RunE = addRemote(cmd.Flags()).run(func(ctx context.Context, t *tool, _ []string) error {
		items, _, err := t.api.page(ctx, "storms", nil, "storms")
		if err != nil {
			return err
		}
		if t.json {
			return t.rawList(items)
		}
		if len(items) == 0 {
			t.note("no storm is remembered")
			return nil
		}
		storms, err := decodeAll[api.Storm](items)
		if err != nil {
			return err
		}
		table := t.grid("ID", "BEGAN", "ENDED", "OPENINGS", "HELD BACK", "WORST")
		for i := range storms {
			s := &storms[i]
			ended := "goes on"
			if s.EndedAt != nil {
				ended = t.time(*s.EndedAt)
			}
			table.add(s.Tenant,
				terminal.Text(s.ID), terminal.Text(t.time(s.BeganAt)), terminal.Text(ended), terminal.Text(strconv.Itoa(int(s.Openings))),
				terminal.Text(strconv.Itoa(int(s.Held))), terminal.Text(priority(s.Worst)),
			)
		}
		return t.table(table, "")
	})
	return cmd
}
