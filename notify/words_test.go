package notify

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/notify/message"
)

func TestADigestTellsOfAnIncidentOnceTheMostUrgentFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := open(t, house) // it is midnight
		defer o.stop()
		for _, id := range []event.IncidentID{3, 1, 2} {
			o.core.happen(event.IncidentOpened, id, func(i *event.IncidentState) { i.Priority = 3 })
		}
		o.core.happen(event.IncidentWorse, 2, nil)
		o.core.happen(event.IncidentResolved, 3, func(i *event.IncidentState) { i.Phase = event.IncidentDone })
		time.Sleep(7 * time.Hour)
		o.settle()
		digest := o.phones["mail"].message(0)
		require.Equal(t, "While it was quiet: 3 incidents", digest.Title)
		var ids []string
		for _, it := range digest.Data.Digest {
			ids = append(ids, it.Incident.ID+" "+string(it.Event))
			require.Equal(t, message.DataVersion, it.Version)
			require.Equal(t, digest.Key+"/"+it.Incident.ID, it.Key)
		}
		require.Equal(t, []string{"INC-1 opened", "INC-2 worse", "INC-3 resolved"}, ids)
		require.Contains(t, digest.Text, "- P3 worse than acknowledged: Down (INC-2) – before: opened")
		require.Contains(t, digest.Text, "- Resolved: Down (INC-3) – before: opened")
	})
}

func TestAnIncidentThatGoesUpAndDownAllNightStaysOneLine(t *testing.T) {
	var items []message.Data
	for range 100 {
		for _, e := range []message.Event{message.Reopened, message.Resolved} {
			items = folded(append(items, message.Data{Event: e, Tenant: "main", Incident: &message.Incident{ID: "INC-1", Priority: 3}}))
		}
	}
	require.Len(t, items, 1)
	items = folded(append(items, message.Data{Event: message.Opened, Incident: &message.Incident{ID: "INC-2", Priority: 4}},
		message.Data{Event: message.Opened, Incident: &message.Incident{ID: "INC-3", Priority: 1}}))
	require.Equal(t, "INC-3", items[0].Incident.ID, "the most urgent first")
	require.Equal(t, "INC-1", items[2].Incident.ID, "it is over")
	items = items[2:]
	require.Len(t, items[0].Earlier, maxEarlier)
	require.Equal(t, message.Reopened, items[0].Earlier[maxEarlier-1])
}

func TestAMuteThatEndsSaysWhichOneItIs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := open(t, house)
		defer o.stop()
		noon()
		o.core.append(event.Change{Kind: event.SilenceEnding, Count: 1, Silence: &event.Silence{
			ID: "5f", Tenant: "main", CreatedBy: "u-bob", Comment: "disk swap", EndsAt: event.FromTime(time.Now().Add(15 * time.Minute)),
			Matchers: []event.Matcher{{Name: "instance", Value: "db-.*", IsRegex: true, IsEqual: true}, {Name: "job", Value: "x"}},
		}})
		o.core.append(event.Change{Kind: event.WindowEnding, Count: 1, Window: &event.Window{
			ID: "7a", Tenant: "main", Name: "patching", CIs: []string{"db-3"}, CloseAt: event.FromTime(time.Now().Add(15 * time.Minute)),
		}})
		o.settle()
		text := o.phones["hook"].message(0).Text
		for _, want := range []string{`{instance=~"db-.*", job!="x"}`, "Set by BOB for: disk swap", "Silence 5f"} {
			require.Contains(t, text, want)
		}
		require.Contains(t, o.phones["hook"].message(1).Text, `under the window "patching"`)
		require.Contains(t, o.phones["hook"].message(1).Text, "It is about db-3.")
	})
}

func TestAnEscalationOfWhatGotWorseSaysSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := open(t, house)
		defer o.stop()
		noon()
		o.core.happen(event.IncidentOpened, 1, nil)
		o.core.happen(event.IncidentAcknowledged, 1, func(i *event.IncidentState) { i.AckedAt, i.AckedBy = 1, "u-bob" })
		o.settle()
		o.core.happen(event.IncidentWorse, 1, func(i *event.IncidentState) { i.WorseAt = 2 })
		time.Sleep(16 * time.Minute)
		o.settle()
		last := o.phones["mail"].message(len(o.phones["mail"].titles()) - 1)
		require.Equal(t, message.Escalated, last.Event)
		require.Contains(t, last.Title, "worse, and unacknowledged for 15 min")
		require.Contains(t, last.Text, "Nobody has acknowledged what came since: step 2 of 3.")
		require.Contains(t, last.Text, "Acknowledged by BOB before it got worse.")
		require.Equal(t, 1, strings.Count(last.Title+last.Text, "15 min"), "one span, said once")
	})
}

func TestKeysCarryTheInstanceAlsoAfterAReload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := open(t, house)
		defer o.stop()
		noon()
		o.n.o.Instance = "3f2a9c1e"
		o.n.Reload(*o.n.config.Load())
		o.core.happen(event.IncidentOpened, 1, nil)
		o.settle()
		m := o.phones["hook"].message(0)
		require.True(t, strings.HasPrefix(m.Key, "3f2a9c1e/0."), m.Key)
		require.Equal(t, "3f2a9c1e/main/INC-1", m.Group())
		history, err := o.n.History(10)
		require.NoError(t, err)
		require.Equal(t, "main/INC-1", history[0].Subject)
	})
}
