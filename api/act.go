package api

import (
	"context"
	"net/http"
	"strings"

	"github.com/tocsin-noc/tocsin/correlate"
	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/internal/auth"
)

// do carries out a command in the name of ctx's principal.
func (d *Desk) do(ctx context.Context, c event.Command) (event.Result, error) {
	p := auth.FromContext(ctx)
	c.Actor, c.Tenant = p.ID, p.Tenant
	res, err := d.engine.Do(ctx, c)
	if err != nil {
		return res, failure(err)
	}
	if res.Err != nil {
		return res, refusal(res.Err)
	}
	return res, nil
}

// Act carries out a command on an incident and returns the incident after it. Whom the command names as its assignee may be a login
// or a name.
func (d *Desk) Act(ctx context.Context, incident string, c event.Command) (*Incident, error) {
	_, _, err := d.find(ctx, incident)
	if err != nil {
		return nil, err
	}
	if c.Assignee, err = d.id(ctx, c.Assignee); err != nil {
		return nil, err
	}
	return d.on(ctx, incident, c)
}

// on is Act of a command that names persons by their ids.
func (d *Desk) on(ctx context.Context, incident string, c event.Command) (*Incident, error) {
	if _, err := d.order(ctx, incident, c); err != nil {
		return nil, err
	}
	return d.Incident(ctx, incident)
}

// order carries out a command on an incident.
func (d *Desk) order(ctx context.Context, incident string, c event.Command) (event.Result, error) {
	id, err := parseIncident(incident)
	if err != nil {
		return event.Result{}, err
	}
	c.Incident = uint64(id)
	if err := d.mayAct(ctx, id); err != nil {
		return event.Result{}, err
	}
	return d.do(ctx, c)
}

// mayAct refuses what is another team's to somebody whose grant is for some teams only.
func (d *Desk) mayAct(ctx context.Context, id event.IncidentID) error {
	if len(auth.FromContext(ctx).Teams) == 0 {
		return nil
	}
	_, i, err := d.find(ctx, id.String())
	if err != nil {
		return err
	}
	return mayActFor(ctx, i.Team, id.String())
}

// mayActFor refuses a team's thing to somebody whose grant is for others only.
func mayActFor(ctx context.Context, team, what string) error {
	p := auth.FromContext(ctx)
	if p.MayActFor(team) {
		return nil
	}
	return &auth.Problem{
		Status: http.StatusForbidden, Code: "forbidden",
		Detail: what + " is the team " + team + "'s, and " + p.Known() + " may act for " + strings.Join(p.Teams, ", "),
		Hint:   "ask that team, or an admin for a grant",
	}
}

// creator returns whom the journal names as having made something: who the client says it was, else ctx's principal.
func (d *Desk) creator(ctx context.Context, said string) (string, error) {
	if said == "" {
		return auth.FromContext(ctx).ID, nil
	}
	return d.id(ctx, said)
}

// SetSilence makes or changes a silence and returns its id.
func (d *Desk) SetSilence(ctx context.Context, draft *SilenceDraft) (string, error) {
	by, err := d.creator(ctx, draft.CreatedBy)
	if err != nil {
		return "", err
	}
	sil, err := draft.build(d.now(), by)
	if err != nil {
		return "", err
	}
	res, err := d.do(ctx, event.Command{Kind: event.SetSilence, Silence: sil})
	return res.SilenceID, err
}

// ExpireSilence ends a silence now.
func (d *Desk) ExpireSilence(ctx context.Context, id string) error {
	_, err := d.do(ctx, event.Command{Kind: event.ExpireSilence, SilenceID: id})
	return err
}

// maxIncidentSilences bounds the silences that one request makes.
const maxIncidentSilences = 100

// SilenceIncident quiets what is in an incident and what will join it: one silence over the labels that its alerts share, or
// one for each firing alert where they share none. draft has no matchers. It returns the silences' ids.
func (d *Desk) SilenceIncident(ctx context.Context, incident string, draft SilenceDraft) ([]string, error) {
	v, i, err := d.find(ctx, incident)
	if err != nil {
		return nil, err
	}
	if err := mayActFor(ctx, i.Team, i.ID.String()); err != nil {
		return nil, err
	}
	if i.Phase != event.IncidentOpen {
		return nil, &auth.Problem{
			Status: http.StatusConflict, Code: "conflict", Detail: i.ID.String() + " is " + statusOf(&i.IncidentState) + ": nothing in it is to be silenced",
			Hint: "silence what may come back with matchers of your own",
		}
	}
	ls := shared(&i.IncidentState)
	sets := [][]Matcher{exactly(ls)}
	if len(ls) == 0 {
		if sets, err = perAlert(v, i.ID); err != nil {
			return nil, err
		}
	}
	ids := make([]string, 0, len(sets))
	for _, set := range sets {
		draft.Matchers = set
		id, err := d.SetSilence(ctx, &draft)
		if err != nil {
			return ids, err
		}
		ids = append(ids, id)
	}
	return ids, nil
}

func perAlert(v *correlate.View, id event.IncidentID) ([][]Matcher, error) {
	var sets [][]Matcher
	for a := range v.Members(id) {
		if a.Phase() != event.Firing {
			continue
		}
		if len(sets) == maxIncidentSilences {
			return nil, invalid("the incident's alerts share no label and there are more than 100", "silence them with matchers of your own: POST /api/v1/silences")
		}
		sets = append(sets, exactly(a.Labels()))
	}
	if len(sets) == 0 {
		return nil, &auth.Problem{Status: 409, Code: "conflict", Detail: "no alert of " + id.String() + " fires, and they share no label", Hint: "there is nothing to silence"}
	}
	return sets, nil
}

// exactly matches a label set but for the labels in which reports of the same trouble differ.
func exactly(ls event.Labels) []Matcher {
	var ms []Matcher
	for _, l := range ls {
		if !event.VolatileLabel(l.Name) {
			ms = append(ms, Matcher{l.Name, "=", l.Value})
		}
	}
	return ms
}
