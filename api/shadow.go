package api

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tocsin-noc/tocsin/engine"
	"github.com/tocsin-noc/tocsin/engine/contrast"
	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/internal/auth"
	"github.com/tocsin-noc/tocsin/rules"
)

// Shadows runs other rules beside those in force: *engine.Engine.
type Shadows interface {
	StartShadow(ctx context.Context, q engine.ShadowRequest) error
	StopShadow(by string) error
	Shadow() engine.ShadowStatus
	AskShadow(ctx context.Context, want func(tenant string) bool) (engine.ShadowStatus, []contrast.Difference, error)
}

// RuleText is a rule file as it is sent.
type RuleText struct {
	Name string `json:"name" minLength:"1" maxLength:"512" doc:"as people know the file; places in messages name it" example:"rules/db.yml"`
	Text string `json:"text" maxLength:"1000000"`
}

// Shadow says how the shadow does, or how the last one ended.
type Shadow struct {
	Running   bool           `json:"running"`
	Rules     string         `json:"rules" doc:"version of its rules; empty: there was none"`
	StartedBy string         `json:"started_by"`
	StartedAt *time.Time     `json:"started_at"`
	Seq       uint64         `json:"seq" doc:"the last record of the journal that it has stepped"`
	Behind    uint64         `json:"behind" doc:"records that it has yet to step"`
	EndedAt   *time.Time     `json:"ended_at"`
	Ended     string         `json:"ended" doc:"why it ended: stopped, too far behind, or the daemon was started again"`
	Live      *ShadowFigures `json:"live" doc:"the rules in force, since it began; null while it begins, or when it is gone"`
	Shadow    *ShadowFigures `json:"shadow" doc:"its rules"`
	Asked     ShadowAsked    `json:"asked"`
}

// ShadowFigures sum up what one set of rules made of the alerts that began since.
type ShadowFigures struct {
	Alerts      int            `json:"alerts" doc:"times that an alert began to fire"`
	Incidents   int            `json:"incidents" doc:"opened by the machine"`
	Reopened    int            `json:"reopened"`
	Pages       int            `json:"pages" doc:"openings and reopenings at P1 or P2 outside storms"`
	Quiet       map[string]int `json:"quiet" doc:"alerts in no incident, by their reason"`
	Compression float64        `json:"compression"`
	PerIncident float64        `json:"alerts_per_incident"`
}

// ShadowAsked says what became of what people asked for.
type ShadowAsked struct {
	Commands int            `json:"commands" doc:"of incidents, that the live one carried out"`
	Applied  int            `json:"applied" doc:"to the incident that holds most of the same alerts"`
	Already  int            `json:"already" doc:"nothing was left to do"`
	Not      map[string]int `json:"not_applicable"`
}

// ShadowDiff is what differs, the most different first.
type ShadowDiff struct {
	Counts      map[string]int     `json:"counts" doc:"joined, split, regrouped, new, gone, changed"`
	Total       int                `json:"total"`
	Differences []ShadowDifference `json:"differences"`
}

// ShadowDifference is what would become of some incidents.
type ShadowDifference struct {
	Kind   string           `json:"kind" enum:"joined,split,regrouped,new,gone,changed"`
	Alerts int              `json:"alerts" doc:"that it is about"`
	Moved  int              `json:"moved" doc:"of them, those that are not where most of the others are"`
	Live   []ShadowIncident `json:"live" doc:"at most 20"`
	Shadow []ShadowIncident `json:"shadow" doc:"at most 20; their ids mean nothing elsewhere"`
	More   int              `json:"more" doc:"incidents left out of both lists"`
	Words  []string         `json:"words" doc:"of changed: in what"`
}

// ShadowIncident is an incident of either side.
type ShadowIncident struct {
	ID       string    `json:"id"`
	Title    string    `json:"title"`
	Priority uint8     `json:"priority"`
	Team     string    `json:"team"`
	OpenedAt time.Time `json:"opened_at"`
	Alerts   int       `json:"alerts"`
}

