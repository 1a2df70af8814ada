package evaluate

import (
	"slices"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/simulate/scenario"
)

// judgeCauses asks, for each fault with a line, the incident that holds most of its lines; of two that hold as many the older one.
func judgeCauses(s *scenario.Scenario, o *Outcome) (r RootCause) {
	held := make(map[string]map[event.IncidentID]int, len(s.Faults))
	for i, fault := range s.Truth {
		if fault == "" {
			continue
		}
		if held[fault] == nil {
			held[fault] = map[event.IncidentID]int{}
		}
		if id := o.Incidents[i]; id != 0 {
			held[fault][id]++
		}
	}
	answered, right := 0, 0
	for i := range s.Faults {
		f := &s.Faults[i]
		if held[f.ID] == nil {
			continue
		}
		r.Cases++
		causes := o.Causes[mostHeld(held[f.ID])]
		place := placeOf(causes.Candidates, f.Root)
		if causes.Confident {
			answered++
			if place == 1 {
				right++
			}
		}
		r.take(place)
	}
	if r.Cases == 0 {
		return r
	}
	cases := float64(r.Cases)
	r.Top1, r.Top3, r.MRR, r.Answered = r.Top1/cases, r.Top3/cases, r.MRR/cases, float64(answered)/cases
	if answered > 0 {
		r.PrecisionAnswered = float64(right) / float64(answered)
	}
	return r
}

// take counts one case by the place of the first candidate that is right, 0 when none is.
func (r *RootCause) take(place int) {
	if place == 0 {
		return
	}
	if place == 1 {
		r.Top1++
	}
	if place <= 3 {
		r.Top3++
	}
	r.MRR += 1 / float64(place)
}

func placeOf(candidates []event.Cause, root []string) int {
	return 1 + slices.IndexFunc(candidates, func(c event.Cause) bool { return slices.Contains(root, c.CI) })
}

func mostHeld(lines map[event.IncidentID]int) (most event.IncidentID) {
	for id, n := range lines {
		if best := lines[most]; n > best || n == best && id < most {
			most = id
		}
	}
	return most
}
