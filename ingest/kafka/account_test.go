package kafka_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/ingest"
)

// ledger is an Account that writes down what it is told.
type ledger struct {
	mu    sync.Mutex
	lines []string
}

func (l *ledger) note(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, fmt.Sprintf(format, args...))
}

func (l *ledger) Took(events int, _ time.Time) { l.note("took %d", events) }

func (l *ledger) Failed(class ingest.Class, text string, _ time.Time) { l.note("%s: %s", class, text) }

func (l *ledger) Refused(alerts int, text string, _ time.Time) {
	l.note("refused %d: %s", alerts, text)
}

func TestTheSourcesFiguresAreKept(t *testing.T) {
	bubble(t, func(w *world) {
		t := w.t
		w.account = &ledger{}
		w.core.answer(errBusy)
		w.produce("native", 0, native("Good"))
		c, stop := w.consume()
		w.await("a try", func() bool { return w.core.tries() > 0 })
		w.core.answer(nil)
		for i, bad := range []string{`[` + native("Other") + `,{"labels":{}}]`, "poison", strings.Repeat(" ", 64<<10) + "[]"} {
			w.produce("native", 0, bad)
			w.await("the commit", func() bool { return w.committed("native", 0) == int64(i+2) })
		}
		stop()
		require.Equal(t, []string{
			"overload: engine: busy",
			"took 1", // and once more for the good neighbour of a bad one
			"refused 1: alerts[1].labels: at least one label pair required",
			"malformed: not JSON: invalid character 'p' looking for beginning of value at byte 0",
			"too_large: message of 65538 bytes, at most 65536 are read (limits.body_bytes)",
		}, slices.Compact(w.account.lines))
		status := c.Status().Topics[2]
		require.Equal(t, []uint64{4, 2, 3}, []uint64{status.Messages, status.Alerts, status.DeadLetters})
	})
}
