// Package webconfig reads exporter-toolkit's web configuration: TLS, users and their bcrypt hashes, response headers. The
// toolkit's own server knows no tokens, so a Config answers the questions of package auth instead of serving.
//
// It does not serve and does not know roles. app loads it; a Config may be used from any goroutine.
package webconfig

import (
	"bytes"
	"crypto/sha256"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/prometheus/exporter-toolkit/web"
	"golang.org/x/crypto/bcrypt"
	"golang.org/x/time/rate"
	"gopkg.in/yaml.v3"
)

// Config is one web configuration file. It implements auth.Passwords.
type Config struct {
	file web.Config
	tls  *tls.Config

	mu    sync.Mutex // one bcrypt at a time: it is meant to be slow
	known map[[sha256.Size]byte]bool
}

const maxKnown = 1000 // verdicts on passwords that are remembered

// unknownUserHash makes a wrong name as slow as a wrong password.
const unknownUserHash = "$2y$10$QOauhQNbBCuQDKes6eFzPeMqBSjb7Mr5DUmpZ/VcEd00UAV/LDeSi"

// Load reads the file at path and the certificates it names.
func Load(path string) (*Config, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("webconfig: read: %w", err)
	}
	c := &Config{known: map[[sha256.Size]byte]bool{}}
	c.file.TLSConfig.MinVersion, c.file.TLSConfig.MaxVersion = tls.VersionTLS12, tls.VersionTLS13
	c.file.HTTPConfig.HTTP2 = true
	dec := yaml.NewDecoder(bytes.NewReader(text))
	dec.KnownFields(true)
	if err := dec.Decode(&c.file); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("webconfig: %s: %w", path, err)
	}
	for name, hash := range c.file.Users {
		if _, err := bcrypt.Cost([]byte(hash)); err != nil {
			return nil, fmt.Errorf("webconfig: %s: basic_auth_users: %s: %w", path, name, err)
		}
	}
	if err := c.loadTLS(filepath.Dir(path)); err != nil {
		return nil, fmt.Errorf("webconfig: %s: %w", path, err)
	}
	return c, nil
}

func (c *Config) loadTLS(dir string) (err error) {
	c.file.TLSConfig.SetDirectory(dir)
	if !c.file.TLSConfig.IsEnabled() {
		return nil
	}
	if c.tls, err = web.ConfigToTLSConfig(&c.file.TLSConfig); err != nil {
		return err
	}
	c.tls.NextProtos = []string{"http/1.1"}
	if c.file.HTTPConfig.HTTP2 {
		c.tls.NextProtos = []string{"h2", "http/1.1"}
	}
	return nil
}

// TLS returns how to serve, nil for plain text.
func (c *Config) TLS() *tls.Config { return c.tls }

// Authenticates tells whether the file makes clients prove who they are: by password, or by a certificate that is checked.
func (c *Config) Authenticates() bool { return len(c.file.Users) > 0 || c.ChecksCertificates() }

// ChecksCertificates tells whether every client shows a certificate of the configured authorities.
func (c *Config) ChecksCertificates() bool {
	return c.tls != nil && c.tls.ClientAuth == tls.RequireAndVerifyClientCert
}

// Wrap adds the response headers and the rate limit that the file asks for.
func (c *Config) Wrap(next http.Handler) http.Handler {
	var limiter *rate.Limiter
	if limit := c.file.RateLimiterConfig; limit.Interval > 0 {
		limiter = rate.NewLimiter(rate.Every(limit.Interval), limit.Burst)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if limiter != nil && !limiter.AllowN(time.Now(), 1) {
			http.Error(w, http.StatusText(http.StatusTooManyRequests), http.StatusTooManyRequests)
			return
		}
		for name, value := range c.file.HTTPConfig.Header {
			w.Header().Set(name, value)
		}
		next.ServeHTTP(w, r)
	})
}

// Verify tells whether the password is the user's. Verdicts are remembered by a digest of all three parts.
func (c *Config) Verify(name, password string) bool {
	hash, exists := c.file.Users[name]
	if !exists {
		hash = unknownUserHash
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %q %q", name, string(hash), password))
	c.mu.Lock()
	defer c.mu.Unlock()
	verdict, seen := c.known[sum]
	if !seen {
		verdict = bcrypt.CompareHashAndPassword([]byte(hash), []byte(password)) == nil && exists
		if len(c.known) >= maxKnown {
			clear(c.known)
		}
		c.known[sum] = verdict
	}
	return verdict
}
