package pairs

import "github.com/tocsin-noc/tocsin/internal/fixed"

// Probabilities, expectations and credits are in billionths.
const one = 1_000_000_000

// chance is how likely it is that a type's last alert on a CI lies within the window before a moment, if nothing led from it to what
// happens then: the share of time that it covered. The larger of two estimates counts, so that what is busy together for other
// reasons is not taken for a pair:
//
//	of the whole time:     covered / (observed + 1 day), times how much more it is seen at that time of day
//	of the last hours:     recent / 6 hours
func (t *Table) chance(occ uint32, at int64) uint64 {
	o := t.occurrences.At(occ)
	observed := t.meta.observed()
	whole := min((o.covered>>(t.meta.Epoch-o.epoch))*one/(observed+uint64(day)), one)
	whole = whole * t.types.At(o.typ).dailyShare(at, uint64(t.set.Window)) >> 10
	late := faded(o.recent, at-o.lastAt) * one / min(max(observed, uint64(bucket)), uint64(recently))
	return min(max(whole, late), one)
}

// faded is what is left of recently covered time after a gap.
func faded(covered uint64, gap int64) uint64 {
	if covered == 0 || gap > 14*recently {
		return 0
	}
	return covered * fixed.Exp(-gap*1000/recently) / 1_000_000
}

// countTime counts covered time by time of day.
func (ty *typeRec) countTime(at int64, covers uint64) {
	n := &ty.ofDay[at%day/bucket]
	*n += uint32(covers)
	ty.covered += covers
	if *n < 1<<31 {
		return
	}
	ty.covered = 0
	for i := range ty.ofDay {
		ty.ofDay[i] /= 2
		ty.covered += uint64(ty.ofDay[i])
	}
}

// dailyShare is how much more than on average a type is seen at this time of day, in 1024ths, at least once as much. It takes ten
// alerts spread over the day for granted, so that a few say little.
func (ty *typeRec) dailyShare(at int64, window uint64) uint64 {
	prior := 10 * window
	return max((uint64(ty.ofDay[at%day/bucket])*uint64(bucketsDay)+prior)<<10/(ty.covered+prior), 1<<10)
}
