package notify

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/notify/message"
	"github.com/tocsin-noc/tocsin/notify/receivers"
)

// count reads a counter.
func count(t *testing.T, c prometheus.Counter) float64 {
	var m dto.Metric
	require.NoError(t, c.Write(&m))
	return m.GetCounter().GetValue()
}

func TestASlowReceiverDelaysNobodyElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := open(t, house)
		defer o.stop()
		noon()
		o.phones["hook"].answer(func() (bool, error) {
			time.Sleep(30 * time.Minute)
			return false, nil
		})
		for id := event.IncidentID(1); id <= 3; id++ {
			o.core.happen(event.IncidentOpened, id, func(i *event.IncidentState) { i.AckedAt = 1 })
		}
		o.told("mail", "opened main/INC-1", "opened main/INC-2", "opened main/INC-3")
		require.Empty(t, o.phones["hook"].titles())
		time.Sleep(91 * time.Minute)
		o.told("hook", "opened main/INC-1", "opened main/INC-2", "opened main/INC-3")
	})
}

func TestAReceiverThatSeveralWaysLeadToIsToldOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := open(t, strings.Replace(house, "  - {team: ops, priorities: [1, 2, 3]}", "  - {team: ops, receivers: [hook, other], continue: true}\n  - {receivers: [hook]}", 1))
		defer o.stop()
		noon()
		o.core.happen(event.IncidentOpened, 1, nil)
		o.told("hook", "opened main/INC-1")
		o.told("other", "opened main/INC-1")
	})
}

func TestAStepWaitsAsLongAsItIsQuietAndTheOneAfterItTheSame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := open(t, house)
		defer o.stop()
		noon()
		o.core.happen(event.IncidentOpened, 1, nil)
		o.core.hush(1, true)
		time.Sleep(time.Hour)
		o.core.hush(1, false)
		time.Sleep(2 * time.Minute)
		o.told("mail", "opened main/INC-1", "escalated main/INC-1")
		time.Sleep(27 * time.Minute)
		require.Len(t, o.phones["mail"].titles(), 2, "the third step comes 30 min after the second, as planned")
		time.Sleep(3 * time.Minute)
		require.Equal(t, []string{"boss@example.org"}, o.phones["mail"].addressees()[2])
	})
}

func TestARouteThatLeavesOutAnEventLeavesTheEscalationOfAnotherAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := open(t, strings.Replace(house, "{team: ops, priorities: [1, 2, 3]}", "{team: ops, events: [opened]}", 1))
		defer o.stop()
		noon()
		o.core.happen(event.IncidentOpened, 1, nil)
		o.core.happen(event.IncidentUpdated, 1, func(i *event.IncidentState) { i.Priority = 1 })
		time.Sleep(16 * time.Minute)
		require.Contains(t, o.phones["mail"].titles(), "escalated main/INC-1")
		require.NotContains(t, o.phones["mail"].titles(), "raised main/INC-1")
	})
}

func TestWhatGetsWorseInAStormWaitsForItsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := open(t, house)
		defer o.stop()
		noon()
		began := event.Storm{Number: 1, BeganAt: event.FromTime(time.Now()), Openings: 1, Worst: 2}
		o.stormBegins(began)
		inStorm := func(i *event.IncidentState) { i.Storm, i.Priority = 1, 3 }
		o.core.happen(event.IncidentOpened, 1, inStorm)
		o.core.happen(event.IncidentOpened, 2, inStorm)
		o.core.happen(event.IncidentUpdated, 1, func(i *event.IncidentState) { i.Priority = 2 })
		o.core.happen(event.IncidentSignalLost, 1, nil)
		o.told("hook", "storm_began main/STORM-1")
		o.core.happen(event.IncidentUpdated, 1, func(i *event.IncidentState) { i.Priority = 1 })
		o.told("hook", "storm_began main/STORM-1", "raised main/INC-1")
		began.EndedAt = event.FromTime(time.Now())
		o.core.storm(event.StormEnded, began)
		o.core.happen(event.IncidentUpdated, 2, func(i *event.IncidentState) { i.Priority = 2 })
		o.told("hook", "storm_began main/STORM-1", "raised main/INC-1", "storm_ended main/STORM-1", "raised main/INC-2")
	})
}

