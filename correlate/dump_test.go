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
		b.WriteByte('\n')
		for c := range a.Claims() {
			fmt.Fprintf(&b, "  %s %s %s %s–%s silences=%d inhibited=%t %s\n", c.SourceName, c.Labels, c.Phase, c.StartsAt.Time().Format("15:04:05"), ends(c.EndsAt), c.Silences, c.Inhibited, c.Annotations)
		}
	}
	for s := range v.Sources() {
		fmt.Fprintf(&b, "source %s %s active=%d last=%s\n", s.Name, s.Kind, s.Active, s.LastWord.Time().Format("15:04:05"))
	}
	return b.String()
}

func ends(t event.Time) string {
	if t == event.Never {
		return "never"
	}
	return t.Time().Format("15:04:05")
}
