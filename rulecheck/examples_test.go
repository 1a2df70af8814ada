package rulecheck

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTheExamplesPass(t *testing.T) {
	names, err := filepath.Glob("../examples/rules/tests/*.yml")
	require.NoError(t, err)
	require.Len(t, names, 2)
	for _, r := range run(t, Options{}, names...) {
		require.True(t, r.Passed, "%s\n%s", r.Name, strings.Join(r.Lines(), "\n"))
	}
}
