package forest

import (
	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/internal/fixed"
	"github.com/tocsin-noc/tocsin/internal/flat"
)

// ClusterOf returns the cluster of an item, 0 when it is in none that takes items in.
func (f *Forest) ClusterOf(item uint32) uint32 { return f.item(item).cluster }

// Number returns the number of a cluster, by which people may tell it from others of its tenant.
func (f *Forest) Number(cluster uint32) uint32 { return f.clusters.At(cluster).born }

// NextNumber returns the number of the next cluster that is made in a component.
func (f *Forest) NextNumber(component uint32) uint32 {
	return f.tenants.At(f.components.At(component).tenant).born + 1
}

// TenantOf returns whose a cluster is.
func (f *Forest) TenantOf(cluster uint32) flat.Sym {
	return f.tenants.At(f.clusters.At(cluster).tenant).name
}

// Root returns the item at which a cluster began.
func (f *Forest) Root(cluster uint32) uint32 { return f.clusters.At(cluster).root }

// Quiet tells whether a cluster's root did not alarm itself.
func (f *Forest) Quiet(cluster uint32) bool { return f.clusters.At(cluster).silent }

// ComponentOf returns the component of a cluster.
func (f *Forest) ComponentOf(cluster uint32) uint32 { return f.clusters.At(cluster).component }

// First and Last are when a cluster alarmed first and last, in event time.
func (f *Forest) First(cluster uint32) event.Time { return f.clusters.At(cluster).first }

// Last is when a cluster alarmed last, in event time.
func (f *Forest) Last(cluster uint32) event.Time { return f.clusters.At(cluster).last }

// Live tells whether a cluster's slot is in use.
func (f *Forest) Live(cluster uint32) bool { return f.clusters.At(cluster).root != 0 }

// Latest returns the cluster of a component that alarmed last, 0 when none is there.
func (f *Forest) Latest(component uint32) uint32 { return f.components.At(component).latest }

// Shaky tells whether a fault in a component shows all over it.
func (f *Forest) Shaky(component uint32) bool { return f.components.At(component).shaky() }

// ComponentItems returns how many items of a component alarmed.
func (f *Forest) ComponentItems(component uint32) uint32 { return f.components.At(component).items }

// Size returns how many items a cluster has.
func (f *Forest) Size(cluster uint32) uint32 { return f.clusters.At(cluster).items }

// Items appends the items of a cluster, at most limit, in the order in which they alarmed.
func (f *Forest) Items(cluster uint32, limit int, dst []uint32) []uint32 {
	for ci := f.clusters.At(cluster).head; ci != 0 && len(dst) < limit; ci = f.items.At(ci).next {
		dst = append(dst, ci)
	}
	return dst
}

// Say notes the kind of what an item said last.
func (f *Forest) Say(ci uint32, kind uint64) {
	if ci < f.items.Len() {
		f.items.Mut(ci).said = kind
	}
}

// Absence returns how much it speaks against a cause, in milli-nats, that something which rests directly on it is well: the more often
// faults pass along an edge, the more.
func (f *Forest) Absence(component uint32) int64 {
	const prior, share, most = 10, 500_000, 500_000
	c := f.components.At(component)
	passing := min((c.passed+prior*share)/(c.trials+prior), most)
	return fixed.LnRatio(1_000_000, 1_000_000-passing)
}
