package correlate

import (
	"iter"
	"slices"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/itsm"
)

// CMDB returns the configuration items as of the view.
func (v *View) CMDB() *itsm.CMDBView { return v.cmdb }

// Discovered returns how many items were seen in alerts and are not confirmed.
func (v *View) Discovered() uint32 { return v.meta.Discovered }

// CI returns the ID of the configuration item an alert is bound to, "" when to none, and how.
func (a Alert) CI() (id string, how event.Bound, label string) {
	rec := a.rec()
	if rec.ci != 0 {
		id = a.v.cmdb.ID(rec.ci)
	}
	if rec.boundBy != 0 {
		label = event.BindLabels[rec.boundBy-1]
	}
	return id, rec.bound, label
}

// AlertsOf returns how many alerts in memory are bound to an item.
func (v *View) AlertsOf(ci uint32) uint32 {
	if ci == 0 || ci >= v.cis.Len() {
		return 0
	}
	return v.cis.At(ci).alerts
}

// Outages yields a tenant's outages, the latest first.
func (v *View) Outages(tenant string) iter.Seq[*event.Outage] {
	return func(yield func(*event.Outage) bool) {
		for _, o := range slices.Backward(v.desk.Outages) {
			if event.InTenant(tenant, o.Tenant) && !yield(o) {
				return
			}
		}
	}
}
