package config

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/tocsin-noc/tocsin/rules/strict"
)

// reader turns one file into a Config.
type reader struct {
	dir    string // of the file: what relative paths start from
	config *Config
}

// value is the shape of the whole file.
func (rd *reader) value() strict.Value {
	c := rd.config
	return strict.Mapping(
		strict.Field{Key: "listen", Value: hostPort(&c.Listen)},
		strict.Field{Key: "data", Value: rd.path(&c.Data)},
		strict.Field{Key: "external_url", Value: webURL(&c.ExternalURL)},
		strict.Field{Key: "web_config_file", Value: rd.path(&c.WebConfigFile)},
		strict.Field{Key: "rule_files", Value: strict.List(&c.RuleFiles, rd.glob)},
		strict.Field{Key: "notify_file", Value: rd.path(&c.NotifyFile)},
		strict.Field{Key: "auth", Value: rd.auth(&c.Auth)},
		strict.Field{Key: "limits", Value: limits(&c.Limits)},
		strict.Field{Key: "sources", Value: rd.sources(&c.Sources)},
		strict.Field{Key: "kafka", Value: rd.clusters(&c.Kafka)},
		strict.Field{Key: "heartbeat", Value: rd.heartbeat(&c.Heartbeat)},
		strict.Field{Key: "journal", Value: journal(&c.Journal)},
		strict.Field{Key: "changes", Value: changes(&c.Changes)},
		strict.Field{Key: "records", Value: strict.Mapping(size("bytes", &c.Records.Bytes, 1<<20, 1<<50))},
		strict.Field{Key: "snapshot", Value: snapshot(&c.Snapshot)},
		strict.Field{Key: "history", Value: rd.history(&c.History)},
	)
}

// warn notes something that is accepted.
func (rd *reader) warn(r *strict.Reader, n *yaml.Node, key, message, hint string) {
	rd.config.Warnings = append(rd.config.Warnings, strict.Problem{Place: r.Place(n), Key: key, Message: message, Hint: hint})
}

func (rd *reader) auth(a *Auth) strict.Value {
	return strict.Mapping(
		strict.Field{Key: "token_file", Value: rd.path(&a.TokenFile)},
		strict.Field{Key: "allowed_hosts", Value: strict.List(&a.AllowedHosts, host)},
		strict.Field{Key: "insecure_no_auth", Value: strict.Bool(&a.InsecureNoAuth)},
	)
}

// heartbeat reads where the daemon's own sign of life goes.
func (rd *reader) heartbeat(b *Beat) strict.Value {
	return strict.Mapping(
		strict.Field{Key: "url_file", Value: strict.Scalar(func(text string) error {
			b.URLFile = rd.resolve(text)
			secret, err := readSecret(b.URLFile)
			if err != nil {
				return err
			}
			if u, err := url.Parse(string(secret)); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
				return errors.New("must name a file that holds an http or https URL")
			}
			b.URL = string(secret)
			return nil
		})},
		span("interval", &b.Interval, 5*time.Second, day),
	)
}

// maxText is the longest text that the state can hold, and a margin.
const maxText = 60 << 10

func limits(l *Limits) strict.Value {
	return strict.Mapping(
		size("body_bytes", &l.BodyBytes, 1<<10, 32<<20),
		number("alerts_per_request", &l.AlertsPerRequest, 1, 100_000),
		number("labels_per_alert", &l.LabelsPerAlert, 1, 1024),
		size("label_name_bytes", &l.LabelNameBytes, 16, 4<<10),
		size("label_value_bytes", &l.LabelValueBytes, 16, maxText),
		number("annotations_per_alert", &l.AnnotationsPerAlert, 1, 1024),
		size("annotation_value_bytes", &l.AnnotationValueBytes, 16, maxText),
		size("generator_url_bytes", &l.GeneratorURLBytes, 16, maxText),
		number("alerts_per_source", &l.AlertsPerSource, 1, 10_000_000),
		number("queue_alerts", &l.QueueAlerts, 1, 10_000_000),
	)
}

