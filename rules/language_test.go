package rules

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/event"
)

func input(t testing.TB, pairs ...string) *Input {
	ls := labelSet(t, pairs...)
	return &Input{Labels: ls, Severity: severityOf(ls)}
}

func TestABindingNamesAnItemWhereTheAlertHasItsLabels(t *testing.T) {
	s := mustParse(t, only+`
bind:
  - {name: full, ci: "$cluster/$namespace/${workload}s"}
  - {name: short, match: [kind!="x"], ci: $namespace/$workload}
  - {name: fixed, if: ci.id == "" && labels.workload == "web", ci: "the web $$"}
`)
	require.Equal(t, []Bind{{0, "eu/shop/webs"}, {1, "shop/web"}, {2, "the web $"}}, s.Bindings(input(t, "cluster", "eu", "namespace", "shop", "workload", "web"), nil))
	require.Equal(t, []Bind{{1, "shop/db"}}, s.Bindings(input(t, "namespace", "shop", "workload", "db"), nil))
	require.Empty(t, s.Bindings(input(t, "namespace", "shop"), nil))
	require.Equal(t, "full", s.BindRules[0].Name)
	require.Equal(t, "a.yml:4:5", s.BindRules[0].Place.String())
}

func TestTheComponentIsTheFirstLabelThatIsThere(t *testing.T) {
	s := mustParse(t)
	name, value := s.Component(labelSet(t, "cluster", "eu", "env", "prod"))
	require.Equal(t, "env=prod", name+"="+value)
	name, value = s.Component(labelSet(t, "a", "b"))
	require.Equal(t, "=", name+"="+value)
	s = mustParse(t, "settings: {component_labels: [site]}")
	name, _ = s.Component(labelSet(t, "cluster", "eu", "site", "fra"))
	require.Equal(t, "site", name)
}

func TestOnlyRulesOfOperatorsComeBeforeTheTopology(t *testing.T) {
	s := mustParse(t)
	rule, _ := s.GroupOf(input(t, "alertname", "A", "service", "shop"), nil)
	require.True(t, s.Grouping[rule].Shipped, "the shipped rules come after it")
	rule, key := s.GroupOf(input(t, "alertname", BlindName, "source", "p"), nil)
	require.False(t, s.Grouping[rule].Shipped)
	require.Equal(t, "own", s.Grouping[rule].Name)
	require.Len(t, key, 2)

	s = mustParse(t, `grouping: [{name: mine, if: 'severity != "info"', group_by: [service]}]`)
	rule, key = s.GroupOf(input(t, "service", "shop", "severity", "critical"), nil)
	require.False(t, s.Grouping[rule].Shipped)
	require.Equal(t, "mine", s.Grouping[rule].Name)
	require.Equal(t, labelSet(t, "service", "shop"), key)
	rule, _ = s.GroupOf(input(t, "service", "shop", "severity", "info"), nil)
	require.True(t, s.Grouping[rule].Shipped)
	rule, _ = s.Group(labelSet(t, "service", "shop", "severity", "info"), nil)
	require.Equal(t, "alone", s.Grouping[rule].Name, "the condition sees the severity of the label")
}

func TestRulesWithTwoSidesListTheSidesOfAnAlertInOrder(t *testing.T) {
	s := mustParse(t, `
links:
  - {name: l0, effect: join, a: {match: [alertname="A"]}, b: {match: [alertname="B"]}, equal: [rack, zone]}
  - {name: l1, effect: keep_apart, a: {match: [zone!=""]}, b: {if: 'labels.alertname == "A"'}, within: 1m}
sequences:
  - {name: s0, first: {match: [alertname="B"]}, then: {match: [alertname="A"]}, priority: P2, title: "$alertname"}
absences:
  - {name: a0, after: {match: [alertname="A"]}, expect: {match: [alertname="B"]}, equal: [zone], title: nothing in $zone}
`)
	a, b := input(t, "alertname", "A", "rack", "r", "zone", "z"), input(t, "alertname", "B", "zone", "z")
	require.Equal(t, []LinkSide{{0, false}, {1, false}, {1, true}}, s.Links(a, nil))
	require.Equal(t, []LinkSide{{1, false}}, s.Links(b, nil), "without a rack it is on no side of the first")
	require.Equal(t, []SequenceSide{{0, true}}, s.Sequences(a, nil))
	require.Equal(t, []SequenceSide{{0, false}}, s.Sequences(b, nil))
	require.Equal(t, []AbsenceSide{{0, false}}, s.Absences(a, nil))
	require.True(t, s.LinkRules[1].KeepApart)
	require.Equal(t, event.Minute, s.LinkRules[1].Within)
	require.Equal(t, 5*event.Minute, s.LinkRules[0].Within)
	require.Equal(t, "r\xffz\xff", string(s.LinkRules[0].AppendKey(nil, a.Labels)))
	require.Equal(t, uint8(2), s.SequenceRules[0].Priority)
	require.Equal(t, event.Major, s.AbsenceRules[0].Severity, "the default")
	require.Equal(t, "nothing in z", s.AbsenceRules[0].Title.Fill(a.Labels))
	require.Empty(t, (*Template)(nil).Fill(a.Labels))
}

