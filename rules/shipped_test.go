package rules

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

func names(list []*Head) (out []string) {
	for _, h := range list {
		out = append(out, h.Name)
	}
	return out
}

func TestAShippedRuleHasANameOfItsOwnByWhichItIsSwitchedOff(t *testing.T) {
	taken := shippedFiles()
	for _, r := range mustParse(t).Rules() {
		require.True(t, r.Shipped || r.Name == "own", r.Name)
		require.NotEmpty(t, r.Name)
		if r.Section == "bind" && slices.Contains(taken, r.Name) {
			continue // two sides of one thing: what a label says, and the item it names
		}
		require.NotContains(t, taken, r.Name)
		taken = append(taken, r.Name)
	}
	require.Empty(t, mustParse(t).Warnings)
}

func TestNoShippedRuleHidesACriticalAlert(t *testing.T) {
	s := mustParse(t)
	for _, severity := range []string{"critical", "page", "fatal", "emergency", "CRITICAL", "crit", "error", "high", "major", "unknown", ""} {
		for _, name := range []string{"InfoInhibitor", "KubePodCrashLooping", "A", ""} {
			in := input(t, "alertname", name, "namespace", "n", "severity", severity)
			in.Labels, _ = s.Normalise(in, &Scratch{})
			require.Empty(t, s.TargetRules(in.Labels, nil), "%s", in.Labels)
			require.Equal(t, -1, s.Suppress(in), "%s", in.Labels)
		}
	}
	require.Empty(t, s.PriorityRules)
	require.Empty(t, s.TeamRules)
}

func TestAWarningIsMutedByTheCriticalAlertOfItsNameInItsNamespace(t *testing.T) {
	s := mustParse(t)
	critical := labelSet(t, "alertname", "A", "namespace", "n", "pod", "p", "severity", "critical")
	warning := labelSet(t, "alertname", "A", "namespace", "n", "severity", "warning")
	require.Equal(t, []string{"critical mutes warning and info"}, names([]*Head{&s.Inhibit[s.SourceRules(critical, nil)[0]].Head}))
	require.Equal(t, s.SourceRules(critical, nil), s.TargetRules(warning, nil))
	in := &s.Inhibit[s.TargetRules(warning, nil)[0]]
	require.Equal(t, in.AppendEqual(nil, critical), in.AppendEqual(nil, warning))
	require.Empty(t, s.TargetRules(labelSet(t, "alertname", "A", "severity", "warning"), nil), "not outside a namespace")
}

func TestAShippedRuleNeverBindsAnAlertThatNamesItsItem(t *testing.T) {
	s := mustParse(t, `bind: [{name: mine, match: [x="y"], ci: mine}]`)
	require.Greater(t, len(s.BindRules), 5)
	labels := []string{"pod", "web-bcdfgh-bcdfg", "namespace", "shop", "cluster", "eu", "sysname", "r1", "interface", "eth0", "peer", "10.0.0.1", "instance", "https://shop.example.org/", "workload", "web", "host", "h"}
	refs := func(more ...string) (out []string) {
		for _, b := range s.Bindings(input(t, append(slices.Clone(labels), more...)...), nil) {
			out = append(out, b.Ref)
		}
		return out
	}
	require.Equal(t, []string{"h", "eu/shop/pod/web-bcdfgh-bcdfg", "shop/pod/web-bcdfgh-bcdfg", "eu/shop/deployment/web", "shop/deployment/web", "r1/eth0", "r1/10.0.0.1"}, refs(),
		"a pod that somebody told of comes before its Deployment")
	require.Empty(t, refs("ci", "told"))
	require.Empty(t, refs("ci_id", "told"))
	require.Equal(t, []string{"mine"}, refs("ci", "told", "x", "y"), "an operator's rule comes first")
}

func TestShippedRulesAreSwitchedOffByNameOrByFile(t *testing.T) {
	count := func(s *Set) int { return len(s.Rules()) }
	all := mustParse(t)
	require.Empty(t, mustParse(t, "disable: [watchdog]").Heartbeats)
	require.Len(t, mustParse(t, "disable: [alertname]").Grouping, 3)
	require.Equal(t, []string{"critical mutes warning and info", "info without company"}, names(heads(mustParse(t, "disable: [warning mutes info]").Inhibit)))
	s := mustParse(t, "disable: [kubernetes.yml, InfoInhibitor]")
	require.Empty(t, s.Inhibit)
	require.Empty(t, s.SuppressRules)
	require.Less(t, count(s), count(all))
	_, err := Parse([]File{{"a.yml", []byte("disable: [watchdg]")}})
	require.EqualError(t, err, `a.yml:1:11: disable: nothing that is shipped is called "watchdg"; did you mean "watchdog"?`)
}

func TestARuleWithAShippedNameTakesItsPlaceAndOperatorsComeFirst(t *testing.T) {
	s := mustParse(t, `
suppress: [{name: mine, match: [a="b"], reason: r}, {name: InfoInhibitor, match: [a="c"], reason: r}]
bind: [{name: mine, ci: $a}]
normalise: [{name: mine, set: {a: b}}, {name: severity words, set: {c: d}}]
`)
	require.Equal(t, []string{"mine", "InfoInhibitor"}, names(heads(s.SuppressRules)))
	require.False(t, s.SuppressRules[1].Shipped)
	require.Equal(t, "mine", s.BindRules[0].Name)
	require.True(t, s.BindRules[1].Shipped)
	last := len(s.NormaliseRules)
	require.Equal(t, []string{"mine", "severity words"}, names(heads(s.NormaliseRules[last-2:])), "labels are normalised by the shipped ones first")
	require.NotContains(t, names(heads(s.NormaliseRules[:last-1])), "severity words")
}