func journal(j *Journal) strict.Value {
	return strict.Mapping(
		size("segment_bytes", &j.SegmentBytes, 1<<20, 8<<30),
		strict.Field{Key: "retention", Value: strict.Mapping(
			span("age", &j.Retention.Age, time.Hour, 3650*day),
			size("bytes", &j.Retention.Bytes, 1<<20, 1<<50),
		)},
	)
}

func changes(c *Changes) strict.Value {
	return strict.Mapping(
		size("segment_bytes", &c.SegmentBytes, 1<<20, 8<<30),
		size("bytes", &c.Bytes, 1<<20, 1<<50),
	)
}

func snapshot(s *Snapshot) strict.Value {
	return strict.Mapping(
		span("interval", &s.Interval, time.Second, day),
		number("keep", &s.Keep, 1, 100),
	)
}

func size(key string, dst *Size, low, high Size) strict.Field {
	return strict.Field{Key: key, Value: strict.Size(dst, low, high)}
}

func number(key string, dst *int, low, high int) strict.Field {
	return strict.Field{Key: key, Value: strict.Int(dst, low, high)}
}

func span(key string, dst *Duration, low, high time.Duration) strict.Field {
	return strict.Field{Key: key, Value: strict.Duration(dst, 1, low, high)}
}

// path reads a path and resolves it against the file's directory; an empty one stays empty.
func (rd *reader) path(dst *string) strict.Value {
	return strict.Scalar(func(s string) error {
		*dst = rd.resolve(s)
		return nil
	})
}

func (rd *reader) resolve(path string) string {
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(rd.dir, path)
}

func (rd *reader) glob(dst *string) strict.Value {
	return strict.Scalar(func(s string) error {
		if _, err := filepath.Match(s, ""); err != nil || s == "" {
			return errors.New("must be a path or a pattern such as rules/*.yml")
		}
		*dst = rd.resolve(s)
		return nil
	})
}

func hostPort(dst *string) strict.Value {
	return strict.Scalar(func(s string) error {
		_, port, err := net.SplitHostPort(s)
		if err != nil {
			return errors.New("must be host:port")
		}
		if p, err := strconv.Atoi(port); err != nil || p < 0 || p > 65535 {
			return errors.New("must end in a port from 0 to 65535")
		}
		*dst = s
		return nil
	})
}

func host(dst *string) strict.Value {
	return strict.Scalar(func(s string) error {
		if s == "" || strings.ContainsAny(s, "/:*@ ") && net.ParseIP(s) == nil {
			return errors.New("must be a host name or an address, without scheme, port or pattern")
		}
		*dst = strings.ToLower(s)
		return nil
	})
}

func webURL(dst *string) strict.Value {
	return strict.Secret(func(s string) error {
		u, err := url.Parse(s)
		switch {
		case s == "":
		case err != nil, u.Scheme != "http" && u.Scheme != "https", u.Host == "":
			return errors.New("must be an http or https URL such as https://tocsin.example.org")
		case u.User != nil, u.RawQuery != "", u.Fragment != "":
			return errors.New("must not hold a password, a query or a fragment")
		}
		*dst = strings.TrimRight(s, "/")
		return nil
	})
}

// name reads what stands in URLs, file names and metrics.
func name(dst *string) strict.Value {
	return strict.Scalar(func(s string) error {
		if s == "" || len(s) > maxName || strings.ContainsFunc(s, notInName) {
			return fmt.Errorf("must be 1 to %d of the characters a-z A-Z 0-9 . _ -", maxName)
		}
		*dst = s
		return nil
	})
}

// maxName is the longest name Kafka allows for a topic.
const (
	maxName     = 249
	nameLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"
)

func notInName(r rune) bool { return !strings.ContainsRune(nameLetters, r) }
