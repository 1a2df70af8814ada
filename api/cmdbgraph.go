package api

import (
	"context"
	"iter"
	"time"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/itsm"
)

// CIStep is a configuration item that a walk came to.
type CIStep struct {
	ID     string `json:"id"`
	Class  string `json:"class"`
	Name   string `json:"name"`
	Status string `json:"status" enum:"up,degraded,down,none" doc:"of what is affected: as it would be; of what something rests on: as it is"`
	Hops   uint32 `json:"hops" doc:"relations from where the walk began"`
	Via    string `json:"via" doc:"the item it was reached from"`
	Kind   string `json:"kind" enum:"depends_on,hosted_on,part_of,connects_to,backs_up" doc:"of the relation between the two"`
}

// CIWalk is what a walk from a configuration item came to, the nearest first.
type CIWalk struct {
	ID       string        `json:"id"`
	Class    string        `json:"class"`
	Name     string        `json:"name"`
	Status   string        `json:"status" enum:"up,degraded,down,none"`
	Valid    *time.Time    `json:"valid" doc:"the topology as it was then; null: as it is now"`
	Known    *time.Time    `json:"known" doc:"as was known then"`
	Steps    []CIStep      `json:"steps"`
	More     bool          `json:"more" doc:"there is more than the limit"`
	Services []HurtService `json:"services" doc:"of an impact: that are hurt, the most critical first"`
}

// topology is the relations of one moment: a view's, or those of then.
type topology interface {
	Find(tenant, id string) uint32
	ID(slot uint32) string
	State(slot uint32) event.CI
	Status(slot uint32) itsm.CIStatus
	Impact(from []uint32, limit int) ([]itsm.Hit, bool)
	Deps(from uint32, hops, limit int) ([]itsm.Hit, bool)
	ServicesOver(from []uint32) []itsm.ServiceHit
	Slots() iter.Seq[uint32]
}

// walks bounds how many topologies of then are built at a time: each is as large as the tenant's CMDB.
type walks chan struct{}

// start begins a walk at an item, and returns the topology to walk over with the item's place in it. done must be called.
func (w walks) start(ctx context.Context, d *Desk, id string, m CIMoment) (over topology, slot uint32, out *CIWalk, done func(), err error) {
	c, err := d.configuration(ctx)
	if err != nil {
		return nil, 0, nil, nil, err
	}
	slot, err = c.slot(id)
	if err != nil {
		return nil, 0, nil, nil, err
	}
	valid, known, past, err := m.moment(d.now())
	if err != nil {
		return nil, 0, nil, nil, err
	}
	over, out, done = c, &CIWalk{Steps: []CIStep{}, Services: []HurtService{}}, func() {}
	if past {
		select {
		case w <- struct{}{}:
			done = func() { <-w }
		case <-ctx.Done():
			return nil, 0, nil, nil, failure(ctx.Err())
		}
		out.Valid, out.Known = stamp(valid), stamp(known)
		tenant := c.State(slot).Tenant
		over = c.WalkAsOf(tenant, valid, known)
		if slot = over.Find(tenant, id); slot == 0 {
			done()
			return nil, 0, nil, nil, nothingThen(id)
		}
	}
	ci := over.State(slot)
	out.ID, out.Class, out.Name, out.Status = ci.ID, ci.Class, ci.Name, walkStatus(ci.State, over.Status(slot))
	return over, slot, out, done, nil
}

func walkStatus(s event.CIState, status itsm.CIStatus) string {
	if !inUse(s) {
		return "none"
	}
	return status.String()
}

// impact returns what is down or degraded while an item fails.
func (w walks) impact(ctx context.Context, d *Desk, id string, m CIMoment, limit int) (*CIWalk, error) {
	over, slot, out, done, err := w.start(ctx, d, id, m)
	if err != nil {
		return nil, err
	}
	defer done()
	hits, more := over.Impact([]uint32{slot}, limit)
	out.fill(over, hits, more)
	for _, h := range over.ServicesOver([]uint32{slot}) {
		out.Services = append(out.Services, HurtService{h.ID, over.State(h.Slot).Name, h.Status.String(), h.Criticality, h.Hops})
	}
	return out, nil
}

// deps returns what an item rests on.
func (w walks) deps(ctx context.Context, d *Desk, id string, m CIMoment, hops, limit int) (*CIWalk, error) {
	over, slot, out, done, err := w.start(ctx, d, id, m)
	if err != nil {
		return nil, err
	}
	defer done()
	hits, more := over.Deps(slot, hops, limit)
	out.fill(over, hits, more)
	return out, nil
}

func (w *CIWalk) fill(over topology, hits []itsm.Hit, more bool) {
	w.More = more
	for i := range hits {
		h := &hits[i]
		ci := over.State(h.Slot)
		w.Steps = append(w.Steps, CIStep{h.ID, ci.Class, ci.Name, walkStatus(ci.State, h.Status), h.Hops, h.Via, h.Kind.String()})
	}
}
