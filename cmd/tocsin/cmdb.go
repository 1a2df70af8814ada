package main

import (
	"context"
	"net/url"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tocsin-noc/tocsin/api"
	"github.com/tocsin-noc/tocsin/internal/terminal"
)

func newCMDBCommand() *cobra.Command {
	cmd := newParent("cmdb", "Keep configuration items: what alerts are about and services rest on",
		"  tocsin cmdb import --dry-run hosts.yml\n  tocsin cmdb list --status down\n  tocsin cmdb impact db-3")
	r := addRemote(cmd.PersistentFlags())
	cmd.AddCommand(
		newCMDBImportCommand(r), newCMDBDiffCommand(r), newCMDBListCommand(r), newCMDBShowCommand(r), newCMDBAsOfCommand(r), newCMDBImpactCommand(r),
		newCMDBDepsCommand(r), newCMDBUnboundCommand(r), newCMDBSetCommand(r), newCMDBRetireCommand(r), newCMDBReleaseCommand(r),
	)
	return cmd
}

// ciFilter says which items are meant.
type ciFilter struct {
	class, state, status              []string
	source, team, owner, q, unsettled string
}

func (f *ciFilter) add(cmd *cobra.Command) {
	fl := cmd.Flags()
	fl.StringSliceVar(&f.class, "class", nil, "`CLASS`, as in host; may be repeated")
	fl.StringSliceVar(&f.state, "state", nil, "`STATE`: ordered, live, maintenance, retired or discovered (default all but retired)")
	fl.StringSliceVar(&f.status, "status", nil, "`STATUS`: up, degraded or down")
	fl.StringVar(&f.source, "source", "", "`NAME` of who told of it first: an import, people or alerts")
	fl.StringVar(&f.team, "team", "", "`TEAM` in the attribute team")
	fl.StringVar(&f.owner, "owner", "", "`NAME` in the attribute owner")
	fl.StringVar(&f.unsettled, "discovered", "", "`true` for what was only seen in alerts, false for the rest")
	fl.StringVar(&f.q, "search", "", "`TEXT` in the ID, the name or an attribute")
	complete(cmd, "state", "ordered", "live", "maintenance", "retired", "discovered")
	complete(cmd, "status", "up", "degraded", "down")
	complete(cmd, "discovered", "true", "false")
}

func (f *ciFilter) query() url.Values {
	q := url.Values{}
	for name, list := range map[string][]string{"class": f.class, "state": f.state, "status": f.status} {
		if len(list) > 0 {
			q[name] = list
		}
	}
	setText(q, "source", f.source, "team", f.team, "owner", f.owner, "discovered", f.unsettled, "q", f.q)
	return q
}

func newCMDBListCommand(r *remote) *cobra.Command {
	f := &ciFilter{}
	var limit int
	var output string
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List configuration items by ID, or write them as a file",
		Long: `List configuration items by ID. With -o yaml it writes all that match in Tocsin's own format, to be edited and imported again: without those
that were only seen in alerts, and with --source only the relations that this source told of.`,
		Example: "  tocsin cmdb list --class host --status down,degraded\n  tocsin cmdb list -o yaml > cmdb.yml\n  tocsin cmdb list --json --limit 0 | jq -r .id",
		Args:    cobra.NoArgs,
	}
	f.add(cmd)
	cmd.Flags().IntVar(&limit, "limit", 50, "`N` items at most; 0 for all")
	cmd.Flags().StringVarP(&output, "output", "o", "table", "`FORMAT`: table or yaml")
	complete(cmd, "output", "table", "yaml")
	cmd.RunE = r.run(func(ctx context.Context, t *tool, _ []string) error {
		switch {
		case output == "yaml":
			return t.api.download(ctx, t.out, f.query(), "cmdb", "export")
		case output != "table" || limit < 0:
			return usage("--output takes table or yaml, and --limit no negative number", "")
		}
		found, err := t.api.list(ctx, "cis", limit, f.query(), "cis")
		if err != nil {
			return err
		}
		if t.json {
			return t.rawList(found.items)
		}
		return showCIs(t.printer, found)
	})
	return cmd
}

func showCIs(p *printer, found listing) error {
	cis, err := decodeAll[api.CI](found.items)
	if err != nil {
		return err
	}
	if len(cis) == 0 {
		p.note("no configuration item matches")
		return nil
	}
	table := p.grid("ID", "CLASS", "STATE", "STATUS", "OWNER", "SOURCE", "NAME")
	for i := range cis {
		c := &cis[i]
		owner := c.Attributes["owner"]
		if owner == "" {
			owner = c.Attributes["team"]
		}
		table.add(c.Tenant, terminal.Text(c.ID), terminal.Text(c.Class), terminal.Text(c.State), ciStatus(c.Status), terminal.Text(owner),
			terminal.Text(c.Source), terminal.Text(unless(c.Name == c.ID, c.Name)))
	}
	if err := p.table(table, ""); err != nil {
		return err
	}
	p.more(len(cis), found.total, "configuration items")
	return nil
}

