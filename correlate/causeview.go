package correlate

import (
	"github.com/tocsin-noc/tocsin/event"
)

// Component is what is learned of items that share their faults: an environment, or what hangs together in the topology.
type Component struct {
	Tenant  string
	Name    string
	Alpha   uint32 // share of its items that a fault hits off the graph, in millionths
	Items   uint32 // that alarmed in it
	Open    uint32 // groups of items that still take others in
	Learned uint32 // groups that are over, and on which causes rest
	Placed  Placements
	Record
}

// Record is how often people judged the causes that were named, and how often they agreed.
type Record struct{ Judged, Right uint32 }

// Components returns the components of a tenant, or of all, in the order in which they were first heard of.
func (v *View) Components(tenant string) (list []Component) {
	for i, c := range v.forest.Components() {
		owner := v.text.String(c.Tenant)
		if !event.InTenant(tenant, owner) {
			continue
		}
		r := v.causes.Record(uint32(i + 1)) // slots count from 1, and a component never goes
		list = append(list, Component{
			Tenant: owner, Name: v.text.String(c.Name), Alpha: c.Alpha, Items: c.Items, Open: c.Open, Learned: r.Clusters,
			Record: Record{r.Judged, r.Right}, Placed: v.placedIn(uint32(i + 1)),
		})
	}
	return list
}

func (v *View) placedIn(component uint32) Placements {
	if component >= v.placed.Len() {
		return Placements{}
	}
	return *v.placed.At(component)
}

// CauseRecord sums up what people made of the causes that were named to a tenant.
func (v *View) CauseRecord(tenant string) (sum Record) {
	for _, c := range v.Components(tenant) {
		sum.Judged += c.Judged
		sum.Right += c.Right
	}
	return sum
}

// ComponentName returns the name of the component that a placement cites, "" when there is none.
func (v *View) ComponentName(slot uint32) string {
	list := v.forest.Components()
	if slot == 0 || int(slot) > len(list) {
		return ""
	}
	return v.text.String(list[slot-1].Name)
}

// Item returns the slot of the configuration item that the alert is bound to, 0 when to none. Placements name items by it.
func (a Alert) Item() uint32 { return a.rec().ci }

// UpstreamOf returns the IDs of what an item rests on as the topology is now, as far as grouping looks, and how many hops away each is.
func (v *View) UpstreamOf(tenant, id string) map[string]uint8 {
	slot := v.cmdb.Find(tenant, id)
	if slot == 0 {
		return nil
	}
	up := map[string]uint8{}
	for _, n := range v.cmdb.Upstream(slot, groupingHops, groupingItems, nil) {
		up[v.cmdb.ID(n.Item)] = n.Hops
	}
	return up
}

// How far grouping looks along the relations, and at how many items.
const (
	groupingHops  = 2
	groupingItems = 64
)

// ByTopology tells whether a group is one of topology, component and time. Its key means nothing to people.
func ByTopology(rule string, key event.Labels) bool {
	return rule == topologyRule && key.Get(treeLabel) != ""
}
