package rules

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/event"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func TestBadFilesAreReportedWithEveryProblemAndItsPlace(t *testing.T) {
	names, err := filepath.Glob("testdata/bad/*.yml")
	require.NoError(t, err)
	require.NotEmpty(t, names)
	for _, name := range names {
		t.Run(filepath.Base(name), func(t *testing.T) {
			text, err := os.ReadFile(name)
			require.NoError(t, err)
			_, err = Parse([]File{{Name: "rules/" + filepath.Base(name), Text: text}})
			require.IsType(t, Errors{}, err)
			golden := strings.TrimSuffix(name, ".yml") + ".txt"
			if *update {
				require.NoError(t, os.WriteFile(golden, []byte(err.Error()+"\n"), 0o644))
			}
			want, readErr := os.ReadFile(golden)
			require.NoError(t, readErr)
			require.Equal(t, string(want), err.Error()+"\n")
		})
	}
}

func TestTheShippedSettingsAreWhatOperatorsWerePromised(t *testing.T) {
	require.Equal(t, Settings{
		ResolveTimeout:    5 * event.Minute,
		OpenAfter:         [6]event.Time{event.Never, 0, 0, 2 * event.Minute, 2 * event.Minute, event.Never},
		ResolveHold:       5 * event.Minute,
		ReopenWithin:      10 * event.Minute,
		RecoveredHold:     30 * event.Minute,
		UnconfirmedAfter:  event.Day,
		SeverityHold:      event.Minute,
		StaleConfirm:      30 * event.Second,
		RetainCleared:     event.Day,
		SilenceRetention:  5 * event.Day,
		LagThreshold:      event.Minute,
		MaxClaimsPerAlert: 64,
		OnsetGap:          10 * event.Minute,
		FlapSteady:        3 * event.Minute,
		MuteWarning:       15 * event.Minute,
		StormOpenings:     20,
		StormWithin:       event.Minute,
		StormCalm:         5 * event.Minute,
		CloseAfter:        7 * event.Day,
		ReopenClosed:      event.Day,
		ReviewAfter:       5 * event.Day,
		UpdateEvery:       30 * event.Minute,
		DiscoveredCIs:     20_000,
		DiscoveredFor:     event.Day,
		ComponentLabels:   []string{"system", "environment", "env", "cluster"},
		Correlation: Correlation{
			Topology: true, JoinWithin: 2 * event.Minute, Decay: event.Minute, ComponentDecay: 12 * event.Second, Threshold: 10,
			HopDiscountPercent: 50, AdoptWithin: event.Minute, SilentSharePercent: 20, SilentSurprise: 7000,
			ReonsetAge: 2 * event.Minute, ReonsetItems: 5, ReonsetExcess: 20_000, SettleAfter: 10 * event.Minute,
			MaxIncidentAge: event.Day, MaxIncidentAlerts: 100_000, ConfidentMargin: 2000, LearningIncidents: 30,
			Weights:              Weights{Metric: 100, Trace: 30, Other: 100, Classes: []Class{{"host", 200}}},
			InstanceSharePercent: 60, InstanceTollPercent: 75,
		},
	}, mustParse(t).Settings)
	for _, in := range mustParse(t).Inhibit {
		require.False(t, in.MatchesTarget(labelSet(t, "alertname", "InfoInhibitor", "namespace", "n", "severity", "critical")), "nothing hides a critical alert on a fresh install")
	}
}

func TestAFileOverridesSingleSettingsAndKeepsTheRest(t *testing.T) {
	s := mustParse(t, "settings: {resolve_hold: 1h30m, open_after: {warning: never}}", "settings: {severity_hold: 0s, open_after: {minor: 1d}}", "")
	want := mustParse(t).Settings
	want.ResolveHold, want.SeverityHold = 90*event.Minute, 0
	want.OpenAfter[event.Warning], want.OpenAfter[event.Minor] = event.Never, event.Day
	require.Equal(t, want, s.Settings)
	require.Len(t, s.Grouping, 4, "grouping rules stay the shipped ones")
}

func TestASettingInTwoFilesNamesBothPlaces(t *testing.T) {
	_, err := Parse([]File{
		{Name: "b.yml", Text: []byte("settings:\n  resolve_hold: 6m\n  open_after: {info: 1m}\n")},
		{Name: "a.yml", Text: []byte("# first\nsettings:\n  open_after: {info: 2m}\n  resolve_hold: 5m\n")},
	})
	require.EqualError(t, err, "b.yml:2:17: resolve_hold: already set at a.yml:4:17; set it in one file only\n"+
		"b.yml:3:22: info: already set at a.yml:3:22; set it in one file only")
}

func TestGroupingListsConcatenateInTheOrderOfFileNamesAndReplaceTheShippedOnes(t *testing.T) {
	s, err := Parse([]File{
		{Name: "20.yml", Text: []byte("grouping: [{name: c, group_by: []}]")},
		{Name: "10.yml", Text: []byte("grouping: [{name: a, group_by: [x]}, {name: b, group_by: [y]}]")},
		{Name: "30.yml", Text: []byte("settings:\n")},
	})
	require.NoError(t, err)
	var names []string
	for _, g := range s.Grouping {
		names = append(names, g.Name)
	}
	require.Equal(t, []string{"a", "b", "c", "own", "alone"}, names)
	require.Len(t, mustParse(t, "grouping: []").Grouping, 2, "an empty list leaves every alert alone")
}

