package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAFileThatIsNoLibraryIsNotInstalled(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TOCSIN_CACHE", dir)
	wrong := filepath.Join(dir, "wrong.so")
	require.NoError(t, os.WriteFile(wrong, []byte("no library"), 0o600))
	var out, errs bytes.Buffer
	require.Equal(t, exitFailed, run([]string{"history", "install", "--from", wrong}, strings.NewReader(""), &out, &errs))
	require.Empty(t, out.String())
	require.Contains(t, errs.String(), "tocsin: chdb: ")
	found, err := filepath.Glob(filepath.Join(dir, "chdb", "*", "libchdb.so"))
	require.NoError(t, err)
	require.Empty(t, found)
}

func TestTheEngineIsNotStartedByHand(t *testing.T) {
	var out, errs bytes.Buffer
	require.Equal(t, exitFailed, run([]string{"history", "engine"}, strings.NewReader(""), &out, &errs))
	require.Contains(t, errs.String(), "not by hand")
}
