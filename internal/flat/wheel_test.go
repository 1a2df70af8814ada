package flat

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// alarm is a timer of the dumb wheel: a list, searched for the earliest.
type alarm struct {
	at  int64
	ref uint32
	id  uint32
}

func earliest(list []alarm) int {
	best := -1
	for n, a := range list {
		if best < 0 || a.at < list[best].at {
			best = n
		}
	}
	return best
}

// randomAt spreads times over all levels, with many equal ones.
func randomAt(rng *rand.Rand, now int64) int64 {
	switch rng.IntN(5) {
	case 0:
		return now + rng.Int64N(8)
	case 1:
		return now + 64*rng.Int64N(8)
	case 2:
		return now + 60_000*rng.Int64N(90)
	case 3:
		return now - rng.Int64N(1_000)
	default:
		return now + rng.Int64N(1<<rng.IntN(42))
	}
}

func TestTimersFireInTheOrderOfTimeAndSettingAndNeverEarly(t *testing.T) {
	for seed := range seeds(8, 20) {
		rng := rand.New(rand.NewPCG(seed, 5))
		w := NewWheel()
		now := int64(1_700_000_000_000)
		require.False(t, w.Due(now, 1, nil))
		var model []alarm
		next := uint32(0)
		set := func(at int64) {
			next++
			model = append(model, alarm{max(at, w.now), next, w.Set(uint8(next), next, at)})
		}
		for range 3_000 {
			switch rng.IntN(8) {
			case 0, 1, 2, 3:
				set(randomAt(rng, now))
			case 4:
				if len(model) > 0 {
					n := rng.IntN(len(model))
					w.Cancel(model[n].id)
					model = slices.Delete(model, n, n+1)
				}
			default:
				if at, ok := w.Next(); ok && rng.IntN(2) == 0 {
					now = max(now, at)
				} else {
					now += rng.Int64N(1 << rng.IntN(24))
				}
				fired := func(kind uint8, ref uint32) {
					n := earliest(model)
					require.LessOrEqual(t, model[n].at, now)
					require.Equal(t, model[n].ref, ref)
					require.Equal(t, uint8(ref), kind)
					model = slices.Delete(model, n, n+1)
					if rng.IntN(4) == 0 {
						set(now + 1 + rng.Int64N(1<<20))
					}
				}
				more := w.Due(now, 1+rng.IntN(12), fired)
				if n := earliest(model); n >= 0 && model[n].at <= now {
					require.True(t, more)
				}
			}
			at, ok := w.Next()
			require.Equal(t, len(model) > 0 || w.falling > 0, ok)
			if n := earliest(model); n >= 0 {
				require.LessOrEqual(t, at, max(model[n].at, w.now))
			}
		}
		require.EqualValues(t, len(model), w.Stats().Used)
	}
}

func TestNextIsExactWhenNothingWasCancelled(t *testing.T) {
	w := NewWheel()
	w.Due(1_700_000_000_000, 1, nil)
	times := []int64{1_700_000_000_001, 1_700_000_300_000, 1_700_009_999_999, 1_800_000_000_123, maxAt + 5}
	for n, at := range slices.Backward(times) {
		w.Set(1, uint32(n), at)
	}
	times[4] = maxAt
	for n, want := range times {
		at, ok := w.Next()
		require.True(t, ok)
		require.Equal(t, want, at)
		require.False(t, w.Due(at-1, 100, func(uint8, uint32) { t.Fatal("too early") }))
		fired := 0
		require.False(t, w.Due(at, 100, func(_ uint8, ref uint32) { require.EqualValues(t, n, ref); fired++ }))
		require.Equal(t, 1, fired)
	}
	_, ok := w.Next()
	require.False(t, ok)
}

func TestDueIsBoundedAlsoWhenManyTimersMoveDown(t *testing.T) {
	w := NewWheel()
	start := int64(1) << 40
	w.Due(start, 1, nil)
	for n := range uint32(1_000) {
		w.Set(1, n, start+1<<24+int64(n%10))
	}
	var fired []uint32
	calls := 0
	for w.Due(start+1<<24+9, 64, func(_ uint8, ref uint32) { fired = append(fired, ref) }) {
		calls++
		if calls == 3 { // while the others are on their way, one more of their time: it stays behind them
			w.Set(1, 1_000, start+1<<24)
		}
	}
	require.Equal(t, 31, calls)
	require.Len(t, fired, 1_001)
	require.Equal(t, []uint32{0, 10, 20}, fired[:3])
	require.EqualValues(t, 1_000, fired[100])
}

func TestCancelOfNoTimerIsIgnored(t *testing.T) {
	w := NewWheel()
	id := w.Set(1, 7, 100)
	w.Cancel(0)
	w.Cancel(id + 1)
	w.Cancel(id)
	w.Cancel(id)
	_, ok := w.Next()
	require.False(t, ok)
}

func ExampleWheel() {
	w := NewWheel()
	w.Set(1, 42, 5_000)
	at, _ := w.Next()
	w.Due(at, 100, func(kind uint8, ref uint32) { fmt.Println(at, kind, ref) })
	// Output: 5000 1 42
}
