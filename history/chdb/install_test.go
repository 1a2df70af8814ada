package chdb

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// packed makes a package with the library in it, and the pin that belongs to both.
func packed(t *testing.T, library string) (path string, p pin) {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	out := tar.NewWriter(z)
	for name, content := range map[string]string{"package/package.json": "{}", insidePackage: library} {
		require.NoError(t, out.WriteHeader(&tar.Header{Name: name, Typeflag: tar.TypeReg, Size: int64(len(content)), Mode: 0o644}))
		_, err := io.WriteString(out, content)
		require.NoError(t, err)
	}
	require.NoError(t, out.Close())
	require.NoError(t, z.Close())
	path = filepath.Join(t.TempDir(), "package.tgz")
	require.NoError(t, os.WriteFile(path, b.Bytes(), 0o600))
	whole, inner := sha512.Sum512(b.Bytes()), sha256.Sum256([]byte(library))
	return path, pin{
		name: "@chdb/lib-test", integrity: "sha512-" + base64.StdEncoding.EncodeToString(whole[:]),
		sha256: hex.EncodeToString(inner[:]), size: int64(len(library)),
	}
}

func TestThePackageOrTheLibraryIsInstalledFromAFile(t *testing.T) {
	from, p := packed(t, "the library")
	bare := filepath.Join(t.TempDir(), "some.so")
	require.NoError(t, os.WriteFile(bare, []byte("the library"), 0o600))
	for _, source := range []string{from, bare} {
		dir := t.TempDir()
		var said strings.Builder
		path, err := Install(t.Context(), InstallOptions{Dir: dir, From: source, Progress: &said, pin: &p})
		require.NoError(t, err)
		require.Equal(t, libraryPath(dir), path)
		content, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Equal(t, "the library", string(content))
		require.Contains(t, said.String(), "unpacking: 100 %")
		left, err := os.ReadDir(filepath.Dir(path))
		require.NoError(t, err)
		require.Len(t, left, 2, "the library and the lock")

		require.NoError(t, os.RemoveAll(source))
		_, err = Install(t.Context(), InstallOptions{Dir: dir, From: source, pin: &p})
		require.NoError(t, err, "what is there is left alone")
	}
}

func TestAFileWithAnotherDigestIsNotInstalled(t *testing.T) {
	from, p := packed(t, "the library")
	other, _ := packed(t, "another one")
	bare := filepath.Join(t.TempDir(), "some.so")
	require.NoError(t, os.WriteFile(bare, []byte("the libraru"), 0o600))
	long := filepath.Join(t.TempDir(), "long.so")
	require.NoError(t, os.WriteFile(long, bytes.Repeat([]byte("the library"), 1000), 0o600))
	cut := filepath.Join(t.TempDir(), "cut.tgz")
	whole, err := os.ReadFile(from)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(cut, whole[:len(whole)/2], 0o600))
	empty := filepath.Join(t.TempDir(), "empty")
	require.NoError(t, os.WriteFile(empty, nil, 0o600))
	for source, want := range map[string]string{
		other: "its digest is sha512-", bare: "its SHA-256 is", long: "it has another size than 11 bytes", cut: "its digest is sha512-",
		empty: "EOF", filepath.Join(t.TempDir(), "none"): "no such file",
	} {
		dir := t.TempDir()
		_, err := Install(t.Context(), InstallOptions{Dir: dir, From: source, pin: &p})
		require.ErrorContains(t, err, want)
		require.NoFileExists(t, libraryPath(dir))
	}
}

func TestAPackageThatUnpacksToMoreThanItShouldIsRefused(t *testing.T) {
	from, p := packed(t, strings.Repeat("0", 2<<20)) // which packs to almost nothing
	p.size = 1000
	_, err := Install(t.Context(), InstallOptions{Dir: t.TempDir(), From: from, pin: &p})
	require.ErrorContains(t, err, "it has another size than 1000 bytes")
}

func TestTwoInstallsAtOnceDoNoHarm(t *testing.T) {
	from, p := packed(t, strings.Repeat("library ", 100_000))
	dir := t.TempDir()
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			_, err := Install(t.Context(), InstallOptions{Dir: dir, From: from, pin: &p})
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	require.True(t, installed(libraryPath(dir), p))
}