const (
	// shadowPatience is how long a question waits for the shadow before it is answered without figures.
	shadowPatience = 5 * time.Second
	// maxShadowIncidents bounds the incidents of one difference.
	maxShadowIncidents = 20
)

// StartShadow runs rules beside those in force.
func (d *Desk) StartShadow(ctx context.Context, texts []RuleText) (*Shadow, error) {
	files := make([]rules.File, len(texts))
	for i, t := range texts {
		files[i] = rules.File{Name: t.Name, Text: []byte(t.Text)}
	}
	set, err := rules.Parse(files)
	if several, ok := errors.AsType[rules.Errors](err); ok {
		p := &auth.Problem{Status: http.StatusUnprocessableEntity, Code: "rules_wrong", Detail: "the rules are wrong", Hint: "`tocsin rules check` shows the same of files"}
		for _, one := range several {
			p.Errors = append(p.Errors, one.String())
		}
		return nil, p
	}
	if err != nil {
		return nil, err
	}
	q := engine.ShadowRequest{Rules: rules.Bundle(files), Version: set.Version, By: auth.FromContext(ctx).ID}
	if err := d.engine.StartShadow(ctx, q); err != nil {
		return nil, shadowProblem(err)
	}
	return d.shape(d.engine.Shadow(), false), nil
}

// StopShadow ends the shadow and returns how it did.
func (d *Desk) StopShadow(ctx context.Context) (*Shadow, error) {
	p := auth.FromContext(ctx)
	if err := d.engine.StopShadow(d.name(p.ID)); err != nil {
		return nil, shadowProblem(err)
	}
	return d.shape(d.engine.Shadow(), true), nil
}

// ShadowStatus says how the shadow does.
func (d *Desk) ShadowStatus(ctx context.Context) (*Shadow, error) {
	ctx, cancel := context.WithTimeout(ctx, shadowPatience)
	defer cancel()
	st, _, err := d.engine.AskShadow(ctx, nil)
	switch {
	case errors.Is(err, engine.ErrNoShadow):
		st = d.engine.Shadow()
		return d.shape(st, !st.EndedAt.IsZero() && st.Seq > 0), nil
	case errors.Is(err, context.DeadlineExceeded):
		return d.shape(d.engine.Shadow(), false), nil
	case err != nil:
		return nil, err
	}
	return d.shape(st, true), nil
}

// ShadowDiff says what differs from what is in force, in the tenants that ctx's principal sees.
func (d *Desk) ShadowDiff(ctx context.Context, limit int) (*ShadowDiff, error) {
	scope := auth.FromContext(ctx).Tenant
	_, list, err := d.engine.AskShadow(ctx, func(tenant string) bool { return event.InTenant(scope, tenant) })
	if err != nil {
		return nil, shadowProblem(err)
	}
	out := &ShadowDiff{Counts: map[string]int{}, Total: len(list), Differences: []ShadowDifference{}}
	for _, k := range contrast.Kinds() {
		out.Counts[k.String()] = 0
	}
	for i := range list {
		out.Counts[list[i].Kind.String()]++
		if i < limit {
			out.Differences = append(out.Differences, shadowDifference(&list[i]))
		}
	}
	return out, nil
}

func shadowDifference(d *contrast.Difference) ShadowDifference {
	out := ShadowDifference{Kind: d.Kind.String(), Alerts: d.Alerts, Moved: d.Moved, Words: d.Words, Live: []ShadowIncident{}, Shadow: []ShadowIncident{}}
	if out.Words == nil {
		out.Words = []string{}
	}
	for list, of := range map[*[]ShadowIncident][]contrast.Incident{&out.Live: d.Before, &out.Shadow: d.After} {
		for n, i := range of {
			if n == maxShadowIncidents {
				out.More += len(of) - n
				break
			}
			*list = append(*list, ShadowIncident{i.ID.String(), i.Title, i.Priority, i.Team, i.OpenedAt.Time(), i.Alerts})
		}
	}
	return out
}

