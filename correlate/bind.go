package correlate

import (
	"strings"

	"github.com/tocsin-noc/tocsin/event"
)

// binding is how an alert was bound to a configuration item, or why to none.
type binding struct {
	ci    uint32 // slot, 0 when to none
	bound event.Bound
	by    uint8 // place of the label in event.BindLabels, from 1
}

// bind finds the configuration item that an alert with these labels is about. The labels count in the order of event.BindLabels: the
// first whose value names an item wins; one that names several decides nothing, and no later one is asked. What holds many things
// (a service, a cluster, a job) counts only where no single thing is named.
func (s *State) bind(tenant string, ls event.Labels) binding {
	var values [len(event.BindLabels)]string
	in := scope{tenant: tenant}
	for i := range ls {
		if at := event.BindLabel(ls[i].Name); at != 0 {
			values[at-1] = ls[i].Value
		}
		switch ls[i].Name {
		case "namespace":
			in.namespace = ls[i].Value
		case "cluster":
			in.cluster = ls[i].Value
		}
	}
	single := false
	for i, value := range values {
		if value == "" {
			continue
		}
		if single && classes[i] == "" {
			break // it is about a part of that, of which nobody has told
		}
		single = true
		by := uint8(i + 1)
		if i < event.ExplicitLabels {
			if slot := s.cmdb.Find(tenant, value); slot != 0 && s.cmdb.InUse(slot) {
				return binding{slot, event.BoundByID, by}
			}
			continue
		}
		slot, n := s.lookUp(in, event.BindLabels[i], value)
		switch {
		case n > 1:
			return binding{0, event.Ambiguous, by}
		case slot != 0 && s.cmdb.Discovered(slot):
			return binding{slot, event.BoundFound, by}
		case slot != 0:
			return binding{slot, event.BoundByLabel, by}
		}
	}
	return binding{}
}

// scope is within what a name is looked for.
type scope struct{ tenant, cluster, namespace string }

// lookUp returns the item that a label's value names, and how many have that name: as an ID within its cluster and namespace, where
// there are such, then as it stands, then without a port.
func (s *State) lookUp(in scope, label, value string) (slot uint32, n int) {
	for _, path := range [...][2]string{{in.cluster, in.namespace}, {"", in.namespace}, {in.cluster, ""}} {
		if path[0] == "" && path[1] == "" {
			continue
		}
		id := s.work.bytes[:0]
		for _, part := range [...]string{path[0], path[1], label} {
			if part != "" {
				id = append(append(id, part...), '/')
			}
		}
		s.work.bytes = append(id, value...)
		if slot := s.cmdb.Find(in.tenant, string(s.work.bytes)); slot != 0 && s.cmdb.InUse(slot) {
			return slot, 1
		}
	}
	if slot, n = s.cmdb.Named(in.tenant, value); n > 0 {
		return slot, n
	}
	if host := withoutPort(value); host != value {
		return s.cmdb.Named(in.tenant, host)
	}
	return 0, 0
}

// withoutPort cuts the port from host:port, as instance labels have it.
func withoutPort(value string) string {
	host, port, found := strings.Cut(value, ":")
	if !found || host == "" || port == "" || strings.Trim(port, "0123456789") != "" {
		return value
	}
	return host
}

// bindOnset binds an alert that begins. Where its labels name an item that nobody has told of, one is made for it.
func (s *State) bindOnset(a *event.AlertState, tenant string, ls event.Labels) {
	b, rule := s.bindByRule(tenant, &s.work.reading.input)
	if rule < 0 {
		b = s.bind(tenant, ls)
	}
	if b.bound == event.Unbound {
		b = s.discover(tenant, ls)
	}
	a.CI, a.Bound, a.BoundBy = b.ci, b.bound, b.by
}

// classes are the classes of items that are discovered by a label; labels that are missing here name no single thing.
var classes = [len(event.BindLabels)]string{
	"unknown", "unknown", "pod", "deployment", "statefulset", "daemonset", "persistentvolumeclaim", "host", "host", "host", "host", "host",
	"device", "device", "database", "ingress",
}

// discover makes a configuration item for the thing that an alert names, unless there are too many of its kind.
func (s *State) discover(tenant string, ls event.Labels) binding {
	if s.meta.Discovered >= uint32(s.settings().DiscoveredCIs) {
		return binding{} // it is listed among the unbound
	}
	for i, label := range event.BindLabels {
		value := withoutPort(ls.Get(label))
		if value == "" || classes[i] == "" {
			continue
		}
		class := classes[i]
		if strings.Contains(value, "://") {
			class = "endpoint" // what a probe calls its instance
		}
		set, refusal := s.cmdb.Check(tenant, &event.CIEdit{Source: event.AlertSource, Set: []event.CI{{
			ID: clone(value), Class: class, State: event.CIDiscovered,
		}}}, s.meta.At)
		if refusal != nil || len(set) != 1 {
			return binding{}
		}
		s.emit(event.Change{Kind: event.CISet, CI: &set[0], Text: "seen in alerts"})
		return binding{s.cmdb.Find(tenant, value), event.BoundFound, uint8(i + 1)}
	}
	return binding{}
}

// rebind looks again at the alerts of a tenant that fire, after something was told of items: those that are bound to nothing that was told
// of, and what the incidents of all of them hurt. It looks at each alert once, and walks once from each item of an incident.
func (s *State) rebind(tenant string) {
	walked := map[[3]uint32]bool{} // incident, item, and the service that the alert names
	for slot := uint32(1); slot < s.alerts.Len(); slot++ {
		a := s.alerts.At(slot)
		if a.phase != event.Firing || a.firstAt == 0 || s.tenantOf(s.claims.At(a.claims).source) != tenant {
			continue
		}
		if a.bound != event.BoundByID && a.bound != event.BoundByLabel && a.bound != event.BoundByRule {
			b, rule := s.bindByRule(tenant, s.lookAt(a.claims))
			if rule < 0 {
				b = s.bind(tenant, s.work.reading.input.Labels)
			}
			s.bindAnew(slot, b)
			a = s.alerts.At(slot)
		}
		if a.incident == 0 {
			continue
		}
		said := s.saidService(tenant, s.seenLabels(a.claims))
		if seen := [3]uint32{uint32(a.incident), a.ci, said}; !walked[seen] {
			walked[seen] = true
			s.reviewHurt(slot, false)
		}
	}
}

// bindAnew binds an alert that fires to what is known now.
func (s *State) bindAnew(slot uint32, b binding) {
	a := s.alerts.At(slot)
	if b == (binding{a.ci, a.bound, a.boundBy}) || b.bound == event.Unbound {
		return
	}
	state := s.alertState(slot)
	state.CI, state.Bound, state.BoundBy = b.ci, b.bound, b.by
	s.emit(event.Change{Kind: event.AlertUpdated, Alert: state})
}
