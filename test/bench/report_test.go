package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestMediansOfOddAndEvenRuns(t *testing.T) {
	require.Equal(t, measures{"x": 2, "y": 7}, medians([]measures{{"x": 9}, {"x": 1}, {"x": 2, "y": 7}}))
	require.Equal(t, measures{"x": 1.5}, medians([]measures{{"x": 2}, {"x": 1}}))
	require.Empty(t, medians(nil))
}

func TestVerdicts(t *testing.T) {
	ceiling, times := row{target: atMost(3)}, row{target: atLeastTimes(10)}
	require.Equal(t, "met", ceiling.verdict(3, 0, true, false))
	require.Equal(t, "MISSED", ceiling.verdict(3.01, 0, true, false))
	require.Equal(t, "not measured", ceiling.verdict(0, 1, false, true))
	require.Equal(t, "met", times.verdict(100, 10, true, true))
	require.Equal(t, "MISSED", times.verdict(99, 10, true, true))
	require.Equal(t, "not measured", times.verdict(99, 0, true, false))
	require.Empty(t, row{}.verdict(1, 1, true, true))
	require.Equal(t, "≤ 3", ceiling.target.String())
	require.Equal(t, "≥ 10 ×", times.target.String())
}

func TestTheTableComparesMedians(t *testing.T) {
	r := &report{Trials: map[string]map[string][]measures{}, scenarios: []scenario{{id: "a", title: "work", rows: []row{
		{measure: cpuPerMillion, unit: "CPU-s", target: atMost(3)}, {measure: rss, unit: "MB"},
	}}}}
	r.add("a", tocsinName, measures{cpuPerMillion: 2.5, rss: 120})
	r.add("a", alertmanagerName, measures{cpuPerMillion: 50})
	require.Equal(t, [][]string{
		{"scenario", "measure", "Tocsin", "Alertmanager", "ratio", "target", ""},
		{"a work", "CPU-s", "2.5", "50", "0.05 ×", "≤ 3", "met"},
		{"", "MB", "120", "–", "–", "", ""},
	}, r.lines())
}

func TestMarkdownReplacesOnlyWhatStandsBetweenTheMarkers(t *testing.T) {
	path := filepath.Join(t.TempDir(), "BENCHMARKS.md")
	r := &report{Machine: "a machine", Runs: 5}
	require.NoError(t, os.WriteFile(path, []byte("before\n"+markBegin+"\nold\n"+markEnd+"\nafter\n"), 0o600))
	require.NoError(t, r.writeMarkdown(path))
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Regexp(t, `(?s)^before\n<!-- bench:begin -->\n.*medians of 5.*<!-- bench:end -->\nafter\n$`, string(text))
	require.NotContains(t, string(text), "old")

	require.NoError(t, os.WriteFile(path, []byte("no markers"), 0o600))
	require.ErrorContains(t, r.writeMarkdown(path), markBegin)
}

func TestAmountsReadAsPeopleWriteThem(t *testing.T) {
	for n, want := range map[uint64]string{
		50: "50", 1500: "1.5 k", 200_000: "200 k", 1_000_000: "1 M", 1_234_567: "1234567",
	} {
		require.Equal(t, want, amount(n))
	}
}
