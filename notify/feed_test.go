package notify

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/notify/message"
)

// lines writes a feed down.
func (o *office) feed(after uint64) (out []string) {
	list, err := o.n.Deliveries(after, 100)
	require.NoError(o.t, err)
	for _, d := range list {
		out = append(out, fmt.Sprintf("%s %s %s %s by %s/%s of %q for %q rings=%v step=%d attempts=%d after %s",
			d.Tenant, d.Incident, d.Subject, d.Event, d.Receiver, d.Integration, d.Team, d.Person, d.Rings, d.Step, d.Attempts, d.Delay.Round(time.Second)))
	}
	slices.Sort(out)
	return out
}

func TestTheFeedHoldsWhatReceiversTookOnceForEachPerson(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := open(t, house)
		defer o.stop()
		noon()
		o.phones["hook"].answer(func() (bool, error) { return true, errors.New("away") })
		o.core.happen(event.IncidentOpened, 1, nil)
		time.Sleep(10 * time.Second)
		o.phones["hook"].answer(nil)
		time.Sleep(time.Minute)
		require.Equal(t, []string{
			`main INC-1 INC-1 opened by hook/webhook of "ops" for "" rings=false step=0 attempts=5 after 15s`,
			`main INC-1 INC-1 opened by mail/email of "ops" for "ann" rings=true step=0 attempts=1 after 0s`,
		}, o.feed(0))
		list, err := o.n.Deliveries(1, 100)
		require.NoError(t, err)
		require.Len(t, list, 1, "the number goes on")
		require.Equal(t, uint64(2), list[0].Number)
		require.NoError(t, o.n.ForgetDeliveries("ann"))
		require.NotContains(t, fmt.Sprint(o.feed(0)), `"ann"`)
		require.Len(t, o.feed(0), 2, "that somebody was told stays")
		o.core.by("", event.IncidentResolved, 1, "", func(i *event.IncidentState) { i.Phase = event.IncidentDone })
		time.Sleep(time.Minute)
		for _, line := range o.feed(2) {
			require.Contains(t, line, "resolved")
			require.Contains(t, line, "rings=false", "the word that it is over interrupts nobody")
		}
	})
}

func TestTheFeedIsBounded(t *testing.T) {
	s, err := openStore(t.TempDir() + "/notify.db")
	require.NoError(t, err)
	defer s.close()
	list := make([]Delivery, keptFeed)
	require.NoError(t, s.update(func(t *tx) error { return t.feed(list) }))
	require.NoError(t, s.update(func(t *tx) error { return t.feed(list[:7]) }))
	n := &Notifier{store: s}
	first, err := n.Deliveries(0, 1)
	require.NoError(t, err)
	require.Equal(t, uint64(8), first[0].Number)
}

func TestWhatInterrupts(t *testing.T) {
	page := &message.Message{Event: message.Opened}
	require.True(t, interrupts("pagerduty", "", page))
	require.True(t, interrupts("slack", "ann", page), "a direct message")
	require.False(t, interrupts("slack", "", page), "a channel")
	require.False(t, interrupts("email", "", page), "a mailing list")
	require.False(t, interrupts("pagerduty", "ann", &message.Message{Event: message.Resolved, Resolved: true}))
	require.False(t, interrupts("email", "ann", &message.Message{Event: message.Digest}))
}
