package alertmanager

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func documentation(t *testing.T) string {
	text, err := os.ReadFile("../../docs/alertmanager.md")
	require.NoError(t, err)
	return string(text)
}

func TestEveryListedDifferenceIsDocumented(t *testing.T) {
	text := documentation(t)
	for _, s := range readAnswers(t, ourDifferences) {
		require.Contains(t, text, `("`+s.Name+`")`)
	}
}

func TestWhatIsMountedIsDocumented(t *testing.T) {
	text := documentation(t)
	for pattern := range newDaemon(t, fixed).Handlers() {
		_, path, ok := strings.Cut(pattern, " ")
		if !ok {
			path = pattern
		}
		require.Contains(t, text, strings.TrimSuffix(path, "/"))
	}
	require.Contains(t, text, CompatibleVersion)
}
