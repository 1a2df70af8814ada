package rules

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/event"
)

func labelSet(t testing.TB, pairs ...string) event.Labels {
	t.Helper()
	var ls event.Labels
	for i := 0; i < len(pairs); i += 2 {
		ls = append(ls, event.Label{Name: pairs[i], Value: pairs[i+1]})
	}
	set, duplicate := event.SortLabels(ls)
	require.Empty(t, duplicate)
	return set
}

func mustParse(t testing.TB, texts ...string) *Set {
	t.Helper()
	var files []File
	for i, text := range texts {
		files = append(files, File{Name: string(rune('a'+i)) + ".yml", Text: []byte(text)})
	}
	s, err := Parse(files)
	require.NoError(t, err)
	return s
}

func TestTheShippedRulesGroupByServiceThenAlertnameThenAlone(t *testing.T) {
	s := mustParse(t)
	require.Len(t, s.Grouping, 4)
	for _, c := range []struct {
		name   string
		labels []string
		rule   string
		key    []string
	}{
		{"service wins over alertname", []string{"alertname", "A", "service", "shop", "instance", "i"}, "service", []string{"service", "shop"}},
		{"optional labels tell apart", []string{"alertname", "A", "service", "shop", "cluster", "eu"}, "service", []string{"cluster", "eu", "service", "shop"}},
		{"no service", []string{"alertname", "A", "job", "node", "instance", "i"}, "alertname", []string{"alertname", "A", "job", "node"}},
		{"nothing shared", []string{"instance", "i", "severity", "page", "replica", "a"}, "alone", []string{"instance", "i"}},
		{"no labels at all", nil, "alone", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			rule, key := s.Group(labelSet(t, c.labels...), nil)
			require.Equal(t, c.rule, s.Grouping[rule].Name)
			require.Equal(t, labelSet(t, c.key...), key)
		})
	}
}

func TestGroupingTakesTheFirstRuleThatMatchesAndIsComplete(t *testing.T) {
	s := mustParse(t, `
grouping:
  - {name: eu db, match: ['team="db"', 'region=~"eu-.*"'], group_by: [host], window: open}
  - {name: db, match: [team="db"], group_by: [], window: 30s}
  - {name: web or cdn, match: ['team=~"web|cdn"'], group_by: [alertname]}
  - {name: rest of us, match: ['region!=""'], group_by: [region]}
`)
	for _, c := range []struct {
		labels []string
		rule   string
	}{
		{[]string{"team", "db", "region", "eu-1", "host", "h"}, "eu db"},
		{[]string{"team", "db", "region", "eu-1"}, "db"}, // host is missing, so the rule before does not take it
		{[]string{"team", "db", "region", "us-1", "host", "h"}, "db"},
		{[]string{"team", "cdn", "alertname", "A", "region", "us"}, "web or cdn"},
		{[]string{"team", "web", "region", "us"}, "rest of us"},
		{[]string{"team", "web"}, "alone"},
		{[]string{"team", "cdn|web", "alertname", "A"}, "alone"},
	} {
		rule, _ := s.Group(labelSet(t, c.labels...), nil)
		require.Equal(t, c.rule, s.Grouping[rule].Name, "%v", c.labels)
	}
	require.Zero(t, s.Grouping[0].Window)
	require.Equal(t, 30*event.Second, s.Grouping[1].Window)
	require.Equal(t, event.Hour, s.Grouping[2].Window, "the default")
	require.Equal(t, "a.yml:3:5", s.Grouping[0].Place.String())
}

func TestGroupingAllocatesNothing(t *testing.T) {
	s := mustParse(t)
	sets := []event.Labels{
		labelSet(t, "alertname", "A", "service", "shop", "instance", "i", "cluster", "c"),
		labelSet(t, "alertname", "A", "instance", "i"),
		labelSet(t, "instance", "i", "severity", "page"),
	}
	key, dst := make(event.Labels, 0, 8), make([]int, 0, 8)
	require.Zero(t, testing.AllocsPerRun(100, func() {
		for _, ls := range sets {
			_, key = s.Group(ls, key)
			dst = s.SourceRules(ls, dst[:0])
		}
	}))
}
