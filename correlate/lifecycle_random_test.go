package correlate

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/itsm"
)

// lifeCommand is one of those about an incident's life, with what it needs, and sometimes with what makes no sense.
func (g *gen) lifeCommand(s *State) *event.Command {
	kinds := []event.CommandKind{
		event.OpenIncident, event.EditIncident, event.Begin, event.Cancel, event.CloseIncident, event.ReopenIncident, event.Watch, event.Unwatch,
		event.SetTask, event.SetParent, event.Relate, event.Unrelate, event.Merge, event.Merge, event.Merge, event.Split, event.Split,
		event.Unmerge, event.Unmerge, event.Unmerge, event.AnswerProposal, event.SetMajor, event.TellUpdate, event.SetReview,
		event.TakeReport, event.SetTicket, event.Rate,
	}
	person := func() string { return []string{"ann", "bob", "carl"}[g.r.IntN(3)] }
	c := &event.Command{Kind: kinds[g.r.IntN(len(kinds))], Actor: person(), Assignee: person(), Tenant: "main", Text: "because", Accept: g.r.IntN(2) == 0}
	c.Incident, c.Other, c.Number = g.incident(s, c.Kind), g.incident(s, event.Merge), 1+uint32(g.r.IntN(3))
	level := func() uint8 { return uint8(1 + g.r.IntN(3)) }
	soon := func() event.Time { return g.now + event.Time(g.r.IntN(int(30*event.Minute))) }
	c.Until = soon()
	switch c.Kind {
	case event.OpenIncident:
		c.Edit = &event.IncidentEdit{Fields: event.PinTitle | event.PinImpact | event.PinUrgency, Title: "t", Impact: level(), Urgency: level()}
	case event.EditIncident:
		c.Edit = &event.IncidentEdit{Fields: event.PinImpact, Impact: level(), Release: event.Pin(g.r.IntN(16)) &^ event.PinImpact}
	case event.SetTask:
		c.Task = &event.Task{Number: uint32(g.r.IntN(3)), Title: "t", Done: g.r.IntN(2) == 0}
	case event.SetParent:
		if g.r.IntN(4) == 0 {
			c.Other = 0
		}
	case event.Split:
		members := s.memberIDs(min(event.IncidentID(c.Incident), s.incidents.Next()-1))
		c.Alerts = members[:g.r.IntN(len(members)+1)]
	case event.SetMajor:
		c.Major = &event.MajorIncident{Commander: person(), EndedAt: event.Time(g.r.IntN(2))}
	case event.SetReview:
		c.Review = &event.Review{Summary: "s", DoneAt: event.Time(g.r.IntN(2))}
	case event.TakeReport:
		c.Report = &event.Report{Caller: person()}
	case event.SetTicket:
		c.Ticket = &event.Ticket{Supplier: "Acme", Reference: "1", ChaseAt: soon()}
	default: // it has what it needs
	}
	return c
}

// incident picks one that a command of that kind can be about, or any.
func (g *gen) incident(s *State, kind event.CommandKind) uint64 {
	fits := func(i *event.IncidentState) bool {
		switch kind {
		case event.Unmerge:
			return i.Phase == event.PhaseMerged
		case event.AnswerProposal:
			return i.Phase == event.IncidentOpen && i.Dossier != nil && len(i.Dossier.Proposals) > 0
		case event.TellUpdate:
			return itsm.MajorRuns(i)
		case event.ReopenIncident, event.CloseIncident, event.SetReview, event.Rate:
			return i.Phase == event.IncidentDone || i.Phase == event.PhaseClosed
		default:
			return i.Phase == event.IncidentOpen
		}
	}
	var found []uint64
	for id := s.incidents.Next() - 1; id > 0 && len(found) < 8; id-- {
		if state := s.incidents.State(id); fits(&state) {
			found = append(found, uint64(id))
		}
	}
	if len(found) == 0 || g.r.IntN(20) == 0 {
		return uint64(1 + g.r.IntN(int(s.incidents.Next())))
	}
	return found[g.r.IntN(len(found))]
}

func TestWhateverPeopleDoIncidentsAgreeAboutEachOther(t *testing.T) {
	seen := map[event.ChangeKind]bool{}
	for seed := range seeds(8, 20) {
		s, folded, g := New(), New(), newGen(seed)
		g.lively = true
		g.run(t, s, 300, func(in *event.Input, changes []event.Change) {
			require.NoError(t, folded.Fold(in, changes), "seed %d", seed)
			for i := range changes {
				seen[changes[i].Kind] = true
			}
			if in.Seq%5 == 0 {
				check(t, s, seed)
			}
		})
		require.Equal(t, dump(s.View()), dump(folded.View()), "seed %d", seed)
	}
	for kind := event.AlertMoved; kind <= event.IncidentRated; kind++ {
		require.True(t, seen[kind], "%s never happened", kind)
	}
}

// checkLife compares what incidents say of each other.
func checkLife(t *testing.T, v *View, seed uint64) {
	for i := range v.Incidents() {
		switch i.Phase {
		case event.PhaseMerged:
			into, ok := v.Incident(i.MergedInto)
			require.True(t, ok, "seed %d: %s", seed, i.ID)
			_, recorded := itsm.AbsorbedBy(&into.IncidentState, i.ID)
			require.True(t, recorded, "seed %d: %s in %s", seed, i.ID, into.ID)
			require.Zero(t, i.Alerts, "seed %d: %s was merged and holds alerts", seed, i.ID)
		default:
			require.Zero(t, i.MergedInto, "seed %d: %s", seed, i.ID)
		}
		if i.Parent != 0 {
			parent, _ := v.Incident(i.Parent)
			require.Contains(t, parent.Dossier.Children, i.ID, "seed %d: %s", seed, parent.ID)
		}
		if i.Dossier == nil {
			continue
		}
		for _, id := range i.Dossier.Children {
			child, _ := v.Incident(id)
			require.Equal(t, i.ID, child.Parent, "seed %d: %s", seed, id)
		}
		for _, id := range i.Dossier.Related {
			other, _ := v.Incident(id)
			require.True(t, other.Dossier != nil && slices.Contains(other.Dossier.Related, i.ID), "seed %d: %s and %s", seed, i.ID, id)
		}
		for _, a := range i.Dossier.Absorbed {
			for _, id := range a.Alerts {
				if alert, known := v.Alert(id); known {
					require.NotEqual(t, a.Other, alert.Incident(), "seed %d: %s is back without the merge being undone", seed, id)
				}
			}
		}
	}
}
