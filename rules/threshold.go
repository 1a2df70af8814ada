package rules

import (
	"time"

	"gopkg.in/yaml.v3"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/rules/strict"
)

// Threshold lets alerts wait until so many have begun within some time; then they open one incident.
type Threshold struct {
	Rule
	GroupBy  []string // sorted: those with the same values count together; an alert that lacks one is not this rule's
	Count    int
	Within   event.Time
	Severity event.Severity // of the incident; event.Clear: that of its alerts
	Priority uint8          // of the incident; 0: as its severity says
	Title    *Template      // of the incident; nil: as for any other
}

func (t *Threshold) keys(p *parsing) []key {
	t.Within = defaultWithin
	return append(append(t.Rule.keys(p),
		keyList("group_by", &t.GroupBy, "alerts with the same values of these labels count together; one that lacks a label is not this rule's"),
		must(whole("count", &t.Count, 2, 100_000, "so many alerts open one incident; fewer wait")),
		span("within", &t.Within, time.Second, maxWithin, "the time over which they are counted"),
	), outcomeKeys(&t.Severity, &t.Priority, &t.Title)...)
}

func (t *Threshold) check(r *strict.Reader, n *yaml.Node) {
	t.GroupBy = sortedNames(r, n, "group_by", t.GroupBy)
}

// AppendKey appends ls's values of the labels GroupBy: alerts count together iff the appended bytes are equal.
func (t *Threshold) AppendKey(dst []byte, ls event.Labels) []byte {
	return appendValues(dst, t.GroupBy, ls)
}
