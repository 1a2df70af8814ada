package correlate

import (
	"fmt"
	"strings"

	"github.com/tocsin-noc/tocsin/event"
)

// dump prints everything that a view tells of the state, so that two states can be compared.
func dump(v *View) string {
	var b strings.Builder
	for i := range v.Incidents() {
		fmt.Fprintf(&b, "%s %s %s P%d %q alerts=%d firing=%d expired=%d suppressed=%d", i.ID, i.Phase, i.Severity, i.Priority, i.Title, i.Alerts, i.Firing, i.Expired, i.Suppressed)
		if i.SignalLost {
			b.WriteString(" signal-lost")
		}
		if i.AckedBy != "" {
			b.WriteString(" acked by " + i.AckedBy)
		}
		if i.ClearSince != 0 {
			b.WriteString(" clear since " + i.ClearSince.Time().Format("15:04:05"))
		}
		for _, extra := range []struct {
			name string
			at   event.Time
		}{{"worse", i.WorseAt}, {"snoozed", i.SnoozedUntil}, {"held", i.HeldUntil}} {
			if extra.at != 0 {
				b.WriteString(" " + extra.name + " " + extra.at.Time().Format("15:04:05"))
			}
		}
		if i.Storm != 0 || i.Damped != 0 || i.Heartbeat != 0 {
			fmt.Fprintf(&b, " storm=%d damped=%d heartbeat=%d", i.Storm, i.Damped, i.Heartbeat)
		}
		b.WriteByte('\n')
		for a := range v.Members(i.ID) {
			fmt.Fprintf(&b, "  member %s\n", a.ID())
		}
	}
	for a := range v.Alerts() {
		st := a.State()
		rule, key := "", event.Labels(nil)
		if a.HasGroup() {
			rule, key = a.Group()
		}
		fmt.Fprintf(&b, "%s %s %s %s %s incident=%d starts=%s group=%s%s n=%d", st.ID, a.Labels(), st.Phase, st.Severity, st.Reason, st.Incident, st.StartsAt.Time().Format("15:04:05"), rule, key, st.Occurrences)
		if st.Suppressed {
			b.WriteString(" suppressed")
		}
		if st.Flap.Damped {
			fmt.Fprintf(&b, " damped, %d changes since %s", st.Flap.Changes, st.Flap.Since.Time().Format("15:04:05"))
		}
		b.WriteByte('\n')
		for c := range a.Claims() {
			fmt.Fprintf(&b, "  %s %s %s %s–%s silences=%d inhibited=%t %s\n", c.SourceName, c.Labels, c.Phase, c.StartsAt.Time().Format("15:04:05"), ends(c.EndsAt), c.Silences, c.Inhibited, c.Annotations)
		}
	}
	for s := range v.Sources() {
		fmt.Fprintf(&b, "source %s %s active=%d last=%s\n", s.Name, s.Kind, s.Active, s.LastWord.Time().Format("15:04:05"))
	}
	for _, w := range v.desk.Windows {
		fmt.Fprintf(&b, "window %s %s–%s open %s–%s warned=%t\n", w.Name, w.StartsAt, w.EndsAt, w.OpenAt, w.CloseAt, w.Warned)
	}
	for _, h := range v.desk.Beats {
		fmt.Fprintf(&b, "heartbeat %d %q of %s lost %s\n", h.Number, h.Name, h.Alert, h.LostAt)
	}
	for _, t := range v.desk.Storms {
		if t.Number != 0 {
			fmt.Fprintf(&b, "storm %+v %d\n", t.Storm, len(t.Recent))
		}
	}
	for _, k := range v.desk.Books {
		fmt.Fprintf(&b, "book %s signed %s by %s, %d notes\n", k.Team, k.SignedAt, k.SignedBy, len(k.Notes))
	}
	return b.String()
}

func ends(t event.Time) string {
	if t == event.Never {
		return "never"
	}
	return t.Time().Format("15:04:05")
}
