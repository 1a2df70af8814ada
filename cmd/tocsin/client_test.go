package main

import (
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// typed runs a command line and returns what it printed and its exit code.
func typed(args ...string) (stdout, stderr string, code int) {
	var out, err strings.Builder
	code = run(args, strings.NewReader(""), &out, &err)
	return out.String(), err.String(), code
}

func TestACertificateIsTrustedWhenItIsGiven(t *testing.T) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }))
	server.Config.ErrorLog = nil
	server.StartTLS()
	defer server.Close()

	_, said, code := typed("snapshot", "--url", server.URL)
	require.Equal(t, exitUnreachable, code)
	require.Contains(t, said, "hint: give the certificate that signed the daemon's with --ca-file")

	ca := filepath.Join(t.TempDir(), "ca.pem")
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	require.NoError(t, os.WriteFile(ca, block, 0o600))
	_, said, code = typed("snapshot", "--url", server.URL, "--ca-file", ca)
	require.Equal(t, exitOK, code, said)
}

func TestNamesCannotLeaveTheirPlaceInTheAddress(t *testing.T) {
	base, err := url.Parse("http://host/prefix")
	require.NoError(t, err)
	c := newClient(base, "", nil)
	for id, want := range map[string]string{
		"INC-1":       "http://host/prefix/api/v1/incidents/INC-1/why",
		"a/b?c#d e":   "http://host/prefix/api/v1/incidents/a%2Fb%3Fc%23d%20e/why",
		"../../admin": "http://host/prefix/api/v1/incidents/..%2F..%2Fadmin/why",
		"..":          "http://host/prefix/api/v1/incidents/%2E%2E/why",
		".":           "http://host/prefix/api/v1/incidents/%2E/why",
	} {
		require.Equal(t, want, c.url([]string{"incidents", id, "why"}, nil))
	}
}

func TestTheTokenStaysWithTheAddressThatWasNamed(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("followed") }))
	defer elsewhere.Close()
	server := httptest.NewServer(http.RedirectHandler(elsewhere.URL, http.StatusTemporaryRedirect))
	defer server.Close()
	t.Setenv("TOCSIN_TOKEN", "secret")
	_, said, code := typed("snapshot", "--url", server.URL)
	require.Equal(t, exitFailed, code)
	require.Contains(t, said, "sends us on to "+elsewhere.URL)
}

func TestAnIncidentIsShownWithoutAHistoryThatTakesItsTime(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	defer s.Close()
	base, err := url.Parse(s.URL)
	require.NoError(t, err)
	began := time.Now()
	said := (&tool{api: newClient(base, "", nil)}).lastTime(t.Context(), "INC-1")
	require.Equal(t, "not known: no word from the history within 2s; `tocsin similar INC-1` waits longer", said)
	require.Less(t, time.Since(began), 10*time.Second)
}

func TestWhatTheHistoryReadsIsWaitedForLonger(t *testing.T) {
	base, err := url.Parse("http://daemon")
	require.NoError(t, err)
	c := newClient(base, "", nil)
	require.Equal(t, largeWithin, c.patient().http.Timeout)
	require.Equal(t, askWithin, c.http.Timeout, "the others are not")

	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	defer s.Close()
	c.base, err = url.Parse(s.URL)
	require.NoError(t, err)
	_, err = c.within(50*time.Millisecond).do(t.Context(), http.MethodGet, []string{"status"}, nil, nil)
	require.ErrorContains(t, err, "nothing came within 50ms")
}
