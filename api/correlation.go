package api

import (
	"cmp"
	"context"
	"slices"

	"github.com/tocsin-noc/tocsin/correlate"
	"github.com/tocsin-noc/tocsin/internal/auth"
)

// Correlation is what grouping by topology and time, and the ranking of causes, have learned.
type Correlation struct {
	Topology   bool             `json:"topology" doc:"whether alerts are grouped by topology at all"`
	Threshold  int              `json:"threshold" doc:"an explanation must be so many times likelier than chance"`
	Learning   uint32           `json:"learning_incidents" doc:"below so many a component is still learning, and names no cause"`
	Record     CauseRecord      `json:"record" doc:"of all components together"`
	Components []ComponentState `json:"components" doc:"those in which something goes on first, then by the items that alarmed; at most 500"`
	Total      int              `json:"total"`
}

// ComponentState is what is learned of items that share their faults: an environment, or what hangs together in the topology.
type ComponentState struct {
	Tenant  string      `json:"tenant"`
	Name    string      `json:"name" example:"system=shop"`
	Alpha   uint32      `json:"alpha_millionths" doc:"share of its items that a fault hits off the relations: near 0 faults follow the topology, near 1000000 they shake all of it"`
	Items   uint32      `json:"items" doc:"that ever alarmed in it"`
	Open    uint32      `json:"open" doc:"groups of items that still take others in"`
	Learned uint32      `json:"learned" doc:"groups that are over, and on which causes rest"`
	Record  CauseRecord `json:"record" doc:"what people said of the causes that were named in it"`
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
	for _, c := range list[:min(len(list), maxComponents)] {
		out.Components = append(out.Components, ComponentState{c.Tenant, c.Name, c.Alpha, c.Items, c.Open, c.Learned, CauseRecord{c.Judged, c.Right}})
	}
	return out, nil
}
