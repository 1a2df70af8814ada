package main

import (
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
)

// importDaemon answers an import while it is read, as the daemon does.
func importDaemon(t *testing.T, got *[]string, last string) *httptest.Server {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = http.NewResponseController(w).EnableFullDuplex()
		_, params, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
		*got = append(*got, r.URL.Path+"?"+r.URL.RawQuery)
		parts := multipart.NewReader(r.Body, params["boundary"])
		_, _ = io.WriteString(w, `{"progress":{"step":"read","bytes":1,"done":20000,"of":0}}`+"\n")
		_ = http.NewResponseController(w).Flush()
		for {
			part, err := parts.NextPart()
			if err != nil {
				break
			}
			n, _ := io.Copy(io.Discard, part)
			*got = append(*got, part.FormName()+" "+part.FileName()+" "+number(int(n)))
		}
		_, _ = io.WriteString(w, `{"reject":{"line":3,"column":"opened_at","value":"=1+1","reason":"opened_at: odd"}}`+"\n"+last+"\n")
	}))
	t.Cleanup(server.Close)
	return server
}

const doneLine = `{"done":{"origin":"old","rows":2000,"incidents":1999,"new":1990,"changed":4,"unchanged":5,"versions":8000,"duplicates":0,"rejected":3416,"reasons":[{"reason":"opened_at: odd","column":"opened_at","values":["=1+1","x","y"],"line":3,"count":3412},{"reason":"number: missing","column":"No.","values":[],"line":9,"count":1}],"other_reasons":3,"rejects":[{"line":3,"column":"opened_at","value":"=1+1","reason":"opened_at: odd"}],"flags":[{"rule":"without a priority: taken as 4","count":7}],"from":"2026-01-01T00:00:00Z","to":"2026-02-01T00:00:00Z","unmapped":["u_x"]}`

func TestAnImportIsStreamedAndSaysWhatBecameOfIt(t *testing.T) {
	var got []string
	server := importDaemon(t, &got, doneLine+"}")
	dir := t.TempDir()
	file, mapping, rejected := filepath.Join(dir, "old.csv"), filepath.Join(dir, "my.yml"), filepath.Join(dir, "rejected.csv")
	require.NoError(t, os.WriteFile(file, []byte(strings.Repeat("x", 3<<20)), 0o600))
	require.NoError(t, os.WriteFile(mapping, []byte("facts: {}"), 0o600))

	out, said, code := typed("import", "incidents", file, "--map", "servicenow", "--zone", "Europe/Berlin", "--dates", "d/M/yyyy", "--dates", "M d, yyyy", "--dry-run", "--rejects", rejected, "--url", server.URL)
	require.Equal(t, exitOK, code, said)
	require.Equal(t, []string{"/api/v1/history/import/incidents?dates=d%2FM%2Fyyyy&dates=M+d%2C+yyyy&dry_run=true&follow=true&map=servicenow&zone=Europe%2FBerlin", "file old.csv 3,145,728"}, got)
	require.Contains(t, out, "1999 incidents of 2000 rows: 1,990 new, 4 changed, 5 unchanged; 8,000 versions; 3,416 rejected, 0 said twice.\n")
	require.Equal(t, "rejected: 3,412 rows: opened_at: odd; the first is line 3 \"=1+1\"; then also \"x\", \"y\"\nrejected: line 9, column No.: number: missing\nrejected: 3 more for other reasons\neach rejected row is in "+rejected+"\n7 × without a priority: taken as 4\ncolumns that the map does not name: u_x\n", said)
	text, err := os.ReadFile(rejected)
	require.NoError(t, err)
	require.Equal(t, "line,column,value,reason\n3,opened_at,'=1+1,opened_at: odd\n", string(text), "no spreadsheet calculates it")

	got = nil
	out, said, code = typed("import", "incidents", file, "--map", mapping, "--json", "--url", server.URL)
	require.Equal(t, exitOK, code, said)
	require.Equal(t, []string{"map my.yml 9", "file old.csv 3,145,728"}, got[1:])
	require.True(t, strings.HasPrefix(out, `{"origin":"old"`), out)

	_, said, code = typed("import", "incidents", file, "--map", mapping, "--url", server.URL)
	require.Equal(t, exitOK, code, said)
	require.Contains(t, said, "\n--rejects FILE keeps each rejected row with its line\n")
}

func TestAnImportThatBrokeOffSaysWhatWasTaken(t *testing.T) {
	var got []string
	server := importDaemon(t, &got, doneLine+`,"failed":{"status":422,"code":"file_wrong","detail":"line 7: the file breaks off"}}`)
	file := filepath.Join(t.TempDir(), "old.csv")
	require.NoError(t, os.WriteFile(file, []byte("x"), 0o600))
	out, said, code := typed("import", "incidents", file, "--map", "servicenow", "--url", server.URL)
	require.Equal(t, exitUsage, code)
	require.Contains(t, out, "1999 incidents")
	require.Contains(t, said, "tocsin: line 7: the file breaks off")

	server = importDaemon(t, &got, "")
	_, said, code = typed("import", "incidents", file, "--map", "servicenow", "--url", server.URL)
	require.Equal(t, exitFailed, code, said)
	for args, word := range map[string]string{"": "--map is missing", "--map none.yml": "--map:", "--map servicenow --rejects /no/such/folder/x": "--rejects"} {
		_, said, code := typed(append([]string{"import", "incidents", file, "--url", server.URL}, strings.Fields(args)...)...)
		require.Equal(t, exitUsage, code, said)
		require.Contains(t, said, word)
	}
}
