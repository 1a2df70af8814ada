package notify

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/notify/receivers"
)

func acked(i *event.IncidentState) { i.AckedAt = 1 }

func refused(code int) error { return &receivers.Answered{Code: code, Err: fmt.Errorf("%d", code)} }

func TestOneMessageThatAReceiverFailsAtDoesNotHoldUpTheOthersForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := open(t, house)
		defer func() { o.stop() }()
		noon()
		hook := o.phones["hook"]
		hook.fails("main/INC-1", refused(500))
		o.core.happen(event.IncidentOpened, 1, acked)
		o.core.happen(event.IncidentOpened, 2, acked)
		o.core.happen(event.IncidentUpdated, 1, nil)
		time.Sleep(8 * time.Minute)
		require.Empty(t, hook.titles(), "it may pass")
		require.Equal(t, 2, o.n.Receivers()[0].Pending)
		time.Sleep(7 * time.Minute)
		o.told("hook", "opened main/INC-2")
		o.core.happen(event.IncidentOpened, 3, acked)
		o.told("hook", "opened main/INC-2", "opened main/INC-3")
		st := o.n.Receivers()[0]
		require.Equal(t, []int{1, 1, 0}, []int{st.Pending, st.Aside, st.Failures})
		require.WithinDuration(t, time.Now().Add(-15*time.Minute), st.Oldest, time.Minute)
		o.stop() // it outlasts a restart
		o.start(house)
		hook.fails("main/INC-1", nil)
		time.Sleep(6 * time.Minute)
		o.told("hook", "opened main/INC-2", "opened main/INC-3", "opened main/INC-1")
		require.Zero(t, o.n.Receivers()[0].Pending)
	})
}

func TestWhatIsSetAsideIsGivenUpVisiblyAfterADay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := open(t, house)
		defer o.stop()
		noon()
		o.phones["hook"].fails("main/INC-1", refused(500))
		o.core.happen(event.IncidentOpened, 1, acked)
		o.core.happen(event.IncidentOpened, 2, acked)
		time.Sleep(25 * time.Hour)
		require.Zero(t, o.n.Receivers()[0].Pending)
		history, err := o.n.History(10)
		require.NoError(t, err)
		require.True(t, slices.ContainsFunc(history, func(s Sent) bool { return s.Outcome == "expired" && s.Subject == "main/INC-1" && s.Receiver == "hook" }))
	})
}

func TestOldNewsIsNotToldAfterNewer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := open(t, house)
		defer o.stop()
		noon()
		hook := o.phones["hook"]
		hook.fails("main/INC-1", refused(502))
		o.core.happen(event.IncidentOpened, 1, acked)
		o.core.happen(event.IncidentOpened, 2, acked)
		time.Sleep(15 * time.Minute)
		o.told("hook", "opened main/INC-2")
		hook.fails("main/INC-1", nil) // it takes the resolution before the opening is tried again
		o.core.happen(event.IncidentResolved, 1, func(i *event.IncidentState) { i.Phase = event.IncidentDone })
		o.told("hook", "opened main/INC-2", "resolved main/INC-1")
		time.Sleep(time.Hour)
		o.told("hook", "opened main/INC-2", "resolved main/INC-1")
		history, err := o.n.History(10)
		require.NoError(t, err)
		require.True(t, slices.ContainsFunc(history, func(s Sent) bool {
			return s.Outcome == "failed" && s.Subject == "main/INC-1" && strings.Contains(s.Error, "a later message about it was taken; last: 502")
		}), history)
	})
}

func TestTheOrderStaysWhileAReceiverTakesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, err := range []error{refused(503), errors.New("connection refused"), &receivers.RetryLater{After: time.Second, Err: refused(429)}} {
			o := open(t, house)
			o.core.happen(event.IncidentOpened, 9, acked)
			o.settle()
			o.phones["hook"].answer(func() (bool, error) { return true, err })
			for id := event.IncidentID(1); id <= 4; id++ {
				o.core.happen(event.IncidentOpened, id, acked)
			}
			time.Sleep(3 * time.Hour)
			require.Zero(t, o.n.Receivers()[0].Aside, err)
			o.phones["hook"].answer(nil)
			time.Sleep(21 * time.Minute) // each waits at most five
			o.told("hook", "opened main/INC-9", "opened main/INC-1", "opened main/INC-2", "opened main/INC-3", "opened main/INC-4")
			o.stop()
		}
	})
}