// shape makes a status what clients see; figures says whether there are any.
func (d *Desk) shape(s engine.ShadowStatus, figures bool) *Shadow {
	out := &Shadow{
		Running: s.Running, Rules: s.Version, StartedBy: d.name(s.By), Seq: s.Seq, Behind: s.Behind, Ended: s.Ended,
		Asked: ShadowAsked{s.Asked.Commands, s.Asked.Applied, s.Asked.Already, map[string]int{}},
	}
	maps.Copy(out.Asked.Not, s.Asked.Not)
	for to, at := range map[**time.Time]time.Time{&out.StartedAt: s.StartedAt, &out.EndedAt: s.EndedAt} {
		if !at.IsZero() {
			*to = &at
		}
	}
	if figures {
		out.Live, out.Shadow = shadowFigures(s.Live), shadowFigures(s.Other)
	}
	return out
}

func shadowFigures(f contrast.Figures) *ShadowFigures {
	out := &ShadowFigures{f.Alerts, f.Incidents, f.Reopened, f.Pages, map[string]int{}, f.Compression, f.PerIncident}
	maps.Copy(out.Quiet, f.Quiet)
	return out
}

func shadowProblem(err error) error {
	switch {
	case errors.Is(err, engine.ErrShadowRuns):
		return &auth.Problem{Status: http.StatusConflict, Code: "shadow_runs", Detail: "a shadow runs already", Hint: "`tocsin rules shadow stop` ends it"}
	case errors.Is(err, engine.ErrNoShadow):
		return &auth.Problem{Status: http.StatusConflict, Code: "no_shadow", Detail: "no shadow runs", Hint: "`tocsin rules shadow start FILE…` starts one; `tocsin rules shadow status` says how the last one ended"}
	}
	return failure(err)
}

// shadowRoutes are about rules that run beside those in force, and for those who answer for the whole house.
func (s *server) shadowRoutes(sp *spec) {
	const path = "/admin/shadow"
	start := route{method: "POST", path: path, role: auth.Admin, tag: "admin", status: http.StatusCreated, summary: "Run other rules beside those in force, for nobody to see but admins"}
	op := sp.operation(start)
	op.MaxBodyBytes = 16 << 20
	huma.Register(sp.api, op, func(ctx context.Context, in *struct {
		Body struct {
			Files []RuleText `json:"files" maxItems:"1000" doc:"all of them, in place of all that are in force; over the shipped ones"`
		}
	}) (*body[Shadow], error) {
		if p := auth.CheckHouse(ctx); p != nil {
			return nil, p
		}
		out, err := s.desk.StartShadow(ctx, in.Body.Files)
		if err != nil {
			return nil, err
		}
		return &body[Shadow]{out}, nil
	})
	add(sp, route{method: "GET", path: path, role: auth.Admin, tag: "admin", summary: "Show how the shadow does, or how the last one ended"},
		ofHouse(func(ctx context.Context, _ *struct{}) (*Shadow, error) { return s.desk.ShadowStatus(ctx) }))
	add(sp, route{method: "DELETE", path: path, role: auth.Admin, tag: "admin", summary: "End the shadow"},
		ofHouse(func(ctx context.Context, _ *struct{}) (*Shadow, error) { return s.desk.StopShadow(ctx) }))
	add(sp, route{method: "GET", path: path + "/diff", role: auth.Admin, tag: "admin", summary: "List what would be otherwise under the shadow's rules, the most different first"},
		ofHouse(func(ctx context.Context, in *struct {
			Limit int `query:"limit" default:"50" minimum:"1" maximum:"1000" doc:"differences in the list; the counts are of all"`
		}) (*ShadowDiff, error) {
			return s.desk.ShadowDiff(ctx, in.Limit)
		}))
}
