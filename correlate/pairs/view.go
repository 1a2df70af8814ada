package pairs

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"math/bits"
	"slices"

	"github.com/tocsin-noc/tocsin/internal/flat"
)

// View is a table as it was at one moment; any goroutine may read it.
type View struct {
	names       flat.StringsView
	byHash      flat.IndexView
	types       flat.SlabView[typeRec]
	places      flat.SlabView[uint32]
	cis         flat.SlabView[ciRec]
	occurrences flat.SlabView[occurrence]
	pairs       flat.SlabView[pairRec]
	decoys      flat.SlabView[decoy]
	reach       flat.BlobsView
	meta        meta
}

// View returns the table as it is now.
func (t *Table) View() *View {
	return &View{
		names: t.names.View(), byHash: t.byHash.View(), types: t.types.View(), places: t.places.View(), cis: t.cis.View(), occurrences: t.occurrences.View(),
		pairs: t.pairs.View(), decoys: t.decoys.View(), reach: t.reach.View(), meta: t.meta,
	}
}

// Counters returns the table's counters of that moment.
func (v *View) Counters() Counters { return v.meta.Counters }

// Pair is a pair with its evidence. Counts halve every 30 days; those in thousandths are called so.
type Pair struct {
	Parent, Child         uint64
	ParentName, ChildName string
	Status                Status

	Buckets  uint32 // of ten minutes, in which the child began on some CI within the window after the parent
	Ties     uint32 // of these, with times too coarse to tell the order
	CIs      uint32 // of the child; 8 stands for 8 and more
	Credits  uint64 // its share of having caused the child, summed over these; thousandths
	Expected uint64 // in how many buckets chance would have brought them together; thousandths
	Back     uint64 // credits of the other order; thousandths
	LagMS    int64  // on average

	Ratio    int64 // log-likelihood ratio of Credits against Expected, milli-nats
	Order    int64 // of Credits against Back, milli-nats; less than 0 when there is more of the other order
	Directed bool  // Order is beyond one chance in a thousand
	Score    int64 // the lesser of Ratio and Order: as certain as it is that parent leads to child; milli-nats

	DecoyCredits uint64 // what the child's onsets were credited a day later, when the parent cannot have caused them; thousandths
	DecoyRate    uint32 // of the pairs with such a Ratio, how many are likely to be chance, by the decoys; thousandths
	DecoyKnown   bool   // at least half of all onsets had a decoy; else DecoyRate is 1000
	Factor       int64  // what grouping adds, or would add when it is active; milli-nats
}

// List returns the pairs that are suggested, active or rejected, the most certain first. It looks at every pair, for DecoyRate.
func (v *View) List() []Pair { return v.list(false) }

// All returns candidates as well. It takes memory for each.
func (v *View) All() []Pair { return v.list(true) }

func (v *View) list(candidates bool) []Pair {
	var all []Pair
	var real, decoys []int64
	for slot := uint32(1); slot < v.pairs.Len(); slot++ {
		p := *v.pairs.At(slot)
		if p.child == 0 {
			continue
		}
		v.settle(&p)
		if candidates || p.judged() {
			all = append(all, v.pair(&p))
		}
		if p.hits >= neededHits {
			real = append(real, ratio(p.credits, p.expected))
		}
		if p.decoyHits >= neededHits {
			decoys = append(decoys, ratio(p.decoyCredits, v.decoyShare(p.expected)))
		}
	}
	v.rates(all, real, decoys)
	slices.SortFunc(all, func(a, b Pair) int {
		return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(b.Ratio, a.Ratio), cmp.Compare(a.Parent, b.Parent),
			cmp.Compare(a.Child, b.Child))
	})
	return all
}

// settle is as Table.settle, on a copy.
func (v *View) settle(p *pairRec) {
	passed := v.meta.Epoch - p.epoch
	for _, n := range [...]*uint64{&p.expected, &p.credits, &p.decoyCredits, &p.lags} {
		*n >>= passed
	}
	for _, n := range [...]*uint32{&p.hits, &p.ties, &p.decoyHits} {
		*n >>= passed
	}
}

// decoyShare is the part of an expectation that falls to decoys: some still wait.
func (v *View) decoyShare(expected uint64) uint64 {
	trials := max(v.meta.Trials, 1)
	high, low := bits.Mul64(expected, min(v.meta.DecoyTrials, trials))
	share, _ := bits.Div64(high, low, trials) // high is less: the result is at most expected
	return share
}