func TestTwoThatAReceiverFailsAtAreBothSetAside(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := open(t, house)
		defer o.stop()
		noon()
		o.phones["hook"].fails("main/INC-1", refused(500))
		o.phones["hook"].fails("main/INC-2", refused(500))
		for id := event.IncidentID(1); id <= 4; id++ {
			o.core.happen(event.IncidentOpened, id, acked)
		}
		time.Sleep(time.Hour)
		o.told("hook", "opened main/INC-3", "opened main/INC-4")
		require.Equal(t, 2, o.n.Receivers()[0].Aside)
	})
}

func TestTheRoutesOwnAddressIsToldThoughTheContactHasNone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := open(t, strings.NewReplacer(
			"from: a@example.org}", "from: a@example.org, to: noc@example.org}", "user: ann,", "user: carla,", "user: bob,", "user: dora,",
			"  - {team: ops, priorities", "  - {team: ops, receivers: [mail], priorities").Replace(house))
		defer o.stop()
		noon()
		o.core.happen(event.IncidentOpened, 1, acked)
		o.told("mail", "opened main/INC-1")
		require.Equal(t, [][]string{nil}, o.phones["mail"].addressees(), "where the receiver's own configuration says")
		history, err := o.n.History(10)
		require.NoError(t, err)
		require.True(t, slices.ContainsFunc(history, func(s Sent) bool { return strings.Contains(s.Error, "there is no address of ann;") }), history)
	})
}

func TestWhoResolvedIsToldThoughTheRoutesAddressWas(t *testing.T) {
	mail, bob := told{Receiver: "mail"}, told{Receiver: "mail", To: []string{"bob@example.org"}, Who: []string{"bob"}}
	nobody := told{Receiver: "mail", Who: []string{"carla"}, Nowhere: true}
	require.False(t, mail.covers(bob))
	require.False(t, bob.covers(mail))
	require.False(t, mail.covers(nobody))
	require.False(t, nobody.covers(mail))
	require.True(t, told{Receiver: "mail", To: []string{"ann@example.org", "bob@example.org"}}.covers(bob))
	require.True(t, told{Receiver: "chat"}.covers(told{Receiver: "chat", Who: []string{"bob"}}), "the receiver alone says where it goes")
	require.Len(t, join([]told{mail, bob, nobody, mail, bob}), 3)
}

func TestWhatNobodyHasAcknowledgedIsEscalatedAfterTheStorm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := open(t, house)
		defer o.stop()
		noon()
		storm := event.Storm{Number: 1, BeganAt: event.FromTime(time.Now()), Openings: 1, Worst: 2}
		o.stormBegins(storm)
		for id := event.IncidentID(1); id <= 3; id++ {
			o.core.happen(event.IncidentOpened, id, func(i *event.IncidentState) { i.Storm = 1 })
		}
		time.Sleep(6 * time.Minute)
		storm.EndedAt = event.FromTime(time.Now())
		o.core.storm(event.StormEnded, storm)
		time.Sleep(10 * time.Minute)
		o.told("mail", "storm_began main/STORM-1", "storm_ended main/STORM-1", "escalated main/STORM-1")
		second := o.phones["mail"].message(2)
		require.Equal(t, "Unacknowledged after a storm: 3 incidents (STORM-1)", second.Title)
		require.Contains(t, second.Text, "Nobody has acknowledged it for 15 min: step 2 of 3")
		require.Contains(t, second.Text, "acknowledged by nobody:\n- P2 Down (INC-1)")
		require.False(t, second.Resolved, "a pager rings")
		o.core.happen(event.IncidentAcknowledged, 1, acked)
		time.Sleep(time.Hour)
		o.told("mail", "storm_began main/STORM-1", "storm_ended main/STORM-1", "escalated main/STORM-1", "escalated main/STORM-1")
		require.Equal(t, []string{"boss@example.org"}, o.phones["mail"].addressees()[3])
		require.NotContains(t, o.phones["mail"].message(3).Text, "INC-1")
	})
}

