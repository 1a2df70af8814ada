package ingest

import "time"

// ring counts events in slots of 5 s over the last 5 minutes.
//
//	slot:  … │ n-2 │ n-1 │ n (filling)
//	a rate sums the slots that began within its span
type ring struct {
	slots [60]uint64
	first int64 // number of the slot that counted first, since the epoch; 0 while nothing was
	last  int64 // number of the latest slot
}

const slotSeconds = 5

func slotOf(now time.Time) int64 { return now.Unix() / slotSeconds }

// advance clears the slots between the latest one and now's.
func (r *ring) advance(now time.Time) {
	n := slotOf(now)
	for i := max(r.last+1, n-int64(len(r.slots))+1); i <= n; i++ {
		r.slots[i%int64(len(r.slots))] = 0
	}
	r.last = max(r.last, n)
}

func (r *ring) add(now time.Time, events int) {
	r.advance(now)
	if r.first == 0 {
		r.first = r.last
	}
	r.slots[r.last%int64(len(r.slots))] += uint64(events)
}

// perSecond returns the mean rate over the last span, or since the first event when that is less.
func (r *ring) perSecond(now time.Time, span time.Duration) float64 {
	if r.first == 0 {
		return 0
	}
	r.advance(now)
	n := min(int64(span/time.Second)/slotSeconds, r.last-r.first+1)
	var sum uint64
	for i := r.last - n + 1; i <= r.last; i++ {
		sum += r.slots[i%int64(len(r.slots))]
	}
	return float64(sum) / float64(n*slotSeconds)
}
