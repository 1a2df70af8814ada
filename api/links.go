package api

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/internal/auth"
)

// other returns the number of one of two incidents that a command is about; ctx's principal must be allowed to act on both.
func (d *Desk) other(ctx context.Context, text string) (uint64, error) {
	_, i, err := d.find(ctx, text)
	if err != nil {
		return 0, err
	}
	return uint64(i.ID), mayActFor(ctx, i.Team, i.ID.String())
}

// pair carries out a command on an incident and another.
func (d *Desk) pair(ctx context.Context, kind event.CommandKind, incident, other string) (*Incident, error) {
	if _, err := d.other(ctx, incident); err != nil {
		return nil, err
	}
	second, err := d.other(ctx, other)
	if err != nil {
		return nil, err
	}
	return d.on(ctx, incident, event.Command{Kind: kind, Other: second})
}

// Merger says which of two incidents goes into which.
type Merger struct {
	Into  string `json:"into,omitempty" maxLength:"20" doc:"this or other: the incident of the path goes into that one" example:"INC-1"`
	Other string `json:"other,omitempty" maxLength:"20" doc:"that one goes into the incident of the path" example:"INC-2"`
	Why   string `json:"why,omitempty" maxLength:"4096"`
}

// Merge puts one incident into another and returns the one that stays. Where both are somebody's it is proposed only: the answer is
// that proposal, on the one that would stay.
func (d *Desk) Merge(ctx context.Context, incident string, m *Merger) (*Incident, error) {
	if (m.Into == "") == (m.Other == "") {
		return nil, invalid("give either into or other", `{"into": "INC-1"} puts this one into INC-1`)
	}
	one, err := d.other(ctx, incident)
	if err != nil {
		return nil, err
	}
	two, err := d.other(ctx, m.Into+m.Other)
	if err != nil {
		return nil, err
	}
	stays, goes := one, two
	if m.Into != "" {
		stays, goes = two, one
	}
	id := event.IncidentID(stays).String()
	return d.on(ctx, id, event.Command{Kind: event.Merge, Other: goes, Text: strings.TrimSpace(m.Why)})
}

// Split takes alerts out of an incident into a new one, which it returns.
func (d *Desk) Split(ctx context.Context, incident string, alerts []string, title string) (*Incident, error) {
	c := event.Command{Kind: event.Split, Text: strings.TrimSpace(title)}
	for _, text := range words(alerts) {
		n, err := strconv.ParseUint(text, 16, 64)
		if err != nil {
			return nil, notFound("alert " + strconv.Quote(text))
		}
		c.Alerts = append(c.Alerts, event.AlertID(n))
	}
	res, err := d.order(ctx, incident, c)
	if err != nil {
		return nil, err
	}
	return d.Incident(ctx, res.Incident.String())
}

// Answer accepts or rejects a proposal. To make an incident a major one takes a manager.
func (d *Desk) Answer(ctx context.Context, incident string, number uint32, accept bool) (*Incident, error) {
	dossier, _, err := d.dossierOf(ctx, incident)
	if err != nil {
		return nil, err
	}
	n := slices.IndexFunc(dossier.Proposals, func(p event.Proposal) bool { return p.Number == number })
	if n >= 0 && accept {
		if other := dossier.Proposals[n].Other; other == 0 {
			if p := auth.Check(ctx, planner); p != nil {
				return nil, p
			}
		} else if _, err := d.other(ctx, other.String()); err != nil {
			return nil, err
		}
	}
	return d.on(ctx, incident, event.Command{Kind: event.AnswerProposal, Number: number, Accept: accept})
}