func TestAThresholdCountsAlertsThatHaveItsLabels(t *testing.T) {
	s := mustParse(t, `
thresholds:
  - {name: logins, match: [alertname="LoginFailed"], group_by: [host, user], count: 20, within: 2m, severity: major, title: "logins of $user on $host"}
  - {name: any, if: 'severity == "critical"', count: 3}
`)
	in := input(t, "alertname", "LoginFailed", "host", "h", "severity", "critical", "user", "u")
	require.Equal(t, []int{7, 0, 1}, s.Thresholds(in, []int{7}))
	require.Equal(t, []int{}, s.Thresholds(input(t, "alertname", "LoginFailed", "host", "h"), []int{}))
	require.Equal(t, "h\xffu\xff", string(s.ThresholdRules[0].AppendKey(nil, in.Labels)))
	require.Equal(t, "logins of u on h", s.ThresholdRules[0].Title.Fill(in.Labels))
	require.Equal(t, event.Major, s.ThresholdRules[0].Severity)
}

func TestTheFirstRuleThatMatchesTreatsAnAlert(t *testing.T) {
	s := mustParse(t, `
suppress: [{name: lab, match: [env="lab"], reason: nobody cares, for: 1h}]
priorities:
  - {name: exact, match: [env="lab"], severity: info, priority: P5}
  - {name: bounds, match: [env="test"], severity: {at_most: warning}, priority: {at_least: P4, at_most: P3}}
teams: [{name: db, match: ['job=~"mysql|postgres"'], team: dba}, {name: rest, team: ops}]
`)
	lab := input(t, "env", "lab", "job", "mysql")
	require.Equal(t, "nobody cares", s.SuppressRules[s.Suppress(lab)].Reason)
	require.Equal(t, event.Hour, s.SuppressRules[0].For)
	require.Equal(t, "InfoInhibitor", s.SuppressRules[s.Suppress(input(t, "alertname", "InfoInhibitor", "severity", "none"))].Name)
	require.Equal(t, -1, s.Suppress(input(t, "env", "prod")))
	exact, bounds := &s.PriorityRules[s.Priority(lab)], &s.PriorityRules[s.Priority(input(t, "env", "test"))]
	require.Equal(t, event.Info, exact.Severity(event.Critical))
	require.Equal(t, event.Clear, exact.Severity(event.Clear))
	require.Equal(t, uint8(5), exact.Priority(1))
	require.Equal(t, event.Warning, bounds.Severity(event.Critical))
	require.Equal(t, event.Info, bounds.Severity(event.Info))
	require.Equal(t, uint8(3), bounds.Priority(1))
	require.Equal(t, uint8(4), bounds.Priority(5))
	require.Equal(t, -1, s.Priority(input(t)))
	require.Equal(t, "dba", s.TeamRules[s.Team(lab)].Team)
	require.Equal(t, "ops", s.TeamRules[s.Team(input(t))].Team)
}

func TestIdentityLeavesOutWhatRulesSay(t *testing.T) {
	s := mustParse(t, "identity: {ignore: [pod_ip, uid]}", "identity: {ignore: [uid, endpoint]}")
	require.Equal(t, []string{"endpoint", "pod_ip", "uid"}, s.IdentityLabels())
	require.Empty(t, mustParse(t).IdentityLabels())
}

func TestWhatMatchesNothingAllocatesNothing(t *testing.T) {
	s := mustParse(t, manyRules(100))
	in := input(t, "alertname", "Unknown", "cluster", "eu-1", "instance", "i", "severity", "warning")
	key, sides, numbers, binds := make(event.Labels, 0, 8), make([]SideMatch, 0, 8), make([]int, 0, 8), make([]Bind, 0, 8)
	scratch := &Scratch{}
	require.Zero(t, testing.AllocsPerRun(100, func() {
		s.Normalise(in, scratch)
		binds = s.Bindings(in, binds[:0])
		_, key = s.GroupOf(in, key)
		sides = s.Absences(in, s.Sequences(in, s.Links(in, sides[:0])))
		numbers = append(s.Thresholds(in, numbers[:0]), s.Suppress(in), s.Priority(in), s.Team(in))
	}))
	require.Equal(t, []int{-1, -1, -1}, numbers)
	require.Empty(t, append(binds, make([]Bind, len(sides))...))
}
