package chdbtest_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/history/chdb/chdbtest"
)

func TestNotEvenTheWriterReachesFilesOutsideOrTheNetwork(t *testing.T) {
	if _, err := os.Stat("/proc/self"); err != nil {
		t.Skip("the process is confined on Linux only")
	}
	e := chdbtest.Start(t)
	secret := filepath.Join(t.TempDir(), "secret.txt")
	require.NoError(t, os.WriteFile(secret, []byte("secret"), 0o600))
	for _, q := range []string{
		"SELECT file('" + secret + "')",
		"SELECT * FROM file('" + secret + "', 'LineAsString')",
		"INSERT INTO FUNCTION file('" + secret + "', 'LineAsString', 'x String') VALUES ('x')",
		"SELECT 1 INTO OUTFILE '" + secret + "' TRUNCATE",
		"SELECT * FROM url('" + e.URL() + "/ping', 'LineAsString', 'x String') SETTINGS http_max_tries = 1",
	} {
		answer, err := chdbtest.Ask(t.Context(), e, e.Writer(), q)
		if err == nil {
			t.Errorf("answered: %s\n\t%q", q, answer)
		}
	}
	kept, err := os.ReadFile(secret)
	require.NoError(t, err)
	require.Equal(t, "secret", string(kept))
}
