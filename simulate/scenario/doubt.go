package scenario

import "fmt"

// Doubts are what a scenario may say and hardly means, in the order of its files: each kind once, with how often and the first case.
// Figures of a scenario with doubts are right, but may be about something else than was meant.
func (s *Scenario) Doubts() []string {
	known := make(map[string]bool, len(s.Topology.CIs))
	for _, ci := range s.Topology.CIs {
		known[ci.ID] = true
	}
	relations, alerts, roots, rootless, unseen := doubt{}, doubt{}, doubt{}, doubt{}, doubt{}
	for _, r := range s.Topology.Relations {
		for _, id := range []string{r.From, r.To} {
			if !known[id] {
				relations.add(id)
			}
		}
	}
	for i := range s.Alerts {
		if id := s.Alerts[i].Charged(); id != "" && !known[id] && len(known) > 0 {
			alerts.add(id)
			if alerts.n == 1 {
				alerts.place = fmt.Sprintf(", alert %d", i+1)
			}
		}
	}
	told := map[string]bool{}
	for _, fault := range s.Truth {
		told[fault] = true
	}
	for i := range s.Faults {
		f := &s.Faults[i]
		if len(f.Root) == 0 {
			rootless.add(f.ID)
		}
		for _, id := range f.Root {
			if !known[id] && len(known) > 0 {
				roots.add(id)
			}
		}
		if !told[f.ID] {
			unseen.add(f.ID)
		}
	}
	var out []string
	for _, d := range []struct {
		doubt
		file, one, many string
	}{
		{relations, TopologyFile, "end of a relation is no item of it, and the relation leads nowhere", "ends of relations are no items of it, and those relations lead nowhere"},
		{alerts, AlertsFile, "alert is charged to an item that " + TopologyFile + " lacks", "alerts are charged to items that " + TopologyFile + " lacks"},
		{roots, FaultsFile, "root is no item of " + TopologyFile + ", so that nothing can name it", "roots are no items of " + TopologyFile + ", so that nothing can name them"},
		{rootless, FaultsFile, "fault has no root, and counts as one whose cause is not found", "faults have no root, and count as ones whose cause is not found"},
		{unseen, FaultsFile, "fault has no alert, and does not count", "faults have no alert, and do not count"},
	} {
		if words := d.words(d.one, d.many); words != "" {
			out = append(out, d.file+": "+words)
		}
	}
	return out
}

// doubt counts one kind.
type doubt struct {
	n     int
	first string
	place string // of the first
}

func (d *doubt) add(id string) {
	if d.n == 0 {
		d.first = id
	}
	d.n++
}

func (d *doubt) words(one, many string) string {
	switch d.n {
	case 0:
		return ""
	case 1:
		return fmt.Sprintf("1 %s: %q%s", one, d.first, d.place)
	}
	return fmt.Sprintf("%d %s, the first: %q%s", d.n, many, d.first, d.place)
}
