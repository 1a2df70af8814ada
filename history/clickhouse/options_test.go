package clickhouse

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"flag"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	driver "github.com/ClickHouse/clickhouse-go/v2"
	"github.com/stretchr/testify/require"

	"github.com/tocsin-noc/tocsin/history"
)

var update = flag.Bool("update", false, "write the golden files")

func TestAURLSaysProtocolHostsDatabaseAndTLS(t *testing.T) {
	for url, want := range map[string]struct {
		protocol driver.Protocol
		addr     []string
		database string
		user     string
		tls      bool
	}{
		"clickhouse://ann:pw@ch:9000/noc":        {driver.Native, []string{"ch:9000"}, "noc", "ann", false},
		"clickhouse://ann:pw@ch/noc?secure=true": {driver.Native, []string{"ch:9440"}, "noc", "ann", true},
		"clickhouse://a,b:9001":                  {driver.Native, []string{"a:9000", "b:9001"}, "tocsin", "", false},
		"http://127.0.0.1:8123/x?compress=zstd":  {driver.HTTP, []string{"127.0.0.1:8123"}, "x", "", false},
		"https://ann:p%40w@ch?read_timeout=1m":   {driver.HTTP, []string{"ch:8443"}, "tocsin", "ann", true},
		"clickhouse://[::1]/noc?dial_timeout=1s": {driver.Native, []string{"[::1]:9000"}, "noc", "", false},
	} {
		o := Options{}
		got, err := o.dial(url, "history.url")
		require.NoError(t, err, url)
		require.Equal(t, want.protocol, got.Protocol, url)
		require.Equal(t, want.addr, got.Addr, url)
		require.Equal(t, want.database, got.Auth.Database, url)
		require.Equal(t, want.user, got.Auth.Username, url)
		require.Equal(t, want.tls, got.TLS != nil, url)
	}
}

func TestAWrongOptionIsNamedWithARuleAndAHintAndNoSecret(t *testing.T) {
	for want, o := range map[string]Options{
		"history.url: must be a URL (as in clickhouse://":                      {},
		"history.url: must be a URL":                                           {URL: "clickhouse://ann:hunter2@ch:port/x"},
		`history.url: begins with "mysql://"`:                                  {URL: "mysql://ann:hunter2@ch"},
		"history.url: names no host":                                           {URL: "clickhouse:///noc"},
		`history.url: has a parameter "sslmode" that is not known (secure,`:    {URL: "clickhouse://ann:hunter2@ch?sslmode=off"},
		"history.url: secure has a value that cannot be read":                  {URL: "clickhouse://ch?secure=maybe"},
		"history.url: http:// has no TLS (https://…)":                          {URL: "http://ch?secure=true"},
		"history.url: compress is lz4, zstd or none":                           {URL: "http://ch?compress=gzip"},
		`history.url: "a;b" is no name of a database`:                          {URL: "http://ch/a;b"},
		`history.reader_url: begins with "ftp://"`:                             {URL: "http://ch", ReaderURL: "ftp://ann:hunter2@ch"},
		"history.url: has no TLS, but there are files for it":                  {URL: "http://ch", CAFile: "ca.pem"},
		"history.tls.ca_file: open /no/such/ca.pem: no such file or directory": {URL: "https://ch", CAFile: "/no/such/ca.pem"},
		"history.tls.cert_file: certificate and key go together":               {URL: "https://ch", CertFile: "x"},
		`history.cluster: "a b" is no name of a cluster`:                       {URL: "http://ch", Cluster: "a b"},
		"history.retention.facts: -7 days (1 to 36500, or -1 for ever)":        {URL: "http://ch", Retention: Retention{Facts: -7}},
	} {
		err := o.Check()
		require.ErrorContains(t, err, want)
		require.NotContains(t, err.Error(), "hunter2")
	}
}

// certificate makes a key pair and returns the files of both, and the certificate.
func certificate(t *testing.T, dir string) (certFile, keyFile string, pair tls.Certificate) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	certFile, keyFile = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	cert := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	secret := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8})
	require.NoError(t, os.WriteFile(certFile, cert, 0o600))
	require.NoError(t, os.WriteFile(keyFile, secret, 0o600))
	pair, err = tls.X509KeyPair(cert, secret)
	require.NoError(t, err)
	return certFile, keyFile, pair
}

func TestTLSTrustsTheCAFileAndShowsOurCertificate(t *testing.T) {
	certFile, keyFile, pair := certificate(t, t.TempDir())
	shown := make(chan int, 10)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		shown <- len(r.TLS.PeerCertificates)
		w.Header().Set("X-ClickHouse-Exception-Code", "516")
		w.WriteHeader(http.StatusForbidden)
		_, _ = w.Write([]byte("Code: 516. DB::Exception: nobody: Authentication failed. (AUTHENTICATION_FAILED)"))
	}))
	server.TLS = &tls.Config{Certificates: []tls.Certificate{pair}, ClientAuth: tls.RequestClientCert, MinVersion: tls.VersionTLS12}
	server.StartTLS()
	defer server.Close()
	url := strings.Replace(server.URL, "https://", "https://ann:hunter2@", 1)

	_, err := connect(t.Context(), Options{URL: url})
	require.ErrorIs(t, err, history.ErrDown, "nobody vouches for it")
	require.ErrorContains(t, err, "certificate")
	require.NotContains(t, err.Error(), "hunter2")

	_, err = connect(t.Context(), Options{URL: url, CAFile: certFile, CertFile: certFile, KeyFile: keyFile})
	var said *Error
	require.ErrorAs(t, err, &said)
	require.Equal(t, 516, said.Code)
	require.NotContains(t, err.Error(), "hunter2")
	require.Equal(t, 1, <-shown)
}

func TestOnAClusterTablesAreReplicatedByTheSameText(t *testing.T) {
	list, err := migrations(migrationFiles)
	require.NoError(t, err)
	texts := []string{forCluster("CREATE DATABASE IF NOT EXISTS tocsin", "{cluster}"), forCluster(migrationsTable, "{cluster}")}
	for _, m := range list {
		for _, s := range m.statements {
			texts = append(texts, forCluster(s, "{cluster}"))
		}
	}
	for _, e := range (Retention{}).expiries()[:2] {
		texts = append(texts, onCluster("ALTER TABLE "+e.table+" MODIFY "+e.clause(), "{cluster}"))
	}
	for _, table := range projected()[:1] {
		texts = append(texts, onCluster("TRUNCATE TABLE "+table, "{cluster}"), onCluster("DELETE FROM "+table, "{cluster}"))
	}
	got := strings.Join(texts, ";\n\n") + ";\n"
	const golden = "testdata/cluster.sql"
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(golden, []byte(got), 0o600))
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	require.Equal(t, string(want), got)
	require.Equal(t, strings.Count(got, "ENGINE = "), strings.Count(got, "ENGINE = Replicated"))
}

func TestMigrationsAreSafeToRunTwice(t *testing.T) {
	list, err := migrations(migrationFiles)
	require.NoError(t, err)
	for _, m := range list {
		for _, s := range m.statements {
			require.Regexp(t, `^(CREATE TABLE IF NOT EXISTS|ALTER TABLE \w+ (ADD|DROP) (COLUMN|INDEX) IF (NOT )?EXISTS|DROP TABLE IF EXISTS) `, s, m.name)
			if strings.HasPrefix(s, "CREATE") {
				require.Regexp(t, `(?m)^ENGINE = (Replacing)?MergeTree`, s, "the cluster's text is made of this one")
			}
		}
	}
}
