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
}

const day = 24 * time.Hour

// fields lists the keys of `settings` with their ranges, each to be set once in all files.
func (s *Settings) fields(once func(key string, v strict.Value) strict.Value) []strict.Field {
	span := func(key string, dst *event.Time, low, high time.Duration) strict.Field {
		return strict.Field{Key: key, Value: once(key, strict.Duration(dst, time.Millisecond, low, high))}
	}
	return []strict.Field{
		span("resolve_timeout", &s.ResolveTimeout, 10*time.Second, day),
		{Key: "open_after", Value: s.openAfter(once)},
		span("resolve_hold", &s.ResolveHold, 0, day),
		span("reopen_within", &s.ReopenWithin, 0, 7*day),
		span("recovered_hold", &s.RecoveredHold, 0, 7*day),
		span("unconfirmed_after", &s.UnconfirmedAfter, time.Minute, 90*day),
		span("severity_hold", &s.SeverityHold, 0, time.Hour),
		span("stale_confirm", &s.StaleConfirm, time.Second, time.Hour),
		span("retain_cleared", &s.RetainCleared, time.Minute, 30*day),
		span("silence_retention", &s.SilenceRetention, time.Minute, 365*day),
		span("lag_threshold", &s.LagThreshold, time.Second, time.Hour),
		{Key: "max_claims_per_alert", Value: once("max_claims_per_alert", strict.Int(&s.MaxClaimsPerAlert, 1, 4096))},
		span("onset_gap", &s.OnsetGap, 0, 7*day),
		span("flap_steady", &s.FlapSteady, time.Second, time.Hour),
		span("mute_warning", &s.MuteWarning, 0, day),
		{Key: "storm_openings", Value: once("storm_openings", strict.Int(&s.StormOpenings, 1, 10_000))},
		span("storm_within", &s.StormWithin, time.Second, time.Hour),
		span("storm_calm", &s.StormCalm, time.Second, day),
		{Key: "close_after", Value: once("close_after", orWord("never", 0, &s.CloseAfter, 0, 365*day))},
		span("reopen_closed", &s.ReopenClosed, 0, 90*day),
		span("review_after", &s.ReviewAfter, day, 90*day),
		span("update_every", &s.UpdateEvery, time.Minute, day),
		{Key: "discovered_cis", Value: once("discovered_cis", strict.Int(&s.DiscoveredCIs, 0, 1_000_000))},
		span("discovered_for", &s.DiscoveredFor, time.Minute, 90*day),
	}
}

func (s *Settings) openAfter(once func(key string, v strict.Value) strict.Value) strict.Value {
	var fields []strict.Field
	for severity := event.Critical; severity <= event.Info; severity++ {
		key := severity.String()
		fields = append(fields, strict.Field{Key: key, Value: once("open_after."+key, orNever(&s.OpenAfter[severity]))})
	}
	return strict.Mapping(fields...)
}

// orNever reads a duration up to a day, or the word never.
func orNever(dst *event.Time) strict.Value {
	return orWord("never", event.Never, dst, 0, day)
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
func onlyOnce() func(key string, v strict.Value) strict.Value {
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
