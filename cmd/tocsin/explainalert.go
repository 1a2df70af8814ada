package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/tocsin-noc/tocsin/api"
	"github.com/tocsin-noc/tocsin/internal/terminal"
)

// explainAlert says why an alert is where it is, and why it is not in another incident, where one is asked about.
func explainAlert(ctx context.Context, t *tool, ref, not string) error {
	query := url.Values{}
	setText(query, "not", not)
	text, why, err := fetch[api.AlertReasons](ctx, t.api, query, "alerts", ref, "why")
	if f, ok := errors.AsType[*fault](err); ok && f.code == exitNotFound && f.hint == "" && not == "" {
		f.hint = "an alert is named by its id or fingerprint; `tocsin alerts -q TEXT` and `tocsin alerts --state cleared` find it"
	}
	if err != nil {
		return err
	}
	if t.json {
		return t.raw(text)
	}
	_, a, err := fetch[api.Alert](ctx, t.api, nil, "alerts", ref)
	if err != nil {
		return err
	}
	t.line("%s  %s  (%s, %s)", t.paint(terminal.Bold, a.ID), t.paint(terminal.Bold, alertName(a.Name, a.Resource)), a.Severity, alertState(a))
	if why.Not != nil {
		t.whyNot(why.Not, a.Incident)
	}
	t.whyHere(a, why)
	t.hushes(why.Quiet)
	t.section("What its sources say")
	for i := range a.Claims {
		t.line("  %s", claimSentence(t.printer, &a.Claims[i]))
	}
	if a.Incident == "" {
		return nil
	}
	_, incident, err := fetch[api.Why](ctx, t.api, nil, "incidents", a.Incident, "why")
	if err != nil {
		return err
	}
	t.section("Why " + terminal.Clean(a.Incident) + " is there")
	t.decisions(slices.DeleteFunc(incident.Decisions, func(d api.Decision) bool { return d.What != "incident_opened" && d.What != "incident_reopened" }))
	return nil
}

// whyHere says why an alert is where it is, and what else was looked at.
func (p *printer) whyHere(a *api.Alert, why *api.AlertReasons) {
	p.section("Why it is where it is")
	p.line("  %s", why.Sentence)
	if why.Grouped != "" {
		p.line("  %s", why.Grouped)
	}
	if item := itemText(a); item != "" {
		p.line("  It is bound to the item %s.", item)
	}
	switch {
	case why.Place != nil:
		p.line("  %s", why.Place.Sentence)
		for _, other := range why.Place.Others {
			p.line("  Also looked at: %s", other)
		}
	case why.Unknown:
		p.line("  How its item was placed is no longer kept.")
	}
	for i := range why.Moves {
		p.line("  Then: %s", why.Moves[i].Sentence)
	}
	p.line("  Tocsin knows it as %s: all its labels but replica, prometheus_replica and severity.", a.Identity)
}

// whyNot says why an alert is not in an incident.
func (p *printer) whyNot(w *api.WhyNot, here string) {
	title := "Why it is not in " + terminal.Clean(w.Incident)
	if strings.EqualFold(w.Incident, here) {
		title = "It is in " + terminal.Clean(w.Incident)
	}
	p.section(title)
	for _, reason := range w.Why {
		p.line("  %s", reason)
	}
	if !w.Sure {
		p.line("  More cannot be said.")
	}
}

// hushes says what keeps an alert from ringing.
func (p *printer) hushes(all []api.Hush) {
	if len(all) == 0 {
		return
	}
	p.section("Why it is quiet")
	for i := range all {
		text := all[i].Sentence
		if all[i].Until != nil && all[i].Kind == "waiting" {
			text += fmt.Sprintf(" That is %s.", p.time(*all[i].Until))
		}
		p.line("  %s", text)
	}
}

// claimSentence says what one source says, and what will end it.
func claimSentence(p *printer, c *api.Claim) string {
	s := fmt.Sprintf("%s says %s (%s, last word %s)", c.Source, c.State, c.Severity, p.at(c.SeenAt))
	switch {
	case c.State != "firing":
		return s + "."
	case c.EndsAt == nil:
		return s + "; only an explicit clear ends it."
	}
	return s + "; it expires " + p.at(c.EndsAt) + " unless it is repeated."
}
