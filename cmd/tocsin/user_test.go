package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/api"
	"github.com/tocsin-noc/tocsin/internal/auth"
	"github.com/tocsin-noc/tocsin/internal/people"
)

// idle is an engine that nobody asks: routes about people do not.
type idle struct{ api.Engine }

// peopleDaemon serves a table of people, and trusts loopback until it has an admin.
func peopleDaemon(t *testing.T) *people.Store {
	store, err := people.Open(filepath.Join(t.TempDir(), "people.db"))
	require.NoError(t, err)
	t.Cleanup(func() { _ = store.Close() })
	guard, err := auth.NewGuard(auth.Options{}, auth.Credentials{People: store})
	require.NoError(t, err)
	h, err := api.New(api.Options{Engine: idle{}, Guard: guard, People: store})
	require.NoError(t, err)
	daemon := httptest.NewServer(h)
	t.Cleanup(daemon.Close)
	t.Setenv("TOCSIN_URL", daemon.URL)
	t.Setenv("NO_PROXY", "*")
	return store
}

// says runs a command line that succeeds and returns what it prints.
func says(t *testing.T, args ...string) string {
	t.Helper()
	out, errors, code := typed(args...)
	require.Zero(t, code, "%v: %s", args, errors)
	return out
}

func TestPeopleByTheCommandLine(t *testing.T) {
	store := peopleDaemon(t)
	require.Contains(t, says(t, "me"), "anonymous: admin of main")
	says(t, "user", "add", "ann", "--name", "Ann Berg", "--email", "ann@example.org", "--zone", "Europe/Berlin", "--grant", "responder:main:db,web", "--grant", "manager:acme")
	p, ok := store.ByLogin("ann")
	require.True(t, ok)
	require.Equal(t, []auth.Grant{{Role: auth.Responder, Tenant: "main", Teams: []string{"db", "web"}}, {Role: auth.Manager, Tenant: "acme"}}, p.Grants)

	says(t, "user", "set", "ann", "--phone", "+49 30 1")
	shown := says(t, "user", "show", "ann")
	for _, want := range []string{p.ID, "Ann Berg", "ann@example.org", "+49 30 1", "Europe/Berlin", "responder of main for db, web; manager of acme"} {
		require.Contains(t, shown, want)
	}
	require.Regexp(t, `(?m)^LOGIN +NAME +E-MAIL +ZONE +GRANTS\nann +Ann Berg +ann@example\.org `, says(t, "user", "list"))
	require.True(t, strings.HasPrefix(says(t, "user", "list", "--json"), `{"`))

	secret := says(t, "user", "token", "ann", "--name", "laptop", "--duration", "90d")
	require.Regexp(t, `^tocsin_[A-Za-z0-9_-]{43}\n$`, secret)
	file := filepath.Join(t.TempDir(), "token")
	require.NoError(t, os.WriteFile(file, []byte(secret), 0o600))
	require.Contains(t, says(t, "me", "--token-file", file), "ann: responder of main")
	require.Contains(t, says(t, "me", "--token-file", file, "--tenant", "acme"), "ann: manager of acme")
	_, errors, code := typed("me", "--token-file", file, "--tenant", "blue")
	require.NotZero(t, code)
	require.Contains(t, errors, "no grant for the tenant")
	_, _, code = typed("user", "list", "--token-file", file)
	require.NotZero(t, code, "she is no admin")

	says(t, "user", "set", "ann", "--disabled")
	_, _, code = typed("me", "--token-file", file)
	require.NotZero(t, code)
	says(t, "user", "set", "ann", "--disabled=false")
	says(t, "user", "revoke", "ann", "laptop")
	require.Contains(t, says(t, "user", "forget", "ann"), "the journal goes on to know "+p.ID)
	require.Equal(t, "former user "+p.ID, store.Name(p.ID))
	require.NotContains(t, says(t, "user", "list"), "ann")
}

func TestMistakesAboutPeopleAreToldInWords(t *testing.T) {
	peopleDaemon(t)
	for want, args := range map[string][]string{
		"names no role":      {"user", "add", "ann", "--grant", "king"},
		"must be letters":    {"user", "add", "a b"},
		"e-mail address":     {"user", "add", "ann", "--email", "nowhere"},
		"a grant needs":      {"user", "add", "ann", "--grant", "admin:*"},
		"there is no user":   {"user", "show", "ann"},
		"there is nobody of": {"user", "forget", "ann"},
		"--name is needed":   {"user", "token", "ann"},
	} {
		_, errors, code := typed(args...)
		require.NotZero(t, code, args)
		require.Contains(t, errors, want, args)
	}
}

func TestWhoeverLooksIntoAllTenantsSeesWhoseAnEntryIs(t *testing.T) {
	for header, want := range map[string]string{
		"main": "ID         PRI  SEVERITY  STATUS  ALERTS  OPENED", "*": "TENANT  ID         PRI",
	} {
		daemon := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set(auth.TenantHeader, header)
			_, _ = io.WriteString(w, `{"incidents":[{"id":"INC-12345","tenant":"blue","title":"Down"}],"total":1}`)
		}))
		t.Setenv("TOCSIN_URL", daemon.URL)
		out := says(t, "incidents")
		require.True(t, strings.HasPrefix(out, want), out)
		require.Equal(t, header == "*", strings.Contains(out, "blue"))
		daemon.Close()
	}
}

func TestTheHintsSpeakOfFlagsNotOfHeaders(t *testing.T) {
	store := peopleDaemon(t)
	says(t, "user", "add", "ann", "--grant", "admin")
	t.Setenv("TOCSIN_TOKEN", strings.TrimSpace(says(t, "user", "token", "ann", "--name", "laptop", "--duration", "90d")))
	_, errors, code := typed("me", "--tenant", "blue")
	require.Equal(t, exitRefused, code)
	require.Contains(t, errors, "hint: leave --tenant and TOCSIN_TENANT away, or ask an admin for a grant")
	require.NotContains(t, errors, "header")
	require.Regexp(t, `Tokens +laptop \(until \w+ 20\d\d-`, says(t, "user", "show", "ann"))
	_, errors, code = typed("user", "forget", "ann")
	require.Equal(t, exitRefused, code)
	require.Contains(t, errors, "ann is the last who can prove to be an admin of main: then everybody who connects directly")
	says(t, "user", "forget", "ann", "--force")
	require.False(t, store.HasAdmin())
}