// fakeNPM puts a program named npm alone into PATH.
func fakeNPM(t *testing.T, script string) {
	t.Helper()
	dir := t.TempDir()
	if script != "" {
		require.NoError(t, os.WriteFile(filepath.Join(dir, "npm"), []byte("#!/bin/sh\n"+script), 0o700)) //nolint:gosec // it is to run
	}
	t.Setenv("PATH", dir)
}

func TestADownloadGoesOnWhereItEnded(t *testing.T) {
	from, p := packed(t, strings.Repeat("library ", 100_000))
	content, err := os.ReadFile(from)
	require.NoError(t, err)
	var ranges []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ranges = append(ranges, r.Header.Get("Range"))
		http.ServeContent(w, r, "package.tgz", time.Time{}, bytes.NewReader(content))
	}))
	defer server.Close()
	fakeNPM(t, `echo '{"dist.tarball": "`+server.URL+`/x.tgz", "dist.integrity": "`+p.integrity+`"}'`)

	dir := t.TempDir()
	part := filepath.Join(filepath.Dir(libraryPath(dir)), "package.part")
	require.NoError(t, os.MkdirAll(filepath.Dir(part), 0o750))
	require.NoError(t, os.WriteFile(part, content[:len(content)/3], 0o600))
	var said strings.Builder
	_, err = Install(t.Context(), InstallOptions{Dir: dir, Progress: &said, pin: &p})
	require.NoError(t, err)
	require.Equal(t, []string{"bytes=" + strconv.Itoa(len(content)/3) + "-"}, ranges)
	require.Contains(t, said.String(), "downloading: 100 %")
	require.NoFileExists(t, part)

	damaged := t.TempDir()
	part = filepath.Join(filepath.Dir(libraryPath(damaged)), "package.part")
	require.NoError(t, os.MkdirAll(filepath.Dir(part), 0o750))
	require.NoError(t, os.WriteFile(part, []byte("something else"), 0o600))
	_, err = Install(t.Context(), InstallOptions{Dir: damaged, pin: &p})
	require.ErrorContains(t, err, "the download was damaged")
	_, err = Install(t.Context(), InstallOptions{Dir: damaged, pin: &p})
	require.NoError(t, err, "the next one begins anew")
}

func TestErrorsOfNPMSayWhatToDo(t *testing.T) {
	_, p := packed(t, "the library")
	for script, want := range map[string]string{
		"":                            "npm is not installed",
		"echo no network >&2; exit 1": "no network; is the registry reachable?",
		`echo '{"dist.tarball": "x:", "dist.integrity": "sha512-AA"}'`: "the registry has another @chdb/lib-test@" + Version,
		"echo nonsense": "npm view says nothing useful",
	} {
		fakeNPM(t, script)
		_, err := Install(t.Context(), InstallOptions{Dir: t.TempDir(), pin: &p})
		require.ErrorContains(t, err, want)
	}
}

func TestEveryPlatformIsPinnedOrRefusedInWords(t *testing.T) {
	p, err := pinned("linux/amd64")
	require.NoError(t, err)
	require.NotEmpty(t, p.sha256)
	require.Positive(t, p.size)
	_, err = pinned("linux/arm64")
	require.ErrorContains(t, err, "fetch the package by hand")
	_, err = pinned("windows/amd64")
	require.ErrorContains(t, err, "not built as a library for windows/amd64")

	root := t.TempDir()
	require.False(t, isMusl(root))
	require.NoError(t, os.Mkdir(filepath.Join(root, "lib"), 0o750))
	require.NoError(t, os.WriteFile(filepath.Join(root, "lib", "ld-musl-x86_64.so.1"), nil, 0o600))
	require.True(t, isMusl(root))
	require.NoError(t, os.Mkdir(filepath.Join(root, "lib64"), 0o750))
	require.NoError(t, os.WriteFile(filepath.Join(root, "lib64", "ld-linux-x86-64.so.2"), nil, 0o600))
	require.False(t, isMusl(root), "both are there")
}

func TestAMissingLibraryIsSaidWithItsPlace(t *testing.T) {
	t.Setenv("TOCSIN_CACHE", t.TempDir())
	_, err := Find("")
	require.ErrorIs(t, err, ErrNoLibrary)
	require.ErrorContains(t, err, filepath.Join("chdb", Version, "libchdb.so"))
	_, err = Start(t.Context(), Options{Dir: t.TempDir()})
	require.ErrorIs(t, err, ErrNoLibrary)
	require.NotEmpty(t, runtime.GOOS)
}
