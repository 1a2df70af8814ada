package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tocsin-noc/tocsin/api"
	"github.com/tocsin-noc/tocsin/internal/terminal"
)

func newServiceCommand() *cobra.Command {
	cmd := newParent("service", "Keep services: who answers for them, how they do",
		"  tocsin service list\n  tocsin service ready shop\n  tocsin service availability shop --from 2026-11-01")
	r := addRemote(cmd.PersistentFlags())
	cmd.AddCommand(newServiceListCommand(r), newServiceShowCommand(r), newServiceSetCommand(r), newServiceReadyCommand(r), newServiceAvailabilityCommand(r))
	return cmd
}

func newServiceListCommand(r *remote) *cobra.Command {
	f := &ciFilter{}
	var levels []string
	var limit int
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List services, the most critical first, with their availability of the last 30 days",
		Example: "  tocsin service list\n  tocsin service list --status down,degraded\n  tocsin service list --state pipeline",
		Args:    cobra.NoArgs,
	}
	fl := cmd.Flags()
	fl.StringSliceVar(&f.state, "state", nil, "`STATE`: pipeline, live, maintenance or retired (default all but retired)")
	fl.StringSliceVar(&f.status, "status", nil, "`STATUS`: up, degraded or down")
	fl.StringSliceVar(&levels, "criticality", nil, "`N` from 1, the most critical, to 4")
	fl.StringVar(&f.team, "team", "", "`TEAM` that works on it")
	fl.StringVar(&f.owner, "owner", "", "`NAME` of who answers for it")
	fl.StringVar(&f.q, "search", "", "`TEXT` in the ID, the name or an attribute")
	fl.IntVar(&limit, "limit", 50, "`N` services at most; 0 for all")
	complete(cmd, "state", "pipeline", "live", "maintenance", "retired")
	complete(cmd, "status", "up", "degraded", "down")
	complete(cmd, "criticality", "1", "2", "3", "4")
	cmd.RunE = r.run(func(ctx context.Context, t *tool, _ []string) error {
		query := f.query()
		if len(levels) > 0 {
			query["criticality"] = levels
		}
		found, err := t.api.list(ctx, "services", limit, query, "services")
		if err != nil {
			return err
		}
		if t.json {
			return t.rawList(found.items)
		}
		return showServices(t.printer, found)
	})
	return cmd
}

func showServices(p *printer, found listing) error {
	services, err := decodeAll[api.Service](found.items)
	if err != nil {
		return err
	}
	if len(services) == 0 {
		p.note("no service matches")
		return nil
	}
	table := p.grid("ID", "CRIT", "STATE", "STATUS", "INCIDENTS", "30 DAYS", "OWNER", "TEAM", "NAME")
	for i := range services {
		s := &services[i]
		table.add(s.Tenant, terminal.Text(s.ID), terminal.Text(strconv.Itoa(int(s.Criticality))), terminal.Text(s.State), ciStatus(s.Status),
			terminal.Text(strconv.Itoa(s.OpenIncidents)), terminal.Text(percent(s.Availability.Percent)), terminal.Text(s.Owner), terminal.Text(s.Team),
			terminal.Text(unless(s.Name == s.ID, s.Name)))
	}
	if err := p.table(table, ""); err != nil {
		return err
	}
	p.more(len(services), found.total, "services")
	return nil
}

// percent shows an availability, cut and not rounded: 99.9999 is not all.
func percent(v *float64) string {
	if v == nil {
		return ""
	}
	thousandths := int64(*v*1000 + 1e-6)
	return fmt.Sprintf("%d.%03d %%", thousandths/1000, thousandths%1000)
}

func newServiceShowCommand(r *remote) *cobra.Command {
	return &cobra.Command{
		Use:     "show ID",
		Short:   "Show a service",
		Example: "  tocsin service show shop",
		Args:    cobra.ExactArgs(1),
		RunE: r.run(func(ctx context.Context, t *tool, args []string) error {
			text, s, err := fetch[api.ServiceDetail](ctx, t.api, nil, "services", args[0])
			if err != nil {
				return err
			}
			if t.json {
				return t.raw(text)
			}
			return t.service(s)
		}),
	}
}

