package api

import (
	"context"
	"fmt"
	"math"

	"github.com/tocsin-noc/tocsin/correlate"
	"github.com/tocsin-noc/tocsin/engine"
	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/itsm"
)

// WhyNot says why an alert is not in an incident: what was known when it was placed.
type WhyNot struct {
	Incident string   `json:"incident"`
	Why      []string `json:"why" doc:"the first decides"`
	Sure     bool     `json:"sure" doc:"false: what decided is no longer known, and the sentences say what is"`
	Missing  int64    `json:"missing_milli_nats" doc:"how much its best explanation by that incident lacked; 0: none was scored, or another was better"`
}

// no adds a reason that decides.
func (w *WhyNot) no(format string, args ...any) *WhyNot {
	w.Why, w.Sure = append(w.Why, fmt.Sprintf(format, args...)), true
	return w
}

// whyNot says why an alert that was placed so is not in an incident.
func (d *Desk) whyNot(ctx context.Context, v *correlate.View, p *past, a correlate.Alert, incident string) (*WhyNot, error) {
	_, i, err := d.find(ctx, incident)
	if err != nil {
		return nil, err
	}
	st, out := a.State(), &WhyNot{Incident: i.ID.String(), Why: []string{}}
	switch {
	case i.Tenant != a.Tenant():
		return out.no("It is of another tenant."), nil
	case st.Incident == i.ID:
		return out.no("It is in %s.", i.ID), nil
	case survivor(v, &i.IncidentState).ID == st.Incident && st.Incident != 0:
		return out.no("It is: %s went into %s, in which the alert is.", i.ID, st.Incident), nil
	}
	if mine, ok := v.Incident(st.Incident); ok && itsm.Bound(&mine.IncidentState, &i.IncidentState) {
		out.no("A person decided that %s and %s stay apart.", st.Incident, i.ID)
	}
	where, known := p.placement(&st)
	switch {
	case i.OpenedAt > st.FiringAt:
		out.no("%s opened only %s after it began to fire. What comes later takes in what came first only when it explains it and alarms within %s.",
			i.ID, span(i.OpenedAt-st.FiringAt), span(v.Rules.Settings.Correlation.AdoptWithin))
	case ended(&i.IncidentState, st.FiringAt):
		out.no("%s was over then.", i.ID)
	case !correlate.ByTopology(i.Rule, i.Labels) && i.Rule == "":
		out.no("A person opened %s; no alert finds its way there by itself.", i.ID)
	case !topological(a) || !correlate.ByTopology(i.Rule, i.Labels):
		out.no("%s %s holds what %s groups.", groupedBy(a), i.ID, groupWords(&i.IncidentState))
	case !known:
		out.Why = append(out.Why, "How its item was placed is no longer kept, so it cannot be said what decided.")
	case where == nil || where.Kind == event.PlaceNone:
		out.no("Topology had no say when it began to fire.")
	default:
		e := &elsewhere{p, v, a, &i, where}
		if e.scores(out) {
			break
		}
		items, components, err := d.itemsBefore(ctx, v, &i, where.At)
		if err != nil {
			return nil, err
		}
		e.distance(out, items, components)
	}
	return out, nil
}

// survivor returns the incident in which another lives on.
func survivor(v *correlate.View, i *event.IncidentState) *event.IncidentState {
	for hops := 0; i.MergedInto != 0 && hops < maxReasons; hops++ {
		next, ok := v.Incident(i.MergedInto)
		if !ok {
			break
		}
		i = &next.IncidentState
	}
	return i
}

// ended tells whether an incident was over by an instant.
func ended(i *event.IncidentState, at event.Time) bool {
	return i.Phase != event.IncidentOpen && i.ResolvedAt != 0 && i.ResolvedAt <= at || i.ClosedAt != 0 && i.ClosedAt <= at
}

func groupWords(i *event.IncidentState) string {
	if correlate.ByTopology(i.Rule, i.Labels) {
		return "topology"
	}
	return fmt.Sprintf("rule %s by %s", i.Rule, i.Labels)
}

