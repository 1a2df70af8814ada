package auth

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

// passwords is a web configuration with one user, or with client certificates.
type passwords struct{ certificates bool }

func (p passwords) Authenticates() bool               { return true }
func (p passwords) ChecksCertificates() bool          { return p.certificates }
func (p passwords) Verify(name, password string) bool { return name == "bob" && password == "secret" }

func TestUsersOfTheWebConfiguration(t *testing.T) {
	basic := func(r *http.Request) { r.SetBasicAuth("bob", "secret") }
	g := newGuard(t, Options{}, Credentials{Web: passwords{}})
	_, got, _ := ask(t, g, "GET", "http://localhost/", basic)
	require.Equal(t, principal("bob", Admin, "main"), got.Principal)
	_, got, _ = ask(t, g, "GET", "http://localhost/")
	require.Equal(t, Principal{}, got.Principal, "loopback is nothing special now")
	status, _, _ := ask(t, g, "GET", "http://localhost/", func(r *http.Request) { r.SetBasicAuth("bob", "wrong") })
	require.Equal(t, 401, status)
	g.Use(Credentials{Web: passwords{}, Tokens: []Token{{Name: "bob", Role: Viewer, Tenant: "blue"}}})
	_, got, _ = ask(t, g, "GET", "http://localhost/", basic)
	require.Equal(t, principal("bob", Viewer, "blue"), got.Principal, "the token file says what he may do")

	cert := &x509.Certificate{Subject: pkix.Name{CommonName: "bob"}}
	verified := func(r *http.Request) {
		r.TLS = &tls.ConnectionState{PeerCertificates: []*x509.Certificate{cert}, VerifiedChains: [][]*x509.Certificate{{cert}}}
	}
	_, got, _ = ask(t, g, "GET", "http://localhost/", verified)
	require.Equal(t, Principal{}, got.Principal, "certificates were not checked")
	g.Use(Credentials{Web: passwords{certificates: true}})
	_, got, _ = ask(t, g, "GET", "http://localhost/", verified)
	require.Equal(t, principal("bob", Admin, "main"), got.Principal)
	_, got, _ = ask(t, g, "GET", "http://localhost/")
	require.Equal(t, Principal{}, got.Principal)
}

// table is a table of people in which only bob stands.
type table struct{ grants []Grant }

func (table) ByToken([sha256.Size]byte) (Principal, bool) { return Principal{}, false }
func (table) HasAdmin() bool                              { return false }
func (table) Actor(name string) (string, error)           { return "u-" + name, nil }
func (p table) Grants(login string) ([]Grant, bool)       { return p.grants, login == "bob" }

func TestTheTableOfPeopleSaysWhatAUserMayDo(t *testing.T) {
	basic := func(r *http.Request) { r.SetBasicAuth("bob", "secret") }
	creds := Credentials{Web: passwords{}, People: table{[]Grant{{Role: Viewer, Tenant: "blue"}}}}
	g := newGuard(t, Options{}, creds)
	_, got, _ := ask(t, g, "GET", "http://localhost/", basic)
	want := principal("u-bob", Viewer, "blue")
	want.Name = "bob"
	require.Equal(t, want, got.Principal)
	creds.Tokens = []Token{{Name: "bob", Role: Responder, Tenant: "main"}}
	g.Use(creds)
	_, got, _ = ask(t, g, "GET", "http://localhost/", basic)
	require.Equal(t, Responder, got.Principal.Role, "the token file goes first")
	g.Use(Credentials{Web: passwords{}, People: table{}})
	status, _, _ := ask(t, g, "GET", "http://localhost/", basic)
	require.Equal(t, 403, status, "he has no grant, or is disabled")
}

func TestGrantsOfOneTenant(t *testing.T) {
	grant := func(role Role, tenant string, teams ...string) Grant { return Grant{role, tenant, teams} }
	for name, c := range map[string]struct {
		grants []Grant
		tenant string
		role   Role
		teams  []string
	}{
		"the higher role holds":              {[]Grant{grant(Viewer, "main"), grant(Manager, "main", "db")}, "main", Manager, []string{"db"}},
		"teams of the same role add up":      {[]Grant{grant(Responder, "main", "db"), grant(Responder, "main", "web")}, "main", Responder, []string{"db", "web"}},
		"one without teams reaches all":      {[]Grant{grant(Responder, "main", "db"), grant(Responder, "main")}, "main", Responder, nil},
		"another tenant's counts for naught": {[]Grant{grant(Viewer, "main"), grant(Admin, "blue")}, "main", Viewer, nil},
		"the first is the default":           {[]Grant{grant(Viewer, "main"), grant(Admin, "blue")}, "", Viewer, nil},
		"a provider looks into any":          {[]Grant{grant(Provider, "main")}, "green", Viewer, nil},
		"a provider looks into all":          {[]Grant{grant(Provider, "main"), grant(Admin, "blue")}, "", Viewer, nil},
		"a provider acts by a second grant":  {[]Grant{grant(Provider, "main"), grant(Responder, "blue", "db")}, "blue", Responder, []string{"db"}},
		"no grant, no role":                  {[]Grant{grant(Admin, "main")}, "green", 0, nil},
		"nobody acts in all":                 {[]Grant{grant(Admin, "main")}, "*", 0, nil},
	} {
		p, ok := Principal{ID: "u-x", Grants: c.grants}.in(c.tenant)
		require.Equal(t, []any{c.role != 0, c.role, c.teams}, []any{ok, p.Role, p.Teams}, name)
	}
	for tenant, want := range map[string]bool{"": true, "blue": true, "*": false, "a/b": false, "a b": false} {
		_, ok := Principal{ID: "anonymous", Anonymous: true}.in(tenant)
		require.Equal(t, want, ok, tenant)
	}
}

func TestGuardNeedsAnExternalURLThatIsOne(t *testing.T) {
	for _, bad := range []string{"://x", "https://exa mple/"} {
		_, err := NewGuard(Options{ExternalURL: bad}, Credentials{})
		require.ErrorContains(t, err, "auth: external URL", bad)
	}
}

// principal is somebody with one grant, which holds.
func principal(id string, role Role, tenant string) Principal {
	return Principal{ID: id, Grants: []Grant{{Role: role, Tenant: tenant}}, Role: role, Tenant: tenant}
}
