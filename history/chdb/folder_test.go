package chdb

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAFolderOfANewerLibraryIsRefusedAndAnOlderOneGoesOn(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, checkVersion(dir, "26.7.3-stable.1"))
	require.NoError(t, checkVersion(dir, "26.7.3-stable.1"))
	require.NoError(t, checkVersion(dir, "26.10.1-stable.1"), "newer: the folder is upgraded")
	require.ErrorContains(t, checkVersion(dir, "26.9.4-stable.1"), "was written by ClickHouse 26.10.1-stable.1, and this binary brings the older 26.9.4-stable.1")
	require.NoError(t, os.WriteFile(filepath.Join(dir, versionFile), []byte("nonsense"), 0o600))
	require.ErrorContains(t, checkVersion(dir, Version), "holds no version")
}

func TestTheReadersCredentialIsMadeOnceAndKept(t *testing.T) {
	dir := t.TempDir()
	first, err := keptReader(dir)
	require.NoError(t, err)
	again, err := keptReader(dir)
	require.NoError(t, err)
	require.Equal(t, first, again)
	info, err := os.Stat(filepath.Join(dir, readerFile))
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	require.NotEqual(t, newWriter(), newWriter())

	require.NoError(t, os.WriteFile(filepath.Join(dir, readerFile), []byte(`{"user":"x","password":"short"}`), 0o600))
	_, err = keptReader(dir)
	require.ErrorContains(t, err, "a password of 16 characters or more")
}
