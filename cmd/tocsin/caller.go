package main

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tocsin-noc/tocsin/api"
	"github.com/tocsin-noc/tocsin/internal/terminal"
)

func newWatchCommands(r *remote) []*cobra.Command {
	command := func(verb, short, outcome string) *cobra.Command {
		var who string
		cmd := &cobra.Command{
			Use: verb + " INC-1…", Short: short, Example: "  tocsin incident " + verb + " INC-42\n  tocsin incident " + verb + " INC-42 --who bob",
			Args: cobra.MinimumNArgs(1),
			RunE: r.run(func(ctx context.Context, t *tool, args []string) error {
				var payload map[string]string
				if who != "" {
					payload = map[string]string{"who": who}
				}
				return onEach(ctx, t, args, payload, verb, func(*api.Incident) string { return outcome })
			}),
		}
		cmd.Flags().StringVar(&who, "who", "", "`PERSON` (default you)")
		return cmd
	}
	return []*cobra.Command{
		command("watch", "Be told what becomes of incidents", "watched"),
		command("unwatch", "Be told of incidents no longer", "no longer watched"),
	}
}

func newReportCommand(r *remote) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "report INC-1 [TEXT…]",
		Short:   "Take down that an incident hits one more person",
		Long:    "Take down that an incident hits one more person, who is told when it is over. `tocsin incident offer` finds the incident that a caller means.",
		Example: "  tocsin incident report INC-42 'cannot pay' --caller kim --service shop",
		Args:    cobra.MinimumNArgs(1),
	}
	f := cmd.Flags()
	f.String("caller", "", "`PERSON` whom it hits (default you)")
	f.String("service", "", "`ID` of the service they cannot use")
	cmd.RunE = r.run(func(ctx context.Context, t *tool, args []string) error {
		payload := given(f, "caller", "service")
		if len(args) > 1 {
			payload["text"] = strings.Join(args[1:], " ")
		}
		return t.change(ctx, http.MethodPost, payload, func(i *api.Incident) string { return "reported by " + plural(int(i.Reported), "person", "people") }, args[0], "reports")
	})
	return cmd
}

func newOfferCommand(r *remote) *cobra.Command {
	var service, ci string
	cmd := &cobra.Command{
		Use:     "offer [TEXT…]",
		Short:   "List running incidents that a caller may mean, the likeliest first",
		Example: "  tocsin incident offer 'I cannot pay' --service shop",
	}
	cmd.Flags().StringVar(&service, "service", "", "`ID` of the service they cannot use")
	cmd.Flags().StringVar(&ci, "ci", "", "`ID` of the configuration item that is ill")
	cmd.RunE = r.run(func(ctx context.Context, t *tool, args []string) error {
		query := url.Values{}
		setText(query, "service", service, "ci", ci, "text", strings.Join(args, " "))
		if len(query) == 0 {
			return usage("what is the trouble?", "give the caller's words, --service or --ci")
		}
		text, found, err := fetch[api.OfferList](ctx, t.api, query, "incidents", "offer")
		if err != nil {
			return err
		}
		if t.json {
			return t.raw(text)
		}
		if len(found.Offers) == 0 {
			t.note("no running incident sounds like that; `tocsin incident open` opens one")
			return nil
		}
		table := terminal.NewTable("ID", "PRI", "STATUS", "REPORTED", "TITLE", "WHY")
		for n := range found.Offers {
			o := &found.Offers[n]
			table.Add(
				terminal.Text(o.Incident.ID), terminal.Text(priority(o.Incident.Priority)), terminal.Text(statusText(&o.Incident)),
				terminal.Text(plural(int(o.Reported), "person", "people")), terminal.Text(o.Incident.Title), terminal.Text(strings.Join(o.Why, "; ")),
			)
		}
		return t.table(table, "")
	})
	return cmd
}

func newTicketCommand(r *remote) *cobra.Command {
	var none bool
	cmd := &cobra.Command{
		Use:     "ticket INC-1",
		Short:   "Keep an incident's ticket at a supplier",
		Long:    "Keep an incident's ticket at a supplier: what is not given stays as it is. When it is time to ask them again, it says so.",
		Example: "  tocsin incident ticket INC-42 --supplier Acme --reference 4711 --promised 4h --chase 2h\n  tocsin incident ticket INC-42 --none",
		Args:    cobra.ExactArgs(1),
	}
	f := cmd.Flags()
	f.String("supplier", "", "`NAME` of the supplier")
	f.String("reference", "", "their `NUMBER` of it")
	f.String("promised", "", "`WHEN` they said it would be done: a span such as 4h, or 2026-11-21T18:00:00Z; '' for nothing said")
	f.String("last-word", "", "`TEXT` they said last")
	f.String("chase", "", "`WHEN` to ask them again; '' for never")
	f.BoolVar(&none, "none", false, "take the ticket back")
	cmd.RunE = r.run(func(ctx context.Context, t *tool, args []string) error {
		payload := given(f, "supplier", "reference", "promised", "last-word", "chase")
		if (len(payload) > 0) == none {
			return usage("say something of the ticket, or give --none", "`tocsin incident ticket --help` shows how")
		}
		if none {
			return t.change(ctx, http.MethodDelete, nil, func(*api.Incident) string { return "has no ticket" }, args[0], "ticket")
		}
		return t.change(ctx, http.MethodPut, payload, func(i *api.Incident) string {
			if i.Ticket == nil {
				return "has no ticket"
			}
			return "ticket " + i.Ticket.Reference + " of " + i.Ticket.Supplier
		}, args[0], "ticket")
	})
	return cmd
}
