package notify

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/notify/message"
)

// squall is a storm that begins now and that one opening set off.
func squall() event.Storm {
	return event.Storm{Number: 1, BeganAt: event.FromTime(time.Now()), Openings: 1, Worst: 2}
}

// opens opens an incident in storm 1.
func (o *office) opens(id event.IncidentID, priority uint8, edit ...func(*event.IncidentState)) {
	o.core.happen(event.IncidentOpened, id, func(i *event.IncidentState) {
		i.Storm, i.Priority = 1, priority
		for _, e := range edit {
			e(i)
		}
	})
}

func shop(i *event.IncidentState) { i.Labels = event.Labels{{Name: "service", Value: "shop"}} }

func done(i *event.IncidentState) { i.Phase = event.IncidentDone }

func TestAStormOfWhatNobodyIsToldOfHoldsNothingBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := open(t, house)
		defer o.stop()
		noon()
		storm := event.Storm{Number: 1, BeganAt: event.FromTime(time.Now()), Openings: 20, Worst: 4}
		for id := event.IncidentID(1); id <= 25; id++ {
			if id == 21 {
				o.core.storm(event.StormBegan, storm)
			}
			o.core.happen(event.IncidentOpened, id, func(i *event.IncidentState) {
				if i.Priority = 4; id > 20 {
					i.Storm = 1
				}
			})
		}
		o.opens(26, 2)
		o.told("hook", "opened main/INC-26")
		o.core.happen(event.IncidentAcknowledged, 26, acked)
		storm.EndedAt = event.FromTime(time.Now())
		o.core.storm(event.StormEnded, storm)
		o.told("hook", "opened main/INC-26")
	})
}

func TestWhatIsWorseThanAllThatAStormToldOfRingsOncePerRise(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := open(t, house)
		defer o.stop()
		noon()
		o.core.happen(event.IncidentOpened, 1, func(i *event.IncidentState) { i.Priority = 3 })
		o.core.storm(event.StormBegan, squall())
		o.opens(2, 3)
		o.told("hook", "opened main/INC-1", "storm_began main/STORM-1")
		o.opens(3, 2)
		o.opens(4, 2)
		o.told("hook", "opened main/INC-1", "storm_began main/STORM-1", "opened main/INC-3")
		o.clear()
		o.opens(5, 2, func(i *event.IncidentState) { i.Impact = 1 })
		o.opens(6, 1)
		o.opens(7, 1)
		o.opens(8, 3)
		o.told("hook", "opened main/INC-5", "opened main/INC-6", "opened main/INC-7")
		over := squall()
		over.EndedAt = event.FromTime(time.Now())
		o.core.storm(event.StormEnded, over)
		o.settle()
		last := o.phones["hook"].message(3)
		require.Contains(t, last.Text, "8 incidents opened, 3 of them were not told singly")
		require.Contains(t, last.Text, "- P1 Down (INC-6)")
	})
}

func TestEachAddresseeHasAStormOfItsOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := open(t, house)
		defer o.stop()
		noon()
		o.stormBegins(squall())
		o.opens(1, 2)
		o.told("hook", "storm_began main/STORM-1")
		o.opens(2, 2)
		o.opens(3, 2, shop)
		o.told("other", "opened main/INC-3")
		o.opens(4, 2, shop)
		o.told("other", "opened main/INC-3", "storm_began main/STORM-1")
		require.Equal(t, 2, o.phones["other"].message(1).Data.Storm.Openings)
		require.Equal(t, 2, o.phones["hook"].message(0).Data.Storm.Openings, "the one before it, and the one that was held back first")
		over := squall()
		over.EndedAt = event.FromTime(time.Now())
		o.core.storm(event.StormEnded, over)
		o.told("hook", "storm_began main/STORM-1", "storm_ended main/STORM-1")
		o.told("other", "opened main/INC-3", "storm_began main/STORM-1", "storm_ended main/STORM-1")
		require.NotContains(t, o.phones["other"].message(2).Text, "INC-1")
		require.Contains(t, o.phones["hook"].message(1).Text, "3 incidents opened, 2 of them were not told singly")
		o.core.happen(event.IncidentReopened, 1, nil)
		o.settle()
		require.Contains(t, o.phones["hook"].titles(), "reopened main/INC-1", "the storm is over")
	})
}