func TestAStormThatNobodyTakesOnGoesToTheNextContactWithItsOwnCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := open(t, house)
		defer o.stop()
		noon()
		o.stormBegins(event.Storm{Number: 1, BeganAt: event.FromTime(time.Now()), Openings: 1, Worst: 2})
		o.core.happen(event.IncidentOpened, 2, func(i *event.IncidentState) { i.Storm = 1 })
		time.Sleep(16 * time.Minute)
		o.settle()
		require.Len(t, o.phones["mail"].titles(), 2)
		second := o.phones["mail"].message(1)
		require.Equal(t, 1, second.Data.Step)
		require.Equal(t, 2, second.Data.Storm.Openings)
		require.Contains(t, second.Text, "acknowledged by nobody:\n- P2 Down (INC-2)")
		require.Contains(t, second.Title, "Storm: 2 incidents and more to come")
		require.Contains(t, second.Data.Reason, "nobody has acknowledged it for 15 min")
		// One of those that set it off: it opened before anybody knew of a storm.
		o.core.happen(event.IncidentAcknowledged, 1, func(i *event.IncidentState) { i.AckedAt = 1 })
		time.Sleep(3 * time.Hour)
		require.Len(t, o.phones["mail"].titles(), 2, "somebody is awake")
	})
}

func TestAStormWhoseBeginNobodySawIsToldOfAtItsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := open(t, house)
		defer o.stop()
		noon()
		now := event.FromTime(time.Now())
		o.core.storm(event.StormEnded, event.Storm{Number: 7, BeganAt: now - event.Minute, EndedAt: now, Openings: 40, Held: 19, Worst: 2})
		o.told("hook", "storm_ended main/STORM-7")
	})
}

func TestADigestKnowsWhatIsOverAndItsReadersHearOfTheRest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := open(t, house) // it is midnight
		defer o.stop()
		third := func(i *event.IncidentState) { i.Priority = 3 }
		over := func(i *event.IncidentState) { i.Phase = event.IncidentDone }
		o.core.happen(event.IncidentOpened, 1, third)
		o.core.happen(event.IncidentOpened, 2, third)
		o.core.happen(event.IncidentResolved, 1, over)
		o.told("mail")
		time.Sleep(7*time.Hour + time.Minute)
		o.told("mail", "digest")
		text := o.phones["mail"].message(0).Text
		require.Contains(t, text, "Resolved: Down (INC-1)")
		o.core.happen(event.IncidentResolved, 2, over)
		o.told("mail", "digest", "resolved main/INC-2")
		o.core.happen(event.IncidentOpened, 3, third)
		o.told("hook", "digest", "resolved main/INC-2", "opened main/INC-3")
		time.Sleep(16 * time.Hour) // it is night again
		require.NotContains(t, o.phones["hook"].titles(), "resolved main/INC-3")
		told := len(o.phones["hook"].titles())
		o.core.happen(event.IncidentResolved, 3, over)
		o.settle()
		require.Len(t, o.phones["hook"].titles(), told, "the end of what could wait can wait too")
		keys := map[string]bool{}
		for n := range o.phones["hook"].titles() {
			keys[o.phones["hook"].message(n).Key] = true
		}
		require.Len(t, keys, told, "no key stands for two messages")
	})
}

func TestAHoldIsForWhomItWasAssignedTo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := open(t, house)
		defer o.stop()
		noon()
		o.core.happen(event.IncidentOpened, 1, func(i *event.IncidentState) { i.Priority, i.AckedAt, i.Assignee = 4, 1, "u-bob" })
		o.core.due(1)
		o.told("mail", "hold_due main/INC-1")
		require.Equal(t, [][]string{{"bob@example.org"}}, o.phones["mail"].addressees())
		o.core.happen(event.IncidentOpened, 2, nil)
		o.core.due(2)
		o.told("hook", "opened main/INC-2", "hold_due main/INC-2")
		time.Sleep(16 * time.Minute)
		require.Contains(t, o.phones["mail"].titles(), "escalated main/INC-2", "a hold that is due ends no escalation")
	})
}

func TestASilenceThatEndsOverFiringAlertsIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := open(t, house)
		defer o.stop()
		noon()
		ends := event.FromTime(time.Now().Add(15 * time.Minute))
		o.core.append(event.Change{Kind: event.SilenceEnding, Silence: &event.Silence{ID: "s1", Tenant: "main", CreatedBy: "u-bob", EndsAt: ends}})
		o.core.append(event.Change{Kind: event.SilenceEnding, Silence: &event.Silence{ID: "s2", Tenant: "main", CreatedBy: "u-bob", EndsAt: ends}, Count: 3})
		o.core.append(event.Change{Kind: event.WindowEnding, Window: &event.Window{ID: "w1", Tenant: "main", Name: "patching", CloseAt: ends}, Count: 2})
		o.settle()
		require.Len(t, o.phones["hook"].titles(), 2, "where nothing fires there is nothing to tell")
		require.Contains(t, o.phones["hook"].message(0).Text, "Set by BOB")
		require.Contains(t, o.phones["hook"].message(1).Title, "2 alerts still firing")
	})
}

