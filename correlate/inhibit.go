package correlate

import (
	"encoding/binary"

	"github.com/cespare/xxhash/v2"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/internal/flat"
	"github.com/tocsin-noc/tocsin/internal/labelset"
	"github.com/tocsin-noc/tocsin/rules"
)

// inhibition is a reference-counted multiset: for each rule and each value of its `equal` labels, the firing claims that
// match its source side and those that match its target side. An alert costs the rules it matches, not all rules.
type inhibition struct {
	buckets *flat.Slab[bucketRec]
	byKey   *flat.Index
	nodes   *flat.Slab[nodeRec]
}

// bucketRec is one rule at one value of its equal labels.
type bucketRec struct {
	hash    uint64
	rule    uint32
	sources uint32 // firing claims on the source side
	plain   uint32 // those of them that are not on the target side as well
	heads   [2]uint32
}

// The two sides of a rule, as indexes of bucketRec.heads.
const (
	sourceSide = 0
	targetSide = 1
)

// nodeRec is one claim on one side of a bucket.
type nodeRec struct {
	bucket, claim uint32
	sibling       uint32 // the claim's next node
	next, prev    uint32
	side          uint8
	plain         bool
}

func newInhibition() inhibition {
	return inhibition{buckets: flat.NewSlab[bucketRec](), byKey: flat.NewIndex(), nodes: flat.NewSlab[nodeRec]()}
}

// inhibitHash is the key of a bucket.
func inhibitHash(scratch []byte, rule int, in *rules.Inhibit, tenant string, ls event.Labels) (uint64, []byte) {
	b := binary.LittleEndian.AppendUint32(scratch[:0], uint32(rule))
	b = append(append(b, tenant...), 255)
	b = in.AppendEqual(b, ls)
	return xxhash.Sum64(b), b
}

// findBucket returns the bucket of a rule at the values that ls has, 0 when no claim is in it.
func (s *State) findBucket(rule int, tenant string, ls event.Labels) (slot uint32, hash uint64) {
	x, in := &s.inhibition, &s.rules.Inhibit[rule]
	hash, s.work.bytes = inhibitHash(s.work.bytes, rule, in, tenant, ls)
	slot, _ = x.byKey.Find(hash, func(ref uint32) bool {
		b := x.buckets.At(ref)
		if b.hash != hash || b.rule != uint32(rule) {
			return false
		}
		c := s.claims.At(x.nodes.At(b.someNode()).claim)
		return s.tenantOf(c.source) == tenant && sameEqual(s.text, in, c.labels, ls)
	})
	return slot, hash
}

// someNode is a node of the bucket: it has one as long as it is there, and what holds for its claim holds for all of them.
func (b *bucketRec) someNode() uint32 {
	if b.heads[sourceSide] != 0 {
		return b.heads[sourceSide]
	}
	return b.heads[targetSide]
}

// sameEqual tells whether two label sets have the same values of a rule's equal labels. Their hash can be made to collide.
func sameEqual(text labelset.Reader, in *rules.Inhibit, set flat.Ref, ls event.Labels) bool {
	for _, name := range in.Equal {
		if labelset.Get(text, set, name) != ls.Get(name) {
			return false
		}
	}
	return true
}

// inhibited tells whether a firing alert mutes one with these labels. An alert on both sides of a rule is not muted by others
// that are on both sides, itself among them.
func (s *State) inhibited(tenant string, ls event.Labels) bool {
	if len(s.rules.Inhibit) == 0 {
		return false
	}
	s.work.rules = s.rules.TargetRules(ls, s.work.rules[:0])
	for _, rule := range s.work.rules {
		slot, _ := s.findBucket(rule, tenant, ls)
		if slot == 0 {
			continue
		}
		b := s.inhibition.buckets.At(slot)
		if b.plain > 0 || b.sources > 0 && !s.rules.Inhibit[rule].MatchesSource(ls) {
			return true
		}
	}
	return false
}

// indexClaim enters a claim that begins to fire.
func (s *State) indexClaim(claim uint32) {
	if len(s.rules.Inhibit) == 0 {
		return
	}
	ls, tenant := s.claimLabels(claim), s.tenantOf(s.claims.At(claim).source)
	s.work.rules = s.rules.SourceRules(ls, s.work.rules[:0])
	for _, rule := range s.work.rules {
		s.addNode(claim, rule, sourceSide, !s.rules.Inhibit[rule].MatchesTarget(ls), tenant, ls)
	}
	s.work.rules = s.rules.TargetRules(ls, s.work.rules[:0])
	for _, rule := range s.work.rules {
		s.addNode(claim, rule, targetSide, false, tenant, ls)
	}
}