func TestAReceiverThatTwoRoutesNameGetsTwoMessagesOfAStorm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := open(t, strings.Replace(house, "receivers: [other]", "receivers: [hook]", 1))
		defer o.stop()
		noon()
		o.stormBegins(squall())
		o.opens(1, 2, shop)
		o.opens(2, 2, shop)
		o.opens(3, 2)
		o.told("hook", "opened main/INC-1", "storm_began main/STORM-1", "storm_began main/STORM-1")
		require.NotEqual(t, o.phones["hook"].message(1).Key, o.phones["hook"].message(2).Key)
	})
}

func TestAStormsEscalationFollowsTheWorstThatIsOpen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := open(t, house)
		defer o.stop()
		noon()
		o.core.happen(event.IncidentOpened, 1, func(i *event.IncidentState) { i.Priority = 3 })
		o.core.happen(event.IncidentResolved, 1, done)
		o.core.storm(event.StormBegan, squall())
		o.opens(2, 3)
		o.opens(3, 2)
		o.settle()
		o.clear()
		time.Sleep(16 * time.Minute)
		o.told("mail", "escalated main/INC-3", "storm_began main/STORM-1")
		require.Contains(t, o.phones["mail"].message(1).Data.Reason, "nobody has acknowledged it for 15 min", "15 min at priority 2, not an hour")
		o.core.happen(event.IncidentResolved, 3, done)
		o.settle()
		o.clear()
		time.Sleep(40 * time.Minute)
		o.told("mail")
		time.Sleep(5 * time.Minute)
		require.Equal(t, []string{"storm_began main/STORM-1"}, o.phones["mail"].titles(), "an hour at priority 3")
	})
}

func TestAnAcknowledgementEndsAStormForThoseWhomItConcerns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := open(t, house)
		defer o.stop()
		noon()
		o.stormBegins(squall())
		o.opens(1, 2)
		o.opens(2, 2, shop)
		o.core.happen(event.IncidentAcknowledged, 2, acked)
		time.Sleep(16 * time.Minute)
		o.told("mail", "storm_began main/STORM-1", "storm_began main/STORM-1")
		o.core.happen(event.IncidentBegun, 1, acked)
		time.Sleep(time.Hour)
		o.told("mail", "storm_began main/STORM-1", "storm_began main/STORM-1")
	})
}

func TestWhoeverAStepReachedTooHearsOnceThatTheStormIsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := open(t, strings.NewReplacer("[oncall, hook]", "[oncall]", "user: ann, receivers: [mail]", "user: ann, receivers: [hook]", "notify: [team]", "notify: [hook]").Replace(house))
		defer o.stop()
		noon()
		o.stormBegins(squall())
		o.opens(1, 2)
		time.Sleep(16 * time.Minute)
		over := squall()
		over.EndedAt = event.FromTime(time.Now())
		o.core.storm(event.StormEnded, over)
		o.told("hook", "storm_began main/STORM-1", "storm_began main/STORM-1", "storm_ended main/STORM-1")
	})
}

func TestAStormsMessageThatWaitedTellsHowItIs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := open(t, house)
		defer o.stop()
		noon()
		o.stormBegins(squall())
		o.phones["hook"].answer(func() (bool, error) { return true, errors.New("down") })
		for id := event.IncidentID(1); id <= 40; id++ {
			o.opens(id, 2)
		}
		o.settle()
		m := o.phones["mail"].message(0)
		for id := event.IncidentID(41); id <= 60; id++ {
			o.opens(id, 2)
		}
		o.settle()
		o.phones["hook"].answer(nil)
		time.Sleep(10 * time.Second)
		late := o.phones["hook"].message(0)
		require.Equal(t, message.StormBegan, late.Event)
		require.Equal(t, "Storm: 61 incidents and more to come (STORM-1)", late.Title)
		require.LessOrEqual(t, m.Data.Storm.Openings, 41)
		over := squall()
		over.EndedAt = event.FromTime(time.Now())
		o.core.storm(event.StormEnded, over)
		o.settle()
		require.Contains(t, o.phones["hook"].message(1).Text, "… and 40 more")
	})
}

func TestAStormOfWhichOnlyOpeningsAreSeenHoldsBackTheSame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := open(t, house)
		defer o.stop()
		noon()
		for id := event.IncidentID(1); id <= 30; id++ {
			o.opens(id, 2)
		}
		o.settle()
		titles := o.phones["hook"].titles()
		require.Len(t, titles, 21)
		require.Equal(t, "storm_began main/STORM-1", titles[20])
	})
}