func (t *tool) service(s *api.ServiceDetail) error {
	t.line("%s%s", t.paint(terminal.Bold, s.ID), t.paint(terminal.Bold, unless(s.Name == s.ID, "  "+s.Name)))
	if err := t.pairs("  ",
		"Tenant", unless(!t.wide, s.Tenant), "State", s.State, "Status", unless(s.Status == "none", s.Status), "Criticality", strconv.Itoa(int(s.Criticality)),
		"Owner", s.Owner, "Team", s.Team, "Contact", s.Contact, "Users", unless(s.Users == 0, strconv.FormatUint(s.Users, 10)),
		"An hour down", strings.TrimSpace(unless(s.ValuePerHour == "", s.ValuePerHour+" "+s.Currency)), "SLA", s.SLA, "Tier", s.Tier, "RTO", s.RTO, "RPO", s.RPO,
		"Calendar", s.Calendar, "Runbook", s.Runbook, "Plan tested", s.PlanTested, "For", s.Description, "30 days", percent(s.Availability.Percent),
		"Source", s.Source, "Set by hand", strings.Join(s.Pinned, ", "),
	); err != nil {
		return err
	}
	if err := t.relations("Relations", s.Relations); err != nil {
		return err
	}
	if len(s.Running) > 0 {
		t.section("Outages that run")
		if err := t.outages(s.Running, "  "); err != nil {
			return err
		}
	}
	if len(s.Incidents) > 0 {
		t.section("Open incidents")
		return t.incidentNames(s.Incidents)
	}
	return nil
}

func newServiceSetCommand(r *remote) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "set ID",
		Short: "Make or change a service by hand; imports leave alone what was set",
		Long:  "Make or change a service by hand. What is not given stays as it is, '' takes away. Imports leave alone what was set.",
		Example: `  tocsin service set shop --owner 'Ada Example' --criticality 1 --value-per-hour 12000 --currency EUR --depends-on web,payment
  tocsin service set shop --plan-tested 2026-11-21`,
		Args: cobra.ExactArgs(1),
	}
	f := cmd.Flags()
	texts := []string{"name", "state", "criticality", "owner", "team", "contact", "users", "value-per-hour", "currency", "sla", "tier", "rto", "rpo", "calendar",
		"runbook", "plan-tested", "description"}
	for i, doc := range []string{
		"`NAME` that people know it by", "`STATE`: pipeline, live, maintenance or retired", "`N` from 1, the most critical, to 4", "`NAME` of who answers for it",
		"`TEAM` that works on it", "`TEXT`: whom to reach when it fails", "`N` people use it", "`AMOUNT` that an hour of downtime costs",
		"`CODE` of the amount's currency, as in EUR", "`NAME` of the agreement it is measured by", "`NAME` of its class of recovery",
		"`SPAN` within which it must be back, as in 4h", "`SPAN` of data that may be lost, as in 5m", "`NAME` of the hours in which it is used",
		"`URL` of what to do when it fails", "`DATE` its recovery plan was tested, as in 2026-11-21", "`TEXT`: what it is for",
	} {
		f.String(texts[i], "", doc)
	}
	f.Uint16("needs", 0, "`N` of its members must be up for it to be up")
	f.String("valid-from", "", "`TIME` since when this holds, or will (default now)")
	relationFlags(f)
	complete(cmd, "state", "pipeline", "live", "maintenance", "retired")
	cmd.RunE = r.run(func(ctx context.Context, t *tool, args []string) error {
		payload := given(f, texts...)
		if n, _ := f.GetUint16("needs"); n > 0 {
			payload["needs"] = n
		}
		if relations := relationsGiven(f); relations != nil {
			payload["relations"] = relations
		}
		if err := validFrom(f, payload); err != nil {
			return err
		}
		text, err := t.api.do(ctx, http.MethodPut, []string{"services", args[0]}, nil, payload)
		if err != nil {
			return err
		}
		if t.json {
			return t.raw(text)
		}
		s, err := decode[api.Service](text)
		if err != nil {
			return err
		}
		t.line("%s set: %s, criticality %d%s", s.ID, s.State, s.Criticality, unless(s.Owner == "", ", "+s.Owner+" answers for it"))
		return nil
	})
	return cmd
}

