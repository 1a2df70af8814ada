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
high they shake the whole component, or relations are missing. COVERAGE is the share of those that joined the fault of another item which
did so by a relation. LEARNED is how many groups of alarms causes rest on. The second table counts how items came where they are.`,
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
	if err := t.pairs("", "Topology", grouping, "Relations", coverageText(c), "Rules", memoryText(c.RuleMemory), "Causes", recordText(c.Record)+fmt.Sprintf("; named from %s on", plural(int(c.Learning), "group", "groups"))); err != nil {
		return err
	}
	if len(c.Components) == 0 {
		t.note("no item that topology or an environment ties to others has alarmed yet")
		return nil
	}
	t.line("")
	table := t.grid("COMPONENT", "ITEMS", "OPEN", "OFF GRAPH", "COVERAGE", "LEARNED", "CAUSES RIGHT")
	for i := range c.Components {
		x := &c.Components[i]
		learned := strconv.Itoa(int(x.Learned))
		if x.Learned < c.Learning {
			learned += fmt.Sprintf(" of %d", c.Learning)
		}
		table.add(x.Tenant,
			terminal.Text(x.Name), terminal.Text(strconv.Itoa(int(x.Items))), terminal.Text(strconv.Itoa(int(x.Open))),
			terminal.Text(inPercent(x.Alpha)), terminal.Text(coverageCell(x.Coverage)), terminal.Text(learned), terminal.Text(recordCell(x.Record)),
		)
	}
	if err := t.table(table, ""); err != nil {
		return err
	}
	t.section("How items came where they are")
	if err := t.table(placementTable(t, c.Components), ""); err != nil {
		return err
	}
	t.more(len(c.Components), c.Total, "components")
	return nil
}

// placementTable counts the placements of each component by the kind of their reason.
func placementTable(t *tool, list []api.ComponentState) *grid {
	table := t.grid("COMPONENT", "SAME ITEM", "CAME BACK", "BY EDGE", "BY COMPONENT", "ROOT", "SILENT ROOT", "SECOND ONSET", "BY HAND")
	for i := range list {
		n := &list[i].Placements
		row := []terminal.Cell{terminal.Text(list[i].Name)}
		for _, count := range []uint64{n.SameItem, n.CameBack, n.Edge, n.Component, n.Root, n.SilentRoot, n.SecondOnset, n.ByHand} {
			row = append(row, terminal.Text(number(int(count))))
		}
		table.add(list[i].Tenant, row...)
	}
	return table
}

// coverageText says how much of what happens relations explain, "" while nothing joined anything.
func coverageText(c *api.Correlation) string {
	if c.Coverage == nil {
		return ""
	}
	n := &c.Placements
	return fmt.Sprintf("explain %s of what joined the fault of another item: %s of %s", inPercent(*c.Coverage), number(int(n.Edge)), number(int(n.Edge+n.Component)))
}

func coverageCell(share *uint32) string {
	if share == nil {
		return "-"
	}
	return inPercent(*share)
}

func inPercent(millionths uint32) string { return fmt.Sprintf("%.1f %%", float64(millionths)/10_000) }

// memoryText says what rules that look at several alerts remember, and what they could not.
func memoryText(m *api.RuleMemory) string {
	if m == nil {
		return ""
	}
	text := fmt.Sprintf("remember %s of at most %s alerts", number(m.Alerts), number(m.Limit))
	if m.Over > 0 {
		text += fmt.Sprintf("; there was more than that %s", plural(int(m.Over), "time", "times"))
	}
	if m.Forgotten > 0 {
		text += fmt.Sprintf("; keep_apart forgot %s too early: of one key it remembers %d", plural(int(m.Forgotten), "alert", "alerts"), m.PerKey)
	}
	return text
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