// ciStatus shows whether an item is up.
func ciStatus(status string) terminal.Cell {
	if status == "none" {
		return terminal.Cell{}
	}
	return terminal.Cell{Text: status, Style: statusStyle(status)}
}

func statusStyle(status string) terminal.Style {
	switch status {
	case "down":
		return terminal.BoldRed
	case "degraded":
		return terminal.Yellow
	case "up":
		return terminal.Green
	}
	return terminal.Dim
}

func newCMDBShowCommand(r *remote) *cobra.Command {
	var versions bool
	cmd := &cobra.Command{
		Use:     "show ID",
		Short:   "Show a configuration item: facts, relations, alerts, incidents, services",
		Example: "  tocsin cmdb show db-3\n  tocsin cmdb show shop/pod/web-1 --versions",
		Args:    cobra.ExactArgs(1),
		RunE: r.run(func(ctx context.Context, t *tool, args []string) error {
			if versions {
				return showVersions(ctx, t, args[0])
			}
			text, c, err := fetch[api.CIDetail](ctx, t.api, nil, "cis", args[0])
			if err != nil {
				return err
			}
			if t.json {
				return t.raw(text)
			}
			return t.ci(c)
		}),
	}
	cmd.Flags().BoolVar(&versions, "versions", false, "what was said of it, and when")
	return cmd
}

func newCMDBAsOfCommand(r *remote) *cobra.Command {
	m := &momentFlags{}
	cmd := &cobra.Command{
		Use:   "as-of ID",
		Short: "Show a configuration item as it was known to be at another time",
		Long: `Show a configuration item as it was at the time --valid, as far as that was known at the time --known. With --known alone it is as was then
known of then.`,
		Example: "  tocsin cmdb as-of db-3 --valid 2026-11-20T03:00:00Z\n  tocsin cmdb as-of db-3 --valid 2026-11-20T03:00:00Z --known 2026-11-20T03:05:00Z",
		Args:    cobra.ExactArgs(1),
		RunE: r.run(func(ctx context.Context, t *tool, args []string) error {
			query, err := m.query()
			if err != nil {
				return err
			}
			text, c, err := fetch[api.CIDetail](ctx, t.api, query, "cis", args[0])
			if err != nil {
				return err
			}
			if t.json {
				return t.raw(text)
			}
			return t.ci(c)
		}),
	}
	m.add(cmd)
	cmd.MarkFlagsOneRequired("valid", "known")
	return cmd
}

// momentFlags ask for another time.
type momentFlags struct{ valid, known string }

func (m *momentFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&m.valid, "valid", "", "`TIME` at which it was so, as in 2026-11-20T03:00:00Z")
	cmd.Flags().StringVar(&m.known, "known", "", "`TIME` at which that was known (default now)")
}

func (m *momentFlags) query() (url.Values, error) {
	q := url.Values{}
	for flag, text := range map[string]string{"valid": m.valid, "known": m.known} {
		at, err := parseInstant("--"+flag, text)
		if err != nil {
			return nil, err
		}
		if !at.IsZero() {
			q.Set(flag, at.UTC().Format("2006-01-02T15:04:05.999Z07:00"))
		}
	}
	return q, nil
}

// ci shows an item with all that hangs on it.
func (t *tool) ci(c *api.CIDetail) error {
	t.line("%s%s", t.paint(terminal.Bold, c.ID), t.paint(terminal.Bold, unless(c.Name == c.ID, "  "+c.Name)))
	members := ""
	if c.Needs > 0 {
		members = strconv.Itoa(int(c.Needs)) + " of its members"
	}
	status := c.Status
	if c.Failing > 0 {
		status += ", " + plural(int(c.Failing), "failing alert", "failing alerts")
	}
	if err := t.pairs("  ",
		"Tenant", unless(!t.wide, c.Tenant), "Class", c.Class, "State", c.State, "Status", unless(c.Status == "none", status), "Needs", members,
		"Source", c.Source+", "+strconv.Itoa(int(c.Confidence))+" %", "Set by hand", strings.Join(c.Pinned, ", "), "Holds since", t.clock(&c.ValidFrom),
		"Known since", unless(c.KnownAt.Equal(c.ValidFrom), t.clock(&c.KnownAt)),
	); err != nil {
		return err
	}
	if len(c.Attributes) > 0 {
		t.section("Attributes")
		var pairs []string
		for _, name := range sortedKeys(c.Attributes) {
			pairs = append(pairs, name, c.Attributes[name])
		}
		if err := t.pairs("  ", pairs...); err != nil {
			return err
		}
	}
	return t.around(c)
}

