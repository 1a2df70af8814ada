package app

import (
	"context"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

const (
	// spareHeap is how much garbage may gather before a collection. The state holds no pointers, so a collection is cheap and
	// memory, not CPU, is what to save.
	spareHeap = 64 << 20
	// minGCPercent bounds how often a large state is collected.
	minGCPercent = 10
)

// tuneMemory keeps the heap's overhead at spareHeap instead of a share of the live heap, which at a million alerts would
// double the memory.
func tuneMemory(ctx context.Context) {
	debug.FreeOSMemory() // what the start took and does not need any more
	t := time.NewTicker(time.Second)
	defer t.Stop()
	sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	last := 0
	for {
		metrics.Read(sample)
		live := max(sample[0].Value.Uint64(), 4<<20)
		if percent := max(int(spareHeap*100/live), minGCPercent); percent != last {
			debug.SetGCPercent(percent)
			last = percent
		}
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
	}
}
