package api

import (
	"strings"
	"time"

	"github.com/prometheus/alertmanager/matcher/parse"
	"github.com/prometheus/alertmanager/pkg/labels"

	"github.com/tocsin-noc/tocsin/event"
)

// parseFilter reads filter= parameters, each one matcher as Alertmanager writes it.
func parseFilter(filters []string) (labels.Matchers, error) {
	var ms labels.Matchers
	for _, text := range filters {
		m, err := parse.Matcher(text)
		if err != nil {
			return nil, invalid("filter: "+err.Error(), `a filter is one matcher, as in severity=~"critical|major"; give several as several filter=`)
		}
		ms = append(ms, m)
	}
	return ms, nil
}

// matches tells whether all matchers match the label set; a label that is not there is the empty text.
func matches(ms labels.Matchers, ls event.Labels) bool {
	for _, m := range ms {
		if !m.Matches(ls.Get(m.Name)) {
			return false
		}
	}
	return true
}

// contains tells whether any of the texts holds q, in any case. q is lower case.
func contains(q string, texts ...string) bool {
	for _, t := range texts {
		if strings.Contains(strings.ToLower(t), q) {
			return true
		}
	}
	return false
}

// parseSince reads an instant, or a span before now.
func parseSince(text string, now event.Time) (event.Time, error) {
	if text == "" {
		return 0, nil
	}
	if t, err := time.Parse(time.RFC3339Nano, text); err == nil {
		return event.FromTime(t), nil
	}
	if d, err := parseSpan(text); err == nil {
		return now - event.FromDuration(d), nil
	}
	return 0, invalid("since: "+text+" is no time", "write 2026-11-21T03:00:00Z, or a span such as 8h")
}
