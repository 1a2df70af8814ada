package api

import (
	"context"

	"github.com/tocsin-noc/tocsin/correlate"
	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/internal/auth"
)

// LearnedPair is two kinds of alert of which the first seems to lead to the second, on the same item or the next one.
type LearnedPair struct {
	ID       string  `json:"id" example:"00c0ffee00c0ffee-0badcafe0badcafe"`
	First    string  `json:"first" doc:"alertname"`
	Then     string  `json:"then" doc:"alertname"`
	Status   string  `json:"status" enum:"suggested,active,rejected" doc:"active: a person accepted it, and grouping counts on it"`
	Directed bool    `json:"directed" doc:"the order of the two is no chance"`
	Seen     uint32  `json:"seen" doc:"stretches of ten minutes in which the second began within two minutes after the first"`
	Expected float64 `json:"expected" doc:"in how many of these chance would have brought them together"`
	Items    uint32  `json:"items" doc:"on so many; 8 stands for 8 and more"`
	LagMS    int64   `json:"lag_ms" doc:"on average"`
	Score    int64   `json:"score_millinats" doc:"how certain it is that the first leads to the second"`
	Chance   *uint32 `json:"chance_permille" doc:"of the pairs as strong as this, so many per thousand are likely to be chance, by the same alerts a day later; null while that is not known"`
}

// LearnedPairs are the pairs of ctx's tenant.
type LearnedPairs struct {
	Pairs      []LearnedPair `json:"pairs" doc:"the most certain first"`
	Onsets     uint64        `json:"onsets" doc:"beginnings of alerts that were learned from, of all tenants; 0 for those of a tenant but the default one"`
	PassedOver []PassedOver  `json:"passed_over" doc:"what was not learned from, at a bound or in a storm, of all tenants since the beginning; empty for those of a tenant but the default one"`
}

// PassedOver is how often something was not learned from, and why.
type PassedOver struct {
	Kind     string `json:"kind" enum:"storm,turn,judged,pair,occurrence,kind,item,neighbour,decoy,late"`
	Count    uint64 `json:"count"`
	Sentence string `json:"sentence" doc:"goes on from the count"`
}

// Pairs lists the pairs that are suggested, accepted or rejected.
func (d *Desk) Pairs(ctx context.Context, _ *struct{}) (*LearnedPairs, error) {
	v, err := d.engine.View(ctx)
	if err != nil {
		return nil, failure(err)
	}
	tenant, counters := auth.FromContext(ctx).Tenant, v.PairCounters()
	out := &LearnedPairs{Pairs: []LearnedPair{}, PassedOver: []PassedOver{}}
	for _, p := range v.Pairs(tenant) {
		out.Pairs = append(out.Pairs, learnedPair(&p))
	}
	if event.InTenant(tenant, event.DefaultTenant) { // they tell of the others' alerts, too
		out.Onsets = counters.Onsets
		for _, p := range counters.Passed() {
			out.PassedOver = append(out.PassedOver, PassedOver{p.Kind, p.Count, p.Why})
		}
	}
	return out, nil
}

func learnedPair(p *correlate.Pair) LearnedPair {
	out := LearnedPair{
		ID: p.ID, First: p.ParentName, Then: p.ChildName, Status: p.Status.String(), Directed: p.Directed, Seen: p.Buckets,
		Expected: float64(p.Expected) / 1000, Items: p.CIs, LagMS: p.LagMS, Score: p.Score,
	}
	if p.DecoyKnown {
		out.Chance = &p.DecoyRate
	}
	return out
}

// PairAnswer accepts or rejects a pair.
type PairAnswer struct {
	Accept bool `json:"accept"`
}

// AnswerPair takes what a person makes of a pair that was suggested.
func (d *Desk) AnswerPair(ctx context.Context, id string, answer *PairAnswer) (*LearnedPairs, error) {
	if _, err := d.do(ctx, event.Command{Kind: event.AnswerPair, Text: id, Accept: answer.Accept}); err != nil {
		return nil, err
	}
	return d.Pairs(ctx, nil)
}

func (s *server) pairRoutes(sp *spec) {
	add(sp, route{method: "GET", path: "/pairs", role: auth.Viewer, tag: "system", summary: "List pairs of alerts of which one seems to lead to the other"}, s.desk.Pairs)
	add(sp, route{method: "POST", path: "/pairs/{id}", role: auth.Manager, tag: "system", summary: "Accept or reject a learned pair"},
		func(ctx context.Context, in *struct {
			ID   string `path:"id" maxLength:"33"`
			Body PairAnswer
		}) (*LearnedPairs, error) {
			return s.desk.AnswerPair(ctx, in.ID, &in.Body)
		})
}
