package main

import (
	"context"
	"maps"
	"net/url"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tocsin-noc/tocsin/api"
	"github.com/tocsin-noc/tocsin/internal/terminal"
)

func newCMDBImpactCommand(r *remote) *cobra.Command {
	m := &momentFlags{}
	var limit int
	cmd := &cobra.Command{
		Use:   "impact ID",
		Short: "Show what is down or degraded while a configuration item fails",
		Long: `Show, as a tree, what is down or degraded while a configuration item fails, besides what fails already: along its relations, and as far as
redundancy does not help. Marks: ✗ down, ! degraded.`,
		Example: "  tocsin cmdb impact esx-3\n  tocsin cmdb impact esx-3 --valid 2026-11-20T03:00:00Z",
		Args:    cobra.ExactArgs(1),
		RunE: r.run(func(ctx context.Context, t *tool, args []string) error {
			return showWalk(ctx, t, m, args[0], "impact", url.Values{"limit": {strconv.Itoa(limit)}})
		}),
	}
	cmd.Flags().IntVar(&limit, "limit", 500, "`N` items at most")
	m.add(cmd)
	return cmd
}

func newCMDBDepsCommand(r *remote) *cobra.Command {
	m := &momentFlags{}
	var hops, limit int
	cmd := &cobra.Command{
		Use:     "deps ID",
		Short:   "Show what a configuration item rests on",
		Long:    "Show, as a tree, what a configuration item rests on: what it depends on or is hosted on, its members, and what backs these up.\nMarks: ✓ up, ✗ down, ! degraded, · not in use.",
		Example: "  tocsin cmdb deps shop\n  tocsin cmdb deps shop --hops 2",
		Args:    cobra.ExactArgs(1),
		RunE: r.run(func(ctx context.Context, t *tool, args []string) error {
			return showWalk(ctx, t, m, args[0], "deps", url.Values{"hops": {strconv.Itoa(hops)}, "limit": {strconv.Itoa(limit)}})
		}),
	}
	cmd.Flags().IntVar(&hops, "hops", 5, "`N` relations to go")
	cmd.Flags().IntVar(&limit, "limit", 500, "`N` items at most")
	m.add(cmd)
	return cmd
}

func showWalk(ctx context.Context, t *tool, m *momentFlags, id, kind string, query url.Values) error {
	at, err := m.query()
	if err != nil {
		return err
	}
	maps.Copy(query, at)
	text, w, err := fetch[api.CIWalk](ctx, t.api, query, "cis", id, kind)
	if err != nil {
		return err
	}
	if t.json {
		return t.raw(text)
	}
	t.walk(w, kind == "impact")
	if len(w.Services) > 0 {
		t.section("Services")
		return t.hurt(w.Services)
	}
	return nil
}

// statusMark is a status in one letter.
func statusMark(status string) string {
	switch status {
	case "down":
		return "✗"
	case "degraded":
		return "!"
	case "up":
		return "✓"
	}
	return "·"
}

// walk prints what a walk came to as a tree: each item below the one it was reached from.
func (p *printer) walk(w *api.CIWalk, impact bool) {
	below := map[string][]*api.CIStep{}
	for i := range w.Steps {
		s := &w.Steps[i]
		below[s.Via] = append(below[s.Via], s)
	}
	status := w.Status
	if impact {
		status = "down"
	}
	p.line("%s %s  %s", p.paint(statusStyle(status), statusMark(status)), p.paint(terminal.Bold, w.ID), w.Class)
	p.branch(below, w.ID, "", map[string]bool{w.ID: true}, impact)
	switch {
	case w.More:
		p.note("there is more; --limit shows it")
	case len(w.Steps) == 0 && impact:
		p.note("nothing else is hurt")
	case len(w.Steps) == 0:
		p.note("it rests on nothing that is known")
	}
}

func (p *printer) branch(below map[string][]*api.CIStep, id, indent string, seen map[string]bool, impact bool) {
	for i, s := range below[id] {
		corner, bar := "├─ ", "│  "
		if i == len(below[id])-1 {
			corner, bar = "└─ ", "   "
		}
		p.line("%s%s %s  %s, %s", indent+corner, p.paint(statusStyle(s.Status), statusMark(s.Status)), s.ID, s.Class, relationText(s.Kind, impact))
		if !seen[s.ID] {
			seen[s.ID] = true
			p.branch(below, s.ID, indent+bar, seen, impact)
		}
	}
}

// relationText says how an item stands to the one above it in the tree.
func relationText(kind string, impact bool) string {
	switch {
	case impact && kind == "part_of":
		return "has it as a member"
	case impact && kind == "backs_up":
		return "has it as a spare"
	case impact:
		return strings.ReplaceAll(kind, "_", " ") + " it"
	case kind == "depends_on":
		return "needed"
	case kind == "hosted_on":
		return "host"
	case kind == "part_of":
		return "member"
	case kind == "backs_up":
		return "spare"
	}
	return strings.ReplaceAll(kind, "_", " ")
}
