package auth

import (
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
