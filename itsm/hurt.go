package itsm

import (
	"cmp"
	"slices"

	"github.com/tocsin-noc/tocsin/event"
)

// Hurt takes in services that an incident turns out to hurt. It returns those that it did not hurt before, by their IDs, and whether
// anything of the incident moved. The list keeps those of the greatest impact; how many there are is a lower bound once it is full. The
// priority follows; the machine lowers it only before somebody acknowledged.
func Hurt(i *event.IncidentState, found []event.Affected) (fresh []string, moved bool) {
	before := *i
	i.Services = slices.Clone(i.Services)
	for _, f := range found {
		if at, known := findService(i, f.Service); known {
			old := i.Services[at]
			i.Services[at].Down, i.Services[at].Spare = old.Down || f.Down, old.Spare && f.Spare
			moved = moved || i.Services[at] != old
		} else if makeRoom(i, f.Impact) {
			at, _ = findService(i, f.Service)
			i.Services = slices.Insert(i.Services, at, f)
			fresh, moved = append(fresh, f.Service), true
		}
	}
	i.ServiceCount = max(i.ServiceCount, uint32(len(i.Services)), uint32(len(found)))
	if i.Pins&event.PinImpact == 0 && len(i.Services) > 0 {
		i.Impact = slices.MinFunc(i.Services, func(a, b event.Affected) int { return cmp.Compare(a.Impact, b.Impact) }).Impact
	}
	i.Unbound = i.Unbound && len(i.Services) == 0
	prioritise(i)
	if before.AckedAt != 0 {
		i.Priority = min(i.Priority, before.Priority)
	}
	return fresh, moved || i.Priority != before.Priority || i.Impact != before.Impact || i.Unbound != before.Unbound || i.ServiceCount != before.ServiceCount
}

func findService(i *event.IncidentState, id string) (at int, known bool) {
	return slices.BinarySearchFunc(i.Services, id, func(a event.Affected, id string) int { return cmp.Compare(a.Service, id) })
}

// makeRoom tells whether a service of that impact has a place in the list; one of less impact gives way.
func makeRoom(i *event.IncidentState, impact uint8) bool {
	if len(i.Services) < event.MaxAffected {
		return true
	}
	least := 0
	for n := range i.Services {
		if i.Services[n].Impact > i.Services[least].Impact {
			least = n
		}
	}
	if i.Services[least].Impact <= impact {
		return false
	}
	i.Services = slices.Delete(i.Services, least, least+1)
	return true
}

// worstOf returns the priority by the service that is hit the worst: one lower while that service's redundancy holds.
func worstOf(services []event.Affected, urgency uint8) uint8 {
	worst := uint8(5)
	for _, a := range services {
		p := PriorityOf(a.Impact, urgency)
		if a.Spare && !a.Down {
			p = min(p+1, 5)
		}
		worst = min(worst, p)
	}
	return worst
}
