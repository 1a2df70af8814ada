package disk

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/journal"
	"github.com/tocsin-noc/tocsin/journal/vfs"
)

// story is a run of a log together with what its caller was promised.
type story struct {
	written   []journal.Record // in order; the last commit perhaps unacknowledged
	acked     int              // so many of them were acknowledged
	heads     []journal.Head   // after each acknowledged commit
	truncated uint64           // Truncate was called with this, perhaps without success
	redacted  uint64           // Redact was called with this, perhaps without success
	redactOK  bool
}

// run plays the script until the end or the first error, which it returns.
func (s *story) run(l *Log) error {
	for i, n := range []int{1, 3, 2, 5, 1, 8, 2, 2, 1, 6, 3} {
		if err := s.append(l, n, 40+90*(i%4)); err != nil {
			return err
		}
		var err error
		switch i {
		case 5:
			s.redacted = 3
			err = l.Redact(3, []byte("gone"), "asked to")
			s.redactOK = err == nil
		case 7:
			_, err = l.Roll()
		case 8:
			s.truncated = 13
			_, err = l.Truncate(13)
		}
		if err != nil {
			return err
		}
	}
	return l.Close()
}

func (s *story) append(l *Log, n, size int) error {
	recs := batch(uint64(len(s.written)+1), n, size)
	s.written = append(s.written[:s.acked], recs...)
	if err := write(l, recs); err != nil {
		return err
	}
	s.acked = len(s.written)
	s.heads = append(s.heads, l.Head())
	return nil
}

// check compares what is found after a crash with what was promised, and
// appends again.
func (s *story) check(t *testing.T, o Options) {
	l, err := Open(dir, o)
	require.NoError(t, err)
	defer l.Close()
	require.LessOrEqual(t, l.First(), max(1, s.truncated))
	found := readAll(t, l)
	last := int(l.Last())
	require.GreaterOrEqual(t, last, s.acked)
	require.Len(t, found, last-int(l.First())+1, "no gaps")
	for i, r := range found {
		s.checkRecord(t, s.written[int(l.First())-1+i], r)
	}
	report, err := Verify(dir, o, l.Head())
	require.NoError(t, err)
	require.Zero(t, report.Unfinished)
	require.Equal(t, len(found), report.Records)
	for _, head := range s.heads {
		if head.Seq+1 >= l.First() {
			_, err := Verify(dir, o, head)
			require.NoError(t, err, "head %d", head.Seq)
		}
	}
	more := batch(l.Last()+1, 4, 120)
	require.NoError(t, write(l, more))
	require.Equal(t, append(found, more...), readAll(t, l))
	_, err = Verify(dir, o, l.Head())
	require.NoError(t, err)
}

func (s *story) checkRecord(t *testing.T, want, got journal.Record) {
	if want.Seq == s.redacted && (got.Redacted || s.redactOK) {
		require.True(t, got.Redacted)
		require.Equal(t, "gone", string(got.Payload))
		return
	}
	require.Equal(t, want, got)
}

// survivals are ways a disk can look after a power cut.
func survivals(seed uint64) map[string]func() vfs.Survive {
	ways := map[string]func() vfs.Survive{
		"nothing":    func() vfs.Survive { return vfs.Nothing },
		"everything": func() vfs.Survive { return vfs.Everything },
	}
	for _, n := range []int{1, 3, 4, 27, 28, 60, 130, 311, 512, 700} {
		ways[fmt.Sprintf("torn at %d", n)] = func() vfs.Survive { return vfs.Torn(n) }
	}
	for i := range uint64(4) {
		ways[fmt.Sprintf("sectors %d", i)] = func() vfs.Survive {
			return vfs.Sectors(rand.New(rand.NewPCG(seed, i)))
		}
	}
	return ways
}

