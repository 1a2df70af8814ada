package clickhouse

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	driver "github.com/ClickHouse/clickhouse-go/v2"
	"github.com/prometheus/client_golang/prometheus"
)

// DefaultDatabase is used where neither the URL nor the options name one.
const DefaultDatabase = "tocsin"

// Options say where the history is, and how long it is kept.
type Options struct {
	// URL is clickhouse://user:password@host:9000/database for the native protocol, http:// or https:// for that of HTTP. Several hosts are
	// separated by commas. Parameters: secure=true (TLS for clickhouse://), dial_timeout, read_timeout, compress=lz4|zstd|none.
	URL string
	// ReaderURL is that of a user who can only read; questions are asked through it. Empty: through URL.
	ReaderURL string
	Database  string // instead of the URL's
	Cluster   string // name of a cluster of the server's configuration: tables are replicated on it; empty: a single server
	CAFile    string // PEM; empty: the system's
	CertFile  string // PEM of our own certificate, with KeyFile
	KeyFile   string
	// ServerName is what the server's certificate must hold where that is not its host; Unchecked takes any certificate.
	ServerName string
	Unchecked  bool

	Retention  Retention
	Logger     *slog.Logger
	Registerer prometheus.Registerer
}

// OptionError says which option cannot be used, and why.
type OptionError struct {
	Field string // as in "history.url"
	Rule  string
	Hint  string
}

// Error returns place, rule and hint.
func (e *OptionError) Error() string {
	if e.Hint == "" {
		return e.Field + ": " + e.Rule
	}
	return e.Field + ": " + e.Rule + " (" + e.Hint + ")"
}

const urlHint = "as in clickhouse://user:password@host:9000/tocsin or https://user:password@host:8443/tocsin"

var identifier = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,127}$`)

// clusterName may hold macros, as in {cluster}.
var clusterName = regexp.MustCompile(`^[A-Za-z0-9_.{}-]{1,128}$`)

// Check tells whether the options make sense, without connecting. A secret is in none of its errors.
func (o *Options) Check() error {
	_, err := o.dial(o.URL, "history.url")
	if o.ReaderURL != "" {
		_, readerErr := o.dial(o.ReaderURL, "history.reader_url")
		err = errors.Join(err, readerErr)
	}
	if o.Cluster != "" && !clusterName.MatchString(o.Cluster) {
		err = errors.Join(err, &OptionError{"history.cluster", fmt.Sprintf("%q is no name of a cluster", o.Cluster), "letters, digits, _ - . and macros in braces"})
	}
	return errors.Join(err, o.Retention.check())
}

// dial makes the driver's options of a URL.
func (o *Options) dial(raw, field string) (*driver.Options, error) {
	u, err := url.Parse(raw)
	if err != nil || raw == "" {
		return nil, &OptionError{field, "must be a URL", urlHint} // the parser's own words repeat what is in it
	}
	if u.Host == "" {
		return nil, &OptionError{field, "names no host", urlHint}
	}
	out := &driver.Options{
		Addr:        hosts(u),
		Auth:        driver.Auth{Database: strings.Trim(u.Path, "/"), Username: u.User.Username()},
		Compression: &driver.Compression{Method: driver.CompressionLZ4},
		DialTimeout: 5 * time.Second, ReadTimeout: 5 * time.Minute,
		MaxOpenConns: 8, MaxIdleConns: 4, ConnMaxLifetime: time.Hour,
		HttpUrlPath: "",
	}
	out.Auth.Password, _ = u.User.Password()
	if o.Database != "" {
		out.Auth.Database = o.Database
	}
	if out.Auth.Database == "" {
		out.Auth.Database = DefaultDatabase
	}
	if !identifier.MatchString(out.Auth.Database) {
		return nil, &OptionError{field, fmt.Sprintf("%q is no name of a database", out.Auth.Database), "letters, digits and _"}
	}
	secure := u.Scheme == "https"
	switch u.Scheme {
	case "clickhouse":
		out.Protocol = driver.Native
	case "http", "https":
		out.Protocol = driver.HTTP
	default:
		return nil, &OptionError{field, fmt.Sprintf("begins with %q", u.Scheme+"://"), urlHint}
	}
	if err := parameters(out, u, field, &secure); err != nil {
		return nil, err
	}
	if secure {
		out.TLS, err = o.tls()
	} else if o.CAFile+o.CertFile+o.KeyFile != "" {
		err = &OptionError{field, "has no TLS, but there are files for it", "https://… or clickhouse://…?secure=true"}
	}
	return out, err
}

// hosts lists host:port of each, with the protocol's port where none is said.
func hosts(u *url.URL) (out []string) {
	port := map[string]string{"clickhouse": "9000", "http": "8123", "https": "8443"}[u.Scheme]
	if secure, _ := strconv.ParseBool(u.Query().Get("secure")); secure && u.Scheme == "clickhouse" {
		port = "9440"
	}
	for host := range strings.SplitSeq(u.Host, ",") {
		if _, _, err := net.SplitHostPort(host); err != nil {
			host = net.JoinHostPort(strings.Trim(host, "[]"), port)
		}
		out = append(out, host)
	}
	return out
}

func parameters(out *driver.Options, u *url.URL, field string, secure *bool) error {
	names := make([]string, 0, len(u.Query()))
	for name := range u.Query() {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		value, err := u.Query().Get(name), error(nil)
		switch name {
		case "secure":
			var on bool
			if on, err = strconv.ParseBool(value); err == nil && u.Scheme == "http" && on {
				return &OptionError{field, "http:// has no TLS", "https://…"}
			}
			*secure = *secure || on
		case "dial_timeout":
			out.DialTimeout, err = time.ParseDuration(value)
		case "read_timeout":
			out.ReadTimeout, err = time.ParseDuration(value)
		case "compress":
			method, known := map[string]driver.CompressionMethod{
				"lz4": driver.CompressionLZ4, "zstd": driver.CompressionZSTD, "none": driver.CompressionNone,
			}[value]
			if !known {
				return &OptionError{field, "compress is lz4, zstd or none", ""}
			}
			out.Compression.Method = method
		default:
			return &OptionError{field, fmt.Sprintf("has a parameter %q that is not known", name), "secure, dial_timeout, read_timeout, compress"}
		}
		if err != nil {
			return &OptionError{field, fmt.Sprintf("%s has a value that cannot be read", name), "secure=true, dial_timeout=5s"}
		}
	}
	return nil
}

func (o *Options) tls() (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: o.ServerName, InsecureSkipVerify: o.Unchecked}
	if o.CAFile != "" {
		pem, err := os.ReadFile(o.CAFile)
		if err != nil {
			return nil, &OptionError{"history.tls.ca_file", err.Error(), ""}
		}
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(pem) {
			return nil, &OptionError{"history.tls.ca_file", o.CAFile + " holds no certificate", "PEM, as in -----BEGIN CERTIFICATE-----"}
		}
	}
	if (o.CertFile == "") != (o.KeyFile == "") {
		return nil, &OptionError{"history.tls.cert_file", "certificate and key go together", "set cert_file and key_file, or neither"}
	}
	if o.CertFile != "" {
		pair, err := tls.LoadX509KeyPair(o.CertFile, o.KeyFile)
		if err != nil {
			return nil, &OptionError{"history.tls.cert_file", err.Error(), ""}
		}
		c.Certificates = []tls.Certificate{pair}
	}
	return c, nil
}
