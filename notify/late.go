package notify

import (
	"context"
	"html"
	"strings"
	"time"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/notify/message"
)

// lateAfter is the age from which a message that waited is held against what has become of its incident.
const lateAfter = 10 * time.Second

// current returns a message as it should be read now: an escalation that waited for its receiver says so when somebody has the incident by
// now, for who is woken by it need not get up; a storm's message has the counts of now. Its key stays the same.
func (n *Notifier) current(ctx context.Context, m message.Message) message.Message {
	if m.Event == message.StormBegan {
		return n.recount(m)
	}
	if m.Event != message.Escalated || m.Data.Incident == nil || n.o.Now().Sub(m.At) < lateAfter {
		return m
	}
	now, err := n.o.Source.Incident(ctx, incidentOf(m.Subject))
	if err != nil {
		return m // it tells what was true
	}
	what := ""
	switch {
	case now.State.Phase != event.IncidentOpen:
		what = "it is over by now"
	case now.State.AckedAt != 0 && now.State.WorseAt == 0:
		what = "acknowledged meanwhile by " + n.person(now.State.AckedBy)
	default:
		return m
	}
	m.Title = "Late, " + what + ": " + m.Title
	m.Text = "This comes late: " + what + ".\n" + m.Text
	m.HTML = strings.Replace(m.HTML, "</h2>", "</h2>\n<p>This comes late: "+html.EscapeString(what)+".</p>", 1)
	return m
}
