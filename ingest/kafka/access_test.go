package kafka_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	"github.com/segmentio/kafka-go/sasl/scram"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/tocsin-noc/tocsin/ingest/kafka"
	"github.com/tocsin-noc/tocsin/ingest/kafka/deadletters"
	"github.com/tocsin-noc/tocsin/internal/config"
)

// certificate makes a certificate for this host that is its own authority, and returns the files of it and its key.
func certificate(t *testing.T) (certFile, keyFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "kafka"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, DNSNames: []string{"localhost"},
		NotBefore: time.Unix(0, 0), NotAfter: time.Unix(1<<33, 0), IsCA: true, BasicConstraintsValid: true,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	private, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	dir := t.TempDir()
	certFile, keyFile = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	require.NoError(t, os.WriteFile(certFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	require.NoError(t, os.WriteFile(keyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}), 0o600))
	return certFile, keyFile
}

func TestEachMechanismLetsUsInAndAWrongPasswordIsSeen(t *testing.T) {
	for mechanism, name := range map[string]string{
		"plain": "PLAIN", "scram-sha-256": "SCRAM-SHA-256", "scram-sha-512": "SCRAM-SHA-512",
	} {
		t.Run(mechanism, func(t *testing.T) {
			bubble(t, func(w *world) {
				t := w.t
				good := &config.SASL{Mechanism: mechanism, Username: "tocsin", Password: "secret"}
				bad := *good
				bad.Password = "wrong"
				w.cfg.SASL = &bad
				c, stop := w.consume()
				w.await("the reason", func() bool { return c.Status().LastError != "" })
				require.Contains(t, c.Status().LastError, "cannot reach the cluster")
				require.NotContains(t, c.Status().LastError, "wrong")
				stop()

				producer, err := scram.Mechanism(scram.SHA256, "admin", "admin")
				require.NoError(t, err)
				w.sasl = producer
				w.produce("native", 0, native("Alert"))
				w.cfg.SASL = good
				c, _ = w.consume()
				w.await("the alert", func() bool { return len(w.core.alerts()) == 1 })
				require.Empty(t, c.Status().LastError)
			}, kfake.EnableSASL(), kfake.Superuser(name, "tocsin", "secret"), kfake.Superuser("SCRAM-SHA-256", "admin", "admin"))
		})
	}
}

func TestTLSWithAClientCertificate(t *testing.T) {
	certFile, keyFile := certificate(t)
	pair, err := tls.LoadX509KeyPair(certFile, keyFile)
	require.NoError(t, err)
	authority := x509.NewCertPool()
	authority.AddCert(pair.Leaf)
	server := &tls.Config{Certificates: []tls.Certificate{pair}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: authority}
	bubble(t, func(w *world) {
		t := w.t
		w.cfg.TLS = &config.TLS{CAFile: certFile}
		c, stop := w.consume()
		w.await("the reason", func() bool { return c.Status().LastError != "" })
		stop()

		w.tls = &tls.Config{RootCAs: authority, Certificates: []tls.Certificate{pair}}
		w.produce("native", 0, native("Alert"))
		w.cfg.TLS = &config.TLS{CAFile: certFile, CertFile: certFile, KeyFile: keyFile}
		c, _ = w.consume()
		w.await("the alert", func() bool { return len(w.core.alerts()) == 1 })
		require.Empty(t, c.Status().LastError)
	}, kfake.TLS(server))
}

func TestWhatCannotWorkIsSaidAtOnce(t *testing.T) {
	certFile, _ := certificate(t)
	letters, err := deadletters.Open(t.TempDir(), deadletters.Bounds{})
	require.NoError(t, err)
	good := func() (config.Kafka, kafka.Options) {
		return config.Kafka{Name: "c", Topics: []config.Topic{{Topic: "t", Format: config.Native}}},
			kafka.Options{Logger: slog.New(slog.DiscardHandler), Registerer: prometheus.NewRegistry(), DeadLetters: letters}
	}
	for _, c := range []struct {
		want  string
		spoil func(*config.Kafka, *kafka.Options)
	}{
		{"no store for dead letters", func(_ *config.Kafka, o *kafka.Options) { o.DeadLetters = nil }},
		{`topic t: unknown format "csv"`, func(k *config.Kafka, _ *kafka.Options) { k.Topics[0].Format = "csv" }},
		{"unknown mechanism gssapi", func(k *config.Kafka, _ *kafka.Options) { k.SASL = &config.SASL{Mechanism: "gssapi"} }},
		{"no such file", func(k *config.Kafka, _ *kafka.Options) { k.TLS = &config.TLS{CAFile: "nowhere.pem"} }},
		{"no certificate in PEM form", func(k *config.Kafka, _ *kafka.Options) { k.TLS = &config.TLS{CAFile: os.Args[0]} }},
		{"tls: ", func(k *config.Kafka, _ *kafka.Options) { k.TLS = &config.TLS{CertFile: certFile, KeyFile: certFile} }},
	} {
		cfg, options := good()
		c.spoil(&cfg, &options)
		_, err := kafka.New(cfg, newCore(), options)
		require.ErrorContains(t, err, c.want)
	}
	cfg, options := good()
	_, err = kafka.New(cfg, newCore(), options)
	require.NoError(t, err)
	_, err = kafka.New(cfg, newCore(), options)
	require.ErrorContains(t, err, "metrics", "two of one name")
	cfg.Name = "other"
	_, err = kafka.New(cfg, newCore(), options)
	require.NoError(t, err)
	families, err := options.Registerer.(prometheus.Gatherer).Gather()
	require.NoError(t, err)
	problems, err := promlint.NewWithMetricFamilies(families).Lint()
	require.NoError(t, err)
	require.Empty(t, problems)
}
