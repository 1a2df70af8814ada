package alertmanager

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/rules"
)

const usualConfig = `
global:
  resolve_timeout: 10m
  slack_api_url: https://hooks.example/SECRET
route:
  receiver: team
  group_by: [cluster, severity, alertname]
  group_wait: 30s
  routes:
    - matchers: ['team="db"', 'env=~"prod|stage"']
      group_by: [service]
      receiver: db
      continue: true
      routes:
        - match: {kind: disk}
          match_re: {mount: /data.*}
          group_wait: 10s
    - match: {team: net}
      receiver: db
      mute_time_intervals: [nights]
inhibit_rules:
  - source_match: {severity: critical}
    target_match_re: {severity: warning|info}
    equal: [cluster]
  - name: named
    source_matchers: [alertname="NodeDown"]
    target_matchers: ['team=~"db|net"']
receivers:
  - name: team
    slack_configs: [{channel: '#x', api_url: https://hooks.example/SECRET}]
  - name: db
    webhook_configs: [{url: 'https://hook.example/?token=SECRET'}]
time_intervals:
  - name: nights
templates: ['*.tmpl']
tracing: {endpoint: x}
`

func TestRoutesBecomeGroupingRulesInTheOrderTheyAreTried(t *testing.T) {
	c, err := ReadConfig("am.yml", []byte(usualConfig))
	require.NoError(t, err)
	require.Equal(t, `settings:
    resolve_timeout: 10m
grouping:
    - name: alertmanager/0/0
      match: [team="db", env=~"prod|stage", kind="disk", mount=~"/data.*"]
      group_by: []
      optional: [service]
    - name: alertmanager/0
      match: [team="db", env=~"prod|stage"]
      group_by: []
      optional: [service]
    - name: alertmanager/1
      match: [team="net"]
      group_by: []
      optional: [cluster, alertname]
    - name: alertmanager
      group_by: []
      optional: [cluster, alertname]
inhibit_rules:
    - source_match:
        severity: critical
      target_match_re:
        severity: warning|info
      equal:
        - cluster
    - name: named
      source_matchers:
        - alertname="NodeDown"
      target_matchers:
        - team=~"db|net"
`, string(c.Rules.Text))
	set, err := rules.Parse([]rules.File{c.Rules})
	require.NoError(t, err)
	require.Equal(t, 10*event.Minute, set.Settings.ResolveTimeout)
	ls := event.Labels{{Name: "alertname", Value: "x"}, {Name: "team", Value: "net"}}
	rule, key := set.Group(ls, nil)
	require.Equal(t, "alertmanager/1", set.Grouping[rule].Name)
	require.Equal(t, `{alertname="x"}`, key.String())
}

func TestNothingOfAConfigurationIsLeftOutSilently(t *testing.T) {
	c, err := ReadConfig("am.yml", []byte(usualConfig))
	require.NoError(t, err)
	require.Equal(t, strings.TrimPrefix(`
am.yml:4: global.slack_api_url: not carried over: Tocsin's notifications have a configuration of their own
am.yml:6: group_by: severity is left out: reports of one alert differ in it
am.yml:6: group_wait: not carried over: it says when and how to notify (2 times)
am.yml:10: continue: not carried over: an alert is in one incident, that of the first rule that takes it
am.yml:18: mute_time_intervals: not carried over: it says when and how to notify
am.yml:30: receivers.slack_configs: not carried over: Tocsin's notifications have a configuration of their own
am.yml:32: receivers.webhook_configs: not carried over: Tocsin's notifications have a configuration of their own
am.yml:34: time_intervals: not carried over
am.yml:35: templates: not carried over
am.yml:36: tracing: unknown, without effect`, "\n"), c.Warnings.Error())
}

func TestTheShownConfigurationHoldsNoSecretAndReadsAgain(t *testing.T) {
	c, err := ReadConfig("am.yml", []byte(usualConfig))
	require.NoError(t, err)
	require.NotContains(t, c.Original, "SECRET")
	again, err := ReadConfig("am.yml", []byte(c.Original))
	require.NoError(t, err)
	require.Equal(t, string(c.Rules.Text), string(again.Rules.Text))
	require.Equal(t, c.Original, again.Original)
}

func TestGroupingWithoutACounterpartFallsBackAndSaysSo(t *testing.T) {
	for name, c := range map[string]struct {
		route, warning string
		rules          []string
	}{
		"no group_by": {"{receiver: x}", "route.group_by: Alertmanager would put all alerts into one group", []string{"service", "alertname", "own", "alone"}},
		"no group_by but below": {
			"{receiver: x, routes: [{match: {a: b}, group_by: [c]}]}", "shipped rules", []string{"alertmanager/0", "service", "alertname", "own", "alone"},
		},
		"all labels":       {"{receiver: x, group_by: ['...']}", "", []string{"own", "alone"}},
		"all labels below": {"{receiver: x, group_by: [a], routes: [{match: {a: b}, group_by: ['...']}]}", "on the first route only", []string{"alertmanager", "own", "alone"}},
		"inherited":        {"{receiver: x, group_by: [a], routes: [{match: {a: b}}]}", "", []string{"alertmanager/0", "alertmanager", "own", "alone"}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := ReadConfig("am.yml", []byte("route: "+c.route))
			require.NoError(t, err)
			require.Equal(t, c.warning == "", got.Warnings == nil)
			require.Contains(t, got.Warnings.Error(), c.warning)
			set, err := rules.Parse([]rules.File{got.Rules})
			require.NoError(t, err)
			var names []string
			for _, g := range set.Grouping {
				names = append(names, g.Name)
			}
			require.Equal(t, c.rules, names)
		})
	}
}

func TestAResolveTimeoutOutOfBoundsIsTakenAsTheBound(t *testing.T) {
	for given, taken := range map[string]event.Time{"1s": 10 * event.Second, "2w": event.Day, "7m": 7 * event.Minute} {
		c, err := ReadConfig("am.yml", []byte("global: {resolve_timeout: "+given+"}\nroute: {receiver: x, group_by: [a]}"))
		require.NoError(t, err)
		set, err := rules.Parse([]rules.File{c.Rules})
		require.NoError(t, err)
		require.Equal(t, taken, set.Settings.ResolveTimeout)
	}
}

func TestAConfigurationThatIsNoneIsRefused(t *testing.T) {
	for text, want := range map[string]string{
		"":                                      "am.yml: no route provided in configuration",
		"receivers: []":                         "am.yml: no route provided in configuration",
		"route: [":                              "am.yml: yaml:",
		"route: {routes: 5}":                    "am.yml: yaml:",
		"route: {matchers: [x], group_by: [a]}": "must be matchers such as",
		"route: {group_by: [a]}\ninhibit_rules: [{source_matchers: ['a=~\"(\"']}]": "must be matchers such as",
	} {
		_, err := ReadConfig("am.yml", []byte(text))
		require.ErrorContains(t, err, want, text)
	}
}

func TestAConfigurationWithoutInhibitionMutesNothing(t *testing.T) {
	c, err := ReadConfig("am.yml", []byte("route: {receiver: a, group_by: [alertname]}\nreceivers: [{name: a}]\n"))
	require.NoError(t, err)
	require.Contains(t, string(c.Rules.Text), "inhibit_rules: []\n")
	set, err := rules.Parse([]rules.File{c.Rules})
	require.NoError(t, err)
	require.Empty(t, set.Inhibit, "the shipped rules stay out: Alertmanager would mute nothing")
}