func newServiceReadyCommand(r *remote) *cobra.Command {
	return &cobra.Command{
		Use:     "ready ID",
		Short:   "Check whether a service is fit to be relied on; exit code 1 when it is not",
		Example: "  tocsin service ready shop",
		Args:    cobra.ExactArgs(1),
		RunE: r.run(func(ctx context.Context, t *tool, args []string) error {
			text, s, err := fetch[api.ServiceReady](ctx, t.api, nil, "services", args[0], "ready")
			if err != nil {
				return err
			}
			if t.json {
				if err := t.raw(text); err != nil {
					return err
				}
			} else {
				for _, c := range s.Checks {
					if c.OK {
						t.line("%s %s", t.paint(terminal.Green, "✓"), c.Name)
						continue
					}
					t.line("%s %s: %s", t.paint(terminal.Red, "✗"), c.Name, c.Missing)
				}
			}
			if !s.Ready {
				return said(exitFailed)
			}
			return nil
		}),
	}
}

func newServiceAvailabilityCommand(r *remote) *cobra.Command {
	var from, to string
	cmd := &cobra.Command{
		Use:     "availability ID",
		Short:   "Show how a service did in a period, and its outages",
		Example: "  tocsin service availability shop\n  tocsin service availability shop --from 2026-11-01 --to 2026-12-01",
		Args:    cobra.ExactArgs(1),
		RunE: r.run(func(ctx context.Context, t *tool, args []string) error {
			query := url.Values{}
			for flag, text := range map[string]string{"from": from, "to": to} {
				at, err := parseInstant("--"+flag, text)
				if err != nil {
					return err
				}
				if !at.IsZero() {
					query.Set(flag, at.UTC().Format(time.RFC3339))
				}
			}
			text, a, err := fetch[api.ServiceAvailability](ctx, t.api, query, "services", args[0], "availability")
			if err != nil {
				return err
			}
			if t.json {
				return t.raw(text)
			}
			return t.availability(a)
		}),
	}
	cmd.Flags().StringVar(&from, "from", "", "`TIME` it begins, as in 2026-11-01 (default 30 days before the end)")
	cmd.Flags().StringVar(&to, "to", "", "`TIME` it ends (default now)")
	return cmd
}

func (t *tool) availability(a *api.ServiceAvailability) error {
	f := &a.Figures
	share := percent(f.Percent)
	if share == "" {
		share = "nothing was committed"
	}
	t.line("%s  %s  %s – %s", t.paint(terminal.Bold, a.ID), t.paint(terminal.Bold, share), terminal.Clock(f.From.Local()), terminal.Clock(f.Until.Local()))
	if err := t.pairs("  ",
		"Outages", strconv.Itoa(f.Outages), "Down", length(f.DownMS), "Not confirmed", unless(f.UnconfirmedMS == 0, length(f.UnconfirmedMS)),
		"Degraded", unless(f.DegradedMS == 0, length(f.DegradedMS)), "Planned", unless(f.PlannedMS == 0, length(f.PlannedMS)),
		"Committed", length(f.CommittedMS), "Cost", strings.TrimSpace(unless(f.Cost == "", f.Cost+" "+a.Currency)),
	); err != nil {
		return err
	}
	if len(a.Outages) == 0 {
		return nil
	}
	t.section("Outages")
	return t.outages(a.Outages, "  ")
}

// length shows a time in milliseconds.
func length(ms int64) string {
	d := (time.Duration(ms) * time.Millisecond).Round(time.Second)
	if days := d / (24 * time.Hour); days > 0 {
		return fmt.Sprintf("%dd%s", days, strings.TrimSuffix((d%(24*time.Hour)).Truncate(time.Minute).String(), "0s"))
	}
	return d.String()
}