func (s *State) addNode(claim uint32, rule int, side uint8, plain bool, tenant string, ls event.Labels) {
	x := &s.inhibition
	slot, hash := s.findBucket(rule, tenant, ls)
	if slot == 0 {
		slot = x.buckets.Alloc()
		*x.buckets.Mut(slot) = bucketRec{hash: hash, rule: uint32(rule)}
		x.byKey.Insert(hash, slot)
	}
	b, c := x.buckets.Mut(slot), s.claims.Mut(claim)
	id := x.nodes.Alloc()
	*x.nodes.Mut(id) = nodeRec{bucket: slot, claim: claim, sibling: c.nodes, next: b.heads[side], side: side, plain: plain}
	if b.heads[side] != 0 {
		x.nodes.Mut(b.heads[side]).prev = id
	}
	b.heads[side], c.nodes = id, id
	b.count(side, plain, 1)
}

func (b *bucketRec) count(side uint8, plain bool, by int32) {
	if side != sourceSide {
		return
	}
	b.sources += uint32(by)
	if plain {
		b.plain += uint32(by)
	}
}

// unindexClaim takes out a claim that no longer fires.
func (s *State) unindexClaim(claim uint32) {
	x := &s.inhibition
	for id := s.claims.At(claim).nodes; id != 0; {
		n := *x.nodes.At(id)
		b := x.buckets.Mut(n.bucket)
		if n.prev == 0 {
			b.heads[n.side] = n.next
		} else {
			x.nodes.Mut(n.prev).next = n.next
		}
		if n.next != 0 {
			x.nodes.Mut(n.next).prev = n.prev
		}
		b.count(n.side, n.plain, -1)
		if b.heads == [2]uint32{} {
			x.byKey.Delete(b.hash, n.bucket)
			x.buckets.Free(n.bucket)
		}
		x.nodes.Free(id)
		id = n.sibling
	}
	if s.claims.At(claim).nodes != 0 {
		s.claims.Mut(claim).nodes = 0
	}
}

// reindexInhibition builds the index anew for another rule set.
func (s *State) reindexInhibition() {
	s.inhibition = newInhibition()
	for slot := uint32(1); slot < s.claims.Len(); slot++ {
		if s.claims.At(slot).nodes != 0 {
			s.claims.Mut(slot).nodes = 0
		}
		if c := s.claims.At(slot); c.alert != 0 && c.phase == event.Firing {
			s.indexClaim(slot)
		}
	}
}

// reviewTargets looks again at the claims that this one, having begun or ceased to fire, may inhibit: those of the buckets in
// which it is the first that fires, or was the last.
func (s *State) reviewTargets(claim uint32) {
	if len(s.rules.Inhibit) == 0 {
		return
	}
	ls, tenant := s.claimLabels(claim), s.tenantOf(s.claims.At(claim).source)
	s.work.rules = s.rules.SourceRules(ls, s.work.rules[:0])
	targets := s.work.targets[:0]
	for _, rule := range s.work.rules {
		slot, _ := s.findBucket(rule, tenant, ls)
		if slot == 0 || !s.turns(slot, rule, ls, s.claims.At(claim).phase == event.Firing) {
			continue
		}
		for id := s.inhibition.buckets.At(slot).heads[targetSide]; id != 0; id = s.inhibition.nodes.At(id).next {
			targets = append(targets, s.inhibition.nodes.At(id).claim)
		}
	}
	s.work.targets = targets
	for _, target := range targets {
		s.reviewClaim(target)
	}
}

// turns tells whether a source that began or ceased to fire changed what its bucket inhibits.
func (s *State) turns(bucket uint32, rule int, ls event.Labels, began bool) bool {
	b := s.inhibition.buckets.At(bucket)
	one := uint32(0)
	if began {
		one = 1
	}
	return b.sources == one || b.plain == one && !s.rules.Inhibit[rule].MatchesTarget(ls)
}

// reviewClaim emits whether a firing claim is inhibited when that has changed.
func (s *State) reviewClaim(slot uint32) {
	state := s.claims.At(slot).state(slot)
	now := s.inhibited(s.tenantOf(state.Source), s.claimLabels(slot))
	if now == state.Inhibited {
		return
	}
	state.Inhibited = now
	s.requieted(s.claims.At(slot).alert, state)
}

// reviewInhibition looks at every firing claim, after the rules have changed.
func (s *State) reviewInhibition() {
	for slot := uint32(1); slot < s.claims.Len(); slot++ {
		if c := s.claims.At(slot); c.alert != 0 && c.phase == event.Firing {
			s.reviewClaim(slot)
		}
	}
}
