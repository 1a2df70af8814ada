package e2e_test

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/internal/peers"
)

// buildVersion builds the binary under another version's name.
func buildVersion(t *testing.T, version string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "tocsin-"+version)
	build := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-ldflags", "-X main.version="+version, "-o", path, "./cmd/tocsin")
	build.Dir, build.Env = peers.Root(t), append(os.Environ(), "CGO_ENABLED=0")
	out, err := build.CombinedOutput()
	require.NoError(t, err, string(out))
	return path
}

// version asks a daemon what it is.
func version(t *testing.T, base string) string {
	t.Helper()
	return get[struct {
		Version string `json:"version"`
	}](t, base+"/api/v1/status").Version
}

func TestAnotherVersionTakesOverWhatACrashLeft(t *testing.T) {
	current := peers.TocsinBinary(t)
	t.Setenv("TOCSIN_BIN", buildVersion(t, "1.0.0-old"))
	old := peers.Tocsin(t)
	require.Equal(t, "1.0.0-old", version(t, old.URL))
	for i := range 20 {
		mustPost(t, old.URL, firing(fmt.Sprintf("Upgrade%d", i), "a"), firing(fmt.Sprintf("Upgrade%d", i), "b"))
	}
	mustPost(t, old.URL, over(firing("Upgrade3", "b")))
	acknowledge := func(base, id string) {
		status, answer := send(http.MethodPost, base+"/api/v1/incidents/"+id+"/acknowledge", []byte(`{}`))
		require.Equal(t, http.StatusOK, status, string(answer))
	}
	acknowledge(old.URL, "INC-7")
	before, firingBefore := incidents(t, old.URL), get[[]alert](t, old.URL+"/api/v2/alerts")
	require.Len(t, before, 20)
	require.Len(t, firingBefore, 39)
	old.Kill9()

	t.Setenv("TOCSIN_BIN", current)
	fresh := peers.Tocsin(t, "--data", old.Data)
	require.NotEqual(t, "1.0.0-old", version(t, fresh.URL))
	after := incidents(t, fresh.URL)
	require.Equal(t, before, after)
	require.Equal(t, "anonymous", get[incident](t, fresh.URL+"/api/v1/incidents/INC-7").AcknowledgedBy)
	require.ElementsMatch(t, firingBefore, get[[]alert](t, fresh.URL+"/api/v2/alerts"))

	mustPost(t, fresh.URL, firing("UpgradeNext", "a"))
	require.Equal(t, "UpgradeNext", get[incident](t, fresh.URL+"/api/v1/incidents/INC-21").Labels["alertname"], "numbers go on")
	acknowledge(fresh.URL, "INC-8")
	fresh.Kill9()
	requireSound(t, old.Data)
}
