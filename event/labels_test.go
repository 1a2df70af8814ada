package event

import (
	"fmt"
	"testing"

	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/require"
)

func TestTheFingerprintIsThatOfPrometheus(t *testing.T) {
	for _, m := range []map[string]string{
		{}, {"alertname": "Down"}, {"alertname": "Down", "instance": "a:9100", "zone": "ü"},
	} {
		var ls Labels
		set := model.LabelSet{}
		for name, value := range m {
			ls = append(ls, Label{name, value})
			set[model.LabelName(name)] = model.LabelValue(value)
		}
		ls, _ = SortLabels(ls)
		require.Equal(t, set.Fingerprint().String(), fmt.Sprintf("%016x", ls.Fingerprint()))
	}
}

func TestSortLabelsDropsEmptyValuesAndNamesADuplicate(t *testing.T) {
	ls, dup := SortLabels(Labels{{"b", "2"}, {"c", ""}, {"a", "1"}})
	require.Empty(t, dup)
	require.Equal(t, Labels{{"a", "1"}, {"b", "2"}}, ls)
	_, dup = SortLabels(Labels{{"b", "2"}, {"a", "1"}, {"b", "3"}})
	require.Equal(t, "b", dup)
}

func TestTheIdentityLeavesOutWhatTwinsDifferIn(t *testing.T) {
	one := Labels{{"alertname", "Down"}, {"replica", "a"}, {"severity", "warning"}}
	two := Labels{{"alertname", "Down"}, {"prometheus_replica", "b"}, {"severity", "critical"}}
	other := Labels{{"alertname", "Down"}, {"job", "x"}}
	id := func(ls Labels, tenant string) uint64 { h, _ := ls.Identity(tenant, nil); return h }
	require.Equal(t, id(one, "main"), id(two, "main"))
	require.NotEqual(t, id(one, "main"), id(two, "acme"), "tenants never share an alert")
	require.NotEqual(t, id(one, "main"), id(other, "main"))
	require.True(t, one.SameIdentity(two))
	require.False(t, one.SameIdentity(other))
	require.False(t, other.SameIdentity(one))
}

func TestSeverityWords(t *testing.T) {
	for word, want := range map[string]Severity{
		"critical": Critical, "PAGE": Critical, "fatal": Critical, "emergency": Critical, "error": Major, "high": Major,
		"major": Major, "minor": Minor, "average": Minor, "warning": Warning, "warn": Warning, "info": Info, "none": Info, "notice": Info,
	} {
		got, known := ParseSeverity(word)
		require.True(t, known, word)
		require.Equal(t, want, got, word)
	}
	got, known := ParseSeverity("sev1")
	require.False(t, known)
	require.Equal(t, Minor, got)
}

func TestLabelsPrintAsASelectorWithQuotesEscaped(t *testing.T) {
	require.Equal(t, `{a="x\"y\\z\n"}`, Labels{{"a", "x\"y\\z\n"}}.String())
	require.Equal(t, CIRef{Name: "db-3", Label: "node"}, Labels{{"instance", "i"}, {"node", "db-3"}}.CI())
}

func TestEachBindLabelKnowsItsPlace(t *testing.T) {
	for i, name := range BindLabels {
		require.EqualValues(t, i+1, BindLabel(name), name)
	}
	require.Zero(t, BindLabel("alertname"))
}
