package main

import (
	"context"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/tocsin-noc/tocsin/api"
	"github.com/tocsin-noc/tocsin/internal/terminal"
)

func newCorrelationCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "correlation",
		Short: "Show what grouping and the search for causes have learned of each component",
		Long: `Show what grouping by topology and the search for causes have learned of each component: an environment, or what hangs together by relations.
OFF GRAPH is the share of its items that a fault hits without a relation leading there. Near 0 % faults follow the relations; where it is
high they shake the whole component, or relations are missing. LEARNED is how many groups of alarms causes rest on.`,
		Example: "  tocsin correlation\n  tocsin correlation --json | jq '.components[] | select(.learned < 30)'",
		Args:    cobra.NoArgs,
	}
	cmd.RunE = addRemote(cmd.Flags()).run(func(ctx context.Context, t *tool, _ []string) error {
		text, c, err := fetch[api.Correlation](ctx, t.api, nil, "correlation")
		if err != nil {
			return err
		}
		if t.json {
			return t.raw(text)
		}
		return showCorrelation(t, c)
	})
	return cmd
}

func showCorrelation(t *tool, c *api.Correlation) error {
	grouping := fmt.Sprintf("on: an explanation must be %d times likelier than chance", c.Threshold)
	if !c.Topology {
		grouping = "off: only the keys of grouping rules decide"
	}
	if err := t.pairs("", "Topology", grouping, "Causes", recordText(c.Record)+fmt.Sprintf("; named from %s on", plural(int(c.Learning), "group", "groups"))); err != nil {
		return err
	}
	if len(c.Components) == 0 {
		t.note("no item that topology or an environment ties to others has alarmed yet")
		return nil
	}
	t.line("")
	table := t.grid("COMPONENT", "ITEMS", "OPEN", "OFF GRAPH", "LEARNED", "CAUSES RIGHT")
	for i := range c.Components {
		x := &c.Components[i]
		learned := strconv.Itoa(int(x.Learned))
		if x.Learned < c.Learning {
			learned += fmt.Sprintf(" of %d", c.Learning)
		}
		table.add(x.Tenant,
			terminal.Text(x.Name), terminal.Text(strconv.Itoa(int(x.Items))), terminal.Text(strconv.Itoa(int(x.Open))),
			terminal.Text(fmt.Sprintf("%.1f %%", float64(x.Alpha)/10_000)), terminal.Text(learned), terminal.Text(recordCell(x.Record)),
		)
	}
	if err := t.table(table, ""); err != nil {
		return err
	}
	t.more(len(c.Components), c.Total, "components")
	return nil
}

// recordText says how the machine did in the eyes of people.
func recordText(r api.CauseRecord) string {
	if r.Judged == 0 {
		return "nobody judged one yet"
	}
	return fmt.Sprintf("right in %s", r)
}

func recordCell(r api.CauseRecord) string {
	if r.Judged == 0 {
		return "-"
	}
	return r.String()
}
