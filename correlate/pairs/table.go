package pairs

import (
	"github.com/tocsin-noc/tocsin/internal/flat"
)

// Times are in milliseconds.
const (
	second = 1000
	minute = 60 * second
	hour   = 60 * minute
	day    = 24 * hour

	bucket     = 10 * minute // a pair is credited once in it; a type that was quiet for so long begins anew
	halfLife   = 30 * day    // counts are halved
	recently   = 6 * hour    // over which recent activity fades
	bucketsDay = int(day / bucket)

	rushSlot   = 10 * second // in which more than rushOnsets onsets are a storm:
	rushOnsets = 1000
	rushShare  = 8 // of those beyond, one in so many is tried

	typesPerCI     = 16
	parentsOfChild = 64
	mostNeighbours = 64 // of a CI, the first ones given
)

// MostEntries is how many occurrences, pairs and types a table can be set to hold in all.
const MostEntries = 1_000_000

// Settings are fixed for the life of a table; a snapshot goes on under those of the table that loads it.
type Settings struct {
	Window int64 // ms; B follows A when it comes no later
	Tau    int64 // ms; over which the credit of A fades
	Shift  int64 // ms; how much later decoys are tried. A whole day keeps what runs by the clock in them

	Occurrences uint32 // types remembered on CIs, in all
	Pairs       uint32
	Types       uint32
	CIs         uint32 // the largest CI slot
	Decoys      uint32 // waiting for their time; a snapshot brings its own bound
}

// Default returns the settings of grouping, and bounds that take about 40 MB when all are reached.
func Default() Settings {
	return Settings{
		Window: 2 * minute, Tau: minute, Shift: day,
		Occurrences: 1 << 17, Pairs: 1 << 16, Types: 1 << 13, CIs: 1 << 20, Decoys: 1 << 16,
	}
}

// Table is what was learned.
//
//	type hash ─▶ typeRec ─▶ parents ─▶ pairRec     how often each A came before this type
//	CI slot   ─▶ ciRec   ─▶ types   ─▶ occurrence  when each type was last there, and how busy it is
type Table struct {
	set         Settings
	names       *flat.Strings
	byHash      *flat.Index
	types       *flat.Slab[typeRec]
	places      *flat.Slab[uint32] // in cis, by CI slot
	cis         *flat.Slab[ciRec]
	occurrences *flat.Slab[occurrence]
	pairs       *flat.Slab[pairRec]
	decoys      *flat.Slab[decoy] // a ring: slot 1 + n mod meta.Ring
	reach       *flat.Blobs       // neighbours of decoys
	meta        meta

	trial   trial // being made
	changes []Change
	bytes   []byte
}

// meta is the table's small change; it lies in the snapshot as it is.
type meta struct {
	Counters
	BeganAt     int64  // when the first was observed
	Now         int64  // the latest time observed
	Carried     int64  // ms observed before this period of halfLife, halved with each since
	Epoch       uint32 // periods since BeganAt
	Ring        uint32 // how many decoys it can hold
	Waiting     uint32 // decoys in it
	First       uint32 // of them
	PairHand    uint32 // the next that upkeep looks at
	TypeHand    uint32
	OccHand     uint32
	Slot        int64  // of rushSlot
	InSlot      uint32 // onsets in it
	Trials      uint64 // halved like all counts
	DecoyTrials uint64
}

// Counters tell how much a table holds and what it could not take in. Those from Evicted on only grow.
type Counters struct {
	Version uint64 // of what is suggested, active and rejected; it grows with each change

	Types, Occurrences, Pairs      uint32
	EvictedOccurrences             uint64 // forgotten to make room for others
	EvictedPairs                   uint64
	RefusedTypes, RefusedCIs       uint64 // alerts of them that were not observed
	RefusedPairs                   uint64 // credits lost, since all of a child's pairs were judged by people
	PassedPairs                    uint64 // not begun: the child had all its parents, and it was not the turn of others
	RefusedNeighbours, LostDecoys  uint64
	LateAlerts, Observed, Onsets   uint64
	UntriedOnsets                  uint64 // in storms
	Suggestions, LapsedSuggestions uint64
}

