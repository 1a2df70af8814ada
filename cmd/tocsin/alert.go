package main

import (
	"context"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tocsin-noc/tocsin/api"
	"github.com/tocsin-noc/tocsin/internal/terminal"
)

func newAlertCommand() *cobra.Command {
	cmd := newParent("alert", "Show an alert", "  tocsin alert show 1f")
	r := addRemote(cmd.PersistentFlags())
	cmd.AddCommand(&cobra.Command{
		Use:     "show ID",
		Short:   "Show an alert with what each source says of it",
		Long:    "Show an alert with what each source says of it. ID is Tocsin's, or the fingerprint that Alertmanager's clients show.",
		Example: "  tocsin alert show 1f\n  tocsin alert show 9c6e2b1f00d3a7e5",
		Args:    cobra.ExactArgs(1),
		RunE: r.run(func(ctx context.Context, t *tool, args []string) error {
			text, a, err := fetch[api.Alert](ctx, t.api, nil, "alerts", args[0])
			if err != nil {
				return err
			}
			if t.json {
				return t.raw(text)
			}
			return showAlert(t.printer, a)
		}),
	})
	return cmd
}

func showAlert(p *printer, a *api.Alert) error {
	if err := alertHeader(p, a); err != nil {
		return err
	}
	if len(a.Annotations) > 0 {
		p.section("Annotations")
		for _, name := range sortedKeys(a.Annotations) {
			p.line("  %s", name)
			p.text("    ", a.Annotations[name])
		}
	}
	p.section("What its sources say")
	for i := range a.Claims {
		if err := showClaim(p, &a.Claims[i]); err != nil {
			return err
		}
	}
	return nil
}

func alertHeader(p *printer, a *api.Alert) error {
	p.line("%s  %s", p.paint(terminal.Bold, a.ID), p.paint(terminal.Bold, alertName(a.Name, a.Resource)))
	return p.pairs("  ",
		"State", alertState(a), "Changes", flapText(a), "Maintenance", windowNames(a), "Severity", a.Severity, "Why", a.Why, "Incident", a.Incident, "Item", itemText(a),
		"Since", unless(a.FiringAt == nil, p.at(a.FiringAt)), "Ended", unless(a.EndedAt == nil, p.at(a.EndedAt)),
		"Occurrences", strconv.Itoa(int(a.Occurrences))+", the first "+p.at(a.FirstAt),
		"Rule", a.Rule, "Grouped by", labelsOrNone(a.Key),
		"Labels", labelText(a.Labels), "Identity", a.Identity, "URL", a.URL,
	)
}

// itemText says which configuration item an alert is bound to and by what, "" when to none.
func itemText(a *api.Alert) string {
	switch {
	case a.Bound == "ambiguous":
		return "none: several are called as its label " + a.BoundBy + " says"
	case a.CI == "":
		return ""
	}
	return a.CI + " by the label " + a.BoundBy + unless(a.Bound != "discovered", ", seen in alerts only")
}

// flapText says how restless an alert is, "" when it is not.
func flapText(a *api.Alert) string {
	if a.Flapping == nil {
		return ""
	}
	return a.Flapping.Sentence
}

func windowNames(a *api.Alert) string {
	names := make([]string, len(a.Maintenance))
	for i, w := range a.Maintenance {
		names[i] = w.Name
	}
	return strings.Join(names, ", ")
}

func showClaim(p *printer, c *api.Claim) error {
	p.line("  %s (%s)", p.paint(terminal.Bold, c.Source), c.Kind)
	severity := c.Severity
	if c.SeverityUnknown {
		severity += ", a guess: its label is missing or unknown"
	}
	state := c.State
	if c.Unconfirmed {
		state += ", unconfirmed"
	}
	if c.Maintenance {
		state += ", in maintenance"
	}
	ends := p.at(c.EndsAt)
	if c.Timeout {
		ends += ", by resolve_timeout"
	}
	return p.pairs("    ",
		"State", state, "Severity", severity, "Last word", p.at(c.SeenAt), "Started", p.at(c.StartsAt),
		"Valid until", unless(c.EndsAt == nil || c.State != "firing", ends), "Ended", unless(c.State == "firing", ends),
		"Fingerprint", c.Fingerprint, "Labels", labelText(c.Labels),
	)
}