func (v *View) creditsBack(p *pairRec) uint64 {
	ty := v.types.At(p.parent)
	i, ok := ty.place(p.child)
	if !ok {
		return 0
	}
	q := v.pairs.At(ty.list[i].pair)
	return q.credits >> (v.meta.Epoch - q.epoch)
}

func (v *View) pair(p *pairRec) Pair {
	a, b, back := v.types.At(p.parent), v.types.At(p.child), v.creditsBack(p)
	out := Pair{
		Parent: a.hash, Child: b.hash, ParentName: v.names.String(a.name), ChildName: v.names.String(b.name), Status: p.status,
		Buckets: p.hits, Ties: p.ties, CIs: uint32(p.nCIs), Credits: p.credits / 1_000_000, Expected: p.expected / 1_000_000,
		Back: back / 1_000_000, LagMS: int64(p.lags / uint64(max(p.hits, 1))), Ratio: ratio(p.credits, p.expected),
		Order: order(p.credits, back), DecoyCredits: p.decoyCredits / 1_000_000, Factor: factor(p),
	}
	out.Directed = out.Order >= neededRatio
	out.Score = min(out.Ratio, out.Order)
	return out
}

// rates gives each pair the rate of decoys among the pairs that are at least as unlikely by chance; never less than that of a pair
// that is more so.
func (v *View) rates(all []Pair, real, decoys []int64) {
	slices.Sort(real)
	slices.Sort(decoys)
	least := make([]uint32, len(real)) // the lowest rate at any bound up to this one
	for i, bound := range real {
		from, _ := slices.BinarySearch(decoys, bound)
		rate := uint32(min(1000, 1000*(len(decoys)-from)/(len(real)-i)))
		if i > 0 {
			rate = min(rate, least[i-1])
		}
		least[i] = rate
	}
	for i := range all {
		at, found := slices.BinarySearch(real, all[i].Ratio)
		all[i].DecoyRate, all[i].DecoyKnown = 1000, 2*v.meta.DecoyTrials >= v.meta.Trials
		if found && all[i].Buckets >= neededHits && all[i].DecoyKnown {
			all[i].DecoyRate = least[at]
		}
	}
}

// Save writes the table into a snapshot.
func (v *View) Save(w *flat.Writer) error {
	meta, err := binary.Append(nil, binary.LittleEndian, &v.meta)
	if err != nil {
		return fmt.Errorf("pairs: save: %w", err)
	}
	for _, save := range [...]func() error{
		func() error { return w.Bytes("pairs_meta", meta) },
		func() error { return v.names.Save(w, "pairs_names") },
		func() error { return v.byHash.Save(w, "pairs_by_hash") },
		func() error { return v.types.Save(w, "pairs_types") },
		func() error { return v.places.Save(w, "pairs_places") },
		func() error { return v.cis.Save(w, "pairs_cis") },
		func() error { return v.occurrences.Save(w, "pairs_occurrences") },
		func() error { return v.pairs.Save(w, "pairs_pairs") },
		func() error { return v.decoys.Save(w, "pairs_decoys") },
		func() error { return v.reach.Save(w, "pairs_reach") },
	} {
		if err := save(); err != nil {
			return err
		}
	}
	return nil
}

// Load reads the table from a snapshot.
func (t *Table) Load(r *flat.Reader) error {
	meta, err := r.Bytes("pairs_meta")
	if err != nil {
		return err
	}
	for _, load := range [...]func() error{
		func() error { return t.names.Load(r, "pairs_names") },
		func() error { return t.byHash.Load(r, "pairs_by_hash") },
		func() error { return t.types.Load(r, "pairs_types") },
		func() error { return t.places.Load(r, "pairs_places") },
		func() error { return t.cis.Load(r, "pairs_cis") },
		func() error { return t.occurrences.Load(r, "pairs_occurrences") },
		func() error { return t.pairs.Load(r, "pairs_pairs") },
		func() error { return t.decoys.Load(r, "pairs_decoys") },
		func() error { return t.reach.Load(r, "pairs_reach") },
	} {
		if err := load(); err != nil {
			return err
		}
	}
	if n, err := binary.Decode(meta, binary.LittleEndian, &t.meta); err != nil || n != len(meta) {
		return fmt.Errorf("pairs: load: %w: %d bytes of meta", flat.ErrForeign, len(meta))
	}
	return nil
}
