package notify

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/event"
)

func TestAnEscalationThatComesAfterTheAcknowledgementSaysSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := open(t, house)
		defer o.stop()
		noon()
		o.core.happen(event.IncidentOpened, 1, nil)
		o.told("mail", "opened main/INC-1")
		o.phones["mail"].answer(func() (bool, error) { return true, errors.New("down") })
		time.Sleep(15*time.Minute + time.Second) // the escalation waits
		o.core.happen(event.IncidentAcknowledged, 1, func(i *event.IncidentState) { i.AckedAt, i.AckedBy = 1, "u-bob" })
		time.Sleep(time.Minute)
		o.phones["mail"].answer(nil)
		time.Sleep(10 * time.Minute)
		o.told("mail", "opened main/INC-1", "escalated main/INC-1")
		m := o.phones["mail"].message(1)
		require.Contains(t, m.Title, "Late, acknowledged meanwhile by BOB: P2 unacknowledged for 15 min")
		require.Contains(t, m.Text, "This comes late: acknowledged meanwhile by BOB.\n")
		require.Contains(t, m.HTML, "<p>This comes late: acknowledged meanwhile by BOB.</p>")
	})
}
