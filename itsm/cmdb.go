package itsm

import (
	"encoding/binary"
	"iter"

	"github.com/cespare/xxhash/v2"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/internal/flat"
	"github.com/tocsin-noc/tocsin/internal/labelset"
)

// CMDB holds the configuration items: what was said of each, and since when; how they stand to each other now; and which are up.
//
//	id ─▶ ciRec ─▶ statement ─▶ statement …     newest first; one of them holds now
//	        └────▶ ciEdge ─▶ ciEdge …           the relations of the one that holds now
//
// Its text lies in a store that the owner shares. A CI keeps its slot from when it is first named, be it by another's relation,
// until it is dropped and nothing refers to it any more.
type CMDB struct {
	cmdbReads
	text       *labelset.Store
	recs       *flat.Slab[ciRec]
	statements *flat.Slab[ciStatement]
	edges      *flat.Slab[ciEdge]
	byID       *flat.Index
	byName     *flat.Index
	plans      *flat.Slab[uint32] // a heap of statements whose time has not come; its first cmdbMeta.Plans slots
	meta       cmdbMeta
	work       ciWork
}

// cmdbMeta is the small change of a CMDB; it lies in the snapshot as it is.
type cmdbMeta struct {
	Count  uint32 // CIs of which anything is known
	Plans  uint32
	Oldest uint32 // the statement that was superseded first
	Newest uint32 // and the one that was last
}

// ciRec is one CI, or (without a statement) a name that another's relation points to.
type ciRec struct {
	tenant, id    flat.Sym
	head          uint32 // newest statement, 0: nothing is known
	now           uint32 // the statement that holds now, 0: none yet
	out           uint32 // first of its own relations
	dependents    uint32 // first edge of those that depend on it or are hosted on it
	members       uint32 // … that are part of it
	backers       uint32 // … that back it up
	others        uint32 // … that are its neighbours
	failing       int32  // failing alerts bound to it
	membersActive uint32
	membersDown   uint32 // of those active
	membersIll    uint32 // down or degraded
	backersUp     uint32 // active ones that are not down
	versions      uint16
	status        CIStatus
	state         event.CIState // 0: nothing holds now
	criticality   uint8         // of a service; 0: it is none
}

// ciStatement is what was said of a CI at one time.
type ciStatement struct {
	knownAt, validFrom, overAt event.Time // overAt: since when another stands in its place
	class, name, source        flat.Sym
	attributes                 flat.Ref
	relations                  flat.Ref // pairs of the other's ID and the source, by kind
	pinned                     flat.Ref
	ci                         uint32
	older, newer               uint32    // statement about the same CI
	earlier, later             uint32    // in the order in which statements were superseded
	plan                       uint32    // place in the heap of plans, 0 when it is none
	kinds                      [5]uint16 // how many relations of each kind
	needs                      uint16
	state                      event.CIState
	confidence                 uint8
	isOver                     bool
}

// ciEdge is one relation of a statement that holds.
type ciEdge struct {
	from, to       uint32
	nextOut        uint32
	nextIn, prevIn uint32
	kind           event.RelationKind
	echo           bool // another source says the same: it counts once
}

// cmdbReads is what the owner and a view have in common.
type cmdbReads struct {
	text   labelset.Reader
	recs   ciRecs[ciRec]
	said   ciRecs[ciStatement]
	edges  ciRecs[ciEdge]
	byID   ciFinder
	byName ciFinder
	meta   *cmdbMeta
}

type ciRecs[T any] interface {
	At(slot uint32) *T
	Len() uint32
}

type ciFinder interface {
	Find(hash uint64, eq func(ref uint32) bool) (uint32, bool)
}

// NewCMDB returns an empty CMDB whose text lies in text.
func NewCMDB(text *labelset.Store) *CMDB {
	m := &CMDB{
		text: text, recs: flat.NewSlab[ciRec](), statements: flat.NewSlab[ciStatement](), edges: flat.NewSlab[ciEdge](),
		byID: flat.NewIndex(), byName: flat.NewIndex(), plans: flat.NewSlab[uint32](),
	}
	m.cmdbReads = cmdbReads{m.text, m.recs, m.statements, m.edges, m.byID, m.byName, &m.meta}
	return m
}

func ciHash(tenant, key string) uint64 {
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], xxhash.Sum64String(tenant))
	return xxhash.Sum64(b[:]) ^ xxhash.Sum64String(key)
}

// active tells whether a CI takes part in what fails and what rests on what.
func (r *ciRec) active() bool {
	return r.state == event.CILive || r.state == event.CIMaintenance || r.state == event.CIDiscovered
}

// alone tells whether nothing would miss the record.
func (r *ciRec) alone() bool {
	return r.head == 0 && r.failing == 0 && r.dependents|r.members|r.backers|r.others == 0
}

// Len returns how many CIs there are, of any state.
func (g *cmdbReads) Len() int { return int(g.meta.Count) }

// Slots yields the slots of all CIs, of any state and tenant.
func (g *cmdbReads) Slots() iter.Seq[uint32] {
	return func(yield func(uint32) bool) {
		for slot := uint32(1); slot < g.recs.Len(); slot++ {
			if g.recs.At(slot).head != 0 && !yield(slot) {
				return
			}
		}
	}
}