// typeRec is a type of alert. Zero refs: nothing but its hash and its name is known.
type typeRec struct {
	hash    uint64
	seenAt  int64
	covered uint64 // sum of hours
	name    flat.Sym
	refs    uint32 // occurrences, pairs and decoys that name it
	trials  uint32
	epoch   uint32 // in which trials was last halved
	used    bool
	crowded bool // parents were once full: a pair that is new may be an old one come back
	parents uint8
	list    [parentsOfChild]parent // ascending by type
	ofDay   [bucketsDay]uint32     // covered time by time of day
}

type parent struct{ typ, pair uint32 }

// ciRec is a configuration item on which a type is remembered.
type ciRec struct {
	lastAt int64 // of all types
	n      uint32
	types  [typesPerCI]uint32 // ascending
	occ    [typesPerCI]uint32 // in occurrences, of the same place in types
}

// occurrence is a type on a CI. Its covered time is that in which B would have followed it: a window from each alert on, without
// counting twice where they overlap. So it needs no model of how a type's alerts cluster.
type occurrence struct {
	lastAt     int64
	covered    uint64 // ms
	recent     uint64 // ms, faded to lastAt
	typ, ci    uint32
	onsets     uint32
	epoch      uint32 // in which covered and onsets were last halved
	resolution uint32 // ms, of lastAt
}

// New returns an empty table. Bounds that are over MostEntries in all are cut in proportion; Window and Tau are a second to an hour.
func New(set Settings) *Table {
	if all := uint64(set.Occurrences) + uint64(set.Pairs) + uint64(set.Types); all > MostEntries {
		for _, n := range [...]*uint32{&set.Occurrences, &set.Pairs, &set.Types} {
			*n = uint32(uint64(*n) * MostEntries / all)
		}
	}
	set.Window, set.Tau = min(max(set.Window, second), hour), min(max(set.Tau, second), hour)
	return &Table{
		set: set, meta: meta{Ring: set.Decoys}, names: flat.NewStrings(), byHash: flat.NewIndex(), types: flat.NewSlab[typeRec](),
		places: flat.NewSlab[uint32](), cis: flat.NewSlab[ciRec](),
		occurrences: flat.NewSlab[occurrence](), pairs: flat.NewSlab[pairRec](), decoys: flat.NewSlab[decoy](), reach: flat.NewBlobs(),
	}
}

// Counters returns the table's counters.
func (t *Table) Counters() Counters { return t.meta.Counters }

// item returns what is known of a CI, the empty record when that is nothing.
func (t *Table) item(ci uint32) *ciRec {
	if ci >= t.places.Len() {
		return t.cis.At(0)
	}
	return t.cis.At(*t.places.At(ci))
}

// findType returns the slot of a type, 0 when it is not known.
func (t *Table) findType(hash uint64) uint32 {
	slot, _ := t.byHash.Find(hash, func(ref uint32) bool { return t.types.At(ref).hash == hash })
	return slot
}

// typeOf returns the slot of a type, made when it is new; 0 when there is no room.
func (t *Table) typeOf(hash uint64, name string) uint32 {
	if slot := t.findType(hash); slot != 0 {
		return slot
	}
	if t.meta.Types >= t.set.Types && !t.makeRoomForType() {
		t.meta.RefusedTypes++
		return 0
	}
	slot := t.types.Alloc()
	*t.types.Mut(slot) = typeRec{hash: hash, name: t.names.Intern(name[:min(len(name), flat.MaxString)]), epoch: t.meta.Epoch, used: true}
	t.byHash.Insert(hash, slot)
	t.meta.Types++
	return slot
}

func (t *Table) freeType(slot uint32) {
	ty := t.types.At(slot)
	t.byHash.Delete(ty.hash, slot)
	t.names.Release(ty.name)
	t.types.Free(slot)
	t.meta.Types--
}

// find returns the pair of two types by slot, 0 when there is none.
func (t *Table) find(a, b uint32) uint32 {
	ty := t.types.At(b)
	if i, ok := ty.place(a); ok {
		return ty.list[i].pair
	}
	return 0
}

// place returns where parent a is, or would be, in the list.
func (ty *typeRec) place(a uint32) (int, bool) {
	low, high := 0, int(ty.parents)
	for low < high {
		mid := (low + high) / 2
		if ty.list[mid].typ < a {
			low = mid + 1
		} else {
			high = mid
		}
	}
	return low, low < int(ty.parents) && ty.list[low].typ == a
}
