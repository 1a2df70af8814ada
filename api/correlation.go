package api

import (
	"cmp"
	"context"
	"slices"

	"github.com/tocsin-noc/tocsin/correlate"
	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/internal/auth"
)

// Correlation is what grouping by topology and time, and the ranking of causes, have learned.
type Correlation struct {
	Topology   bool             `json:"topology" doc:"whether alerts are grouped by topology at all"`
	Threshold  int              `json:"threshold" doc:"an explanation must be so many times likelier than chance"`
	Learning   uint32           `json:"learning_incidents" doc:"below so many a component is still learning, and names no cause"`
	Record     CauseRecord      `json:"record" doc:"of all components together"`
	Placements Placements       `json:"placements" doc:"of all components together"`
	Coverage   *uint32          `json:"coverage_millionths" doc:"of all components together"`
	RuleMemory *RuleMemory      `json:"rule_memory" doc:"of all tenants; null for those of a tenant but the default one"`
	Components []ComponentState `json:"components" doc:"those in which something goes on first, then by the items that alarmed; at most 500"`
	Total      int              `json:"total"`
}

// Placements is how often alerts of items, and groups that joined others later on, came where they are by which kind of reason.
type Placements struct {
	SameItem    uint64 `json:"same_item" doc:"the item had alarmed a short while ago"`
	Edge        uint64 `json:"edge" doc:"an item that it rests on alarmed, before or after it"`
	Component   uint64 `json:"component" doc:"its component shook"`
	Root        uint64 `json:"root" doc:"nothing explained it; what is found to explain it later on counts again, as edge"`
	CameBack    uint64 `json:"came_back" doc:"the same alert had been there a short while ago"`
	SilentRoot  uint64 `json:"silent_root" doc:"a cause that says nothing was found"`
	SecondOnset uint64 `json:"second_onset" doc:"a second fault was seen inside a group"`
	ByHand      uint64 `json:"by_hand" doc:"a person put it there"`
}

// RuleMemory is what rules that look at several alerts remember.
type RuleMemory struct {
	Alerts    int    `json:"alerts" doc:"that they remember"`
	Limit     int    `json:"limit" doc:"of all rules together; beyond it nothing new is remembered"`
	Over      uint64 `json:"over" doc:"inputs in which they were to remember more than they can"`
	PerKey    int    `json:"per_key" doc:"alerts that a rule remembers under one key, but for thresholds"`
	Forgotten uint64 `json:"apart_forgotten" doc:"alerts that keep_apart rules forgot, for others of their key, while they counted still: an incident of nothing but such is not kept apart any more"`
}

// ComponentState is what is learned of items that share their faults: an environment, or what hangs together in the topology.
type ComponentState struct {
	Tenant     string      `json:"tenant"`
	Name       string      `json:"name" example:"system=shop"`
	Alpha      uint32      `json:"alpha_millionths" doc:"share of its items that a fault hits off the relations: near 0 faults follow the topology, near 1000000 they shake all of it"`
	Items      uint32      `json:"items" doc:"that ever alarmed in it"`
	Open       uint32      `json:"open" doc:"groups of items that still take others in"`
	Placements Placements  `json:"placements" doc:"since the beginning"`
	Coverage   *uint32     `json:"coverage_millionths" doc:"topology coverage: of those that joined the fault of another item, by edge or component, the share that did so by edge; null: none did yet"`
	Learned    uint32      `json:"learned" doc:"groups that are over, and on which causes rest"`
	Record     CauseRecord `json:"record" doc:"what people said of the causes that were named in it"`
}

const maxComponents = 500

// Correlation returns what was learned of the components of ctx's tenant.
func (d *Desk) Correlation(ctx context.Context, _ *struct{}) (*Correlation, error) {
	v, err := d.engine.View(ctx)
	if err != nil {
		return nil, failure(err)
	}
	tenant, settings := auth.FromContext(ctx).Tenant, &v.Rules.Settings.Correlation
	list, record := v.Components(tenant), v.CauseRecord(tenant)
	slices.SortStableFunc(list, func(a, b correlate.Component) int {
		return cmp.Or(cmp.Compare(b.Open, a.Open), cmp.Compare(b.Items, a.Items), cmp.Compare(a.Name, b.Name))
	})
	out := &Correlation{
		Topology: settings.Topology, Threshold: settings.Threshold, Learning: uint32(settings.LearningIncidents),
		Record: CauseRecord{record.Judged, record.Right}, Components: []ComponentState{}, Total: len(list),
	}
	var sum correlate.Placements
	for i := range list {
		sum.Add(&list[i].Placed)
	}
	out.Placements, out.Coverage = placements(&sum)
	if event.InTenant(tenant, event.DefaultTenant) { // it tells of the others' alerts, too
		m := v.RuleMemory()
		out.RuleMemory = &RuleMemory{m.Alerts, m.Limit, m.Over, m.PerKey, m.Forgotten}
	}
	for i := range list[:min(len(list), maxComponents)] {
		c := &list[i]
		x := ComponentState{Tenant: c.Tenant, Name: c.Name, Alpha: c.Alpha, Items: c.Items, Open: c.Open, Learned: c.Learned, Record: CauseRecord{c.Judged, c.Right}}
		x.Placements, x.Coverage = placements(&c.Placed)
		out.Components = append(out.Components, x)
	}
	return out, nil
}

// placements shapes counts of placements, and how much of them the topology explains.
func placements(p *correlate.Placements) (n Placements, coverage *uint32) {
	if share, ok := p.Coverage(); ok {
		coverage = &share
	}
	return Placements{
		SameItem: p[event.PlaceSame], Edge: p[event.PlaceEdge], Component: p[event.PlaceNear], Root: p[event.PlaceRoot], CameBack: p[event.PlaceBack],
		SilentRoot: p[event.PlaceVirtual], SecondOnset: p[event.PlaceOnset], ByHand: p[event.PlaceHand],
	}, coverage
}
