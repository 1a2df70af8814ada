package webconfig

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/bcrypt"

	"github.com/tocsin-noc/tocsin/internal/auth"
)

func write(t *testing.T, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

func load(t *testing.T, text string) (*Config, error) {
	t.Helper()
	return Load(write(t, t.TempDir(), "web.yml", text))
}

func TestUsers(t *testing.T) {
	hash, err := bcrypt.GenerateFromPassword([]byte("secret"), bcrypt.MinCost)
	require.NoError(t, err)
	c, err := load(t, "basic_auth_users:\n  bob: "+string(hash)+"\n")
	require.NoError(t, err)
	var _ auth.Passwords = c
	require.True(t, c.Authenticates())
	require.False(t, c.ChecksCertificates())
	for range 2 { // the second verdict is remembered
		require.True(t, c.Verify("bob", "secret"))
		require.False(t, c.Verify("bob", "Secret"))
		require.False(t, c.Verify("eve", "fakepassword"), "the hash that unknown users are measured with is nobody's")
	}
	require.Len(t, c.known, 3)
	for i := range maxKnown {
		c.known[[32]byte{byte(i), byte(i >> 8)}] = false
	}
	require.True(t, c.Verify("bob", "secret"))
	require.LessOrEqual(t, len(c.known), maxKnown+3)
	c.known[[32]byte{1}] = false
	require.False(t, c.Verify("bob", "another"))
	require.Len(t, c.known, 1, "what is remembered is bounded")
}

func TestFileIsReadStrictly(t *testing.T) {
	for text, want := range map[string]string{
		"basic_auth_user: {}":                          "basic_auth_user not found",
		"basic_auth_users: {bob: plain}":               "basic_auth_users: bob: crypto/bcrypt",
		"tls_server_config: {cert_file: x.pem}":        "missing one of key or key_file",
		"tls_server_config: {min_version: TLS9}":       "TLS9",
		"tls_server_config: {client_auth_type: Never}": "missing one of cert",
	} {
		_, err := load(t, text)
		require.ErrorContains(t, err, want)
		require.ErrorContains(t, err, "webconfig: ")
	}
	c, err := load(t, "")
	require.NoError(t, err)
	require.False(t, c.Authenticates(), "an empty file lets nobody prove anything")
	require.Nil(t, c.TLS())
	_, err = Load(filepath.Join(t.TempDir(), "none.yml"))
	require.ErrorIs(t, err, os.ErrNotExist)
}

func TestHeadersAndRateLimit(t *testing.T) {
	c, err := load(t, "http_server_config: {headers: {X-Frame-Options: deny}}\nrate_limit: {interval: 1h, burst: 1}\n")
	require.NoError(t, err)
	h := c.Wrap(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	for _, want := range []int{200, 429} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
		require.Equal(t, want, w.Code)
		if want == 200 {
			require.Equal(t, "deny", w.Header().Get("X-Frame-Options"))
		}
	}
}

// TestTLS serves with a certificate of the file, relative to it, and asks clients for one.
func TestTLS(t *testing.T) {
	dir := t.TempDir()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), DNSNames: []string{"example.com"}, IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	write(t, dir, "cert.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))
	write(t, dir, "key.pem", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER})))
	c, err := Load(write(t, dir, "web.yml", `
tls_server_config:
  cert_file: cert.pem
  key_file: key.pem
  client_ca_file: cert.pem
  client_auth_type: RequireAndVerifyClientCert
`))
	require.NoError(t, err)
	require.True(t, c.Authenticates())
	require.True(t, c.ChecksCertificates())
	require.Equal(t, []string{"h2", "http/1.1"}, c.TLS().NextProtos)
	require.Equal(t, uint16(tls.VersionTLS12), c.TLS().MinVersion)

	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") }))
	srv.TLS = c.TLS()
	srv.StartTLS()
	defer srv.Close()
	roots := x509.NewCertPool()
	require.True(t, roots.AppendCertsFromPEM(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))
	client := func(certs ...tls.Certificate) *http.Client {
		return &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, ServerName: "example.com", Certificates: certs}}}
	}
	res, err := client().Get(srv.URL)
	if err == nil {
		res.Body.Close()
	}
	require.Error(t, err, "no certificate")
	res, err = client(tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}).Get(srv.URL)
	require.NoError(t, err)
	res.Body.Close()
	require.Equal(t, 200, res.StatusCode)
}
