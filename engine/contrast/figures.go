package contrast

import "github.com/tocsin-noc/tocsin/event"

// Figures sum up what one set of rules made of the alerts that began while it was watched.
type Figures struct {
	Alerts      int            // occurrences: each time that an alert began to fire
	Incidents   int            // that the machine opened
	Reopened    int            // by the machine
	Pages       int            // openings and reopenings at P1 or P2 that no storm held back
	InIncidents int            // occurrences that are in an incident
	Quiet       map[string]int // those that are in none, by their reason
	Compression float64        // 1 − (incidents + alerts in none) / alerts
	PerIncident float64        // occurrences in an incident, the mean
}

// Figures returns the sums so far.
func (w *World) Figures() Figures {
	f := Figures{Incidents: w.openings, Reopened: w.again, Pages: w.pages, Quiet: map[string]int{}}
	holding := map[event.IncidentID]bool{}
	for i := range w.occurrences {
		o := &w.occurrences[i]
		if o.before {
			continue
		}
		f.Alerts++
		if o.now == 0 {
			f.Quiet[o.reason.String()]++
			continue
		}
		f.InIncidents++
		holding[w.survivor(o.now, false)] = true
	}
	if len(holding) > 0 {
		f.PerIncident = float64(f.InIncidents) / float64(len(holding))
	}
	if f.Alerts > 0 {
		f.Compression = 1 - float64(len(holding)+f.Alerts-f.InIncidents)/float64(f.Alerts)
	}
	return f
}

// Size returns how many occurrences of alerts the world remembers.
func (w *World) Size() int { return len(w.occurrences) }
