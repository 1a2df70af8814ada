package simulate

import (
	"math/bits"
	"time"
)

const (
	subBits = 6 // 64 steps per power of two: a quantile is at most 1/64 too high
	steps   = 1 << subBits
)

// Histogram counts durations in log-linear buckets of 1.6 % and keeps the
// maximum exactly. The zero value is empty. One goroutine owns it.
type Histogram struct {
	counts [(64 - subBits + 1) * steps]uint64
	total  uint64
	max    time.Duration
}

// Record counts d; a negative d counts as 0.
func (h *Histogram) Record(d time.Duration) {
	d = max(d, 0)
	h.counts[bucket(uint64(d))]++
	h.total++
	h.max = max(h.max, d)
}

// Merge adds what other has counted.
func (h *Histogram) Merge(other *Histogram) {
	for i, n := range other.counts {
		h.counts[i] += n
	}
	h.total += other.total
	h.max = max(h.max, other.max)
}

// Count is the number of durations recorded.
func (h *Histogram) Count() uint64 { return h.total }

// Max is the longest duration recorded, 0 when empty.
func (h *Histogram) Max() time.Duration { return h.max }

// Quantile is the upper bound of the bucket that holds quantile q in (0, 1],
// never above Max; 0 when empty.
func (h *Histogram) Quantile(q float64) time.Duration {
	rank := max(1, uint64(q*float64(h.total)+0.5))
	var seen uint64
	for i, n := range h.counts {
		seen += n
		if n > 0 && seen >= rank {
			return min(time.Duration(upper(i)), h.max)
		}
	}
	return h.max
}

// bucket numbers v: below 2*steps exactly, above by its leading subBits+1 bits.
func bucket(v uint64) int {
	shift := max(0, bits.Len64(v)-subBits-1)
	return shift<<subBits + int(v>>shift)
}

// upper is the largest value that bucket i holds.
func upper(i int) uint64 {
	if i < 2*steps {
		return uint64(i)
	}
	shift := i>>subBits - 1
	return (uint64(i-shift<<subBits)+1)<<shift - 1
}
