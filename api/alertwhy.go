package api

import (
	"context"

	"github.com/tocsin-noc/tocsin/correlate"
	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/internal/auth"
)

// AlertReasons says why an alert is where it is, why it is not elsewhere, and why it does not ring.
type AlertReasons struct {
	Alert    string  `json:"alert"`
	Incident string  `json:"incident" doc:"empty: in none"`
	Sentence string  `json:"sentence"`
	Grouped  string  `json:"grouped" doc:"by what it is grouped, in words"`
	Place    *Place  `json:"place,omitempty" doc:"how its item was placed when it began to fire; left out: rules group it, or that is no longer kept"`
	Unknown  bool    `json:"unknown" doc:"topology grouped it, and how its item was placed is no longer kept"`
	Moves    []Place `json:"moves" doc:"what became of the group that its item had begun"`
	Quiet    []Hush  `json:"quiet" doc:"what keeps it from ringing, by whom and until when"`
	Not      *WhyNot `json:"not,omitempty" doc:"why it is not in the incident that was asked about"`
}

// AlertReasonsQuery asks for them.
type AlertReasonsQuery struct {
	ID  string `path:"id" maxLength:"32" doc:"id, or the client's fingerprint"`
	Not string `query:"not" maxLength:"20" doc:"an incident in which it is not: 42 or INC-42" example:"INC-7"`
}

// AlertReasons explains an alert.
func (d *Desk) AlertReasons(ctx context.Context, q *AlertReasonsQuery) (*AlertReasons, error) {
	v, a, err := d.findAlert(ctx, q.ID)
	if err != nil {
		return nil, err
	}
	st, al := a.State(), d.alert(v, a)
	out := &AlertReasons{
		Alert: al.ID, Incident: al.Incident, Sentence: alertWhy(v, st), Grouped: groupedBy(a), Moves: []Place{}, Quiet: d.hushes(v, a, &al),
	}
	p := newPast()
	if err := d.search(ctx, v, p, a, &st); err != nil {
		return nil, err
	}
	where, known := p.placement(&st)
	out.Place, out.Unknown = p.place(v, where), !known && topological(a)
	if q.Not != "" {
		if out.Not, err = d.whyNot(ctx, v, p, a, q.Not); err != nil {
			return nil, err
		}
	}
	if item := a.Item(); item != 0 {
		moves := p.about(map[uint32]bool{item: true}, nil)
		for n := range moves {
			if m := moves[n].Place; m.Item == item || m.Kind == event.PlaceVirtual {
				out.Moves = append(out.Moves, *p.moved(v, m))
			}
		}
	}
	return out, nil
}

// search takes in how an alert's item was placed when it began to fire last, and what its group did soon after.
func (d *Desk) search(ctx context.Context, v *correlate.View, p *past, a correlate.Alert, st *event.AlertState) error {
	soon, near := st.FiringAt+v.Rules.Settings.Correlation.AdoptWithin, uint64(0)
	if i, ok := v.Incident(st.Incident); ok {
		entries, err := d.timeline(ctx, p, &i.IncidentState)
		if err != nil {
			return err
		}
		if _, known := p.placement(st); known && !topological(a) {
			return nil
		}
		near = lastSeq(entries, soon)
	}
	return d.log(ctx, p, near, st.FiringAt, soon)
}

func topological(a correlate.Alert) bool {
	if !a.HasGroup() {
		return false
	}
	return correlate.ByTopology(a.Group())
}

// groupedBy says in words what groups an alert, "" when nothing has looked at it.
func groupedBy(a correlate.Alert) string {
	if !a.HasGroup() {
		return ""
	}
	rule, key := a.Group()
	if correlate.ByTopology(rule, key) {
		return "Topology, component and time group it."
	}
	return "Rule " + rule + " groups it by " + key.String() + "."
}

// findAlert returns the alert of ctx's tenant that text names, with the view it lies in.
func (d *Desk) findAlert(ctx context.Context, text string) (*correlate.View, correlate.Alert, error) {
	v, err := d.engine.View(ctx)
	if err != nil {
		return nil, correlate.Alert{}, failure(err)
	}
	a, err := alertOf(v, auth.FromContext(ctx).Tenant, text)
	return v, a, err
}
