package correlate

import (
	"slices"

	"github.com/tocsin-noc/tocsin/event"
)

// What people put together or take apart, clusters follow: what alarms later goes where they put the rest.

// maxAsked bounds the alerts of an incident that are asked for its cluster.
const maxAsked = 64

// byHand returns the place of an alert that begins again where a person put it, whatever topology thinks of its item: the item may have other
// alerts, in other incidents. It is nil where nobody did.
func (s *State) byHand(a *event.AlertState, ended event.Time) *event.Placement {
	if a.Incident == 0 || s.alerts.At(a.ID.Slot()).flags&flagByHand == 0 || !s.keeps(a.Incident, ended) {
		return nil
	}
	return &event.Placement{Kind: event.PlaceHand, Item: a.CI, At: s.meta.At, Edge: event.NoScore, Near: event.NoScore}
}

// clusterOfIncident returns the cluster whose incident this is, 0 when it has none that takes items in.
func (s *State) clusterOfIncident(id event.IncidentID) uint32 {
	asked := 0
	for slot := s.members.At(uint32(id)).head; slot != 0 && asked < maxAsked; slot = s.alerts.At(slot).next {
		asked++
		if c := s.forest.ClusterOf(s.alerts.At(slot).ci); c != 0 && s.incidentOfCluster(c) == id {
			return c
		}
	}
	return 0
}

// mergeClusters makes the clusters of two incidents that are about to be one into one.
func (s *State) mergeClusters(into, other uint32) {
	if into == 0 || other == 0 || into == other {
		return
	}
	s.emit(event.Change{Kind: event.ItemPlaced, Place: &event.Placement{
		Kind: event.PlaceHand, Cluster: into, Item: s.forest.Root(other), Component: s.forest.ComponentOf(other), At: s.forest.Last(other),
		From: s.forest.Root(into), FromID: clone(s.cmdb.ID(s.forest.Root(into))), Edge: event.NoScore, Near: event.NoScore,
	}})
}

// separate gives an incident that was split off a cluster of its own: of those items all of whose alerts went with it.
func (s *State) separate(whole, part event.IncidentID) {
	for slot := s.members.At(uint32(part)).head; slot != 0; slot = s.alerts.At(slot).next {
		a := s.alerts.At(slot)
		c := s.forest.ClusterOf(a.ci)
		if c == 0 || s.incidentOfCluster(c) != whole {
			continue
		}
		s.emit(event.Change{Kind: event.ClusterParted, Place: &event.Placement{
			Kind: event.PlaceHand, Cluster: c, Item: a.ci, Component: s.forest.ComponentOf(c), At: s.forest.Last(c),
			FromIn: part, NearIn: whole, Edge: event.NoScore, Near: event.NoScore,
		}})
		return
	}
}

// applySeparate moves the items of an incident's alerts, but for those that the other incident has alerts of as well, into a new cluster.
func (s *State) applySeparate(d *event.Placement) {
	shared := map[uint32]bool{}
	for slot := s.members.At(uint32(d.NearIn)).head; slot != 0; slot = s.alerts.At(slot).next {
		shared[s.alerts.At(slot).ci] = true
	}
	var items, alerts []uint32
	for slot := s.members.At(uint32(d.FromIn)).head; slot != 0; slot = s.alerts.At(slot).next {
		alerts = append(alerts, slot)
		if ci := s.alerts.At(slot).ci; !shared[ci] && s.forest.ClusterOf(ci) == d.Cluster && !slices.Contains(items, ci) {
			items = append(items, ci)
		}
	}
	if len(items) == 0 {
		return
	}
	d.Item = items[0]
	c := s.forest.Separate(d, items)
	key := s.numberKey(c)
	for _, slot := range alerts {
		if slices.Contains(items, s.alerts.At(slot).ci) {
			s.changeGroup(slot, key)
		}
	}
	s.leadTo(s.ensureGroup(key), d.FromIn)
	s.scheduleCluster(c)
}