func TestProblemsOfSeveralFilesComeTogetherSortedByPlace(t *testing.T) {
	_, err := Parse([]File{
		{Name: "b.yml", Text: []byte("grouping: [{name: x, group_by: []}]")},
		{Name: "c.yml", Text: []byte("grouping: [{name: x, group_by: []}]\nsettings: {resolve_hold: 2d}")},
		{Name: "a.yml", Text: []byte("colour: red")},
	})
	require.EqualError(t, err, "a.yml:1:1: colour: unknown key; known here: settings, tables, normalise, identity, bind, grouping, links, thresholds, sequences, absences, inhibit_rules, suppress, priorities, teams, heartbeats, disable\n"+
		"c.yml:1:12: name: the name \"x\" is taken at b.yml:1:12; give the rule another name\n"+
		"c.yml:2:26: resolve_hold: must be at most 1d (got \"2d\")")
}

func TestRulesThatLookWrongAreWarnedAbout(t *testing.T) {
	s := mustParse(t, "grouping: [{name: all, group_by: []}, {name: never tried, group_by: [x]}]\n"+
		"inhibit_rules: [{source_matchers: [a=b]}]")
	require.EqualError(t, s.Warnings, "a.yml:1:12: grouping: this rule takes every alert; the rules after it are never tried; move it to the end\n"+
		"a.yml:2:17: inhibit_rules: an inhibition rule without source or target matchers matches every alert on that side")
	require.Empty(t, mustParse(t, "grouping: [{name: all, group_by: []}]").Warnings)
}

func TestAnAliasBombIsRefusedInsteadOfExpanded(t *testing.T) {
	list := "[" + strings.Repeat("x,", 400) + "x]"
	bomb := "inhibit_rules:\n- &r {equal: " + list + "}\n" + strings.Repeat("- *r\n", 400)
	_, err := Parse([]File{{Name: "bomb.yml", Text: []byte(bomb)}})
	require.ErrorContains(t, err, "aliases multiply this file's values too often")
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("grouping: [{name: a, match: ['a=\"b\"'], group_by: [x], optional: [y], window: 5m}]"), "a", "b")
	for _, file := range Shipped() {
		f.Add(file.Text, "service", "shop")
	}
	f.Add([]byte("inhibit_rules: [{source_match: {a: b}, target_match_re: {a: b|c}, equal: [x]}]"), "a", "c")
	f.Add([]byte("suppress: [{name: a, if: 'labels.a == \"b\" && [\"x\"].exists(p, labels.c.startsWith(p))', reason: r, for: 1h}]"), "a", "b")
	f.Add([]byte("tables: [{name: t, values: {a: b, c: {d: e}}}]\nnormalise: [{name: n, look_up: {table: t, key: a, into: {b: value}}, derive: {from: a, matching: '(.)', labels: {c: $1-$a}}}]"), "a", "c")
	f.Add([]byte("links: [{name: l, effect: keep_apart, a: {if: size(labels.a) > 2}, b: {match: [a=b]}, equal: [a]}]\nabsences: [{name: l, after: {}, expect: {}, title: $a}]"), "a", "ccc")
	f.Add([]byte("tables: &a\n- name: x\n  values: {y: *a}\n"), "", "")
	bad, err := filepath.Glob("testdata/bad/*.yml")
	require.NoError(f, err)
	for _, name := range bad {
		text, err := os.ReadFile(name)
		require.NoError(f, err)
		f.Add(text, "a", "b")
	}
	f.Fuzz(func(t *testing.T, text []byte, name, value string) {
		s, err := Parse([]File{{Name: "f.yml", Text: text}})
		if err != nil {
			require.NotEmpty(t, err.(Errors))
			for _, p := range err.(Errors) {
				require.NotEmpty(t, p.Place.File, "%s", p)
				require.NotEmpty(t, p.Message)
			}
			return
		}
		ls, _ := event.SortLabels(event.Labels{{Name: name, Value: value}})
		rule, key := s.Group(ls, nil)
		require.Less(t, rule, len(s.Grouping))
		require.LessOrEqual(t, len(key), len(ls))
		in := &Input{Labels: ls, Severity: event.Info, CI: value, Class: value, Overruns: make([]uint64, len(s.Rules()))}
		made, changed := s.Normalise(in, &Scratch{})
		require.Equal(t, changed, !made.Equal(ls))
		in.Labels = made
		s.Bindings(in, nil)
		sides := s.Links(in, s.Sequences(in, s.Absences(in, nil)))
		require.LessOrEqual(t, len(sides), 2*(len(s.LinkRules)+len(s.SequenceRules)+len(s.AbsenceRules)))
		require.LessOrEqual(t, len(s.Thresholds(in, nil)), len(s.ThresholdRules))
		require.Less(t, s.Suppress(in), len(s.SuppressRules))
		require.Less(t, s.Priority(in), len(s.PriorityRules))
		require.Less(t, s.Team(in), len(s.TeamRules))
	})
}
