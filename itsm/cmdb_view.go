package itsm

import (
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/internal/flat"
	"github.com/tocsin-noc/tocsin/internal/labelset"
)

// CMDBView is a CMDB as it was at one moment; any goroutine may read it.
type CMDBView struct {
	cmdbReads
	recs       flat.SlabView[ciRec]
	statements flat.SlabView[ciStatement]
	edges      flat.SlabView[ciEdge]
	byID       flat.IndexView
	byName     flat.IndexView
	plans      flat.SlabView[uint32]
	meta       cmdbMeta
}

// View returns the CMDB as it is now; text is a view of its text of the same moment.
func (m *CMDB) View(text *labelset.View) *CMDBView {
	v := &CMDBView{
		recs: m.recs.View(), statements: m.statements.View(), edges: m.edges.View(), byID: m.byID.View(), byName: m.byName.View(),
		plans: m.plans.View(), meta: m.meta,
	}
	v.cmdbReads = cmdbReads{text, &v.recs, &v.statements, &v.edges, &v.byID, &v.byName, &v.meta}
	return v
}

// AsOf returns a CI as, at one time, it was known to be at another: the last that was said by known, of what began by valid.
// It is false when nothing is in memory: statements leave it 30 days after others took their place.
func (g *cmdbReads) AsOf(tenant, id string, valid, known event.Time) (event.CI, bool) {
	slot := g.Find(tenant, id)
	if slot == 0 {
		return event.CI{}, false
	}
	at := g.asOf(slot, valid, known)
	if at == 0 {
		return event.CI{}, false
	}
	return g.statement(at), true
}

func (g *cmdbReads) asOf(slot uint32, valid, known event.Time) uint32 {
	at := g.recs.At(slot).head
	for ; at != 0; at = g.said.At(at).older {
		if s := g.said.At(at); s.knownAt <= known && s.validFrom <= valid {
			break
		}
	}
	return at
}

// Versions returns all that is in memory of what was said of a CI, in that order.
func (g *cmdbReads) Versions(tenant, id string) []event.CI {
	var out []event.CI
	if slot := g.Find(tenant, id); slot != 0 {
		for at := g.recs.At(slot).head; at != 0; at = g.said.At(at).older {
			out = append(out, g.statement(at))
		}
	}
	slices.Reverse(out)
	return out
}

// WalkAsOf returns a tenant's CIs as, at one time, they were known to be at another, for Impact and Deps as of then. It is a CMDB of
// its own: slots are others, no alerts fail, and building it costs as much as putting each CI.
func (g *cmdbReads) WalkAsOf(tenant string, valid, known event.Time) *CMDB {
	then := NewCMDB(labelset.New())
	for slot := range g.Slots() {
		if g.text.String(g.recs.At(slot).tenant) != tenant {
			continue
		}
		if at := g.asOf(slot, valid, known); at != 0 {
			ci := g.statement(at)
			ci.KnownAt = max(ci.KnownAt, ci.ValidFrom) // as of then it holds
			then.Put(&ci)
		}
	}
	return then
}

// Save writes the CMDB into a snapshot.
func (v *CMDBView) Save(w *flat.Writer) error {
	meta, err := binary.Append(nil, binary.LittleEndian, &v.meta)
	if err != nil {
		return fmt.Errorf("itsm: save cmdb: %w", err)
	}
	for _, save := range [...]func() error{
		func() error { return w.Bytes("cmdb_meta", meta) },
		func() error { return v.recs.Save(w, "cmdb_items") },
		func() error { return v.statements.Save(w, "cmdb_statements") },
		func() error { return v.edges.Save(w, "cmdb_edges") },
		func() error { return v.byID.Save(w, "cmdb_by_id") },
		func() error { return v.byName.Save(w, "cmdb_by_name") },
		func() error { return v.plans.Save(w, "cmdb_plans") },
	} {
		if err := save(); err != nil {
			return err
		}
	}
	return nil
}

// Load reads the CMDB from a snapshot; the text store is loaded by its owner.
func (m *CMDB) Load(r *flat.Reader) error {
	meta, err := r.Bytes("cmdb_meta")
	if err != nil {
		return err
	}
	for _, load := range [...]func() error{
		func() error { return m.recs.Load(r, "cmdb_items") },
		func() error { return m.statements.Load(r, "cmdb_statements") },
		func() error { return m.edges.Load(r, "cmdb_edges") },
		func() error { return m.byID.Load(r, "cmdb_by_id") },
		func() error { return m.byName.Load(r, "cmdb_by_name") },
		func() error { return m.plans.Load(r, "cmdb_plans") },
	} {
		if err := load(); err != nil {
			return err
		}
	}
	if n, err := binary.Decode(meta, binary.LittleEndian, &m.meta); err != nil || n != len(meta) {
		return fmt.Errorf("itsm: load cmdb: %w: %d bytes of meta", flat.ErrForeign, len(meta))
	}
	return nil
}
