package main

import (
	"bytes"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/api"
)

// TestAFolderIsOneImport sends several files: a folder with all in it that could be imported, and another by name.
func TestAFolderIsOneImport(t *testing.T) {
	var got []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		kind, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
		if err != nil || kind != "multipart/mixed" || r.ContentLength <= 0 {
			http.Error(w, kind, http.StatusTeapot)
			return
		}
		parts := multipart.NewReader(r.Body, params["boundary"])
		for {
			part, err := parts.NextPart()
			if err != nil {
				break
			}
			text, _ := io.ReadAll(part)
			_, params, _ := mime.ParseMediaType(part.Header.Get("Content-Disposition"))
			got = append(got, filepath.Base(params["filename"])+": "+string(text))
		}
		_, _ = io.WriteString(w, `{"read":2}`)
	}))
	defer server.Close()
	dir := t.TempDir()
	for name, text := range map[string]string{"a/one.yml": "one", "a/b/two.JSON": "two", "a/readme.md": "no", "three.txt": "three"} {
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o700))
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	var out, notes bytes.Buffer
	code := run([]string{"cmdb", "import", "--url", server.URL, filepath.Join(dir, "a"), filepath.Join(dir, "three.txt")}, strings.NewReader(""), &out, &notes)
	require.Equal(t, 0, code, notes.String())
	require.ElementsMatch(t, []string{"one.yml: one", "two.JSON: two", "three.txt: three"}, got)
	require.Contains(t, out.String(), "No change: 2 items")
}

func TestABigImportSaysHowFarItIs(t *testing.T) {
	var b bytes.Buffer
	m := &meter{w: &b, size: 100}
	_, err := io.Copy(io.Discard, m.watch(strings.NewReader(strings.Repeat("x", 120))))
	require.NoError(t, err)
	m.done()
	require.Contains(t, b.String(), "100 %")
	require.Contains(t, b.String(), "the daemon reads it")
	quiet := &meter{size: 100}
	body := strings.NewReader("x")
	require.Equal(t, io.Reader(body), quiet.watch(body), "nobody watches")
	quiet.done()
}

func TestATreeEndsThoughItsItemsGoInCircles(t *testing.T) {
	var b bytes.Buffer
	p := &printer{out: &b, err: io.Discard}
	p.walk(&api.CIWalk{ID: "a", Steps: []api.CIStep{{ID: "b", Via: "a", Kind: "depends_on"}, {ID: "a", Via: "b", Kind: "depends_on"}, {ID: "b", Via: "b", Kind: "part_of"}}}, true)
	require.Equal(t, 4, strings.Count(b.String(), "\n"))
}

func TestAvailabilityIsCutAndCountsAreGrouped(t *testing.T) {
	for want, v := range map[string]float64{"99.999 %": 99.9999999, "100.000 %": 100, "0.000 %": 0, "97.050 %": 97.05} {
		require.Equal(t, want, percent(&v))
	}
	require.Empty(t, percent(nil))
	require.Equal(t, []string{"0", "999", "1,000", "12,345,678"}, []string{number(0), number(999), number(1000), number(12345678)})
	require.Equal(t, []string{"0s", "1h0m0s", "30d", "2d3h0m"}, []string{length(0), length(3_600_000), length(30 * 86_400_000), length(51 * 3_600_000)})
}