// place returns the slot of an ID, known or only named.
func (g *cmdbReads) place(tenant, id string) uint32 {
	slot, _ := g.byID.Find(ciHash(tenant, id), func(ref uint32) bool {
		r := g.recs.At(ref)
		return g.text.String(r.id) == id && g.text.String(r.tenant) == tenant
	})
	return slot
}

// Find returns the slot of a CI of any state, 0 when there is none of that ID.
func (g *cmdbReads) Find(tenant, id string) uint32 {
	if slot := g.place(tenant, id); slot != 0 && g.recs.At(slot).head != 0 {
		return slot
	}
	return 0
}

// maxNamesakes bounds the search for CIs of one name.
const maxNamesakes = 100

// Named returns the CI that people and alerts know by a name: that of this ID, else the one of this name, among those that are not
// retired. n says how many have the name, counted to 100; when there are several, slot is 0.
func (g *cmdbReads) Named(tenant, name string) (slot uint32, n int) {
	if slot := g.place(tenant, name); slot != 0 {
		if s := g.recs.At(slot).state; s != 0 && s != event.CIRetired {
			return slot, 1
		}
	}
	found := uint32(0)
	g.byName.Find(ciHash(tenant, name), func(ref uint32) bool {
		r := g.recs.At(ref)
		if g.text.String(g.said.At(r.now).name) == name && g.text.String(r.tenant) == tenant {
			found = ref
			n++
		}
		return n == maxNamesakes
	})
	if n != 1 {
		return 0, n
	}
	return found, 1
}

// ID returns the ID of the CI in a slot.
func (g *cmdbReads) ID(slot uint32) string { return g.text.String(g.recs.At(slot).id) }

// Tenant returns whose a CI is.
func (g *cmdbReads) Tenant(slot uint32) string { return g.text.String(g.recs.At(slot).tenant) }

// State returns a CI as it is now; one that is only planned, as it will be. Its strings alias the CMDB.
func (g *cmdbReads) State(slot uint32) event.CI {
	r := g.recs.At(slot)
	if r.now != 0 {
		return g.statement(r.now)
	}
	return g.statement(r.head)
}

// InUse tells whether a CI is there to fail: live, in maintenance or discovered.
func (g *cmdbReads) InUse(slot uint32) bool { return g.recs.At(slot).active() }

// Discovered tells whether a CI was only seen in alerts.
func (g *cmdbReads) Discovered(slot uint32) bool { return g.recs.At(slot).state == event.CIDiscovered }

// Failing returns how many failing alerts a CI has.
func (g *cmdbReads) Failing(slot uint32) int32 { return g.recs.At(slot).failing }

// Status returns whether a CI is up, given the failing alerts on it and on what it rests on.
func (g *cmdbReads) Status(slot uint32) CIStatus { return max(g.recs.At(slot).status, StatusUp) }

// Criticality returns a service's, 1–4; 0 of what is no service in use.
func (g *cmdbReads) Criticality(slot uint32) uint8 { return g.recs.At(slot).criticality }

// All yields the CIs of a tenant as they are now, in the order of their slots.
func (g *cmdbReads) All(tenant string) iter.Seq[event.CI] {
	return func(yield func(event.CI) bool) {
		for slot := range g.Slots() {
			if g.text.String(g.recs.At(slot).tenant) == tenant && !yield(g.State(slot)) {
				return
			}
		}
	}
}

// statement returns a statement in words.
func (g *cmdbReads) statement(at uint32) event.CI {
	s := g.said.At(at)
	r := g.recs.At(s.ci)
	return event.CI{
		Tenant: g.text.String(r.tenant), ID: g.text.String(r.id), Class: g.text.String(s.class), Name: g.text.String(s.name),
		State: s.state, Needs: s.needs, Attributes: labelset.Labels(g.text, s.attributes), Relations: g.relations(s),
		Source: g.text.String(s.source), Confidence: s.confidence, Pinned: g.symbols(s.pinned),
		ValidFrom: s.validFrom, KnownAt: s.knownAt,
	}
}

func (g *cmdbReads) relations(s *ciStatement) []event.Relation {
	if s.relations == 0 {
		return nil
	}
	b := g.text.Bytes(s.relations)
	out := make([]event.Relation, 0, len(b)/8)
	for kind, n := range s.kinds {
		for range n {
			out = append(out, event.Relation{
				Kind: event.RelationKind(kind + 1), To: g.text.String(symOf(b)), Source: g.text.String(symOf(b[4:])),
			})
			b = b[8:]
		}
	}
	return out
}

func (g *cmdbReads) symbols(ref flat.Ref) []string {
	if ref == 0 {
		return nil
	}
	b := g.text.Bytes(ref)
	out := make([]string, 0, len(b)/4)
	for ; len(b) >= 4; b = b[4:] {
		out = append(out, g.text.String(symOf(b)))
	}
	return out
}

func symOf(b []byte) flat.Sym { return flat.Sym(binary.LittleEndian.Uint32(b)) }
