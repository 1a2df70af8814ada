package cause

import (
	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/internal/fixed"
	"github.com/tocsin-noc/tocsin/internal/flat"
)

// Params are the numbers that ranking rests on, in thousandths where they are weights; rules/default.yml says what each means.
type Params struct {
	Metric, Trace, Other int64 // what a signature of that kind counts
	Instance             int64 // what a part's evidence counts for its whole
	InstanceCost         int64 // in milli-nats: what a part must bring to count at all
	Margin               int64 // in milli-nats, of the first before the second, for people to be told a name
}

// Kind is what sort of thing an alert says.
type Kind uint8

// Kinds of signature.
const (
	Other Kind = iota
	Metric
	Trace
)

const (
	early       = 90 * event.Second // after the cluster began
	decay       = 90 * event.Second
	slowest     = 2303 // ln 10 in milli-nats: the decay ends at a tenth
	perItem     = 16   // weight of what its like say, in clusters
	perKind     = 4
	mostWeight  = 6000
	fewestCalls = 20
	always      = -357 // ln .7 in milli-nats: a cause speaks in seven clusters of ten
)

// Signature is what an alert says, so that it can be counted.
type Signature struct {
	Item       uint32 // to which it is charged
	Hash       uint64 // of item and words
	KindHash   uint64 // of its class and words
	Kind       Kind
	Population uint32 // how many could say it
}

// Book is what was learned, and what is known of the clusters that run.
type Book struct {
	counts     *flat.Slab[count]
	byHash     *flat.Index
	proofs     *flat.Slab[proof]
	byProof    *flat.Index
	suspects   *flat.Slab[suspect]
	bySuspect  *flat.Index
	clusters   *flat.Slab[running] // by the cluster's slot
	components *flat.Slab[learned] // by the component's slot
	fronts     fronts
	ranking    ranking
}

// count is in how many clusters something was said, early and late.
type count struct {
	hash     uint64
	n        [2]uint32
	distinct uint32 // of a kind: signatures of it
}

// proof is a signature that a running cluster has.
type proof struct {
	hash, kind uint64
	cluster    uint32
	item       uint32 // that it was charged to
	next       uint32
	weight     int32 // in milli-nats
	late       bool
	withdrawn  bool // it is not learned from
}

// suspect is an item of a running cluster and the evidence on it.
type suspect struct {
	cluster, item uint32
	next          uint32
	proofs        uint32
	first         event.Time
	sum           int64
	alert         uint32           // of the heaviest signature
	signs         [MaxSigns]uint64 // the heaviest first; the lowest bit tells late from early
	weights       [MaxSigns]int32
}

type running struct {
	began    event.Time // event time
	newsAt   event.Time // arrival of the first evidence that was not weighed yet, 0: none
	ranked   event.Time // when it was weighed last
	first    event.Time // arrival of the first evidence
	proofs   uint32
	suspects uint32
	accused  uint32 // how many suspects
}

// learned is how many clusters a component has had, and what people said of the causes that were named.
type learned struct {
	clusters      uint32
	judged, right uint32
}

// New returns an empty book.
func New() *Book {
	return &Book{
		counts: flat.NewSlab[count](), byHash: flat.NewIndex(), proofs: flat.NewSlab[proof](), byProof: flat.NewIndex(),
		suspects: flat.NewSlab[suspect](), bySuspect: flat.NewIndex(), clusters: flat.NewSlab[running](), components: flat.NewSlab[learned](),
		fronts: fronts{most: maxRanked, of: map[uint32][]uint32{}},
	}
}

func grow[T any](s *flat.Slab[T], slot uint32) *T {
	for s.Len() <= slot {
		s.Alloc()
	}
	return s.Mut(slot)
}

func (b *Book) find(hash uint64) *count {
	slot, _ := b.byHash.Find(hash, func(ref uint32) bool { return b.counts.At(ref).hash == hash })
	return b.counts.At(slot)
}

func mix(cluster uint32, hash uint64) uint64 { return hash ^ uint64(cluster)*0x9E3779B97F4A7C15 }

