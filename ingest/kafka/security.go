package kafka

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/sasl"
	"github.com/segmentio/kafka-go/sasl/plain"
	"github.com/segmentio/kafka-go/sasl/scram"

	"github.com/tocsin-noc/tocsin/internal/config"
)

const (
	clientID    = "tocsin"
	dialTimeout = 5 * time.Second // with TLS and SASL
)

func newDialer(cfg *config.Kafka, dial func(context.Context, string, string) (net.Conn, error)) (*kafka.Dialer, error) {
	if dial == nil {
		dial = (&net.Dialer{KeepAlive: 15 * time.Second}).DialContext
	}
	tlsConfig, err := newTLS(cfg.TLS)
	if err != nil {
		return nil, fmt.Errorf("tls: %w", err)
	}
	mechanism, err := newSASL(cfg.SASL)
	if err != nil {
		return nil, fmt.Errorf("sasl: %w", err)
	}
	return &kafka.Dialer{
		ClientID: clientID, Timeout: dialTimeout, DialFunc: dial, TLS: tlsConfig, SASLMechanism: mechanism,
	}, nil
}

func newTLS(cfg *config.TLS) (*tls.Config, error) {
	if cfg == nil {
		return nil, nil
	}
	t := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: cfg.ServerName, InsecureSkipVerify: cfg.InsecureSkipVerify}
	if cfg.CAFile != "" {
		pem, err := os.ReadFile(cfg.CAFile)
		if err != nil {
			return nil, err
		}
		t.RootCAs = x509.NewCertPool()
		if !t.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("%s: no certificate in PEM form", cfg.CAFile)
		}
	}
	if cfg.CertFile == "" {
		return t, nil
	}
	load := func() (*tls.Certificate, error) {
		cert, err := tls.LoadX509KeyPair(cfg.CertFile, cfg.KeyFile)
		return &cert, err
	}
	if _, err := load(); err != nil {
		return nil, err
	}
	// Read at every handshake, so that a renewed certificate needs no restart.
	t.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return load() }
	return t, nil
}

func newSASL(cfg *config.SASL) (sasl.Mechanism, error) {
	if cfg == nil {
		return nil, nil
	}
	switch cfg.Mechanism {
	case "plain":
		return plain.Mechanism{Username: cfg.Username, Password: cfg.Password}, nil
	case "scram-sha-256":
		return scram.Mechanism(scram.SHA256, cfg.Username, cfg.Password)
	case "scram-sha-512":
		return scram.Mechanism(scram.SHA512, cfg.Username, cfg.Password)
	}
	return nil, errors.New("unknown mechanism " + cfg.Mechanism)
}

// transport returns a new transport that knows the topics only. It is for one purpose and closed after it, with
// CloseIdleConnections: kafka-go's transport keeps connections that a restarted broker has forgotten, and polls for as long
// as it lives.
func (c *Consumer) transport(topics []string) *kafka.Transport {
	return &kafka.Transport{
		Dial: c.dialer.DialFunc, DialTimeout: dialTimeout, ClientID: clientID,
		TLS: c.dialer.TLS, SASL: c.dialer.SASLMechanism, MetadataTopics: topics,
	}
}