func TestWhoHasNoAddressIsNamedThoughTheOthersAreReached(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := open(t, strings.NewReplacer("user: ann,", "user: carla,", "[oncall, hook]", "[team]").Replace(house))
		defer o.stop()
		noon()
		o.core.happen(event.IncidentOpened, 1, func(i *event.IncidentState) { i.AckedAt = 1 })
		o.told("mail", "opened main/INC-1")
		require.Equal(t, [][]string{{"bob@example.org"}}, o.phones["mail"].addressees())
		history, err := o.n.History(10)
		require.NoError(t, err)
		require.True(t, slices.ContainsFunc(history, func(s Sent) bool { return strings.Contains(s.Error, "there is no address of ann;") }), history)
		require.InDelta(t, 1, count(t, o.n.metrics.sent.WithLabelValues("mail", "failed")), 0)
	})
}

func TestATemplateThatFailsIsSeenAndCostsNoMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := open(t, house)
		defer o.stop()
		noon()
		broken, err := message.New("", nil, map[string]message.Override{"hook": {Title: "{{ .Storm.Number }}"}})
		require.NoError(t, err)
		c := *o.n.config.Load()
		c.Templates = broken
		o.n.Reload(c)
		o.core.happen(event.IncidentOpened, 1, func(i *event.IncidentState) { i.AckedAt = 1 })
		o.told("hook", "opened main/INC-1")
		require.Contains(t, o.phones["hook"].message(0).Title, "Down")
		history, err := o.n.History(10)
		require.NoError(t, err)
		require.True(t, slices.ContainsFunc(history, func(s Sent) bool {
			return s.Receiver == "hook" && s.Outcome == "sent" && strings.Contains(s.TemplateError, "Number")
		}), history)
	})
}

func TestChangesThatAreGoneAreCountedAndTheRestIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := open(t, house)
		noon()
		o.core.happen(event.IncidentOpened, 1, nil)
		o.settle()
		o.stop()
		for id := event.IncidentID(2); id < 10; id++ {
			o.core.happen(event.IncidentOpened, id, nil)
		}
		o.core.forget()
		o.start(house)
		defer o.stop()
		time.Sleep(2 * time.Second)
		require.InDelta(t, 1, count(t, o.n.metrics.gaps), 0)
		o.core.happen(event.IncidentOpened, 10, nil)
		o.told("hook", "opened main/INC-1", "opened main/INC-10")
		require.Zero(t, o.n.Lag())
	})
}

func TestAnIncidentThatIsGoneIsToldAsTheChangeKnewIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := open(t, house)
		defer o.stop()
		noon()
		o.core.append(event.Change{Kind: event.IncidentOpened, Incident: &event.IncidentState{
			ID: 9, Tenant: "main", Phase: event.IncidentOpen, Severity: event.Critical, Priority: 1, Title: "Gone",
		}})
		o.told("hook", "opened main/INC-9")
		time.Sleep(time.Hour)
		o.told("hook", "opened main/INC-9")
		o.told("mail", "opened main/INC-9")
	})
}

func TestADiskThatIsFullDelaysAndLosesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := open(t, house)
		defer o.stop()
		full, tries := errors.New("no space left on device"), 0
		o.core.happen(event.IncidentOpened, 1, func(i *event.IncidentState) { i.AckedAt = 1 })
		o.settle()
		o.n.commit(t.Context(), func(tx *tx) error {
			if tries++; tries < 5 {
				require.NoError(t, tx.remember(Sent{Receiver: "other", Outcome: "sent"}), "what a failed attempt wrote is undone")
				if tries > 1 {
					require.Contains(t, o.n.Stalled(), full.Error())
				}
				return full
			}
			return nil
		})
		require.Empty(t, o.n.Stalled())
		history, err := o.n.History(10)
		require.NoError(t, err)
		require.False(t, slices.ContainsFunc(history, func(s Sent) bool { return s.Receiver == "other" }))
	})
}

func TestAReceiverThatFailsForGoodShowsIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := open(t, house)
		defer o.stop()
		noon()
		o.phones["hook"].answer(func() (bool, error) { return true, &receivers.RetryLater{After: time.Hour, Err: errors.New("429")} })
		o.core.happen(event.IncidentOpened, 1, func(i *event.IncidentState) { i.AckedAt = 1 })
		o.settle()
		require.WithinDuration(t, time.Now().Add(time.Hour), o.n.Receivers()[0].RetryAt, time.Second)
		o.phones["hook"].answer(func() (bool, error) { return false, errors.New("410: gone") })
		time.Sleep(time.Hour)
		o.settle()
		st := o.n.Receivers()[0]
		require.Equal(t, "410: gone", st.LastError)
		require.Equal(t, 2, st.Failures)
		require.Zero(t, st.RetryAt)
		require.Zero(t, st.Pending)
	})
}