// callsOfStory counts the calls of an undisturbed run.
func callsOfStory(t *testing.T) int {
	mem := vfs.NewMem()
	l, err := Open(dir, small(mem))
	require.NoError(t, err)
	require.NoError(t, new(story).run(l))
	return len(mem.Calls())
}

// play runs the story on mem until the power goes.
func play(t *testing.T, mem *vfs.Mem) *story {
	s := new(story)
	l, err := Open(dir, small(mem))
	if err == nil {
		err = s.run(l)
	}
	require.True(t, err == nil || errors.Is(err, vfs.ErrPowerCut), "%v", err)
	return s
}

func TestAPowerCutAtAnyCallLosesNothingAcknowledged(t *testing.T) {
	for n := 1; n <= callsOfStory(t)+1; n++ {
		for name, survive := range survivals(uint64(n)) {
			mem := vfs.NewMem()
			mem.CutPowerAt(n)
			s := play(t, mem)
			mem.Crash(survive())
			if !t.Run(fmt.Sprintf("call %d %s", n, name), func(t *testing.T) { s.check(t, small(mem)) }) {
				return
			}
		}
	}
}

func TestASecondPowerCutDuringRepairLosesNothingAcknowledged(t *testing.T) {
	for n := 1; n <= callsOfStory(t); n++ {
		for seed := range seeds(2, 5) {
			for again := 1; crashTwice(t, n, again, seed); again++ {
			}
		}
	}
}

// crashTwice cuts the power at call n, and at call again of the repair; false
// when the repair takes fewer calls.
func crashTwice(t *testing.T, n, again int, seed uint64) bool {
	coin := rand.New(rand.NewPCG(uint64(n), seed))
	mem := vfs.NewMem()
	mem.CutPowerAt(n)
	s := play(t, mem)
	mem.Crash(vfs.Sectors(coin))
	mem.CutPowerAt(len(mem.Calls()) + again)
	l, err := Open(dir, small(mem))
	if err == nil {
		require.NoError(t, l.Close())
		return false
	}
	require.ErrorIs(t, err, vfs.ErrPowerCut)
	mem.Crash(vfs.Sectors(coin))
	return t.Run(fmt.Sprintf("call %d then %d seed %d", n, again, seed), func(t *testing.T) { s.check(t, small(mem)) })
}

func TestAFailedSyncMakesTheLogRefuseUntilReopenedAndThenNothingIsLost(t *testing.T) {
	for n := 1; n <= callsOfStory(t); n++ {
		mem := vfs.NewMem()
		failed := false
		mem.FailWith(func(c vfs.Call) error {
			if c.N == n && (c.Op == "sync" || c.Op == "syncdir") {
				failed = true
				return errors.New("input/output error")
			}
			return nil
		})
		s := new(story)
		l, err := Open(dir, small(mem))
		if err == nil {
			err = s.run(l)
			if errors.Is(err, journal.ErrFailed) {
				require.ErrorIs(t, l.Append(batch(1000, 1, 1)), journal.ErrFailed)
			}
			_ = l.Close()
		}
		if !failed {
			continue
		}
		require.Error(t, err)
		t.Run(fmt.Sprintf("call %d", n), func(t *testing.T) {
			// The process reopens without a reboot: it sees pages that
			// are not on disk, builds on them, and then the power goes.
			l, err := Open(dir, small(mem))
			require.NoError(t, err)
			s.written = append(s.written[:0], s.extend(t, l)...)
			require.NoError(t, l.Close())
			mem.Crash(vfs.Nothing)
			s.check(t, small(mem))
		})
	}
}

// extend appends a commit to a reopened log and returns all it now promises,
// from sequence number 1 on.
func (s *story) extend(t *testing.T, l *Log) []journal.Record {
	require.GreaterOrEqual(t, int(l.Last()), s.acked)
	all := append([]journal.Record(nil), s.written[:l.Last()]...)
	more := batch(l.Last()+1, 2, 60)
	require.NoError(t, write(l, more))
	s.acked = int(l.Last())
	return append(all, more...)
}
