package e2e_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/internal/peers"
)

func TestAPageOfAnotherSiteCannotWriteAndAnotherNameIsNotAnswered(t *testing.T) {
	t.Parallel()
	d := peers.Tocsin(t)
	mustPost(t, d.URL, firing("Guarded", "guarded"))
	opened := incidents(t, d.URL)
	require.Len(t, opened, 1)
	for _, header := range [][2]string{{"Origin", "https://evil.example"}, {"Sec-Fetch-Site", "cross-site"}} {
		for path, body := range map[string]string{
			"/api/v1/incidents/" + opened[0].ID + "/acknowledge": `{}`,
			"/api/v1/admin/snapshot":                             ``,
			"/api/v2/alerts":                                     `[{"labels":{"alertname":"Forged","instance":"forged"}}]`,
			"/api/v2/silences":                                   `{}`,
			"/webhook/alertmanager":                              `{}`,
			"/-/reload":                                          ``,
		} {
			status, answer := send(http.MethodPost, d.URL+path, []byte(body), header[0], header[1])
			require.Equal(t, http.StatusForbidden, status, "%s: %s", path, answer)
			require.Contains(t, string(answer), "foreign_origin", path)
		}
	}
	for _, path := range []string{"/api/v1/incidents", "/api/v2/alerts", "/", "/metrics"} {
		status, answer := send(http.MethodGet, d.URL+path, nil, "Host", "rebound.example")
		require.Equal(t, http.StatusForbidden, status, "%s: %s", path, answer)
		require.NotContains(t, string(answer), "Guarded", path)
	}
	require.Equal(t, map[string]int{"guarded": 1}, instances(t, d.URL))
	require.Equal(t, opened, incidents(t, d.URL))
}

func TestADaemonForEverybodyDoesNotStart(t *testing.T) {
	t.Parallel()
	for _, listen := range []string{"0.0.0.0:0", ":0", "[::]:0"} {
		out, code := tool(t, "serve", "--data", t.TempDir(), "--listen", listen)
		require.Equal(t, 2, code, out)
		require.Contains(t, out, "listening beyond loopback without authentication")
		require.Contains(t, out, "--token-file")
	}
}
