package evaluate

import (
	"math"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/simulate/scenario"
)

// Report holds the figures of a scenario. Its JSON names are part of the format of scenarios. Shares are between 0 and 1.
type Report struct {
	Alerts    int `json:"alerts"`    // lines
	Incidents int `json:"incidents"` // that hold a line
	Faults    int `json:"faults"`    // that have a line
	// Compression is the share of lines that a person need not look at: 1 − incidents/alerts, where a line in no incident counts as one.
	Compression float64 `json:"compression"`
	Agreement
	FragmentsPerFault float64   `json:"fragments_per_fault"` // clusters that hold lines of a fault, the mean
	FaultsPerIncident float64   `json:"faults_per_incident"` // faults in an incident that holds lines of any, the mean
	RootCause         RootCause `json:"root_cause"`

	EventsPerSecond float64 `json:"events_per_second"` // lines by the time inside Step
	DecisionP99     float64 `json:"decision_p99_us"`   // of stepping one line

	NoIncident      float64               `json:"in_no_incident"` // share of lines in no incident: suppressed, over before they opened one, or never opening
	Churn           float64               `json:"id_churn"`       // share of occurrences whose incident's id changed later than 60 s after they had got one
	FalseJoins      float64               `json:"false_joins"`    // share of noise lines that share an incident with another alert
	ReplayIdentical *bool                 `json:"replay_identical,omitempty"`
	Baselines       map[string]*Agreement `json:"baselines,omitempty"`
}

// RootCause says how often the root cause of a fault was found, over the faults that have a line.
type RootCause struct {
	Cases             int     `json:"cases"`
	Top1              float64 `json:"top1"`               // share of cases in which the first candidate is right
	Top3              float64 `json:"top3"`               // and one of the first three
	MRR               float64 `json:"mrr"`                // mean of 1/place of the first that is right
	Answered          float64 `json:"answered"`           // share of cases in which people were told a name
	PrecisionAnswered float64 `json:"precision_answered"` // share of those in which it was right
}

// Truth returns the clustering of the lines by fault. A line of noise is a cluster of its own.
func Truth(s *scenario.Scenario) Clustering {
	numbers := map[string]int32{"": Alone}
	c := make(Clustering, len(s.Truth))
	for i, fault := range s.Truth {
		number, ok := numbers[fault]
		if !ok {
			number = int32(len(numbers))
			numbers[fault] = number
		}
		c[i] = number
	}
	return c
}

// Clustering returns the clustering of the lines by incident. A line in no incident is a cluster of its own.
func (o *Outcome) Clustering() Clustering {
	c := make(Clustering, len(o.Incidents))
	for i, id := range o.Incidents {
		if c[i] = int32(id); id == 0 {
			c[i] = Alone
		}
	}
	return c
}

// Judge holds the outcome of a replay against the scenario's truth.
func Judge(s *scenario.Scenario, o *Outcome) *Report {
	truth := Truth(s)
	r := &Report{
		Alerts: len(s.Alerts), Agreement: Compare(truth, o.Clustering()), RootCause: judgeCauses(s, o), Churn: o.Churn,
		EventsPerSecond: float64(len(s.Alerts)) / math.Max(o.Elapsed.Seconds(), 1e-9),
		DecisionP99:     float64(o.Latency.Quantile(.99).Nanoseconds()) / 1000,
	}
	r.count(s, o)
	return r
}

// count fills in what is counted and not compared.
func (r *Report) count(s *scenario.Scenario, o *Outcome) {
	type overlap struct {
		fault    string
		incident event.IncidentID
	}
	incidents, faults, overlaps, guilty := map[event.IncidentID]bool{}, map[string]bool{}, map[overlap]bool{}, map[event.IncidentID]bool{}
	alone, fragments := 0, 0
	for i, id := range o.Incidents {
		fault := s.Truth[i]
		if id == 0 {
			alone++
		} else {
			incidents[id] = true
		}
		if fault == "" {
			continue
		}
		faults[fault] = true
		switch {
		case id == 0:
			fragments++
		case !overlaps[overlap{fault, id}]:
			overlaps[overlap{fault, id}] = true
			guilty[id] = true
			fragments++
		}
	}
	r.Incidents, r.Faults = len(incidents), len(faults)
	r.Compression = 1 - share(float64(len(incidents)+alone), float64(len(o.Incidents)))
	r.NoIncident = float64(alone) / math.Max(1, float64(len(o.Incidents)))
	r.FragmentsPerFault = float64(fragments) / math.Max(1, float64(len(faults)))
	r.FaultsPerIncident = float64(len(overlaps)) / math.Max(1, float64(len(guilty)))
	r.FalseJoins = falseJoins(s, o)
}

// falseJoins is the share of noise lines in an incident that another alert is in too. What only repeats, or fires again, is the same
// alert.
func falseJoins(s *scenario.Scenario, o *Outcome) float64 {
	first, mixed := map[event.IncidentID]uint64{}, map[event.IncidentID]bool{}
	for i, id := range o.Incidents {
		if id == 0 {
			continue
		}
		if other, ok := first[id]; !ok {
			first[id] = o.Identity[i]
		} else if other != o.Identity[i] {
			mixed[id] = true
		}
	}
	noise, joined := 0, 0
	for i, fault := range s.Truth {
		if fault != "" {
			continue
		}
		if noise++; mixed[o.Incidents[i]] {
			joined++
		}
	}
	return float64(joined) / math.Max(1, float64(noise))
}