// Observe takes in that an alert of a cluster began, at is in event time. Only the first of a signature counts. It tells whether this is
// the first news since the cluster was weighed.
func (b *Book) Observe(cluster, component, alert uint32, s *Signature, at, now event.Time, p *Params) (news bool) {
	s.Hash, s.KindHash = s.Hash&^1, s.KindHash&^1
	r := grow(b.clusters, cluster)
	if r.began == 0 {
		r.began = at
	}
	if b.proof(cluster, s.Hash) != 0 {
		return false
	}
	key := mix(cluster, s.Hash)
	since := max(at-r.began, 0)
	late := since > early
	w := b.weight(component, s, late, p)
	if w > 0 {
		w = w * int64(fixed.Exp(-min(int64(since)*1000/int64(decay), slowest))) / 1_000_000
	}
	slot := b.proofs.Alloc()
	*b.proofs.Mut(slot) = proof{hash: s.Hash, kind: s.KindHash, cluster: cluster, item: s.Item, next: r.proofs, weight: int32(w), late: late}
	r.proofs = slot
	news = r.newsAt == 0
	r.heard(now)
	b.byProof.Insert(key, slot)
	b.accuse(cluster, alert, s, at, w, late)
	return news
}

func (b *Book) proof(cluster uint32, hash uint64) uint32 {
	slot, _ := b.byProof.Find(mix(cluster, hash), func(ref uint32) bool {
		return b.proofs.At(ref).cluster == cluster && b.proofs.At(ref).hash == hash
	})
	return slot
}

// weight returns how much more likely a signature is at the cause than elsewhere.
func (b *Book) weight(component uint32, s *Signature, late bool, p *Params) int64 {
	bucket := 0
	if late {
		bucket = 1
	}
	n := uint64(0)
	if component < b.components.Len() {
		n = uint64(b.components.At(component).clusters)
	}
	// in millionths: the share of clusters in which its like say it, then in which it does
	of := b.find(s.KindHash)
	population := uint64(max(s.Population, 1))
	if s.Kind == Trace { // nobody knows who may call whom
		population = uint64(max(of.distinct, fewestCalls))
	}
	kind := (uint64(of.n[bucket])*1_000_000 + perKind*50_000) / (n*population + perKind)
	kind = min(kind, 1_000_000)
	own := (uint64(b.find(s.Hash).n[bucket])*1_000_000 + perItem*kind) / (n + perItem)
	w := min(max(always+fixed.LnRatio(1_000_000, max(own, 1)), 0), mostWeight)
	switch s.Kind {
	case Metric:
		return w * p.Metric / 1000
	case Trace:
		return w * p.Trace / 1000
	case Other:
	}
	return w * p.Other / 1000
}

// accuse charges an item.
func (b *Book) accuse(cluster, alert uint32, s *Signature, at event.Time, w int64, late bool) {
	slot := b.suspect(cluster, s.Item)
	if slot == 0 {
		r := b.clusters.Mut(cluster)
		slot = b.suspects.Alloc()
		*b.suspects.Mut(slot) = suspect{cluster: cluster, item: s.Item, next: r.suspects, first: at}
		r.suspects = slot
		r.accused++
		b.bySuspect.Insert(mix(cluster, uint64(s.Item)), slot)
	}
	x := b.suspects.Mut(slot)
	x.first = min(x.first, at)
	x.sum += w
	x.proofs++
	if w > int64(x.weights[0]) {
		x.alert = alert
	}
	sign := s.Hash
	if late {
		sign |= 1
	}
	x.note(sign, int32(w))
	b.rise(cluster, slot)
}

// note keeps a signature where it is among the heaviest.
func (x *suspect) note(sign uint64, weight int32) {
	for i := range x.signs {
		if weight > x.weights[i] {
			x.signs[i], sign = sign, x.signs[i]
			x.weights[i], weight = weight, x.weights[i]
		}
	}
}

func (r *running) heard(now event.Time) {
	if r.first == 0 {
		r.first = now
	}
	if r.newsAt == 0 {
		r.newsAt = now
	}
}

// Due is when a cluster is to be weighed anew: soon after the first news, then less and less often. Never: there is no news.
func (b *Book) Due(cluster uint32) event.Time {
	if cluster >= b.clusters.Len() || b.clusters.At(cluster).newsAt == 0 {
		return event.Never
	}
	const soon, seldom = 5 * event.Second, event.Minute
	r := b.clusters.At(cluster)
	if r.ranked == 0 {
		return r.newsAt + soon
	}
	return max(r.newsAt+event.Second, r.ranked+min(max((r.ranked-r.first)/2, soon), seldom))
}

// Ranked notes that a cluster was weighed.
func (b *Book) Ranked(cluster uint32, now event.Time) {
	r := grow(b.clusters, cluster)
	r.ranked, r.newsAt = now, 0
}

func (b *Book) suspect(cluster, item uint32) uint32 {
	slot, _ := b.bySuspect.Find(mix(cluster, uint64(item)), func(ref uint32) bool {
		return b.suspects.At(ref).cluster == cluster && b.suspects.At(ref).item == item
	})
	return slot
}