// around shows what an item stands to, and what it hurts.
func (t *tool) around(c *api.CIDetail) error {
	if err := t.relations("Relations", c.Relations); err != nil {
		return err
	}
	if err := t.relations("Relations to it", c.Incoming); err != nil {
		return err
	}
	if c.IncomingMore {
		t.note("and more")
	}
	if len(c.Alerts) > 0 {
		t.section("Alerts that fire on it")
		table := terminal.NewTable("ID", "SEVERITY", "INCIDENT", "BOUND BY", "NAME")
		for _, a := range c.Alerts {
			table.Add(terminal.Text(a.ID), terminal.Cell{Text: a.Severity, Style: terminal.SeverityStyle(a.Severity)}, terminal.Text(a.Incident), terminal.Text(a.Label), terminal.Text(a.Name))
		}
		if err := t.table(table, "  "); err != nil {
			return err
		}
	}
	if len(c.Incidents) > 0 {
		t.section("Open incidents")
		if err := t.incidentNames(c.Incidents); err != nil {
			return err
		}
	}
	if len(c.Services) > 0 {
		t.section("Services that are hurt while it fails")
		return t.hurt(c.Services)
	}
	return nil
}

func (t *tool) relations(title string, list []api.CIRelation) error {
	if len(list) == 0 {
		return nil
	}
	t.section(title)
	table := terminal.NewTable("KIND", "ID", "CLASS", "STATUS", "SOURCE")
	for _, r := range list {
		table.Add(terminal.Text(strings.ReplaceAll(r.Kind, "_", " ")), terminal.Text(r.ID), terminal.Text(r.Class), ciStatus(r.Status), terminal.Text(r.Source))
	}
	return t.table(table, "  ")
}

func (t *tool) incidentNames(list []api.IncidentName) error {
	table := terminal.NewTable("ID", "PRI", "STATUS", "TITLE")
	for _, i := range list {
		table.Add(terminal.Text(i.ID), terminal.Text(priority(i.Priority)), terminal.Text(i.Status), terminal.Text(i.Title))
	}
	return t.table(table, "  ")
}

func (t *tool) hurt(list []api.HurtService) error {
	table := terminal.NewTable("ID", "STATUS", "CRITICALITY", "NAME")
	for _, s := range list {
		table.Add(terminal.Text(s.ID), ciStatus(s.Status), terminal.Text(strconv.Itoa(int(s.Criticality))), terminal.Text(s.Name))
	}
	return t.table(table, "  ")
}

func showVersions(ctx context.Context, t *tool, id string) error {
	items, _, err := t.api.page(ctx, "versions", nil, "cis", id, "versions")
	if err != nil {
		return err
	}
	if t.json {
		return t.rawList(items)
	}
	versions, err := decodeAll[api.CIVersion](items)
	if err != nil {
		return err
	}
	for i := range versions {
		v := &versions[i]
		mark := unless(!v.Holds, "  holds now") + unless(!v.Planned, "  planned")
		t.line("%s  known since %s%s", t.paint(terminal.Bold, "from "+t.clock(&v.ValidFrom)+" on"), t.clock(&v.KnownAt), mark)
		d := &api.CIDiff{Change: map[bool]string{true: "new", false: "updated"}[i == 0]}
		for _, f := range v.Changes {
			if line := diffLine(d, f); line != "" {
				t.line("    %s", line)
			}
		}
	}
	return nil
}

func newCMDBUnboundCommand(r *remote) *cobra.Command {
	var limit int
	cmd := &cobra.Command{
		Use:     "unbound",
		Short:   "List the alerts that fire and are bound to no configuration item, with the labels that were tried",
		Example: "  tocsin cmdb unbound",
		Args:    cobra.NoArgs,
		RunE: r.run(func(ctx context.Context, t *tool, _ []string) error {
			found, err := t.api.list(ctx, "alerts", limit, nil, "cis", "unbound")
			if err != nil {
				return err
			}
			if t.json {
				return t.rawList(found.items)
			}
			return showUnbound(t.printer, found)
		}),
	}
	cmd.Flags().IntVar(&limit, "limit", 50, "`N` alerts at most; 0 for all")
	return cmd
}

func showUnbound(p *printer, found listing) error {
	alerts, err := decodeAll[api.UnboundAlert](found.items)
	if err != nil {
		return err
	}
	if len(alerts) == 0 {
		p.note("every alert that fires is bound to a configuration item")
		return nil
	}
	table := p.grid("ID", "SEVERITY", "INCIDENT", "WHY", "NAME", "TRIED")
	for i := range alerts {
		a := &alerts[i]
		var tried []string
		for _, l := range a.Tried {
			tried = append(tried, l.Name+"="+quote(l.Value))
		}
		why := map[bool]string{true: "several are called so", false: "none is known"}[a.Why == "ambiguous"]
		if a.Label != "" {
			why += " (" + a.Label + ")"
		}
		table.add(a.Tenant, terminal.Text(a.ID), terminal.Cell{Text: a.Severity, Style: terminal.SeverityStyle(a.Severity)}, terminal.Text(a.Incident),
			terminal.Text(why), terminal.Text(a.Name), terminal.Text(strings.Join(tried, ", ")))
	}
	if err := p.table(table, ""); err != nil {
		return err
	}
	p.more(len(alerts), found.total, "alerts")
	return nil
}
