package rules

import (
	"fmt"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/rules/strict"
)

// Settings are the core's deadlines and bounds. All durations are in milliseconds; default.yml says what each means and holds
// its default.
type Settings struct {
	ResolveTimeout    event.Time
	OpenAfter         [6]event.Time // by event.Severity; event.Never: does not open. Clear never opens.
	ResolveHold       event.Time
	ReopenWithin      event.Time
	RecoveredHold     event.Time
	UnconfirmedAfter  event.Time
	SeverityHold      event.Time
	StaleConfirm      event.Time
	RetainCleared     event.Time
	SilenceRetention  event.Time
	LagThreshold      event.Time
	MaxClaimsPerAlert int
	OnsetGap          event.Time
	FlapSteady        event.Time
	MuteWarning       event.Time
	StormOpenings     int
	StormWithin       event.Time
	StormCalm         event.Time
	CloseAfter        event.Time // 0: never
	ReopenClosed      event.Time
	ReviewAfter       event.Time
	UpdateEvery       event.Time
	DiscoveredCIs     int
	DiscoveredFor     event.Time
	ComponentLabels   []string // the first that an alert has names its environment or system
	Correlation
}

const day = 24 * time.Hour

// keys lists those of `settings`, each to be set once in all files.
func (s *Settings) keys(once onceFunc) []key {
	return guard(once, "", []key{
		span("resolve_timeout", &s.ResolveTimeout, 10*time.Second, day, "an alert whose sender repeats it and names no end is over this long after its last word"),
		nested("open_after", s.openAfter(), "how long an alert must have been firing before it opens an incident, by severity"),
		span("resolve_hold", &s.ResolveHold, 0, day, "an incident whose alerts have all been clear this long resolves"),
		span("reopen_within", &s.ReopenWithin, 0, 7*day, "a new firing this soon after an incident was resolved reopens it"),
		span("recovered_hold", &s.RecoveredHold, 0, 7*day, "an incident that somebody owns and that cleared resolves after this"),
		span("unconfirmed_after", &s.UnconfirmedAfter, time.Minute, 90*day, "without word this long an alert from a send-once source is marked unconfirmed; it stays active"),
		span("severity_hold", &s.SeverityHold, 0, time.Hour, "an alert's severity falls only after this; it rises at once"),
		span("stale_confirm", &s.StaleConfirm, time.Second, time.Hour, "a firing that was over before it was read is believed when sent again at least this much later"),
		span("retain_cleared", &s.RetainCleared, time.Minute, 30*day, "cleared alerts are kept in memory this long"),
		span("silence_retention", &s.SilenceRetention, time.Minute, 365*day, "expired silences are kept this long"),
		span("lag_threshold", &s.LagThreshold, time.Second, time.Hour, "a source whose messages come later than this lags: its expiries wait"),
		whole("max_claims_per_alert", &s.MaxClaimsPerAlert, 1, 4096, "sources that can hold a claim on one alert; more are reported"),
		span("onset_gap", &s.OnsetGap, 0, 7*day, "an alert that joins an acknowledged incident after this long without a new one is a second onset and rings again"),
		span("flap_steady", &s.FlapSteady, time.Second, time.Hour, "a damped alert that fires this long without a break counts as firing at once"),
		span("mute_warning", &s.MuteWarning, 0, day, "so long before a silence or a maintenance window ends it says how many alerts still fire under it"),
		whole("storm_openings", &s.StormOpenings, 1, 10_000, "more openings than this within `storm_within` make a storm"),
		span("storm_within", &s.StormWithin, time.Second, time.Hour, "the time over which openings are counted"),
		span("storm_calm", &s.StormCalm, time.Second, day, "a storm is over when the rate has been lower for this long"),
		spanOr("close_after", "never", 0, &s.CloseAfter, 0, 365*day, "an incident that has been resolved this long is closed and does not reopen any more; `never` or `0s`: people close it"),
		span("reopen_closed", &s.ReopenClosed, 0, 90*day, "so long after it was closed a person can still reopen an incident"),
		span("review_after", &s.ReviewAfter, day, 90*day, "the review of a major incident is due this long after it ended"),
		span("update_every", &s.UpdateEvery, time.Minute, day, "in a major incident the next update is due this long after the last, unless that named a time"),
		whole("discovered_cis", &s.DiscoveredCIs, 0, 1_000_000, "so many configuration items are made from alerts that name one nobody has told of; `0`: none"),
		span("discovered_for", &s.DiscoveredFor, time.Minute, 90*day, "a discovered item leaves when it has not been seen for this long, unless somebody confirms it"),
		labelList("component_labels", &s.ComponentLabels, "the first of them that an alert has names its environment or system"),
		nested("correlation", s.Correlation.keys(), "grouping by topology and time, and causes"),
	})
}

func (s *Settings) openAfter() (keys []key) {
	for severity := event.Critical; severity <= event.Info; severity++ {
		help := "the same for " + severity.String()
		switch severity {
		case event.Critical:
			help = "a critical alert that fires this long opens an incident"
		case event.Info:
			help += "; `never`: it joins as evidence only"
		default:
		}
		keys = append(keys, spanOr(severity.String(), "never", event.Never, &s.OpenAfter[severity], 0, day, help))
	}
	return keys
}

// orWord reads one word with a meaning of its own, or a duration.
func orWord(word string, meaning event.Time, dst *event.Time, low, high time.Duration) strict.Value {
	return strict.Scalar(func(text string) error {
		if text == word {
			*dst = meaning
			return nil
		}
		d, err := strict.ParseDuration(text, low, high)
		if err != nil {
			return fmt.Errorf("%w, or %s", err, word)
		}
		*dst = event.FromDuration(d)
		return nil
	})
}

// onlyOnce returns a guard that reports a key set in a second file with both places; within a file Mapping reports it.
func onlyOnce() onceFunc {
	first := map[string]strict.Place{}
	return func(key string, v strict.Value) strict.Value {
		return func(r *strict.Reader, n *yaml.Node) {
			if at, set := first[key]; set {
				r.Problem(n, fmt.Sprintf("already set at %s", at), "set it in one file only")
				return
			}
			first[key] = r.Place(n)
			v(r, n)
		}
	}
}