// elsewhere is an alert that was placed, and an incident in which it is not.
type elsewhere struct {
	*past
	v     *correlate.View
	alert correlate.Alert
	other *correlate.Incident
	place *event.Placement
}

// scores compares the scores of a placement with what the incident had to offer. It returns false when neither of them was about it.
func (e *elsewhere) scores(out *WhyNot) bool {
	p := e.place
	switch p.Kind {
	case event.PlaceSame:
		out.no("Its item alarmed %s in what it joined; nothing else was looked at.", apart(p.Gap, "before"))
		return true
	case event.PlaceBack:
		out.no("It came back to what it had been in; nothing else was looked at.")
		return true
	default:
	}
	byEdge, byNear := p.Edge != event.NoScore && p.FromIn == e.other.ID, p.Near != event.NoScore && p.NearIn == e.other.ID
	if byEdge {
		out.lost("It rests on "+e.edgeWords(p), p.Edge, p)
	}
	if byNear {
		out.lost(nearWords(p, e.v.ComponentName(p.Component)), p.Near, p)
	}
	return byEdge || byNear
}

// distance says where the incident's items lay: upstream, in the same component, or nowhere near.
func (e *elsewhere) distance(out *WhyNot, items map[string]bool, components map[uint32]bool) {
	p, id, component := e.place, e.v.CMDB().ID(e.place.Item), e.v.ComponentName(e.place.Component)
	up, found := e.v.UpstreamOf(e.alert.Tenant(), id), ""
	for item := range items {
		if hops, ok := up[item]; ok && (found == "" || hops < up[found] || hops == up[found] && item < found) {
			found = item
		}
	}
	switch {
	case found != "" && p.Edge != event.NoScore:
		out.no("It rests on %s of %s (%s), but %s explained it better.", found, e.other.ID, hopWords(up[found]), p.FromID)
	case found != "":
		out.no("It rests on %s of %s (%s) as the topology is now; when it was placed, that item was in no group that still took others in.", found, e.other.ID, hopWords(up[found]))
	default:
		out.no("%s rests on none of the items of %s, within 2 hops and as the topology is now.", id, e.other.ID)
	}
	switch {
	case len(components) > 0 && !components[p.Component]:
		out.no("%s is of another component than %s (%s).", e.other.ID, id, component)
	case components[p.Component] && p.NearIn != 0:
		out.no("In the component %s it was %s that had alarmed last; only the last is looked at.", component, p.NearIn)
	case components[p.Component]:
		out.no("In the component %s no group that still took others in had alarmed.", component)
	}
}

// lost says what an explanation lacked.
func (w *WhyNot) lost(words string, score int64, p *event.Placement) {
	if score >= p.Needed {
		best := max(p.Edge, p.Near)
		w.no("%s. That would have done, but another explanation was better: %s.", words, likelier(best, p.Needed))
		return
	}
	short := p.Needed - score
	if w.Missing == 0 || short < w.Missing {
		w.Missing = short
	}
	w.no("%s; %s needed. It lacked a factor of %s.", words, isNeeded(p.Needed), factor(short))
}

// factor puts a distance between two scores into words.
func factor(milliNats int64) string {
	times := math.Exp(float64(milliNats) / 1000)
	switch {
	case times >= 1_000_000:
		return "over a million"
	case times >= 10:
		return grouped(math.Ceil(times))
	}
	return fmt.Sprintf("%.1f", math.Ceil(times*10)/10)
}

// itemsBefore returns the items of an incident that had alarmed by an instant, and their components by slot.
func (d *Desk) itemsBefore(ctx context.Context, v *correlate.View, i *correlate.Incident, at event.Time) (items map[string]bool, components map[uint32]bool, err error) {
	items, components = map[string]bool{}, map[uint32]bool{}
	entries, _, _, err := d.engine.Timeline(ctx, i.ID, engine.Cursor{}, maxDecisions)
	if err != nil {
		return nil, nil, failure(err)
	}
	for n := range entries {
		if p := entries[n].Place; entries[n].Kind == event.AlertFiring && p != nil && p.Kind != event.PlaceNone && p.At <= at {
			items[v.CMDB().ID(p.Item)], components[p.Component] = true, true
		}
	}
	return items, components, nil
}