func TestAStormWhoseIncidentsAreTakenOnOrOverEscalatesNoFurther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := open(t, house)
		defer o.stop()
		noon()
		storm := event.Storm{Number: 1, BeganAt: event.FromTime(time.Now()), Openings: 1, Worst: 2}
		o.stormBegins(storm)
		for id := event.IncidentID(1); id <= 2; id++ {
			o.core.happen(event.IncidentOpened, id, func(i *event.IncidentState) { i.Storm = 1 })
		}
		time.Sleep(6 * time.Minute)
		storm.EndedAt = event.FromTime(time.Now())
		o.core.storm(event.StormEnded, storm)
		o.core.happen(event.IncidentAcknowledged, 1, acked)
		o.core.happen(event.IncidentResolved, 2, func(i *event.IncidentState) { i.Phase = event.IncidentDone })
		time.Sleep(5 * time.Hour)
		o.told("mail", "storm_began main/STORM-1", "storm_ended main/STORM-1")
	})
}

func TestAStormThatWasAcknowledgedStaysSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := open(t, house)
		defer o.stop()
		noon()
		storm := event.Storm{Number: 1, BeganAt: event.FromTime(time.Now()), Openings: 1, Worst: 2}
		o.stormBegins(storm)
		for id := event.IncidentID(1); id <= 2; id++ {
			o.core.happen(event.IncidentOpened, id, func(i *event.IncidentState) { i.Storm = 1 })
		}
		o.core.happen(event.IncidentAcknowledged, 1, acked)
		time.Sleep(6 * time.Minute)
		storm.EndedAt = event.FromTime(time.Now())
		o.core.storm(event.StormEnded, storm)
		time.Sleep(5 * time.Hour)
		o.told("mail", "storm_began main/STORM-1", "storm_ended main/STORM-1")
		require.Contains(t, o.phones["mail"].message(1).Text, "(INC-1), acknowledged")
	})
}

func TestARingThatWasOwedIsPaidByANewerOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := open(t, house)
		defer o.stop()
		noon()
		o.core.happen(event.IncidentOpened, 1, acked)
		worse := func(i *event.IncidentState) { i.WorseAt++ }
		o.core.hush(1, true)
		o.core.happen(event.IncidentWorse, 1, worse)
		o.settle()
		o.core.hush(1, false)
		o.core.happen(event.IncidentWorse, 1, worse) // before anybody looked whether the quiet is over
		time.Sleep(10 * time.Minute)
		o.told("hook", "opened main/INC-1", "worse main/INC-1")
		// What ends or takes on the incident pays it too.
		for _, kind := range []event.ChangeKind{event.IncidentAcknowledged, event.IncidentSnoozed, event.IncidentResolved, event.IncidentReopened} {
			o.core.hush(1, true)
			o.core.happen(event.IncidentWorse, 1, worse)
			o.settle()
			o.core.hush(1, false)
			o.core.happen(kind, 1, nil)
			told := len(o.phones["hook"].titles())
			o.settle()
			told = max(told, len(o.phones["hook"].titles()))
			time.Sleep(10 * time.Minute)
			require.Len(t, o.phones["hook"].titles(), told, kind)
		}
	})
}

func TestASignalThatIsLostInASilenceRingsWhenTheSilenceEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := open(t, house)
		defer o.stop()
		noon()
		lost := func(i *event.IncidentState) { i.SignalLost = true }
		o.core.happen(event.IncidentOpened, 1, acked)
		o.core.happen(event.IncidentOpened, 2, acked)
		o.core.hush(1, true)
		o.core.hush(2, true)
		o.core.happen(event.IncidentSignalLost, 1, lost)
		o.core.happen(event.IncidentSignalLost, 2, lost)
		time.Sleep(3 * time.Hour)
		o.told("hook", "opened main/INC-1", "opened main/INC-2")
		o.core.happen(event.IncidentRelapsed, 2, func(i *event.IncidentState) { i.SignalLost = false })
		o.core.hush(1, false)
		o.core.hush(2, false)
		time.Sleep(2 * time.Minute)
		o.told("hook", "opened main/INC-1", "opened main/INC-2", "signal_lost main/INC-1")
		require.Contains(t, o.phones["hook"].message(2).Text, "until now it was kept quiet")
	})
}