func TestARouteThatWantsNoStormsIsToldOfEachIncident(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := open(t, strings.Replace(house, "{services: [shop], receivers: [other], priorities: [1, 2, 3]}", "{receivers: [other], events: [opened]}", 1))
		defer o.stop()
		noon()
		o.stormBegins(squall())
		o.opens(1, 2)
		o.opens(2, 2)
		o.told("other", "opened main/INC-1", "opened main/INC-2")
	})
}

func TestAQuietNightIsNoStorm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := open(t, house) // it is midnight
		defer o.stop()
		o.stormBegins(squall())
		for id := event.IncidentID(1); id <= 5; id++ {
			o.opens(id, 3)
		}
		o.told("mail")
		time.Sleep(7*time.Hour + time.Minute)
		o.told("mail", "digest")
		require.Equal(t, "While it was quiet: 5 incidents", o.phones["mail"].message(0).Title)
	})
}

const staged = `receivers: [{name: hook, webhook: {url: 'http://a.example.org'}}, {name: other, webhook: {url: 'http://b.example.org'}}]
routes:
  - {match: ['environment="staging"', 'severity="critical"'], receivers: [other]}
  - {services: [pay], receivers: [other]}
  - {receivers: [hook]}
`

func TestARouteMatchesTheLabelsThatAllAlertsShare(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := open(t, staged)
		defer o.stop()
		o.core.share(1, map[string]string{"environment": "staging"})
		o.core.happen(event.IncidentOpened, 1, nil)
		o.told("other", "opened main/INC-1")
		o.core.share(1, nil) // an alert of another environment came
		o.core.happen(event.IncidentResolved, 1, done)
		o.told("other", "opened main/INC-1", "resolved main/INC-1")
		o.core.share(2, map[string]string{"environment": "staging", "severity": "page"})
		o.core.happen(event.IncidentOpened, 2, nil)
		o.told("hook", "opened main/INC-2")
		o.core.share(3, map[string]string{"service": "pay"})
		o.core.happen(event.IncidentOpened, 3, nil)
		o.told("other", "opened main/INC-1", "resolved main/INC-1", "opened main/INC-3")
	})
}

func TestAReloadMovesTheEndOfQuietHours(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := open(t, house) // it is midnight
		defer o.stop()
		o.core.happen(event.IncidentOpened, 1, func(i *event.IncidentState) { i.Priority = 3 })
		o.told("mail")
		for _, end := range []string{"09:00", "03:00"} {
			c := *o.n.config.Load()
			c.Settings = parsed(t, strings.Replace(house, "07:00", end, 1))
			o.n.Reload(c)
			time.Sleep(time.Hour)
			o.told("mail")
		}
		time.Sleep(time.Hour + time.Minute)
		o.told("mail", "digest")
	})
}

func TestAReloadWithoutQuietHoursSendsTheDigest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := open(t, house) // it is midnight
		defer o.stop()
		o.core.happen(event.IncidentOpened, 1, func(i *event.IncidentState) { i.Priority = 3 })
		o.told("mail")
		c := *o.n.config.Load()
		c.Settings = parsed(t, strings.Replace(house, "rings: 2", "rings: 5", 1))
		c.Settings.Teams[0].Quiet.Hours = nil
		o.n.Reload(c)
		o.told("mail", "digest")
	})
}

func TestWhatWaitedThroughTheNightIsEscalatedFromTheMorningOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := open(t, house) // it is midnight
		defer o.stop()
		third := func(i *event.IncidentState) { i.Priority = 3 }
		for id := event.IncidentID(1); id <= 3; id++ {
			o.core.happen(event.IncidentOpened, id, third)
		}
		o.core.happen(event.IncidentAcknowledged, 2, acked)
		o.core.happen(event.IncidentResolved, 3, done)
		time.Sleep(7*time.Hour + time.Minute)
		o.told("mail", "digest")
		time.Sleep(time.Hour)
		o.told("mail", "digest", "escalated main/INC-1", "escalated main/INC-1") // at priority 3 both steps after an hour
		require.Contains(t, o.phones["mail"].message(1).Title, "unacknowledged for 1 h 0 min")
		o.core.happen(event.IncidentAcknowledged, 1, acked)
		time.Sleep(3 * time.Hour)
		o.told("mail", "digest", "escalated main/INC-1", "escalated main/INC-1") // at priority 3 both steps after an hour
	})
}
