package notify

import (
	"fmt"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/notify/message"
)

func testStore(t *testing.T) *store {
	s, err := openStore(filepath.Join(t.TempDir(), "notify.db"))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.close()) })
	return s
}

func TestAQueueTakesSoManyAndNoMore(t *testing.T) {
	s := testStore(t)
	s.full = 3
	fitting := 0
	require.NoError(t, s.update(func(tx *tx) error {
		for range 5 {
			fits, err := tx.enqueue("hook", envelope{})
			require.NoError(t, err)
			if fits {
				fitting++
			}
		}
		return nil
	}))
	require.Equal(t, 3, fitting)
	require.NoError(t, s.update(func(tx *tx) error {
		list, err := tx.first("hook", 1)
		require.NoError(t, err)
		require.NoError(t, list[0].bucket(tx, "hook").Delete(list[0].key))
		fits, err := tx.enqueue("hook", envelope{})
		require.True(t, fits, "there is room again")
		return err
	}))
}

func TestWhatWasLostOutlastsWhatWasSentAfterIt(t *testing.T) {
	s := testStore(t)
	require.NoError(t, s.update(func(tx *tx) error {
		require.NoError(t, tx.remember(Sent{Receiver: "hook", Outcome: "failed", Key: "lost"}))
		for n := range 3 * keptHistory {
			require.NoError(t, tx.remember(Sent{Receiver: "hook", Outcome: "sent", Key: fmt.Sprint(n)}))
		}
		list, err := tx.history(1000)
		require.NoError(t, err)
		require.Len(t, list, keptHistory+1)
		require.Equal(t, fmt.Sprint(3*keptHistory-1), list[0].Key, "the newest first")
		require.Equal(t, "lost", list[keptHistory].Key)
		list, err = tx.history(2)
		require.Len(t, list, 2)
		return err
	}))
}

func TestSubjectsAreFoundWhenTheyAreDue(t *testing.T) {
	s := testStore(t)
	at := func(minutes int) time.Time { return time.Unix(1_000_000, 5).Add(time.Duration(minutes) * time.Minute) }
	require.NoError(t, s.update(func(tx *tx) error {
		for n := range 9 {
			sub := subject{Escalation: map[string]run{"a": {Due: at(n)}, "b": {Due: at(n + 100)}}}
			require.NoError(t, tx.putSubject(fmt.Sprintf("main/INC-%d", n), sub))
		}
		sub, err := tx.subject("main/INC-0")
		require.NoError(t, err)
		delete(sub.Escalation, "a")
		require.NoError(t, tx.putSubject("main/INC-0", sub))
		keys, next := tx.dueSubjects(at(3), 10)
		require.Equal(t, []string{"main/INC-1", "main/INC-2", "main/INC-3"}, keys)
		require.Equal(t, at(4), next)
		keys, next = tx.dueSubjects(at(3), 2)
		require.Equal(t, []string{"main/INC-1", "main/INC-2"}, keys)
		require.Equal(t, at(3), next)
		for n := range 9 {
			key := fmt.Sprintf("main/INC-%d", n)
			sub, err := tx.subject(key)
			require.NoError(t, err)
			require.NoError(t, tx.dropSubject(key, sub))
		}
		keys, next = tx.dueSubjects(at(1000), 10)
		require.Empty(t, keys)
		require.Zero(t, next)
		return nil
	}))
}

func TestWhatHasLongBeenOverIsForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := open(t, house)
		defer o.stop()
		noon()
		o.core.happen(event.IncidentOpened, 1, nil)
		o.core.happen(event.IncidentResolved, 1, func(i *event.IncidentState) { i.Phase = event.IncidentDone })
		o.settle()
		kept := func() (n int) {
			require.NoError(t, o.n.store.view(func(tx *tx) error {
				n = tx.Bucket([]byte("subjects")).Stats().KeyN + tx.Bucket([]byte("due")).Stats().KeyN
				return nil
			}))
			return n
		}
		require.Equal(t, 2, kept())
		time.Sleep(keptSubject + time.Minute)
		require.Zero(t, kept())
		require.Equal(t, message.Resolved, o.phones["hook"].message(1).Event)
	})
}
