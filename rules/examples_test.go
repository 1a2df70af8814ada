package rules

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTheExamplesAreRight(t *testing.T) {
	names, err := filepath.Glob("../examples/rules/*.yml")
	require.NoError(t, err)
	require.Len(t, names, 4)
	var files []File
	for _, name := range names {
		text, err := os.ReadFile(name)
		require.NoError(t, err)
		files = append(files, File{Name: filepath.Base(name), Text: text})
	}
	s, err := Parse(files)
	require.NoError(t, err)
	require.Empty(t, s.Warnings)
	in := input(t, "alertname", "Slow", "hostname", "fra-db-03", "service", "ledger", "severity", "critical")
	in.Labels, _ = s.Normalise(in, &Scratch{})
	require.Equal(t, `{alertname="Slow", host="fra-db-03", owner="core-banking", region="eu", role="db", service="ledger", severity="critical", site="Frankfurt"}`, in.Labels.String())
	require.Equal(t, []Bind{{0, "Frankfurt/fra-db-03"}}, s.Bindings(in, nil))
	require.Equal(t, "ledger is urgent", s.PriorityRules[s.Priority(in)].Name)
	require.Equal(t, "operations", s.TeamRules[s.Team(in)].Team)
}