func TestInhibitionRulesOfAFileTakeThePlaceOfTheShippedOnes(t *testing.T) {
	require.Empty(t, mustParse(t, "inhibit_rules: []").Inhibit)
	require.Len(t, mustParse(t, "inhibit_rules: [{source_matchers: [a=b], target_matchers: [a=c]}]").Inhibit, 1)
	require.Len(t, mustParse(t, "settings: {}").Inhibit, 3)
}

func TestTheVersionIsThatOfTheTexts(t *testing.T) {
	require.Equal(t, mustParse(t).Version, mustParse(t).Version)
	require.NotEqual(t, mustParse(t).Version, mustParse(t, "settings: {}").Version)
	require.NotEqual(t, mustParse(t, "settings: {} ").Version, mustParse(t, "settings: {}").Version)
	require.Len(t, mustParse(t).Version, 12)
}

func TestTheShippedWeightsAreThoseOfTheMethod(t *testing.T) {
	w := &mustParse(t).Settings.Weights
	require.Equal(t, []int{200, 100, 100}, []int{w.Of("host"), w.Of("service"), w.Of("")})
	w = &mustParse(t, "settings: {correlation: {topology: off, weights: {classes: {database: 150, host: 100}}}}").Settings.Weights
	require.Equal(t, []int{100, 150}, []int{w.Of("host"), w.Of("database")})
}

func TestWarningsNameWhatCannotWork(t *testing.T) {
	for text, want := range map[string]string{
		`teams: [{name: a, team: x}, {name: b, match: [c="d"], team: y}]`:                                                    `this rule takes every alert; the rules after it are never tried; move it to the end`,
		`teams: [{name: a, match: [c="d"], team: x}, {name: b, match: [e="f", c="d"], team: y}]`:                             `this rule is never tried: "a" at a.yml:1:9 takes all that it matches; move it before that`,
		`suppress: [{name: a, match: [c="d", c="e"], reason: r}]`:                                                            `this rule can never match: nothing satisfies all it asks of the label "c"`,
		`suppress: [{name: a, match: ['c=~"d|e"', 'c!~"[a-f]"'], reason: r}]`:                                                `this rule can never match`,
		`suppress: [{name: a, match: [c="d"], if: 'labels.c in ["e"]', reason: r}]`:                                          `this rule can never match`,
		`suppress: [{name: a, reason: r}]`:                                                                                   `this rule keeps every alert quiet`,
		`thresholds: [{name: a, count: 3}]`:                                                                                  `this rule counts all alerts together`,
		`thresholds: [{name: a, match: [c="d"], group_by: [h], count: 3, title: $c on $h of $x}]`:                            `$x is not among the labels that all alerts of the rule share`,
		`sequences: [{name: a, first: {match: [x="y"]}, then: {match: [x="z"]}, title: $host}]`:                              `$host is not among`,
		"identity: {ignore: [uid]}\ngrouping: [{name: a, group_by: [uid]}]":                                                  `identity.ignore names "uid": reports of one alert differ in it`,
		`bind: [{name: a, match: [pod=""], ci: $pod}]`:                                                                       `$pod is never there`,
		`normalise: [{name: a, match: [pod=""], derive: {labels: {b: $pod}}}]`:                                               `$pod is never there`,
		`links: [{name: a, effect: join, a: {}, b: {match: [c="d"]}}]`:                                                       `one side of this rule takes every alert`,
		`tables: [{name: a, values: {b: c}}]`:                                                                                `nothing looks this table up`,
		"settings: {retain_cleared: 1h}\nlinks: [{name: a, effect: join, a: {match: [b=c]}, b: {match: [b=d]}, within: 2h}]": `is longer than alerts that have cleared are remembered (retain_cleared: 1h)`,
	} {
		s := mustParse(t, text)
		require.Len(t, s.Warnings, 1, text)
		require.ErrorContains(t, s.Warnings, want, text)
	}
	for _, text := range []string{
		`teams: [{name: a, match: [c="d"], if: 'severity == "info"', team: x}, {name: b, match: [c="d"], team: y}, {name: c, team: z}]`,
		`suppress: [{name: a, match: [c="d", 'c!="e"'], reason: r}]`,
		`grouping: [{name: a, match: [c="d"], group_by: [e]}, {name: b, match: [c="d"], group_by: []}]`,
	} {
		require.Empty(t, mustParse(t, text).Warnings, text)
	}
}

func TestEveryRuleCanBeCited(t *testing.T) {
	s := mustParse(t, manyRules(10))
	seen := 0
	for _, r := range s.Rules() {
		require.NotEmpty(t, r.Section)
		if !r.Shipped && r.Name != "own" {
			require.Equal(t, "a.yml", r.Place.File)
			require.Positive(t, r.Place.Line)
			seen++
		}
	}
	require.Equal(t, 10, seen)
}
