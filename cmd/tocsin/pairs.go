package main

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/tocsin-noc/tocsin/api"
	"github.com/tocsin-noc/tocsin/internal/terminal"
)

func newPairsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "pairs",
		Short: "List pairs of alerts of which one seems to lead to the other",
		Long: `List pairs of alerts of which one seems to lead to the other, on the same item or the next one: those that are suggested, and those that
people accepted or rejected. Nothing comes of a suggestion until somebody accepts it; then it counts as a better reason for grouping.
CHANCE is how many per thousand of the pairs as strong as this are likely to be chance. Not everything is learned from: what was passed over,
in storms or at a bound, is counted below.`,
		Example: "  tocsin pairs\n  tocsin pairs accept 00c0ffee00c0ffee-0badcafe0badcafe",
		Args:    cobra.NoArgs,
	}
	r := addRemote(cmd.PersistentFlags())
	cmd.RunE = r.run(func(ctx context.Context, t *tool, _ []string) error {
		text, list, err := fetch[api.LearnedPairs](ctx, t.api, nil, "pairs")
		if err != nil {
			return err
		}
		if t.json {
			return t.raw(text)
		}
		if err := showPairs(t, list.Pairs); err != nil {
			return err
		}
		t.passedOver(list)
		return nil
	})
	cmd.AddCommand(newPairAnswerCommand(r, "accept", true), newPairAnswerCommand(r, "reject", false))
	return cmd
}

func newPairAnswerCommand(r *remote, verb string, accept bool) *cobra.Command {
	short := "Let grouping count on a pair"
	if !accept {
		short = "Never suggest a pair again"
	}
	return &cobra.Command{
		Use: verb + " PAIR", Short: short, Example: "  tocsin pairs " + verb + " 00c0ffee00c0ffee-0badcafe0badcafe", Args: cobra.ExactArgs(1),
		RunE: r.run(func(ctx context.Context, t *tool, args []string) error {
			text, list, err := act[api.LearnedPairs](ctx, t.api, api.PairAnswer{Accept: accept}, "pairs", args[0])
			if err != nil {
				return err
			}
			if t.json {
				return t.raw(text)
			}
			for i := range list.Pairs {
				if p := &list.Pairs[i]; p.ID == args[0] {
					t.line("%s, then %s: %s", p.First, p.Then, p.Status)
				}
			}
			return nil
		}),
	}
}

func showPairs(t *tool, list []api.LearnedPair) error {
	if len(list) == 0 {
		t.note("no pair has been seen often enough yet")
		return nil
	}
	table := t.grid("PAIR", "FIRST", "THEN", "STATUS", "SEEN", "BY CHANCE", "ITEMS", "AFTER", "CHANCE")
	for i := range list {
		p := &list[i]
		then, chance := p.Then, "?"
		if !p.Directed {
			then += " (or the other way round)"
		}
		if p.Chance != nil {
			chance = fmt.Sprintf("%d ‰", *p.Chance)
		}
		var row []terminal.Cell
		for _, text := range []string{
			p.ID, p.First, then, p.Status, strconv.Itoa(int(p.Seen)), fmt.Sprintf("%.1f", p.Expected), strconv.Itoa(int(p.Items)),
			(time.Duration(p.LagMS) * time.Millisecond).Round(time.Second).String(), chance,
		} {
			row = append(row, terminal.Text(text))
		}
		table.add("", row...)
	}
	return t.table(table, "")
}

// passedOver says what was not learned from, nothing when all was.
func (p *printer) passedOver(list *api.LearnedPairs) {
	begun := false
	for _, x := range list.PassedOver {
		if x.Count == 0 {
			continue
		}
		if !begun {
			p.section(fmt.Sprintf("Passed over, beside %s", plural(int(list.Onsets), "alert that was learned from", "alerts that were learned from")))
			begun = true
		}
		p.line("  %s %s", number(int(x.Count)), x.Sentence)
	}
}
